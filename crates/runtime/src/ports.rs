//! What services at the edge may do with the log and the artifacts.

use crate::artifacts::Artifacts;
use crate::log::{Log, Seen, Verdict, now_ms, verdict_id};
use crate::telemetry::trace_id;
use crate::vault::Vault;
use async_nats::jetstream;
use futures_util::StreamExt as _;
use millrace_contract::wire::{Claim, Event, WrappedKey};
use millrace_contract::{ErrorCode, Service};
use millrace_stage::{BoxFuture, Content, ContentStream, Ports, Recorded, Result, Saying, StageError};
use opentelemetry::Context;
use tokio_util::io::ReaderStream;

pub(crate) struct PortsOf {
    pub(crate) service: Service,
    pub(crate) log: Log,
    pub(crate) artifacts: Artifacts,
}

impl Ports for PortsOf {
    fn say(&self, mut event: Event) -> BoxFuture<'_, Result<Saying>> {
        Box::pin(async move {
            let trace = Context::current();
            if let Some(job) = &mut event.job
                && job.trace_id.is_empty()
            {
                job.trace_id = trace_id(&trace);
            }
            event.at_ms = now_ms();
            let (id, _) = verdict_id(self.service, &event, None);
            let verdict = Verdict { speaker: self.service, id: &id, cause: "", event: &event, trace: &trace };
            self.log.say(&verdict, Seen::default()).await
        })
    }

    fn store<'a>(
        &'a self,
        tenant: &'a str,
        content: ContentStream,
        limit: u64,
    ) -> BoxFuture<'a, Result<Claim>> {
        Box::pin(self.artifacts.put_stream(tenant, self.service.name(), content, limit))
    }

    fn fetch<'a>(&'a self, claim: &'a Claim) -> BoxFuture<'a, Result<Content>> {
        Box::pin(self.artifacts.fetch(claim))
    }

    fn history<'a>(&'a self, tenant: Option<&'a str>, job: &'a str) -> BoxFuture<'a, Result<Vec<Recorded>>> {
        Box::pin(self.log.history(tenant, job))
    }

    fn object<'a>(&'a self, bucket: &'a str, name: &'a str) -> BoxFuture<'a, Result<ContentStream>> {
        Box::pin(async move {
            use jetstream::object_store::GetErrorKind;
            let missing = || {
                let message = format!("there is no object {name} in the bucket {bucket}");
                StageError::new(ErrorCode::SourceNotFound, message)
            };
            let away = |error: &dyn std::fmt::Display| {
                StageError::new(ErrorCode::SourceUnavailable, format!("the bucket {bucket}: {error}"))
            };
            let store = match self.log.broker.js.get_object_store(bucket).await {
                Ok(store) => store,
                Err(error) => {
                    return Err(match self.log.broker.js.get_stream(format!("OBJ_{bucket}")).await {
                        Err(asked) if asked.to_string().contains("not found") => missing(),
                        _ => away(&error),
                    });
                }
            };
            match store.get(name).await {
                Ok(object) => Ok(ReaderStream::new(object).boxed() as ContentStream),
                Err(error) if error.kind() == GetErrorKind::NotFound => Err(missing()),
                Err(error) => Err(away(&error)),
            }
        })
    }

    fn data_key<'a>(&'a self, tenant: &'a str, id: &'a str) -> BoxFuture<'a, Result<Option<WrappedKey>>> {
        Box::pin(async move {
            let kept = Vault::new(&self.log.broker).read(tenant, id).await?;
            Ok(kept.map(|kept| kept.key))
        })
    }

    fn trace_id(&self) -> String {
        trace_id(&Context::current())
    }
}
