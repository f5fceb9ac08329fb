//! Inference's own options, and how the stage is built from them.

use crate::calls::Calls;
use crate::guards::{Calibration, Guards};
use crate::{Inference, Provider, offline};
use anyhow::{Context as _, ensure};
use millrace_limits::breaker::Breakers;
use millrace_limits::budget::{self, Budget};
use millrace_limits::concurrency::Concurrency;
use millrace_profile::{Profiles, Source};
use millrace_provider::Vendor;
use millrace_provider::http::{self, Http};
use millrace_provider::models::Models;
use std::path::PathBuf;
use std::time::Duration;

/// Its options.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// Folder of profiles to use instead of the built-in ones
    #[arg(long, env = "MILLRACE_PROFILES")]
    pub profiles: Option<PathBuf>,
    /// Model aliases, abilities and dated prices in TOML [default: the built-in list]
    #[arg(long, env = "MILLRACE_MODELS")]
    pub models: Option<PathBuf>,
    /// Who answers: offline (extractive, no network, no key) or models [default: models if there is a key]
    #[arg(long, env = "MILLRACE_PROVIDER", value_parser = ["offline", "models"])]
    pub provider: Option<String>,
    /// What one run of a job may cost, USD
    #[arg(long, env = "MILLRACE_JOB_BUDGET_USD")]
    pub job_budget_usd: Option<f64>,
    /// What a tenant may spend in a day (UTC), USD
    #[arg(long, env = "MILLRACE_TENANT_BUDGET_USD")]
    pub tenant_budget_usd: Option<f64>,
    /// Calls to one model at once, at most; fewer while the provider refuses
    #[arg(long, env = "MILLRACE_CALLS_AT_ONCE", default_value_t = 64)]
    pub calls_at_once: usize,
    /// First pause after a call that failed and may succeed; doubles with each try
    #[arg(long, env = "MILLRACE_CALL_BACKOFF", default_value = "2s", value_parser = humantime::parse_duration)]
    pub call_backoff: Duration,
    /// Whether models think as little as the profile says (profile) or as much as they like (free)
    #[arg(long, env = "MILLRACE_THINKING", default_value = "profile", value_parser = ["profile", "free"])]
    pub thinking: String,
    /// Whether a document that several prompts ask about is kept by the provider meanwhile, where it offers that
    /// (explicit), or whether its own cache is left to chance (implicit)
    #[arg(long, env = "MILLRACE_CONTEXT_CACHING", default_value = "explicit", value_parser = ["explicit", "implicit"])]
    pub context_caching: String,
    /// Alias of the model that advises on errors that no table knows
    #[arg(long, env = "MILLRACE_PLANNER", default_value = "lite")]
    pub planner: String,
    #[command(flatten)]
    pub(crate) http: http::Settings,
    #[command(flatten)]
    pub(crate) limits: budget::Settings,
    #[command(flatten)]
    pub(crate) offline: offline::Settings,
}

impl Settings {
    /// The same, with limits shared through this Redis unless another is named.
    #[must_use]
    pub fn sharing_limits_by(mut self, redis: &str) -> Settings {
        self.limits.limits_redis_url.get_or_insert_with(|| redis.to_owned());
        self
    }

    pub(crate) fn build(self) -> anyhow::Result<Inference> {
        let http = Http::new(&self.http)?;
        let has_key = Vendor::ALL.iter().any(|&vendor| http.has_key(vendor));
        let offline = match self.provider.as_deref() {
            Some("models") => {
                ensure!(
                    has_key,
                    "MILLRACE_PROVIDER is models, but there is no key: set GEMINI_API_KEY_FILE, OPENAI_API_KEY_FILE \
                     or ANTHROPIC_API_KEY_FILE, or OPENAI_BASE_URL for a server that needs none"
                );
                false
            }
            Some(_) => true,
            None => !has_key,
        };
        let models = Models::load(self.models.as_deref()).context("models")?;
        let provider = if offline {
            Provider::Offline(offline::Offline::new(self.offline))
        } else {
            Provider::Models(Box::new(Calls {
                http,
                guards: Guards {
                    breakers: Breakers::default(),
                    concurrency: Concurrency::new(self.calls_at_once),
                    budget: Budget::new(&self.limits)?,
                    calibration: Calibration::default(),
                    job_budget: self.job_budget_usd.map(micro),
                    tenant_budget: self.tenant_budget_usd.map(micro),
                },
                timeout: self.http.timeout(),
                first_pause: self.call_backoff,
                owner: owner(),
                keeps: self.context_caching == "explicit",
            }))
        };
        let mut profiles = Profiles::load(&Source(self.profiles))?;
        if self.thinking == "free" {
            profiles.think_freely();
        }
        Ok(Inference { profiles, models, provider, planner: self.planner })
    }
}

fn micro(usd: f64) -> u64 {
    (usd.max(0.0) * 1e6).round() as u64
}

/// Host, process and when it started.
fn owner() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_default();
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{host}-{}-{}", std::process::id(), since.as_millis())
}
