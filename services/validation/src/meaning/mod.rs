//! Meaning: what the profile says must hold between the findings. What does not hold is left out, asked again or
//! published with a warning, as the profile says.

mod codes;
mod names;
mod places;
mod rules;
#[cfg(test)]
mod tests;

use crate::grounding::Index;
use crate::schema;
use millrace_profile::checks::{Check, Otherwise};
use serde_json::{Map, Value, json};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The check's name.
    pub check: &'static str,
    /// Where in the sections, as a JSON pointer.
    pub at: String,
    /// For readers of the report: may name what stands there. Never part of an event.
    pub message: String,
}

impl Warning {
    /// As the report has it.
    pub fn shown(&self) -> Value {
        json!({ "check": self.check, "at": self.at, "message": self.message })
    }
}

/// A place that the model is to be asked about once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The prompt that is asked.
    pub prompt: String,
    /// As in a fault: `/amounts/3/amount: number_in_quote`, below the prompt.
    pub at: String,
}

/// What comes of all checks.
#[derive(Debug, Default)]
pub struct Findings {
    /// For the report.
    pub warnings: Vec<Warning>,
    /// For another question.
    pub doubts: Vec<Doubt>,
}

/// Carries out the profile's checks. Leaves out of the sections what a check drops. `schema` gives the schema of a
/// prompt, and `asked` whether that prompt has been asked again for such a reason before.
pub fn check<'s>(
    checks: &[Check],
    sections: &mut Map<String, Value>,
    index: &Index,
    schema: impl Fn(&str) -> Option<&'s Value>,
    asked: impl Fn(&str) -> bool,
) -> Findings {
    let mut findings = Findings::default();
    // What is left out comes first, so that the places of all other findings are those of the report.
    let (drops, others): (Vec<&Check>, Vec<&Check>) =
        checks.iter().partition(|check| check.otherwise == Otherwise::Drop);
    for check in drops {
        // From the end, so that places before it stay what they are.
        for broken in rules::broken(&check.rule, sections, index).into_iter().rev() {
            let prompt = broken.path.first().and_then(|prompt| schema(prompt));
            let (at, message) = match leave_out(sections, &broken.path, prompt) {
                Some(at) => (at, format!("left out: {}", broken.message)),
                None => (places::pointer(&broken.path), broken.message),
            };
            findings.warnings.push(Warning { check: rules::name(&check.rule), at, message });
        }
    }
    for check in others {
        let name = rules::name(&check.rule);
        for broken in rules::broken(&check.rule, sections, index) {
            let prompt = broken.path.first().cloned().unwrap_or_default();
            if check.otherwise == Otherwise::ReAsk && !asked(&prompt) {
                let below = broken.path.iter().skip(1).map(String::as_str);
                let place = schema::pointer(schema(&prompt).unwrap_or(&schema::ANYTHING), below);
                let doubt = Doubt { at: format!("{place}: {name}"), prompt };
                if !findings.doubts.contains(&doubt) {
                    findings.doubts.push(doubt);
                }
            } else {
                let at = places::pointer(&broken.path);
                findings.warnings.push(Warning { check: name, at, message: broken.message });
            }
        }
    }
    findings
}

/// Takes the item around a place out of its list, or sets it to null where the profile allows that. Says which list,
/// or which place; none if it has to stay.
fn leave_out(sections: &mut Map<String, Value>, path: &[String], prompt: Option<&Value>) -> Option<String> {
    for length in (2..path.len() + 1).rev() {
        let (around, step) = (&path[..length - 1], &path[length - 1]);
        if let Some(Value::Array(items)) = places::at_mut(sections, around) {
            let index = step.parse::<usize>().ok().filter(|index| *index < items.len())?;
            items.remove(index);
            return Some(places::pointer(around));
        }
    }
    // The object with the evidence, or else the value itself.
    let item = (2..path.len()).rev().find(|length| {
        places::at(sections, &path[..*length]).is_some_and(|value| value.get("evidence").is_some())
    });
    let length = item.unwrap_or(path.len());
    let schema = path[1..length].iter().fold(prompt?, |schema, step| schema::property(schema, step));
    if !schema::nullable(schema) {
        return None;
    }
    *places::at_mut(sections, &path[..length])? = Value::Null;
    Some(places::pointer(&path[..length]))
}
