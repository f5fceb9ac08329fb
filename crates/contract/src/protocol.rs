//! The decisions of the delivery protocol, as pure functions. The runtime calls them with what it sees, the model
//! check (`integration-tests/tests/model.rs`) with what could be seen.

use crate::{Disposition, EventKind, Service};
use std::time::Duration;

/// Which attempt at a job: `run` grows with a replay, `round` with a recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub run: u32,
    /// From 0.
    pub round: u32,
}

/// Something a service has said of a job, as its stream shows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Said {
    /// Message id.
    pub id: String,
    /// Which attempt it belongs to.
    pub position: Position,
}

/// The message id of the one verdict that a service gives on what it heard. Success and failure share it. The
/// router's is named after what it answers, since it answers several things in one round.
pub fn verdict_id(job: &str, service: Service, at: Position, heard: Option<EventKind>) -> String {
    let Position { run, round } = at;
    match (service, heard) {
        (Service::Router, Some(heard)) => format!("{job}:router:{run}.{round}:{}", heard.token()),
        _ => format!("{job}:{}:{run}.{round}", service.name()),
    }
}

/// Is this delivery's verdict already in the log? Also if a later attempt has got this far: the delivery is then of
/// a run that was overtaken, and the later one gives the job its end.
pub fn already_said(said: &[Said], id: &str, at: Position) -> bool {
    said.iter().any(|said| said.id == id || said.position > at)
}

/// How a publish ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Published {
    /// Stored, and acknowledged as such.
    Stored,
    /// The broker knows the message id: the verdict had been stored before.
    Duplicate,
    /// The service has said something of this job that the delivery had not seen.
    Conflict,
}

/// What to do about a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AfterPublish {
    /// The consequence is stored: acknowledge what was heard.
    Settle,
    /// Read what was said, then ask [`already_said`], and publish again if it was not.
    LookAgain,
}

/// Decides after a publish. Nothing else may lead to an acknowledgement.
pub const fn after_publish(published: Published) -> AfterPublish {
    match published {
        Published::Stored | Published::Duplicate => AfterPublish::Settle,
        Published::Conflict => AfterPublish::LookAgain,
    }
}

/// How patiently failures that may pass are tried again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patience {
    /// First pause; doubles each time, with full jitter.
    pub first: Duration,
    /// Tries in all before the failure is said.
    pub attempts: u32,
    /// Pauses up to this long keep the lease; longer ones are parked.
    pub hold: Duration,
    /// A job that has waited this long in all is given up, however friendly the provider.
    pub in_all: Duration,
}

impl Patience {
    /// A pause shorter than this is not worth parking for: schedules are kept in whole seconds.
    pub const BRIEF: Duration = Duration::from_millis(500);

    /// 2, 4, 8 s; up to 10 s in place; a day in all.
    pub const DEFAULT: Patience = Patience {
        first: Duration::from_secs(2),
        attempts: 4,
        hold: Duration::from_secs(10),
        in_all: Duration::from_secs(24 * 3600),
    };
}

/// A failed try, as the runtime sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Failure {
    /// What the error code asks for.
    pub disposition: Disposition,
    /// Tries so far that count, this one included. Waiting as told does not count.
    pub attempt: u32,
    /// How long the other side told us to wait.
    pub told: Option<Duration>,
    /// How long this event has been waiting in all.
    pub waited: Duration,
    /// Uniform in 0..1, for the jitter.
    pub dice: f64,
    /// The stage has counted the tries itself, and there were enough.
    pub exhausted: bool,
    /// Somebody else can work while this one waits: park it rather than hold it.
    pub yields: bool,
}

/// What to do about a failed try.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AfterFailure {
    /// Wait with the lease held, then try again.
    Retry {
        /// The pause.
        after: Duration,
        /// Whether the try that failed uses up an attempt.
        counts: bool,
    },
    /// Put the event aside with a schedule and acknowledge it.
    Park {
        /// When it comes back.
        after: Duration,
        /// Whether the try that failed uses up an attempt.
        counts: bool,
    },
    /// Say the failed verdict.
    Say,
}

