//! Each vendor as the one that is asked first, in its own wire format.

use integration_tests::{World, contract, quoted};
use millrace_testkit::provider::{Asked, Fault, Reply, Simulated};

const KEYS: [(&str, &str); 3] = [
    ("GEMINI_API_KEY", "key-of-google-1"),
    ("OPENAI_API_KEY", "key-of-openai-2"),
    ("ANTHROPIC_API_KEY", "key-of-anthropic-3"),
];

/// What is the same for every vendor. `limit` finds the limit on the answer, `schema` the schema.
async fn asks_first(
    alias: &str,
    vendor: &str,
    model: &str,
    key: &str,
    limit: fn(&Asked) -> Option<u64>,
    schema: &str,
) -> std::io::Result<()> {
    let provider = Simulated::start().await;
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules.toml");
    let text = format!(
        "[[rule]]\nname = \"all\"\nset_profile = \"contract\"\nmodels = [\"{alias}\", \"flash\"]\nlane = \"default\"\n\
         prompt_language = \"en\"\n"
    );
    std::fs::write(&rules, text)?;
    let rules = rules.to_string_lossy();
    let mut more = vec![("MILLRACE_RULES", rules.as_ref())];
    more.extend(KEYS);
    let world = World::start_asking(&provider.url, &more).await;
    let id = world.upload("d.txt", contract(1), "").await;
    let job = world.completed(&id).await;
    assert_eq!((&job["provider"], &job["model"]), (&vendor.into(), &model.into()));
    let account = provider.account();
    assert_eq!((account.requests, account.prompts_answered), (4, 4), "{account:#?}");
    assert!(account.records.iter().all(|record| record.vendor == vendor && record.model == model));
    let cost = job["cost_usd"].as_f64().unwrap_or_default();
    assert!(cost > 0.0 && (cost - account.usd).abs() < 1e-5, "{cost} is not {}", account.usd);
    let report = world.report(&id).await;
    assert_eq!(report["evidence"]["withheld"], 0, "{report:#}");
    quoted(&report, &contract(1));

    // An answer that is cut off: every vendor has another name for it, and for the limit.
    provider.script([Reply::Fault(Fault::MaxTokens)]);
    let id = world.upload("d.txt", contract(2), "").await;
    world.completed(&id).await;
    let ordered = world.recoveries(&id).await;
    assert_eq!(ordered, ["answer_truncated in inference: parties raise_output_limit 2"]);
    let asked = provider.asked();
    assert_eq!(asked.len(), 9);
    let limits: Vec<u64> = asked.iter().filter_map(limit).collect();
    assert_eq!((limits.len(), limits[7], limits[8]), (9, 16_384, 32_768), "{limits:?}");

    // One that is blocked, in the vendor's own way: introduced, then read.
    provider.script([Reply::Fault(Fault::Blocked)]);
    let id = world.upload("d.txt", contract(3), "").await;
    world.completed(&id).await;
    let ordered = world.recoveries(&id).await;
    assert!(
        ordered.len() == 1 && ordered[0].ends_with("_blocked in inference: parties rephrase"),
        "{ordered:?}"
    );

    let asked = provider.asked();
    for asked in &asked {
        assert_eq!(asked.key, key);
        let body = asked.body.to_string();
        assert!(KEYS.iter().all(|(_, key)| !body.contains(key)), "a key in a body");
        // In the vendor's own field; below the question where the vendor does not serve a schema of this size.
        let own = asked.body.pointer(schema).is_some_and(|schema| schema["properties"].is_object());
        assert!(own || body.contains("fits this JSON Schema"), "{body}");
        assert!(body.contains("[EMAIL_1]") && !body.contains("jane.roe"), "redacted before it leaves");
    }
    for (name, service) in &world.services {
        let log = service.log();
        assert!(KEYS.iter().all(|(_, key)| !log.contains(key)), "a key in the log of {name}");
    }
    assert_eq!((provider.account().final_errors_resent, provider.account().answered_twice), (0, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openai_is_asked_first() {
    let limit = |asked: &Asked| asked.body["max_completion_tokens"].as_u64();
    let schema = "/response_format/json_schema/schema";
    asks_first("other", "openai", "gpt-5.4-mini", "key-of-openai-2", limit, schema).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anthropic_is_asked_first() {
    let limit = |asked: &Asked| asked.body["max_tokens"].as_u64();
    let schema = "/output_config/format/schema";
    asks_first("claude", "anthropic", "claude-haiku-4-5", "key-of-anthropic-3", limit, schema).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_is_asked_first() {
    let limit = |asked: &Asked| asked.body["generationConfig"]["maxOutputTokens"].as_u64();
    let schema = "/generationConfig/responseJsonSchema";
    asks_first("pro", "gemini", "gemini-2.5-pro", "key-of-google-1", limit, schema).await.unwrap();
}
