//! A simulated model provider: the three real wire formats on one port, answers that fit the schema and have their
//! evidence in the document, seeded faults, and an account of every request.
//!
//! | request | |
//! | --- | --- |
//! | `POST /v1beta/models/{model}:generateContent` | Gemini, also under `/v1` |
//! | `POST /v1beta/cachedContents` | Gemini's explicit context caching |
//! | `POST /v1/chat/completions` | OpenAI, also without `/v1` |
//! | `POST /v1/messages` | Anthropic |
//! | `POST /control/config` | a [`Config`] as JSON replaces the one there is, and empties the account |
//! | `POST /control/reset` | empties the account, and fills the buckets |
//! | `GET /control/account` | the [`Account`] as JSON; `?records=false` without the single requests |
//!
//! A configuration with which 18 % of the first calls to one model fail, each prompt in its own way, and the others
//! answer everything:
//!
//! ```json
//! {"seed": 7, "models": {"gemini-2.5-pro": {"rate_limited": 0.08, "unavailable": 0.05, "internal": 0.01,
//!  "reset": 0.005, "malformed": 0.02, "max_tokens": 0.01, "blocked": 0.005}}}
//! ```
//!
//! The program `millrace-simulated-provider` is the same as a process of its own.

mod account;
mod answer;
mod anthropic;
mod document;
mod faults;
mod gemini;
mod hash;
mod openai;
mod price;
mod serve;
mod spoil;
#[cfg(test)]
mod tests;
mod wire;

pub use account::{Account, Record, Totals};
pub use faults::{Config, Fault, Faults, Malformed};

use account::{Ledger, lock};
use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use wire::Vendor;

/// One scripted answer, instead of what the configuration would give.
#[derive(Debug, Clone)]
pub enum Reply {
    /// HTTP 200 with an answer that fits the schema that was sent.
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
    /// What this fault looks like with the vendor that is asked.
    Fault(Fault),
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The model.
    pub model: String,
    /// The key in the header.
    pub key: String,
    /// The body.
    pub body: Value,
}

/// The beginning of questions, kept by name.
struct Kept {
    model: String,
    system: String,
    text: String,
    until: Instant,
}

struct Current {
    config: Arc<Config>,
    ledger: Arc<Mutex<Ledger>>,
}

/// What the handlers share.
struct Server {
    state: Mutex<Current>,
    script: Mutex<VecDeque<Reply>>,
    kept: Mutex<HashMap<String, Kept>>,
    /// Model, key and body; nothing where nobody is going to ask.
    asked: Option<Mutex<Vec<(String, String, Bytes)>>>,
}

impl Server {
    fn now(&self) -> (Arc<Config>, Arc<Mutex<Ledger>>) {
        let state = lock(&self.state);
        (Arc::clone(&state.config), Arc::clone(&state.ledger))
    }

    fn renew(&self, config: Option<Config>) {
        let mut state = lock(&self.state);
        if let Some(config) = config {
            state.config = Arc::new(config);
        }
        state.ledger = Ledger::new();
    }

    fn account(&self, with_records: bool) -> Account {
        let (_, ledger) = self.now();
        lock(&ledger).account(with_records)
    }
}

