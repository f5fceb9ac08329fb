//! Inference: asks a model every prompt of the job's profile. Each answer is kept as it arrives, so that whatever
//! happens next, it is not paid for again.

pub mod gemini;
pub mod models;
pub mod offline;
pub mod provider;

use anyhow::Context as _;
use millrace_contract::artifact::{SanitizedText, sha256_hex};
use millrace_contract::wire::{Answer, Answers, Inferred, Routed};
use millrace_contract::{ErrorCode, Hop, Service};
use millrace_profile::{Profile, Profiles, Prompt, Source, lowered};
use millrace_stage::{Job, Read, Result, Stage, StageError, agrees};
use models::{Model, Models};
use prost::Message as _;
use provider::{Ask, Provider};
use std::path::PathBuf;

/// The stage.
pub struct Inference {
    profiles: Profiles,
    models: Models,
    provider: Box<dyn Provider>,
}

/// Its options.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// Folder of profiles to use instead of the built-in ones
    #[arg(long, env = "MILLRACE_PROFILES")]
    pub profiles: Option<PathBuf>,
    /// Model aliases and prices in TOML [default: the built-in list]
    #[arg(long, env = "MILLRACE_MODELS")]
    pub models: Option<PathBuf>,
    /// Who answers: offline (extractive, no network, no key) or gemini [default: gemini if it has a key]
    #[arg(long, env = "MILLRACE_PROVIDER", value_parser = ["offline", "gemini"])]
    pub provider: Option<String>,
    #[command(flatten)]
    gemini: gemini::Settings,
    #[command(flatten)]
    offline: offline::Settings,
}

const _: () = assert!(agrees::<Inference>());

impl Stage for Inference {
    const HOP: &'static Hop = Service::Inference.hop();
    const VERSION: u32 = 1;
    type Settings = Settings;
    type Heard = Routed;
    type Reads = Read<SanitizedText>;
    type Says = Inferred;
    type Writes = Answers;

    fn new(settings: Settings) -> anyhow::Result<Self> {
        let named = settings.provider.as_deref();
        let provider: Box<dyn Provider> = match named {
            Some("gemini") => Box::new(gemini::Gemini::new(&settings.gemini)?),
            None if settings.gemini.has_key() => Box::new(gemini::Gemini::new(&settings.gemini)?),
            _ => Box::new(offline::Offline::new(settings.offline)),
        };
        Ok(Self {
            profiles: Profiles::load(&Source(settings.profiles))?,
            models: Models::load(settings.models.as_deref()).context("models")?,
            provider,
        })
    }

    fn shaped_by(&self, job: &Job<Routed>) -> String {
        let routed = &job.heard;
        let digest = self.profiles.get(&routed.profile).map_or("", |profile| profile.digest.as_str());
        let model = routed.models.first().map_or("", String::as_str);
        // A later round must not find what an earlier one left: its answer is why there is another round.
        let round = job.known.round;
        format!("{}\0{digest}\0{model}\0{}\0{round}", self.provider.name(), routed.prompt_language)
    }

    async fn run(&self, job: &Job<Routed>, Read(text): Read<SanitizedText>) -> Result<(Inferred, Answers)> {
        let routed = &job.heard;
        let profile = self.profile(&routed.profile)?;
        let model = self.models.resolve(routed.models.first().map_or("", String::as_str))?;
        let (mut inferred, mut answers) = (Inferred::default(), Answers::default());
        let of = u32::try_from(profile.prompts.len()).unwrap_or(u32::MAX);
        for (done, prompt) in (1..).zip(&profile.prompts) {
            job.progress(&prompt.doing, done, of);
            let answer = self.answer(job, profile, prompt, model, &text).await?;
            if !answer.reused {
                inferred.calls += 1;
                inferred.input_tokens += answer.input_tokens;
                inferred.output_tokens += answer.output_tokens;
                inferred.cost_microusd += answer.cost_microusd;
            }
            inferred.model.clone_from(&answer.model);
            answers.answers.push(answer);
        }
        self.provider.name().clone_into(&mut inferred.provider);
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

    /// One prompt's answer: one that was kept, or one that is asked for and then kept before anything else happens.
    async fn answer(
        &self,
        job: &Job<Routed>,
        profile: &Profile,
        prompt: &Prompt,
        model: &Model,
        text: &SanitizedText,
    ) -> Result<Answer> {
        let rendered = profile.render(prompt, &job.heard.prompt_language, &text.0).map_err(|error| {
            StageError::new(ErrorCode::Internal, format!("the template of {}: {error}", prompt.id))
        })?;
        let ask = Ask {
            model: &model.name,
            system: &rendered.system,
            user: &rendered.user,
            schema: lowered(&prompt.schema),
            annotated: &prompt.schema,
            document: &text.0,
            language: &job.known.language,
            max_output_tokens: profile.max_output_tokens,
        };
        let mut request = format!(
            "{}\0{}\0{}\0{}\0{}",
            self.provider.name(),
            model.name,
            rendered.system,
            rendered.user,
            prompt.schema
        );
        if job.known.fresh {
            request.push_str(&format!("\0{}\0{}", job.known.id, job.known.run));
        }
        let key = sha256_hex(request.as_bytes());
        if let Some(kept) = job.kept(&key).await?
            && let Ok(answer) = Answer::decode(kept.as_slice())
        {
            return Ok(Answer { reused: true, ..answer });
        }
        let reply = self.provider.ask(&ask).await?;
        let answer = Answer {
            prompt: prompt.id.clone(),
            json: reply.text,
            provider: self.provider.name().to_owned(),
            model: reply.model,
            input_tokens: reply.input_tokens,
            output_tokens: reply.output_tokens,
            cost_microusd: self.provider.cost(model, reply.input_tokens, reply.output_tokens),
            reused: false,
        };
        let kept = job.keep(&key, answer.encode_to_vec()).await?;
        Ok(Answer::decode(kept.as_slice()).unwrap_or(answer))
    }
}
