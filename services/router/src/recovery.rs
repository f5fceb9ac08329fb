//! What happens after a failed verdict: one table, read from left to right until something is left that has not been
//! tried.

use millrace_contract::remedy::{self, Treatment};
use millrace_contract::wire::{Fault, Job, Remedy, StageFailed};
use millrace_contract::{Action, Disposition, ErrorCode, Service};

/// Recoveries that a prompt has in one run; other models, tiers, corrections and waits do not count.
pub const MAX_RECOVERIES: usize = 2;
/// Times that a run waits for its providers; with [`LONGEST_WAIT`] that is a day and a bit.
pub const MAX_WAITS: usize = 100;
/// Rounds in one run, whatever happens: nothing loops for ever.
pub const MAX_ROUNDS: u32 = 400;
/// The longest single wait, seconds.
pub const LONGEST_WAIT: u64 = 900;

/// What the router does about a failure.
#[derive(Debug, Clone, PartialEq)]
pub enum Recovery {
    /// Another round, in which prompts are asked differently.
    Again {
        /// One for each failing prompt.
        remedies: Vec<Remedy>,
        /// How long it waits first, milliseconds.
        wait_ms: u64,
    },
    /// The document is at fault.
    Reject,
    /// We or a provider are; an operator can redrive it.
    GiveUp,
}

/// One thing to try.
#[derive(Debug, Clone, Copy)]
enum Try {
    /// An action that needs no argument, or one that is always the same.
    This(Action),
    /// The next model of the chain that has not failed.
    NextModel,
    /// The next model for documents that are too long for others.
    NextLongModel,
    /// The next model for documents that others block.
    NextPolicyModel,
    /// Twice as many parts as before, up to this many.
    MoreParts(u32),
    /// What a small model advises, if it is on the list.
    Advice,
    /// Waits, and begins with the first model again.
    Wait,
}

use Action as A;
use ErrorCode as E;
use Try::{Advice, MoreParts, NextLongModel, NextModel, NextPolicyModel, This, Wait};

/// What is tried about each error of a prompt, in this order. An error without a row ends the run.
const TABLE: &[(ErrorCode, &[Try])] = &[
    (E::ProviderUnreachable, &[NextModel, Wait]),
    (E::ProviderTimeout, &[NextModel, Wait]),
    (E::ProviderOverloaded, &[This(A::StandardTier), NextModel, Wait]),
    (E::ProviderForeign, &[NextModel, Wait]),
    (E::ProviderRateLimited, &[This(A::StandardTier), NextModel, Wait]),
    (E::ProviderQuota, &[NextModel, Wait]),
    (E::ProviderAuth, &[NextModel]),
    (E::ProviderNotConfigured, &[NextModel]),
    (E::ModelUnknown, &[NextModel]),
    (E::ProviderRefused, &[Advice, This(A::SimplifySchema), This(A::JsonMode), NextModel]),
    (E::SchemaTooComplex, &[This(A::SimplifySchema), This(A::JsonMode), NextModel]),
    (E::ContextTooLong, &[NextLongModel, This(A::Shorten), MoreParts(32)]),
    (E::AnswerTruncated, &[This(A::RaiseOutputLimit), MoreParts(4), This(A::LowerThinking), NextModel]),
    (E::ContentBlocked, &[This(A::Rephrase), NextPolicyModel, This(A::RedactMore), NextModel]),
    (E::AnswerBlocked, &[This(A::Rephrase), NextPolicyModel, This(A::RedactMore), NextModel]),
    (E::AnswerRecited, &[This(A::EvidenceIdsOnly), NextModel, NextPolicyModel]),
    (E::AnswerEmpty, &[This(A::Again), NextModel]),
    (E::AnswerMalformed, &[This(A::ReAsk), NextModel, This(A::JsonMode)]),
    (E::AnswerInvalid, &[This(A::ReAsk), NextModel, This(A::SimplifySchema)]),
    (E::AnswerInconsistent, &[This(A::ReAsk)]),
    (E::Internal, &[Advice]),
];

