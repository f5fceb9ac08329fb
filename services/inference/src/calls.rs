//! One call to a provider, made once: the journal is asked before, told before it goes out, and told what came back
//! before anybody makes sense of it.

use crate::guards::{Estimate, Guards, circuit, rough_tokens};
use crate::journal::{self, Caller, LEASE, Next};
use crate::plan::Question;
use millrace_contract::artifact::sha256_hex;
use millrace_contract::ledger;
use millrace_contract::wire::{self, Attempt, Call, Routed, Spent};
use millrace_contract::{Disposition, ErrorCode};
use millrace_provider::http::Http;
use millrace_provider::taxonomy::{Billed, meaning};
use millrace_provider::{Ask, Correction, Exchange, Failure, Kept, Request, Tier, Usage, Vendor};
use millrace_stage::{Called, Job, Result, StageError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The cheaper tier answers in up to a quarter of an hour; the stage's own deadline is as long.
const FLEX_PATIENCE: Duration = Duration::from_secs(800);
/// How long a call waits in place for one of the calls at once that its model bears.
const SLOT_PATIENCE: Duration = Duration::from_secs(2);
/// Somebody else's call is looked at again after this long.
const LOOK_AGAIN: Duration = Duration::from_millis(400);

/// Makes calls, under everything that limits them.
pub struct Calls {
    pub(crate) http: Http,
    pub(crate) guards: Guards,
    /// First pause after a failure that may pass.
    pub(crate) first_pause: Duration,
    /// How long a call may take.
    pub(crate) timeout: Duration,
    /// Names this process in the journal.
    pub(crate) owner: String,
    /// Whether providers are asked to keep what questions have in common.
    pub(crate) keeps: bool,
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
    /// When it was asked, milliseconds since 1970.
    pub asked_ms: u64,
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
    /// The answer to a question: the one in the journal, or one that is asked for now, in full or without what the
    /// provider keeps of it. `spent` is what the job has
    /// paid in this round so far, `left` how many calls it still has to make.
    ///
    /// # Errors
    /// With the code that says what may be done, and with what was paid all the same.
    pub async fn answer(
        &self,
        job: &Job<Routed>,
        question: &Question<'_>,
        kept: Option<Kept<'_>>,
        correction: Option<Correction<'_>>,
        spent: &Spent,
        left: u32,
    ) -> Result<Answered> {
        let whole = question.ask(correction);
        let short = kept.map(|kept| Vendor::request(&Ask { kept: Some(kept), ..whole.clone() }));
        self.carry(job, question, &Vendor::request(&whole), short.as_ref(), spent, left).await
    }

    /// Whether the journal holds the answer to a question.
    pub(crate) async fn has_answer(&self, job: &Job<Routed>, question: &Question<'_>) -> bool {
        let key = self.key(job, question, &Vendor::request(&question.ask(None)));
        look(job, &key).await.is_ok_and(|known| known.call.exchange.is_some())
    }

    /// Whether a request is in the journal.
    pub(crate) async fn has_asked(
        &self,
        job: &Job<Routed>,
        question: &Question<'_>,
        request: &Request,
    ) -> bool {
        look(job, &self.key(job, question, request)).await.is_ok_and(|known| known.revision > 0)
    }

    /// Carries a request, or its shorter form where the provider keeps the rest. The journal knows it by the whole: what
    /// is kept has another name each time.
    pub(crate) async fn carry(
        &self,
        job: &Job<Routed>,
        question: &Question<'_>,
        request: &Request,
        short: Option<&Request>,
        spent: &Spent,
        left: u32,
    ) -> Result<Answered> {
        let key = self.key(job, question, request);
        let caller = Caller { job: &job.known.id, run: job.known.run, round: job.known.round };
        let mut known = look(job, &key).await?;
        let mut rough = None;
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
            // Once for all tries, and not for answers that we have.
            let rough = *rough.get_or_insert_with(|| rough_tokens(request, &job.known.language));
            let estimate = self.guards.estimate(question, rough);
            let cost = self.guards.afford(job, question, estimate.tokens, spent).await?;
            let probing = self.guards.pass(job, question, estimate.tokens, left).await?;
            let slot = self.guards.concurrency.enter(&circuit(question), SLOT_PATIENCE).await;
            let Some(_slot) = slot else {
                if probing {
                    // It was not made, so it proved nothing.
                    self.guards.breakers.open_for(&circuit(question), LOOK_AGAIN, Instant::now());
                }
                let message = format!("{} has as many calls as it bears", question.model.name);
                let wait = Some(Duration::from_secs(1));
                return Err(StageError::new(ErrorCode::ProviderRateLimited, message).after(wait).yielding());
            };
            known = self.make(job, question, (request, short), &key, known, estimate, cost).await?;
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

    /// Intent, call, what came back; each in the journal before the next. Returns the entry as it is then.
    #[expect(clippy::too_many_arguments, reason = "all of one call, and used once")]
    async fn make(
        &self,
        job: &Job<Routed>,
        question: &Question<'_>,
        (request, short): (&Request, Option<&Request>),
        key: &str,
        mut known: Known,
        estimate: Estimate,
        cost: u64,
    ) -> Result<Known> {
        let model = &question.model.name;
        let id = format!("{}.{}", &key[..16], known.call.attempts.len() + 1);
        let begun_ms = now_ms();
        let set_aside =
            Spent { calls: 1, input_tokens: estimate.tokens, cost_microusd: cost, ..Spent::default() };
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
        let sending = self.send(question, request, short, &id, patience);
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
        self.guards.learn(question, estimate, &usage, failure.as_ref()).await;
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

    /// Sends the shorter form if there is one. Where that is refused for itself, for nothing, the whole goes out.
    async fn send(
        &self,
        question: &Question<'_>,
        request: &Request,
        short: Option<&Request>,
        id: &str,
        patience: Duration,
    ) -> std::result::Result<Exchange, Failure> {
        if let Some(short) = short {
            let exchange = self.http.send_within(short, id, patience).await?;
            let refused = || match Vendor::read(question.model, &exchange) {
                Err(failure) => failure.code == ErrorCode::ProviderRefused,
                Ok(_) => false,
            };
            if !request.vendor.lost(&exchange) && !refused() {
                return Ok(exchange);
            }
        }
        self.http.send_within(request, id, patience).await
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
            asked_ms: call
                .attempts
                .iter()
                .rfind(|attempt| attempt.ended_ms > 0 && attempt.code.is_empty())
                .map_or(0, |attempt| attempt.begun_ms),
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

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, milliseconds)
}
