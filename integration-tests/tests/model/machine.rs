//! What can happen next.

use super::rules::{Rules, Try};
use super::state::{Duty, Entry, Lease, Left, Place, State, Step, Worker};
use millrace_contract::protocol::{Patience, Position};
use millrace_contract::{EventKind, Service};
use stateright::{Model, Property};
use std::sync::Arc;

/// A configuration: where the job stands, what may go wrong, and how often.
#[derive(Clone)]
pub(crate) struct Protocol {
    pub rules: Rules,
    /// The last event in the log at the beginning.
    pub from: EventKind,
    pub max_deliver: u8,
    pub patience: Patience,
    /// What a try at the work of a service may come to.
    pub tries: fn(Service) -> &'static [Try],
    /// What an operator may replay.
    pub replays: &'static [EventKind],
    pub left: Left,
    pub properties: Vec<Property<Protocol>>,
}

/// A worker, by what he does and which delivery of it he has.
pub(crate) type Who = (Duty, u8);

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// The broker gives a message to a worker, who looks whether it is done already.
    Deliver(Duty, Luck),
    /// A lease ends although the worker goes on.
    LoseLease(Duty),
    /// A schedule is due.
    Fire(String),
    /// An operator begins a replay.
    Replay(Place),
    /// The process dies.
    Crash(Who),
    /// The process is told to stop.
    HandBack(Who),
    /// Works, and says what comes of it or puts it aside, and acknowledges.
    Work(Who, Try, Window, Luck),
    /// Says, once more or for another, and acknowledges.
    Publish(Who, Window, Luck),
    /// Puts aside what was acknowledged before.
    Park(Who),
}

/// Whether the broker still knows the ids of what it has stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    Open,
    Expired,
}

/// What goes wrong inside a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Luck {
    Good,
    /// It was stored, but nobody said so: it is published again.
    AnswerLost,
    /// It was stored, and the process died before it acknowledged; or it died before it had looked.
    Dies,
    /// The look at the log did not show the last entry.
    ReadLags,
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut state = State { left: self.left, ..State::default() };
        let at = Position { run: 1, round: 0 };
        let id = self.rules.verdict_id(Service::Intake, at, None, false);
        let kind = EventKind::Uploaded;
        let mut next = Arc::new(Entry {
            id,
            kind,
            at,
            cause: None,
            code: None,
            models: Vec::new(),
            remedies: Vec::new(),
        });
        loop {
            let kind = next.kind;
            let place = self.store(&mut state, next);
            if kind == self.from {
                return vec![state];
            }
            state.leases.clear();
            next = self.rules.verdict(&state, place, None);
        }
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let Left { crashes, leases, hand_backs, stale_reads, replays, .. } = state.left;
        for (&duty, lease) in &state.leases {
            if !lease.held {
                actions.push(Action::Deliver(duty, Luck::Good));
                if crashes > 0 {
                    actions.push(Action::Deliver(duty, Luck::Dies));
                }
                if stale_reads > 0 {
                    actions.push(Action::Deliver(duty, Luck::ReadLags));
                }
            } else if leases > 0 && find(state, (duty, lease.delivered)).is_some() {
                actions.push(Action::LoseLease(duty));
            }
        }
        actions.extend(state.parked.keys().cloned().map(Action::Fire));
        if replays > 0 {
            actions.extend(self.replays.iter().filter_map(|&kind| last(state, kind)).map(Action::Replay));
        }
        for worker in &state.workers {
            let who = (worker.duty, worker.delivered);
            if crashes > 0 {
                actions.push(Action::Crash(who));
            }
            if hand_backs > 0 && !matches!(worker.duty, Duty::Replay(_)) {
                actions.push(Action::HandBack(who));
            }
            let speaker = state.speaker(worker.duty);
            match &worker.step {
                Step::Working { attempt, .. } => {
                    for &what in (self.tries)(speaker) {
                        let Some(id) = self.would_say(state, worker.duty, what, *attempt) else { continue };
                        self.ways(state, speaker, id.as_deref(), |window, luck| {
                            actions.push(Action::Work(who, what, window, luck));
                        });
                    }
                }
                Step::Publishing { verdict, .. } => {
                    self.ways(state, speaker, Some(&verdict.id), |window, luck| {
                        actions.push(Action::Publish(who, window, luck));
                    });
                }
                Step::Parking { .. } => actions.push(Action::Park(who)),
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Deliver(duty, luck) => self.deliver(&mut state, duty, luck),
            Action::LoseLease(duty) => {
                state.left.leases -= 1;
                self.free(&mut state, duty);
            }
            Action::Fire(subject) => {
                let message = state.parked.remove(&subject)?;
                state.leases.insert(Duty::Carry(message), Lease { delivered: 0, held: false });
            }
            Action::Replay(of) => self.replay(&mut state, of),
            Action::Crash(who) => {
                let worker = remove(&mut state, who);
                self.die(&mut state, &worker);
            }
            Action::HandBack(who) => {
                state.left.hand_backs -= 1;
                let worker = remove(&mut state, who);
                self.free(&mut state, worker.duty);
            }
            Action::Work(who, what, window, luck) => {
                let worker = remove(&mut state, who);
                self.work(&mut state, worker, what, window, luck);
            }
            Action::Publish(who, window, luck) => {
                let worker = remove(&mut state, who);
                self.publish(&mut state, worker, window, luck);
            }
            Action::Park(who) => {
                let worker = remove(&mut state, who);
                self.park(&mut state, &worker, Luck::Good);
            }
        }
        state.workers.sort();
        // A step that changes nothing, or that luck had no part in.
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.properties.clone()
    }
}

fn find(state: &State, who: Who) -> Option<usize> {
    state.workers.iter().position(|worker| (worker.duty, worker.delivered) == who)
}

fn remove(state: &mut State, who: Who) -> Worker {
    let at = find(state, who).expect("a worker that acts is there");
    state.workers.remove(at)
}

/// The one of its kind that a replay repeats: of the last run and round.
fn last(state: &State, kind: EventKind) -> Option<Place> {
    let of_kind = state.entries().filter(|(_, entry)| entry.kind == kind);
    of_kind.max_by_key(|(_, entry)| entry.at).map(|(place, _)| place)
}
