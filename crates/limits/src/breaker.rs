//! Circuit breaker: a model that fails again and again is left alone for a while, so that its jobs go to another at
//! once instead of waiting for what does not come.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Outcomes looked at.
const WINDOW: usize = 20;
/// Outcomes older than this say nothing.
const AGE: Duration = Duration::from_secs(30);
/// So many failures, and half of all outcomes, open the circuit.
const FAILURES: usize = 5;
/// First pause; doubles while probes fail.
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(120);

/// The circuits of one process, by model.
#[derive(Debug, Default)]
pub struct Breakers(Mutex<HashMap<String, Circuit>>);

#[derive(Debug, Default)]
struct Circuit {
    outcomes: VecDeque<(Instant, bool)>,
    open_until: Option<Instant>,
    pause: Duration,
    probing: Option<Instant>,
}

/// What a circuit says to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Go on.
    Closed,
    /// Go on: whether the others may follow depends on you.
    Probe,
    /// Do not ask for so long.
    Open(Duration),
}

impl Breakers {
    /// Whether a call may be made now.
    pub fn gate(&self, model: &str, now: Instant) -> Gate {
        let mut circuits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(circuit) = circuits.get_mut(model) else { return Gate::Closed };
        let Some(until) = circuit.open_until else { return Gate::Closed };
        if now < until {
            return Gate::Open(until - now);
        }
        // One probe at a time; one that never came back stands in the way no longer than a pause.
        match circuit.probing {
            Some(since) if now - since < LONGEST => Gate::Open(FIRST.min(LONGEST - (now - since))),
            _ => {
                circuit.probing = Some(now);
                Gate::Probe
            }
        }
    }

    /// Tells how a call ended: whether the provider was there.
    pub fn tell(&self, model: &str, there: bool, now: Instant) {
        let mut circuits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let circuit = circuits.entry(model.to_owned()).or_default();
        if there {
            if circuit.open_until.is_some() {
                tracing::info!(model, "the circuit closes");
                *circuit = Circuit::default();
            }
        } else if circuit.open_until.is_some() {
            if circuit.probing.take().is_some() {
                circuit.pause = (circuit.pause * 2).clamp(FIRST, LONGEST);
                circuit.open_until = Some(now + circuit.pause);
            }
            return;
        }
        circuit.outcomes.push_back((now, there));
        while circuit.outcomes.len() > WINDOW
            || circuit.outcomes.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > AGE)
        {
            circuit.outcomes.pop_front();
        }
        let failures = circuit.outcomes.iter().filter(|(_, there)| !there).count();
        if failures >= FAILURES && failures * 2 >= circuit.outcomes.len() {
            circuit.pause = FIRST;
            circuit.open_until = Some(now + FIRST);
            circuit.probing = None;
            circuit.outcomes.clear();
            tracing::warn!(model, "the circuit opens: {failures} of the last calls failed");
        }
    }

    /// Opens a circuit until a time that the provider named: a quota that is used up, a key that is not accepted.
    pub fn open_for(&self, model: &str, pause: Duration, now: Instant) {
        let mut circuits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let circuit = circuits.entry(model.to_owned()).or_default();
        (circuit.open_until, circuit.pause, circuit.probing) = (Some(now + pause), FIRST, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_after_failures_and_closes_after_a_probe() {
        let breakers = Breakers::default();
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        for second in 0..4 {
            breakers.tell("pro", false, at(second));
        }
        assert_eq!(breakers.gate("pro", at(4)), Gate::Closed);
        breakers.tell("pro", false, at(4));
        assert_eq!(breakers.gate("pro", at(4)), Gate::Open(FIRST));
        assert_eq!(breakers.gate("flash", at(4)), Gate::Closed);
        assert_eq!(breakers.gate("pro", at(14)), Gate::Probe);
        assert!(matches!(breakers.gate("pro", at(14)), Gate::Open(_)), "one probe at a time");
        breakers.tell("pro", false, at(15));
        assert_eq!(
            breakers.gate("pro", at(16)),
            Gate::Open(Duration::from_secs(19)),
            "the pause has doubled"
        );
        assert_eq!(breakers.gate("pro", at(35)), Gate::Probe);
        breakers.tell("pro", true, at(36));
        assert_eq!(breakers.gate("pro", at(36)), Gate::Closed);
    }

    #[test]
    fn few_failures_among_many_answers_open_nothing() {
        let breakers = Breakers::default();
        let start = Instant::now();
        for call in 0..200u64 {
            breakers.tell("pro", call % 3 != 0, start + Duration::from_millis(call * 100));
            assert_eq!(breakers.gate("pro", start + Duration::from_millis(call * 100)), Gate::Closed);
        }
    }

    #[test]
    fn old_failures_say_nothing() {
        let breakers = Breakers::default();
        let start = Instant::now();
        for call in 0..20u64 {
            breakers.tell("pro", false, start + Duration::from_secs(call * 31));
        }
        assert_eq!(breakers.gate("pro", start + Duration::from_secs(620)), Gate::Closed);
    }
}
