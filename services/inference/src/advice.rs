//! Advice on errors that no table knows: a small model picks one action of a closed list. It is told the error's class
//! and sizes; it never sees a word of the document, and what it says is only taken if the router allows it.

use crate::plan::Question;
use millrace_contract::wire::{Fault, Job};
use millrace_contract::{Action, ErrorCode};
use millrace_provider::models::Model;
use millrace_provider::{Shape, Tier};
use serde_json::{Value, json};
use std::borrow::Cow;

/// What it may choose from.
const CHOICE: [Action; 9] = [
    Action::Shorten,
    Action::Split,
    Action::RaiseOutputLimit,
    Action::SimplifySchema,
    Action::JsonMode,
    Action::EvidenceIdsOnly,
    Action::Rephrase,
    Action::RedactMore,
    Action::SwitchModel,
];

/// Whether there is something to ask: an error without a class of its own, and a choice left.
pub fn wanted(fault: &Fault, job: &Job) -> bool {
    let unknown = matches!(ErrorCode::named(&fault.code), ErrorCode::ProviderRefused | ErrorCode::Internal);
    unknown && tried(fault, job).len() < 2
}

fn tried<'a>(fault: &Fault, job: &'a Job) -> Vec<&'a str> {
    let of = job.remedies.iter().filter(|remedy| remedy.prompt == fault.prompt);
    of.map(|remedy| remedy.action.as_str()).collect()
}

/// The question.
pub fn question<'a>(model: &'a Model, fault: &Fault, job: &Job) -> Question<'a> {
    let actions: Vec<String> =
        CHOICE.iter().map(|action| format!("- {action}: {}", action.meaning())).collect();
    let names: Vec<&str> = CHOICE.iter().map(|action| action.name()).chain(["give_up"]).collect();
    let schema = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["action"],
        "properties": { "action": { "type": "string", "enum": names } },
    });
    let case = json!({
        "error": fault.code,
        "message": fault.message,
        "estimated_tokens": job.tokens,
        "pages": job.pages,
        "language": job.language,
        "already_tried": tried(fault, job),
    });
    Question {
        prompt: "advice",
        model,
        system: format!(
            "A call to a language model failed. Choose the one action that is most likely to make it succeed, or \
             give_up.\n{}\n- give_up: Nothing on this list can help.",
            actions.join("\n")
        ),
        user: case.to_string(),
        schema: Cow::Owned(schema),
        shape: Shape::Schema,
        max_output_tokens: 300,
        think_less: true,
        tier: Tier::Standard,
        again: 0,
        part: 0,
        parts: 1,
    }
}

/// What it chose; `None` for everything that is not on the list.
pub fn read(text: &str) -> Option<Action> {
    let answer: Value = serde_json::from_str(text).ok()?;
    let action = Action::named(answer["action"].as_str()?)?;
    CHOICE.contains(&action).then_some(action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_on_the_list_is_advice() {
        assert_eq!(read(r#"{"action": "shorten"}"#), Some(Action::Shorten));
        for other in [r#"{"action": "give_up"}"#, r#"{"action": "wait"}"#, "shorten", r#"{"action": 1}"#] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn asked_about_unknown_errors_only_and_at_most_twice() {
        let fault = |code: &str| Fault { prompt: "p".into(), code: code.into(), ..Fault::default() };
        let mut job = Job::default();
        assert!(wanted(&fault("provider_refused"), &job));
        assert!(!wanted(&fault("answer_malformed"), &job));
        let remedy = millrace_contract::wire::Remedy { prompt: "p".into(), ..Default::default() };
        job.remedies = vec![remedy.clone(), remedy];
        assert!(!wanted(&fault("provider_refused"), &job));
    }
}
