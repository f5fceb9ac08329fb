//! The client of the plug-in that finds names, against a server that speaks HTTP: well, slowly, or nonsense.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use millrace_sanitization::ner::{Fault, Ner, Settings};
use millrace_sanitization::redactor::Found;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How the server behaves, and what it was asked.
#[derive(Clone)]
struct Server {
    answer: Arc<dyn Fn(&Value) -> Response + Send + Sync>,
    asked: Arc<Mutex<Vec<Value>>>,
    delay: Duration,
}

async fn analyze(State(server): State<Server>, body: Bytes) -> Response {
    let question: Value = serde_json::from_slice(&body).unwrap();
    server.asked.lock().unwrap().push(question.clone());
    tokio::time::sleep(server.delay).await;
    (server.answer)(&question)
}

/// A server on a free port; its URL, and what it was asked.
async fn server(
    delay: Duration,
    answer: impl Fn(&Value) -> Response + Send + Sync + 'static,
) -> (String, Arc<Mutex<Vec<Value>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let server = Server { answer: Arc::new(answer), asked: Arc::clone(&asked), delay };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = axum::Router::new().route("/analyze", post(analyze)).with_state(server);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url, asked)
}

/// Every word of one of these lists, as Presidio would tell it: in code points.
fn entities(question: &Value) -> Value {
    let text: Vec<char> = question["text"].as_str().unwrap().chars().collect();
    let mut found = Vec::new();
    for (kind, word) in [("PERSON", "Zoë Qorx"), ("LOCATION", "Bath"), ("BADGE", "B-17")] {
        let word: Vec<char> = word.chars().collect();
        for start in 0..text.len() {
            if text[start..].starts_with(&word) {
                let end = start + word.len();
                found.push(json!({"entity_type": kind, "start": start, "end": end, "score": 0.85,
                    "analysis_explanation": null}));
            }
        }
    }
    found.into()
}

fn good(question: &Value) -> Response {
    Json(entities(question)).into_response()
}

fn settings(url: &str) -> Settings {
    Settings { ner_url: Some(url.to_owned()), ner_timeout: Duration::from_millis(500), ..Settings::default() }
}

fn client(url: &str) -> Ner {
    Ner::new(settings(url)).unwrap().unwrap()
}

fn shown<'p>(pieces: &[&'p str], found: &[Vec<Found>]) -> Vec<Vec<(&'static str, &'p str)>> {
    let of = |(piece, found): (&&'p str, &Vec<Found>)| {
        found.iter().map(|found| (found.kind, &piece[found.range.clone()])).collect()
    };
    pieces.iter().zip(found).map(of).collect()
}

async fn fault(answer: impl Fn(&Value) -> Response + Send + Sync + 'static) -> Fault {
    let (url, _) = server(Duration::ZERO, answer).await;
    client(&url).find(&["Zoë Qorx of Bath"], "en").await.unwrap_err()
}

#[tokio::test]
async fn offsets_are_code_points_wherever_the_text_comes_from() {
    let (url, asked) = server(Duration::ZERO, good).await;
    let pieces = ["𝒜𝓃 🙂🙂 e\u{301}: Zoë Qorx, 語 B-17", "", "Bath and Zoë Qorx"];
    let found = client(&format!("{url}/")).find(&pieces, "de").await.unwrap();
    assert_eq!(
        shown(&pieces, &found),
        [
            vec![("PERSON", "Zoë Qorx"), ("OTHER", "B-17")],
            vec![],
            vec![("PERSON", "Zoë Qorx"), ("LOCATION", "Bath")]
        ]
    );
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!((&asked[0]["language"], &asked[0]["score_threshold"]), (&"de".into(), &0.4.into()));
    assert!(asked[0].get("entities").is_none());
}

#[tokio::test]
async fn long_documents_are_asked_about_in_parts() {
    let (url, asked) = server(Duration::from_millis(50), good).await;
    let settings = Settings {
        ner_largest: 600,
        ner_at_once: 8,
        ner_entities: vec!["PERSON".into(), "LOCATION".into()],
        ..settings(&url)
    };
    let ner = Ner::new(settings).unwrap().unwrap();
    let piece = "The agreement was signed by Zoë Qorx in Bath. ".repeat(40);
    let pieces = [piece.as_str(); 3];
    let found = ner.find(&pieces, "en").await.unwrap();
    for words in shown(&pieces, &found) {
        assert_eq!(words.iter().filter(|word| **word == ("PERSON", "Zoë Qorx")).count(), 40);
        assert_eq!(words.iter().filter(|word| **word == ("LOCATION", "Bath")).count(), 40);
    }
    let asked = asked.lock().unwrap();
    assert!(asked.len() >= 10, "{}", asked.len());
    assert!(asked.iter().all(|question| question["text"].as_str().unwrap().len() <= 600));
    assert_eq!(asked[0]["entities"], json!(["PERSON", "LOCATION"]));
}

#[tokio::test]
async fn a_language_that_it_does_not_speak_is_asked_about_in_english() {
    let (url, asked) = server(Duration::ZERO, |question| {
        if question["language"] == "en" {
            return good(question);
        }
        let told = json!({"error": "No matching recognizers were found to serve the request."});
        (StatusCode::INTERNAL_SERVER_ERROR, Json(told)).into_response()
    })
    .await;
    let ner = client(&url);
    for language in ["de", "und"] {
        let found = ner.find(&["Bath"], language).await.unwrap();
        assert_eq!(shown(&["Bath"], &found), [[("LOCATION", "Bath")]]);
    }
    let asked = asked.lock().unwrap();
    let languages: Vec<&str> = asked.iter().map(|asked| asked["language"].as_str().unwrap()).collect();
    assert_eq!(languages, ["de", "en", "en"]);
}

