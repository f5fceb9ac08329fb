//! What was asked, what came of it, and what it cost.

use super::faults::tokens;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The account of everything since the configuration or the reset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// All requests, with those still under way.
    pub requests: u64,
    /// Different prompts: system, document and question.
    pub prompts: u64,
    /// Prompts with a good answer, whichever model gave it.
    pub prompts_answered: u64,
    /// Dollars.
    pub usd: f64,
    /// Requests whose client hung up before the answer was written.
    pub aborted: u64,
    /// What those cost.
    pub usd_aborted: f64,
    /// Requests with the same bytes to the same model as one that had its good answer already.
    pub answered_twice: u64,
    /// What those cost.
    pub usd_answered_twice: f64,
    /// Requests with the prompt of one that had its good answer already, whatever model and bytes.
    pub prompt_answered_twice: u64,
    /// Requests with the same bytes to the same model as one that was still under way.
    pub at_once: u64,
    /// Requests with the same bytes to the same model as one that had got a 400, 401, 403 or 404.
    pub final_errors_resent: u64,
    /// By model.
    pub models: BTreeMap<String, Totals>,
    /// Every request, in the order of arrival. Empty if not asked for.
    pub records: Vec<Record>,
}

/// Sums of one model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Requests.
    pub requests: u64,
    /// How many ended how.
    pub outcomes: BTreeMap<String, u64>,
    /// Input tokens that were billed, cached ones included.
    pub input: u64,
    /// Output tokens that were billed, thoughts included.
    pub output: u64,
    /// Input tokens from the cache.
    pub cached: u64,
    /// Dollars.
    pub usd: f64,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// From 0.
    pub n: usize,
    /// `gemini`, `openai` or `anthropic`.
    pub vendor: String,
    /// The model.
    pub model: String,
    /// Hash of system text, document and question, hexadecimal.
    pub prompt: String,
    /// SHA-256 of the body, hexadecimal.
    pub body: String,
    /// The header `x-client-request-id`.
    pub request_id: String,
    /// `ok`, `open` while under way, `aborted`, or what went wrong.
    pub outcome: String,
    /// HTTP status that was sent; 0 if none was.
    pub status: u16,
    /// Whether it costs.
    pub billed: bool,
    /// Input tokens that were billed, cached ones included.
    pub input: u64,
    /// Output tokens that were billed, thoughts included.
    pub output: u64,
    /// Input tokens from the cache.
    pub cached: u64,
    /// Dollars.
    pub usd: f64,
    /// When it came, milliseconds since the configuration.
    pub begun_ms: f64,
    /// When it ended; 0 while it is under way.
    pub ended_ms: f64,
    /// The client hung up before the answer was written.
    pub aborted: bool,
    /// See [`Account::answered_twice`].
    pub answered_twice: bool,
    /// See [`Account::prompt_answered_twice`].
    pub prompt_answered_twice: bool,
    /// See [`Account::at_once`].
    pub at_once: bool,
    /// See [`Account::final_errors_resent`].
    pub final_error_resent: bool,
}

/// Tokens of one answer, in one convention for all vendors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Cached ones included.
    pub input: u64,
    pub cached: u64,
    /// Without thoughts.
    pub output: u64,
    pub thoughts: u64,
    /// What is kept by name: tokens times seconds.
    pub stored: u64,
}

/// How a call ends.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub outcome: String,
    pub status: u16,
    pub bill: Option<Usage>,
    pub good: bool,
}

/// A request as it came in.
pub(super) struct Arrival {
    pub vendor: &'static str,
    pub model: String,
    pub prompt: u64,
    pub document: u64,
    pub system: u64,
    pub prefix: u64,
    pub body: [u8; 32],
    pub request_id: String,
    pub flex: bool,
    pub input: u64,
}

/// What the ledger knows when a request arrives.
pub(super) struct Known {
    /// How often this model has seen this prompt, this time included.
    pub nth: u32,
    /// Seconds since the configuration, not scaled.
    pub at: f64,
    /// The prefix was answered before by this model.
    pub prefix_seen: bool,
    /// The system text is another than the first with this document.
    pub rephrased: bool,
    /// Seconds until the buckets would let it pass, in scaled time; 0 passes.
    pub wait: f64,
}

/// What a model may get in a minute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub rpm: f64,
    pub tpm: f64,
    pub time_scale: f64,
}

