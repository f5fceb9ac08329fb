use millrace_contract::ErrorCode;
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
}

impl StageError {
    /// A failure of that kind.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    /// The same, told to come back later.
    #[must_use]
    pub fn after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }
}

impl fmt::Display for StageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for StageError {}
