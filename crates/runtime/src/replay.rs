//! Replay: the same events again as a new run, while the live consumers go on.

use crate::log::{Log, Verdict, away, now_ms};
use crate::node::Node;
use crate::telemetry::{Telemetry, trace_id};
use crate::{envelope, metrics::Metrics};
use anyhow::Context as _;
use millrace_contract::ledger::Ledger;
use millrace_contract::protocol::{self, Position};
use millrace_contract::wire::Claim;
use millrace_contract::{EventKind, Service, artifact};
use millrace_stage::{Content, Recorded, Saying};
use opentelemetry::trace::{SpanKind, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

/// What an operator may do with the log.
pub struct Operator {
    log: Log,
    artifacts: crate::artifacts::Artifacts,
    telemetry: Telemetry,
}

/// Which events to replay.
#[derive(Debug, Clone)]
pub struct Which {
    /// Which event: what hears it works again.
    pub event: EventKind,
    /// Only of this job.
    pub job: Option<String>,
    /// Only of this tenant.
    pub tenant: Option<String>,
    /// Only of this lane.
    pub lane: Option<String>,
    /// Only what was said since.
    pub since: Option<SystemTime>,
    /// Do the work again even where the same work is stored.
    pub fresh: bool,
    /// Only count.
    pub dry_run: bool,
}

/// One job that was, or would be, replayed.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// The job.
    pub job: String,
    /// Its tenant.
    pub tenant: String,
    /// The new run.
    pub run: u32,
    /// What the run that it repeats has cost, in millionths of a dollar: an upper bound for this one.
    pub cost_microusd: u64,
}

impl Operator {
    /// An operator on a connection.
    ///
    /// # Errors
    /// If tracing cannot start.
    pub fn new(broker: &crate::Broker) -> anyhow::Result<Operator> {
        let telemetry = Telemetry::start("operator")?;
        let log =
            Log { broker: broker.clone(), telemetry: telemetry.clone(), metrics: Arc::new(Metrics::new()) };
        Ok(Operator { artifacts: crate::artifacts::Artifacts::new(broker.clone()), log, telemetry })
    }

    /// An operator inside a running process.
    pub fn of(node: &Node) -> anyhow::Result<Operator> {
        Operator::new(node.broker())
    }

