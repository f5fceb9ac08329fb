//! Providers that are away, busy or limited: nothing is lost, nothing dies, and what does not need them goes on.

use integration_tests::{World, contract, quoted};
use millrace_testkit::eventually;
use millrace_testkit::provider::{Config, Fault, Faults, Reply, Simulated};
use serde_json::json;

const PRO: &str = "gemini-2.5-pro";
const FLASH: &str = "gemini-2.5-flash";

async fn tokens(world: &World, id: &str, token: &str) -> usize {
    world.log(id).await.iter().filter(|(event, _)| event == token).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_an_outage_of_everything_jobs_wait_and_say_so() {
    let provider = Simulated::start().await;
    let world = World::start_asking(&provider.url, &[("MILLRACE_OUTAGE_WAIT", "1s")]).await;
    let out = Faults { outages_s: vec![(0.0, 4.0)], ..Faults::default() };
    provider.configure(Config { default: out, ..Config::default() });
    let mut jobs = Vec::new();
    for number in 1..4 {
        jobs.push(world.upload("d.txt", contract(number), "").await);
    }
    let waiting = eventually("a job that waits", || async {
        let job = world.job(&jobs[0]).await;
        assert_ne!(job["done"], true, "{job}");
        job["rule"].as_str().is_some_and(|rule| rule.contains(" wait ")).then_some(job)
    })
    .await;
    assert_eq!(
        (&waiting["status"], &waiting["current_stage"]),
        (&"processing".into(), &"inference".into()),
        "{waiting}"
    );
    for (number, id) in (1..4).zip(&jobs) {
        world.completed(id).await;
        assert_eq!(tokens(&world, id, "dead").await, 0);
        quoted(&world.report(id).await, &contract(number));
    }
    let account = provider.account();
    assert_eq!((account.answered_twice, account.final_errors_resent), (0, 0));
    assert_eq!(account.prompts_answered, 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_vendor_is_away_for_good_the_other_one_answers() {
    let away = Faults { unavailable: 1.0, ..Faults::default() };
    let models = [PRO, FLASH].map(|model| (model.to_owned(), away.clone())).into();
    let provider = Simulated::start_with(Config { models, ..Config::default() }).await;
    let world = World::start_asking(&provider.url, &[]).await;
    let id = world.upload("d.txt", contract(1), "").await;
    let job = world.completed(&id).await;
    assert_eq!((&job["provider"], &job["model"]), (&"openai".into(), &"gpt-5.4-mini".into()), "{job}");
    let ordered = world.recoveries(&id).await;
    assert_eq!(ordered.len(), 2, "{ordered:?}");
    for (ordered, next) in ordered.iter().zip(["flash", "other"]) {
        assert_eq!(ordered.matches(&format!("switch_model {next}")).count(), 4, "{ordered}");
    }
    let account = provider.account();
    assert_eq!(account.models["gpt-5.4-mini"].requests, 4, "{account:#?}");
    // The circuit opens: who is away is not asked four times by each prompt.
    assert!(account.models[PRO].requests < 16 && account.models[FLASH].requests < 16, "{account:#?}");
    quoted(&world.report(&id).await, &contract(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bulk_takes_the_cheaper_tier_and_leaves_it_when_it_is_full() {
    let config = Config { tokens: Some((1000, 100)), ..Config::default() };
    let provider = Simulated::start_with(config.clone()).await;
    let world = World::start_asking(&provider.url, &[]).await;
    let usual = world.completed(&world.upload("d.txt", contract(1), "").await).await;
    let bulk = world.completed(&world.upload("d.txt", contract(1), "&lane=bulk").await).await;
    assert_eq!((&bulk["tier"], &bulk["lane"]), (&"flex".into(), &"bulk".into()), "{bulk}");
    assert_eq!((&usual["cost_usd"], &bulk["cost_usd"]), (&0.009.into(), &0.0045.into()));
    let tiers = |from: usize| -> Vec<serde_json::Value> {
        provider.asked()[from..].iter().map(|asked| asked.body["serviceTier"].clone()).collect()
    };
    assert_eq!(tiers(0)[..4], vec![json!(null); 4]);
    assert_eq!(tiers(4), vec![json!("flex"); 4]);

    let shed = Faults { flex_shed: 1.0, ..Faults::default() };
    provider.configure(Config { models: [(PRO.to_owned(), shed)].into(), ..config });
    let id = world.upload("d.txt", contract(2), "&lane=bulk").await;
    let job = world.completed(&id).await;
    let ordered = world.recoveries(&id).await;
    assert_eq!(ordered.len(), 1, "{ordered:?}");
    assert_eq!(ordered[0].matches("standard_tier").count(), 4, "{ordered:?}");
    assert_eq!((&job["model"], &job["cost_usd"]), (&PRO.into(), &0.009.into()), "{job}");
    assert_eq!(
        tiers(8).iter().filter(|tier| tier.is_null()).count(),
        4,
        "the tier is full, the model is not away"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_does_not_come_in_time_is_counted_as_paid() {
    let stall = Faults { stall_ms: 5000.0, ..Faults::default() };
    let provider = Simulated::start_with(Config { default: stall, ..Config::default() }).await;
    let world = World::start_asking(&provider.url, &[("MILLRACE_PROVIDER_TIMEOUT", "1s")]).await;
    provider.script([Reply::Good, Reply::Fault(Fault::Stall)]);
    let id = world.upload("d.txt", contract(1), "").await;
    let job = world.completed(&id).await;
    assert_eq!(world.recoveries(&id).await, [""; 0], "the second try is inference's own");
    let account = provider.account();
    assert_eq!((account.requests, account.aborted, account.prompts_answered), (5, 1, 4), "{account:#?}");
    let cost = job["cost_usd"].as_f64().unwrap();
    assert!(
        cost >= account.usd - 1e-6,
        "{cost} is less than {}, of which {} may be owed",
        account.usd,
        account.usd_aborted
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vendor_that_does_not_accept_the_key_is_left_for_another() {
    let refused = Faults { invalid_key: true, ..Faults::default() };
    let models = [PRO, FLASH].map(|model| (model.to_owned(), refused.clone())).into();
    let provider = Simulated::start_with(Config { models, ..Config::default() }).await;
    let world = World::start_asking(&provider.url, &[]).await;
    for number in 1..3 {
        let id = world.upload("d.txt", contract(number), "").await;
        let job = world.completed(&id).await;
        assert_eq!(job["provider"], "openai", "{job}");
    }
    let account = provider.account();
    assert_eq!((account.final_errors_resent, account.answered_twice), (0, 0), "{account:#?}");
    assert!(account.models[PRO].requests <= 4 && account.models[FLASH].requests <= 4, "{account:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_day_loses_nothing() {
    let bad = Faults {
        rate_limited: 0.08,
        rate_limited_s: 0.3,
        unavailable: 0.05,
        internal: 0.05,
        bad_gateway: 0.02,
        reset: 0.03,
        reset_mid: 0.02,
        malformed: 0.08,
        max_tokens: 0.04,
        output_safety: 0.03,
        empty: 0.03,
        refusal: 0.02,
        schema_violation: 0.05,
        hallucinated: 0.05,
        blocked: 0.1,
        rephrase_passes: 0.5,
        recitation: 0.1,
        invalid: 0.03,
        ..Faults::default()
    };
    let provider = Simulated::start().await;
    let world = World::start_asking(&provider.url, &[]).await;
    let mut given_up = Vec::new();
    for seed in 1..4 {
        provider.configure(Config { seed, default: bad.clone(), ..Config::default() });
        let mut jobs = Vec::new();
        for number in 0..12 {
            let document = contract(number + 100 * usize::try_from(seed).unwrap());
            jobs.push((world.upload("d.txt", document.as_str(), "").await, document));
        }
        for (id, document) in &jobs {
            if world.ended(id).await["status"] == "completed" {
                quoted(&world.report(id).await, document);
            } else {
                given_up.push(given_up_after(&world, id).await);
            }
        }
        let account = provider.account();
        assert_eq!(
            (account.final_errors_resent, account.answered_twice, account.at_once),
            (0, 0, 0),
            "{seed}"
        );
    }
    // How often a prompt is asked differently is limited, and it takes a refusal, a block and a broken answer by one model
    // after the other to get there. Such a job is given up, and can be redriven.
    println!("given up, to be redriven: {given_up:?}");
    assert!(given_up.len() <= 1, "{given_up:?}");
}

/// What was tried for a job that was given up. Nothing is lost: it is `dead`, which an operator can redrive, and every
/// model was asked.
async fn given_up_after(world: &World, id: &str) -> Vec<String> {
    let ended = world.ended(id).await;
    assert_eq!(ended["status"], "dead", "{ended}");
    let tried = world.rules(id).await;
    for model in ["flash", "claude", "other"] {
        assert!(tried.iter().any(|rule| rule.contains(&format!("switch_model {model}"))), "{tried:?}");
    }
    tried
}

/// Takes so much out of the provider's bucket, so that it is as full as after a minute of work.
async fn drain(provider: &Simulated, world: &World, model: &str, requests: usize) {
    let url = format!("{}/v1beta/models/{model}:generateContent", provider.url);
    for number in 0..requests {
        let body = json!({"contents": [{"parts": [{"text": number.to_string()}]}]});
        let answer = world.http.post(&url).body(body.to_string()).send().await;
        assert!(answer.is_ok_and(|answer| answer.status() == 200));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_calls_a_second_and_a_crowd_all_at_once() {
    const DOCUMENTS: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let limits = folder.path().join("limits.toml");
    std::fs::write(&limits, format!("[\"{PRO}\"]\nrequests_per_minute = 600\n")).unwrap();
    let provider = Simulated::start().await;
    let more = [("MILLRACE_LIMITS", limits.to_str().unwrap()), ("MILLRACE_LIMITS_REDIS_URL", "{REDIS}")];
    let world = World::start_asking(&provider.url, &more).await;
    let limited = Faults { rpm: 600.0, latency_ms: 20.0, ..Faults::default() };
    let quick = Faults { latency_ms: 20.0, ..Faults::default() };
    provider.configure(Config {
        models: [(PRO.to_owned(), limited)].into(),
        default: quick,
        ..Config::default()
    });
    drain(&provider, &world, PRO, 540).await;
    let drained = usize::try_from(provider.account().requests).unwrap();

    let mut bulk = Vec::new();
    for number in 0..DOCUMENTS {
        bulk.push(world.upload("d.txt", contract(number), "&lane=bulk").await);
    }
    let mut small = Vec::new();
    for number in 0..5 {
        small.push(world.upload("s.txt", contract(number), "&profile=summary").await);
    }
    for id in &small {
        let job = world.completed(id).await;
        assert_eq!(job["model"], FLASH, "{job}");
    }
    let mut under_way = 0;
    for id in &bulk {
        under_way += usize::from(world.job(id).await["done"] != true);
    }
    assert!(under_way > DOCUMENTS / 4, "the others are through when {under_way} of the bulk are not");
    for id in &bulk {
        let job = world.completed(id).await;
        assert_eq!(job["model"], PRO, "{job}");
        for token in ["dead", "inference_failed"] {
            assert_eq!(tokens(&world, id, token).await, 0, "{token} in the log of {job}");
        }
    }
    let account = provider.account();
    let asked = &account.records[drained..];
    let refused = asked.iter().filter(|record| record.status == 429).count();
    println!(
        "{refused} of {} refused; {under_way} of {DOCUMENTS} under way when the small ones end",
        asked.len()
    );
    assert!(refused * 20 < asked.len(), "{refused} of {} were too many", asked.len());
    assert_eq!((account.answered_twice, account.final_errors_resent), (0, 0));
}
