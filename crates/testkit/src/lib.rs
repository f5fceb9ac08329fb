//! What tests run against: real servers on free ports, real service processes, a simulated model provider with the
//! real wire format, a receiver for traces. Each test has its own world; nothing outlives it. Tests wait for states,
//! never for time.

pub mod adversarial;
pub mod gemini;
pub mod hostile;
pub mod labelled;
pub mod otlp;
pub mod provider;
pub mod servers;
pub mod service;

pub use servers::{Nats, Redis};
pub use service::{Service, binary};

use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long a state may take to come about. Generous: it bounds a hang, it measures nothing.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until `look` gives something.
///
/// # Panics
/// If it does not within a minute and a half; says what was waited for.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?} for: {what}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// The root of the checkout.
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.join("../..").canonicalize().unwrap_or(here)
}

/// A port that nobody listens on, and that no other call in this process gets. Below the range from which the kernel
/// takes ports for outgoing connections: one of those would be gone by the time a server binds it.
pub fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 18_000 + u16::try_from(std::process::id() % 100).unwrap_or(0) * 100;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 4_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
