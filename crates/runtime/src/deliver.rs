//! One straight function carries every delivery. Nothing is settled before its consequence is stored.

use crate::artifacts::Artifacts;
use crate::attempt::Tried;
use crate::broker::header;
use crate::envelope;
use crate::journal::Journal;
use crate::log::{Log, Seen, Verdict, now_ms, verdict_id};
use crate::metrics::End;
use crate::telemetry::trace_id;
use async_nats::HeaderMap;
use async_nats::jetstream::{self, AckKind};
use millrace_contract::protocol::{self, AfterFailure, AfterPanic, Failure, Patience, Position};
use millrace_contract::wire::fact::Kind;
use millrace_contract::wire::{Dead, Event, Fact, StageFailed};
use millrace_contract::{ErrorCode, Hop, artifact, event, subject};
use millrace_stage::{Handler, Heard, Outcome, Raw, Result, Saying, StageError};
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

/// Carries the deliveries of one service.
pub(crate) struct Carrier {
    pub(crate) hop: &'static Hop,
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) log: Log,
    pub(crate) artifacts: Artifacts,
    pub(crate) journal: Journal,
    pub(crate) ack_wait: Duration,
    pub(crate) deadline: Duration,
    pub(crate) patience: Patience,
    /// Told to stop: begin nothing, wait for nothing.
    pub(crate) stop: CancellationToken,
    /// The grace period is over: hand back what is left.
    pub(crate) abandon: CancellationToken,
}

/// One delivery.
struct Delivery<'a> {
    raw: Raw,
    headers: Option<&'a HeaderMap>,
    /// From 1.
    delivered: u32,
    due: bool,
    permit: Arc<OwnedSemaphorePermit>,
}

impl Carrier {
    /// Carries one message to its end: said, said before, failed, parked, or handed back.
    pub(crate) async fn carry(self: Arc<Self>, message: jetstream::Message, permit: OwnedSemaphorePermit) {
        let service = self.hop.service.name();
        let lease = self.hold(&message);
        self.log.metrics.at_work(service, 1);
        let (delivered, sequence) =
            message.info().map_or((1, 0), |info| (info.delivered, info.stream_sequence));
        let delivery = Delivery {
            raw: envelope::raw(&message, sequence),
            headers: message.headers.as_ref(),
            delivered: u32::try_from(delivered).unwrap_or(u32::MAX),
            due: message.subject.starts_with("millrace.v1.due.")
                || message.subject.contains("-due.")
                || subject::is_handed(&message.subject),
            permit: Arc::new(permit),
        };
        let end = tokio::select! {
            end = self.deliver(&delivery) => end,
            () = self.abandon.cancelled() => End::HandedBack,
        };
        drop(lease);
        let settled = match end {
            // Only now: its consequence is in the log.
            End::Said | End::SaidBefore | End::Failed | End::Parked | End::HandedOver => {
                self.log.broker.settle(&message).await
            }
            End::HandedBack => {
                message.ack_with(AckKind::Nak(None)).await.map_err(|error| anyhow::anyhow!("{error}"))
            }
        };
        if let Err(error) = settled {
            tracing::debug!(service, %error, "not settled; comes again and will be found done");
        }
        self.log.metrics.at_work(service, -1);
        self.log.metrics.delivered(service, end);
    }

