//! The steps of the workers, after `runtime::deliver`, `runtime::log`, `runtime::advisories` and `runtime::replay`, and
//! what the broker does about them.

use super::machine::{Luck, Protocol, Window};
use super::rules::{Broken, Try};
use super::state::{Duty, Entry, Lease, Message, Place, State, Step, Worker};
use millrace_contract::protocol::{self, AfterFailure, AfterPanic, AfterPublish, Failure};
use millrace_contract::protocol::{Position, Published};
use millrace_contract::{ErrorCode, Service};
use std::sync::Arc;
use std::time::Duration;

impl Protocol {
    /// `Carrier::deliver` up to the work; `advisories::answer` up to the saying.
    pub(crate) fn deliver(&self, state: &mut State, duty: Duty, luck: Luck) {
        let Some(lease) = state.leases.get_mut(&duty) else { return };
        (lease.delivered, lease.held) = (lease.delivered + 1, true);
        let delivered = lease.delivered;
        let (Duty::Carry(message) | Duty::Advise(message)) = duty else { return };
        let worker = |step| Worker { duty, delivered, step };
        let attempt = message.attempt;
        if luck == Luck::Dies {
            return self.die(state, &worker(Step::Working { seen: 0, attempt }));
        }
        let heard = state.entry(message.of);
        let begins = heard.at == Position { run: 1, round: 0 };
        if matches!(duty, Duty::Carry(_)) && delivered == 1 && message.ticket == 0 && begins {
            // Almost certainly nothing yet: no look.
            return state.workers.push(worker(Step::Working { seen: 0, attempt }));
        }
        let speaker = state.speaker(duty);
        let id = self.rules.verdict_id(speaker, heard.at, Some(heard.kind), false);
        let Some(seen) = self.look(state, speaker, &id, heard.at, luck) else {
            state.leases.remove(&duty);
            return;
        };
        let step = match duty {
            Duty::Advise(_) => {
                let verdict = self.rules.verdict(state, message.of, Some(ErrorCode::DeliveriesExhausted));
                Step::Publishing { verdict, seen }
            }
            _ => Step::Working { seen, attempt },
        };
        state.workers.push(worker(step));
    }

    /// Reads what a service has said: `None` if that is it, otherwise how far its stream has got.
    fn look(&self, state: &mut State, speaker: Service, id: &str, at: Position, luck: Luck) -> Option<u8> {
        let lags = u8::from(luck == Luck::ReadLags);
        state.left.stale_reads -= lags;
        let seen = state.length(speaker).saturating_sub(lags);
        (!self.rules.already_said(&state.said(speaker, seen), id, at)).then_some(seen)
    }

    /// The loop in `Carrier::deliver`, once around, and what follows.
    pub(crate) fn work(&self, state: &mut State, worker: Worker, what: Try, window: Window, luck: Luck) {
        let (Duty::Carry(message), &Step::Working { seen, attempt }) = (worker.duty, &worker.step) else {
            unreachable!("only deliveries are worked on")
        };
        let failed = match what {
            Try::Done => None,
            Try::Panicked => {
                state.left.panics -= 1;
                match protocol::after_panic(u32::from(worker.delivered), u32::from(self.max_deliver)) {
                    AfterPanic::HandBack => return self.free(state, worker.duty),
                    AfterPanic::Say => Some(ErrorCode::StagePanicked),
                }
            }
            Try::Failed(code, told) => match self.after_failure(code, told, attempt) {
                AfterFailure::Say => Some(code),
                AfterFailure::Retry { counts, .. } => {
                    let step = Step::Working { seen, attempt: attempt + u32::from(counts) };
                    return state.workers.push(Worker { step, ..worker });
                }
                AfterFailure::Park { counts, .. } => {
                    state.left.parks -= 1;
                    let worker =
                        Worker { step: Step::Parking { attempt: attempt + u32::from(counts) }, ..worker };
                    if self.rules.broken == Broken::AcknowledgeBeforeParking {
                        state.leases.remove(&worker.duty);
                        return state.workers.push(worker);
                    }
                    return self.park(state, &worker, luck);
                }
            },
        };
        let verdict = self.rules.verdict(state, message.of, failed);
        let worker = Worker { step: Step::Publishing { verdict, seen }, ..worker };
        if self.rules.broken == Broken::AcknowledgeBeforePublish {
            state.leases.remove(&worker.duty);
            return state.workers.push(worker);
        }
        self.publish(state, worker, window, luck);
    }

    /// `Carrier::park`.
    pub(crate) fn park(&self, state: &mut State, worker: &Worker, luck: Luck) {
        let (Duty::Carry(message), &Step::Parking { attempt }) = (worker.duty, &worker.step) else {
            unreachable!("only deliveries are parked")
        };
        state.parkings += 1;
        let on = self.rules.parked(state, message);
        state.parked.insert(on, Message { ticket: state.parkings, attempt, ..message });
        self.settle(state, worker, luck);
    }

