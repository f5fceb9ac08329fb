//! Requests and tokens a minute, shared by every replica through Redis. While Redis is away each replica keeps to a
//! share of its own: slower than allowed, never faster.

use anyhow::Context as _;
use redis::Script;
use redis::aio::ConnectionManager;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What may be caught up after a lull: parked jobs come back in whole seconds, and what they came late for is not lost.
const BURST: Duration = Duration::from_secs(4);
/// Redis that does not answer in this time is away.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long Redis is left alone after that.
const AWAY: Duration = Duration::from_secs(2);

/// How much may be asked.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// TOML file with the account's limits: [<model>] requests_per_minute, tokens_per_minute. Shared by all replicas
    #[arg(long = "limits", env = "MILLRACE_LIMITS")]
    pub limits: Option<PathBuf>,
    /// Redis through which replicas share these limits
    #[arg(long = "limits-redis-url", env = "MILLRACE_LIMITS_REDIS_URL", hide_env_values = true)]
    pub limits_redis_url: Option<String>,
    /// Replicas to share with while Redis is away
    #[arg(long, env = "MILLRACE_LIMITS_REPLICAS", default_value_t = 4)]
    pub limits_replicas: u32,
}

/// The limits on one model.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Requests a minute; 0: no limit.
    #[serde(default)]
    pub requests_per_minute: f64,
    /// Tokens a minute, input and answer; 0: no limit.
    #[serde(default)]
    pub tokens_per_minute: f64,
}

/// What is to be asked.
#[derive(Debug, Clone, Copy)]
pub struct Want<'a> {
    /// The provider's name of the model.
    pub model: &'a str,
    /// Names the job: what has begun ends before others begin.
    pub job: &'a str,
    /// Estimate, input and answer.
    pub tokens: u64,
    /// Calls that the job still has to make, this one included.
    pub calls: u32,
}

/// The budgets of a deployment.
pub struct Budget {
    limits: BTreeMap<String, Limit>,
    redis: Option<redis::Client>,
    connection: tokio::sync::Mutex<Option<ConnectionManager>>,
    away_until: Mutex<Option<Instant>>,
    replicas: f64,
    script: Script,
    alone: Mutex<HashMap<String, Alone>>,
}

/// Theoretical arrival times of a replica by itself.
#[derive(Debug, Clone, Copy)]
struct Alone {
    requests: Instant,
    tokens: Instant,
}

impl Limit {
    /// Milliseconds that a request and that so many tokens take.
    fn milliseconds(&self, tokens: u64) -> (f64, f64) {
        let each = |limit: f64, amount: f64| if limit > 0.0 { amount * 60_000.0 / limit } else { 0.0 };
        (each(self.requests_per_minute, 1.0), each(self.tokens_per_minute, tokens as f64))
    }
}

impl Budget {
    /// Reads the limits; connects when first asked.
    ///
    /// # Errors
    /// Names the line of the first mistake in the file.
    pub fn new(settings: &Settings) -> anyhow::Result<Budget> {
        let limits = match &settings.limits {
            None => BTreeMap::new(),
            Some(path) => read(path)?,
        };
        let redis = settings.limits_redis_url.as_deref().map(redis::Client::open).transpose();
        Ok(Budget {
            limits,
            redis: redis
                .context("MILLRACE_LIMITS_REDIS_URL is not a URL such as redis://127.0.0.1:6379/0")?,
            connection: tokio::sync::Mutex::default(),
            away_until: Mutex::default(),
            replicas: f64::from(settings.limits_replicas.max(1)),
            script: Script::new(include_str!("budget.lua")),
            alone: Mutex::default(),
        })
    }

    /// Takes what is wanted out of the budget; or says how long to wait, and takes nothing. Whoever comes back when
    /// told is let in before those who come for the first time.
    pub async fn take(&self, want: Want<'_>) -> Option<Duration> {
        let limit = self.limits.get(want.model)?;
        match self.take_shared(limit, want).await {
            Ok(wait) => wait,
            Err(why) => {
                let mut until = self.away_until.lock().unwrap_or_else(PoisonError::into_inner);
                if until.is_none() {
                    tracing::warn!(%why, "limits are not shared for now: this replica keeps to its part of them");
                }
                *until = Some(Instant::now() + AWAY);
                drop(until);
                self.take_alone(limit, want, Instant::now())
            }
        }
    }

    async fn take_shared(&self, limit: &Limit, want: Want<'_>) -> anyhow::Result<Option<Duration>> {
        let (each, tokens) = limit.milliseconds(want.tokens);
        let key = |what: &str| format!("millrace:limits:{{{}}}:{what}", want.model);
        let mut call = self.script.prepare_invoke();
        for what in ["requests", "tokens", "queue", "hold"] {
            call.key(key(what));
        }
        call.key(key(&format!("job:{}", want.job)));
        call.arg(each).arg(tokens).arg(BURST.as_millis() as u64).arg(want.calls.max(1));
        let mut connection = self.connection().await?;
        let answered = tokio::time::timeout(PATIENCE, call.invoke_async::<u64>(&mut connection)).await;
        let wait = answered.context("Redis does not answer")??;
        *self.away_until.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok((wait > 0).then(|| Duration::from_millis(wait)))
    }

    fn take_alone(&self, limit: &Limit, want: Want<'_>, now: Instant) -> Option<Duration> {
        let (each, tokens) = limit.milliseconds(want.tokens);
        let part = |milliseconds: f64| Duration::from_secs_f64(milliseconds * self.replicas / 1000.0);
        let (each, tokens) = (part(each), part(tokens));
        let mut alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        let at = alone.entry(want.model.to_owned()).or_insert(Alone { requests: now, tokens: now });
        let owed = |before: Instant| before.saturating_duration_since(now);
        let wait = owed(at.requests).max(owed(at.tokens));
        if !wait.is_zero() {
            return Some(wait);
        }
        *at = Alone { requests: at.requests.max(now) + each, tokens: at.tokens.max(now) + tokens };
        None
    }

