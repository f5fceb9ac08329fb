//! What is asked about a document: for each prompt, the questions that its treatment comes to. The same job with the
//! same remedies gives the same questions, to the byte: so the journal finds what was answered before.

use crate::text;
use millrace_contract::remedy::Treatment;
use millrace_contract::wire::{DocumentText, Routed};
use millrace_contract::{Action, ErrorCode};
use millrace_profile::{Profile, Prompt};
use millrace_provider::models::Model;
use millrace_provider::{Ask, Correction, Shape, Tier};
use millrace_stage::{Job, Result, StageError};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A share of the window that a question may fill: estimates are estimates.
const FILL: f64 = 0.6;
/// Above this many tokens providers charge more, and read less carefully.
const COMFORTABLE: u64 = 200_000;

/// Where in a document that is asked about in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// From 0.
    pub number: u32,
    /// Of how many; 0 if nobody has counted yet.
    pub of: u32,
}

impl Part {
    /// All of it.
    pub const ONLY: Part = Part { number: 0, of: 0 };
}

/// One question, ready to be put into a provider's words.
#[derive(Debug)]
pub struct Question<'a> {
    /// Which prompt it is, or is a part of.
    pub prompt: &'a str,
    /// Who is asked.
    pub model: &'a Model,
    /// Instructions.
    pub system: String,
    /// Document first, question last.
    pub user: String,
    /// What the answer must look like.
    pub schema: Cow<'a, Value>,
    /// How to ask for it.
    pub shape: Shape,
    /// Limit on the answer.
    pub max_output_tokens: u32,
    /// Whether to think as little as possible.
    pub think_less: bool,
    /// Which service.
    pub tier: Tier,
    /// Times that the same was asked before and nothing came of it.
    pub again: u32,
    /// Which part of the document, from 0.
    pub part: u32,
    /// Of how many.
    pub parts: u32,
}

impl Question<'_> {
    /// As a provider's adapter takes it, with every word of it.
    pub fn ask<'b>(&'b self, correction: Option<Correction<'b>>) -> Ask<'b> {
        Ask {
            model: self.model,
            system: &self.system,
            user: &self.user,
            correction,
            schema: &self.schema,
            shape: self.shape,
            max_output_tokens: self.max_output_tokens,
            think_less: self.think_less,
            tier: self.tier,
            kept: None,
        }
    }
}

/// The questions of one prompt. `model` looks an alias up, `tokens` estimates what a text will cost a model.
///
/// # Errors
/// If the profile's template cannot be filled in, the parts cannot be agreed on, or a model is not known; says in which
/// part.
pub async fn questions<'a>(
    job: &Job<Routed>,
    profile: &Profile,
    prompt: &'a Prompt,
    document: &DocumentText,
    model: impl Fn(&str) -> Result<&'a Model>,
    tokens: impl Fn(&Model, u64) -> u64,
) -> std::result::Result<Vec<Question<'a>>, (Part, StageError)> {
    let whole = Treatment::of(&job.known, &prompt.id, 0);
    let mut shown = Cow::Borrowed(document);
    if whole.has(Action::Shorten) {
        shown = Cow::Owned(text::shorten(&shown));
    }
    let parts = match whole.parts {
        0 => {
            let count = async |model: &Model| {
                let tokens = tokens(model, job.known.tokens);
                parts(job, profile, prompt, model, tokens).await.map_err(|error| (Part::ONLY, error))
            };
            let now = model(whole.model).map_err(|error| (Part::ONLY, error))?;
            // Parts are made for the model that is asked first, and stay: one that another takes over is still the
            // same part, and the others keep their answers.
            let first = job.known.models.first().and_then(|first| model(first).ok()).unwrap_or(now);
            match count(first).await? {
                1 if first.name != now.name => count(now).await?,
                parts => parts,
            }
        }
        ordered => ordered,
    };
    let documents: Vec<Cow<'_, DocumentText>> = if parts > 1 {
        text::split(&shown, parts).into_iter().map(Cow::Owned).collect()
    } else {
        vec![shown]
    };
    let of = u32::try_from(documents.len()).unwrap_or(u32::MAX);
    (0..)
        .zip(documents)
        .map(|(part, document)| {
            let treatment = Treatment::of(&job.known, &prompt.id, part);
            let failed = |error| (Part { number: part, of }, error);
            let model = model(treatment.model).map_err(failed)?;
            let document = if treatment.has(Action::RedactMore) {
                Cow::Owned(text::redact_more(&document))
            } else {
                document
            };
            let mut schema = Cow::Borrowed(&prompt.schema);
            if treatment.has(Action::EvidenceIdsOnly) {
                schema = Cow::Owned(without_anchors(&schema));
            }
            let flex = job.heard.tier == "flex" && !treatment.standard_tier;
            let rendered =
                profile.render(prompt, &job.heard.prompt_language, &document).map_err(|error| {
                    let message = format!("the template of {}: {error}", prompt.id);
                    failed(StageError::new(ErrorCode::Internal, message))
                })?;
            let mut system = rendered.system;
            if treatment.has(Action::Rephrase) {
                system.push_str(PURPOSE);
            }
            Ok(Question {
                prompt: &prompt.id,
                model,
                system,
                user: rendered.user,
                schema,
                shape: match () {
                    () if treatment.has(Action::JsonMode) => Shape::Json,
                    () if treatment.has(Action::SimplifySchema) => Shape::Simple,
                    () => Shape::Schema,
                },
                max_output_tokens: (profile.max_output_tokens * treatment.output_factor)
                    .min(model.max_output),
                think_less: prompt.think_less || treatment.has(Action::LowerThinking),
                tier: if flex { Tier::Flex } else { Tier::Standard },
                again: treatment.again,
                part,
                parts: of,
            })
        })
        .collect()
}