    async fn deliver(&self, delivery: &Delivery<'_>) -> End {
        // Make sense of it.
        let sent = envelope::trace(delivery.headers);
        let (heard, refusal) = match self.hear(&delivery.raw) {
            Ok(heard) => (heard, None),
            Err((heard, error)) => (heard, Some(error)),
        };
        let heard = Arc::new(heard);
        let (id, at) = verdict_id(self.hop.service, &heard.event, heard.kind);
        let span = self.span(&heard, &sent, delivery, at);

        // Already done?
        let first = delivery.delivered == 1 && !delivery.due && at == Position { run: 1, round: 0 };
        let seen = if first {
            // Almost certainly nothing yet; if that is wrong, the broker does not take the verdict and we look then.
            Seen::default()
        } else {
            match self.seen(&heard).await {
                Some(seen) if protocol::already_said(&seen.said, &id, at) => return End::SaidBefore,
                Some(seen) => seen,
                None => return End::HandedBack,
            }
        };

        // Do the work, as often as patience allows.
        let mut attempt: u32 = read(delivery.headers, envelope::ATTEMPT).unwrap_or(1);
        let since: u64 = read(delivery.headers, envelope::SINCE).unwrap_or_else(now_ms);
        let worked = loop {
            let tried = match refusal.clone() {
                Some(error) => Err(Tried::Failed(error)),
                None => self.attempt(&heard, &delivery.permit, &span).await,
            };
            let error = match tried {
                Ok(outcome) => break Ok(outcome),
                Err(Tried::Panicked(cause)) => {
                    match protocol::after_panic(delivery.delivered, self.hop.max_deliver) {
                        AfterPanic::HandBack => return End::HandedBack,
                        AfterPanic::Say => break Err(StageError::new(ErrorCode::StagePanicked, cause)),
                    }
                }
                Err(Tried::Failed(error)) => error,
            };
            if let Some(lane) = error.lane.filter(|_| !subject::is_handed(&delivery.raw.subject)) {
                tracing::info!(job = job_id(&heard), lane, "handed over");
                return match self.hand_over(delivery, &id, lane).await {
                    Ok(()) => End::HandedOver,
                    Err(()) => End::HandedBack,
                };
            }
            self.log.metrics.failed(self.hop.service.name(), error.code.name());
            let failure = Failure {
                disposition: error.code.disposition(),
                attempt,
                told: error.retry_after,
                exhausted: error.exhausted,
                yields: error.yields,
                waited: Duration::from_millis(now_ms().saturating_sub(since)),
                dice: rand::random(),
            };
            match protocol::after_failure(failure, &self.patience) {
                AfterFailure::Say => break Err(error),
                AfterFailure::Retry { after, counts } => {
                    attempt += u32::from(counts);
                    tracing::info!(job = job_id(&heard), code = %error.code, ?after, "trying again");
                    tokio::select! {
                        () = tokio::time::sleep(after) => {}
                        () = self.stop.cancelled() => return End::HandedBack,
                    }
                }
                AfterFailure::Park { after, counts } => {
                    attempt += u32::from(counts);
                    tracing::info!(job = job_id(&heard), code = %error.code, ?after, "parked");
                    return match self.park(delivery, &id, attempt, since, after).await {
                        Ok(()) => End::Parked,
                        Err(()) => End::HandedBack,
                    };
                }
            }
        };

        // Say what came of it, and only then let it be settled.
        let failed = worked.is_err();
        let event = match worked {
            Ok(outcome) => self.success(&heard, outcome, &span),
            Err(error) => self.failure(&heard, delivery, &error, attempt, &span).await,
        };
        let verdict =
            Verdict { speaker: self.hop.service, id: &id, cause: &heard.id, event: &event, trace: &span };
        match self.insist(|| self.log.say(&verdict, seen.clone())).await {
            Some(Saying::Said) if failed => End::Failed,
            Some(Saying::Said) => End::Said,
            Some(Saying::SaidBefore) => End::SaidBefore,
            None => End::HandedBack,
        }
    }

    fn hear(&self, raw: &Raw) -> std::result::Result<Heard, (Heard, StageError)> {
        if raw.subject.starts_with(subject::INBOX) {
            return self.handler.hear(raw, None);
        }
        let heard = envelope::hear(raw)?;
        self.handler.hear(raw, Some(heard))
    }

