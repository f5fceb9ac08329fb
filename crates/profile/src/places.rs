//! The `[[checks]]` of a profile against its schemas: every place must exist and hold what the check compares.

use crate::checks::{Check, Otherwise, Place, Rule, Step};
use crate::fields::{FILE, Fields};
use crate::mistakes::Mistake;
use serde_json::Value;

/// What a check compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
}

/// Reads one `[[checks]]` and says what is wrong with it. `schemas`: by prompt; null where a schema cannot be read.
pub(crate) fn read(
    fields: &Fields<'_>,
    schemas: &[(String, Value)],
    mistakes: &mut Vec<Mistake>,
) -> Option<Check> {
    let (values, lines) = fields.all();
    let line = |key: &str| lines.get(key).copied().unwrap_or(fields.line);
    if let Some(known) = values.get("check").and_then(Value::as_str).and_then(known) {
        for key in values
            .keys()
            .filter(|key| !known.contains(&key.as_str()) && *key != "check" && *key != "otherwise")
        {
            let text = format!("{key:?} is no field of this check; there may be {}", known.join(", "));
            mistakes.push(Mistake::new(FILE, line(key), text));
        }
    }
    let check: Check = match serde_json::from_value(Value::Object(values.clone())) {
        Ok(check) => check,
        Err(error) => {
            // serde says what, not where: the field which it names, or the check.
            let text = error.to_string();
            let named = lines.iter().find(|(key, _)| {
                values[**key].as_str().is_some_and(|value| {
                    text.contains(&format!("`{value}`")) || text.contains(&format!("{value:?}"))
                })
            });
            let line = named.map_or(fields.line, |(_, line)| *line);
            mistakes.push(Mistake::new(FILE, line, format!("[[checks]]: {text}")));
            return None;
        }
    };
    let places: Vec<(&str, &Place, Kind, bool)> = match &check.rule {
        Rule::DatesInOrder { first, then } => {
            vec![("first", first, Kind::Text, false), ("then", then, Kind::Text, false)]
        }
        Rule::DateBetween { field, .. } => vec![("field", field, Kind::Text, false)],
        Rule::AddsUp { parts, minus, total, .. } => {
            let parts = parts.iter().map(|place| ("parts", place, Kind::Number, false));
            let minus = minus.iter().map(|place| ("minus", place, Kind::Number, false));
            parts.chain(minus).chain([("total", total, Kind::Number, false)]).collect()
        }
        Rule::NumberInQuote { field } => vec![("field", field, Kind::Number, true)],
        Rule::DateInQuote { field } => vec![("field", field, Kind::Text, true)],
        Rule::InDocument { field } | Rule::Currency { field } | Rule::Iban { field } => {
            vec![("field", field, Kind::Text, false)]
        }
        Rule::Among { field, among } => {
            vec![("field", field, Kind::Text, false), ("among", among, Kind::Text, false)]
        }
    };
    // Of the place that is at fault if the check fails: the first one.
    let mut absent = true;
    for (number, (key, place, kind, quoted)) in places.iter().enumerate() {
        match resolve(place, *kind, *quoted, schemas) {
            Ok(may_be_absent) => absent &= number > 0 || may_be_absent,
            Err(text) => mistakes.push(Mistake::new(FILE, line(key), text)),
        }
    }
    match &check.rule {
        Rule::DateBetween { from, to, .. } if from > to => {
            mistakes.push(Mistake::new(FILE, line("from"), format!("no year is between {from} and {to}")));
        }
        Rule::AddsUp { parts, .. } if parts.is_empty() => {
            mistakes.push(Mistake::new(
                FILE,
                line("parts"),
                "\"parts\" is empty: nothing adds up to the total",
            ));
        }
        _ => {}
    }
    if check.otherwise == Otherwise::Drop && (!absent || matches!(check.rule, Rule::AddsUp { .. })) {
        let text = "nothing here can be left out: \"drop\" needs an item of a list, or something that may be null, and no sum";
        mistakes.push(Mistake::new(FILE, line("otherwise"), text));
    }
    Some(check)
}

/// The fields of a check, if there is one of that name.
fn known(check: &str) -> Option<&'static [&'static str]> {
    Some(match check {
        "dates_in_order" => &["first", "then"],
        "date_between" => &["field", "from", "to"],
        "adds_up" => &["parts", "minus", "total", "tolerance"],
        "among" => &["field", "among"],
        "number_in_quote" | "date_in_quote" | "in_document" | "currency" | "iban" => &["field"],
        _ => return None,
    })
}

/// Follows a place through the schemas. Says whether what stands there may be left out: it is in a list, or the
/// object with its evidence may be null, or it may be null itself.
fn resolve(place: &Place, kind: Kind, quoted: bool, schemas: &[(String, Value)]) -> Result<bool, String> {
    let whole = written(&place.0);
    let Some((Step::Field(prompt), rest)) = place.0.split_first() else {
        return Err(format!("{whole} does not begin with a prompt"));
    };
    let Some((_, schema)) = schemas.iter().find(|(id, _)| id == prompt) else {
        let ids: Vec<&str> = schemas.iter().map(|(id, _)| id.as_str()).collect();
        return Err(format!("{whole}: there is no prompt {prompt:?}; there are {}", ids.join(", ")));
    };
    if schema.is_null() {
        return Ok(true);
    }
    let mut at = schema;
    let (mut evidence, mut absent) = (false, rest.contains(&Step::Each));
    for (number, step) in rest.iter().enumerate() {
        let before = || written(&place.0[..=number]);
        at = match step {
            Step::Each => at
                .get("items")
                .ok_or_else(|| format!("{whole}: {} is no list, so there is no *", before()))?,
            Step::Field(name) => {
                let Some(properties) = at["properties"].as_object() else {
                    let why = if at.get("items").is_some() {
                        "is a list: write * for its items"
                    } else {
                        "has no properties"
                    };
                    return Err(format!("{whole}: {} {why}", before()));
                };
                if properties.contains_key("evidence") {
                    evidence = true;
                    absent |= is(at, &["null"]);
                }
                properties.get(name).ok_or_else(|| {
                    let names: Vec<&str> = properties.keys().map(String::as_str).collect();
                    format!("{whole}: {} has no property {name:?}; it has {}", before(), names.join(", "))
                })?
            }
        };
    }
    match kind {
        Kind::Number if !is(at, &["number", "integer"]) => Err(format!("{whole} is no number")),
        Kind::Text if !is(at, &["string"]) => Err(format!("{whole} is no text")),
        _ if quoted && !evidence => {
            Err(format!("{whole}: no object around it has \"evidence\", so there is no quote"))
        }
        _ => Ok(absent || (!evidence && is(at, &["null"]))),
    }
}

/// Whether a schema is of one of these types. One without a type is a mistake of the schema, told there.
fn is(schema: &Value, kinds: &[&str]) -> bool {
    match &schema["type"] {
        Value::String(name) => kinds.contains(&name.as_str()),
        Value::Array(names) => {
            names.iter().any(|name| name.as_str().is_some_and(|name| kinds.contains(&name)))
        }
        _ => true,
    }
}

fn written(steps: &[Step]) -> String {
    let steps: Vec<&str> = steps
        .iter()
        .map(|step| match step {
            Step::Field(name) => name.as_str(),
            Step::Each => "*",
        })
        .collect();
    steps.join(".")
}
