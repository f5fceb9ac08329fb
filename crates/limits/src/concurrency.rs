//! How many calls at once a provider bears: one more after each window of successes, three tenths fewer when it says
//! that it is too much. Latency is not looked at: a model's depends on how much it has to say, not on how busy it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The limits of one process, by model.
#[derive(Debug)]
pub struct Concurrency {
    cap: f64,
    models: Mutex<HashMap<String, Arc<Limit>>>,
}

#[derive(Debug)]
struct Limit {
    state: Mutex<State>,
    free: Notify,
}

#[derive(Debug)]
struct State {
    limit: f64,
    busy: usize,
    /// A burst of refusals is one: the calls were out together.
    cut: Option<Instant>,
}

/// A place among the calls at once; given back when dropped.
#[derive(Debug)]
pub struct Slot(Arc<Limit>);

/// Refusals within this time are one.
const BURST: Duration = Duration::from_secs(2);

impl Concurrency {
    /// Begins with `cap` calls at once, and never goes above it.
    pub fn new(cap: usize) -> Concurrency {
        Concurrency { cap: cap.max(1) as f64, models: Mutex::default() }
    }

    fn model(&self, model: &str) -> Arc<Limit> {
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || {
            let state = Mutex::new(State { limit: self.cap, busy: 0, cut: None });
            Arc::new(Limit { state, free: Notify::new() })
        };
        Arc::clone(models.entry(model.to_owned()).or_insert_with(made))
    }

    /// Waits for a place, up to `patience`.
    pub async fn enter(&self, model: &str, patience: Duration) -> Option<Slot> {
        let limit = self.model(model);
        let until = Instant::now() + patience;
        loop {
            let freed = limit.free.notified();
            {
                let mut state = limit.state.lock().unwrap_or_else(PoisonError::into_inner);
                if (state.busy as f64) < state.limit.floor().max(1.0) {
                    state.busy += 1;
                    drop(state);
                    return Some(Slot(Arc::clone(&limit)));
                }
            }
            tokio::time::timeout_at(until, freed).await.ok()?;
        }
    }

    /// Tells how a call ended: whether the provider bore it.
    pub fn tell(&self, model: &str, bore: bool) {
        let limit = self.model(model);
        let mut state = limit.state.lock().unwrap_or_else(PoisonError::into_inner);
        if bore {
            state.limit = (state.limit + 1.0 / state.limit).min(self.cap);
            limit.free.notify_one();
        } else if state.cut.is_none_or(|cut| cut.elapsed() > BURST) {
            state.limit = (state.limit * 0.7).max(1.0);
            state.cut = Some(Instant::now());
        }
    }

    /// Calls at once that a model is allowed now.
    pub fn limit(&self, model: &str) -> usize {
        let limit = self.model(model);
        let state = limit.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.limit.floor() as usize
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.busy -= 1;
        self.0.free.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn shrinks_when_refused_and_grows_when_borne() {
        let concurrency = Concurrency::new(10);
        assert_eq!(concurrency.limit("pro"), 10);
        concurrency.tell("pro", false);
        concurrency.tell("pro", false);
        assert_eq!(concurrency.limit("pro"), 7, "refusals of one burst are one");
        tokio::time::advance(BURST * 2).await;
        concurrency.tell("pro", false);
        assert_eq!(concurrency.limit("pro"), 4);
        for _ in 0..200 {
            concurrency.tell("pro", true);
        }
        assert_eq!(concurrency.limit("pro"), 10, "never above the cap");
        for _ in 0..20 {
            tokio::time::advance(BURST * 2).await;
            concurrency.tell("pro", false);
        }
        assert_eq!(concurrency.limit("pro"), 1, "never none");
    }

    #[tokio::test(start_paused = true)]
    async fn places_are_given_back() {
        let concurrency = Concurrency::new(1);
        let first = concurrency.enter("pro", Duration::ZERO).await.unwrap();
        assert!(concurrency.enter("pro", Duration::from_secs(1)).await.is_none());
        assert!(concurrency.enter("flash", Duration::ZERO).await.is_some());
        drop(first);
        assert!(concurrency.enter("pro", Duration::ZERO).await.is_some());
    }
}
