//! A node with a stage of the test's own, over a real nats-server.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its part of this, and fails as tests do"
)]

use clap::Parser as _;
use millrace_contract::artifact::ExtractedText;
use millrace_contract::wire::{
    Document as DocumentInfo, DocumentText, Event, Extracted, Fact, Job as JobInfo, Uploaded,
};
use millrace_contract::{ErrorCode, EventKind, Hop, JobId, Service};
use millrace_runtime::{Node, Operator, Settings};
use millrace_stage::{BoxFuture, Document, Job, Ports, Recorded, Result, Saying, Stage, StageError};
use millrace_testkit::{Nats, eventually};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What the stage under test does on its n-th run (from 1).
pub type Act = Arc<dyn Fn(u32) -> BoxFuture<'static, Result<u32>> + Send + Sync>;

/// A stage that does what the test says, in extraction's place.
pub struct TestStage {
    pub act: Act,
    pub runs: Arc<AtomicU32>,
}

#[derive(Debug, clap::Args)]
pub struct None {}

impl Stage for TestStage {
    const HOP: &'static Hop = Service::Extraction.hop();
    const VERSION: u32 = 1;
    type Settings = None;
    type Heard = Uploaded;
    type Reads = Document;
    type Says = Extracted;
    type Writes = ExtractedText;

    fn new(_: None) -> anyhow::Result<Self> {
        anyhow::bail!("made by the test")
    }

    async fn run(&self, _: &Job<Uploaded>, _: Document) -> Result<(Extracted, ExtractedText)> {
        let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        let pages = (self.act)(run).await?;
        Ok((Extracted { pages, ..Extracted::default() }, ExtractedText(DocumentText::default())))
    }
}

/// Settings for a test: short leases, short pauses.
pub fn settings(nats: &Nats) -> Settings {
    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        settings: Settings,
    }
    let mut settings = Cli::parse_from(["test"]).settings;
    settings.nats_url = nats.url();
    settings.ops_addr = ([127, 0, 0, 1], 0).into();
    settings.http_addr = ([127, 0, 0, 1], 0).into();
    settings.ack_wait = Some(Duration::from_secs(1));
    settings.backoff = Duration::from_millis(20);
    settings.grace = Duration::from_secs(5);
    settings
}

/// A world: a server, a node, and the stage's account of its runs.
pub struct World {
    pub nats: Nats,
    pub node: Arc<Node>,
    pub ports: Arc<dyn Ports>,
    pub runs: Arc<AtomicU32>,
}

pub fn act<F>(act: impl Fn(u32) -> F + Send + Sync + 'static) -> Act
where
    F: Future<Output = Result<u32>> + Send + 'static,
{
    Arc::new(move |run| Box::pin(act(run)))
}

pub fn fail(code: ErrorCode) -> StageError {
    StageError::new(code, "as the test says")
}

impl World {
    pub async fn new(act: Act) -> World {
        World::with(act, |_| {}).await
    }

    pub async fn with(act: Act, change: impl FnOnce(&mut Settings)) -> World {
        let nats = Nats::start();
        let mut settings = settings(&nats);
        change(&mut settings);
        let runs = Arc::new(AtomicU32::new(0));
        let node = Node::start(settings, "test").await.unwrap();
        node.stage(TestStage { act, runs: Arc::clone(&runs) }).await.unwrap();
        node.ready();
        let ports = node.ports(Service::Intake);
        World { nats, node: Arc::new(node), ports, runs }
    }

    pub fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }

    /// Uploads a document; the job's id.
    pub async fn upload(&self, text: &str) -> String {
        let id = JobId::mint().to_string();
        assert_eq!(self.say(&id, text).await, Saying::Said);
        id
    }

    pub async fn say(&self, id: &str, text: &str) -> Saying {
        let content = futures_util::stream::iter([Ok(text.to_owned().into())]);
        let claim = self.ports.store("t", Box::pin(content), 1 << 20).await.unwrap();
        let job = JobInfo {
            id: id.to_owned(),
            tenant: "t".into(),
            run: 1,
            lane: "default".into(),
            document: Some(DocumentInfo { name: "d".into(), ..DocumentInfo::default() }),
            ..JobInfo::default()
        };
        let event = Event {
            job: Some(job),
            claims: BTreeMap::from([("intake".to_owned(), claim)]),
            fact: Some(Fact { kind: Some(Uploaded { source: "test".into(), ..Default::default() }.into()) }),
            ..Event::default()
        };
        self.ports.say(event).await.unwrap()
    }

    pub async fn history(&self, job: &str) -> Vec<Recorded> {
        Operator::of(&self.node).unwrap().history(Some("t"), job).await.unwrap()
    }

    pub async fn kinds(&self, job: &str) -> Vec<EventKind> {
        self.history(job).await.iter().map(|recorded| recorded.kind).collect()
    }

    /// Waits for the stage's verdict on a job.
    pub async fn verdict(&self, job: &str) -> Recorded {
        eventually("the stage's verdict", || async {
            let said = self.history(job).await;
            said.into_iter().find(|recorded| recorded.kind.speaker() == Service::Extraction)
        })
        .await
    }

    /// Waits until the consumer has nothing left: nothing waiting, nothing in flight.
    pub async fn settled(&self) {
        eventually("every delivery to be settled", || async {
            let (pending, in_flight) = self.node.broker().backlog(Service::Extraction).await.ok()?;
            (pending == 0 && in_flight == 0).then_some(())
        })
        .await;
    }
}

/// The code of a failed verdict.
pub fn code(recorded: &Recorded) -> String {
    let fact = recorded.event.fact.as_ref().and_then(|fact| fact.kind.as_ref()).unwrap();
    millrace_contract::event::error_of(fact).map(|(code, _, _)| code.name().to_owned()).unwrap_or_default()
}
