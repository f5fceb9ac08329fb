//! The log: saying something under the one-verdict rule, and reading what was said.

use crate::broker::{Broker, PublishFault};
use crate::envelope;
use crate::metrics::Metrics;
use crate::telemetry::Telemetry;
use millrace_contract::protocol::{self, AfterPublish, Position, Published, Said};
use millrace_contract::wire::Event;
use millrace_contract::{ErrorCode, EventKind, Service, event, subject};
use millrace_stage::{Recorded, Result, Saying, StageError};
use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, KeyValue};
use prost::Message as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a service has said of a job, and how far its stream has got with it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) said: Vec<Said>,
    /// Sequence of the last thing said; 0 if there is none.
    pub(crate) last: u64,
}

/// Something to be said.
pub(crate) struct Verdict<'a> {
    pub(crate) speaker: Service,
    pub(crate) id: &'a str,
    pub(crate) cause: &'a str,
    pub(crate) event: &'a Event,
    pub(crate) trace: &'a Context,
}

/// Reads and writes the log.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) broker: Broker,
    pub(crate) telemetry: Telemetry,
    pub(crate) metrics: Arc<Metrics>,
}

impl Log {
    /// What a service has said of a job.
    pub(crate) async fn seen(&self, speaker: Service, tenant: &str, job: &str) -> Result<Seen> {
        let stored = self
            .broker
            .all(&speaker.stream(), &subject::history(tenant, job))
            .await
            .map_err(|error| away(&error))?;
        let last = stored.last().map_or(0, |last| last.sequence);
        let said = stored
            .iter()
            .filter_map(|stored| envelope::recorded("", stored))
            .filter_map(|recorded| {
                let job = recorded.event.job?;
                Some(Said { id: recorded.id, position: Position { run: job.run, round: job.round } })
            })
            .collect();
        Ok(Seen { said, last })
    }

    /// Says a verdict, unless it, or a later one, is in the log. The broker takes it only if the service has said
    /// nothing of this job since `seen`; so there is one verdict for ever, not only inside a duplicate window.
    pub(crate) async fn say(&self, verdict: &Verdict<'_>, mut seen: Seen) -> Result<Saying> {
        let Verdict { speaker, id, cause, event, trace } = verdict;
        let (Some(job), Some(fact)) = (&event.job, event.fact.as_ref().and_then(|fact| fact.kind.as_ref()))
        else {
            return Err(StageError::new(ErrorCode::Internal, "an event without job or fact"));
        };
        let kind = event::kind_of(fact);
        let at = Position { run: job.run, round: job.round };
        let to =
            subject::Subject { event: kind, lane: &job.lane, tenant: &job.tenant, job: &job.id }.to_string();
        let span = self.telemetry.span(
            || format!("send millrace.v1.{}", kind.token()),
            SpanKind::Producer,
            trace,
            || {
                vec![
                    KeyValue::new("messaging.system", "nats"),
                    KeyValue::new("messaging.operation.type", "send"),
                    KeyValue::new("messaging.operation.name", "send"),
                    KeyValue::new("messaging.destination.template", format!("millrace.v1.{}", kind.token())),
                    KeyValue::new("messaging.message.id", (*id).to_owned()),
                    KeyValue::new("messaging.message.conversation_id", job.id.clone()),
                ]
            },
        );
        let payload = bytes::Bytes::from(event.encode_to_vec());
        loop {
            let mut headers = envelope::headers(id, cause, kind, event, &span);
            headers.insert("Nats-Expected-Last-Subject-Sequence", seen.last.to_string());
            headers.insert(
                "Nats-Expected-Last-Subject-Sequence-Subject",
                subject::history(&job.tenant, &job.id),
            );
            let published = match self.broker.publish(&to, headers, payload.clone()).await {
                Ok((_, false)) => Published::Stored,
                Ok((_, true)) => Published::Duplicate,
                Err(PublishFault::Conflict) => Published::Conflict,
                Err(error) => {
                    self.metrics.unpublished(speaker.name());
                    tracing::error!(%error, job = job.id, event = kind.token(), "cannot publish");
                    return Err(away(&error));
                }
            };
            match protocol::after_publish(published) {
                AfterPublish::Settle if published == Published::Stored => return Ok(Saying::Said),
                AfterPublish::Settle => return Ok(Saying::SaidBefore),
                AfterPublish::LookAgain => {
                    seen = self.seen(*speaker, &job.tenant, &job.id).await?;
                    if protocol::already_said(&seen.said, id, at) {
                        return Ok(Saying::SaidBefore);
                    }
                }
            }
        }
    }

    /// Everything said of a job by everybody, in the order it makes sense in.
    pub(crate) async fn history(&self, tenant: Option<&str>, job: &str) -> Result<Vec<Recorded>> {
        let filter = subject::history(tenant.unwrap_or("*"), job);
        let speakers = Service::ALL.iter().filter(|service| !service.hop().says.is_empty());
        let reads = speakers.map(|service| {
            let (stream, filter) = (service.stream(), filter.clone());
            async move {
                let stored = self.broker.all(&stream, &filter).await.map_err(|error| away(&error))?;
                Ok(stored.iter().filter_map(|stored| envelope::recorded(&stream, stored)).collect::<Vec<_>>())
            }
        });
        let found: Vec<Vec<Recorded>> = futures_util::future::try_join_all(reads).await?;
        let mut all: Vec<Recorded> = found.into_iter().flatten().collect();
        all.sort_by_key(|recorded| {
            let (run, round) = recorded.event.job.as_ref().map_or((0, 0), |job| (job.run, job.round));
            (run, round, recorded.kind.rank(), recorded.event.at_ms)
        });
        Ok(all)
    }
}

/// Which verdict this service gives on this event.
pub(crate) fn verdict_id(speaker: Service, event: &Event, heard: Option<EventKind>) -> (String, Position) {
    let job = event.job.as_ref();
    let at = Position { run: job.map_or(1, |job| job.run), round: job.map_or(0, |job| job.round) };
    (protocol::verdict_id(job.map_or("", |job| job.id.as_str()), speaker, at, heard), at)
}

pub(crate) fn away(error: &(dyn std::fmt::Display + Sync)) -> StageError {
    StageError::new(ErrorCode::StorageUnavailable, format!("the log: {error}"))
}

pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