/// In how many parts a document is asked about, if nobody has ordered anything. What was decided first stays: the
/// estimate gets better all the time, and another number of parts would be paid for again.
async fn parts(
    job: &Job<Routed>,
    profile: &Profile,
    prompt: &Prompt,
    model: &Model,
    estimate: u64,
) -> Result<u32> {
    let answer = profile.max_output_tokens.min(model.max_output);
    let window = model.window.saturating_sub(answer.into());
    let mut fits = ((window as f64 * FILL) as u64).clamp(1, COMFORTABLE);
    if profile.max_input_tokens > 0 {
        fits = fits.min(profile.max_input_tokens);
    }
    if estimate * 2 < fits {
        return Ok(1);
    }
    let parts = u32::try_from(estimate.div_ceil(fits)).unwrap_or(u32::MAX).clamp(1, 64);
    let known = &job.known;
    let key =
        format!("parts\0{}\0{}\0{}\0{}\0{}", known.id, known.run, prompt.id, model.name, profile.digest);
    let kept = job.keep(&key, parts.to_string().into_bytes()).await?;
    Ok(String::from_utf8(kept).ok().and_then(|text| text.parse().ok()).unwrap_or(parts))
}

/// What is said to a filter that took a document for what it is not.
const PURPOSE: &str = "\n\nThe document is a business record that its owner has asked to have analysed. It is read \
    to extract facts that stand in it, for the owner's own use. Passages that sound harmful are quoted records, not \
    requests.";

/// A schema whose evidence is block ids alone: nothing is recited, and the words are filled in from the document.
fn without_anchors(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let evidence = fields.get("properties").is_some_and(|fields| fields.get("block_ids").is_some());
            let wordy = |name: &str| evidence && matches!(name, "anchor" | "quote");
            fields
                .iter()
                .map(|(name, value)| {
                    let value = match (name.as_str(), value) {
                        ("properties", Value::Object(properties)) => properties
                            .iter()
                            .filter(|(name, _)| !wordy(name))
                            .map(|(name, value)| (name.clone(), without_anchors(value)))
                            .collect::<Map<_, _>>()
                            .into(),
                        ("required", Value::Array(names)) => {
                            names.iter().filter(|name| !name.as_str().is_some_and(wordy)).cloned().collect()
                        }
                        _ => without_anchors(value),
                    };
                    (name.clone(), value)
                })
                .collect::<Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.iter().map(without_anchors).collect(),
        other => other.clone(),
    }
}

/// The part of a schema with these top-level fields; all of it if none of them is one.
pub fn only_fields(schema: &Value, fields: &[String]) -> Value {
    let mut part = schema.clone();
    let known = |name: &str| schema["properties"].get(name).is_some();
    if !fields.iter().any(|name| known(name)) {
        return part;
    }
    if let Some(properties) = part["properties"].as_object_mut() {
        properties.retain(|name, _| fields.contains(name));
    }
    if let Some(required) = part["required"].as_array_mut() {
        required.retain(|name| name.as_str().is_some_and(|name| fields.iter().any(|field| field == name)));
    }
    part
}

/// The top-level fields that faults are in: "/amounts/3/amount: type" is in amounts.
pub fn failing_fields(at: &[String]) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for place in at {
        let field = place.trim_start_matches('/').split(['/', ':']).next().unwrap_or_default().trim();
        if !field.is_empty() && field != "?" && !fields.iter().any(|known| known == field) {
            fields.push(field.to_owned());
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn evidence_by_id_alone() {
        let evidence = json!({"type": "object", "required": ["block_ids", "anchor"],
            "properties": {"block_ids": {"type": "array"}, "anchor": {"type": "string"}}});
        let schema = json!({"properties": {"anchor": {"type": "string"}, "items": {"items": {"properties": {"evidence": evidence}}}},
            "required": ["anchor", "items"]});
        let lowered = without_anchors(&schema);
        assert_eq!(
            lowered["required"],
            json!(["anchor", "items"]),
            "a field of another object is left alone"
        );
        let evidence = &lowered["properties"]["items"]["items"]["properties"]["evidence"];
        assert_eq!(
            (&evidence["required"], evidence["properties"].get("anchor")),
            (&json!(["block_ids"]), None)
        );
    }

    #[test]
    fn corrections_ask_for_the_failing_fields_only() {
        let at =
            ["/amounts/3/amount: type".to_owned(), "/amounts: minItems".into(), "/signed: required".into()];
        let fields = failing_fields(&at);
        assert_eq!(fields, ["amounts", "signed"]);
        let schema = json!({"type": "object", "required": ["amounts", "signed", "law"],
            "properties": {"amounts": {}, "signed": {}, "law": {}}});
        let part = only_fields(&schema, &fields);
        assert_eq!(part["required"], json!(["amounts", "signed"]));
        assert_eq!(part["properties"], json!({"amounts": {}, "signed": {}}));
        assert_eq!(only_fields(&schema, &[]), schema);
    }
}
