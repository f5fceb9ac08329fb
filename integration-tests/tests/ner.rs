//! A plug-in that finds names, in the whole system: what it finds is replaced and counted, and while it is away a policy
//! decides whether documents wait or go on.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use integration_tests::World;
use millrace_contract::wire::Sanitized;
use millrace_contract::wire::fact::Kind;
use millrace_testkit::eventually;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Names that no list has.
const NAMES: [(&str, &str); 3] =
    [("PERSON", "Zblat Qorxington"), ("ORGANIZATION", "Vexley Oss"), ("LOCATION", "Tarnwick")];

const POLICY: &str = r#"
[default]
names = "model"
[tenants.default.profiles.summary]
ner_fails = "open"
"#;

fn document(number: usize) -> String {
    format!(
        "Minutes No. {number}\n\nZblat Qorxington of Vexley Oss met the auditors in Tarnwick on 3 May 2026. The fee is \
         EUR {number}00.00. Zblat Qorxington shall write to a@b.example within 14 days."
    )
}

/// A plug-in that is there or not; its URL.
async fn plug_in(there: Arc<AtomicBool>) -> String {
    async fn analyze(State(there): State<Arc<AtomicBool>>, axum::Json(asked): axum::Json<Value>) -> Response {
        if !there.load(Ordering::Relaxed) {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        let text: Vec<char> = asked["text"].as_str().unwrap().chars().collect();
        let mut found = Vec::new();
        for (entity_type, word) in NAMES {
            let word: Vec<char> = word.chars().collect();
            let starts = (0..text.len()).filter(|start| text[*start..].starts_with(&word));
            found.extend(starts.map(
                |start| json!({"entity_type": entity_type, "start": start, "end": start + word.len(), "score": 0.9}),
            ));
        }
        axum::Json(found).into_response()
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = axum::Router::new().route("/analyze", axum::routing::post(analyze)).with_state(there);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

async fn sanitized(world: &World, job: &str) -> Sanitized {
    let events = world.events(job).await.into_iter();
    let facts = events.filter_map(|(_, _, event)| event.fact?.kind);
    facts
        .filter_map(|kind| if let Kind::Sanitized(sanitized) = kind { Some(sanitized) } else { None })
        .next()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_by_a_plug_in() {
    let there = Arc::new(AtomicBool::new(true));
    let url = plug_in(Arc::clone(&there)).await;
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    std::fs::write(&policy, POLICY).unwrap();
    let settings =
        [("MILLRACE_SANITIZATION_NER_URL", url.as_str()), ("MILLRACE_POLICY", policy.to_str().unwrap())];
    let world = World::start_with(&settings).await;

    let job = world.upload("d.txt", document(1), "&profile=summary").await;
    let status = world.completed(&job).await;
    assert!(status.get("ner_fault").is_none(), "{status}");
    let said = sanitized(&world, &job).await;
    assert_eq!(said.names, "model");
    assert_eq!(
        [said.redacted["person"], said.redacted["organization"], said.redacted["location"]],
        [1, 1, 1]
    );
    let report = world.report(&job).await.to_string();
    assert!(report.contains("[PERSON_1]") && !report.contains("Qorxington"), "{report}");

    there.store(false, Ordering::Relaxed);
    let open = world.upload("d.txt", document(2), "&profile=summary").await;
    let closed = world.upload("d.txt", document(3), "&profile=contract").await;
    let status = world.completed(&open).await;
    assert_eq!(status["ner_fault"], "ner_unavailable", "{status}");
    assert_eq!(world.report(&open).await["ner_fault"], "ner_unavailable");
    let said = sanitized(&world, &open).await;
    assert_eq!((said.names.as_str(), said.ner_fault.as_str()), ("lists", "ner_unavailable"));
    let metrics = world.services["sanitization"].probe("/metrics").await.1;
    let counted = "millrace_concessions_total{service=\"sanitization\",code=\"ner_unavailable\"} 1";
    assert!(metrics.contains(counted), "{metrics}");

    // The other one waits, parked, and says why.
    eventually("the closed one to be refused once", || async {
        let metrics = world.services["sanitization"].probe("/metrics").await.1;
        metrics
            .contains("millrace_failures_total{service=\"sanitization\",code=\"ner_unavailable\"}")
            .then_some(())
    })
    .await;
    let waiting = world.job(&closed).await;
    assert_eq!(
        (&waiting["status"], &waiting["current_stage"]),
        (&"processing".into(), &"sanitization".into())
    );

    there.store(true, Ordering::Relaxed);
    world.completed(&closed).await;
    let said = sanitized(&world, &closed).await;
    // Firms and places are what a contract is about.
    assert_eq!((said.names.as_str(), said.ner_fault.as_str()), ("model", ""));
    assert_eq!((said.redacted["person"], said.redacted.get("organization")), (1, None));
}