/// How much an operator lets the router do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How far it goes.
    pub scope: Scope,
    /// First pause when nobody is left to ask, seconds; doubles each time.
    pub first_wait: u64,
}

/// See [`Policy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scope {
    /// A failure of inference ends the run.
    Off,
    /// Other models and tiers are asked.
    Fallback,
    /// The whole table.
    All,
}

impl Scope {
    fn covers(self, step: Try) -> bool {
        match self {
            Scope::Off => false,
            Scope::Fallback => {
                matches!(step, NextModel | NextLongModel | NextPolicyModel | This(A::StandardTier))
            }
            Scope::All => true,
        }
    }
}

/// Decides what happens after this failure.
pub fn recover(stage: Service, failure: &StageFailed, job: &Job, policy: Policy) -> Recovery {
    let code = ErrorCode::named(&failure.code);
    if code.disposition() == Disposition::Reject {
        return Recovery::Reject;
    }
    let asked_a_model = matches!(stage, Service::Inference | Service::Validation);
    if !asked_a_model || failure.faults.is_empty() || job.round >= MAX_ROUNDS {
        return Recovery::GiveUp;
    }
    let mut remedies = Vec::with_capacity(failure.faults.len());
    for fault in &failure.faults {
        match remedy(fault, job, policy) {
            Some(remedy) => remedies.push(Remedy { round: job.round + 1, ..remedy }),
            None => return Recovery::GiveUp,
        }
    }
    // Prompts wait together: the longest wait is everybody's.
    let waits = remedies.iter().filter(|remedy| remedy.action == A::Wait.name());
    let wait = waits.filter_map(|remedy| remedy.argument.parse::<u64>().ok()).max().unwrap_or(0);
    Recovery::Again { remedies, wait_ms: wait * 1000 }
}

/// The first thing on the error's list that has not been tried for this prompt.
fn remedy(fault: &Fault, job: &Job, policy: Policy) -> Option<Remedy> {
    let code = ErrorCode::named(&fault.code);
    let (_, ladder) = TABLE.iter().find(|(listed, _)| *listed == code)?;
    let before = remedy::concerning(job, &fault.prompt, fault.part);
    ladder.iter().filter(|step| policy.scope.covers(**step)).find_map(|step| {
        let (action, argument) = choose(*step, fault, job, &before, policy.first_wait)?;
        let remedy = Remedy {
            prompt: fault.prompt.clone(),
            action: action.name().to_owned(),
            argument,
            code: fault.code.clone(),
            at: if action == A::ReAsk { fault.at.clone() } else { Vec::new() },
            part: fault.part,
            whole: fault.whole,
            ..Remedy::default()
        };
        Some(remedy).filter(|remedy| allowed(action, remedy, &before, job))
    })
}

/// What a step comes to for this prompt; `None` if there is nothing left of it.
fn choose(
    step: Try,
    fault: &Fault,
    job: &Job,
    before: &[&Remedy],
    first_wait: u64,
) -> Option<(Action, String)> {
    let switch = |alias: Option<String>| alias.map(|alias| (A::SwitchModel, alias));
    match step {
        This(A::StandardTier) if job.tier.is_empty() => None,
        This(A::RaiseOutputLimit) => Some((A::RaiseOutputLimit, "2".to_owned())),
        // A correction is asked of whoever gave the answer; a new model has not given one.
        This(action) => Some((action, String::new())),
        NextModel => switch(next(&job.models, fault, job, before)),
        NextLongModel => switch(next(&job.long_models, fault, job, before)),
        NextPolicyModel => switch(next(&job.policy_models, fault, job, before)),
        MoreParts(most) => {
            let parts = twice_the_parts(fault, job);
            (parts <= most).then(|| (A::Split, parts.to_string()))
        }
        Advice => Action::named(&fault.advice).filter(|action| *action != A::Wait).map(|action| {
            let argument = match action {
                A::Split => twice_the_parts(fault, job).to_string(),
                A::RaiseOutputLimit => "2".to_owned(),
                A::SwitchModel => next(&job.models, fault, job, before).unwrap_or_default(),
                _ => String::new(),
            };
            (action, argument)
        }),
        Wait => {
            let waits = before.iter().filter(|remedy| remedy.action == A::Wait.name()).count();
            let seconds = first_wait.saturating_mul(1 << waits.min(16)).min(LONGEST_WAIT.max(first_wait));
            (waits < MAX_WAITS).then(|| (A::Wait, seconds.to_string()))
        }
    }
}

