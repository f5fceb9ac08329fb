//! The journal of calls: one entry a call, in a key-value bucket, written with compare-and-set. What was paid stands
//! in each entry's headers as well, so that the ledger is folded without reading a single answer.

use crate::artifacts::Artifacts;
use crate::broker::{Broker, PublishFault};
use crate::log::now_ms;
use async_nats::HeaderMap;
use async_nats::jetstream::consumer::{DeliverPolicy, ReplayPolicy, pull};
use bytes::Bytes;
use futures_util::StreamExt as _;
use millrace_contract::ledger::{self, Ledger, Line};
use millrace_contract::subject::{JOURNAL, JOURNAL_STREAM};
use millrace_contract::wire::Call;
use millrace_contract::{ErrorCode, artifact};
use millrace_stage::{Entry, Result, StageError};
use prost::Message as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::OnceCell;

/// One attempt, as [`Line`] writes it; there are as many of these headers as attempts.
const ATTEMPT: &str = "millrace-attempt";
/// The key of what was too large for one message.
const BODY: &str = "millrace-body";
/// The server's default limit on a message is 1 MiB.
const INLINE: usize = 512 * 1024;

/// Reads and writes the journal.
#[derive(Clone)]
pub(crate) struct Journal {
    broker: Broker,
    artifacts: Artifacts,
    today: Arc<OnceCell<Arc<Mutex<Ledger>>>>,
}

fn away(error: impl std::fmt::Display) -> StageError {
    StageError::new(ErrorCode::StorageUnavailable, format!("the journal: {error}"))
}

impl Journal {
    pub(crate) fn new(broker: Broker, artifacts: Artifacts) -> Journal {
        Journal { broker, artifacts, today: Arc::default() }
    }

    pub(crate) async fn read(&self, tenant: &str, key: &str) -> Result<Option<Entry>> {
        let subject = format!("{JOURNAL}.{tenant}.{key}");
        let Some(found) = self.broker.last(JOURNAL_STREAM, &subject).await.map_err(away)? else {
            return Ok(None);
        };
        let body = match crate::broker::header(Some(&found.headers), BODY) {
            None => found.payload,
            Some(large) => match self.artifacts.get(large).await? {
                Some((_, body)) => body,
                None => return Err(away(format!("{large} is gone"))),
            },
        };
        let corrupt = |error| StageError::new(ErrorCode::ArtifactCorrupt, format!("{subject}: {error}"));
        Ok(Some(Entry { call: Call::decode(body).map_err(corrupt)?, revision: found.sequence }))
    }

    pub(crate) async fn write(
        &self,
        tenant: &str,
        key: &str,
        call: &Call,
        after: u64,
    ) -> Result<Option<u64>> {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Expected-Last-Subject-Sequence", after.to_string());
        for attempt in &call.attempts {
            headers.append(ATTEMPT, Line::of(attempt).encode());
        }
        let mut body = Bytes::from(call.encode_to_vec());
        if body.len() > INLINE {
            let large = artifact::key(tenant, "journal", &artifact::sha256_hex(&body));
            self.artifacts.put(&large, body).await?;
            headers.insert(BODY, large);
            body = Bytes::new();
        }
        match self.broker.publish(&format!("{JOURNAL}.{tenant}.{key}"), headers, body).await {
            Ok((revision, _)) => Ok(Some(revision)),
            Err(PublishFault::Conflict) => Ok(None),
            Err(error) => Err(away(error)),
        }
    }

    /// What a tenant has spent today. The first call folds the journal of today and goes on following it.
    pub(crate) async fn spent_today(&self, tenant: &str) -> Result<u64> {
        let followed = self.today.get_or_try_init(|| self.follow()).await?;
        let ledger = followed.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(ledger.spent(tenant, ledger::day(now_ms())))
    }

    /// The ledger, folded from the whole journal or from what was written since.
    pub(crate) async fn ledger(&self, since: Option<SystemTime>) -> Result<Ledger> {
        Ok(self.folded(since).await?.0)
    }

    /// The ledger so far, and what comes after.
    async fn folded(&self, since: Option<SystemTime>) -> Result<(Ledger, Lines)> {
        let (mut lines, pending) = self.lines(since).await?;
        let mut ledger = Ledger::default();
        for _ in 0..pending {
            let next = tokio::time::timeout(Duration::from_secs(10), lines.next()).await;
            let Ok(Some((tenant, key, revision, found))) = next else { return Err(away("it broke off")) };
            ledger.fold(&tenant, &key, revision, found);
        }
        Ok((ledger, lines))
    }

    async fn follow(&self) -> Result<Arc<Mutex<Ledger>>> {
        // Calls of yesterday may still be settled today.
        let since = SystemTime::now() - Duration::from_secs(24 * 3600);
        let (ledger, mut lines) = self.folded(Some(since)).await?;
        let shared = Arc::new(Mutex::new(ledger));
        let followed = Arc::downgrade(&shared);
        tokio::spawn(async move {
            let mut today = ledger::day(now_ms());
            while let Some((tenant, key, revision, found)) = lines.next().await {
                let Some(ledger) = followed.upgrade() else { return };
                let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
                ledger.fold(&tenant, &key, revision, found);
                if ledger::day(now_ms()) != today {
                    today = ledger::day(now_ms());
                    ledger.forget_before(today.saturating_sub(1));
                }
            }
        });
        Ok(shared)
    }

    /// The journal's headers, oldest first and then as they come: tenant, key, revision, lines. And how many there
    /// are to begin with.
    async fn lines(&self, since: Option<SystemTime>) -> Result<(Lines, u64)> {
        let stream = self.broker.js.get_stream_no_info(JOURNAL_STREAM).await.map_err(away)?;
        let consumer = stream
            .create_consumer(pull::OrderedConfig {
                filter_subject: format!("{JOURNAL}.>"),
                headers_only: true,
                deliver_policy: match since {
                    Some(since) => DeliverPolicy::ByStartTime { start_time: since.into() },
                    None => DeliverPolicy::All,
                },
                replay_policy: ReplayPolicy::Instant,
                ..pull::OrderedConfig::default()
            })
            .await
            .map_err(away)?;
        let pending = consumer.cached_info().num_pending;
        let messages = consumer.messages().await.map_err(away)?;
        let lines = messages.filter_map(|message| async move {
            let message = match message {
                Ok(message) => message,
                Err(error) => {
                    tracing::warn!(%error, "the journal");
                    return None;
                }
            };
            let mut tokens = message.subject.strip_prefix(JOURNAL)?.trim_start_matches('.').split('.');
            let (tenant, key) = (tokens.next()?.to_owned(), tokens.next()?.to_owned());
            let revision = message.info().ok()?.stream_sequence;
            let attempts = message.headers.as_ref()?.get_all(ATTEMPT);
            let lines = attempts.filter_map(|value| Line::decode(value.as_str())).collect();
            Some((tenant, key, revision, lines))
        });
        Ok((lines.boxed(), pending))
    }
}

type Lines = futures_util::stream::BoxStream<'static, (String, String, u64, Vec<Line>)>;
