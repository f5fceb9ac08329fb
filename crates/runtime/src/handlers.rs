//! Makes a [`Handler`] of a [`Stage`] and of a [`Decider`].

use crate::output;
use millrace_contract::event::Fact as _;
use millrace_contract::wire::fact::Kind;
use millrace_contract::{ErrorCode, Service};
use millrace_stage::{
    BoxFuture, Content, Decider, Desk, Handler, Heard, Inputs as _, Job, Outcome, Outputs as _, Raw, Result,
    Stage, StageError,
};
use std::sync::Arc;

pub(crate) struct Staged<S>(pub(crate) S);

impl<S: Stage> Staged<S> {
    fn job(heard: &Heard, desk: Arc<dyn Desk>) -> Option<Job<S::Heard>> {
        let fact = S::Heard::from_kind(heard.event.fact.clone()?.kind?)?;
        Some(Job::new(heard.event.job.clone()?, fact, heard.event.at_ms, desk))
    }
}

fn not_mine(heard: &Heard) -> StageError {
    StageError::new(ErrorCode::EventInvalid, format!("{} is not an event this stage hears", heard.id))
}

impl<S: Stage> Handler for Staged<S> {
    fn hear(&self, _: &Raw, event: Option<Heard>) -> std::result::Result<Heard, (Heard, StageError)> {
        let Some(heard) = event else { unreachable!("stages hear no inbox") };
        if heard.kind == Some(S::Heard::KIND) {
            Ok(heard)
        } else {
            let error = not_mine(&heard);
            Err((heard, error))
        }
    }

    fn reads(&self) -> &'static [Service] {
        S::Reads::MAKERS
    }

    fn shaped_by(&self, heard: &Heard, desk: &Arc<dyn Desk>) -> Option<(u32, String)> {
        let job = Self::job(heard, Arc::clone(desk))?;
        Some((S::VERSION, self.0.shaped_by(&job)))
    }

    fn run<'a>(
        &'a self,
        heard: &'a Heard,
        contents: Vec<Content>,
        desk: Arc<dyn Desk>,
    ) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            let job = Self::job(heard, desk).ok_or_else(|| not_mine(heard))?;
            let input = S::Reads::read(contents).map_err(|why| {
                StageError::new(ErrorCode::ArtifactCorrupt, format!("cannot read the input: {why}"))
            })?;
            let (says, writes) = self.0.run(&job, input).await?;
            let fact: Kind = says.into();
            let stored = writes.into_content().and_then(|body| output::stored(fact.clone(), body));
            let body = stored.map_err(|error| {
                StageError::new(ErrorCode::Internal, format!("the output could not be written: {error}"))
            })?;
            Ok(Outcome { fact, body: Some(body), claim: None, job: None })
        })
    }
}

pub(crate) struct Deciding<D>(pub(crate) D);

impl<D: Decider> Handler for Deciding<D> {
    fn hear(&self, _: &Raw, event: Option<Heard>) -> std::result::Result<Heard, (Heard, StageError)> {
        let Some(heard) = event else { unreachable!("the router hears no inbox") };
        if heard.kind.is_some_and(|kind| D::HOP.hears.contains(&kind)) {
            Ok(heard)
        } else {
            let error = not_mine(&heard);
            Err((heard, error))
        }
    }

    fn run<'a>(
        &'a self,
        heard: &'a Heard,
        _: Vec<Content>,
        _: Arc<dyn Desk>,
    ) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            let fact = heard.event.fact.as_ref().and_then(|fact| fact.kind.as_ref());
            let (Some(job), Some(fact)) = (&heard.event.job, fact) else { return Err(not_mine(heard)) };
            let decision = self.0.decide(job, fact);
            let mut job = job.clone();
            job.round = decision.round;
            Ok(Outcome { fact: decision.fact, body: None, claim: None, job: Some(job) })
        })
    }

    fn blocks(&self) -> bool {
        false
    }
}
