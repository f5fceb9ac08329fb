//! No answer is paid for twice: not after a crash, not by a redelivery, a replay, another job or another replica. The
//! simulated provider keeps account of every request.

use integration_tests::{World, contract, long_contract};
use millrace_testkit::provider::{Config, Faults, Simulated};
use millrace_testkit::{Service, eventually};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

fn slow(latency_ms: f64) -> Config {
    Config { default: Faults { latency_ms, ..Faults::default() }, ..Config::default() }
}

async fn maybe_paid(world: &World) -> Vec<String> {
    let output = world.millrace(&["ledger", "--maybe-paid", "--json"]);
    let lines: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let lines = lines.as_array().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    lines.iter().map(|line| line["id"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inference_is_killed_while_the_model_thinks_and_goes_on_behind_what_it_had() {
    let provider = Simulated::start_with(slow(700.0)).await;
    let mut world = World::start_asking(&provider.url, &[]).await;
    let job = world.upload("d.txt", contract(1), "").await;
    eventually("two answers and a third call in the air", || async {
        let account = provider.account();
        (account.requests == 3 && account.prompts_answered == 2).then_some(())
    })
    .await;
    world.service("inference").kill();
    world.service("inference").restart();
    let ended = world.ended(&job).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    let account = provider.account();
    assert_eq!((account.requests, account.aborted, account.answered_twice), (5, 1, 0), "{account:?}");
    // What nobody settled is what was in the air; the provider knows it under the same name.
    let aborted: Vec<String> = account
        .records
        .iter()
        .filter(|record| record.aborted)
        .map(|record| record.request_id.clone())
        .collect();
    assert_eq!(maybe_paid(&world).await, aborted);
    // The job's own figure counts what may have been paid for, and nothing twice.
    let cost = ended["cost_usd"].as_f64().unwrap();
    assert!(cost >= account.usd - account.usd_aborted - 1e-6, "{cost} {account:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redelivery_a_replay_and_the_same_document_again_ask_nothing() {
    let provider = Simulated::start().await;
    let world = World::start_asking(&provider.url, &[]).await;
    let job = world.upload("d.txt", contract(1), "").await;
    let first = world.ended(&job).await;
    assert_eq!(first["status"], "completed", "{first}");
    assert_eq!(provider.account().requests, 4);
    assert!(first["cost_usd"].as_f64().unwrap() > 0.0, "{first}");

    let replayed = world.millrace(&["replay", "routed", "--job", &job]);
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    let second = eventually("run 2 to end", || async {
        let job = world.job(&job).await;
        (job["run"] == 2 && job["done"] == true).then_some(job)
    })
    .await;
    assert_eq!(second["status"], "completed", "{second}");
    assert_eq!(second["cost_usd"].as_f64().unwrap_or(0.0), 0.0, "nothing was paid in run 2: {second}");

    let other = world.ended(&world.upload("other-name.txt", contract(1), "").await).await;
    assert_eq!(other["status"], "completed", "{other}");
    assert_eq!(other["cost_usd"].as_f64().unwrap_or(0.0), 0.0, "another job has paid: {other}");
    assert_eq!(provider.account().requests, 4, "{:?}", provider.account());

    let fresh = world.millrace(&["replay", "routed", "--fresh", "--job", &job]);
    assert!(fresh.status.success(), "{}", String::from_utf8_lossy(&fresh.stderr));
    eventually("run 3 to end", || async {
        let job = world.job(&job).await;
        (job["run"] == 3 && job["done"] == true).then_some(())
    })
    .await;
    assert_eq!(provider.account().requests, 8, "asked for on purpose, so paid for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_replica_with_the_same_document_waits_for_the_answer_instead_of_asking() {
    let provider = Simulated::start_with(slow(900.0)).await;
    let world = World::start_asking(&provider.url, &[]).await;
    let (nats, redis) = (world.nats.url(), world.redis.url());
    let replica = Service::start(
        "inference",
        &[
            ("NATS_URL", nats.as_str()),
            ("REDIS_URL", redis.as_str()),
            ("GEMINI_BASE_URL", provider.url.as_str()),
            ("GEMINI_API_KEY", "the-key"),
            ("MILLRACE_ACK_WAIT", "2s"),
            ("MILLRACE_BACKOFF", "50ms"),
        ],
    );
    replica.ready().await;
    let mut jobs = Vec::new();
    for number in 0..6 {
        jobs.push(world.upload(&format!("{number}.txt"), contract(1), "").await);
    }
    for job in &jobs {
        let ended = world.ended(job).await;
        assert_eq!(ended["status"], "completed", "{ended}");
    }
    let account = provider.account();
    assert_eq!((account.requests, account.at_once, account.answered_twice), (4, 0, 0), "{account:?}");
    let bodies: BTreeSet<&String> = account.records.iter().map(|record| &record.body).collect();
    assert_eq!(bodies.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tries_are_counted_over_crashes() {
    let away = Faults { unavailable: 1.0, ..Faults::default() };
    let provider = Simulated::start_with(Config { default: away, ..Config::default() }).await;
    let more = [("MILLRACE_RECOVERY", "off"), ("MILLRACE_CALL_BACKOFF", "400ms")];
    let mut world = World::start_asking(&provider.url, &more).await;
    let job = world.upload("d.txt", contract(1), "&profile=summary").await;
    for asked in 1..=3 {
        eventually("another try", || async { (provider.account().requests >= asked).then_some(()) }).await;
        world.service("inference").kill();
        world.service("inference").restart();
    }
    let ended = world.ended(&job).await;
    assert_eq!((&ended["status"], &ended["last_error"]), (&"dead".into(), &"provider_overloaded".into()));
    // Four tries; one that a kill caught between the answer and the journal is not counted, but each kill can hide one
    // only.
    let requests = provider.account().requests;
    assert!((4..=7).contains(&requests), "{requests} requests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn budgets_stop_a_job_and_a_tenant_before_the_call() {
    let provider = Simulated::start().await;
    let world = World::start_asking(&provider.url, &[("MILLRACE_JOB_BUDGET_USD", "0.03")]).await;
    let job = world.ended(&world.upload("d.txt", contract(1), "").await).await;
    assert_eq!(
        (&job["status"], &job["last_error"]),
        (&"dead".into(), &"job_budget_exceeded".into()),
        "{job}"
    );
    let account = provider.account();
    assert!(account.requests < 4 && account.usd < 0.03, "{} requests, USD {}", account.requests, account.usd);
    drop(world);

    let provider = Simulated::start().await;
    let world = World::start_asking(&provider.url, &[("MILLRACE_TENANT_BUDGET_USD", "0.1")]).await;
    let mut ends = Vec::new();
    for number in 0..8 {
        let job = world.ended(&world.upload("d.txt", contract(number), "").await).await;
        ends.push(job["last_error"].as_str().unwrap_or("").to_owned());
    }
    assert_eq!(ends.first().map(String::as_str), Some(""));
    assert_eq!(ends.last().map(String::as_str), Some("tenant_budget_exceeded"), "{ends:?}");
    assert!(provider.account().usd <= 0.1, "{}", provider.account().usd);
    let told = world.millrace(&["ledger", "--by", "tenant", "--json"]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let cost = told[0]["cost_usd"].as_f64().unwrap();
    assert!((cost - provider.account().usd).abs() < 1e-4, "{told} {}", provider.account().usd);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_every_moment_every_report_comes_and_the_accounts_agree() {
    let provider = Simulated::start_with(slow(30.0)).await;
    let mut world = World::start_asking(&provider.url, &[("MILLRACE_IN_FLIGHT", "4")]).await;
    let mut jobs = Vec::new();
    for number in 0..60 {
        jobs.push(world.upload("d.txt", contract(number), "").await);
    }
    let mut kills = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(400)).await;
        world.service("inference").kill();
        kills += 1;
        world.service("inference").restart();
        let mut done = 0;
        for job in &jobs {
            done += usize::from(world.job(job).await["done"] == true);
        }
        if done == jobs.len() || kills == 12 {
            break;
        }
    }
    for job in &jobs {
        let ended = world.ended(job).await;
        assert_eq!(ended["status"], "completed", "{ended}");
    }
    let account = provider.account();
    let open: BTreeSet<String> = maybe_paid(&world).await.into_iter().collect();
    // Whatever was asked again had never been settled, and whatever was not settled is on the list.
    let mut asked: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
    for record in &account.records {
        asked.entry(&record.body).or_default().push(&record.request_id);
    }
    for requests in asked.values() {
        let (_, earlier) = requests.split_last().unwrap();
        for request in earlier {
            assert!(open.contains(*request), "{request} was settled and asked again");
        }
    }
    let repeated = account.requests - account.prompts;
    assert!(repeated <= 4 * kills, "{repeated} calls repeated after {kills} kills of four calls each");
    let came: BTreeSet<&String> = account.records.iter().map(|record| &record.request_id).collect();
    let never_sent = open.iter().filter(|id| !came.contains(id)).count();
    println!(
        "{kills} kills: {} requests for {} calls, {} on the list of what may have been paid, {never_sent} of those never sent",
        account.requests,
        account.prompts,
        open.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_document_is_sent_once_and_then_named() {
    let provider = Simulated::start().await;
    let world = World::start_asking(&provider.url, &[]).await;
    let ended = world.ended(&world.upload("d.txt", long_contract(12), "").await).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    let account = provider.account();
    assert_eq!(account.requests, 5, "it is kept, and asked about four times: {account:?}");
    let (kept, asked) = account.records.split_first().unwrap();
    assert_eq!((kept.outcome.as_str(), kept.cached), ("kept", 0));
    for record in asked {
        assert!(record.outcome == "ok" && record.cached > record.input * 8 / 10, "{record:?}");
    }
    // Storage is in our books as in the provider's.
    let cost = ended["cost_usd"].as_f64().unwrap();
    assert!((cost - account.usd).abs() < 1e-4, "{cost} here, {} there", account.usd);

    let again = world.ended(&world.upload("other-name.txt", long_contract(12), "").await).await;
    assert_eq!(again["status"], "completed", "{again}");
    assert_eq!(provider.account().requests, 5, "nothing is kept for answers that are there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_provider_has_lost_is_sent_in_full() {
    let provider = Simulated::start_with(slow(400.0)).await;
    let world = World::start_asking(&provider.url, &[]).await;
    let job = world.upload("d.txt", long_contract(12), "").await;
    eventually("the document to be kept, and a question to be asked", || async {
        (provider.account().requests == 2).then_some(())
    })
    .await;
    provider.forget_kept();
    let ended = world.ended(&job).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    let account = provider.account();
    let outcomes = &account.models["gemini-2.5-pro"].outcomes;
    assert_eq!((outcomes["kept"], outcomes["ok"], outcomes["not_kept"]), (1, 4, 3), "{account:?}");
    assert_eq!((account.answered_twice, account.final_errors_resent), (0, 0), "{account:?}");
}