    /// The id that would be published after this try, if one would be; `None` if the try cannot be afforded.
    pub(crate) fn would_say(
        &self,
        state: &State,
        duty: Duty,
        what: Try,
        attempt: u32,
    ) -> Option<Option<String>> {
        let Duty::Carry(message) = duty else { return None };
        let heard = state.entry(message.of);
        let id = |failure| {
            Some(Some(self.rules.verdict_id(state.speaker(duty), heard.at, Some(heard.kind), failure)))
        };
        match what {
            Try::Done => id(false),
            Try::Panicked if state.left.panics == 0 => None,
            Try::Panicked => id(true),
            Try::Failed(code, told) => match self.after_failure(code, told, attempt) {
                AfterFailure::Say => id(true),
                AfterFailure::Park { .. } if state.left.parks == 0 => None,
                _ => Some(None),
            },
        }
    }

    /// The ways in which a publish, or a parking, can go.
    pub(crate) fn ways(
        &self,
        state: &State,
        to: Service,
        id: Option<&str>,
        mut way: impl FnMut(Window, Luck),
    ) {
        let known = id.is_some_and(|id| state.stream(to).iter().any(|entry| entry.id == id));
        for window in [Window::Open, Window::Expired] {
            if window == Window::Expired && !known {
                continue;
            }
            way(window, Luck::Good);
            if state.left.crashes > 0 {
                way(window, Luck::Dies);
            }
            if state.left.lost_acks > 0 {
                way(window, Luck::AnswerLost);
            }
            if state.left.stale_reads > 0 {
                way(window, Luck::ReadLags);
            }
        }
    }

    /// `Log::say`, once around.
    pub(crate) fn publish(&self, state: &mut State, worker: Worker, window: Window, luck: Luck) {
        let Step::Publishing { verdict, seen } = worker.step.clone() else { unreachable!() };
        let speaker = state.speaker(worker.duty);
        let known = state.stream(speaker).iter().any(|entry| entry.id == verdict.id);
        let published = if known && window == Window::Open {
            Published::Duplicate
        } else if seen == state.length(speaker) || self.rules.broken == Broken::NoCompareAndSet {
            self.store(state, Arc::clone(&verdict));
            Published::Stored
        } else {
            Published::Conflict
        };
        if published == Published::Stored && luck == Luck::AnswerLost {
            state.left.lost_acks -= 1;
            return state.workers.push(worker);
        }
        match self.rules.after_publish(published) {
            AfterPublish::Settle => self.settle(state, &worker, luck),
            AfterPublish::LookAgain => match self.look(state, speaker, &verdict.id, verdict.at, luck) {
                None => self.settle(state, &worker, luck),
                Some(seen) => {
                    state.workers.push(Worker { step: Step::Publishing { verdict, seen }, ..worker });
                }
            },
        }
    }

    /// The consequence is in the log: acknowledged, unless the process dies first.
    fn settle(&self, state: &mut State, worker: &Worker, luck: Luck) {
        if luck == Luck::Dies {
            self.die(state, worker);
        } else {
            state.leases.remove(&worker.duty);
        }
    }

    /// The process is gone. If the lease is still its own, the message can be had again.
    pub(crate) fn die(&self, state: &mut State, worker: &Worker) {
        state.left.crashes -= 1;
        let lease = state.leases.get(&worker.duty);
        if lease.is_some_and(|lease| lease.held && lease.delivered == worker.delivered) {
            self.free(state, worker.duty);
        }
    }

    /// `Operator::again`.
    pub(crate) fn replay(&self, state: &mut State, of: Place) {
        state.left.replays -= 1;
        let claimed = match self.rules.broken {
            Broken::RunsAreNotClaimed => 0,
            _ => state.claimed.last().copied().unwrap_or(0),
        };
        let run = state.latest_run().max(claimed) + 1;
        state.claimed.insert(run);
        let verdict = self.rules.again(state, of, run);
        let step = Step::Publishing { verdict, seen: state.length(of.speaker) };
        state.workers.push(Worker { duty: Duty::Replay(of), delivered: state.left.replays, step });
    }

    /// Puts a verdict into the log, and before whoever hears it.
    pub(crate) fn store(&self, state: &mut State, verdict: Arc<Entry>) -> Place {
        let speaker = verdict.kind.speaker();
        let of = Place { speaker, nth: state.length(speaker) };
        if verdict.kind.listener().is_some() {
            let message = Message { of, ticket: 0, attempt: 1 };
            state.leases.insert(Duty::Carry(message), Lease { delivered: 0, held: false });
        }
        state.log.entry(speaker).or_default().push(verdict);
        of
    }

    /// A lease ends: the message can be had again, or the broker gives up on it and says so.
    pub(crate) fn free(&self, state: &mut State, duty: Duty) {
        let Some(lease) = state.leases.get_mut(&duty) else { return };
        let endless = matches!(duty, Duty::Advise(_)) && self.rules.broken != Broken::AdvisoriesRunOut;
        if endless || lease.delivered < self.max_deliver {
            lease.held = false;
            return;
        }
        state.leases.remove(&duty);
        if let Duty::Carry(message) = duty
            && self.rules.broken != Broken::NobodyHearsAdvisories
        {
            state.leases.insert(Duty::Advise(message), Lease { delivered: 0, held: false });
        }
    }

    fn after_failure(&self, code: ErrorCode, told: Option<u64>, attempt: u32) -> AfterFailure {
        let (disposition, told) = (code.disposition(), told.map(Duration::from_secs));
        let failure = Failure {
            disposition,
            attempt,
            told,
            waited: Duration::ZERO,
            dice: 1.0,
            exhausted: false,
            yields: false,
        };
        protocol::after_failure(failure, &self.patience)
    }
}
