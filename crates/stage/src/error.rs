use millrace_contract::ErrorCode;
use millrace_contract::wire::{Fault, Spent};
use std::fmt;
use std::time::Duration;

/// What a stage's work comes to.
pub type Result<T> = std::result::Result<T, StageError>;

/// A failure with a code of the closed set. There is no blanket conversion: a failure that nobody classified does
/// not compile.
#[derive(Debug, Clone)]
pub struct StageError {
    /// What kind of failure; decides what happens next.
    pub code: ErrorCode,
    /// For people: what to do about it. Never document text, never a secret.
    pub message: String,
    /// How long the other side told us to wait.
    pub retry_after: Option<Duration>,
    /// The stage has counted the tries itself, over all deliveries: it is said now, however its code is disposed.
    pub exhausted: bool,
    /// While it waits, somebody else can work: it is parked rather than held, even for a second.
    pub yields: bool,
    /// The side lane of this service that can do the work; unless it is what has failed, it gets the event.
    pub lane: Option<&'static str>,
    /// What failed, prompt by prompt, for a stage that asks several.
    pub faults: Vec<Fault>,
    /// What was paid all the same.
    pub spent: Option<Spent>,
}

impl StageError {
    /// A failure of that kind.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after: None,
            exhausted: false,
            yields: false,
            lane: None,
            faults: Vec::new(),
            spent: None,
        }
    }

    /// The same, told to come back later.
    #[must_use]
    pub fn after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }
}

impl StageError {
    /// The same, and tried often enough: it is said now.
    #[must_use]
    pub fn exhausted(self) -> Self {
        Self { exhausted: true, ..self }
    }

    /// The same, if it is not another deployment's work: the one for this side lane of the service.
    #[must_use]
    pub fn for_lane(self, lane: &'static str) -> Self {
        Self { lane: Some(lane), ..self }
    }

    /// The same, but others work while it waits.
    #[must_use]
    pub fn yielding(self) -> Self {
        Self { yields: true, ..self }
    }
}

impl fmt::Display for StageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for StageError {}
