//! What stands between a question and a call: whether it can be paid for, whether the model is there, whether the account
//! may ask now. And what all of them learn from how a call ended.

use crate::journal::LEASE;
use crate::plan::Question;
use millrace_contract::ErrorCode;
use millrace_contract::wire::{Routed, Spent};
use millrace_limits::breaker::{Breakers, Gate};
use millrace_limits::budget::{Budget, Want};
use millrace_limits::concurrency::Concurrency;
use millrace_provider::taxonomy::meaning;
use millrace_provider::{Failure, Request, Tier, Usage};
use millrace_stage::{Job, Result, StageError};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// An answer is expected to be no longer than this when money is set aside for it, tokens.
const EXPECTED_OUTPUT: u64 = 2000;

/// The guards of one process.
pub struct Guards {
    pub(crate) breakers: Breakers,
    pub(crate) concurrency: Concurrency,
    pub(crate) budget: Budget,
    pub(crate) calibration: Calibration,
    /// What one run of a job may cost, millionths of a dollar.
    pub(crate) job_budget: Option<u64>,
    /// What a tenant may spend in a day, millionths of a dollar.
    pub(crate) tenant_budget: Option<u64>,
}

/// How many tokens a request may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estimate {
    /// Before anything is known of the model; see [`rough_tokens`].
    rough: u64,
    /// By what this model has made of such requests.
    pub(crate) tokens: u64,
}

impl Guards {
    /// Input tokens, by what this model has made of such requests so far.
    pub(crate) fn estimate(&self, question: &Question<'_>, rough: u64) -> Estimate {
        Estimate { rough, tokens: self.calibration.tokens(&question.model.name, rough) }
    }

    /// Whether job and tenant can pay for the call; what is set aside for it.
    pub(crate) async fn afford(
        &self,
        job: &Job<Routed>,
        question: &Question<'_>,
        tokens: u64,
        spent: &Spent,
    ) -> Result<u64> {
        let output = expected_output(question);
        let usage = Usage { input: tokens, output, ..Usage::default() };
        let cost = question.model.cost(usage, question.tier, SystemTime::now()).unwrap_or(0);
        if let Some(budget) = self.job_budget {
            let so_far = job.known.cost_microusd + spent.cost_microusd;
            within(budget, so_far, cost, ErrorCode::JobBudgetExceeded, "this run of the job")?;
        }
        if let Some(budget) = self.tenant_budget {
            let so_far = job.spent_today().await?;
            within(budget, so_far, cost, ErrorCode::TenantBudgetExceeded, "the tenant, today,")?;
        }
        Ok(cost)
    }

    /// Whether the model is there and the account may ask it; whether this call is the probe of an open circuit.
    pub(crate) async fn pass(
        &self,
        job: &Job<Routed>,
        question: &Question<'_>,
        tokens: u64,
        left: u32,
    ) -> Result<bool> {
        let (model, circuit) = (question.model.name.as_str(), circuit(question));
        let probing = match self.breakers.gate(&circuit, Instant::now()) {
            Gate::Open(_) => {
                let message = format!("{circuit} has failed again and again, and is left alone for a while");
                return Err(StageError::new(ErrorCode::ProviderOverloaded, message).exhausted());
            }
            Gate::Probe => true,
            Gate::Closed => false,
        };
        let tokens = tokens + expected_output(question);
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

    /// What the guards learn from how a call ended.
    pub(crate) async fn learn(
        &self,
        question: &Question<'_>,
        estimate: Estimate,
        usage: &Usage,
        failure: Option<&Failure>,
    ) {
        let (model, circuit, now) = (question.model.name.as_str(), circuit(question), Instant::now());
        let Some(failure) = failure else {
            self.breakers.tell(&circuit, true, now);
            self.concurrency.tell(&circuit, true);
            self.calibration.learn(model, estimate.rough, usage.input);
            let estimated = estimate.tokens + expected_output(question);
            self.budget.correct(model, estimated, usage.input + usage.output).await;
            return;
        };
        match failure.code {
            ErrorCode::ProviderRateLimited => {
                self.concurrency.tell(&circuit, false);
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
                    self.concurrency.tell(&circuit, false);
                }
            }
        }
    }
}

/// The circuit of a call, and the calls at once that are borne. The cheaper tier has its own: when it sheds work, the
/// model is neither away nor overloaded.
pub(crate) fn circuit<'a>(question: &Question<'a>) -> Cow<'a, str> {
    let model = question.model.name.as_str();
    match question.tier {
        Tier::Flex => Cow::Owned(format!("{model} (flex)")),
        Tier::Standard => Cow::Borrowed(model),
    }
}

/// How long an answer is taken to be before it is there, tokens.
fn expected_output(question: &Question<'_>) -> u64 {
    EXPECTED_OUTPUT.min(question.max_output_tokens.into())
}

/// A request's tokens before anything is known of the model. Estimated as the document's were: what is learnt here corrects
/// both.
pub(crate) fn rough_tokens(request: &Request, language: &str) -> u64 {
    millrace_tokens::estimate(&String::from_utf8_lossy(&request.body), language)
}

/// Whether a budget, millionths of a dollar, bears one more call.
fn within(budget: u64, so_far: u64, cost: u64, code: ErrorCode, who: &str) -> Result<()> {
    if so_far + cost <= budget {
        return Ok(());
    }
    let dollars = |micro: u64| micro as f64 / 1e6;
    let message = format!(
        "{who} has cost {:.4} USD and the next call needs {:.4}; the budget is {:.4}",
        dollars(so_far),
        dollars(cost),
        dollars(budget)
    );
    Err(StageError::new(code, message).exhausted())
}

/// How many tokens a model makes of what [`millrace_tokens::estimate`] says: learnt from what it bills.
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

#[cfg(test)]
mod tests {
    use super::Calibration;

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
