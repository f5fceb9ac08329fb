//! One call to a provider, made once: the journal is asked before, told before it goes out, and told what came back
//! before anybody makes sense of it.

use crate::journal::{self, Caller, LEASE, Next};
use crate::plan::Question;
use millrace_contract::artifact::sha256_hex;
use millrace_contract::ledger;
use millrace_contract::wire::{self, Attempt, Call, Routed, Spent};
use millrace_contract::{Disposition, ErrorCode};
use millrace_limits::breaker::{Breakers, Gate};
use millrace_limits::budget::{Budget, Want};
use millrace_limits::concurrency::Concurrency;
use millrace_provider::http::Http;
use millrace_provider::taxonomy::{Billed, meaning};
use millrace_provider::{Correction, Exchange, Failure, Request, Tier, Usage, Vendor};
use millrace_stage::{Called, Job, Result, StageError};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// An answer is expected to be no longer than this when money is set aside for it, tokens.
const EXPECTED_OUTPUT: u64 = 2000;
/// The cheaper tier answers in up to a quarter of an hour; the stage's own deadline is as long.
const FLEX_PATIENCE: Duration = Duration::from_secs(800);
/// How long a call waits in place for one of the calls at once that its model bears.
const SLOT_PATIENCE: Duration = Duration::from_secs(2);
/// Somebody else's call is looked at again after this long.
const LOOK_AGAIN: Duration = Duration::from_millis(400);

/// Makes calls, under everything that limits them.
pub struct Calls {
    pub(crate) http: Http,
    pub(crate) breakers: Breakers,
    pub(crate) concurrency: Concurrency,
    pub(crate) budget: Budget,
    pub(crate) calibration: Calibration,
    /// First pause after a failure that may pass.
    pub(crate) first_pause: Duration,
    /// How long a call may take.
    pub(crate) timeout: Duration,
    /// What one run of a job may cost, millionths of a dollar.
    pub(crate) job_budget: Option<u64>,
    /// What a tenant may spend in a day, millionths of a dollar.
    pub(crate) tenant_budget: Option<u64>,
    /// Names this process in the journal.
    pub(crate) owner: String,
}

/// An answer, and who paid for it.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Should be JSON.
    pub text: String,
    /// Who answered, as the provider says.
    pub model: String,
    /// What this job has paid in this round for it, failed tries included.
    pub spent: Spent,
    /// Whether somebody else, or an earlier round, has paid for it.
    pub reused: bool,
    /// See [`millrace_provider::Reply::unfinished`].
    pub unfinished: bool,
}

/// The journal's entry as we know it.
#[derive(Default)]
struct Known {
    call: Call,
    revision: u64,
}

impl Calls {
    /// The answer to a question: the one in the journal, or one that is asked for now. `spent` is what the job has
    /// paid in this round so far, `left` how many calls it still has to make.
    ///
    /// # Errors
    /// With the code that says what may be done, and with what was paid all the same.
    pub async fn answer(
        &self,
        job: &Job<Routed>,
        question: &Question<'_>,
        correction: Option<Correction<'_>>,
        spent: &Spent,
        left: u32,
    ) -> Result<Answered> {
        let request = Vendor::request(&question.ask(correction));
        let key = self.key(job, question, &request);
        let caller = Caller { job: &job.known.id, run: job.known.run, round: job.known.round };
        let mut known = look(job, &key).await?;
        loop {
            let entry = (known.revision > 0).then_some(&known.call);
            match journal::next(entry, caller, self.first_pause, now_ms()) {
                Next::Read(exchange) => return read(question, exchange, &known.call, caller),
                Next::Busy(lease) => {
                    let message = "another process is making this call; its answer will do";
                    let wait = Some(lease.min(LOOK_AGAIN));
                    return Err(StageError::new(ErrorCode::CallInProgress, message).after(wait));
                }
                Next::Failed(code) => {
                    let message = format!("{} failed: {}", question.model.name, code.title());
                    let failed = StageError::new(code, message).exhausted();
                    return Err(StageError { spent: Some(paid(&known.call, caller)), ..failed });
                }
                Next::Later(code, pause) => {
                    let error = StageError::new(code, format!("{}: waiting", question.model.name));
                    let error = error.after(Some(pause));
                    return Err(if code == ErrorCode::ProviderRateLimited {
                        error.yielding()
                    } else {
                        error
                    });
                }
                Next::Make => {}
            }
            let tokens = self.estimate(question, &request);
            let cost = self.afford(job, question, tokens, spent).await?;
            let probing = self.pass(job, question, tokens, left).await?;
            let slot = self.concurrency.enter(&question.model.name, SLOT_PATIENCE).await;
            let Some(_slot) = slot else {
                if probing {
                    // It was not made, so it proved nothing.
                    self.breakers.open_for(&circuit(question), LOOK_AGAIN, Instant::now());
                }
                let message = format!("{} has as many calls as it bears", question.model.name);
                let wait = Some(Duration::from_secs(1));
                return Err(StageError::new(ErrorCode::ProviderRateLimited, message).after(wait).yielding());
            };
            known = self.make(job, question, &request, &key, known, tokens, cost).await?;
        }
    }