/// Decides after a failed try.
pub fn after_failure(failure: Failure, patience: &Patience) -> AfterFailure {
    let Failure { disposition, attempt, told, waited, dice, exhausted, yields } = failure;
    if exhausted {
        return AfterFailure::Say;
    }
    match disposition {
        Disposition::Recover | Disposition::Reject => AfterFailure::Say,
        Disposition::Retry => {
            let (after, counts) = match told {
                Some(told) => (told, false),
                None => {
                    if attempt >= patience.attempts {
                        return AfterFailure::Say;
                    }
                    let ceiling = patience.first * 2u32.saturating_pow(attempt.saturating_sub(1));
                    // Full jitter, but never at once: a tenth of the ceiling is the least.
                    (ceiling.mul_f64(0.1 + 0.9 * dice.clamp(0.0, 1.0)), true)
                }
            };
            if waited + after > patience.in_all {
                AfterFailure::Say
            } else if after <= if yields { Patience::BRIEF } else { patience.hold } {
                AfterFailure::Retry { after, counts }
            } else {
                AfterFailure::Park { after, counts }
            }
        }
    }
}

/// What to do about a stage that panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AfterPanic {
    /// Hand it back: perhaps another try, perhaps another replica does better.
    HandBack,
    /// It is poison: say the failed verdict, before the broker stops delivering it.
    Say,
}

/// Decides after the n-th delivery panicked (from 1).
pub const fn after_panic(delivered: u32, max_deliver: u32) -> AfterPanic {
    if delivered >= max_deliver { AfterPanic::Say } else { AfterPanic::HandBack }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(attempt: u32, told: Option<u64>) -> AfterFailure {
        let told = told.map(Duration::from_secs);
        after_failure(failed(Disposition::Retry, attempt, told), &Patience::DEFAULT)
    }

    fn failed(disposition: Disposition, attempt: u32, told: Option<Duration>) -> Failure {
        Failure {
            disposition,
            attempt,
            told,
            waited: Duration::ZERO,
            dice: 1.0,
            exhausted: false,
            yields: false,
        }
    }

    #[test]
    fn whoever_yields_is_parked_and_whoever_has_had_enough_says_so() {
        let told = Some(Duration::from_secs(2));
        let yields = Failure { yields: true, ..failed(Disposition::Retry, 1, told) };
        let parked = AfterFailure::Park { after: Duration::from_secs(2), counts: false };
        assert_eq!(after_failure(yields, &Patience::DEFAULT), parked);
        let enough = Failure { exhausted: true, ..failed(Disposition::Retry, 1, told) };
        assert_eq!(after_failure(enough, &Patience::DEFAULT), AfterFailure::Say);
    }

    #[test]
    fn backs_off_two_four_eight_and_then_says_so() {
        for (attempt, seconds) in [(1, 2), (2, 4), (3, 8)] {
            let after = Duration::from_secs(seconds);
            assert_eq!(retry(attempt, None), AfterFailure::Retry { after, counts: true });
        }
        assert_eq!(retry(4, None), AfterFailure::Say);
    }

    #[test]
    fn waiting_as_told_uses_up_no_attempt_and_long_waits_are_parked() {
        let five = Duration::from_secs(5);
        assert_eq!(retry(4, Some(5)), AfterFailure::Retry { after: five, counts: false });
        let minute = Duration::from_secs(60);
        assert_eq!(retry(4, Some(60)), AfterFailure::Park { after: minute, counts: false });
        assert_eq!(retry(1, Some(25 * 3600)), AfterFailure::Say);
    }

    #[test]
    fn final_errors_are_never_tried_again() {
        for disposition in [Disposition::Reject, Disposition::Recover] {
            let failure = failed(disposition, 1, Some(Duration::from_secs(1)));
            assert_eq!(after_failure(failure, &Patience::DEFAULT), AfterFailure::Say);
        }
    }

    #[test]
    fn a_verdict_is_given_once_and_not_after_a_later_one() {
        let at = |run, round| Position { run, round };
        let said = |id: &str, run, round| Said { id: id.into(), position: at(run, round) };
        let id = verdict_id("j", Service::Inference, at(1, 0), None);
        assert_eq!(id, "j:inference:1.0");
        assert!(!already_said(&[], &id, at(1, 0)));
        assert!(already_said(&[said(&id, 1, 0)], &id, at(1, 0)));
        assert!(already_said(&[said("j:inference:2.0", 2, 0)], &id, at(1, 0)));
        assert!(!already_said(&[said(&id, 1, 0)], "j:inference:1.1", at(1, 1)));
        let answer = verdict_id("j", Service::Router, at(1, 0), Some(EventKind::Sanitized));
        assert!(!already_said(&[said("j:router:1.0:inference_failed", 1, 0)], &answer, at(1, 0)));
    }
}