/// The simulated provider. It ends when this is dropped.
pub struct Simulated {
    /// For `GEMINI_BASE_URL` and its like.
    pub url: String,
    server: Arc<Server>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Simulated {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Simulated {
    /// Starts it on a free port, without faults.
    ///
    /// # Panics
    /// If there is no port.
    pub async fn start() -> Simulated {
        Simulated::start_with(Config::default()).await
    }

    /// Starts it on a free port.
    ///
    /// # Panics
    /// If there is no port.
    pub async fn start_with(config: Config) -> Simulated {
        let bound = Simulated::bind(SocketAddr::from(([127, 0, 0, 1], 0)), config, true).await;
        bound.unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Starts it there. Bodies are kept for [`Simulated::asked`] only if somebody says so: in a bench they are many.
    ///
    /// # Errors
    /// If the address is taken.
    pub async fn bind(address: SocketAddr, config: Config, keep_bodies: bool) -> anyhow::Result<Simulated> {
        use axum::serve::ListenerExt as _;
        let server = Arc::new(Server {
            state: Mutex::new(Current { config: Arc::new(config), ledger: Ledger::new() }),
            script: Mutex::default(),
            kept: Mutex::default(),
            asked: keep_bodies.then(Mutex::default),
        });
        let listener =
            tokio::net::TcpListener::bind(address).await.with_context(|| format!("bind {address}"))?;
        let address = listener.local_addr().context("address")?;
        let listener = listener.tap_io(|io| {
            // Without it answers would wait for the client's next packet.
            let _ = io.set_nodelay(true);
        });
        let routes = routes(Arc::clone(&server));
        let serving = tokio::spawn(async move {
            // Never ends but by being aborted.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Simulated { url: format!("http://{address}"), server, serving })
    }

    /// Answers the next requests like this, in order; after that, as configured.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.server.script).extend(replies);
    }

    /// Every request so far, whatever was reset.
    pub fn asked(&self) -> Vec<Asked> {
        let Some(asked) = &self.server.asked else { return Vec::new() };
        let parse = |body: &Bytes| serde_json::from_slice(body).unwrap_or_default();
        let all = lock(asked);
        all.iter()
            .map(|(model, key, body)| Asked { model: model.clone(), key: key.clone(), body: parse(body) })
            .collect()
    }

    /// Behaves like this from now on, with an empty account.
    pub fn configure(&self, config: Config) {
        self.server.renew(Some(config));
    }

    /// Empties the account, fills the buckets, and forgets which prompts were seen.
    pub fn reset(&self) {
        self.server.renew(None);
    }

    /// Loses what is kept by name, as a provider may.
    pub fn forget_kept(&self) {
        lock(&self.server.kept).clear();
    }

    /// Every request since the configuration or the reset, and sums.
    pub fn account(&self) -> Account {
        self.server.account(true)
    }

    /// Serves until it is aborted from elsewhere, which nobody can: for a program that does nothing else.
    pub async fn forever(mut self) {
        let _ = (&mut self.serving).await;
    }
}

type Shared = State<Arc<Server>>;

fn routes(server: Arc<Server>) -> Router {
    Router::new()
        .route("/v1beta/models/{call}", post(gemini_call))
        .route("/v1/models/{call}", post(gemini_call))
        .route("/v1beta/cachedContents", post(gemini_keep))
        .route("/v1/chat/completions", post(openai_call))
        .route("/chat/completions", post(openai_call))
        .route("/v1/messages", post(anthropic_call))
        .route("/healthz", get(async || "ok"))
        .route("/control/config", post(configure))
        .route("/control/reset", post(async |State(server): Shared| server.renew(None)))
        .route("/control/account", get(read_account))
        .layer(DefaultBodyLimit::disable())
        .with_state(server)
}

async fn gemini_call(
    State(server): Shared,
    Path(call): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match call.rsplit_once(':') {
        Some((model, "generateContent")) => serve::serve(server, Vendor::Gemini, model, &headers, body).await,
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn gemini_keep(State(server): Shared, headers: HeaderMap, body: Bytes) -> Response {
    serve::serve(server, Vendor::Gemini, serve::KEEP, &headers, body).await
}

async fn openai_call(State(server): Shared, headers: HeaderMap, body: Bytes) -> Response {
    serve::serve(server, Vendor::OpenAi, "", &headers, body).await
}

async fn anthropic_call(State(server): Shared, headers: HeaderMap, body: Bytes) -> Response {
    serve::serve(server, Vendor::Anthropic, "", &headers, body).await
}

async fn configure(State(server): Shared, body: Bytes) -> Response {
    match serde_json::from_slice(&body) {
        Ok(config) => {
            server.renew(Some(config));
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

async fn read_account(State(server): Shared, Query(options): Query<HashMap<String, String>>) -> Response {
    let with_records = options.get("records").is_none_or(|value| value != "false");
    axum::Json(server.account(with_records)).into_response()
}
