//! The protocol as the model calls it: the real functions, unless one rule is broken on purpose.

use super::state::{Duty, Entry, JOB, Message, PROMPT, Place, State, TENANT};
use millrace_contract::protocol::{self, AfterPublish, Position, Published, Said};
use millrace_contract::subject::{self, Subject};
use millrace_contract::wire::fact::Kind;
use millrace_contract::wire::{self, Dead, Fault, StageFailed};
use millrace_contract::{ErrorCode, EventKind, Service, event};
use millrace_router::Router;
use millrace_stage::Decider as _;
use std::sync::Arc;

/// The rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    Nothing,
    /// What was heard is acknowledged before its consequence is published.
    AcknowledgeBeforePublish,
    /// The same, for what is put aside.
    AcknowledgeBeforeParking,
    /// Nothing but the duplicate window stands between two verdicts.
    NoCompareAndSet,
    /// After a conflict it is published again without a look at what was said.
    IgnoreAlreadySaid,
    /// A conflict counts as "somebody has said it".
    ConflictMeansSaid,
    /// Success and failure have ids of their own.
    FailureHasItsOwnId,
    /// A recovery's verdicts have the ids of the round before.
    IdWithoutRound,
    /// A replay's verdicts have the ids of the run before.
    IdWithoutRun,
    /// The router gives one verdict a round, not one on each thing it hears.
    RouterIdWithoutHeard,
    /// A recovery does not begin a round.
    RecoveryKeepsRound,
    /// The router passes over the broker's alarms.
    NobodyHearsAdvisories,
    /// Alarms are given up on after as many deliveries as anything else.
    AdvisoriesRunOut,
    /// Whatever waits of a job waits on the same subject.
    OneScheduleForAll,
    /// Operators take the next run without claiming it.
    RunsAreNotClaimed,
}

/// What a try at the work came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Try {
    Done,
    /// Failed with this code; told to come back in so many seconds.
    Failed(ErrorCode, Option<u64>),
    Panicked,
}

#[derive(Clone)]
pub(crate) struct Rules {
    pub router: Arc<Router>,
    pub broken: Broken,
}

impl Rules {
    pub(crate) fn verdict_id(
        &self,
        speaker: Service,
        mut at: Position,
        heard: Option<EventKind>,
        failure: bool,
    ) -> String {
        match self.broken {
            Broken::IdWithoutRound => at.round = 0,
            Broken::IdWithoutRun => at.run = 1,
            Broken::FailureHasItsOwnId if failure => {
                return protocol::verdict_id(JOB, speaker, at, heard) + ":failed";
            }
            Broken::RouterIdWithoutHeard => return protocol::verdict_id(JOB, speaker, at, None),
            _ => {}
        }
        protocol::verdict_id(JOB, speaker, at, heard)
    }

    pub(crate) fn already_said(&self, said: &[Said], id: &str, at: Position) -> bool {
        self.broken != Broken::IgnoreAlreadySaid && protocol::already_said(said, id, at)
    }

    pub(crate) fn after_publish(&self, published: Published) -> AfterPublish {
        match self.broken {
            Broken::ConflictMeansSaid => AfterPublish::Settle,
            _ => protocol::after_publish(published),
        }
    }

    /// The subject on which a message waits.
    pub(crate) fn parked(&self, state: &State, message: Message) -> String {
        let entry = state.entry(message.of);
        let heard = Subject { event: entry.kind, lane: "default", tenant: TENANT, job: JOB }.to_string();
        let came = if message.ticket == 0 { heard } else { subject::due(&heard) };
        let speaker = state.speaker(Duty::Carry(message));
        let id = self.verdict_id(speaker, entry.at, Some(entry.kind), false);
        let on = subject::parked(&came, &id);
        match self.broken {
            Broken::OneScheduleForAll => on.rsplit_once('.').map_or(String::new(), |(on, _)| on.to_owned()),
            _ => on,
        }
    }

    /// The verdict of whoever hears this event, on a success (`None`) or a failure.
    pub(crate) fn verdict(&self, state: &State, on: Place, failed: Option<ErrorCode>) -> Arc<Entry> {
        let heard = state.entry(on);
        let hop = heard.kind.listener().expect("an end is not answered");
        let mut job = heard.job();
        let (fact, code) = match failed {
            Some(code) => (failed_verdict(hop.service, code), Some(code)),
            None if hop.service == Service::Router => {
                let decision = self.router.decide(&job, &fact(heard));
                if self.broken != Broken::RecoveryKeepsRound {
                    job.round = decision.round;
                }
                (decision.fact, heard.code)
            }
            None => (success(hop.says[0]), None),
        };
        event::absorb(&mut job, &fact);
        Arc::new(Entry {
            id: self.verdict_id(hop.service, heard.at, Some(heard.kind), failed.is_some()),
            kind: event::kind_of(&fact),
            at: Position { run: job.run, round: job.round },
            cause: Some(on),
            code,
            models: job.models,
            remedies: job.remedies.into_iter().map(|remedy| (remedy.action, remedy.argument)).collect(),
        })
    }

    /// The first event of a new run, as the operator says it.
    pub(crate) fn again(&self, state: &State, of: Place, run: u32) -> Arc<Entry> {
        let entry = state.entry(of);
        let at = Position { run, round: 0 };
        let heard = (of.speaker == Service::Router).then_some(EventKind::Sanitized);
        let id = self.verdict_id(of.speaker, at, heard, false);
        Arc::new(Entry { id, at, cause: Some(of), ..Entry::clone(entry) })
    }
}

/// The fact in an event that the router hears.
fn fact(entry: &Entry) -> Kind {
    match entry.code {
        Some(code) if entry.kind.is_failure() => failed_verdict(entry.kind.speaker(), code),
        _ => success(entry.kind),
    }
}

/// As `runtime::deliver::verdict_on`: the router, which nobody answers, ends the run.
fn failed_verdict(service: Service, code: ErrorCode) -> Kind {
    let fault = Fault { prompt: PROMPT.to_owned(), code: code.name().to_owned(), ..Fault::default() };
    let faults = vec![fault];
    let failure = StageFailed { code: code.name().to_owned(), faults, ..StageFailed::default() };
    event::failed(service, failure).unwrap_or_else(|| {
        let stage = service.name().to_owned();
        Kind::Dead(Dead { code: code.name().to_owned(), stage, ..Dead::default() })
    })
}

fn success(kind: EventKind) -> Kind {
    match kind {
        EventKind::Uploaded => wire::Uploaded::default().into(),
        EventKind::Extracted => wire::Extracted::default().into(),
        EventKind::Sanitized => wire::Sanitized::default().into(),
        EventKind::Inferred => wire::Inferred::default().into(),
        EventKind::Completed => wire::Completed::default().into(),
        other => unreachable!("{other:?} is the router's, or no success"),
    }
}
