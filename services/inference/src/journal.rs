//! What the journal says about a call before it is made: one pure decision. It is asked by every delivery, so crashes,
//! redeliveries, replays and other deployments all come to the same answer.

use millrace_contract::wire::{Attempt, Call, Exchange};
use millrace_contract::{Disposition, ErrorCode};
use millrace_provider::taxonomy::meaning;
use std::time::Duration;

/// A call that is being made holds its entry this long; renewed meanwhile.
pub const LEASE: Duration = Duration::from_secs(10);
/// First pause after a failure that may pass; doubles.
pub const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// Whose call it would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller<'a> {
    /// The job.
    pub job: &'a str,
    /// Its run.
    pub run: u32,
    /// Its round: each has a budget of tries of its own.
    pub round: u32,
}

/// What to do about a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Next<'a> {
    /// It was answered: read that.
    Read(&'a Exchange),
    /// Somebody is making it now; until then.
    Busy(Duration),
    /// It failed for good, or often enough.
    Failed(ErrorCode),
    /// It may be made, but not before so long.
    Later(ErrorCode, Duration),
    /// Make it.
    Make,
}

/// Decides, from what the journal holds. `dice` is uniform in 0..1, for the jitter; it comes from the entry, so that
/// the same pause is found again after a crash.
pub fn next<'a>(call: Option<&'a Call>, caller: Caller<'_>, first_pause: Duration, now_ms: u64) -> Next<'a> {
    let Some(call) = call else { return Next::Make };
    if let Some(exchange) = &call.exchange {
        return Next::Read(exchange);
    }
    let open = |attempt: &&Attempt| attempt.ended_ms == 0 && attempt.lease_ms > now_ms;
    if let Some(attempt) = call.attempts.iter().find(open) {
        return Next::Busy(Duration::from_millis(attempt.lease_ms - now_ms));
    }
    let failed = |attempt: &&Attempt| attempt.ended_ms > 0 && !attempt.code.is_empty();
    // What the provider calls wrong is wrong for ever.
    let wrong = call.attempts.iter().filter(failed).map(|attempt| ErrorCode::named(&attempt.code));
    if let Some(code) = wrong.clone().find(|code| meaning(*code).is_some_and(|meaning| meaning.is_final)) {
        return Next::Failed(code);
    }
    let ours = call.attempts.iter().filter(|attempt| attempt.job == caller.job && attempt.run == caller.run);
    // A key, a model: not in this run again, but an operator may have put it right before the next. (A quota comes
    // back by itself: the router waits for it, and that is another round.)
    let mut this_run = ours.clone().filter(failed).map(|attempt| ErrorCode::named(&attempt.code));
    let lasts =
        |code: &ErrorCode| code.disposition() != Disposition::Retry && *code != ErrorCode::ProviderQuota;
    if let Some(code) = this_run.find(lasts) {
        return Next::Failed(code);
    }
    let round: Vec<&Attempt> = ours.filter(|attempt| attempt.round == caller.round).filter(failed).collect();
    let Some(last) = round.last() else { return Next::Make };
    let code = ErrorCode::named(&last.code);
    // Rate limits are waited for; everything else is tried a few times.
    let counted =
        round.iter().filter(|attempt| attempt.code != ErrorCode::ProviderRateLimited.name()).count();
    let tries = meaning(code).map_or(1, |meaning| meaning.tries);
    if tries > 0 && counted >= tries {
        return Next::Failed(code);
    }
    let pause = match last.retry_after_ms {
        0 => {
            let ceiling = first_pause * (1 << (round.len() - 1).min(5));
            // Full jitter, but never at once: a tenth of the ceiling is the least.
            ceiling.mul_f64(0.1 + 0.9 * dice(&last.id))
        }
        told => Duration::from_millis(told),
    };
    let due = last.ended_ms + u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    if due > now_ms { Next::Later(code, Duration::from_millis(due - now_ms)) } else { Next::Make }
}

