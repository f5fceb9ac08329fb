//! Feeds a read model: the whole log in batches, and the progress that is not in the log.

use crate::broker::Broker;
use crate::envelope;
use crate::pull::Puller;
use async_nats::jetstream::{self, AckKind};
use futures_util::{FutureExt as _, StreamExt as _};
use millrace_contract::wire::Progress;
use millrace_contract::{Service, subject};
use millrace_stage::{Projection, Recorded};
use prost::Message as _;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Events folded in one go. Redis costs a tenth of the CPU an event in batches.
const BATCH: usize = 256;

/// Feeds a projection from one stream until told to stop.
pub(crate) async fn feed(
    mut puller: Puller,
    stream: String,
    projection: Arc<dyn Projection>,
    stop: CancellationToken,
) {
    while let Some((message, permit)) = puller.next(&stop).await {
        let mut permits = vec![permit];
        let mut messages = vec![message];
        // Take along what is there already; wait for nothing.
        while messages.len() < BATCH {
            let Some(Some((message, permit))) = puller.next(&stop).now_or_never() else { break };
            messages.push(message);
            permits.push(permit);
        }
        let batch: Vec<Recorded> = messages.iter().filter_map(|message| recorded(&stream, message)).collect();
        let mut pause = Duration::from_millis(200);
        loop {
            let Err(error) = projection.apply(&batch).await else { break };
            tracing::warn!(%error, events = batch.len(), "the read model does not take events; trying again");
            for message in &messages {
                let _ = message.ack_with(AckKind::Progress).await;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(3)),
                () = stop.cancelled() => {
                    for message in &messages {
                        let _ = message.ack_with(AckKind::Nak(None)).await;
                    }
                    return;
                }
            }
        }
        for message in &messages {
            // The fold is idempotent: an acknowledgement that is lost costs a repetition, no more.
            if let Err(error) = message.ack().await {
                tracing::debug!(%error, "not settled; comes again");
            }
        }
    }
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
