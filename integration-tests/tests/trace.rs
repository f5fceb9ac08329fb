//! One trace runs through all services, and arrives whole at an OTLP receiver.

use integration_tests::{World, contract};
use millrace_testkit::eventually;
use millrace_testkit::otlp::{Collector, Span};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_over_all_services() {
    let collector = Collector::start().await;
    let world = World::start_with(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ])
    .await;
    // The caller's own trace goes on in ours.
    let (trace, caller) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let sent = world
        .http
        .post(format!("{}/v1/jobs", world.intake()))
        .header("traceparent", format!("00-{trace}-{caller}-01"))
        .body(contract(1))
        .send()
        .await
        .unwrap();
    let body: serde_json::Value = sent.json().await.unwrap();
    let job = world.ended(body["job_id"].as_str().unwrap()).await;
    assert_eq!(job["trace_id"], trace);

    let spans: Vec<Span> = eventually("twelve spans", || async {
        let spans: Vec<Span> = collector.spans().into_iter().filter(|span| span.trace == trace).collect();
        (spans.len() >= 12).then_some(spans)
    })
    .await;
    let find = |name: &str| {
        let found: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
        assert_eq!(found.len(), 1, "one {name} in {spans:#?}");
        found[0].clone()
    };
    let mut parent = find("POST /v1/jobs");
    assert_eq!((parent.parent.as_str(), parent.kind), (caller, 2));
    assert_eq!(parent.service, "millrace-intake");
    for (service, hears, says) in [
        ("intake", None, "uploaded"),
        ("extraction", Some("uploaded"), "extracted"),
        ("sanitization", Some("extracted"), "sanitized"),
        ("router", Some("sanitized"), "routed"),
        ("inference", Some("routed"), "inferred"),
        ("validation", Some("inferred"), "completed"),
    ] {
        if let Some(hears) = hears {
            let process = find(&format!("process millrace.v1.{hears}"));
            assert_eq!((process.parent.as_str(), process.kind), (parent.id.as_str(), 5), "{process:?}");
            assert_eq!(process.service, format!("millrace-{service}"));
            parent = process;
        }
        let send = find(&format!("send millrace.v1.{says}"));
        assert_eq!((send.parent.as_str(), send.kind), (parent.id.as_str(), 4), "{send:?}");
        assert_eq!(send.service, format!("millrace-{service}"));
        parent = send;
    }
    assert!(
        collector.spans().iter().all(|span| !format!("{span:?}").contains("Larkfield")),
        "no document text"
    );
}
