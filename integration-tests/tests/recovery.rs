//! What the router orders when an answer does not come or does not hold, seen from outside: the end, the history, the
//! report, and the account of a simulated provider.

use integration_tests::{World, contract, evidence, long_contract, quoted};
use millrace_testkit::provider::{Account, Asked, Config, Fault, Faults, Malformed, Reply, Simulated};
use millrace_testkit::root;
use serde_json::{Value, json};
use tempfile::TempDir;

const PROMPTS: [&str; 4] = ["parties", "terms", "clauses", "risks"];

async fn start(config: Config) -> (Simulated, World) {
    let provider = Simulated::start_with(config).await;
    let world = World::start_asking(&provider.url, &[]).await;
    (provider, world)
}

/// These models behave like this, all others well.
fn models(names: &[&str], faults: &Faults) -> Config {
    let models = names.iter().map(|name| ((*name).to_owned(), faults.clone())).collect();
    Config { models, ..Config::default() }
}

fn everyone(faults: Faults) -> Config {
    Config { default: faults, ..Config::default() }
}

/// The account, in which nothing is paid twice and nothing that is wrong for ever is sent again.
fn account(provider: &Simulated) -> Account {
    let account = provider.account();
    let never = (account.final_errors_resent, account.answered_twice, account.at_once);
    assert_eq!(never, (0, 0, 0), "{account:#?}");
    account
}

/// The same order for every prompt.
fn for_all(why: &str, order: &str) -> String {
    format!("{why}: {}", PROMPTS.map(|prompt| format!("{prompt} {order}")).join(", "))
}

fn schema(asked: &Asked) -> &Value {
    &asked.body["generationConfig"]["responseJsonSchema"]
}

