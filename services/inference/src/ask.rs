//! Asking one prompt: a question for each part of the document, corrections of what did not hold, and advice on errors
//! that no table knows.

use crate::calls::{Answered, Calls};
use crate::plan::{Part, Question};
use crate::prefix::Prefix;
use crate::{Inference, advice, plan};
use millrace_contract::remedy::{self, Treatment};
use millrace_contract::wire::{Answer, DocumentText, Fault, Routed, Spent};
use millrace_contract::{Action, ledger};
use millrace_profile::{Profile, Prompt};
use millrace_provider::Correction;
use millrace_provider::models::Model;
use millrace_stage::{Job, Result, StageError};
use serde_json::Value;
use std::borrow::Cow;
use std::time::SystemTime;

impl Inference {
    fn model(&self, alias: &str) -> Result<&Model> {
        let found = self.models.resolve(alias, SystemTime::now());
        found.map_err(|failure| StageError::new(failure.code, failure.message).exhausted())
    }

    /// The questions of one prompt; an error says in which part it arose.
    pub(crate) async fn plan<'a>(
        &'a self,
        calls: &Calls,
        job: &Job<Routed>,
        profile: &Profile,
        prompt: &'a Prompt,
        document: &DocumentText,
    ) -> std::result::Result<Vec<Question<'a>>, (Part, StageError)> {
        let model = |alias: &str| self.model(alias);
        let tokens = |model: &Model, estimate| calls.guards.calibration.tokens(&model.name, estimate);
        plan::questions(job, profile, prompt, document, model, tokens).await
    }

    /// All answers to one prompt: a part of the document each, and corrections of them. What was paid is added to
    /// `spent`; an error says in which part it arose.
    #[expect(clippy::too_many_arguments, reason = "one prompt of one job")]
    pub(crate) async fn ask(
        &self,
        calls: &Calls,
        job: &Job<Routed>,
        prompt: &Prompt,
        questions: &[Question<'_>],
        prefixes: &[Prefix<'_>],
        spent: &mut Spent,
        left: u32,
    ) -> std::result::Result<Vec<Answer>, (Part, StageError)> {
        let mut given = Vec::new();
        for question in questions {
            let kept = prefixes.iter().find_map(|prefix| prefix.of(question));
            let at = Part { number: question.part, of: question.parts };
            let remedies: Vec<String> = remedy::concerning(&job.known, &prompt.id, question.part)
                .into_iter()
                .map(|remedy| format!("{} {}", remedy.action, remedy.argument).trim_end().to_owned())
                .collect();
            let answered = calls.answer(job, question, kept, None, spent, left).await;
            let mut answered = answered.map_err(|error| (at, error))?;
            ledger::add(spent, &answered.spent);
            given.push(answer(question, &answered, Vec::new(), &remedies));
            let treatment = Treatment::of(&job.known, &prompt.id, question.part);
            // Of all parts together the first is asked: where two parts differ, what it says counts.
            for remedy in treatment.corrections.iter().filter(|remedy| remedy.part == question.part) {
                let fields = plan::failing_fields(&remedy.at);
                let complaint = complaint(&remedy.at, &fields, &prompt.schema);
                let correcting = Question {
                    schema: Cow::Owned(plan::only_fields(&prompt.schema, &fields)),
                    prompt: question.prompt,
                    system: question.system.clone(),
                    user: question.user.clone(),
                    ..*question
                };
                let correction = Correction { answer: &answered.text, complaint: &complaint };
                let corrected = calls.answer(job, &correcting, kept, Some(correction), spent, left).await;
                let corrected = corrected.map_err(|error| (at, error))?;
                ledger::add(spent, &corrected.spent);
                given.push(answer(question, &corrected, fields, &remedies));
                answered = corrected;
            }
        }
        Ok(given)
    }

    /// Asks a small model what to do about errors that no table knows. It sees the error, never the document.
    pub(crate) async fn advise(
        &self,
        calls: &Calls,
        job: &Job<Routed>,
        faults: &mut [Fault],
        spent: &mut Spent,
    ) {
        let Ok(planner) = self.model(&self.planner) else { return };
        for fault in faults.iter_mut().filter(|fault| advice::wanted(fault, &job.known)) {
            let question = advice::question(planner, fault, &job.known);
            match calls.answer(job, &question, None, None, spent, 1).await {
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
fn complaint(at: &[String], fields: &[String], schema: &Value) -> String {
    if fields.is_empty() {
        return "Your answer is not valid JSON for the schema. Give the whole answer again, as one JSON object and \
                nothing else."
            .to_owned();
    }
    format!(
        "Your answer does not hold at these places (JSON pointer: what is wrong):\n{}\nGive these fields again, \
         corrected, as one JSON object with nothing else in it: {}.",
        at.iter()
            .map(|place| format!("- {place}{}", limit(schema, place).unwrap_or_default()))
            .collect::<Vec<_>>()
            .join("\n"),
        fields.join(", ")
    )
}

/// What the schema says at a place like `/amounts/3/text: maxLength`. Most providers take schemas without limits: the
/// model hears of this one for the first time.
fn limit(schema: &Value, place: &str) -> Option<String> {
    let (pointer, keyword) = place.rsplit_once(": ")?;
    let at = pointer.split('/').skip(1).try_fold(schema, |schema, step| {
        let index = step.parse::<usize>().is_ok();
        schema["properties"].get(step).or_else(|| schema.get("items").filter(|_| index))
    })?;
    let limit = at.get(keyword).filter(|limit| limit.is_number() || limit.is_string())?;
    Some(limit.as_str().map_or_else(|| format!(" {limit}"), |text| format!(" {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_model_is_told_the_limit_that_it_has_missed() {
        let schema = json!({"properties": {
            "amounts": {"type": "array", "maxItems": 3, "items": {"properties": {
                "text": {"type": ["string", "null"], "maxLength": 80, "pattern": "^\\d"}}}},
            "title": {"type": "string"},
        }, "required": ["title"]});
        let at = [
            "/amounts: maxItems",
            "/amounts/3/text: maxLength",
            "/amounts/3/text: pattern",
            "/amounts/3/text: type",
            "/amounts/3/?: additionalProperties",
            "/title: required",
        ];
        let at = at.map(str::to_owned);
        let fields = plan::failing_fields(&at);
        let told = complaint(&at, &fields, &schema);
        let places: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("- ")).collect();
        assert_eq!(
            places,
            [
                "/amounts: maxItems 3",
                "/amounts/3/text: maxLength 80",
                "/amounts/3/text: pattern ^\\d",
                "/amounts/3/text: type",
                "/amounts/3/?: additionalProperties",
                "/title: required",
            ]
        );
    }
}
