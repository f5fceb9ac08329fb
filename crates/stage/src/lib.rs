//! What a stage is: a value with constants and one async function. How its work is delivered, stored, published and
//! traced is the runtime's business; nothing in here names a client library.

mod content;
mod error;
mod inputs;
mod outputs;
mod ports;

pub use content::{Content, ContentStream};
pub use error::{Result, StageError};
pub use inputs::{Document, Inputs, Read};
pub use outputs::{Outputs, Written};
pub use ports::{
    Attached, Called, Desk, Entry, Handler, Heard, Outcome, Parts, Ports, Projection, Raw, Recorded, Saying,
};

use millrace_contract::artifact::Artifact;
use millrace_contract::event::Fact;
use millrace_contract::wire;
use millrace_contract::wire::fact::Kind;
use millrace_contract::{ErrorCode, Hop, Service};
use std::sync::Arc;

/// Owned, sendable future, for the traits that must be objects.
pub type BoxFuture<'a, T> = futures_util::future::BoxFuture<'a, T>;

/// A stage: hears one event, reads one claim check (or two), says one event, leaves one artifact.
pub trait Stage: Sized + Send + Sync + 'static {
    /// This stage's row in the choreography.
    const HOP: &'static Hop;
    /// Grows when the same input and settings give another output, so that finished work is not reused.
    const VERSION: u32;
    /// Its own options; `--help` is their documentation.
    type Settings: clap::Args + Send;
    /// What it hears.
    type Heard: Fact;
    /// The artifact (or two) behind the claim check.
    type Reads: Inputs;
    /// What it says.
    type Says: Fact;
    /// The artifact it leaves.
    type Writes: Outputs;

    /// Builds the stage; reads and checks all that its settings name.
    ///
    /// # Errors
    /// If a setting cannot work: the process then exits 64 before it opens anything.
    fn new(settings: Self::Settings) -> anyhow::Result<Self>;

    /// Everything besides the input that can change the output: models, prompts, limits. Part of the fingerprint.
    fn shaped_by(&self, job: &Job<Self::Heard>) -> String {
        let _ = job;
        String::new()
    }

    /// Does the work. Must give the same answer when called twice: deliveries repeat. May block.
    fn run(
        &self,
        job: &Job<Self::Heard>,
        input: Self::Reads,
    ) -> impl Future<Output = Result<(Self::Says, Self::Writes)>> + Send;
}

/// Whether a stage's types agree with its row. Put `const _: () = assert!(agrees::<S>());` beside each impl.
pub const fn agrees<S: Stage>() -> bool {
    let hop = S::HOP;
    hop.hears.len() == 1
        && hop.hears[0] as u8 == <S::Heard as Fact>::KIND as u8
        && hop.says[0] as u8 == <S::Says as Fact>::KIND as u8
        && hop.service as u8 == <<S::Writes as Outputs>::Artifact as Artifact>::MAKER as u8
}

/// One job as a stage sees it.
pub struct Job<E> {
    /// What is known of the job so far.
    pub known: wire::Job,
    /// What was heard.
    pub heard: E,
    /// When it was said, milliseconds since 1970.
    pub said_ms: u64,
    desk: Arc<dyn Desk>,
}

impl<E> Job<E> {
    /// Puts a job on a desk; called by the runtime, and by a stage's tests.
    pub fn new(known: wire::Job, heard: E, said_ms: u64, desk: Arc<dyn Desk>) -> Self {
        Self { known, heard, said_ms, desk }
    }

    /// Shows how far the work is: "reading the text, 3 of 40". Best effort; never fails.
    pub fn progress(&self, doing: &str, done: u32, of: u32) {
        self.desk.progress(doing, done, of);
    }

    /// A part of the work that an earlier delivery, run or job of this tenant has left under this key.
    ///
    /// # Errors
    /// If the store does not answer.
    pub async fn kept(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.desk.kept(key).await
    }

    /// Keeps a part of the work at once, so that a restart goes on behind it. What was kept first stays; that is
    /// what comes back.
    ///
    /// # Errors
    /// If the store does not answer.
    pub async fn keep(&self, key: &str, part: Vec<u8>) -> Result<Vec<u8>> {
        self.desk.keep(key, part).await
    }

    /// What the journal of calls holds under this key, for this tenant.
    ///
    /// # Errors
    /// If the journal does not answer.
    pub async fn journalled(&self, key: &str) -> Result<Option<Entry>> {
        self.desk.journalled(key).await
    }

    /// Writes a call into the journal, if its entry still is at revision `after` (0: if there is none). The new
    /// revision; `None` if somebody else was faster.
    ///
    /// # Errors
    /// If the journal does not answer.
    pub async fn journal(&self, key: &str, call: &wire::Call, after: u64) -> Result<Option<u64>> {
        self.desk.journal(key, call, after).await
    }

    /// Keeps a document's data key, wrapped, where it can be erased by itself.
    ///
    /// # Errors
    /// If the vault does not answer.
    pub async fn guard(&self, id: &str, key: &wire::WrappedKey) -> Result<()> {
        self.desk.guard(id, key).await
    }

    /// What the job's tenant has spent today (UTC) in all its jobs, what is set aside for open calls included;
    /// millionths of a dollar. A fold of the journal, a few milliseconds behind it.
    ///
    /// # Errors
    /// If the journal cannot be followed.
    pub async fn spent_today(&self) -> Result<u64> {
        self.desk.spent_today().await
    }

    /// Makes a job of a document inside this one; its id. It has this job's lane, profile and metadata, and names this
    /// job as its parent. The same document at the same place is the same job, however often it is attached.
    ///
    /// # Errors
    /// If the store or the broker does not answer.
    pub async fn attach(&self, attached: Attached) -> Result<String> {
        self.desk.attach(attached).await
    }

    /// Tells of a call to a provider, for traces and metrics.
    pub fn called(&self, called: &Called<'_>) {
        self.desk.called(called);
    }

    /// Tells, for metrics, that the work goes on without something that failed, because a policy allows it.
    pub fn conceded(&self, code: ErrorCode) {
        self.desk.conceded(code);
    }
}

/// The router: a pure decision on everything that branches.
pub trait Decider: Sized + Send + Sync + 'static {
    /// Its row in the choreography.
    const HOP: &'static Hop;
    /// Its own options.
    type Settings: clap::Args + Send;

    /// Builds it from its settings.
    ///
    /// # Errors
    /// If a setting cannot work; rules with mistakes are named by line.
    fn new(settings: Self::Settings) -> anyhow::Result<Self>;

    /// Answers an event. Pure: the same question always has the same answer.
    fn decide(&self, job: &wire::Job, heard: &Kind) -> Decision;
}

/// What the router decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What it says.
    pub fact: Kind,
    /// The round that this begins or ends.
    pub round: u32,
}

/// A service at the edge of the choreography, built from parts: intake and status.
pub trait Edge: Sized + Send + Sync + 'static {
    /// Which one.
    const SERVICE: Service;
    /// Its own options.
    type Settings: clap::Args + Send;

    /// Opens what it needs and says what the runtime shall run for it.
    ///
    /// # Errors
    /// If a setting cannot work, or what it needs cannot be opened.
    fn start(settings: Self::Settings, ports: Arc<dyn Ports>) -> BoxFuture<'static, anyhow::Result<Parts>>;
}
