//! What the commands share: where the system is, how they end, and `millrace status`.

use anyhow::Context as _;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Written by `millrace up` into its data folder: where it listens.
pub const RUNNING: &str = "running.json";

/// How a command ends, besides well: in exit codes that scripts can tell apart.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// A job did not complete.
    #[error("{0}")]
    Failed(String),
    /// There is no such job.
    #[error("{0}")]
    NotFound(String),
    /// Nobody answers.
    #[error("{0}")]
    Unreachable(String),
}

/// Where a running system is found.
#[derive(Debug, Clone, clap::Args)]
pub struct Target {
    /// The HTTP API [default: that of `millrace up` in this data folder]
    #[arg(long, env = "MILLRACE_URL")]
    pub url: Option<String>,
    /// The NATS server [default: that of `millrace up` in this data folder]
    #[arg(long, env = "NATS_URL", hide_env_values = true)]
    pub nats: Option<String>,
    /// Redis [default: that of `millrace up` in this data folder]
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis: Option<String>,
    /// Data folder of `millrace up`
    #[arg(long, env = "MILLRACE_DATA", default_value = "data")]
    pub data: PathBuf,
}

impl Target {
    pub fn url(&self) -> String {
        let url = self.url.clone().or_else(|| running(&self.data, "http"));
        url.unwrap_or_else(|| "http://127.0.0.1:8080".to_owned()).trim_end_matches('/').to_owned()
    }

    pub fn nats(&self) -> String {
        let url = self.nats.clone().or_else(|| running(&self.data, "nats"));
        url.unwrap_or_else(|| "nats://127.0.0.1:4222".to_owned())
    }

    pub fn redis(&self) -> String {
        let url = self.redis.clone().or_else(|| running(&self.data, "redis"));
        url.unwrap_or_else(|| "redis://127.0.0.1:6379/0".to_owned())
    }

    /// Asks the API. `None` for 404 and 409.
    pub async fn get(&self, http: &reqwest::Client, path: &str) -> anyhow::Result<Option<Value>> {
        let url = format!("{}{path}", self.url());
        let response = http.get(&url).timeout(Duration::from_secs(10)).send().await;
        let response = response.map_err(|error| unreachable(&url, &error))?;
        let status = response.status();
        if status == 404 || status == 409 {
            return Ok(None);
        }
        let body: Value = response.json().await.with_context(|| format!("{url} did not answer in JSON"))?;
        anyhow::ensure!(
            status.is_success(),
            "{url} answered {status}: {}",
            body["detail"].as_str().unwrap_or_default()
        );
        Ok(Some(body))
    }
}

/// Nobody answers at a URL.
pub fn unreachable(url: &str, error: &reqwest::Error) -> Ended {
    let why = if error.is_timeout() { "does not answer" } else { "cannot be reached" };
    Ended::Unreachable(format!("{url} {why}; is `millrace up` running? (--url, MILLRACE_URL)"))
}

fn running(data: &Path, what: &str) -> Option<String> {
    let text = std::fs::read_to_string(data.join(RUNNING)).ok()?;
    let value: Value = serde_json::from_str(&text).ok()?;
    value[what].as_str().map(str::to_owned)
}

/// Runs a command to its exit code.
pub fn run(command: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let ended = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start")
        .and_then(|runtime| runtime.block_on(command));
    let Err(error) = ended else { return ExitCode::SUCCESS };
    eprintln!("millrace: {error:#}");
    match error.downcast_ref::<Ended>() {
        Some(Ended::NotFound(_)) => ExitCode::from(3),
        Some(Ended::Unreachable(_)) => ExitCode::from(5),
        Some(Ended::Failed(_)) | None => ExitCode::FAILURE,
    }
}

/// Show the status of a job.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The job's id
    job: String,
    /// The answer as it came
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

impl Show {
    pub async fn run(self) -> anyhow::Result<()> {
        let found = self.target.get(&reqwest::Client::new(), &format!("/v1/jobs/{}", self.job)).await?;
        let status = found.ok_or_else(|| Ended::NotFound(format!("there is no job {}", self.job)))?;
        if self.json {
            println!("{status:#}");
            return Ok(());
        }
        let text = |name: &str| status[name].as_str().map_or_else(|| status[name].to_string(), str::to_owned);
        println!("{}  {} %  {}", text("status"), status["progress"], text("substage"));
        for (name, label) in [
            ("document", "document"),
            ("language", "language"),
            ("pages", "pages"),
            ("profile", "profile"),
            ("model", "model"),
            ("rule", "routed by"),
            ("cost_usd", "cost, USD"),
            ("run", "run"),
            ("trace_id", "trace"),
            ("updated_at", "updated"),
        ] {
            if !status[name].is_null() {
                println!("  {label:<10} {}", text(name));
            }
        }
        if let Some(code) = status["last_error"].as_str() {
            println!("  {:<10} {code}: {}", "error", status["error"]["detail"].as_str().unwrap_or_default());
        }
        Ok(())
    }
}
