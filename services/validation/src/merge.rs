//! Several answers to one question become one: of a long document that was read in parts, and of corrections.

use crate::schema;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Makes one value of the answers to the parts of a document, in the order of the parts. Lists are joined, and what
/// two parts both say is said once, with the evidence of the first. Of the rest the first part that knows counts;
/// only where a kind is chosen from a list, the most frequent one that is not "none of these".
pub fn parts(values: Vec<Value>, schema: &Value) -> Value {
    let mut values = values.into_iter();
    let (first, rest) = (values.next().unwrap_or_default(), values.collect::<Vec<_>>());
    if rest.is_empty() {
        return first;
    }
    let all: Vec<Map<String, Value>> = std::iter::once(first)
        .chain(rest)
        .filter_map(|value| match value {
            Value::Object(fields) => Some(fields),
            _ => None,
        })
        .collect();
    let mut names: Vec<&String> = Vec::new();
    for name in all.iter().flat_map(Map::keys) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let joined = names.iter().map(|name| {
        let said: Vec<&Value> = all.iter().filter_map(|fields| fields.get(*name)).collect();
        ((*name).clone(), one(&said, schema::property(schema, name)))
    });
    Value::Object(joined.collect())
}

fn one(said: &[&Value], schema: &Value) -> Value {
    if said.iter().any(|value| value.is_array()) {
        let mut seen = BTreeSet::new();
        let items = said.iter().filter_map(|value| value.as_array()).flatten();
        return items.filter(|item| seen.insert(content(item, schema::items(schema)))).cloned().collect();
    }
    let mut known = said.iter().copied().filter(|value| !value.is_null());
    if schema.get("enum").is_some() {
        return most_frequent(known.collect());
    }
    known.next().cloned().unwrap_or_default()
}

fn most_frequent(said: Vec<&Value>) -> Value {
    let none_of_these = |value: &Value| value == "other" || value == "unknown";
    let times = |value: &Value| said.iter().filter(|other| **other == value).count();
    let telling = said.iter().copied().filter(|value| !none_of_these(value));
    // Of those that are equally frequent, the first.
    let best = telling.rev().max_by_key(|value| times(value));
    best.or_else(|| said.first().copied()).cloned().unwrap_or_default()
}

/// What an item says, without where it was read, and without what does not matter between two readings.
fn content(item: &Value, schema: &Value) -> String {
    match item {
        Value::Object(fields) => {
            let mut parts: Vec<String> = fields
                .iter()
                .filter(|(name, value)| !is_proof(name, value, schema))
                .map(|(name, value)| format!("{name}:{}", content(value, schema::property(schema, name))))
                .collect();
            parts.sort();
            format!("{{{}}}", parts.join(","))
        }
        Value::Array(items) => {
            let parts: Vec<String> = items.iter().map(|item| content(item, schema::items(schema))).collect();
            format!("[{}]", parts.join(","))
        }
        Value::String(text) => {
            let words: Vec<String> = text
                .split(|character: char| !character.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .map(str::to_lowercase)
                .collect();
            format!("{:?}", words.join(" "))
        }
        Value::Number(number) => {
            number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string())
        }
        other => other.to_string(),
    }
}

fn is_proof(name: &str, value: &Value, schema: &Value) -> bool {
    let property = schema::property(schema, name);
    name == "evidence"
        || value.get("block_ids").is_some()
        || schema::is_evidence(property)
        || schema::is_evidence(schema::items(property))
}

/// Carries out a correction: its fields replace those of the answer. Only these fields: it was asked for no others.
pub fn correct(value: &mut Value, correction: Value, fields: &[String]) {
    let (Some(value), Value::Object(correction)) = (value.as_object_mut(), correction) else { return };
    for (name, field) in correction {
        if fields.contains(&name) {
            value.insert(name, field);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Value {
        json!({"properties": {
            "title": {"type": ["string", "null"]},
            "kind": {"enum": ["lease", "sale", "other"]},
            "fees": {"type": "array", "items": {"properties": {
                "text": {"type": "string"},
                "amount": {"type": "number"},
                "evidence": {"properties": {"block_ids": {}, "anchor": {}}},
            }}},
        }})
    }

    fn fee(text: &str, amount: f64, block: &str) -> Value {
        json!({"text": text, "amount": amount, "evidence": {"block_ids": [block], "anchor": text}})
    }

    #[test]
    fn parts_become_one() {
        let values = vec![
            json!({"title": null, "kind": "other", "fees": [fee("EUR 5,00", 5.0, "p1.b1")]}),
            json!({"title": "Lease", "kind": "sale", "fees": [fee("EUR  5,00.", 5.0, "p2.b1"), fee("EUR 7", 7.0, "p2.b2")]}),
            json!({"title": "Annex", "kind": "lease", "fees": []}),
            json!({"title": "Annex", "kind": "lease", "fees": [fee("EUR 7", 8.0, "p4.b2")]}),
        ];
        let expected = json!({
            "title": "Lease", "kind": "lease",
            "fees": [fee("EUR 5,00", 5.0, "p1.b1"), fee("EUR 7", 7.0, "p2.b2"), fee("EUR 7", 8.0, "p4.b2")],
        });
        assert_eq!(parts(values.clone(), &schema()), expected);
        let head = parts(values[..2].to_vec(), &schema());
        let tail = parts(values[2..].to_vec(), &schema());
        assert_eq!(parts(vec![head, tail], &schema())["fees"], expected["fees"], "in whichever steps");
    }

    #[test]
    fn one_answer_stays_as_it_is() {
        let value = json!({"fees": [fee("a", 1.0, "p1.b1"), fee("a", 1.0, "p1.b1")]});
        assert_eq!(parts(vec![value.clone()], &schema()), value);
        assert_eq!(parts(vec![], &schema()), Value::Null);
    }

    #[test]
    fn kinds_that_are_equally_frequent_go_by_order_and_none_of_these_comes_last() {
        for (said, kind) in [
            (&["other", "sale", "lease"][..], "sale"),
            (&["other", "other", "lease"], "lease"),
            (&["other", "other"], "other"),
        ] {
            let values = said.iter().map(|kind| json!({"kind": kind})).collect();
            assert_eq!(parts(values, &schema())["kind"], kind);
        }
    }

    #[test]
    fn a_correction_replaces_what_it_was_asked_for() {
        let mut value = json!({"title": "A", "kind": "sale"});
        correct(&mut value, json!({"title": "B", "kind": "lease", "x": 1}), &["title".to_owned()]);
        assert_eq!(value, json!({"title": "B", "kind": "sale"}));
    }
}
