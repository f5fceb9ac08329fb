//! Validation: every answer is JSON, fits its schema, and every quote in it is found in the text. Then the report is
//! assembled; a quote that is not found is withheld, never published as true.

pub mod evidence;

use evidence::Index;
use jsonschema::Validator;
use millrace_contract::artifact::SanitizedText;
use millrace_contract::wire::{Answer, Answers, Completed, Inferred, Report};
use millrace_contract::{ErrorCode, Hop, Service};
use millrace_profile::{Profiles, Source};
use millrace_stage::{Job, Read, Result, Stage, StageError, agrees};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::path::PathBuf;

/// The stage.
pub struct Validation {
    profiles: Profiles,
    /// By profile and prompt.
    validators: HashMap<(String, String), Validator>,
}

/// Its options.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// Folder of profiles to use instead of the built-in ones
    #[arg(long, env = "MILLRACE_PROFILES")]
    pub profiles: Option<PathBuf>,
}

const _: () = assert!(agrees::<Validation>());

impl Stage for Validation {
    const HOP: &'static Hop = Service::Validation.hop();
    const VERSION: u32 = 1;
    type Settings = Settings;
    type Heard = Inferred;
    type Reads = (Read<Answers>, Read<SanitizedText>);
    type Says = Completed;
    type Writes = Report;

    fn new(settings: Settings) -> anyhow::Result<Self> {
        let profiles = Profiles::load(&Source(settings.profiles))?;
        let mut validators = HashMap::new();
        for profile in profiles.names().into_iter().filter_map(|name| profiles.get(name)) {
            for prompt in &profile.prompts {
                let validator = jsonschema::validator_for(&prompt.schema).map_err(|error| {
                    anyhow::anyhow!("profile {}: schema of {}: {error}", profile.name, prompt.id)
                })?;
                validators.insert((profile.name.clone(), prompt.id.clone()), validator);
            }
        }
        Ok(Self { profiles, validators })
    }

    fn shaped_by(&self, job: &Job<Inferred>) -> String {
        self.profiles.get(&job.known.profile).map(|profile| profile.digest.clone()).unwrap_or_default()
    }

    async fn run(
        &self,
        job: &Job<Inferred>,
        (Read(answers), Read(text)): (Read<Answers>, Read<SanitizedText>),
    ) -> Result<(Completed, Report)> {
        let profile = self.profiles.get(&job.known.profile).ok_or_else(|| {
            StageError::new(ErrorCode::ProfileUnknown, format!("there is no profile {:?}", job.known.profile))
        })?;
        let index = Index::new(&text.0);
        let (mut sections, mut completed) = (Map::new(), Completed::default());
        for answer in &answers.answers {
            let mut section = self.check(&profile.name, answer)?;
            let (found, withheld) = evidence::ground(&mut section, &index);
            completed.evidence += found;
            completed.ungrounded += withheld;
            sections.insert(answer.prompt.clone(), section);
        }
        let first = answers.answers.first();
        let report = json!({
            "profile": profile.name,
            "profile_version": profile.version,
            "language": job.known.language,
            "pages": text.0.pages.len(),
            "provider": first.map(|answer| answer.provider.as_str()),
            "model": first.map(|answer| answer.model.as_str()),
            "sections": sections,
            "evidence": { "found": completed.evidence, "withheld": completed.ungrounded },
        });
        Ok((completed, Report { json: format!("{report:#}") }))
    }
}

impl Validation {
    /// The answer as JSON that fits its schema.
    fn check(&self, profile: &str, answer: &Answer) -> Result<Value> {
        let parsed: Value = serde_json::from_str(unfenced(&answer.json)).map_err(|error| {
            let message = format!("the answer to {} is not JSON: {error}", answer.prompt);
            StageError::new(ErrorCode::AnswerMalformed, message)
        })?;
        let Some(validator) = self.validators.get(&(profile.to_owned(), answer.prompt.clone())) else {
            let message = format!("the profile {profile} has no prompt {}", answer.prompt);
            return Err(StageError::new(ErrorCode::AnswerInvalid, message));
        };
        // Where it is wrong, not what stands there: that may be the document's text.
        let wrong: Vec<String> = validator
            .iter_errors(&parsed)
            .take(5)
            .map(|error| format!("{} ({})", error.instance_path(), error.schema_path()))
            .collect();
        if wrong.is_empty() {
            return Ok(parsed);
        }
        let message =
            format!("the answer to {} does not fit its schema at {}", answer.prompt, wrong.join(", "));
        Err(StageError::new(ErrorCode::AnswerInvalid, message))
    }
}

/// JSON out of the Markdown fence that some models put around it.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix("```").and_then(|text| text.strip_suffix("```")) else { return text };
    inner.strip_prefix("json").unwrap_or(inner).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(json: &str) -> Answer {
        Answer { prompt: "summary".into(), json: json.into(), ..Answer::default() }
    }

    #[test]
    fn answers_that_do_not_hold_are_told_apart() {
        let stage = Validation::new(Settings { profiles: None }).unwrap();
        assert_eq!(
            stage.check("summary", &answer("I am sorry")).unwrap_err().code,
            ErrorCode::AnswerMalformed
        );
        let error = stage.check("summary", &answer("{\"title\": 1}")).unwrap_err();
        assert_eq!(error.code, ErrorCode::AnswerInvalid);
        assert!(error.message.contains("/title"), "{}", error.message);
    }

    #[test]
    fn fences_are_not_part_of_an_answer() {
        assert_eq!(unfenced("```json\n{}\n```"), "{}");
        assert_eq!(unfenced(" {} "), "{}");
    }
}
