//! Status: a read model of the log. Redis is a view, never the truth: it can be emptied at any time, and what is
//! asked for is folded again.

pub mod http;
pub mod restore;
pub mod store;
mod tokens;

use anyhow::Context as _;
use millrace_contract::Service;
use millrace_stage::{BoxFuture, Edge, Parts, Ports};
use std::sync::Arc;
use std::time::Duration;
use store::Store;

/// The service.
pub struct StatusService;

/// Its options.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// Redis, where the status hashes live
    #[arg(long, env = "REDIS_URL", default_value = "redis://127.0.0.1:6379/0", hide_env_values = true)]
    pub redis_url: String,
    /// How long the hash of a finished job stays; the log and the report stay longer
    #[arg(long, env = "MILLRACE_STATUS_TTL", default_value = "7d", value_parser = humantime::parse_duration)]
    pub status_ttl: Duration,
    /// Who may see personal data, and how
    #[command(flatten)]
    pub restore: restore::Settings,
}

impl Edge for StatusService {
    const SERVICE: Service = Service::Status;
    type Settings = Settings;

    fn start(settings: Settings, ports: Arc<dyn Ports>) -> BoxFuture<'static, anyhow::Result<Parts>> {
        Box::pin(async move {
            let restorer = settings.restore.restorer()?;
            let store = Arc::new(Store::open(&settings).context("REDIS_URL")?);
            Ok(Parts {
                routes: Some(http::routes(Arc::clone(&store), ports, restorer)),
                projection: Some(store),
                inbox: None,
            })
        })
    }
}
