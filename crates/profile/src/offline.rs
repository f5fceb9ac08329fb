//! What an `x-offline` rule may say, and where. The offline provider carries the rules out.

use crate::schema::wrong_regex;
use serde_json::{Map, Value};

/// Where in an answer a schema stands. Other rules hold at the top than inside of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    /// The answer itself.
    Answer,
    /// A property of the answer.
    Top,
    /// Anything deeper.
    Inside,
}

impl Where {
    pub(crate) fn property(self) -> Where {
        if self == Where::Answer { Where::Top } else { Where::Inside }
    }

    pub(crate) fn item(self) -> Where {
        Where::Inside
    }
}

/// What is wrong with the rule of a schema: the place under `x-offline` as a JSON pointer, and the words.
pub(crate) fn mistakes(fields: &Map<String, Value>, kind: &str, place: Where) -> Vec<(String, String)> {
    let Some(rule) = fields.get("x-offline") else { return Vec::new() };
    let Some(rule) = rule.as_object() else { return vec![(String::new(), "must be an object".to_owned())] };
    let values = fields.get("enum").and_then(Value::as_array);
    let allowed: &[&str] = match (place, kind) {
        (Where::Top | Where::Inside, "string") if values.is_some() => &["cases", "otherwise"],
        (Where::Top, "array") => &["match", "limit"],
        (Where::Top, "object") => &["match"],
        (Where::Top, "string") => &["match", "lead", "language"],
        (Where::Inside, "string" | "number" | "integer" | "boolean") => &["match"],
        _ => &[],
    };
    let mut wrong = Vec::new();
    for (key, value) in rule {
        let at = format!("/{key}");
        if !allowed.contains(&key.as_str()) {
            let text = if allowed.is_empty() {
                format!(
                    "{key:?} is not looked at here; only properties of items and of the answer have rules"
                )
            } else {
                format!("{key:?} is not looked at here; there may be {}", allowed.join(", "))
            };
            wrong.push((at, text));
            continue;
        }
        match key.as_str() {
            "match" => wrong.extend(pattern(value).map(|text| (at, text))),
            "limit" | "lead" if value.as_u64().is_none_or(|number| number == 0) => {
                wrong.push((at, format!("{key:?} must be a whole number, 1 or more")));
            }
            "language" if !value.is_boolean() => wrong.push((at, "\"language\" must be true".to_owned())),
            "otherwise" if values.is_some_and(|values| !values.contains(value)) => {
                wrong.push((at, format!("otherwise is {value}, which is not in \"enum\"")));
            }
            "cases" => match value.as_object() {
                None => wrong.push((at, "\"cases\" must be an object of values and patterns".to_owned())),
                Some(cases) => {
                    for (case, value) in cases {
                        let at = format!("/cases/{}", crate::mistakes::escaped(case));
                        if values.is_some_and(|values| !values.iter().any(|value| value == case)) {
                            wrong.push((at.clone(), format!("the case {case:?} is not in \"enum\"")));
                        }
                        wrong.extend(pattern(value).map(|text| (at, text)));
                    }
                }
            },
            _ => {}
        }
    }
    wrong
}

/// What is wrong with a pattern, read as the offline provider does it.
fn pattern(value: &Value) -> Option<String> {
    let Some(pattern) = value.as_str() else { return Some("a pattern must be text".to_owned()) };
    wrong_regex(pattern, true)
}
