//! `millrace healthcheck`: for containers without a shell.

use crate::client::{Ended, unreachable};
use std::time::Duration;

/// Ask a service whether it is ready; for container health checks.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// The probe to ask
    #[arg(default_value = "http://127.0.0.1:9090/readyz", env = "MILLRACE_HEALTH_URL")]
    url: String,
}

impl Check {
    pub async fn run(self) -> anyhow::Result<()> {
        let asked = reqwest::Client::new().get(&self.url).timeout(Duration::from_secs(3)).send().await;
        let response = asked.map_err(|error| unreachable(&self.url, &error))?;
        if response.status().is_success() {
            return Ok(());
        }
        let status = response.status();
        let why = response.text().await.unwrap_or_default();
        Err(Ended::Failed(format!("{} answered {status}: {}", self.url, why.trim())).into())
    }
}