    /// The journal's name for a call: all that goes out, and to whom.
    fn key(&self, job: &Job<Routed>, question: &Question<'_>, request: &Request) -> String {
        let mut name = format!("{}\0{}\0{}\0", request.vendor, request.path, question.again).into_bytes();
        for (header, value) in &request.headers {
            name.extend_from_slice(format!("{header}: {value}\0").as_bytes());
        }
        name.extend_from_slice(&request.body);
        if job.known.fresh {
            name.extend_from_slice(format!("\0{}\0{}", job.known.id, job.known.run).as_bytes());
        }
        sha256_hex(&name)
    }

    /// Input tokens, by what this model has made of such requests so far.
    fn estimate(&self, question: &Question<'_>, request: &Request) -> u64 {
        self.calibration.tokens(&question.model.name, request.body.len() as u64 / 4)
    }

    /// Whether job and tenant can pay for the call; what is set aside for it.
    async fn afford(
        &self,
        job: &Job<Routed>,
        question: &Question<'_>,
        tokens: u64,
        spent: &Spent,
    ) -> Result<u64> {
        let output = EXPECTED_OUTPUT.min(question.max_output_tokens.into());
        let usage = Usage { input: tokens, cached: 0, output };
        let cost = question.model.cost(usage, question.tier, SystemTime::now()).unwrap_or(0);
        let dollars = |micro: u64| micro as f64 / 1e6;
        if let Some(budget) = self.job_budget {
            let so_far = job.known.cost_microusd + spent.cost_microusd;
            if so_far + cost > budget {
                let message = format!(
                    "this run has cost {:.4} USD and the next call needs {:.4}; a job may cost {:.4}",
                    dollars(so_far),
                    dollars(cost),
                    dollars(budget)
                );
                return Err(StageError::new(ErrorCode::JobBudgetExceeded, message).exhausted());
            }
        }
        if let Some(budget) = self.tenant_budget {
            let so_far = job.spent_today().await?;
            if so_far + cost > budget {
                let message = format!(
                    "the tenant has spent {:.4} USD today and the next call needs {:.4}; it may spend {:.4} a day",
                    dollars(so_far),
                    dollars(cost),
                    dollars(budget)
                );
                return Err(StageError::new(ErrorCode::TenantBudgetExceeded, message).exhausted());
            }
        }
        Ok(cost)
    }

    /// Whether the model is there and the account may ask it; whether this call is the probe of an open circuit.
    async fn pass(&self, job: &Job<Routed>, question: &Question<'_>, tokens: u64, left: u32) -> Result<bool> {
        let (model, circuit) = (question.model.name.as_str(), circuit(question));
        let probing = match self.breakers.gate(&circuit, Instant::now()) {
            Gate::Open(_) => {
                let message = format!("{circuit} has failed again and again, and is left alone for a while");
                return Err(StageError::new(ErrorCode::ProviderOverloaded, message).exhausted());
            }
            Gate::Probe => true,
            Gate::Closed => false,
        };
        let tokens = tokens + EXPECTED_OUTPUT.min(question.max_output_tokens.into());
        let name = format!("{}.{}", job.known.id, job.known.run);
        match self.budget.take(Want { model, job: &name, tokens, calls: left }).await {
            None => Ok(probing),
            Some(wait) => {
                if probing {
                    self.breakers.open_for(&circuit, wait.min(LEASE), Instant::now());
                }
                let message = format!("the account's limits on {model} are used up for now");
                let error = StageError::new(ErrorCode::ProviderRateLimited, message);
                Err(error.after(Some(wait)).yielding())
            }
        }
    }

