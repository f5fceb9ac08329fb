//! `/livez`, `/readyz`, `/metrics`. Liveness asks nothing of the outside; readiness asks whether work can be done.

use crate::broker::Link;
use crate::metrics::Metrics;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A loop that has not turned for this long is stuck.
const STUCK_AFTER: u64 = 60;

/// What the probes look at.
pub(crate) struct Health {
    pub(crate) link: Arc<Link>,
    pub(crate) bound: AtomicBool,
    pub(crate) draining: AtomicBool,
    turned: AtomicU64,
}

impl Health {
    pub(crate) fn new(link: Arc<Link>) -> Health {
        Health {
            link,
            bound: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            turned: AtomicU64::new(now()),
        }
    }

    /// Told by every turn of the consuming loop.
    pub(crate) fn turn(&self) {
        self.turned.store(now(), Ordering::Relaxed);
    }

    fn live(&self) -> (StatusCode, &'static str) {
        if now().saturating_sub(self.turned.load(Ordering::Relaxed)) > STUCK_AFTER {
            (StatusCode::SERVICE_UNAVAILABLE, "the consuming loop does not turn\n")
        } else {
            (StatusCode::OK, "ok\n")
        }
    }

    fn ready(&self) -> (StatusCode, &'static str) {
        let problem = if self.draining.load(Ordering::Relaxed) {
            "draining\n"
        } else if !self.link.connected.load(Ordering::Relaxed) {
            "not connected to NATS\n"
        } else if !self.bound.load(Ordering::Relaxed) {
            "not bound to its consumers\n"
        } else if self.link.denials.load(Ordering::Relaxed) > 0 {
            "NATS has denied something this service does; see the log\n"
        } else {
            return (StatusCode::OK, "ok\n");
        };
        (StatusCode::SERVICE_UNAVAILABLE, problem)
    }
}

/// The probes and the metrics.
pub(crate) fn routes(health: Arc<Health>, metrics: Arc<Metrics>) -> Router {
    let (live, ready) = (Arc::clone(&health), health);
    Router::new()
        .route("/livez", get(move || async move { live.live() }))
        .route("/readyz", get(move || async move { ready.ready() }))
        .route("/metrics", get(move || async move { metrics.render() }))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
