//! What must hold in every state, and what must be possible at all (else the rest would mean nothing).

use super::machine::Protocol;
use super::state::{JOB, State};
use millrace_contract::{ErrorCode, EventKind, Service, protocol};
use stateright::Property;
use std::collections::BTreeSet;

pub(crate) const ONE_END: &str = "a run has one end at most";
pub(crate) const ONE_VERDICT: &str =
    "a service gives one verdict a round, the router one on each thing it hears";
pub(crate) const NO_BRANCH: &str = "an event has one consequence at most";
pub(crate) const ANSWERED: &str = "an event has its consequence, or was overtaken, or is live";
pub(crate) const GOES_ON: &str = "the latest run has its end, or a live message that leads there";
pub(crate) const RESTS: &str = "it comes to rest, with an end to the latest run";

/// What must hold.
pub(crate) fn rules() -> Vec<Property<Protocol>> {
    vec![
        Property::always(ONE_END, |_, state: &State| {
            let ends: Vec<u32> = ends(state).collect();
            ends.iter().collect::<BTreeSet<_>>().len() == ends.len()
        }),
        Property::always(ONE_VERDICT, |_, state: &State| {
            let mut seen = BTreeSet::new();
            state.entries().all(|(place, entry)| {
                let key = match (place.speaker, entry.cause.map(|cause| state.entry(cause))) {
                    (Service::Router, Some(heard)) if heard.at.run == entry.at.run => {
                        (heard.at, Some(heard.kind))
                    }
                    _ => (entry.at, None),
                };
                seen.insert((place.speaker, key))
            })
        }),
        Property::always(NO_BRANCH, |_, state: &State| {
            let mut seen = BTreeSet::new();
            state
                .entries()
                .all(|(_, entry)| entry.cause.is_none() || seen.insert((entry.cause, entry.at.run)))
        }),
        Property::always(ANSWERED, |_, state: &State| {
            state.entries().all(|(place, entry)| {
                let Some(hop) = entry.kind.listener() else { return true };
                let answers = state.stream(hop.service);
                answers.iter().any(|answer| answer.cause == Some(place) || answer.at > entry.at)
                    || state.live(place)
            })
        }),
        Property::always(GOES_ON, |_, state: &State| {
            let run = state.latest_run();
            ends(state).any(|end| end == run)
                || state.entries().any(|(place, entry)| {
                    let Some(hop) = entry.kind.listener() else { return false };
                    if entry.at.run != run || !state.live(place) {
                        return false;
                    }
                    let said = state.said(hop.service, state.length(hop.service));
                    let id = protocol::verdict_id(JOB, hop.service, entry.at, Some(entry.kind));
                    !protocol::already_said(&said, &id, entry.at)
                })
        }),
        Property::eventually(RESTS, |_, state: &State| {
            let rests = state.leases.is_empty() && state.parked.is_empty() && state.workers.is_empty();
            rests && ends(state).any(|end| end == state.latest_run())
        }),
    ]
}

fn ends(state: &State) -> impl Iterator<Item = u32> + '_ {
    state.entries().filter(|(_, entry)| entry.kind.is_end()).map(|(_, entry)| entry.at.run)
}

/// What must be possible.
pub(crate) mod possible {
    use super::{ErrorCode, EventKind, Property, Protocol, State, ends};

    fn any(state: &State, kind: EventKind, run: u32, round: u32) -> bool {
        state.entries().any(|(_, entry)| (entry.kind, entry.at.run, entry.at.round) == (kind, run, round))
    }

    pub(crate) fn completes() -> Property<Protocol> {
        Property::sometimes("it completes", |_, state: &State| any(state, EventKind::Completed, 1, 0))
    }
    pub(crate) fn recovers() -> Property<Protocol> {
        Property::sometimes("a second model completes it", |_, state: &State| {
            any(state, EventKind::Completed, 1, 1)
        })
    }
    pub(crate) fn recovers_twice() -> Property<Protocol> {
        Property::sometimes("a third model completes it", |_, state: &State| {
            any(state, EventKind::Completed, 1, 2)
        })
    }
    pub(crate) fn dies_after_two_rounds() -> Property<Protocol> {
        Property::sometimes("it dies in the last round", |_, state: &State| any(state, EventKind::Dead, 1, 2))
    }
    pub(crate) fn rejects() -> Property<Protocol> {
        Property::sometimes("it is rejected", |_, state: &State| any(state, EventKind::Rejected, 1, 0))
    }
    pub(crate) fn replays() -> Property<Protocol> {
        Property::sometimes("both runs complete", |_, state: &State| {
            any(state, EventKind::Completed, 1, 0) && any(state, EventKind::Completed, 2, 0)
        })
    }
    pub(crate) fn overtakes() -> Property<Protocol> {
        Property::sometimes("the replay overtakes the run", |_, state: &State| {
            let rests = state.leases.is_empty() && state.parked.is_empty() && state.workers.is_empty();
            rests && ends(state).any(|run| run == 2) && !ends(state).any(|run| run == 1)
        })
    }
    pub(crate) fn replays_twice() -> Property<Protocol> {
        Property::sometimes("two replays complete", |_, state: &State| {
            any(state, EventKind::Completed, 2, 0) && any(state, EventKind::Completed, 3, 0)
        })
    }
    pub(crate) fn waits() -> Property<Protocol> {
        Property::sometimes("what was parked completes", |_, state: &State| {
            state.parkings > 0 && any(state, EventKind::Completed, 1, 0)
        })
    }
    pub(crate) fn poison() -> Property<Protocol> {
        Property::sometimes("the router answers for a service that died", |_, state: &State| {
            let exhausted = Some(ErrorCode::DeliveriesExhausted);
            state.entries().any(|(_, entry)| entry.kind == EventKind::Dead && entry.code == exhausted)
        })
    }
    pub(crate) fn panics() -> Property<Protocol> {
        Property::sometimes("a panic is said in the end", |_, state: &State| {
            state.entries().any(|(_, entry)| entry.code == Some(ErrorCode::StagePanicked))
        })
    }
}