    /// Intent, call, what came back; each in the journal before the next. Returns the entry as it is then.
    #[expect(clippy::too_many_arguments, reason = "all of one call, and used once")]
    async fn make(
        &self,
        job: &Job<Routed>,
        question: &Question<'_>,
        request: &Request,
        key: &str,
        mut known: Known,
        tokens: u64,
        cost: u64,
    ) -> Result<Known> {
        let model = &question.model.name;
        let id = format!("{}.{}", &key[..16], known.call.attempts.len() + 1);
        let begun_ms = now_ms();
        let set_aside = Spent { calls: 1, input_tokens: tokens, cost_microusd: cost, ..Spent::default() };
        known.call.attempts.push(Attempt {
            owner: self.owner.clone(),
            job: job.known.id.clone(),
            run: job.known.run,
            round: job.known.round,
            begun_ms,
            lease_ms: begun_ms + milliseconds(LEASE),
            prompt: question.prompt.to_owned(),
            model: model.clone(),
            provider: question.model.vendor.name().to_owned(),
            spent: Some(set_aside),
            id: id.clone(),
            ..Attempt::default()
        });
        let Some(revision) = job.journal(key, &known.call, known.revision).await? else {
            // Somebody was faster: what they have written decides.
            return look(job, key).await;
        };
        known.revision = revision;

        let patience = if question.tier == Tier::Flex { FLEX_PATIENCE } else { self.timeout };
        let sending = self.http.send_within(request, &id, patience);
        tokio::pin!(sending);
        let mut beat = tokio::time::interval(LEASE / 3);
        beat.tick().await;
        let came = loop {
            tokio::select! {
                came = &mut sending => break came,
                _ = beat.tick() => {
                    if let Some(ours) = known.call.attempts.last_mut() {
                        ours.lease_ms = now_ms() + milliseconds(LEASE);
                    }
                    // If it cannot be renewed now, what comes back is journalled all the same.
                    if let Ok(Some(revision)) = job.journal(key, &known.call, known.revision).await {
                        known.revision = revision;
                    }
                }
            }
        };
        let took = Duration::from_millis(now_ms().saturating_sub(begun_ms));
        let read = came.and_then(|exchange| {
            let read = Vendor::read(question.model, &exchange);
            let counts = match &read {
                Ok(_) => true,
                // It was worked on and is paid for: nobody asks again as it is, so it is kept as an answer is.
                Err(failure) => meaning(failure.code).is_some_and(|known| known.billed == Billed::Yes),
            };
            match (read, counts) {
                (Err(failure), false) => Err(failure),
                (read, _) => Ok((exchange, read)),
            }
        });
        let (usage, failure, exchange) = match read {
            Ok((exchange, Ok(reply))) => (reply.usage, None, Some(exchange)),
            Ok((exchange, Err(failure))) => (failure.usage, Some(failure), Some(exchange)),
            Err(failure) => (failure.usage, Some(failure), None),
        };
        let maybe = failure.as_ref().is_some_and(|failure| failure.maybe_billed);
        let spent = Spent {
            calls: 1,
            input_tokens: usage.input,
            output_tokens: usage.output,
            cached_tokens: usage.cached,
            // What may have been billed in full is counted as if it had been.
            cost_microusd: if maybe && usage == Usage::default() {
                cost
            } else {
                question.model.cost(usage, question.tier, SystemTime::now()).unwrap_or(0)
            },
        };
        let settled = Settled { id: &id, spent, failure: failure.as_ref(), exchange };
        let known = self.settle(job, key, known, settled).await?;
        self.learn(question, request, tokens, &usage, failure.as_ref()).await;
        job.called(&Called {
            provider: question.model.vendor.name(),
            model,
            question: question.prompt,
            code: failure.as_ref().map(|failure| failure.code),
            spent,
            took,
        });
        Ok(known)
    }