    /// Everything said of a job.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn history(&self, tenant: Option<&str>, job: &str) -> anyhow::Result<Vec<Recorded>> {
        Ok(self.log.history(tenant, job).await?)
    }

    /// What was paid to providers: the fold of the journal of calls, or of what was written to it since.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub async fn ledger(&self, since: Option<SystemTime>) -> anyhow::Result<Ledger> {
        let journal = crate::journal::Journal::new(self.log.broker.clone(), self.artifacts.clone());
        Ok(journal.ledger(since).await?)
    }

    /// Redeems a claim.
    ///
    /// # Errors
    /// If there is nothing behind it.
    pub async fn fetch(&self, claim: &Claim) -> anyhow::Result<Content> {
        Ok(self.artifacts.fetch(claim).await?)
    }

    /// Replays events: the last of each job, as a new run.
    ///
    /// # Errors
    /// If the log cannot be read or written; what was replayed before that stays replayed.
    pub async fn replay(&self, which: &Which) -> anyhow::Result<Vec<Replayed>> {
        let speaker = which.event.speaker();
        let stream = speaker.stream();
        let any = |token: &Option<String>| token.clone().unwrap_or_else(|| "*".to_owned());
        let filter = format!(
            "millrace.v1.{}.{}.{}.{}",
            which.event.token(),
            any(&which.lane),
            any(&which.tenant),
            any(&which.job)
        );
        // What the replay itself says lies behind this bound: it must not be replayed again.
        let bound = self
            .log
            .broker
            .js
            .get_stream(&stream)
            .await
            .with_context(|| format!("cannot read the stream {stream}"))?
            .cached_info()
            .state
            .last_sequence;
        let mut last: BTreeMap<String, Recorded> = BTreeMap::new();
        let (mut from, mut since) = (1, which.since);
        'pages: loop {
            let page = self.log.broker.page(&stream, &filter, from, since.take()).await?;
            let Some(end) = page.last() else { break };
            from = end.sequence + 1;
            for stored in &page {
                if stored.sequence > bound {
                    break 'pages;
                }
                let Some(found) = envelope::recorded(&stream, stored) else { continue };
                let Some(job) = &found.event.job else { continue };
                let newer = |old: &Recorded| {
                    old.event.job.as_ref().is_none_or(|old| (old.run, old.round) <= (job.run, job.round))
                };
                if last.get(&job.id).is_none_or(newer) {
                    last.insert(job.id.clone(), found.clone());
                }
            }
        }
        let mut replayed = Vec::new();
        for recorded in last.into_values() {
            replayed.push(self.again(speaker, recorded, which).await?);
        }
        Ok(replayed)
    }

    async fn again(&self, speaker: Service, recorded: Recorded, which: &Which) -> anyhow::Result<Replayed> {
        let mut event = recorded.event;
        let job = event.job.as_mut().context("an event without a job")?;
        let (id, tenant) = (job.id.clone(), job.tenant.clone());
        let history = self.log.history(Some(&tenant), &id).await?;
        let jobs = || history.iter().filter_map(|recorded| recorded.event.job.as_ref());
        let cost_microusd = jobs().map(|job| job.cost_microusd).max().unwrap_or(0);
        let mut run = jobs().map(|job| job.run).max().unwrap_or(1) + 1;
        loop {
            let replayed = Replayed { job: id.clone(), tenant: tenant.clone(), run, cost_microusd };
            if which.dry_run {
                return Ok(replayed);
            }
            // Two operators who replay different events of a job at once see the same history, and speak in different
            // streams: only a claim keeps them from beginning the same run twice, which could then end twice.
            let ours = format!("{:032x}", rand::random::<u128>());
            let claim =
                artifact::key(&tenant, "replay", &artifact::sha256_hex(format!("{id} run {run}").as_bytes()));
            let claimed = self.artifacts.put(&claim, ours.clone().into()).await?;
            if claimed.sha256 != artifact::sha256_hex(ours.as_bytes()) {
                run += 1;
                continue;
            }
            // A trace of its own, so that a replay a week later does not reopen an old one; linked to it.
            let root = self.telemetry.span(
                || format!("replay millrace.v1.{}", which.event.token()),
                SpanKind::Producer,
                &Context::new(),
                || vec![KeyValue::new("millrace.replay.of", recorded.id.clone())],
            );
            if let Ok(trace) = opentelemetry::TraceId::from_hex(&job.trace_id) {
                let old = opentelemetry::trace::SpanContext::new(
                    trace,
                    opentelemetry::SpanId::INVALID,
                    opentelemetry::TraceFlags::SAMPLED,
                    true,
                    opentelemetry::trace::TraceState::default(),
                );
                root.span().add_link(old, Vec::new());
            }
            (job.run, job.round, job.fresh) = (run, 0, which.fresh);
            (job.input_tokens, job.output_tokens, job.cached_tokens, job.cost_microusd) = (0, 0, 0, 0);
            job.trace_id = trace_id(&root);
            event.at_ms = now_ms();
            let heard = (speaker == Service::Router).then_some(EventKind::Sanitized);
            let name = protocol::verdict_id(&id, speaker, Position { run, round: 0 }, heard);
            let verdict = Verdict { speaker, id: &name, cause: &recorded.id, event: &event, trace: &root };
            let seen = self.log.seen(speaker, &tenant, &id).await.map_err(|error| away(&error))?;
            match self.log.say(&verdict, seen).await? {
                Saying::Said => return Ok(replayed),
                Saying::SaidBefore => anyhow::bail!("{id} is being replayed by somebody else"),
            }
        }
    }

    /// Sends the spans of what was done.
    pub fn flush(&self) {
        self.telemetry.flush();
    }
}