struct Entry {
    arrival: Arrival,
    begun: Instant,
    ended: Option<Instant>,
    ending: Option<Ending>,
    aborted: bool,
    usd: f64,
    answered_twice: bool,
    prompt_answered_twice: bool,
    at_once: bool,
    final_error_resent: bool,
}

#[derive(Default)]
struct Body {
    good: bool,
    refused: bool,
    under_way: u32,
}

struct Bucket {
    requests: f64,
    tokens: f64,
    at: Instant,
}

/// Everything since the configuration. A call keeps the ledger in which it began: what ends after a reset does not
/// spoil the new one.
pub(super) struct Ledger {
    begun: Instant,
    entries: Vec<Entry>,
    bodies: HashMap<(String, [u8; 32]), Body>,
    answered: HashSet<u64>,
    asks: HashMap<(String, u64), u32>,
    systems: HashMap<(&'static str, u64), u64>,
    prefixes: HashSet<(String, u64)>,
    buckets: HashMap<String, Bucket>,
}

impl Ledger {
    pub fn new() -> Arc<Mutex<Ledger>> {
        Arc::new(Mutex::new(Ledger {
            begun: Instant::now(),
            entries: Vec::new(),
            bodies: HashMap::new(),
            answered: HashSet::new(),
            asks: HashMap::new(),
            systems: HashMap::new(),
            prefixes: HashSet::new(),
            buckets: HashMap::new(),
        }))
    }

    fn arrive(&mut self, arrival: Arrival, limits: Limits) -> (usize, Known) {
        let now = Instant::now();
        let nth = self.asks.entry((arrival.model.clone(), arrival.prompt)).or_default();
        *nth += 1;
        let known = Known {
            nth: *nth,
            at: now.duration_since(self.begun).as_secs_f64(),
            prefix_seen: self.prefixes.contains(&(arrival.model.clone(), arrival.prefix)),
            rephrased: *self.systems.entry((arrival.vendor, arrival.document)).or_insert(arrival.system)
                != arrival.system,
            wait: self.take(&arrival, limits, now),
        };
        let body = self.bodies.entry((arrival.model.clone(), arrival.body)).or_default();
        self.entries.push(Entry {
            begun: now,
            ended: None,
            ending: None,
            aborted: false,
            usd: 0.0,
            answered_twice: body.good,
            prompt_answered_twice: self.answered.contains(&arrival.prompt),
            at_once: body.under_way > 0,
            final_error_resent: body.refused,
            arrival,
        });
        body.under_way += 1;
        (self.entries.len() - 1, known)
    }

    /// Takes from the buckets of a model, or says how long until it could.
    fn take(&mut self, arrival: &Arrival, limits: Limits, now: Instant) -> f64 {
        if limits.rpm <= 0.0 && limits.tpm <= 0.0 {
            return 0.0;
        }
        let full = Bucket { requests: limits.rpm.max(1.0), tokens: limits.tpm, at: now };
        let bucket = self.buckets.entry(arrival.model.clone()).or_insert(full);
        let minutes = now.duration_since(bucket.at).as_secs_f64() * limits.time_scale / 60.0;
        bucket.requests = (bucket.requests + minutes * limits.rpm).min(limits.rpm.max(1.0));
        bucket.tokens = (bucket.tokens + minutes * limits.tpm).min(limits.tpm);
        bucket.at = now;
        let needed = tokens(arrival.input).min(limits.tpm);
        let missing = |limit: f64, needed: f64, left: f64| {
            if limit > 0.0 { ((needed - left) * 60.0 / limit).max(0.0) } else { 0.0 }
        };
        let wait = missing(limits.rpm, 1.0, bucket.requests).max(missing(limits.tpm, needed, bucket.tokens));
        if wait == 0.0 {
            bucket.requests -= 1.0;
            bucket.tokens -= needed;
        }
        wait
    }

