//! One process: a connection, its probes, and the services it runs.

use crate::advisories;
use crate::artifacts::Artifacts;
use crate::broker::{Broker, Link};
use crate::deliver::Carrier;
use crate::handlers::{Deciding, Staged};
use crate::health::{self, Health};
use crate::journal::Journal;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::ports::PortsOf;
use crate::project;
use crate::provision;
use crate::pull::Puller;
use crate::settings::Settings;
use crate::telemetry::Telemetry;
use anyhow::Context;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use millrace_contract::protocol::Patience;
use millrace_contract::{Hop, Service, subject};
use millrace_stage::{Decider, Edge, Handler, Parts, Ports, Stage};
use opentelemetry::KeyValue;
use opentelemetry::context::FutureExt;
use opentelemetry::trace::SpanKind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A running process.
pub struct Node {
    settings: Settings,
    broker: Broker,
    telemetry: Telemetry,
    health: Arc<Health>,
    log: Log,
    artifacts: Artifacts,
    journal: Journal,
    stop: CancellationToken,
    abandon: CancellationToken,
    tasks: TaskTracker,
}

impl Node {
    /// Binds the probes, connects, makes the streams.
    ///
    /// # Errors
    /// If the address is taken, the server too old, the credentials wrong, a stream refused.
    pub async fn start(settings: Settings, name: &str) -> anyhow::Result<Node> {
        let telemetry = Telemetry::start(name)?;
        let listener = listen(settings.ops_addr, "MILLRACE_OPS_ADDR").await?;
        let metrics = Arc::new(Metrics::new());
        let link = Arc::new(Link::new());
        let health = Arc::new(Health::new(Arc::clone(&link)));
        // The probes answer from the very beginning, also while NATS is away, to the very end.
        let probes = health::routes(Arc::clone(&health), Arc::clone(&metrics));
        tokio::spawn(async move { axum::serve(listener, probes).await });
        let broker = {
            // Waiting for NATS is not being stuck.
            let waiting = async {
                loop {
                    health.turn();
                    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
                }
            };
            tokio::select! {
                broker = Broker::connect_as(&settings, name, link) => broker?,
                () = waiting => unreachable!("it loops for ever"),
            }
        };
        if !settings.no_provision {
            provision::streams(&broker, &settings).await?;
        }
        let log = Log { broker: broker.clone(), telemetry: telemetry.clone(), metrics: Arc::clone(&metrics) };
        let artifacts = Artifacts::new(broker.clone());
        Ok(Node {
            journal: Journal::new(broker.clone(), artifacts.clone()),
            artifacts,
            settings,
            broker,
            telemetry,
            health,
            log,
            stop: CancellationToken::new(),
            abandon: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// Runs a stage.
    ///
    /// # Errors
    /// If its consumer cannot be made.
    pub async fn stage<S: Stage>(&self, stage: S) -> anyhow::Result<()> {
        self.hear(S::HOP, Arc::new(Staged(stage))).await
    }

    /// Runs the router.
    ///
    /// # Errors
    /// If its consumers cannot be made.
    pub async fn router<D: Decider>(&self, decider: D) -> anyhow::Result<()> {
        self.hear(D::HOP, Arc::new(Deciding(decider))).await
    }

    /// Runs a service at the edge. Returns its HTTP routes, to be served with [`Node::serve`].
    ///
    /// # Errors
    /// If it cannot start, or its consumers cannot be made.
    pub async fn edge<E: Edge>(&self, settings: E::Settings) -> anyhow::Result<axum::Router> {
        let parts: Parts = E::start(settings, self.ports(E::SERVICE)).await?;
        let hop = E::SERVICE.hop();
        if let Some(handler) = parts.inbox {
            self.hear(hop, handler).await?;
        }
        if let Some(projection) = parts.projection {
            self.bind(hop).await?;
            let mut pullers = Vec::new();
            for (stream, _) in provision::reads(&self.settings, hop) {
                let puller = self.puller(hop, &stream).await?;
                pullers.push((stream, puller));
            }
            let fed = Arc::clone(&projection);
            self.tasks.spawn(project::feed(pullers, fed, self.tasks.clone(), self.stop.clone()));
            self.tasks.spawn(project::show(self.broker.clone(), projection, self.stop.clone()));
        }
        Ok(parts.routes.unwrap_or_default())
    }

    /// What a service may do with log and artifacts.
    pub fn ports(&self, service: Service) -> Arc<dyn Ports> {
        Arc::new(PortsOf { service, log: self.log.clone(), artifacts: self.artifacts.clone() })
    }

    async fn bind(&self, hop: &'static Hop) -> anyhow::Result<()> {
        if !self.settings.no_provision {
            provision::consumers(&self.broker, &self.settings, hop).await?;
        }
        Ok(())
    }

    async fn puller(&self, hop: &'static Hop, stream: &str) -> anyhow::Result<Puller> {
        let in_flight = self.settings.in_flight.unwrap_or(hop.in_flight).max(1);
        let durable = self.settings.durable(hop);
        Puller::new(&self.broker, Arc::clone(&self.health), stream, &durable, in_flight).await
    }

    async fn hear(&self, hop: &'static Hop, handler: Arc<dyn Handler>) -> anyhow::Result<()> {
        self.bind(hop).await?;
        let carrier = Arc::new(Carrier {
            hop,
            handler,
            log: self.log.clone(),
            artifacts: self.artifacts.clone(),
            journal: self.journal.clone(),
            ack_wait: self.settings.ack_wait(hop),
            deadline: self.settings.deadline.unwrap_or(hop.deadline),
            patience: Patience {
                first: self.settings.backoff,
                hold: self.settings.backoff * 5,
                ..Patience::DEFAULT
            },
            stop: self.stop.clone(),
            abandon: self.abandon.clone(),
        });
        for (stream, _) in provision::reads(&self.settings, hop) {
            let mut puller = self.puller(hop, &stream).await?;
            let (stop, tasks) = (self.stop.clone(), self.tasks.clone());
            if stream == subject::ADVISORY_STREAM {
                self.tasks.spawn(advisories::listen(puller, self.log.clone(), stop));
                continue;
            }
            let carrier = Arc::clone(&carrier);
            self.tasks.spawn(async move {
                while let Some((message, permit)) = puller.next(&stop).await {
                    tasks.spawn(Arc::clone(&carrier).carry(message, permit));
                }
            });
        }
        Ok(())
    }

    /// Everything is bound: says so on `/readyz`.
    pub fn ready(&self) {
        self.health.bound.store(true, Ordering::Relaxed);
    }

    /// Serves HTTP routes on the configured address until told to stop. Returns the address.
    ///
    /// # Errors
    /// If the address is taken.
    pub async fn serve(&self, routes: axum::Router) -> anyhow::Result<std::net::SocketAddr> {
        let listener = listen(self.settings.http_addr, "MILLRACE_HTTP_ADDR").await?;
        let address = listener.local_addr()?;
        let telemetry = self.telemetry.clone();
        let traced = routes.layer(middleware::from_fn(move |request: Request, next: Next| {
            trace(telemetry.clone(), request, next)
        }));
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let served = axum::serve(listener, traced).with_graceful_shutdown(stop.cancelled_owned()).await;
            if let Err(error) = served {
                tracing::error!(%error, "HTTP ended");
            }
        });
        Ok(address)
    }

    /// Stops pulling, hands back what has not begun, finishes the rest inside the grace period or hands it back,
    /// flushes telemetry. Returns whether everything was finished.
    pub async fn drain(&self) -> bool {
        self.health.draining.store(true, Ordering::Relaxed);
        self.stop.cancel();
        self.tasks.close();
        let mut whole = tokio::time::timeout(self.settings.grace, self.tasks.wait()).await.is_ok();
        if !whole {
            self.abandon.cancel();
            whole = tokio::time::timeout(std::time::Duration::from_secs(2), self.tasks.wait()).await.is_ok();
            tracing::warn!(handed_back = whole, "the grace period is over; what was left is handed back");
        }
        if let Err(error) = self.broker.client.flush().await {
            tracing::debug!(%error, "the last acknowledgements may be lost");
        }
        let telemetry = self.telemetry.clone();
        // The exporter blocks.
        let _ = tokio::task::spawn_blocking(move || telemetry.flush()).await;
        whole
    }

    /// The connection, for the operator's commands.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }
}

async fn listen(address: std::net::SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    Context::with_context(TcpListener::bind(address).await, || {
        format!("cannot listen on {address} ({setting})")
    })
}

/// A span for each request that changes something; polling makes none.
async fn trace(telemetry: Telemetry, request: Request, next: Next) -> Response {
    if request.method() == axum::http::Method::GET || request.method() == axum::http::Method::HEAD {
        return next.run(request).await;
    }
    let mut headers = async_nats::HeaderMap::new();
    for name in ["traceparent", "tracestate"] {
        if let Some(value) = request.headers().get(name).and_then(|value| value.to_str().ok()) {
            headers.insert(name, value);
        }
    }
    let parent = crate::envelope::trace(Some(&headers));
    let name = || format!("{} {}", request.method(), request.uri().path());
    let attributes = || {
        vec![
            KeyValue::new("http.request.method", request.method().to_string()),
            KeyValue::new("url.path", request.uri().path().to_owned()),
        ]
    };
    let span = telemetry.span(name, SpanKind::Server, &parent, attributes);
    FutureExt::with_context(next.run(request), span).await
}
