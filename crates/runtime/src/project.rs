//! Feeds a read model: the whole log in batches, and the progress that is not in the log.

use crate::broker::Broker;
use crate::envelope;
use crate::pull::Puller;
use async_nats::jetstream::{self, AckKind};
use futures_util::StreamExt as _;
use millrace_contract::wire::Progress;
use millrace_contract::{Service, subject};
use millrace_stage::{Projection, Recorded};
use prost::Message as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Events folded in one go.
const BATCH: usize = 1024;
/// Time from one batch to the next: the events that a job causes meanwhile are one write to the read model.
const GATHER: Duration = Duration::from_millis(25);

/// An event as it came, from which stream, and its permit.
type Came = (Arc<str>, jetstream::Message, OwnedSemaphorePermit);

/// Feeds a projection from these streams until told to stop.
pub(crate) async fn feed(
    pullers: Vec<(String, Puller)>,
    projection: Arc<dyn Projection>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let (events, mut came) = mpsc::channel::<Came>(BATCH);
    for (stream, mut puller) in pullers {
        let (events, stop, stream) = (events.clone(), stop.clone(), Arc::<str>::from(stream));
        tasks.spawn(async move {
            while let Some((message, permit)) = puller.next(&stop).await {
                if events.send((Arc::clone(&stream), message, permit)).await.is_err() {
                    return;
                }
            }
        });
    }
    drop(events);
    let mut batch = Vec::new();
    while came.recv_many(&mut batch, BATCH).await > 0 {
        let begun = Instant::now();
        if !fold(&batch, projection.as_ref(), &stop).await {
            came.close();
            while came.recv_many(&mut batch, BATCH).await > 0 {}
            for (_, message, _) in &batch {
                let _ = message.ack_with(AckKind::Nak(None)).await;
            }
            return;
        }
        batch.clear();
        tokio::select! {
            () = tokio::time::sleep_until(begun + GATHER) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Folds a batch and acknowledges it; false if told to stop before that could be done.
async fn fold(batch: &[Came], projection: &dyn Projection, stop: &CancellationToken) -> bool {
    let events: Vec<Recorded> =
        batch.iter().filter_map(|(stream, message, _)| recorded(stream, message)).collect();
    let mut pause = Duration::from_millis(200);
    loop {
        let Err(error) = projection.apply(&events).await else { break };
        tracing::warn!(%error, events = events.len(), "the read model does not take events; trying again");
        for (_, message, _) in batch {
            let _ = message.ack_with(AckKind::Progress).await;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(3)),
            () = stop.cancelled() => return false,
        }
    }
    for (_, message, _) in batch {
        // The fold is idempotent: an acknowledgement that is lost costs a repetition, no more.
        if let Err(error) = message.ack().await {
            tracing::debug!(%error, "not settled; comes again");
        }
    }
    true
}

fn recorded(stream: &str, message: &jetstream::Message) -> Option<Recorded> {
    let sequence = message.info().ok()?.stream_sequence;
    let found = envelope::record(
        stream,
        sequence,
        &message.subject,
        message.headers.as_ref(),
        message.payload.clone(),
    );
    if found.is_none() {
        tracing::warn!(subject = %message.subject, sequence, "not an event; the read model passes over it");
    }
    found
}

/// Shows progress until told to stop.
pub(crate) async fn show(broker: Broker, projection: Arc<dyn Projection>, stop: CancellationToken) {
    let Ok(mut shown) = broker.client.subscribe("millrace.progress.>").await else { return };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            message = shown.next() => {
                let Some(message) = message else { return };
                if let Ok(progress) = Progress::decode(message.payload) {
                    projection.progress(progress).await;
                }
            }
        }
    }
}

/// Feeds a projection the whole log once.
///
/// # Errors
/// If the log cannot be read or the projection does not take it.
pub async fn rebuild(broker: &Broker, projection: &dyn Projection) -> anyhow::Result<u64> {
    let mut events = 0;
    for service in Service::ALL.iter().filter(|service| !service.hop().says.is_empty()) {
        let stream = service.stream();
        let mut from = 1;
        loop {
            let page = broker.page(&stream, &subject::history("*", "*"), from, None).await?;
            let Some(last) = page.last() else { break };
            from = last.sequence + 1;
            let batch: Vec<Recorded> =
                page.iter().filter_map(|stored| envelope::recorded(&stream, stored)).collect();
            projection.apply(&batch).await?;
            events += batch.len() as u64;
        }
    }
    Ok(events)
}