fn fields(schema: &Value) -> Vec<&str> {
    let Some(fields) = schema["properties"].as_object() else { return Vec::new() };
    fields.keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_model_must_not_recite_it_points_at() {
    let (provider, world) = start(everyone(Faults { recitation: 1.0, ..Faults::default() })).await;
    let id = world.upload("d.txt", contract(1), "").await;
    world.completed(&id).await;
    let ordered = world.recoveries(&id).await;
    assert_eq!(ordered, [for_all("answer_recited in inference", "evidence_ids_only")]);
    assert_eq!(account(&provider).requests, 8);
    let asked = provider.asked();
    for (first, then) in asked[..4].iter().zip(&asked[4..]) {
        assert_eq!(fields(schema(first)), fields(schema(then)), "the same fields");
        assert!(schema(first).to_string().contains("anchor") && !schema(then).to_string().contains("anchor"));
    }
    let report = world.report(&id).await;
    for evidence in quoted(&report, &contract(1)) {
        assert_eq!(evidence["match"], "block", "{evidence}");
    }
    assert_eq!(report["degraded"], true, "the words are not the model's");
}

/// Evidence from the first part of the document and from the last.
fn spans(report: &Value, document: &str, parts: u64) {
    let pages = report["pages"].as_u64().unwrap_or_default();
    let found: Vec<u64> =
        quoted(report, document).iter().filter_map(|found| found["page"].as_u64()).collect();
    let some = |from: u64, to: u64| found.iter().any(|page| (from..=to).contains(page));
    let (first, last) = (some(1, pages / parts), some(pages - pages / parts + 1, pages));
    assert!(first && last, "{found:?} of {pages} pages");
    for prompt in PROMPTS {
        assert!(!evidence(&report["sections"][prompt]).is_empty(), "{prompt} has none: {report:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_does_not_fit_is_read_in_parts() {
    let (provider, world) = start(everyone(Faults { context_tokens: 22_000, ..Faults::default() })).await;
    let document = long_contract(40);
    let id = world.upload("long.txt", document.as_str(), "").await;
    world.completed(&id).await;
    let ordered = world.recoveries(&id).await;
    let why = "context_too_long in inference";
    assert_eq!(ordered, [for_all(why, "shorten"), for_all(why, "split 2")]);
    let account = account(&provider);
    let outcomes = &account.models["gemini-2.5-pro"].outcomes;
    // Four questions, and before them what they have in common. There is nothing to leave out: the same bytes again
    // would be refused again, and are not sent.
    assert_eq!((outcomes["context_too_long"], outcomes["kept"], outcomes["ok"]), (5, 2, 8), "{outcomes:?}");
    spans(&world.report(&id).await, &document, 2);
}

/// A copy of the profiles with this line instead of that one.
fn profiles(profile: &str, line: &str, instead: &str) -> std::io::Result<TempDir> {
    let copies = tempfile::tempdir()?;
    for folder in std::fs::read_dir(root().join("profiles"))? {
        let folder = folder?;
        if !folder.path().is_dir() {
            continue;
        }
        let copy = copies.path().join(folder.file_name());
        std::fs::create_dir(&copy)?;
        for file in std::fs::read_dir(folder.path())? {
            let file = file?;
            std::fs::copy(file.path(), copy.join(file.file_name()))?;
        }
    }
    let file = copies.path().join(profile).join("profile.toml");
    let text = std::fs::read_to_string(&file)?;
    assert_eq!(text.matches(line).count(), 1, "{line} in {text}");
    std::fs::write(file, text.replace(line, instead))?;
    Ok(copies)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_may_want_shorter_parts_and_nothing_has_to_fail_first() {
    let folder = profiles("contract", "max_input_tokens = 180000", "max_input_tokens = 8000").unwrap();
    let provider = Simulated::start().await;
    let more = [("MILLRACE_PROFILES", folder.path().to_str().unwrap())];
    let world = World::start_asking(&provider.url, &more).await;
    let document = long_contract(24);
    let id = world.upload("long.txt", document.as_str(), "").await;
    let job = world.completed(&id).await;
    assert_eq!(world.recoveries(&id).await, [""; 0]);
    let parts = job["tokens"].as_u64().unwrap().div_ceil(8000);
    let account = account(&provider);
    assert!(parts >= 3, "{job}");
    // Each part is kept, and asked about four times.
    assert_eq!(account.requests, 5 * parts, "{account:#?}");
    assert!(account.records.iter().all(|record| record.input < 14_000), "{account:#?}");
    spans(&world.report(&id).await, &document, parts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_was_cut_off_may_be_longer() {
    let (provider, world) = start(Config::default()).await;
    provider.script([Reply::Good, Reply::Fault(Fault::MaxTokens)]);
    let id = world.upload("d.txt", contract(1), "").await;
    world.completed(&id).await;
    assert_eq!(world.recoveries(&id).await, ["answer_truncated in inference: terms raise_output_limit 2"]);
    assert_eq!(account(&provider).requests, 5);
    let limits: Vec<u64> = provider
        .asked()
        .iter()
        .filter_map(|asked| asked.body["generationConfig"]["maxOutputTokens"].as_u64())
        .collect();
    assert_eq!(limits, [16_384, 16_384, 16_384, 16_384, 32_768]);
    quoted(&world.report(&id).await, &contract(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_document_is_introduced_and_then_shown_to_somebody_else() {
    let blocked = |passes| Faults { blocked: 1.0, rephrase_passes: passes, ..Faults::default() };
    let (provider, world) = start(everyone(blocked(1.0))).await;
    let why = "content_blocked in inference";
    let id = world.upload("d.txt", contract(1), "").await;
    let job = world.completed(&id).await;
    assert_eq!(world.recoveries(&id).await, [for_all(why, "rephrase")]);
    assert_eq!((account(&provider).requests, &job["model"]), (8, &"gemini-2.5-pro".into()));
    let asked = provider.asked();
    assert_eq!(asked[0].body["contents"], asked[4].body["contents"], "the question stays as it is");
    assert_ne!(asked[0].body["systemInstruction"], asked[4].body["systemInstruction"]);

    // Whatever is said, this vendor does not read it.
    provider.configure(models(&["gemini-2.5-pro", "gemini-2.5-flash"], &blocked(0.0)));
    let id = world.upload("d.txt", contract(2), "").await;
    let job = world.completed(&id).await;
    assert_eq!(world.recoveries(&id).await, [for_all(why, "rephrase"), for_all(why, "switch_model claude")]);
    assert_eq!((account(&provider).requests, &job["provider"]), (12, &"anthropic".into()));
    let report = world.report(&id).await;
    assert_eq!(report["models"], json!(["claude-haiku-4-5"]));
    quoted(&report, &contract(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_is_too_complex_is_made_simple() {
    let (provider, world) = start(Config::default()).await;
    provider.script([Reply::Fault(Fault::SchemaTooComplex)]);
    let id = world.upload("d.txt", contract(1), "").await;
    world.completed(&id).await;
    assert_eq!(world.recoveries(&id).await, ["schema_too_complex in inference: parties simplify_schema"]);
    assert_eq!(account(&provider).requests, 5);
    let asked = provider.asked();
    let (whole, simple) = (schema(&asked[0]), schema(&asked[4]));
    assert_eq!(fields(whole), fields(simple));
    let long = (whole.to_string().len(), simple.to_string().len());
    assert!(long.1 < long.0 && !simple.to_string().contains("\"description\""), "{long:?}: {simple:#}");
    quoted(&world.report(&id).await, &contract(1));

    // Clauses are of 41 kinds: too many for a grammar, but the model has to know them.
    provider.reset();
    provider.script([Reply::Good, Reply::Good, Reply::Fault(Fault::SchemaTooComplex)]);
    let id = world.upload("d.txt", contract(3), "").await;
    world.completed(&id).await;
    assert_eq!(world.recoveries(&id).await, ["schema_too_complex in inference: clauses simplify_schema"]);
    assert_eq!(account(&provider).requests, 5);
    let asked = provider.asked();
    let kind = schema(&asked[asked.len() - 1]).pointer("/properties/clauses/items/properties/kind").unwrap();
    assert!(kind.get("enum").is_none() && kind["description"].as_str().unwrap().contains("anti_assignment"));

    // Nothing is simple enough: then it stands in the question.
    provider.configure(models(&["gemini-2.5-pro"], &Faults { schema_bytes: 100, ..Faults::default() }));
    let id = world.upload("d.txt", contract(2), "").await;
    let job = world.completed(&id).await;
    let why = "schema_too_complex in inference";
    assert_eq!(world.recoveries(&id).await, [for_all(why, "simplify_schema"), for_all(why, "json_mode")]);
    assert_eq!((account(&provider).requests, &job["model"]), (12, &"gemini-2.5-pro".into()));
    assert_eq!(world.report(&id).await["degraded"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn about_an_error_that_no_table_knows_a_small_model_is_asked_without_the_document() {
    const PLANNER: &str = "gemini-3.1-flash-lite";
    let (provider, world) = start(Config::default()).await;
    let advice = Reply::Text(json!({"action": "rephrase"}).to_string());
    provider.script([Reply::Fault(Fault::Invalid), Reply::Good, Reply::Good, Reply::Good, advice]);
    let id = world.upload("d.txt", contract(1), "").await;
    world.completed(&id).await;
    assert_eq!(world.recoveries(&id).await, ["provider_refused in inference: parties rephrase"]);
    assert_eq!(account(&provider).requests, 6);
    let asked = provider.asked();
    assert_eq!(asked[4].model, PLANNER);
    let about = asked[4].body.to_string();
    for word in ["Larkfield", "Brook Hill", "SERVICES AGREEMENT", "90,000", "p1.b1"] {
        assert!(asked[0].body.to_string().contains(word), "{word} is in the document");
        assert!(!about.contains(word), "{word} in what the planner is told: {about}");
    }
    assert!(about.contains("provider_refused"), "{about}");

    // A model that calls everything wrong, whatever it is advised: the next one answers.
    let invalid = Faults { invalid: 1.0, ..Faults::default() };
    provider.configure(models(&["gemini-2.5-pro"], &invalid));
    let id = world.upload("d.txt", contract(2), "").await;
    let job = world.completed(&id).await;
    assert_eq!(job["model"], "gemini-2.5-flash", "{job}");
    let account = account(&provider);
    let refused = account.models["gemini-2.5-pro"].requests;
    assert!((4..=12).contains(&refused), "two recoveries for each of four prompts: {account:#?}");
    let planner: Vec<Asked> = provider.asked().into_iter().filter(|asked| asked.model == PLANNER).collect();
    assert!(planner.len() > 1);
    assert!(planner.iter().all(|asked| !asked.body.to_string().contains("Larkfield")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_put_right_without_asking_is_not_asked_again() {
    let (provider, world) = start(Config::default()).await;
    let spoilt =
        [Malformed::TrailingComma, Malformed::UnquotedKeys, Malformed::Prose, Malformed::SingleQuotes];
    for (number, how) in spoilt.into_iter().enumerate() {
        provider.reset();
        provider.script([Reply::Good, Reply::Good, Reply::Fault(Fault::Malformed(how))]);
        let id = world.upload("d.txt", contract(number), "").await;
        world.completed(&id).await;
        assert_eq!(world.recoveries(&id).await, [""; 0], "{how:?}");
        assert_eq!(account(&provider).requests, 4, "{how:?}");
        let report = world.report(&id).await;
        let repairs = report["repairs"].as_array().unwrap();
        assert!(!repairs.is_empty(), "{how:?}: {report:#}");
        assert!(repairs.iter().all(|repair| repair["prompt"] == "clauses"), "{how:?}: {repairs:?}");
        quoted(&report, &contract(number));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_fields_that_do_not_fit_are_asked_for_again() {
    let (provider, world) = start(Config::default()).await;
    let point = json!({"point": "A monthly fee is paid", "evidence": {"block_ids": ["p1.b3"], "anchor": "shall pay a monthly fee"}});
    let answer = json!({
        "title": null, "document_type": "contract", "language": "en", "summary": "A contract of service.",
        "key_points": [point], "entities": [[]], "dates": [], "figures": "none of them", "actions": [],
    });
    provider.script([Reply::Text(answer.to_string())]);
    let id = world.upload("d.txt", contract(1), "&profile=summary").await;
    world.completed(&id).await;
    let ordered = world.recoveries(&id).await;
    assert_eq!(ordered, ["answer_invalid in validation: summary re_ask"]);
    assert_eq!(account(&provider).requests, 2);
    let asked = provider.asked();
    let mut narrow = fields(schema(&asked[1]));
    narrow.sort_unstable();
    assert_eq!(narrow, ["entities", "figures"]);
    assert_eq!(
        asked[0].body["contents"][0], asked[1].body["contents"][0],
        "what a provider can cache is the same"
    );
    let report = world.report(&id).await;
    let summary = &report["sections"]["summary"];
    for field in
        ["title", "document_type", "summary", "key_points", "entities", "dates", "figures", "actions"]
    {
        assert!(summary.get(field).is_some(), "{field} is missing in {summary:#}");
    }
    assert_eq!(summary["summary"], "A contract of service.", "what held is kept");
    assert_eq!(summary["key_points"][0]["evidence"]["grounded"], true);
    quoted(&report, &contract(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correction_is_asked_of_the_part_that_it_is_about() {
    let folder = profiles("summary", "max_input_tokens = 0", "max_input_tokens = 4000").unwrap();
    let provider = Simulated::start().await;
    let more = [("MILLRACE_PROFILES", folder.path().to_str().unwrap())];
    let world = World::start_asking(&provider.url, &more).await;
    let document = long_contract(12);
    provider
        .script([Reply::Good, Reply::Text(json!({"title": "An agreement", "figures": [[]]}).to_string())]);
    let id = world.upload("long.txt", document.as_str(), "&profile=summary").await;
    world.completed(&id).await;
    assert_eq!(world.recoveries(&id).await, ["answer_invalid in validation: summary re_ask"]);
    let asked = provider.asked();
    let parts = asked.len() - 1;
    assert!(parts > 2, "{parts} parts");
    assert_eq!(asked[parts].body["contents"][0], asked[1].body["contents"][0], "the second part once more");
    assert!(fields(schema(&asked[parts])).contains(&"figures"));
    account(&provider);
    quoted(&world.report(&id).await, &document);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn violations_of_every_kind_end_in_complete_reports() {
    let (provider, world) = start(Config::default()).await;
    let mut asked_again = 0;
    for number in 1..9 {
        provider.reset();
        let fault = Reply::Fault(Fault::SchemaViolation);
        let before = provider.asked().len();
        let good = std::iter::repeat_n(Reply::Good, number % 4);
        provider.script(good.chain([fault]));
        let id = world.upload("d.txt", contract(number), "").await;
        world.completed(&id).await;
        // Either it could be put right, or one question more was asked, about less.
        let asked = &provider.asked()[before..];
        let ordered = world.recoveries(&id).await;
        assert_eq!(account(&provider).requests, 4 + ordered.len() as u64, "{ordered:?}");
        for (order, asked) in ordered.iter().zip(&asked[4..]) {
            assert!(order.ends_with(&format!("{} re_ask", PROMPTS[number % 4])), "{order}");
            let whole = fields(schema(&provider.asked()[before + number % 4])).len();
            assert!(fields(schema(asked)).len() < whole, "{order}: {:#}", schema(asked));
            asked_again += 1;
        }
        let report = world.report(&id).await;
        assert!(PROMPTS.iter().all(|prompt| report["sections"][prompt].is_object()), "{report:#}");
        quoted(&report, &contract(number));
    }
    assert!(asked_again > 0, "no violation was one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_answer_is_asked_for_once_more() {
    let (provider, world) = start(Config::default()).await;
    provider.script([Reply::Good, Reply::Good, Reply::Good, Reply::Fault(Fault::Empty)]);
    let id = world.upload("d.txt", contract(1), "").await;
    let job = world.completed(&id).await;
    assert_eq!(world.recoveries(&id).await, ["answer_empty in inference: risks again"]);
    assert_eq!((account(&provider).requests, &job["model"]), (5, &"gemini-2.5-pro".into()));
    let asked = provider.asked();
    assert_eq!(asked[3].body, asked[4].body);

    // Twice is enough: the next model.
    provider.configure(models(&["gemini-2.5-pro"], &Faults { empty: 1.0, ..Faults::default() }));
    let id = world.upload("d.txt", contract(2), "").await;
    let job = world.completed(&id).await;
    assert_eq!((account(&provider).requests, &job["model"]), (12, &"gemini-2.5-flash".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quotes_that_nobody_wrote_are_withheld_and_the_rest_stands_in_the_document() {
    let (provider, world) = start(everyone(Faults { hallucinated: 1.0, ..Faults::default() })).await;
    let mut withheld = 0;
    for number in 1..6 {
        let id = world.upload("d.txt", contract(number), "").await;
        world.completed(&id).await;
        let report = world.report(&id).await;
        quoted(&report, &contract(number));
        let text = report.to_string();
        assert!(!text.contains("purple elephants") && !text.contains("p999.b1"), "{report:#}");
        withheld += report["evidence"]["withheld"].as_u64().unwrap();
    }
    account(&provider);
    assert!(withheld >= 5, "each answer had one: {withheld}");
}
