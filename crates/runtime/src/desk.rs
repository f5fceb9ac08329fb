//! What lies on a stage's desk: progress over core NATS, parts of the work in the artifact store.

use crate::artifacts::Artifacts;
use crate::envelope;
use crate::journal::Journal;
use crate::log::Log;
use crate::vault::Vault;
use async_nats::HeaderMap;
use millrace_contract::wire::{Call, Event, Job, Progress, UploadRequest, WrappedKey};
use millrace_contract::{ErrorCode, Hop, JobId, Service, Tenant, artifact, ids, subject};
use millrace_stage::{Attached, BoxFuture, Called, Content, ContentStream, Desk, Entry, Result, StageError};
use opentelemetry::{Context, KeyValue};
use prost::Message as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::io::ReaderStream;

/// Work that is done sooner than this shows no progress: its event would be there before anybody looked.
const QUIET: Duration = Duration::from_millis(200);

pub(crate) struct DeskOf {
    hop: &'static Hop,
    log: Log,
    artifacts: Artifacts,
    journal: Journal,
    job: Job,
    /// The span of the delivery.
    span: Context,
    begun: Instant,
    shown: Arc<Mutex<Shown>>,
}

/// What has been shown, and what is to be shown once the work has taken a while.
#[derive(Default)]
struct Shown {
    percent: Option<u32>,
    held: Option<Progress>,
    waiting: Option<JoinHandle<()>>,
}

impl Drop for DeskOf {
    fn drop(&mut self) {
        let waiting = self.shown.lock().unwrap_or_else(PoisonError::into_inner).waiting.take();
        if let Some(waiting) = waiting {
            waiting.abort();
        }
    }
}

impl DeskOf {
    pub(crate) fn new(
        hop: &'static Hop,
        log: &Log,
        artifacts: &Artifacts,
        journal: &Journal,
        event: &Event,
        span: &Context,
    ) -> DeskOf {
        DeskOf {
            hop,
            log: log.clone(),
            artifacts: artifacts.clone(),
            journal: journal.clone(),
            job: event.job.clone().unwrap_or_default(),
            span: span.clone(),
            begun: Instant::now(),
            shown: Arc::default(),
        }
    }

    fn key(&self, key: &str) -> String {
        let part = artifact::sha256_hex(key.as_bytes());
        artifact::key(&self.job.tenant, &format!("{}-part", self.hop.service.name()), &part)
    }
}

impl Desk for DeskOf {
    fn progress(&self, doing: &str, done: u32, of: u32) {
        // A bar has a hundred places; a book has more pages than that.
        let percent = (done * 100).checked_div(of).unwrap_or(0);
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.percent.replace(percent) == Some(percent) {
            return;
        }
        let Job { id, tenant, run, round, .. } = &self.job;
        let progress = Progress {
            job_id: id.clone(),
            tenant: tenant.clone(),
            run: *run,
            round: *round,
            stage: self.hop.service.name().to_owned(),
            doing: doing.to_owned(),
            done,
            of,
        };
        shown.held = Some(progress);
        if shown.waiting.as_ref().is_some_and(|waiting| !waiting.is_finished()) {
            return;
        }
        let (to, until) = (subject::progress(tenant, id), self.begun + QUIET);
        let (client, held) = (self.log.broker.client.clone(), Arc::clone(&self.shown));
        shown.waiting = Some(tokio::spawn(async move {
            tokio::time::sleep_until(until).await;
            let last = held.lock().unwrap_or_else(PoisonError::into_inner).held.take();
            if let Some(last) = last {
                // Shown, never stored: if it is lost, the next event says more.
                let _ = client.publish(to, last.encode_to_vec().into()).await;
            }
        }));
    }

    fn kept<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>>> {
        Box::pin(
            async move { Ok(self.artifacts.get(&self.key(key)).await?.map(|(_, bytes)| bytes.to_vec())) },
        )
    }

