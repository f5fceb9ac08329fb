//! When a service died each time it was given a message, the broker stops delivering it and says so once. The router
//! listens, and gives the stage's failed verdict on its behalf.

use crate::deliver::verdict_on;
use crate::envelope;
use crate::log::{Log, Verdict, now_ms, verdict_id};
use crate::pull::Puller;
use async_nats::jetstream;
use millrace_contract::wire::{Event, Fact, Job};
use millrace_contract::{ErrorCode, JobId, Service, Tenant, subject};
use millrace_stage::{Heard, Raw, Result, StageError};
use serde::Deserialize;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// `io.nats.jetstream.advisory.v1.max_deliver`.
#[derive(Debug, Deserialize)]
struct MaxDeliver {
    stream: String,
    consumer: String,
    stream_seq: u64,
    deliveries: u64,
}

/// Answers advisories until told to stop.
pub(crate) async fn listen(mut puller: Puller, log: Log, stop: CancellationToken) {
    while let Some((message, _permit)) = puller.next(&stop).await {
        let answered = answer(&log, &message).await;
        let settled = match answered {
            Ok(()) => log.broker.settle(&message).await,
            Err(error) => {
                tracing::warn!(%error, "cannot answer an advisory yet");
                let later = jetstream::AckKind::Nak(Some(Duration::from_secs(2)));
                message.ack_with(later).await.map_err(|error| anyhow::anyhow!("{error}"))
            }
        };
        if let Err(error) = settled {
            tracing::debug!(%error, "not settled; comes again and will be found done");
        }
    }
}

async fn answer(log: &Log, message: &jetstream::Message) -> Result<()> {
    let Ok(advisory) = serde_json::from_slice::<MaxDeliver>(&message.payload) else {
        tracing::warn!(subject = %message.subject, "an advisory that makes no sense");
        return Ok(());
    };
    // A consumer for some lanes is called <service>-<lane>.
    let name = advisory.consumer.split('-').next().unwrap_or_default();
    let Some(service) = Service::named(name) else { return Ok(()) };
    if service == Service::Status || advisory.stream == subject::ADVISORY_STREAM {
        tracing::error!(?advisory, "given up on by the broker, and nobody can answer it");
        return Ok(());
    }
    let found = log.broker.at(&advisory.stream, advisory.stream_seq).await;
    let Some(stored) = found.map_err(|error| crate::log::away(&error))? else {
        tracing::error!(?advisory, "the message that was given up on is gone");
        return Ok(());
    };
    let raw = Raw {
        subject: stored.subject.clone(),
        headers: Default::default(),
        payload: stored.payload.clone(),
        origin: advisory.stream_seq,
    };
    let mut heard = if raw.subject.starts_with(subject::INBOX) {
        from_inbox(&raw, advisory.stream_seq)
    } else {
        match envelope::hear(&raw) {
            Ok(heard) | Err((heard, _)) => heard,
        }
    };
    if let Some(id) = crate::broker::header(Some(&stored.headers), envelope::ID) {
        heard.id = id.to_owned();
    }
    let (id, at) = verdict_id(service, &heard.event, heard.kind);
    let cause =
        format!("{} deliveries of {} ended without a word from {name}", advisory.deliveries, heard.id);
    tracing::error!(job = heard.event.job.as_ref().map(|job| job.id.as_str()), %cause, "poison");
    let error = StageError::new(ErrorCode::DeliveriesExhausted, cause);
    let deliveries = u32::try_from(advisory.deliveries).unwrap_or(u32::MAX);
    let mut event = heard.event.clone();
    event.fact = Some(Fact { kind: Some(verdict_on(service.hop(), &error, 1, deliveries)) });
    event.at_ms = now_ms();
    let trace = envelope::trace(Some(&stored.headers));
    let verdict = Verdict { speaker: service, id: &id, cause: &heard.id, event: &event, trace: &trace };
    let job = event.job.clone().unwrap_or_default();
    let seen = log.seen(service, &job.tenant, &job.id).await?;
    if millrace_contract::protocol::already_said(&seen.said, &id, at) {
        return Ok(());
    }
    log.say(&verdict, seen).await.map(|_| ())
}

/// An upload event that killed intake each time: nobody knows what it says, but it gets a job to be seen under.
fn from_inbox(raw: &Raw, sequence: u64) -> Heard {
    let tenant = raw.subject.rsplit('.').next().and_then(|name| Tenant::new(name).ok());
    let tenant = tenant.map_or_else(|| "unknown".to_owned(), |tenant| tenant.to_string());
    let id = match Tenant::new(&tenant) {
        Ok(tenant) => JobId::derived(&tenant, &format!("inbox {sequence}")).to_string(),
        Err(_) => JobId::mint().to_string(),
    };
    let job = Job {
        id,
        tenant,
        run: 1,
        lane: subject::DEFAULT_LANE.to_owned(),
        created_at_ms: now_ms(),
        ..Job::default()
    };
    Heard { event: Event { job: Some(job), ..Event::default() }, kind: None, id: raw.subject.clone() }
}