/// A document that was too long for one question had parts before anybody ordered any.
fn twice_the_parts(fault: &Fault, job: &Job) -> u32 {
    Treatment::of(job, &fault.prompt, fault.part).parts.max(fault.parts).max(1) * 2
}

/// The next model of a list that this prompt has not been asked of since it last waited, and that has not proved
/// useless for good.
fn next(list: &[String], fault: &Fault, job: &Job, before: &[&Remedy]) -> Option<String> {
    let since = before.iter().rposition(|remedy| remedy.action == A::Wait.name()).map_or(0, |at| at + 1);
    let now = Treatment::of(job, &fault.prompt, fault.part).model;
    let first = job.models.first().map(String::as_str);
    list.iter()
        .find(|alias| {
            let alias = alias.as_str();
            let asked = alias == now
                // Where a prompt begins, at first and after each wait.
                || Some(alias) == first
                || before[since..].iter().any(|remedy| remedy.argument == alias && remedy.action == A::SwitchModel.name());
            !asked && !useless(alias, before, first)
        })
        .cloned()
}

/// Whether a model was left for a reason that a wait does not mend.
fn useless(alias: &str, before: &[&Remedy], first: Option<&str>) -> bool {
    let mut asked = first;
    for remedy in before {
        let left_for_good = matches!(
            ErrorCode::named(&remedy.code),
            E::ModelUnknown | E::ProviderAuth | E::ProviderNotConfigured | E::ProviderRefused
        );
        match Action::named(&remedy.action) {
            Some(A::SwitchModel) => {
                if left_for_good && asked == Some(alias) {
                    return true;
                }
                asked = Some(&remedy.argument);
            }
            Some(A::Wait) => asked = first,
            _ => {}
        }
    }
    false
}

/// Never the same action with the same argument twice for a part; no more than two kinds of recovery for a prompt (more
/// parts are the same kind). Models may be tried again after a wait, and each may be asked once to correct a part, or to
/// answer in a simpler form.
fn allowed(action: Action, remedy: &Remedy, before: &[&Remedy], job: &Job) -> bool {
    let same = |other: &&&Remedy| {
        other.action == remedy.action && other.argument == remedy.argument && other.part == remedy.part
    };
    let switched = before.iter().rposition(|other| other.action == A::SwitchModel.name());
    let since = switched.map_or(0, |at| at + 1);
    match action {
        A::SwitchModel => !remedy.argument.is_empty(),
        A::Wait => true,
        A::ReAsk | A::Again => {
            before[since..].iter().filter(same).count() == 0
                && before.iter().filter(same).count() < MAX_RECOVERIES
        }
        _ => {
            let again = |other: &&Remedy| other.action == remedy.action && other.argument == remedy.argument;
            let before = if action.suits_a_model() { &before[since..] } else { before };
            let all = job.remedies.iter().filter(|other| other.prompt == remedy.prompt);
            let counted = all.filter_map(|other| Action::named(&other.action));
            let mut kinds: Vec<Action> = counted.filter(|action| action.counts()).chain([action]).collect();
            kinds.sort();
            kinds.dedup();
            !before.iter().any(again) && kinds.len() <= MAX_RECOVERIES
        }
    }
}

#[cfg(test)]
#[path = "recovery_tests.rs"]
mod tests;
