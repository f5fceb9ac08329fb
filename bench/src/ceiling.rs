//! The ceiling: what this broker can carry on this machine if nothing but the hops is done. Each hop pulls, reads one
//! artifact, writes one, publishes the next event with a message id, waits for the acknowledgement, and double-acks.

use anyhow::Context as _;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, stream};
use bytes::Bytes;
use futures_util::StreamExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// As many hops as the pipeline has after the upload.
const HOPS: usize = 5;
/// Work at once in a hop.
const IN_FLIGHT: usize = 32;
/// As large as our events and our artifacts are.
const EVENT: usize = 600;
const ARTIFACT: usize = 3800;

/// The raw loop.
pub struct Ceiling {
    js: jetstream::Context,
    done: Arc<AtomicUsize>,
    wake: Arc<Notify>,
}

impl Ceiling {
    /// Makes the streams and starts the hops.
    pub async fn new(url: &str) -> anyhow::Result<Ceiling> {
        let connect = || async { anyhow::Ok(jetstream::new(async_nats::connect(url).await?)) };
        let js = connect().await?;
        for hop in 0..=HOPS {
            let config = stream::Config {
                name: format!("HOP{hop}"),
                subjects: vec![format!("hop.{hop}.>")],
                duplicate_window: Duration::from_secs(20 * 60),
                allow_direct: true,
                ..Default::default()
            };
            js.create_stream(config).await?;
        }
        let artifacts = stream::Config {
            name: "ARTIFACTS".to_owned(),
            subjects: vec!["artifact.>".to_owned()],
            max_messages_per_subject: 1,
            allow_direct: true,
            compression: Some(stream::Compression::S2),
            ..Default::default()
        };
        js.create_stream(artifacts).await?;
        let (done, wake) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        for hop in 0..HOPS {
            let js = connect().await?;
            let consumer = js
                .create_consumer_on_stream(
                    pull::Config {
                        durable_name: Some("hop".to_owned()),
                        ack_policy: AckPolicy::Explicit,
                        max_ack_pending: 512,
                        ..Default::default()
                    },
                    format!("HOP{hop}"),
                )
                .await?;
            let messages = consumer.stream().max_messages_per_batch(IN_FLIGHT).messages().await?;
            let (done, wake) = (Arc::clone(&done), Arc::clone(&wake));
            tokio::spawn(messages.for_each_concurrent(IN_FLIGHT, move |message| {
                let (js, done, wake) = (js.clone(), Arc::clone(&done), Arc::clone(&wake));
                async move {
                    let Ok(message) = message else { return };
                    let carried = carry(&js, &message, hop).await;
                    if carried.is_ok() && hop + 1 == HOPS {
                        done.fetch_add(1, Ordering::SeqCst);
                        wake.notify_one();
                    }
                }
            }));
        }
        Ok(Ceiling { js, done, wake })
    }

    /// Sends documents through all hops and waits for the last.
    pub async fn run(&self, documents: usize, uploads: usize, first: usize) -> anyhow::Result<()> {
        let wanted = self.done.load(Ordering::SeqCst) + documents;
        let mut sent = futures_util::stream::iter(first..first + documents)
            .map(|number| async move {
                put(&self.js, 0, number).await?;
                say(&self.js, 0, number).await
            })
            .buffer_unordered(uploads);
        while let Some(sent) = sent.next().await {
            sent?;
        }
        while self.done.load(Ordering::SeqCst) < wanted {
            let waited = tokio::time::timeout(Duration::from_secs(60), self.wake.notified()).await;
            waited.context("the loop stands still")?;
        }
        Ok(())
    }
}

async fn carry(js: &jetstream::Context, message: &jetstream::Message, hop: usize) -> anyhow::Result<()> {
    let number =
        message.subject.rsplit('.').next().and_then(|number| number.parse().ok()).context("no number")?;
    let get = format!("$JS.API.DIRECT.GET.ARTIFACTS.artifact.{hop}.{number}");
    let found = js.client().request(get, Bytes::new()).await?;
    anyhow::ensure!(found.status.is_none() && found.payload.len() == ARTIFACT, "no artifact");
    put(js, hop + 1, number).await?;
    say(js, hop + 1, number).await?;
    message.double_ack().await.map_err(|error| anyhow::anyhow!("{error}"))
}

async fn put(js: &jetstream::Context, hop: usize, number: usize) -> anyhow::Result<()> {
    // Text compresses; zeros would compress too well.
    let body: Vec<u8> =
        (0..ARTIFACT).map(|at| b"the supplier shall deliver "[(at * 5 + at / 9 + number) % 27]).collect();
    js.publish(format!("artifact.{hop}.{number}"), body.into()).await?.await?;
    Ok(())
}

async fn say(js: &jetstream::Context, hop: usize, number: usize) -> anyhow::Result<()> {
    let message = PublishMessage::build()
        .payload(vec![7; EVENT].into())
        .message_id(format!("{number}:{hop}"))
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    js.send_publish(format!("hop.{hop}.{number}"), message).await?.await?;
    Ok(())
}