#[tokio::test]
async fn what_scores_too_little_is_nothing() {
    let low = |_: &Value| {
        Json(json!([{"entity_type": "PERSON", "start": 0, "end": 3, "score": 0.39}, {"entity_type": "LOCATION", "start":
            12, "end": 16, "score": 0.4}]))
        .into_response()
    };
    let (url, _) = server(Duration::ZERO, low).await;
    let pieces = ["Zoë Qorx of Bath"];
    assert_eq!(shown(&pieces, &client(&url).find(&pieces, "en").await.unwrap()), [[("LOCATION", "Bath")]]);
}

#[tokio::test]
async fn faults_that_pass_say_when_to_come_back() {
    let (url, _) = server(Duration::from_secs(3), good).await;
    let slow = client(&url).find(&["Bath"], "en").await.unwrap_err();
    assert!(slow.message.contains("in time") && slow.retry_after.is_some(), "{slow:?}");

    let away = client("http://127.0.0.1:9").find(&["Bath"], "en").await.unwrap_err();
    assert!(away.message.contains("cannot be reached") && away.retry_after.is_some(), "{away:?}");

    let broken = |_: &Value| {
        let told = json!({"error": "boom at Zoë Qorx"});
        (StatusCode::INTERNAL_SERVER_ERROR, [("retry-after", "7")], Json(told)).into_response()
    };
    let broken = fault(broken).await;
    assert_eq!(
        broken,
        Fault { message: "it answered with HTTP 500".into(), retry_after: Some(Duration::from_secs(7)) }
    );
}

#[tokio::test]
async fn a_second_try_may_do() {
    let tries = Mutex::new(0);
    let (url, asked) = server(Duration::ZERO, move |question| {
        let mut tries = tries.lock().unwrap();
        *tries += 1;
        if *tries == 1 { StatusCode::BAD_GATEWAY.into_response() } else { good(question) }
    })
    .await;
    assert_eq!(client(&url).find(&["Bath"], "en").await.unwrap()[0].len(), 1);
    assert_eq!(asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn nonsense_is_no_answer() {
    let entity = |start: i64, end: i64| {
        move |_: &Value| {
            Json(json!([{"entity_type": "PERSON", "start": start, "end": end, "score": 1.0}])).into_response()
        }
    };
    // The text has 16 code points, and 17 bytes.
    for (answer, told) in [
        (fault(|_| "<html>Zoë".into_response()).await, "no list of entities"),
        (fault(|_| Json(json!({"PERSON": []})).into_response()).await, "no list of entities"),
        (
            fault(|_| Json(json!([{"entity_type": "PERSON", "start": 1}])).into_response()).await,
            "no list of entities",
        ),
        (fault(entity(12, 17)).await, "not in the text"),
        (fault(entity(5, 5)).await, "not in the text"),
        (fault(entity(8, 3)).await, "not in the text"),
        (fault(entity(-1, 3)).await, "no list of entities"),
        (fault(|_| vec![b' '; 9 << 20].into_response()).await, "larger than"),
        (fault(|_| StatusCode::NOT_FOUND.into_response()).await, "HTTP 404"),
        (fault(|_| (StatusCode::FOUND, [("location", "/analyze")]).into_response()).await, "HTTP 302"),
    ] {
        assert!(answer.message.contains(told) && answer.retry_after.is_none(), "{answer:?} {told}");
        assert!(!answer.message.contains("Zo"));
    }
}

#[tokio::test]
async fn one_that_fails_again_and_again_is_left_alone() {
    let (url, asked) = server(Duration::ZERO, |_| StatusCode::SERVICE_UNAVAILABLE.into_response()).await;
    let ner = client(&url);
    for _ in 0..10 {
        ner.find(&["Bath"], "en").await.unwrap_err();
    }
    assert_eq!(asked.lock().unwrap().len(), 5);
    let fault = ner.find(&["Bath"], "en").await.unwrap_err();
    assert!(
        fault.message.contains("left alone") && fault.retry_after > Some(Duration::from_secs(5)),
        "{fault:?}"
    );
}

#[test]
fn settings_that_cannot_work() {
    assert!(Ner::new(Settings::default()).unwrap().is_none());
    assert!(Ner::new(Settings { ner_url: Some("  ".into()), ..Settings::default() }).unwrap().is_none());
    let base = settings("http://u:secret@ner:3000");
    let shape = Ner::new(base.clone()).unwrap().unwrap().shape();
    assert!(shape.starts_with("http://ner:3000/analyze ") && !shape.contains("secret"), "{shape}");
    for other in [
        Settings { ner_model: "large".into(), ..base.clone() },
        Settings { ner_threshold: 0.5, ..base.clone() },
        Settings { ner_entities: vec!["PERSON".into()], ..base.clone() },
    ] {
        assert_ne!(Ner::new(other).unwrap().unwrap().shape(), shape);
    }
    for bad in [
        Settings { ner_url: Some("ftp://u:secret@h".into()), ..base.clone() },
        Settings { ner_url: Some("secret".into()), ..base.clone() },
        Settings { ner_threshold: f64::NAN, ..base.clone() },
        Settings { ner_at_once: 0, ..base.clone() },
        Settings { ner_largest: 10, ..base },
    ] {
        let error = format!("{:#}", Ner::new(bad).err().unwrap());
        assert!(error.contains("MILLRACE_SANITIZATION_NER_") && !error.contains("secret"), "{error}");
    }
}
