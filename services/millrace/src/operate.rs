//! Operators' commands on log and read model: replay, rebuild, provision.

use crate::client::{Ended, Target};
use anyhow::Context as _;
use clap::Parser as _;
use millrace_contract::EventKind;
use millrace_runtime::{Broker, Operator, Settings, Which, provision, rebuild};
use millrace_status::store::Store;
use std::time::{Duration, SystemTime};

#[derive(Debug, clap::Parser)]
struct Defaults {
    #[command(flatten)]
    settings: Settings,
}

/// Connects as an operator. What the environment says of streams and consumers counts here too.
pub async fn connect(nats: String) -> anyhow::Result<(Broker, Settings)> {
    let mut settings = Defaults::try_parse_from(["millrace"])?.settings;
    settings.nats_url = nats;
    let url = settings.nats_url.clone();
    let connected =
        tokio::time::timeout(Duration::from_secs(5), Broker::connect(&settings, "operator")).await;
    match connected {
        Ok(broker) => Ok((broker?, settings)),
        Err(_) => Err(Ended::Unreachable(format!(
            "no NATS server answers at {url}; is `millrace up` running? (--nats, NATS_URL)"
        ))
        .into()),
    }
}

/// Say an event again as a new run, while the live consumers go on.
#[derive(Debug, clap::Args)]
pub struct Replay {
    /// Which event to say again: what hears it works again (uploaded, extracted, sanitized, routed, inferred)
    event: String,
    /// Only this job
    #[arg(long)]
    job: Option<String>,
    /// Only what was said in this long, such as 2h, or since this time (RFC 3339)
    #[arg(long)]
    since: Option<String>,
    /// Only this tenant
    #[arg(long)]
    tenant: Option<String>,
    /// Only this lane
    #[arg(long)]
    lane: Option<String>,
    /// Do the work again even where the same work is stored
    #[arg(long)]
    fresh: bool,
    /// Count, and say what the runs to be repeated have cost
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    target: Target,
}

impl Replay {
    pub async fn run(self) -> anyhow::Result<()> {
        let event = EventKind::with_token(&self.event)
            .filter(|kind| !kind.is_end() && !kind.is_failure())
            .with_context(|| {
                format!(
                    "{:?} cannot be replayed; use uploaded, extracted, sanitized, routed or inferred",
                    self.event
                )
            })?;
        anyhow::ensure!(
            self.job.is_some() || self.since.is_some() || self.tenant.is_some() || self.lane.is_some(),
            "say which: --job, --since, --tenant or --lane"
        );
        let since = self.since.as_deref().map(since).transpose()?;
        let (broker, _) = connect(self.target.nats()).await?;
        let operator = Operator::new(&broker)?;
        let which = Which {
            event,
            job: self.job.clone(),
            tenant: self.tenant.clone(),
            lane: self.lane.clone(),
            since,
            fresh: self.fresh,
            dry_run: self.dry_run,
        };
        let replayed = operator.replay(&which).await?;
        operator.flush();
        if replayed.is_empty() {
            return Err(Ended::NotFound(format!("no event {:?} matches", self.event)).into());
        }
        for job in &replayed {
            println!("{} run {}", job.job, job.run);
        }
        let cost: u64 = replayed.iter().map(|job| job.cost_microusd).sum();
        let (count, done) = (replayed.len(), if self.dry_run { "would be" } else { "were" });
        println!(
            "{count} events {done} said again; the runs they repeat have cost USD {:.6}",
            cost as f64 / 1e6
        );
        Ok(())
    }
}

fn since(text: &str) -> anyhow::Result<SystemTime> {
    if let Ok(time) = humantime::parse_rfc3339_weak(text) {
        return Ok(time);
    }
    let ago = humantime::parse_duration(text).with_context(|| {
        format!("--since {text:?} is neither a duration (2h) nor a time (2026-11-23T10:00:00Z)")
    })?;
    SystemTime::now().checked_sub(ago).context("--since lies before time began")
}

/// Empty the status hashes and fold them from the log again.
#[derive(Debug, clap::Args)]
pub struct Rebuild {
    #[command(flatten)]
    target: Target,
    /// How long the hash of a finished job stays
    #[arg(long, env = "MILLRACE_STATUS_TTL", default_value = "7d", value_parser = humantime::parse_duration)]
    status_ttl: Duration,
}

impl Rebuild {
    pub async fn run(self) -> anyhow::Result<()> {
        let (broker, _) = connect(self.target.nats()).await?;
        let settings = millrace_status::Settings {
            redis_url: self.target.redis(),
            status_ttl: self.status_ttl,
            restore: Default::default(),
        };
        let store = Store::open(&settings)?;
        store.clear().await?;
        let events = rebuild(&broker, &store).await?;
        println!("{events} events folded");
        Ok(())
    }
}

/// Make every stream and consumer, for deployments whose services may not.
#[derive(Debug, clap::Args)]
pub struct Provision {
    #[command(flatten)]
    target: Target,
}

impl Provision {
    pub async fn run(self) -> anyhow::Result<()> {
        let (broker, settings) = connect(self.target.nats()).await?;
        provision(&broker, &settings).await?;
        println!("streams and consumers are as the choreography says");
        Ok(())
    }
}
