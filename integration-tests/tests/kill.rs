//! Services and servers die at the worst moment. Nothing is lost, nothing is done by halves.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use futures_util::StreamExt as _;
use integration_tests::{SERVICES, World, contract};
use millrace_testkit::eventually;
use rustix::process::Signal;
use serde_json::json;
use std::time::Duration;

/// The events of a job that went straight through.
const STRAIGHT: [&str; 6] = ["uploaded", "extracted", "sanitized", "routed", "inferred", "completed"];

async fn events(world: &World, job: &str) -> Vec<String> {
    let mut events: Vec<String> = world.log(job).await.into_iter().map(|(event, _)| event).collect();
    events.sort_by_key(|event| STRAIGHT.iter().position(|known| known == event));
    events
}

/// Starts a job and has the service hold one of its messages: stopped, it cannot begin, and the broker has given it
/// the message.
async fn hold(world: &mut World, name: &'static str, number: usize) -> String {
    world.service(name).signal(Signal::STOP);
    let job = if name == "intake" {
        let path = world.folder.path().join(format!("{number}.txt"));
        std::fs::write(&path, contract(number)).unwrap();
        let js = world.client().await;
        let line =
            json!({"source": format!("file://{}", path.display()), "idempotency_key": number.to_string()});
        js.publish("millrace.inbox.default", line.to_string().into()).await.unwrap().await.unwrap();
        let tenant = millrace_contract::Tenant::new("default").unwrap();
        millrace_contract::JobId::derived(&tenant, &format!("key {number}")).to_string()
    } else {
        world.upload("d.txt", contract(number), "").await
    };
    eventually(&format!("{name} to hold a message"), || async {
        (world.in_flight(name).await > 0).then_some(())
    })
    .await;
    job
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_service_in_turn_is_killed_while_it_holds_a_message() {
    let mut world = World::start().await;
    for (number, name) in (1..).zip(SERVICES) {
        let job = hold(&mut world, name, number).await;
        world.service(name).kill();
        world.service(name).restart();
        world.services[name].ready().await;
        let ended = world.ended(&job).await;
        assert_eq!(ended["status"], "completed", "{name} was killed: {ended}");
        assert_eq!(events(&world, &job).await, STRAIGHT, "{name} was killed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_is_killed_and_restarted_under_load() {
    let mut world = World::start_with(&[("MILLRACE_OFFLINE_LATENCY", "50ms")]).await;
    let mut jobs = Vec::new();
    for number in 0..20 {
        jobs.push(world.upload("d.txt", contract(number), "").await);
    }
    world.nats.kill();
    let url = format!("{}/v1/jobs", world.intake());
    let refused = world.http.post(&url).body(contract(99)).send().await.unwrap();
    assert_eq!(refused.status(), 503, "what cannot be stored is not accepted");
    world.nats.restart();
    for job in &jobs {
        let ended = world.ended(job).await;
        assert_eq!(ended["status"], "completed", "{ended}");
        assert_eq!(events(&world, job).await, STRAIGHT);
    }
    let after = world.upload("d.txt", contract(100), "").await;
    assert_eq!(world.ended(&after).await["status"], "completed", "and new work is taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_emptied_killed_and_folded_again_to_the_byte() {
    let mut world = World::start().await;
    let mut jobs = Vec::new();
    for number in 0..5 {
        jobs.push(world.upload("d.txt", contract(number), "").await);
    }
    jobs.push(world.upload("s.pdf", integration_tests::sample("scanned.pdf"), "").await);
    for job in &jobs {
        world.ended(job).await;
    }
    let before = world.hashes().await;
    assert_eq!(before.len(), jobs.len());
    let flush = async |world: &World| {
        let mut redis = world.redis_client().await;
        let () = redis::cmd("FLUSHALL").query_async(&mut redis).await.unwrap();
    };

    flush(&world).await;
    assert!(world.hashes().await.is_empty());
    let rebuilt = world.millrace(&["rebuild"]);
    assert!(rebuilt.status.success(), "{}", String::from_utf8_lossy(&rebuilt.stderr));
    assert_eq!(world.hashes().await, before, "FLUSHALL and rebuild");

    // Without a rebuild, what is asked for is folded from the log.
    flush(&world).await;
    for job in &jobs {
        assert!(!world.job(job).await.is_null());
    }
    assert_eq!(world.hashes().await, before, "FLUSHALL and asking");

    world.redis.kill();
    let blind = world.upload("d.txt", contract(50), "").await;
    eventually("the job to be done without Redis", || async {
        events(&world, &blind).await.contains(&"completed".to_owned()).then_some(())
    })
    .await;
    let answer = world.http.get(format!("{}/v1/jobs/{blind}", world.status())).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    world.redis.restart();
    assert_eq!(world.ended(&blind).await["status"], "completed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_kills_the_service_each_time_is_dead_with_its_cause() {
    let mut world = World::start_with(&[("MILLRACE_ACK_WAIT", "1s")]).await;
    world.service("sanitization").kill();
    let poison = world.upload("poison.txt", contract(1), "").await;
    // What the broker sees of a service that dies of a document: it takes the message and is not heard of again.
    let js = world.client().await;
    let stream = js.get_stream("MILLRACE_EXTRACTION").await.unwrap();
    let consumer: async_nats::jetstream::consumer::PullConsumer =
        stream.get_consumer("sanitization").await.unwrap();
    for delivery in 1..=5 {
        let mut taken =
            consumer.batch().max_messages(1).expires(Duration::from_secs(20)).messages().await.unwrap();
        let message = taken.next().await.expect("a delivery").unwrap();
        assert_eq!(message.info().unwrap().delivered, delivery);
    }
    // The broker says so when it would deliver a sixth time: to a service that asks.
    world.service("sanitization").restart();
    let ended = world.ended(&poison).await;
    assert_eq!(
        (&ended["status"], &ended["last_error"]),
        (&"dead".into(), &"deliveries_exhausted".into()),
        "{ended}"
    );
    let detail = ended["error"]["detail"].as_str().unwrap();
    assert!(detail.contains("5 deliveries"), "{detail}");
    let healthy = world.upload("d.txt", contract(2), "").await;
    assert_eq!(world.ended(&healthy).await["status"], "completed", "its neighbours are untouched");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_service_drains_on_sigterm_and_nothing_is_lost() {
    let mut world = World::start_with(&[("MILLRACE_OFFLINE_LATENCY", "100ms")]).await;
    let mut jobs = Vec::new();
    for number in 0..12 {
        jobs.push(world.upload("d.txt", contract(number), "").await);
    }
    for name in SERVICES {
        let status = world.service(name).terminate().await.expect("it was running");
        assert_eq!(status.code(), Some(0), "{name}: {}", world.services[name].log());
        assert!(world.services[name].log().contains("draining"), "{name} says so");
    }
    for name in SERVICES {
        assert_eq!(world.in_flight(name).await, 0, "{name} has finished or handed back what it had");
    }
    for name in SERVICES {
        world.service(name).restart();
    }
    for name in SERVICES {
        world.services[name].ready().await;
    }
    for job in &jobs {
        assert_eq!(world.ended(job).await["status"], "completed");
        assert_eq!(events(&world, job).await, STRAIGHT);
    }
}