    fn success(&self, heard: &Heard, outcome: Outcome, span: &Context) -> Event {
        let mut event = heard.event.clone();
        if let Some(job) = outcome.job {
            event.job = Some(job);
        }
        if let Some(job) = &mut event.job {
            event::absorb(job, &outcome.fact);
            if job.trace_id.is_empty() {
                job.trace_id = trace_id(span);
            }
        }
        if let Some(claim) = outcome.claim {
            event.claims.insert(self.hop.service.name().to_owned(), claim);
        }
        event.fact = Some(Fact { kind: Some(outcome.fact) });
        event.at_ms = now_ms();
        event
    }

    async fn failure(
        &self,
        heard: &Heard,
        delivery: &Delivery<'_>,
        error: &StageError,
        attempts: u32,
        span: &Context,
    ) -> Event {
        let mut event = heard.event.clone();
        if heard.kind.is_none() {
            // The inbox forgets what is settled: keep what was sent with the refusal.
            let tenant = event.job.as_ref().map_or("unknown", |job| job.tenant.as_str());
            let key = artifact::key(tenant, "inbox", &artifact::sha256_hex(&delivery.raw.payload));
            let put = || self.artifacts.put(&key, delivery.raw.payload.clone());
            if let Some(claim) = self.insist(put).await {
                event.claims.insert("inbox".to_owned(), claim);
            }
        }
        if let Some(job) = &mut event.job
            && job.trace_id.is_empty()
        {
            job.trace_id = trace_id(span);
        }
        span.span().set_status(Status::error(error.code.name()));
        span.span().set_attribute(KeyValue::new("error.type", error.code.name()));
        tracing::info!(
            service = self.hop.service.name(),
            job = job_id(heard),
            code = %error.code,
            error.message,
            "failed"
        );
        let fact = verdict_on(self.hop, error, attempts, delivery.delivered);
        if let Some(job) = &mut event.job {
            event::absorb(job, &fact);
        }
        event.fact = Some(Fact { kind: Some(fact) });
        event.at_ms = now_ms();
        event
    }

    /// Puts the event aside: it comes back on its own, and meanwhile holds no lease and blocks nobody.
    async fn park(
        &self,
        delivery: &Delivery<'_>,
        id: &str,
        attempt: u32,
        since: u64,
        after: Duration,
    ) -> std::result::Result<(), ()> {
        let parked = subject::parked(&delivery.raw.subject, id);
        let due = subject::due(&delivery.raw.subject);
        // Schedules are kept in whole seconds: never early.
        let at = SystemTime::now() + after + Duration::from_millis(999);
        let mut headers = again(delivery);
        headers.insert("Nats-Msg-Id", format!("{id}:parked:{}", now_ms()));
        headers.insert("Nats-Schedule", format!("@at {}", humantime::format_rfc3339_seconds(at)));
        headers.insert("Nats-Schedule-Target", due);
        headers.insert(envelope::ATTEMPT, attempt.to_string());
        headers.insert(envelope::SINCE, since.to_string());
        headers.insert(envelope::ORIGIN, delivery.raw.origin.to_string());
        let put = || async {
            let published =
                self.log.broker.publish(&parked, headers.clone(), delivery.raw.payload.clone()).await;
            published.map_err(|error| crate::log::away(&error))
        };
        self.insist(put).await.map(|_| ()).ok_or(())
    }

    /// Hands the event to this service's own deployment for a side lane. Twice is once: the copies have one id, and
    /// after the broker has forgotten it the second finds the verdict of the first.
    async fn hand_over(&self, delivery: &Delivery<'_>, id: &str, lane: &str) -> std::result::Result<(), ()> {
        let to = subject::handed(&delivery.raw.subject, lane).ok_or(())?;
        let mut headers = again(delivery);
        headers.insert("Nats-Msg-Id", format!("{id}:handed:{lane}"));
        headers.insert(envelope::ORIGIN, delivery.raw.origin.to_string());
        let put = || async {
            let published = self.log.broker.publish(&to, headers.clone(), delivery.raw.payload.clone()).await;
            published.map_err(|error| crate::log::away(&error))
        };
        self.insist(put).await.map(|_| ()).ok_or(())
    }

