//! Validation: every answer is JSON, or is put right where there is no doubt; it fits its schema, its evidence is found
//! in the text, and the findings agree as the profile demands. Then the report is assembled; evidence that is not
//! found is withheld, never published as true.

pub mod grounding;
pub mod meaning;
pub mod merge;
pub mod repair;
pub mod report;
pub mod schema;
pub mod section;
pub mod written;

use grounding::Index;
use millrace_contract::artifact::{SanitizedText, UNREAD};
use millrace_contract::remedy::Action;
use millrace_contract::wire::{self, Answer, Answers, Completed, Fault, Inferred, Report};
use millrace_contract::{ErrorCode, Hop, Service};
use millrace_profile::{Profile, Profiles, Source};
use millrace_stage::{Job, Read, Result, Stage, StageError, agrees};
use report::{Made, Repair};
use section::{Question, fault};
use serde_json::Map;
use std::collections::HashMap;
use std::path::PathBuf;

/// The stage.
pub struct Validation {
    profiles: Profiles,
    /// By profile and prompt.
    questions: HashMap<(String, String), Question>,
    repair: Repairing,
}

/// Its options.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// Folder of profiles to use instead of the built-in ones
    #[arg(long, env = "MILLRACE_PROFILES")]
    pub profiles: Option<PathBuf>,
    /// Whether answers are put right where there is no doubt (on), or asked for again (off)
    #[arg(long, env = "MILLRACE_REPAIR", value_enum, default_value = "on")]
    pub repair: Repairing,
}

/// See [`Settings::repair`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Repairing {
    /// Free of charge.
    On,
    /// Whatever is not right as it came is not right.
    Off,
}

const _: () = assert!(agrees::<Validation>());

impl Stage for Validation {
    const HOP: &'static Hop = Service::Validation.hop();
    const VERSION: u32 = 4;
    type Settings = Settings;
    type Heard = Inferred;
    type Reads = (Read<Answers>, Read<SanitizedText>);
    type Says = Completed;
    type Writes = Report;

    fn new(settings: Settings) -> anyhow::Result<Self> {
        let profiles = Profiles::load(&Source(settings.profiles))?;
        let mut questions = HashMap::new();
        for profile in profiles.names().into_iter().filter_map(|name| profiles.get(name)) {
            for prompt in &profile.prompts {
                let question = Question::new(&prompt.schema).map_err(|error| {
                    anyhow::anyhow!("profile {}: schema of {}: {error}", profile.name, prompt.id)
                })?;
                questions.insert((profile.name.clone(), prompt.id.clone()), question);
            }
        }
        Ok(Self { profiles, questions, repair: settings.repair })
    }

    fn shaped_by(&self, job: &Job<Inferred>) -> String {
        let digest = self.profiles.get(&job.known.profile).map(|profile| profile.digest.as_str());
        format!("{} {}", digest.unwrap_or_default(), report::shaped_by(&job.known))
    }

    async fn run(
        &self,
        job: &Job<Inferred>,
        (Read(answers), Read(text)): (Read<Answers>, Read<SanitizedText>),
    ) -> Result<(Completed, Report)> {
        let profile = self.profiles.get(&job.known.profile).ok_or_else(|| {
            StageError::new(ErrorCode::ProfileUnknown, format!("there is no profile {:?}", job.known.profile))
        })?;
        let made = self.assemble(profile, &job.known, &answers.answers, &text.0).map_err(failed)?;
        let completed = Completed {
            evidence: made.evidence.found,
            ungrounded: made.evidence.withheld,
            repairs: made.repairs.len() as u32,
            warnings: made.warnings.len() as u32,
        };
        Ok((completed, Report { json: format!("{:#}", made.json()) }))
    }
}

impl Validation {
    /// Makes the report of all answers. What is wrong is collected over all prompts, so that one round can ask about
    /// all of it.
    fn assemble<'a>(
        &self,
        profile: &'a Profile,
        known: &'a wire::Job,
        answers: &'a [Answer],
        text: &'a wire::DocumentText,
    ) -> std::result::Result<Made<'a>, Vec<Fault>> {
        let index = Index::new(text);
        let question = |prompt: &str| self.questions.get(&(profile.name.clone(), prompt.to_owned()));
        let (mut sections, mut repairs, mut faults, mut cut) = (Map::new(), Vec::new(), Vec::new(), false);
        for prompt in &profile.prompts {
            let own: Vec<&Answer> = answers.iter().filter(|answer| answer.prompt == prompt.id).collect();
            let Some(question) = question(&prompt.id) else { continue };
            match question.section(&prompt.id, &own) {
                Ok(section) if self.repair == Repairing::Off && !section.notes.is_empty() => {
                    let message = format!("the answer to {} is not right as it came", prompt.id);
                    faults.push(*fault(&prompt.id, ErrorCode::AnswerMalformed, message, Vec::new()));
                }
                Ok(mut section) => {
                    grounding::ground(&mut section.value, &index);
                    sections.insert(prompt.id.clone(), section.value);
                    cut |= section.cut;
                    let repair = |(part, note)| Repair { prompt: prompt.id.clone(), part, note };
                    repairs.extend(section.notes.into_iter().map(repair));
                }
                Err(fault) => faults.push(*fault),
            }
        }
        let asked = |prompt: &str| {
            known.remedies.iter().any(|remedy| {
                remedy.prompt == prompt
                    && remedy.action == Action::ReAsk.name()
                    && remedy.code == ErrorCode::AnswerInconsistent.name()
            })
        };
        let schema = |prompt: &str| question(prompt).map(Question::schema);
        let found = meaning::check(&profile.checks, &mut sections, &index, schema, asked);
        for prompt in &profile.prompts {
            let doubts = found.doubts.iter().filter(|doubt| doubt.prompt == prompt.id);
            let at: Vec<String> = doubts.map(|doubt| doubt.at.clone()).collect();
            if !at.is_empty() {
                let message = format!("the answer to {} contradicts the document or itself", prompt.id);
                faults.push(*fault(&prompt.id, ErrorCode::AnswerInconsistent, message, at));
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let evidence =
            sections.values().map(grounding::count).fold(grounding::Count::default(), |all, one| all + one);
        Ok(Made {
            profile,
            job: known,
            pages: text.pages.len(),
            unread: text.pages.iter().filter(|page| page.reader == UNREAD).map(|page| page.number).collect(),
            answers,
            sections,
            repairs,
            warnings: found.warnings,
            evidence,
            signals: &text.signals,
            cut,
        })
    }
}

/// One error of many faults. Its code is that of the first.
fn failed(faults: Vec<Fault>) -> StageError {
    let code = faults.first().map_or(ErrorCode::Internal, |fault| ErrorCode::named(&fault.code));
    let line = |fault: &Fault| {
        let places = if fault.at.is_empty() { String::new() } else { format!(" at {}", fault.at.join(", ")) };
        format!("{}{places}", fault.message)
    };
    let message = faults.iter().map(line).collect::<Vec<_>>().join("; ");
    StageError { faults, ..StageError::new(code, message) }
}

#[cfg(test)]
mod tests;
