//! The hashes. What a hash says is decided by the pure fold alone; Redis only makes sure that nobody writes over what
//! he has not read.

use crate::Settings;
use millrace_contract::ErrorCode;
use millrace_contract::status::{State, Status, progress_within, stage_line};
use millrace_contract::{Service, wire};
use millrace_stage::{BoxFuture, Projection, Recorded, Result, StageError};
use redis::AsyncCommands as _;
use redis::aio::ConnectionManager;
use std::collections::BTreeMap;
use std::time::Duration;

/// Writes a hash if it is still the one that was read. ARGV: digest read, seconds to live (0 = for ever), fields.
const REPLACE: &str = r"
if (redis.call('HGET', KEYS[1], 'digest') or '') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
if tonumber(ARGV[2]) > 0 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return 1";

/// Live progress is not in the log; it is gone soon after the last word of it.
const PROGRESS_TTL: u64 = 120;

/// The status hashes in Redis.
pub struct Store {
    redis: ConnectionManager,
    ttl: Duration,
    replace: redis::Script,
}

fn key(job: &str) -> String {
    format!("job:{job}")
}

fn progress_key(job: &str) -> String {
    format!("progress:{job}")
}

fn away(error: &redis::RedisError) -> StageError {
    StageError::new(ErrorCode::StorageUnavailable, format!("Redis: {error}"))
}

impl Store {
    /// Checks the URL; connects when it is first needed.
    ///
    /// # Errors
    /// If the URL is not one.
    pub fn open(settings: &Settings) -> anyhow::Result<Store> {
        let config = redis::aio::ConnectionManagerConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(Duration::from_secs(2)))
            .set_number_of_retries(1);
        // Lazy: Redis may come up later than we do.
        let redis = redis::Client::open(settings.redis_url.as_str())?.get_connection_manager_lazy(config)?;
        Ok(Store { redis, ttl: settings.status_ttl, replace: redis::Script::new(REPLACE) })
    }

    /// The status of a job, if Redis has it; with what its stage is at just now.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn get(&self, job: &str) -> Result<Option<Status>> {
        let mut redis = self.redis.clone();
        let (folded, live): (Option<String>, BTreeMap<String, String>) = redis::pipe()
            .hget(key(job), "folded")
            .hgetall(progress_key(job))
            .query_async(&mut redis)
            .await
            .map_err(|error| away(&error))?;
        let Some(mut status) = folded.and_then(|folded| serde_json::from_str::<Status>(&folded).ok()) else {
            return Ok(None);
        };
        let same = live.get("run").is_some_and(|run| *run == status.run().to_string())
            && live.get("stage").is_some_and(|stage| *stage == status.current_stage);
        if same && !status.is_end() {
            if let Some(progress) = live.get("progress").and_then(|progress| progress.parse().ok()) {
                status.progress = status.progress.max(progress);
            }
            if let Some(substage) = live.get("substage") {
                status.substage.clone_from(substage);
            }
        }
        Ok(Some(status))
    }

    /// Folds statuses into their hashes.
    async fn merge(&self, mut news: BTreeMap<String, Status>) -> Result<()> {
        let mut redis = self.redis.clone();
        while !news.is_empty() {
            let mut read = redis::pipe();
            for job in news.keys() {
                read.hmget(key(job), &["folded", "digest"]);
            }
            let found: Vec<(Option<String>, Option<String>)> =
                read.query_async(&mut redis).await.map_err(|error| away(&error))?;
            let mut write = redis::pipe();
            write.load_script(&self.replace).ignore();
            let mut written = Vec::new();
            for ((job, new), (folded, digest)) in news.iter().zip(found) {
                let old = folded.as_deref().and_then(|folded| serde_json::from_str::<Status>(folded).ok());
                let status = match old.clone() {
                    Some(old) => old.fold(new.clone()),
                    None => new.clone(),
                };
                if old.as_ref() == Some(&status) {
                    continue;
                }
                let ttl = if status.is_end() { self.ttl.as_secs() } else { 0 };
                let mut call = self.replace.key(key(job));
                call.arg(digest.unwrap_or_default()).arg(ttl);
                for (name, value) in fields(&status) {
                    call.arg(name).arg(value);
                }
                write.invoke_script(&call);
                written.push(job.clone());
            }
            if written.is_empty() {
                return Ok(());
            }
            let done: Vec<u8> = write.query_async(&mut redis).await.map_err(|error| away(&error))?;
            // Whoever was overtaken reads again.
            let overtaken: Vec<String> =
                written.into_iter().zip(done).filter(|(_, done)| *done == 0).map(|(job, _)| job).collect();
            news.retain(|job, _| overtaken.contains(job));
        }
        Ok(())
    }

    /// Folds one job's history, when Redis does not know the job.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn learn(&self, history: &[Recorded]) -> Result<()> {
        self.merge(fold(history)).await
    }

    /// Forgets every job.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn clear(&self) -> Result<()> {
        let mut redis = self.redis.clone();
        for pattern in ["job:*", "progress:*"] {
            let mut found = redis.scan_match::<_, String>(pattern).await.map_err(|error| away(&error))?;
            let mut keys = Vec::new();
            while let Some(key) = found.next_item().await {
                keys.push(key.map_err(|error| away(&error))?);
            }
            drop(found);
            for chunk in keys.chunks(500) {
                redis.del::<_, ()>(chunk).await.map_err(|error| away(&error))?;
            }
        }
        Ok(())
    }
}

