//! Inference: asks every prompt of the job's profile. Each call is in the journal before it goes out and when it has
//! come back, so that whatever happens next, no answer is paid for twice.

pub mod advice;
pub mod calls;
pub mod journal;
pub mod offline;
pub mod plan;
pub mod settings;
pub mod text;

use calls::{Answered, Calls};
use millrace_contract::artifact::SanitizedText;
use millrace_contract::remedy::Treatment;
use millrace_contract::wire::{Answer, Answers, DocumentText, Fault, Inferred, Remedy, Routed, Spent};
use millrace_contract::{Action, ErrorCode, Hop, Service, event, ledger};
use millrace_profile::{Profile, Profiles, Prompt};
use millrace_provider::Correction;
use millrace_provider::models::{Model, Models};
use millrace_stage::{Job, Read, Result, Stage, StageError, agrees};
use plan::Question;
pub use settings::Settings;
use std::borrow::Cow;
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
    const VERSION: u32 = 2;
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
                for Remedy { prompt, action, argument, .. } in &known.remedies {
                    shape.push_str(&format!("\0{prompt} {action} {argument}"));
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
        for (done, prompt) in (1..).zip(&profile.prompts) {
            job.progress(&prompt.doing, done, of);
            let treatment = Treatment::of(&job.known, &prompt.id);
            match self.ask(calls, job, profile, prompt, &treatment, &text.0, &mut spent, of + 1 - done).await
            {
                Ok(given) => {
                    if let Some(last) = given.last() {
                        model.clone_from(&last.model);
                    }
                    answers.answers.extend(given);
                }
                // It says when to come back; what was answered so far is in the journal.
                Err((_, error)) if calls::is_wait(&error) => return Err(error),
                Err((part, error)) => {
                    ledger::add(&mut spent, &error.spent.unwrap_or_default());
                    faults.push(Fault {
                        prompt: prompt.id.clone(),
                        code: error.code.name().to_owned(),
                        message: error.message,
                        model: treatment.model.to_owned(),
                        part,
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

    fn model(&self, alias: &str) -> Result<&Model> {
        let found = self.models.resolve(alias, SystemTime::now());
        found.map_err(|failure| StageError::new(failure.code, failure.message).exhausted())
    }

    /// All answers to one prompt: a part of the document each, and corrections of them. What was paid is added to
    /// `spent`; an error says in which part it arose.
    #[expect(clippy::too_many_arguments, reason = "one prompt of one job")]
    async fn ask(
        &self,
        calls: &Calls,
        job: &Job<Routed>,
        profile: &Profile,
        prompt: &Prompt,
        treatment: &Treatment<'_>,
        document: &DocumentText,
        spent: &mut Spent,
        left: u32,
    ) -> std::result::Result<Vec<Answer>, (u32, StageError)> {
        let model = self.model(treatment.model).map_err(|error| (0, error))?;
        let tokens = |estimate| calls.calibration.tokens(&model.name, estimate);
        let questions = plan::questions(job, profile, prompt, treatment, model, document, tokens).await;
        let remedies: Vec<String> = (job.known.remedies.iter())
            .filter(|remedy| remedy.prompt == prompt.id)
            .map(|remedy| format!("{} {}", remedy.action, remedy.argument).trim_end().to_owned())
            .collect();
        let mut given = Vec::new();
        for question in questions.map_err(|error| (0, error))? {
            let answered = calls.answer(job, &question, None, spent, left).await;
            let mut answered = answered.map_err(|error| (question.part, error))?;
            ledger::add(spent, &answered.spent);
            given.push(answer(&question, &answered, Vec::new(), &remedies));
            for remedy in treatment.corrections.iter().filter(|remedy| remedy.part == question.part) {
                let fields = plan::failing_fields(&remedy.at);
                let complaint = complaint(&remedy.at, &fields);
                let correcting = Question {
                    schema: Cow::Owned(plan::only_fields(&prompt.schema, &fields)),
                    prompt: question.prompt,
                    system: question.system.clone(),
                    user: question.user.clone(),
                    ..question
                };
                let correction = Correction { answer: &answered.text, complaint: &complaint };
                let corrected = calls.answer(job, &correcting, Some(correction), spent, left).await;
                let corrected = corrected.map_err(|error| (question.part, error))?;
                ledger::add(spent, &corrected.spent);
                given.push(answer(&question, &corrected, fields, &remedies));
                answered = corrected;
            }
        }
        Ok(given)
    }

    /// Asks a small model what to do about errors that no table knows. It sees the error, never the document.
    async fn advise(&self, calls: &Calls, job: &Job<Routed>, faults: &mut [Fault], spent: &mut Spent) {
        let Ok(planner) = self.model(&self.planner) else { return };
        for fault in faults.iter_mut().filter(|fault| advice::wanted(fault, &job.known)) {
            let question = advice::question(planner, fault, &job.known);
            match calls.answer(job, &question, None, spent, 1).await {
                Ok(answered) => {
                    ledger::add(spent, &answered.spent);
                    fault.advice = advice::read(&answered.text).map_or("", Action::name).to_owned();
                }
                // The router goes on without it.
                Err(error) => tracing::info!(code = %error.code, "no advice"),
            }
        }
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

fn answer(
    question: &Question<'_>,
    answered: &Answered,
    corrects: Vec<String>,
    remedies: &[String],
) -> Answer {
    let Spent { input_tokens, output_tokens, cached_tokens, cost_microusd, .. } = answered.spent;
    Answer {
        prompt: question.prompt.to_owned(),
        json: answered.text.clone(),
        provider: question.model.vendor.name().to_owned(),
        model: answered.model.clone(),
        input_tokens,
        output_tokens,
        cached_tokens,
        cost_microusd,
        reused: answered.reused,
        part: question.part,
        parts: question.parts,
        corrects,
        remedies: remedies.to_vec(),
        unfinished: answered.unfinished,
    }
}

/// What a model is told about its answer.
fn complaint(at: &[String], fields: &[String]) -> String {
    if fields.is_empty() {
        return "Your answer is not valid JSON for the schema. Give the whole answer again, as one JSON object and \
                nothing else."
            .to_owned();
    }
    format!(
        "Your answer does not hold at these places (JSON pointer: what is wrong):\n{}\nGive these fields again, \
         corrected, as one JSON object with nothing else in it: {}.",
        at.iter().map(|place| format!("- {place}")).collect::<Vec<_>>().join("\n"),
        fields.join(", ")
    )
}
