//! Somebody to talk to: answers what a test tells it to, byte for byte.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use clap::Parser as _;
use millrace_provider::http::{Http, Settings};
use millrace_provider::models::{Model, Models};
use millrace_provider::{Ask, Exchange, Failure, Reply, Shape, Tier, Vendor};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What is answered.
#[derive(Debug, Clone)]
pub struct Scripted {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Scripted {
    pub fn json(status: u16, body: Value) -> Scripted {
        Scripted { body: body.to_string().into_bytes(), ..Scripted::page(status, "application/json", "") }
    }

    pub fn page(status: u16, kind: &str, body: &str) -> Scripted {
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        Scripted { status, headers, body: body.as_bytes().to_vec() }
    }

    pub fn with(mut self, name: &str, value: &str) -> Scripted {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What was asked.
#[derive(Debug, Clone)]
pub struct Seen {
    pub uri: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<(Option<Scripted>, Vec<Seen>)>>);

pub struct Server {
    pub url: String,
    shared: Shared,
}

impl Server {
    pub async fn start() -> Server {
        let shared = Shared(Arc::default());
        let routes = axum::Router::new().fallback(answer).with_state(shared.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Server { url, shared }
    }

    pub fn answer(&self, scripted: Scripted) {
        self.shared.0.lock().unwrap().0 = Some(scripted);
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.shared.0.lock().unwrap().1.clone()
    }
}

async fn answer(State(shared): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut shared = shared.0.lock().unwrap();
    shared.1.push(Seen { uri: uri.to_string(), headers, body: body.to_vec() });
    let Some(scripted) = shared.0.clone() else { return StatusCode::IM_A_TEAPOT.into_response() };
    let mut response = Response::builder().status(scripted.status);
    for (name, value) in scripted.headers {
        response = response.header(name, value);
    }
    response.body(scripted.body.into()).unwrap()
}

/// A server that reads the head of one request and then does what it likes with the connection.
pub async fn raw<F, Fut>(then: F) -> String
where
    F: FnOnce(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 64 * 1024];
        let read = stream.read(&mut head).await.unwrap();
        assert!(read > 0);
        then(stream).await;
    });
    url
}

/// Says this and nothing more.
pub async fn say(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}

#[derive(clap::Parser)]
#[command(args_override_self = true)]
struct Program {
    #[command(flatten)]
    settings: Settings,
}

/// A client of all three vendors, who all live at this address.
pub fn client(url: &str, more: &[&str]) -> Http {
    let mut args = vec!["test"];
    let key = "the-key";
    for vendor in ["gemini", "openai", "anthropic"] {
        args.push(Box::leak(format!("--{vendor}-base-url={url}").into_boxed_str()));
        args.push(Box::leak(format!("--{vendor}-api-key={key}").into_boxed_str()));
    }
    args.extend(more);
    Http::new(&Program::try_parse_from(args).unwrap().settings).unwrap()
}

pub fn model(vendor: Vendor) -> Model {
    let alias = match vendor {
        Vendor::Gemini => "pro",
        Vendor::OpenAi => "other",
        Vendor::Anthropic => "claude",
    };
    Models::load(None).unwrap().get(alias).unwrap().clone()
}

/// Asks over the wire and reads what comes, as inference does.
pub async fn ask(http: &Http, vendor: Vendor) -> Result<Reply, Failure> {
    exchange(http, vendor).await.and_then(|exchange| Vendor::read(&model(vendor), &exchange))
}

pub async fn exchange(http: &Http, vendor: Vendor) -> Result<Exchange, Failure> {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"] });
    let request = Vendor::request(&Ask {
        model: &model(vendor),
        system: "Be brief.",
        user: "the secret document",
        correction: None,
        schema: &schema,
        shape: Shape::Schema,
        max_output_tokens: 100,
        think_less: false,
        tier: Tier::Standard,
        kept: None,
    });
    http.send(&request, "call-1").await
}