/// A batch of events as one status a job.
fn fold(batch: &[Recorded]) -> BTreeMap<String, Status> {
    let mut news: BTreeMap<String, Status> = BTreeMap::new();
    for recorded in batch {
        let (Some(job), Some(status)) = (&recorded.event.job, Status::of(&recorded.id, &recorded.event))
        else {
            continue;
        };
        let folded = match news.remove(&job.id) {
            Some(old) => old.fold(status),
            None => status,
        };
        news.insert(job.id.clone(), folded);
    }
    news
}

/// The fields of a hash: the origin's, the job's, and the folded status itself with its digest.
pub fn fields(status: &Status) -> Vec<(String, String)> {
    let folded = serde_json::to_string(status).unwrap_or_default();
    let digest = millrace_contract::artifact::sha256_hex(folded.as_bytes())[..16].to_owned();
    let mut fields: BTreeMap<String, String> = status.job.clone();
    for (name, value) in [
        ("status", state(status.state).to_owned()),
        ("current_stage", status.current_stage.clone()),
        ("progress", status.progress.to_string()),
        ("substage", status.substage.clone()),
        ("last_error", status.last_error.clone()),
        ("error_message", status.error_message.clone()),
        ("report", status.report.clone()),
        ("updated_at", time(status.updated_at_ms)),
        ("folded", folded),
        ("digest", digest),
    ] {
        fields.insert(name.to_owned(), value);
    }
    fields.into_iter().collect()
}

/// Its name on the wire.
pub const fn state(state: State) -> &'static str {
    match state {
        State::Queued => "queued",
        State::Processing => "processing",
        State::Completed => "completed",
        State::Rejected => "rejected",
        State::Dead => "dead",
        State::Unpacked => "unpacked",
    }
}

/// Milliseconds since 1970 as RFC 3339.
pub fn time(ms: u64) -> String {
    humantime::format_rfc3339_millis(std::time::UNIX_EPOCH + Duration::from_millis(ms)).to_string()
}

impl Projection for Store {
    fn apply<'a>(&'a self, batch: &'a [Recorded]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.merge(fold(batch)))
    }

    fn progress(&self, progress: wire::Progress) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let Some(stage) = Service::named(&progress.stage) else { return };
            let line = stage_line(stage.hop(), &progress.doing, Some((progress.done, progress.of)));
            // The step that is being done is not done yet.
            let percent = progress_within(stage.hop(), progress.done.saturating_sub(1), progress.of);
            let mut redis = self.redis.clone();
            let key = progress_key(&progress.job_id);
            let fields = [
                ("run", progress.run.to_string()),
                ("stage", progress.stage.clone()),
                ("substage", line),
                ("progress", percent.to_string()),
            ];
            let ttl = i64::try_from(PROGRESS_TTL).unwrap_or(i64::MAX);
            let shown: redis::RedisResult<()> =
                redis::pipe().hset_multiple(&key, &fields).expire(&key, ttl).query_async(&mut redis).await;
            // Shown, never stored: the next word is more than this one.
            drop(shown);
        })
    }
}
