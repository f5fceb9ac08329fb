//! One try at a delivery: what it reads, the work itself, and what it leaves.

use crate::deliver::Carrier;
use crate::desk::DeskOf;
use crate::output;
use millrace_contract::wire::{Claim, Event};
use millrace_contract::{ErrorCode, artifact};
use millrace_stage::{Content, Desk, Heard, Outcome, Result, StageError};
use opentelemetry::Context;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::OwnedSemaphorePermit;

/// How a try failed.
pub(crate) enum Tried {
    Failed(StageError),
    Panicked(String),
}

impl From<StageError> for Tried {
    fn from(error: StageError) -> Self {
        Tried::Failed(error)
    }
}

impl Carrier {
    /// One try: redeem the claims, look for finished work, run under a deadline, store.
    pub(crate) async fn attempt(
        &self,
        heard: &Arc<Heard>,
        permit: &Arc<OwnedSemaphorePermit>,
        span: &Context,
    ) -> std::result::Result<Outcome, Tried> {
        let desk: Arc<dyn Desk> =
            Arc::new(DeskOf::new(self.hop, &self.log, &self.artifacts, &self.journal, &heard.event, span));
        let claims = self.claims(&heard.event)?;
        let name = self.handler.shaped_by(heard, &desk).map(|shape| self.name(heard, shape, &claims));
        if let Some(key) = &name
            && let Some((claim, stored)) = self.artifacts.open(key).await?
        {
            self.log.metrics.reused(self.hop.service.name());
            return Ok(finished(claim, stored)?);
        }
        let mut contents = Vec::with_capacity(claims.len());
        for claim in &claims {
            contents.push(self.artifacts.fetch(claim).await?);
        }
        let mut outcome = self.run(heard, contents, desk, permit).await?;
        let (Some(key), Some(body)) = (name, outcome.body.take()) else { return Ok(outcome) };
        let (claim, ours) = self.artifacts.leave(&key, body).await?;
        if !ours {
            // Another delivery was first, with another answer. What is stored is what was said.
            let found = self.artifacts.open(&key).await?;
            let (claim, stored) =
                found.ok_or_else(|| StageError::new(ErrorCode::ArtifactMissing, format!("{key} is gone")))?;
            return Ok(finished(claim, stored)?);
        }
        Ok(Outcome { claim: Some(claim), ..outcome })
    }

    /// Runs the stage. On the blocking pool, so that it can starve neither the lease nor the probes.
    async fn run(
        &self,
        heard: &Arc<Heard>,
        contents: Vec<Content>,
        desk: Arc<dyn Desk>,
        permit: &Arc<OwnedSemaphorePermit>,
    ) -> std::result::Result<Outcome, Tried> {
        let begun = Instant::now();
        let (handler, heard) = (Arc::clone(&self.handler), Arc::clone(heard));
        let joined = if handler.blocks() {
            // A stage that overruns cannot be stopped: it keeps its permit until it returns.
            let permit = Arc::clone(permit);
            let runtime = tokio::runtime::Handle::current();
            let work = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                runtime.block_on(handler.run(&heard, contents, desk))
            });
            match tokio::time::timeout(self.deadline, work).await {
                Ok(joined) => joined,
                Err(_) => {
                    let message = format!("not done after {:?}", self.deadline);
                    return Err(StageError::new(ErrorCode::DeadlineExceeded, message).into());
                }
            }
        } else {
            tokio::spawn(async move { handler.run(&heard, contents, desk).await }).await
        };
        self.log.metrics.took(self.hop.service.name(), begun.elapsed());
        match joined {
            Ok(result) => result.map_err(Tried::Failed),
            Err(error) => {
                let cause = match error.try_into_panic() {
                    Ok(panic) => panic
                        .downcast_ref::<String>()
                        .cloned()
                        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                        .unwrap_or_else(|| "a panic without a message".to_owned()),
                    Err(error) => error.to_string(),
                };
                tracing::error!(service = self.hop.service.name(), cause, "the stage panicked");
                Err(Tried::Panicked(cause))
            }
        }
    }

    fn claims(&self, event: &Event) -> Result<Vec<Claim>> {
        self.handler
            .reads()
            .iter()
            .map(|maker| {
                event.claims.get(maker.name()).cloned().ok_or_else(|| {
                    let message = format!("the event carries no claim on what {} left", maker.name());
                    StageError::new(ErrorCode::ArtifactMissing, message)
                })
            })
            .collect()
    }

    /// The key under which this work is, or will be, stored.
    fn name(&self, heard: &Heard, (version, mut shape): (u32, String), claims: &[Claim]) -> String {
        let job = heard.event.job.as_ref();
        if let Some(job) = job.filter(|job| job.fresh) {
            shape.push_str(&format!("\0fresh in run {} of {}", job.run, job.id));
        }
        let service = self.hop.service.name();
        let claims: Vec<&Claim> = claims.iter().collect();
        let fingerprint = artifact::fingerprint(service, version, &shape, &claims);
        artifact::key(job.map_or("", |job| job.tenant.as_str()), service, &fingerprint)
    }
}

/// Finished work as it was stored.
fn finished(claim: Claim, mut stored: Content) -> Result<Outcome> {
    let corrupt =
        || StageError::new(ErrorCode::ArtifactCorrupt, format!("{} is not a stage's output", claim.key));
    let fact = output::fact(&mut stored).ok_or_else(corrupt)?;
    Ok(Outcome { fact, body: None, claim: Some(claim), job: None })
}