/// Uniform in 0..1, the same for the same attempt.
fn dice(id: &str) -> f64 {
    let hash = millrace_contract::artifact::sha256_hex(id.as_bytes());
    u32::from_str_radix(&hash[..8], 16).map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000_000;
    const ME: Caller<'_> = Caller { job: "j", run: 1, round: 0 };

    fn attempt(code: &str, round: u32, ended_ms: u64) -> Attempt {
        Attempt {
            job: "j".into(),
            run: 1,
            round,
            code: code.into(),
            ended_ms,
            id: format!("{code}{round}{ended_ms}"),
            ..Attempt::default()
        }
    }

    fn look(attempts: &[Attempt]) -> Next<'static> {
        let call: &'static Call =
            Box::leak(Box::new(Call { attempts: attempts.to_vec(), ..Call::default() }));
        next(Some(call), ME, FIRST_PAUSE, NOW)
    }

    #[test]
    fn an_answer_is_read_whoever_asked_for_it() {
        assert_eq!(next(None, ME, FIRST_PAUSE, NOW), Next::Make);
        let exchange = Exchange { status: 200, ..Exchange::default() };
        let call = Call { exchange: Some(exchange.clone()), attempts: vec![attempt("", 0, 5)] };
        assert_eq!(next(Some(&call), Caller { job: "other", ..ME }, FIRST_PAUSE, NOW), Next::Read(&exchange));
    }

    #[test]
    fn nobody_makes_a_call_that_somebody_is_making() {
        let open = Attempt { lease_ms: NOW + 4000, ..attempt("", 0, 0) };
        assert_eq!(look(std::slice::from_ref(&open)), Next::Busy(Duration::from_secs(4)));
        // Who made it is gone: perhaps it was paid for, but there is no answer.
        assert_eq!(look(&[Attempt { lease_ms: NOW - 1, ..open }]), Next::Make);
    }

    #[test]
    fn a_final_error_is_never_sent_again() {
        for code in ["provider_refused", "schema_too_complex", "context_too_long"] {
            assert_eq!(look(&[attempt(code, 0, 5)]), Next::Failed(ErrorCode::named(code)));
            let other = Caller { job: "other", run: 7, round: 3 };
            let call = Call { attempts: vec![attempt(code, 0, 5)], ..Call::default() };
            assert_eq!(next(Some(&call), other, FIRST_PAUSE, NOW), Next::Failed(ErrorCode::named(code)));
        }
    }

    #[test]
    fn what_an_operator_can_put_right_is_tried_again_in_the_next_run() {
        for code in ["provider_auth", "model_unknown"] {
            let call = Call { attempts: vec![attempt(code, 0, 5)], ..Call::default() };
            let at = |run, round| next(Some(&call), Caller { run, round, ..ME }, FIRST_PAUSE, NOW);
            assert_eq!(at(1, 2), Next::Failed(ErrorCode::named(code)));
            assert_eq!(at(2, 0), Next::Make);
        }
    }

    #[test]
    fn a_quota_is_asked_for_again_after_the_router_has_waited() {
        let call = Call { attempts: vec![attempt("provider_quota", 0, 5)], ..Call::default() };
        let at = |round| next(Some(&call), Caller { round, ..ME }, FIRST_PAUSE, NOW);
        assert_eq!((at(0), at(1)), (Next::Failed(ErrorCode::ProviderQuota), Next::Make));
    }

    #[test]
    fn tries_are_counted_in_the_journal_and_each_round_has_its_own() {
        let overloaded = |round| attempt("provider_overloaded", round, 5);
        assert_eq!(look(&[overloaded(0), overloaded(0), overloaded(0)]), Next::Make);
        let four = [overloaded(0), overloaded(0), overloaded(0), overloaded(0)];
        assert_eq!(look(&four), Next::Failed(ErrorCode::ProviderOverloaded));
        let call = Call { attempts: four.to_vec(), ..Call::default() };
        assert_eq!(next(Some(&call), Caller { round: 1, ..ME }, FIRST_PAUSE, NOW), Next::Make);
        let timeouts = [attempt("provider_timeout", 0, 5), attempt("provider_timeout", 0, 6)];
        assert_eq!(look(&timeouts), Next::Failed(ErrorCode::ProviderTimeout));
    }

    #[test]
    fn being_told_to_wait_is_no_try_and_is_obeyed_to_the_millisecond() {
        let told = Attempt { retry_after_ms: 34_070, ..attempt("provider_rate_limited", 0, NOW - 1000) };
        let many = vec![told; 50];
        assert_eq!(look(&many), Next::Later(ErrorCode::ProviderRateLimited, Duration::from_millis(33_070)));
    }

    #[test]
    fn backs_off_two_four_eight_with_jitter() {
        for (failures, ceiling) in [(1, 2000), (2, 4000), (3, 8000)] {
            let attempts = vec![attempt("provider_overloaded", 0, NOW); failures];
            let Next::Later(_, pause) = look(&attempts) else { panic!("it does not wait") };
            let pause = pause.as_millis();
            assert!(pause >= ceiling / 10 && pause <= ceiling, "{pause} ms after {failures} failures");
        }
    }
}
