//! A simulated Gemini with the real wire format: answers what the test tells it to, and keeps an account of every
//! request, so that a test can say what was asked twice.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One scripted answer.
#[derive(Debug, Clone)]
pub enum Reply {
    /// HTTP 200 with a value that fits the schema that was sent.
    Good,
    /// HTTP 200 with this text.
    Text(String),
    /// HTTP 200 with this body.
    Body(Value),
    /// An error with this status and body.
    Error(u16, Value),
    /// An error with a `Retry-After` header.
    After(u16, u64),
    /// No answer for this long, then an overload.
    Stall(Duration),
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The model in the path.
    pub model: String,
    /// The key in the header.
    pub key: String,
    /// The body.
    pub body: Value,
}

#[derive(Default)]
struct Shared {
    script: VecDeque<Reply>,
    asked: Vec<Asked>,
}

/// The simulated provider.
pub struct Gemini {
    /// For `GEMINI_BASE_URL`.
    pub url: String,
    shared: Arc<Mutex<Shared>>,
}

impl Gemini {
    /// Starts it. What is not scripted is answered with a value that fits the schema that was sent.
    ///
    /// # Panics
    /// If there is no port.
    pub async fn start() -> Gemini {
        let shared: Arc<Mutex<Shared>> = Arc::default();
        let routes = Router::new()
            .route("/v1beta/models/{call}", post(answer))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.unwrap_or_else(|error| panic!("{error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("{error}"));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Gemini { url: format!("http://{address}"), shared }
    }

    /// Answers the next requests like this, in order.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).script.extend(replies);
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).asked.clone()
    }
}

async fn answer(
    State(shared): State<Arc<Mutex<Shared>>>,
    Path(call): Path<String>,
    headers: axum::http::HeaderMap,
    body: axum::Json<Value>,
) -> Response {
    let model = call.trim_end_matches(":generateContent").to_owned();
    let key = headers.get("x-goog-api-key").and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned();
    let reply = {
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.asked.push(Asked { model: model.clone(), key, body: body.0.clone() });
        shared.script.pop_front()
    };
    let text = |text: String| {
        axum::Json(json!({
            "candidates": [{ "finishReason": "STOP", "content": { "role": "model", "parts": [{ "text": text }] } }],
            "usageMetadata": { "promptTokenCount": 1000, "candidatesTokenCount": 100 },
            "modelVersion": model,
        }))
        .into_response()
    };
    match reply {
        None | Some(Reply::Good) => text(sample(&body["generationConfig"]["responseJsonSchema"]).to_string()),
        Some(Reply::Text(given)) => text(given),
        Some(Reply::Body(given)) => axum::Json(given).into_response(),
        Some(Reply::Error(status, given)) => (code(status), axum::Json(given)).into_response(),
        Some(Reply::After(status, seconds)) => {
            (code(status), [("retry-after", seconds.to_string())], "{}").into_response()
        }
        Some(Reply::Stall(time)) => {
            tokio::time::sleep(time).await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The least value that fits a schema.
fn sample(schema: &Value) -> Value {
    let kind = match &schema["type"] {
        Value::Array(kinds) if kinds.iter().any(|kind| kind == "null") => "null",
        Value::Array(kinds) => kinds.first().and_then(Value::as_str).unwrap_or("null"),
        kind => kind.as_str().unwrap_or("null"),
    };
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    match kind {
        "object" => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            fields
                .map(|(name, field)| (name.clone(), sample(field)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        "array" => json!([]),
        "string" => "simulated".into(),
        "integer" | "number" => 1.into(),
        "boolean" => false.into(),
        _ => Value::Null,
    }
}