    /// Writes what came back, until it is written: it is paid for.
    async fn settle(
        &self,
        job: &Job<Routed>,
        key: &str,
        mut known: Known,
        settled: Settled<'_>,
    ) -> Result<Known> {
        let mut pause = Duration::from_millis(50);
        loop {
            settled.note(&mut known.call);
            match job.journal(key, &known.call, known.revision).await {
                Ok(Some(revision)) => return Ok(Known { revision, ..known }),
                // Somebody took the call over while we were cut off; both are in the journal then.
                Ok(None) => {
                    if let Ok(found) = look(job, key).await {
                        known = found;
                    }
                }
                Err(error) => tracing::warn!(%error, "an answer that is not journalled yet; trying again"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// What the guards learn from how a call ended.
    async fn learn(
        &self,
        question: &Question<'_>,
        request: &Request,
        tokens: u64,
        usage: &Usage,
        failure: Option<&Failure>,
    ) {
        let (model, circuit, now) = (question.model.name.as_str(), circuit(question), Instant::now());
        let Some(failure) = failure else {
            self.breakers.tell(&circuit, true, now);
            self.concurrency.tell(model, true);
            self.calibration.learn(model, request.body.len() as u64 / 4, usage.input);
            let estimated = tokens + EXPECTED_OUTPUT.min(question.max_output_tokens.into());
            self.budget.correct(model, estimated, usage.input + usage.output).await;
            return;
        };
        match failure.code {
            ErrorCode::ProviderRateLimited => {
                self.concurrency.tell(model, false);
                if let Some(told) = failure.retry_after {
                    self.budget.hold(model, told).await;
                }
            }
            ErrorCode::ProviderQuota | ErrorCode::ProviderAuth | ErrorCode::ModelUnknown => {
                let pause = failure.retry_after.unwrap_or(Duration::from_secs(60));
                self.breakers.open_for(&circuit, pause.min(Duration::from_secs(600)), now);
            }
            code => {
                let counts = meaning(code).is_some_and(|meaning| meaning.counts);
                self.breakers.tell(&circuit, !counts, now);
                if code == ErrorCode::ProviderOverloaded {
                    self.concurrency.tell(model, false);
                }
            }
        }
    }
}

/// The circuit of a call. The cheaper tier has one of its own: when it sheds work, the model is not away.
fn circuit<'a>(question: &Question<'a>) -> Cow<'a, str> {
    let model = question.model.name.as_str();
    match question.tier {
        Tier::Flex => Cow::Owned(format!("{model} (flex)")),
        Tier::Standard => Cow::Borrowed(model),
    }
}

/// What is written when a call is over.
struct Settled<'a> {
    id: &'a str,
    spent: Spent,
    failure: Option<&'a Failure>,
    exchange: Option<Exchange>,
}

impl Settled<'_> {
    fn note(&self, call: &mut Call) {
        let ended_ms = now_ms();
        if let Some(ours) = call.attempts.iter_mut().find(|attempt| attempt.id == self.id) {
            ours.ended_ms = ended_ms;
            ours.spent = Some(self.spent);
            if let Some(failure) = self.failure {
                failure.code.name().clone_into(&mut ours.code);
                ours.retry_after_ms = failure.retry_after.map_or(0, milliseconds);
            }
        }
        if let (None, Some(exchange)) = (&call.exchange, &self.exchange) {
            call.exchange = Some(wire::Exchange {
                status: exchange.status.into(),
                headers: exchange.headers.clone().into_iter().collect(),
                body: exchange.body.clone(),
            });
        }
    }
}

/// Makes sense of what is in the journal. Reading again is free.
fn read(
    question: &Question<'_>,
    exchange: &wire::Exchange,
    call: &Call,
    caller: Caller<'_>,
) -> Result<Answered> {
    let spent = paid(call, caller);
    let exchange = Exchange {
        status: u16::try_from(exchange.status).unwrap_or(0),
        headers: exchange.headers.clone().into_iter().collect(),
        body: exchange.body.clone(),
    };
    match Vendor::read(question.model, &exchange) {
        Ok(reply) => Ok(Answered {
            text: reply.text,
            model: reply.model,
            reused: spent.calls == 0,
            spent,
            unfinished: reply.unfinished,
        }),
        Err(failure) => {
            let error = StageError::new(failure.code, failure.message).exhausted();
            Err(StageError { spent: Some(spent), ..error })
        }
    }
}

/// What this job has paid for a call in this round.
fn paid(call: &Call, caller: Caller<'_>) -> Spent {
    let mut sum = Spent::default();
    for attempt in &call.attempts {
        let ours = attempt.job == caller.job && attempt.run == caller.run && attempt.round == caller.round;
        if let (true, Some(spent)) = (ours, &attempt.spent) {
            ledger::add(&mut sum, spent);
        }
    }
    sum
}

async fn look(job: &Job<Routed>, key: &str) -> Result<Known> {
    Ok(job
        .journalled(key)
        .await?
        .map(|entry| Known { call: entry.call, revision: entry.revision })
        .unwrap_or_default())
}

/// Whether an error only says when to come back.
pub fn is_wait(error: &StageError) -> bool {
    !error.exhausted && error.code.disposition() == Disposition::Retry
}

/// How many tokens a model makes of what we estimate: learnt from what it bills.
#[derive(Debug, Default)]
pub struct Calibration(Mutex<HashMap<String, f64>>);

impl Calibration {
    /// What an estimate comes to with this model.
    pub fn tokens(&self, model: &str, estimate: u64) -> u64 {
        let factors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (estimate as f64 * factors.get(model).copied().unwrap_or(1.0)).ceil() as u64
    }

    /// Learns from a bill: a tenth of each new ratio.
    pub fn learn(&self, model: &str, estimate: u64, billed: u64) {
        if estimate < 100 || billed == 0 {
            return;
        }
        let ratio = (billed as f64 / estimate as f64).clamp(0.2, 5.0);
        let mut factors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let factor = factors.entry(model.to_owned()).or_insert(ratio);
        *factor += (ratio - *factor) * 0.1;
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_get_better() {
        let calibration = Calibration::default();
        assert_eq!(calibration.tokens("pro", 1000), 1000);
        for _ in 0..50 {
            calibration.learn("pro", 1000, 1250);
        }
        assert!((1240..=1251).contains(&calibration.tokens("pro", 1000)));
        assert_eq!(calibration.tokens("flash", 1000), 1000);
    }
}