    async fn seen(&self, heard: &Heard) -> Option<Seen> {
        let job = heard.event.job.clone().unwrap_or_default();
        self.insist(|| self.log.seen(self.hop.service, &job.tenant, &job.id)).await
    }

    /// Does something that only the broker can refuse, until it is done or we are told to stop. The lease is held
    /// meanwhile; giving up would only bring the delivery back.
    async fn insist<T, F: Future<Output = Result<T>>>(&self, act: impl Fn() -> F) -> Option<T> {
        let mut pause = Duration::from_millis(100);
        loop {
            match act().await {
                Ok(done) => return Some(done),
                Err(error) => {
                    tracing::warn!(
                        service = self.hop.service.name(),
                        error.message,
                        "the broker; trying again"
                    );
                    tokio::select! {
                        () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(8)),
                        () = self.stop.cancelled() => return None,
                    }
                }
            }
        }
    }

    /// Keeps the lease for as long as the guard lives.
    fn hold(&self, message: &jetstream::Message) -> Lease {
        let (every, service) = (self.ack_wait / 3, self.hop.service.name());
        let (client, metrics) = (self.log.broker.client.clone(), Arc::clone(&self.log.metrics));
        let reply = message.reply.clone();
        Lease(tokio::spawn(async move {
            let Some(reply) = reply else { return };
            loop {
                tokio::time::sleep(every).await;
                if client.publish(reply.clone(), "+WPI".into()).await.is_ok() {
                    metrics.extended(service);
                }
            }
        }))
    }

    fn span(&self, heard: &Heard, sent: &Context, delivery: &Delivery<'_>, at: Position) -> Context {
        let template = || match heard.kind {
            Some(kind) => format!("millrace.v1.{}", kind.token()),
            None => subject::INBOX.to_owned(),
        };
        self.log.telemetry.span(
            || format!("process {}", template()),
            SpanKind::Consumer,
            sent,
            || {
                vec![
                    KeyValue::new("messaging.system", "nats"),
                    KeyValue::new("messaging.operation.type", "process"),
                    KeyValue::new("messaging.operation.name", "process"),
                    KeyValue::new("messaging.destination.template", template()),
                    KeyValue::new("messaging.consumer.group.name", self.hop.service.name()),
                    KeyValue::new("messaging.message.id", heard.id.clone()),
                    KeyValue::new("messaging.message.conversation_id", job_id(heard)),
                    KeyValue::new("millrace.service", self.hop.service.name()),
                    KeyValue::new("millrace.run", i64::from(at.run)),
                    KeyValue::new("millrace.round", i64::from(at.round)),
                    KeyValue::new("millrace.delivered", i64::from(delivery.delivered)),
                ]
            },
        )
    }
}

/// A service's verdict that it failed. The router has nobody to answer its failures: it ends the run.
pub(crate) fn verdict_on(hop: &Hop, error: &StageError, attempts: u32, deliveries: u32) -> Kind {
    let (code, message) = (error.code.name().to_owned(), error.message.clone());
    let failure = StageFailed {
        code: code.clone(),
        message: message.clone(),
        attempts,
        deliveries,
        faults: error.faults.clone(),
        spent: error.spent,
    };
    event::failed(hop.service, failure)
        .unwrap_or_else(|| Kind::Dead(Dead { code, message, stage: hop.service.name().to_owned() }))
}

/// The headers of an event that is said once more, without what the broker makes of them.
fn again(delivery: &Delivery<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in delivery.raw.headers.iter().filter(|(name, _)| !name.starts_with("Nats-")) {
        headers.insert(name.as_str(), value.as_str());
    }
    headers
}

fn read<T: std::str::FromStr>(headers: Option<&HeaderMap>, name: &str) -> Option<T> {
    header(headers, name)?.parse().ok()
}

fn job_id(heard: &Heard) -> String {
    heard.event.job.as_ref().map(|job| job.id.clone()).unwrap_or_default()
}

struct Lease(tokio::task::JoinHandle<()>);

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.abort();
    }
}