    fn keep<'a>(&'a self, key: &'a str, part: Vec<u8>) -> BoxFuture<'a, Result<Vec<u8>>> {
        Box::pin(async move {
            let (name, ours) = (self.key(key), artifact::sha256_hex(&part));
            let claim = self.artifacts.put(&name, part.clone().into()).await?;
            if claim.sha256 == ours {
                return Ok(part);
            }
            Ok(self.artifacts.get(&name).await?.map_or(part, |(_, bytes)| bytes.to_vec()))
        })
    }

    fn journalled<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(self.journal.read(&self.job.tenant, key))
    }

    fn journal<'a>(&'a self, key: &'a str, call: &'a Call, after: u64) -> BoxFuture<'a, Result<Option<u64>>> {
        Box::pin(self.journal.write(&self.job.tenant, key, call, after))
    }

    fn guard<'a>(&'a self, id: &'a str, key: &'a WrappedKey) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            // Ids are random: what lies there already is this very key, written by a delivery that was cut off.
            Vault::new(&self.log.broker).write(&self.job.tenant, id, key, 0).await?;
            Ok(())
        })
    }

    fn attach(&self, attached: Attached) -> BoxFuture<'_, Result<String>> {
        Box::pin(async move {
            let job = &self.job;
            let tenant = Tenant::new(&job.tenant)
                .map_err(|error| StageError::new(ErrorCode::EventInvalid, error.to_string()))?;
            let content = stream(attached.content);
            // Where intake would put it: it then finds the bytes there and stores them no second time.
            let maker = Service::Intake.name();
            let claim = self.artifacts.put_stream(tenant.as_str(), maker, content, u64::MAX).await?;
            let key = ids::part_key(&job.id, attached.number);
            let request = UploadRequest {
                source: format!("artifact:{}", claim.key),
                name: attached.name,
                profile: job.profile.clone(),
                lane: job.lane.clone(),
                metadata: job.metadata.clone(),
                parent: job.id.clone(),
                depth: job.depth + 1,
                allowance: attached.allowance,
                password: attached.password,
                idempotency_key: key.clone(),
            };
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Msg-Id", key.as_str());
            headers.insert("Content-Type", "application/protobuf");
            envelope::carry(&self.span, &mut headers);
            let to = format!("{}.{tenant}", subject::INBOX);
            let published = self.log.broker.publish(&to, headers, request.encode_to_vec().into()).await;
            published.map_err(|error| crate::log::away(&error))?;
            Ok(JobId::of_key(&tenant, &key).to_string())
        })
    }

    fn spent_today(&self) -> BoxFuture<'_, Result<u64>> {
        Box::pin(self.journal.spent_today(&self.job.tenant))
    }

    fn conceded(&self, code: ErrorCode) {
        self.log.metrics.conceded(self.hop.service.name(), code.name());
    }

    fn called(&self, called: &Called<'_>) {
        self.log.metrics.called(called);
        let spent = called.spent;
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let mut attributes = vec![
            KeyValue::new("gen_ai.operation.name", "chat"),
            KeyValue::new("gen_ai.provider.name", called.provider.to_owned()),
            KeyValue::new("gen_ai.request.model", called.model.to_owned()),
            KeyValue::new("gen_ai.usage.input_tokens", number(spent.input_tokens)),
            KeyValue::new("gen_ai.usage.output_tokens", number(spent.output_tokens)),
            KeyValue::new("millrace.question", called.question.to_owned()),
            KeyValue::new("millrace.cost_microusd", number(spent.cost_microusd)),
        ];
        attributes.extend(called.code.map(|code| KeyValue::new("error.type", code.name())));
        self.log.telemetry.done(format!("chat {}", called.model), called.took, &self.span, attributes);
    }
}

fn stream(content: Content) -> ContentStream {
    match content {
        Content::Memory(bytes) => Box::pin(futures_util::stream::iter([Ok(bytes)])),
        Content::File { file, .. } => Box::pin(ReaderStream::new(tokio::fs::File::from_std(file))),
    }
}
