//! Inference: asks every prompt of the job's profile. Each call is in the journal before it goes out and when it has
//! come back, so that whatever happens next, no answer is paid for twice.

pub mod advice;
mod ask;
pub mod calls;
mod guards;
pub mod journal;
pub mod offline;
pub mod plan;
pub mod prefix;
pub mod settings;
pub mod text;

use calls::Calls;
use millrace_contract::artifact::SanitizedText;
use millrace_contract::remedy::Treatment;
use millrace_contract::wire::{Answers, Fault, Inferred, Remedy, Routed, Spent};
use millrace_contract::{ErrorCode, Hop, Service, event, ledger};
use millrace_profile::{Profile, Profiles};
use millrace_provider::models::Models;
use millrace_stage::{Job, Read, Result, Stage, StageError, agrees};
pub use settings::Settings;
use std::time::{Duration, SystemTime};

/// The stage.
pub struct Inference {
    profiles: Profiles,
    models: Models,
    provider: Provider,
    planner: String,
}

/// Who answers.
enum Provider {
    /// Rules of the profile; nothing leaves the process, nothing is paid.
    Offline(offline::Offline),
    /// Whoever the job's models belong to.
    Models(Box<Calls>),
}

const _: () = assert!(agrees::<Inference>());

impl Stage for Inference {
    const HOP: &'static Hop = Service::Inference.hop();
    const VERSION: u32 = 3;
    type Settings = Settings;
    type Heard = Routed;
    type Reads = Read<SanitizedText>;
    type Says = Inferred;
    type Writes = Answers;

    fn new(settings: Settings) -> anyhow::Result<Self> {
        settings.build()
    }

    fn shaped_by(&self, job: &Job<Routed>) -> String {
        let (known, routed) = (&job.known, &job.heard);
        let digest = self.profiles.get(&routed.profile).map_or("", |profile| profile.digest.as_str());
        let mut shape = format!("{digest}\0{}\0{}\0", routed.prompt_language, routed.tier);
        match &self.provider {
            Provider::Offline(_) => shape.push_str("offline"),
            Provider::Models(_) => {
                shape.push_str(routed.models.first().map_or("", String::as_str));
                // What was ordered since is why there is another round: what an earlier one left is not its answer.
                for Remedy { prompt, action, argument, part, .. } in &known.remedies {
                    shape.push_str(&format!("\0{prompt} {action} {argument} {part}"));
                }
            }
        }
        shape
    }

    async fn run(&self, job: &Job<Routed>, Read(text): Read<SanitizedText>) -> Result<(Inferred, Answers)> {
        let profile = self.profile(&job.heard.profile)?;
        let calls = match &self.provider {
            Provider::Offline(offline) => return offline.run(job, profile, &text.0).await,
            Provider::Models(calls) => calls,
        };
        pause(job)?;
        let (mut answers, mut faults) = (Answers::default(), Vec::new());
        let (mut spent, mut model) = (Spent::default(), String::new());
        let of = u32::try_from(profile.prompts.len()).unwrap_or(u32::MAX);
        let mut planned = Vec::new();
        for prompt in &profile.prompts {
            planned.push(self.plan(calls, job, profile, prompt, &text.0).await);
        }
        let questions: Vec<_> = planned.iter().flatten().flatten().collect();
        let prefixes = calls.keep(job, &questions, &mut spent).await;
        for ((done, prompt), planned) in (1..).zip(&profile.prompts).zip(&planned) {
            job.progress(&prompt.doing, done, of);
            let asked = match planned {
                Ok(questions) => {
                    self.ask(calls, job, prompt, questions, &prefixes, &mut spent, of + 1 - done).await
                }
                Err((at, error)) => Err((*at, error.clone())),
            };
            match asked {
                Ok(given) => {
                    if let Some(last) = given.last() {
                        model.clone_from(&last.model);
                    }
                    answers.answers.extend(given);
                }
                // It says when to come back; what was answered so far is in the journal.
                Err((_, error)) if calls::is_wait(&error) => return Err(error),
                Err((at, error)) => {
                    ledger::add(&mut spent, &error.spent.unwrap_or_default());
                    faults.push(Fault {
                        prompt: prompt.id.clone(),
                        code: error.code.name().to_owned(),
                        message: error.message,
                        model: Treatment::of(&job.known, &prompt.id, at.number).model.to_owned(),
                        part: at.number,
                        parts: at.of,
                        ..Fault::default()
                    });
                }
            }
        }
        if let Some(first) = faults.first() {
            let error = StageError::new(ErrorCode::named(&first.code), first.message.clone());
            self.advise(calls, job, &mut faults, &mut spent).await;
            return Err(StageError { faults, spent: Some(spent), ..error.exhausted() });
        }
        let provider = answers.answers.last().map(|answer| answer.provider.clone()).unwrap_or_default();
        let Spent { calls, input_tokens, output_tokens, cached_tokens, cost_microusd } = spent;
        let paid_by = event::payer(&job.known);
        let inferred = Inferred {
            provider,
            model,
            calls,
            input_tokens,
            output_tokens,
            cached_tokens,
            cost_microusd,
            paid_by,
        };
        Ok((inferred, answers))
    }
}

impl Inference {
    fn profile(&self, name: &str) -> Result<&Profile> {
        self.profiles.get(name).ok_or_else(|| {
            let message =
                format!("there is no profile {name:?}; installed: {}", self.profiles.names().join(", "));
            StageError::new(ErrorCode::ProfileUnknown, message)
        })
    }
}

/// A round that the router has told to wait is parked until it is time.
fn pause(job: &Job<Routed>) -> Result<()> {
    let due = SystemTime::UNIX_EPOCH + Duration::from_millis(job.said_ms + job.heard.wait_ms);
    match due.duration_since(SystemTime::now()) {
        Ok(left) if job.heard.wait_ms > 0 && !left.is_zero() => {
            let error = StageError::new(ErrorCode::ProviderOverloaded, "the router has ordered a pause");
            Err(error.after(Some(left)).yielding())
        }
        _ => Ok(()),
    }
}
