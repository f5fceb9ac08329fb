//! A denied publish is an error that is seen: in the answer, in the log, in readiness.

mod common;

use common::{TestStage, act, settings};
use millrace_contract::Service;
use millrace_contract::wire::{Event, Fact, Job, Uploaded};
use millrace_runtime::{Broker, Node, provision};
use millrace_testkit::Nats;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denied_publish_is_seen_at_once() {
    let nats = Nats::start_with(
        r#"authorization { users = [
             { user: admin, password: a }
             { user: limited, password: l, permissions: { publish: { deny: ["millrace.v1.uploaded.>"] } } }
           ] }"#,
    );
    let as_user = |user: &str| {
        let mut settings = settings(&nats);
        settings.nats_url = nats.url().replace("nats://", &format!("nats://{user}@"));
        settings
    };
    let admin = as_user("admin:a");
    provision(&Broker::connect(&admin, "admin").await.unwrap(), &admin).await.unwrap();

    let mut limited = as_user("limited:l");
    limited.ops_addr = ([127, 0, 0, 1], millrace_testkit::free_port()).into();
    let ops = limited.ops_addr;
    let node = Node::start(limited, "limited").await.unwrap();
    node.stage(TestStage { act: act(|_| async { Ok(1) }), runs: Arc::new(AtomicU32::new(0)) }).await.unwrap();
    node.ready();
    let ready = || async { reqwest::get(format!("http://{ops}/readyz")).await.unwrap().status().as_u16() };
    assert_eq!(ready().await, 200);

    let job = Job { id: "j".into(), tenant: "t".into(), run: 1, lane: "default".into(), ..Job::default() };
    let event = Event {
        job: Some(job),
        fact: Some(Fact { kind: Some(Uploaded::default().into()) }),
        ..Event::default()
    };
    let begun = Instant::now();
    let error = node.ports(Service::Intake).say(event).await.unwrap_err();
    assert!(error.message.contains("may not publish"), "{}", error.message);
    assert!(begun.elapsed() < Duration::from_secs(4), "not by a time-out, which takes five seconds");
    assert_eq!(ready().await, 503, "and whoever asks is told");
}
