use crate::{BoxFuture, Content, ContentStream, Result};
use millrace_contract::wire::fact::Kind;
use millrace_contract::wire::{Call, Claim, Event, Job, Progress, SealedSecret, Spent, WrappedKey};
use millrace_contract::{ErrorCode, EventKind, Service};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What lies on a stage's desk beside the job: a place to show progress and one to keep parts of the work.
pub trait Desk: Send + Sync {
    /// See [`crate::Job::progress`].
    fn progress(&self, doing: &str, done: u32, of: u32);
    /// See [`crate::Job::kept`].
    fn kept<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>>>;
    /// See [`crate::Job::keep`].
    fn keep<'a>(&'a self, key: &'a str, part: Vec<u8>) -> BoxFuture<'a, Result<Vec<u8>>>;
    /// See [`crate::Job::journalled`].
    fn journalled<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>>>;
    /// See [`crate::Job::journal`].
    fn journal<'a>(&'a self, key: &'a str, call: &'a Call, after: u64) -> BoxFuture<'a, Result<Option<u64>>>;
    /// See [`crate::Job::guard`].
    fn guard<'a>(&'a self, id: &'a str, key: &'a WrappedKey) -> BoxFuture<'a, Result<()>>;
    /// See [`crate::Job::spent_today`].
    fn spent_today(&self) -> BoxFuture<'_, Result<u64>>;
    /// See [`crate::Job::called`].
    fn called(&self, called: &Called<'_>);
    /// See [`crate::Job::conceded`].
    fn conceded(&self, code: ErrorCode);
    /// See [`crate::Job::attach`].
    fn attach(&self, attached: Attached) -> BoxFuture<'_, Result<String>>;
}

/// A document inside the job's document, to become a job of its own.
#[derive(Debug)]
pub struct Attached {
    /// Its place among the others, from 0: what makes it the same job each time.
    pub number: u32,
    /// As it is called.
    pub name: String,
    /// Its bytes.
    pub content: Content,
    /// How many more documents may be made of what is inside it, at any depth.
    pub allowance: u32,
    /// What may open it, sealed for the job that it becomes.
    pub password: Option<SealedSecret>,
}

/// One call to a provider, for traces and metrics.
#[derive(Debug, Clone, Copy)]
pub struct Called<'a> {
    /// Who was asked.
    pub provider: &'a str,
    /// The provider's name of the model.
    pub model: &'a str,
    /// The profile's name for the question.
    pub question: &'a str,
    /// Code of the failure; `None` for an answer.
    pub code: Option<ErrorCode>,
    /// What it used.
    pub spent: Spent,
    /// How long it took.
    pub took: Duration,
}

/// An entry of the journal of calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The call, with all its attempts.
    pub call: Call,
    /// Names this state of the entry: a write must follow it.
    pub revision: u64,
}

/// A message as it came, before anybody has made sense of it.
#[derive(Debug, Clone)]
pub struct Raw {
    /// Where it was published.
    pub subject: String,
    /// Header names as sent, values as sent.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub payload: bytes::Bytes,
    /// Where it first stood in its stream: tells it from every other message, also after it was parked.
    pub origin: u64,
}

/// A message that was made sense of.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The job and all that is known of it.
    pub event: Event,
    /// Which event it is; `None` for an upload event from outside.
    pub kind: Option<EventKind>,
    /// Its message id: what the answer names as its cause.
    pub id: String,
}

/// What a handler's work comes to.
#[derive(Debug)]
pub struct Outcome {
    /// What to say.
    pub fact: Kind,
    /// What to leave behind a claim check, in encoded form; `None` leaves nothing new.
    pub body: Option<Content>,
    /// A claim that the handler has made itself.
    pub claim: Option<Claim>,
    /// The job as it is now, if the handler changed more of it than the fact tells.
    pub job: Option<Job>,
}

/// Whatever hears a message and answers with one event. The runtime carries every delivery to one of these.
pub trait Handler: Send + Sync + 'static {
    /// Makes sense of a message. For our own events the runtime has already decoded it: `event` is `Some`.
    ///
    /// # Errors
    /// A refusal, together with the job that it is filed under.
    fn hear(&self, raw: &Raw, event: Option<Heard>)
    -> std::result::Result<Heard, (Heard, crate::StageError)>;

    /// Whose claims it reads.
    fn reads(&self) -> &'static [Service] {
        &[]
    }

    /// The name of the finished work, if it can be found again: `(version, everything besides the input that shapes
    /// the output)`.
    fn shaped_by(&self, heard: &Heard, desk: &Arc<dyn Desk>) -> Option<(u32, String)> {
        let _ = (heard, desk);
        None
    }

    /// Does the work. May block.
    fn run<'a>(
        &'a self,
        heard: &'a Heard,
        contents: Vec<Content>,
        desk: Arc<dyn Desk>,
    ) -> BoxFuture<'a, Result<Outcome>>;

    /// Whether `run` may block its thread for long; pure decisions do not.
    fn blocks(&self) -> bool {
        true
    }
}

/// An event as the log holds it.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its message id.
    pub id: String,
    /// Its stream and its place in it.
    pub stream: String,
    /// See `stream`.
    pub sequence: u64,
    /// Which event.
    pub kind: EventKind,
    /// The event.
    pub event: Event,
    /// The message id of what caused it.
    pub cause: String,
}

/// How saying something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saying {
    /// It is in the log now.
    Said,
    /// The log had it, or a later one, before.
    SaidBefore,
}

/// What a service at the edge may do.
pub trait Ports: Send + Sync {
    /// Says an event under the one-verdict rule.
    fn say(&self, event: Event) -> BoxFuture<'_, Result<Saying>>;
    /// Stores a stream of bytes under its digest, up to `limit` bytes, never holding all of it.
    fn store<'a>(
        &'a self,
        tenant: &'a str,
        content: ContentStream,
        limit: u64,
    ) -> BoxFuture<'a, Result<Claim>>;
    /// Redeems a claim.
    fn fetch<'a>(&'a self, claim: &'a Claim) -> BoxFuture<'a, Result<Content>>;
    /// Everything said of a job, by position and rank. Any tenant's if `tenant` is `None`.
    fn history<'a>(&'a self, tenant: Option<&'a str>, job: &'a str) -> BoxFuture<'a, Result<Vec<Recorded>>>;
    /// Opens an object of the broker's own object store.
    fn object<'a>(&'a self, bucket: &'a str, name: &'a str) -> BoxFuture<'a, Result<ContentStream>>;
    /// The wrapped data key of that id; `None` if it was erased, or its time is over.
    fn data_key<'a>(&'a self, tenant: &'a str, id: &'a str) -> BoxFuture<'a, Result<Option<WrappedKey>>>;
    /// The trace that the caller is part of: 32 hex digits, or empty.
    fn trace_id(&self) -> String;
}

/// A read model of the log.
pub trait Projection: Send + Sync + 'static {
    /// Folds a batch. Called with duplicates and in any order; what it returns `Ok` for is settled.
    fn apply<'a>(&'a self, batch: &'a [Recorded]) -> BoxFuture<'a, Result<()>>;
    /// Shows where a stage stands inside its work. Best effort.
    fn progress(&self, progress: Progress) -> BoxFuture<'_, ()>;
}

/// What the runtime shall run for a service at the edge.
#[derive(Default)]
pub struct Parts {
    /// Hears the inbox.
    pub inbox: Option<Arc<dyn Handler>>,
    /// Hears the whole log.
    pub projection: Option<Arc<dyn Projection>>,
    /// Serves HTTP.
    pub routes: Option<axum::Router>,
}