    fn end(&mut self, index: usize, ending: Ending, aborted: bool) {
        let Some(entry) = self.entries.get_mut(index) else { return };
        let arrival = &entry.arrival;
        entry.usd =
            ending.bill.map_or(0.0, |usage| super::price::dollars(&arrival.model, usage, arrival.flex));
        entry.ended = Some(Instant::now());
        entry.aborted = aborted;
        let body = self.bodies.entry((arrival.model.clone(), arrival.body)).or_default();
        body.under_way = body.under_way.saturating_sub(1);
        if !aborted {
            body.good |= ending.good;
            body.refused |= matches!(ending.status, 400 | 401 | 403 | 404);
            if ending.good {
                self.answered.insert(arrival.prompt);
            }
        }
        if ending.bill.is_some() {
            self.prefixes.insert((arrival.model.clone(), arrival.prefix));
        }
        entry.ending = Some(ending);
    }

    /// What has been so far.
    pub fn account(&self, with_records: bool) -> Account {
        let mut account = Account::default();
        let mut prompts = HashSet::new();
        for (n, entry) in self.entries.iter().enumerate() {
            let record = self.record(n, entry);
            account.requests += 1;
            account.usd += record.usd;
            account.aborted += u64::from(record.aborted);
            account.usd_aborted += if record.aborted { record.usd } else { 0.0 };
            account.answered_twice += u64::from(record.answered_twice);
            account.usd_answered_twice += if record.answered_twice { record.usd } else { 0.0 };
            account.prompt_answered_twice += u64::from(record.prompt_answered_twice);
            account.at_once += u64::from(record.at_once);
            account.final_errors_resent += u64::from(record.final_error_resent);
            prompts.insert(entry.arrival.prompt);
            let totals = account.models.entry(record.model.clone()).or_default();
            totals.requests += 1;
            totals.input += record.input;
            totals.output += record.output;
            totals.cached += record.cached;
            totals.usd += record.usd;
            *totals.outcomes.entry(record.outcome.clone()).or_default() += 1;
            if with_records {
                account.records.push(record);
            }
        }
        account.prompts = prompts.len() as u64;
        account.prompts_answered = self.answered.len() as u64;
        account
    }

    fn record(&self, n: usize, entry: &Entry) -> Record {
        let (arrival, ending) = (&entry.arrival, entry.ending.as_ref());
        let usage = ending.and_then(|ending| ending.bill);
        let since = |at: Instant| at.duration_since(self.begun).as_secs_f64() * 1000.0;
        Record {
            n,
            vendor: arrival.vendor.into(),
            model: arrival.model.clone(),
            prompt: format!("{:016x}", arrival.prompt),
            body: arrival.body.iter().map(|byte| format!("{byte:02x}")).collect(),
            request_id: arrival.request_id.clone(),
            outcome: match ending {
                None => "open".into(),
                Some(_) if entry.aborted => "aborted".into(),
                Some(ending) => ending.outcome.clone(),
            },
            status: ending.filter(|_| !entry.aborted).map_or(0, |ending| ending.status),
            billed: usage.is_some(),
            input: usage.map_or(0, |usage| usage.input),
            output: usage.map_or(0, |usage| usage.output + usage.thoughts),
            cached: usage.map_or(0, |usage| usage.cached),
            usd: entry.usd,
            begun_ms: since(entry.begun),
            ended_ms: entry.ended.map_or(0.0, since),
            aborted: entry.aborted,
            answered_twice: entry.answered_twice,
            prompt_answered_twice: entry.prompt_answered_twice,
            at_once: entry.at_once,
            final_error_resent: entry.final_error_resent,
        }
    }
}

/// A call under way. It is settled once: when the answer is written, or, if the client hangs up before, when this is
/// dropped.
pub(super) struct Call {
    ledger: Arc<Mutex<Ledger>>,
    index: usize,
    ending: Option<Ending>,
}

impl Call {
    pub fn begin(ledger: &Arc<Mutex<Ledger>>, arrival: Arrival, limits: Limits) -> (Call, Known) {
        let (index, known) = lock(ledger).arrive(arrival, limits);
        let nothing = Ending { outcome: "unplanned".into(), status: 0, bill: None, good: false };
        (Call { ledger: Arc::clone(ledger), index, ending: Some(nothing) }, known)
    }

    /// How it is going to end. A client that hangs up pays what it would have paid: the work is done all the same.
    pub fn plan(&mut self, ending: Ending) {
        self.ending = Some(ending);
    }

    /// It ended as planned.
    pub fn settle(&mut self) {
        if let Some(ending) = self.ending.take() {
            lock(&self.ledger).end(self.index, ending, false);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(ending) = self.ending.take() {
            lock(&self.ledger).end(self.index, ending, true);
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