    /// Gives back, or takes, what an estimate was wrong by. Best effort.
    pub async fn correct(&self, model: &str, estimated: u64, used: u64) {
        let Some(limit) = self.limits.get(model).filter(|limit| limit.tokens_per_minute > 0.0) else {
            return;
        };
        let difference = (used as f64 - estimated as f64) * 60_000.0 / limit.tokens_per_minute;
        let key = format!("millrace:limits:{{{model}}}:tokens");
        // Only while something is owed: an expired time would come back as one in 1970.
        let script = Script::new(
            "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('INCRBYFLOAT', KEYS[1], ARGV[1]) end",
        );
        if let Ok(mut connection) = self.connection().await {
            let mut call = script.key(key);
            let asked = call.arg(difference).invoke_async::<()>(&mut connection);
            let _ = tokio::time::timeout(PATIENCE, asked).await;
        }
    }

    /// Tells all replicas that the provider wants to be left alone.
    pub async fn hold(&self, model: &str, pause: Duration) {
        if !self.limits.contains_key(model) {
            return;
        }
        let script = Script::new(
            "local t = redis.call('TIME'); local at = t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[1]
             if at > tonumber(redis.call('GET', KEYS[1]) or '0') then redis.call('SET', KEYS[1], at, 'PX', ARGV[1]) end",
        );
        let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX).max(1);
        if let Ok(mut connection) = self.connection().await {
            let mut call = script.key(format!("millrace:limits:{{{model}}}:hold"));
            let asked = call.arg(pause).invoke_async::<()>(&mut connection);
            let _ = tokio::time::timeout(PATIENCE, asked).await;
        }
    }

    async fn connection(&self) -> anyhow::Result<ConnectionManager> {
        let client = self.redis.as_ref().context("MILLRACE_LIMITS_REDIS_URL is not set")?;
        if self
            .away_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some_and(|until| Instant::now() < until)
        {
            anyhow::bail!("Redis did not answer a moment ago");
        }
        let mut held = self.connection.lock().await;
        if let Some(connection) = held.as_ref() {
            return Ok(connection.clone());
        }
        let made = tokio::time::timeout(PATIENCE, client.get_connection_manager()).await;
        let made = made.context("Redis does not answer")??;
        *held = Some(made.clone());
        Ok(made)
    }
}

fn read(path: &Path) -> anyhow::Result<BTreeMap<String, Limit>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(redis: Option<String>) -> Budget {
        let settings = Settings { limits: None, limits_redis_url: redis, limits_replicas: 2 };
        let mut budget = Budget::new(&settings).unwrap();
        // A request every 100 ms.
        let limit = Limit { requests_per_minute: 600.0, tokens_per_minute: 0.0 };
        budget.limits.insert("pro".into(), limit);
        budget
    }

    fn want(job: &str) -> Want<'_> {
        Want { model: "pro", job, tokens: 10, calls: 1 }
    }

    #[tokio::test]
    async fn without_a_limit_everything_passes() {
        let budget = budget(None);
        assert_eq!(budget.take(Want { model: "other", ..want("a") }).await, None);
    }

    #[tokio::test]
    async fn while_redis_is_away_a_replica_keeps_to_its_part() {
        let budget = budget(Some("redis://127.0.0.1:1/0".into()));
        assert_eq!(budget.take(want("a")).await, None);
        let wait = budget.take(want("b")).await.unwrap();
        assert!(wait <= Duration::from_millis(200) && wait > Duration::from_millis(100), "{wait:?}");
    }

    #[tokio::test]
    async fn a_crowd_comes_back_as_a_queue_and_what_has_begun_ends_first() {
        let redis = millrace_testkit::Redis::start();
        let (one, other) = (budget(Some(redis.url())), budget(Some(redis.url())));
        let mut granted = 0;
        let mut waits = Vec::new();
        for number in 0..100 {
            let budget = if number % 2 == 0 { &one } else { &other };
            match budget.take(want(&format!("job-{number}"))).await {
                None => granted += 1,
                Some(wait) => waits.push(wait),
            }
        }
        // Four seconds may be caught up; what is refused is told ten different times a second.
        assert!((38..=44).contains(&granted), "{granted}");
        assert!(waits.windows(2).all(|pair| pair[1] > pair[0]), "each has a time of its own: {waits:?}");
        let spread = *waits.last().unwrap() - waits[0];
        let expected = Duration::from_millis(100) * u32::try_from(waits.len() - 1).unwrap();
        assert!(spread.abs_diff(expected) < Duration::from_millis(600), "{spread:?} instead of {expected:?}");
        // Whoever asks again before its time keeps it.
        let again = one.take(want(&format!("job-{}", granted))).await.unwrap();
        assert!(again <= waits[0]);
        // A job that has begun is not sent to the end of the queue, however long that is.
        let next = other.take(want("job-0")).await.unwrap_or_default();
        assert!(next < Duration::from_millis(150), "{next:?}");
    }

    #[tokio::test]
    async fn the_provider_s_word_holds_for_all_replicas() {
        let redis = millrace_testkit::Redis::start();
        let (one, other) = (budget(Some(redis.url())), budget(Some(redis.url())));
        assert_eq!(one.take(want("a")).await, None);
        one.hold("pro", Duration::from_secs(30)).await;
        assert!(other.take(want("a")).await.unwrap() > Duration::from_secs(25));
    }
}
