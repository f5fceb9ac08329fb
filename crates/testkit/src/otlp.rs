//! An OTLP receiver over HTTP: keeps every span it is sent.

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;
use std::sync::{Arc, Mutex, PoisonError};

/// A span as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The process that sent it.
    pub service: String,
    /// `process millrace.v1.extracted`.
    pub name: String,
    /// 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: i32,
    /// Hex.
    pub trace: String,
    /// Hex.
    pub id: String,
    /// Hex; empty for a root.
    pub parent: String,
}

/// The receiver.
pub struct Collector {
    /// For `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub url: String,
    spans: Arc<Mutex<Vec<Span>>>,
    bodies: Arc<Mutex<Vec<Bytes>>>,
}

impl Collector {
    /// Starts receiving on a free port.
    ///
    /// # Panics
    /// If there is none.
    pub async fn start() -> Collector {
        let spans: Arc<Mutex<Vec<Span>>> = Arc::default();
        let bodies: Arc<Mutex<Vec<Bytes>>> = Arc::default();
        let (kept, kept_bodies) = (Arc::clone(&spans), Arc::clone(&bodies));
        let routes = Router::new().route(
            "/v1/traces",
            post(move |body: Bytes| {
                let (kept, kept_bodies) = (Arc::clone(&kept), Arc::clone(&kept_bodies));
                async move {
                    kept_bodies.lock().unwrap_or_else(PoisonError::into_inner).push(body.clone());
                    if let Ok(request) = ExportTraceServiceRequest::decode(body) {
                        kept.lock().unwrap_or_else(PoisonError::into_inner).extend(read(request));
                    }
                }
            }),
        );
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.unwrap_or_else(|error| panic!("{error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("{error}"));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Collector { url: format!("http://{address}"), spans, bodies }
    }

    /// What has come so far.
    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same as it came, attributes, events and all.
    pub fn bodies(&self) -> Vec<Bytes> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn read(request: ExportTraceServiceRequest) -> Vec<Span> {
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let attributes = resource.resource.map(|resource| resource.attributes).unwrap_or_default();
        let service = attributes.iter().find(|attribute| attribute.key == "service.name");
        let service = match service.and_then(|attribute| attribute.value.as_ref()?.value.clone()) {
            Some(Value::StringValue(name)) => name,
            _ => String::new(),
        };
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            let hex = |bytes: &[u8]| millrace_contract::artifact::hex(bytes);
            spans.push(Span {
                service: service.clone(),
                name: span.name,
                kind: span.kind,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
            });
        }
    }
    spans
}
