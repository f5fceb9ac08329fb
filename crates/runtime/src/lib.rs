//! Carries deliveries. The only crate that knows NATS and OpenTelemetry; it may not contain a word of documents.

mod advisories;
mod artifacts;
mod attempt;
mod broker;
mod deliver;
mod desk;
mod envelope;
mod handlers;
mod health;
mod journal;
mod log;
mod main_fn;
mod metrics;
mod node;
mod output;
mod ports;
mod project;
mod provision;
mod pull;
mod replay;
mod settings;
mod telemetry;
mod vault;

pub use broker::Broker;
pub use main_fn::{Threads, block_on, main, main_edge, main_router, stopped};
pub use node::Node;
pub use project::rebuild;
pub use provision::provision;
pub use replay::{Operator, Replayed, Which};
pub use settings::Settings;
pub use telemetry::log as start_logging;
pub use vault::{Kept, Vault};
