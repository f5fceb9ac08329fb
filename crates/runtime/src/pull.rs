//! Permit before pull: no message is asked for that could not begin at once, so no lease ticks on one that waits.

use crate::broker::{Broker, header};
use crate::health::Health;
use anyhow::Context as _;
use async_nats::jetstream::{self, AckKind};
use async_nats::{Message, Subscriber};
use futures_util::StreamExt as _;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const EXPIRES: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Two heartbeats missed and some: the request is lost.
const SILENCE: Duration = Duration::from_secs(12);

/// How long a permit waits for others before one request asks for all of them: where every place is taken, each place
/// that falls free would otherwise be a request of its own, which costs the server as much as a message.
const GATHER: Duration = Duration::from_millis(2);

/// Pulls from one consumer.
pub(crate) struct Puller {
    broker: Broker,
    health: Arc<Health>,
    name: String,
    next: String,
    inbox: String,
    answers: Subscriber,
    permits: Arc<Semaphore>,
    /// Permits for messages that were asked for and have not come.
    reserved: Vec<OwnedSemaphorePermit>,
    /// Permits for messages that are about to be asked for.
    free: Vec<OwnedSemaphorePermit>,
    /// When, at the latest.
    asks: Instant,
    batch: usize,
    epoch: u64,
    heard: Instant,
}

impl Puller {
    pub(crate) async fn new(
        broker: &Broker,
        health: Arc<Health>,
        stream: &str,
        durable: &str,
        in_flight: usize,
    ) -> anyhow::Result<Puller> {
        let inbox = broker.client.new_inbox();
        let answers = broker.client.subscribe(inbox.clone()).await.context("cannot subscribe")?;
        Ok(Puller {
            epoch: broker.link.epoch.load(Ordering::Relaxed),
            broker: broker.clone(),
            health,
            name: format!("{durable} of {stream}"),
            next: format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"),
            inbox,
            answers,
            permits: Arc::new(Semaphore::new(in_flight)),
            reserved: Vec::new(),
            free: Vec::new(),
            asks: Instant::now(),
            batch: in_flight,
            heard: Instant::now(),
        })
    }

    /// The next message, with the permit to work on it; `None` once told to stop.
    pub(crate) async fn next(
        &mut self,
        stop: &CancellationToken,
    ) -> Option<(jetstream::Message, OwnedSemaphorePermit)> {
        loop {
            self.health.turn();
            let epoch = self.broker.link.epoch.load(Ordering::Relaxed);
            if epoch != self.epoch {
                // A new connection knows nothing of what the old one asked for.
                self.epoch = epoch;
                self.start_over().await;
            }
            let half = (self.batch / 2).max(1);
            let hungry = self.reserved.len() <= self.batch / 2 && self.free.len() < half;
            if self.free.len() >= half {
                self.ask().await;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.hand_back().await;
                    return None;
                }
                answer = self.answers.next(), if !self.reserved.is_empty() => {
                    let Some(answer) = answer else {
                        tracing::error!(consumer = self.name, "the subscription ended");
                        return None;
                    };
                    self.heard = Instant::now();
                    if let Some(got) = self.take(answer).await {
                        return Some(got);
                    }
                }
                permit = Arc::clone(&self.permits).acquire_owned(), if hungry => {
                    let Ok(permit) = permit else { return None };
                    if self.free.is_empty() {
                        self.asks = Instant::now() + GATHER;
                    }
                    self.free.push(permit);
                }
                () = tokio::time::sleep_until(self.asks), if !self.free.is_empty() => self.ask().await,
                () = tokio::time::sleep_until(self.heard + SILENCE), if !self.reserved.is_empty() => {
                    tracing::debug!(consumer = self.name, "no sign of the pull request; asking again");
                    self.start_over().await;
                }
                () = tokio::time::sleep(HEARTBEAT) => {}
            }
        }
    }

    /// Forgets what was asked for. Under a new address, so that an old request that is answered after all brings no
    /// message for which there is no permit: the broker drops a request that nobody listens for.
    async fn start_over(&mut self) {
        self.reserved.clear();
        self.heard = Instant::now();
        let inbox = self.broker.client.new_inbox();
        match self.broker.client.subscribe(inbox.clone()).await {
            Ok(answers) => (self.inbox, self.answers) = (inbox, answers),
            Err(error) => tracing::warn!(consumer = self.name, %error, "cannot subscribe anew"),
        }
    }

    async fn ask(&mut self) {
        let mut permits = std::mem::take(&mut self.free);
        while permits.len() + self.reserved.len() < self.batch {
            match Arc::clone(&self.permits).try_acquire_owned() {
                Ok(permit) => permits.push(permit),
                Err(_) => break,
            }
        }
        let ask = json!({
            "batch": permits.len(),
            "expires": u64::try_from(EXPIRES.as_nanos()).unwrap_or(u64::MAX),
            "idle_heartbeat": u64::try_from(HEARTBEAT.as_nanos()).unwrap_or(u64::MAX),
        });
        let ask = ask.to_string().into();
        let asked = self.broker.client.publish_with_reply(self.next.clone(), self.inbox.clone(), ask).await;
        if let Err(error) = asked {
            tracing::warn!(consumer = self.name, %error, "cannot ask for messages");
            tokio::time::sleep(Duration::from_secs(1)).await;
            return;
        }
        if self.reserved.is_empty() {
            self.heard = Instant::now();
        }
        self.reserved.append(&mut permits);
    }

    async fn take(&mut self, answer: Message) -> Option<(jetstream::Message, OwnedSemaphorePermit)> {
        match answer.status.map(|status| status.as_u16()) {
            None => {
                let permit = match self.reserved.pop().or_else(|| self.free.pop()) {
                    Some(permit) => permit,
                    None => Arc::clone(&self.permits).acquire_owned().await.ok()?,
                };
                let context = self.broker.js.clone();
                return Some((jetstream::Message { message: answer, context }, permit));
            }
            Some(100) => {}
            // Expired, or nothing there: what it asked for does not come any more.
            Some(404 | 408) => {
                let unfilled = header(answer.headers.as_ref(), "Nats-Pending-Messages")
                    .and_then(|count| count.parse().ok())
                    .unwrap_or(self.reserved.len());
                let left = self.reserved.len().saturating_sub(unfilled);
                self.reserved.truncate(left);
            }
            Some(code) => {
                let why = answer.description.as_deref().unwrap_or_default().to_owned();
                tracing::warn!(consumer = self.name, code, why, "the pull request was refused; asking again");
                self.reserved.clear();
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        None
    }

    /// Hands back what came and has not begun.
    async fn hand_back(&mut self) {
        if self.answers.unsubscribe().await.is_err() {
            return;
        }
        let left = Duration::from_millis(200);
        while let Ok(Some(answer)) = tokio::time::timeout(left, self.answers.next()).await {
            if answer.status.is_none() {
                let message = jetstream::Message { message: answer, context: self.broker.js.clone() };
                if let Err(error) = message.ack_with(AckKind::Nak(None)).await {
                    tracing::debug!(%error, "comes back when its lease ends");
                }
            }
        }
    }
}
