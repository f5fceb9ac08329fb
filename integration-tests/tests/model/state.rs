//! What the model checker remembers: the log, what the broker still owes, who is at work.

use millrace_contract::protocol::{Position, Said};
use millrace_contract::wire::{Job, Remedy};
use millrace_contract::{ErrorCode, EventKind, Service};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// The one job. Jobs do not meet in the protocol: ids, expected sequences and schedules all name theirs.
pub(crate) const JOB: &str = "j";
/// The one question that is asked about it.
pub(crate) const PROMPT: &str = "p";
/// Its tenant.
pub(crate) const TENANT: &str = "t";

/// A verdict in the log: the n-th that its speaker gave on this job. The broker's sequence numbers of a job in a
/// stream are these, as far as compare-and-set can tell.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    pub speaker: Service,
    pub nth: u8,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}'s verdict {}", self.speaker.name(), self.nth + 1)
    }
}

/// A verdict.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub id: String,
    pub kind: EventKind,
    pub at: Position,
    /// What it answers; for a replay, what it repeats.
    pub cause: Option<Place>,
    /// Why, for a failure and for an end that follows one.
    pub code: Option<ErrorCode>,
    /// Models that the router chose.
    pub models: Vec<String>,
    /// What it has ordered since: action and argument.
    pub remedies: Vec<(String, String)>,
}

impl Entry {
    /// The job as this event carries it.
    pub(crate) fn job(&self) -> Job {
        Job {
            id: JOB.to_owned(),
            tenant: TENANT.to_owned(),
            lane: "default".to_owned(),
            run: self.at.run,
            round: self.at.round,
            models: self.models.clone(),
            remedies: self.remedies.iter().map(remedy).collect(),
            ..Job::default()
        }
    }
}

fn remedy((action, argument): &(String, String)) -> Remedy {
    let (action, argument) = (action.clone(), argument.clone());
    Remedy { prompt: PROMPT.to_owned(), action, argument, ..Remedy::default() }
}

/// A message that a consumer may be given.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Message {
    /// The event inside.
    pub of: Place,
    /// 0 as published; otherwise it was parked, and this tells its parkings apart.
    pub ticket: u8,
    /// Tries that counted before it was parked; from 1.
    pub attempt: u32,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ticket {
            0 => write!(f, "{:?}", self.of),
            nth => write!(f, "{:?} due after parking {nth}", self.of),
        }
    }
}

/// What somebody works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Duty {
    /// A delivery, to the service that hears the event.
    Carry(Message),
    /// The router's, to answer for a message that the broker has given up on.
    Advise(Message),
    /// The operator's, to repeat an event as a new run.
    Replay(Place),
}

/// What the broker knows of a message that is not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Lease {
    pub delivered: u8,
    /// Whether the broker thinks that somebody works on it.
    pub held: bool,
}

/// Where a worker stands, between the steps that others can see. The rest of `runtime::deliver` and `Log::say` is one
/// with such a step: a process that dies before it has done anything might as well have died earlier, and one that
/// looks at the log late sees what it would else be told by a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Has looked at the log, or had no reason to.
    Working { seen: u8, attempt: u32 },
    /// Has a verdict to say, provided that its stream has not moved on from `seen`.
    Publishing { verdict: Arc<Entry>, seen: u8 },
    /// Has acknowledged what it still has to put aside; only a broken rule leads here.
    Parking { attempt: u32 },
}

/// Somebody at work. The lease may have gone to another meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Worker {
    pub duty: Duty,
    /// Which delivery; from 1.
    pub delivered: u8,
    pub step: Step,
}

/// Misfortunes left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Left {
    /// A process dies: its delivery is at once free for another.
    pub crashes: u8,
    /// The lease ends although the worker goes on.
    pub leases: u8,
    /// The process is told to stop and hands back.
    pub hand_backs: u8,
    /// The stage panics.
    pub panics: u8,
    /// The provider says to come back later than the lease should be held.
    pub parks: u8,
    /// A publish is stored, but its acknowledgement is lost.
    pub lost_acks: u8,
    /// A read of the log that does not show its last entry (a replica that lags).
    pub stale_reads: u8,
    /// An operator replays.
    pub replays: u8,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub log: BTreeMap<Service, Vec<Arc<Entry>>>,
    pub leases: BTreeMap<Duty, Lease>,
    /// By subject: a schedule replaces the one on the same subject.
    pub parked: BTreeMap<String, Message>,
    /// Sorted: which of two workers is called the first changes nothing.
    pub workers: Vec<Worker>,
    /// Runs that operators have claimed.
    pub claimed: BTreeSet<u32>,
    pub parkings: u8,
    pub left: Left,
}

impl State {
    pub(crate) fn entry(&self, place: Place) -> &Arc<Entry> {
        &self.log[&place.speaker][usize::from(place.nth)]
    }

    pub(crate) fn stream(&self, speaker: Service) -> &[Arc<Entry>] {
        self.log.get(&speaker).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn length(&self, speaker: Service) -> u8 {
        u8::try_from(self.stream(speaker).len()).unwrap_or(u8::MAX)
    }

    /// What a read shows of a stream, in the terms of the protocol.
    pub(crate) fn said(&self, speaker: Service, upto: u8) -> Vec<Said> {
        let seen = &self.stream(speaker)[..usize::from(upto)];
        seen.iter().map(|entry| Said { id: entry.id.clone(), position: entry.at }).collect()
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (Place, &Arc<Entry>)> {
        self.log.iter().flat_map(|(&speaker, entries)| {
            (0..).zip(entries).map(move |(nth, entry)| (Place { speaker, nth }, entry))
        })
    }

    pub(crate) fn latest_run(&self) -> u32 {
        self.entries().map(|(_, entry)| entry.at.run).max().unwrap_or(1)
    }

    /// Who speaks for whoever has this duty.
    pub(crate) fn speaker(&self, duty: Duty) -> Service {
        match duty {
            Duty::Carry(message) | Duty::Advise(message) => {
                self.entry(message.of).kind.listener().map_or(Service::Status, |hop| hop.service)
            }
            Duty::Replay(of) => of.speaker,
        }
    }

    /// Whether the broker holds something that brings this event before its listener again, or before the router.
    pub(crate) fn live(&self, of: Place) -> bool {
        let held = self.leases.keys().any(|duty| match duty {
            Duty::Carry(message) | Duty::Advise(message) => message.of == of,
            Duty::Replay(_) => false,
        });
        held || self.parked.values().any(|message| message.of == of)
    }
}
