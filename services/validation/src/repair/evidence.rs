//! The forms in which evidence comes: block ids with an anchor, or a block with its quote. Inside it has one form.

use super::Note;
use crate::schema;
use serde_json::{Map, Value, json};

/// Gives evidence in either of the two right forms the one form that is used here. That is no repair: profiles ask
/// for both.
pub(super) fn to_one_form(value: &mut Value, schema: &Value) {
    match value {
        Value::Object(fields) if schema::is_evidence(schema) => {
            if let Some((block, quote)) = block_and_quote(fields) {
                *value = json!({"block_ids": [block], "anchor": quote});
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                to_one_form(field, schema::property(schema, name));
            }
        }
        Value::Array(several) => {
            for item in several {
                to_one_form(item, schema::items(schema));
            }
        }
        _ => {}
    }
}

fn block_and_quote(fields: &Map<String, Value>) -> Option<(String, String)> {
    let text = |name: &str| fields.get(name)?.as_str().map(str::to_owned);
    if fields.len() == 2 { Some((text("block")?, text("quote")?)) } else { None }
}

/// Reads evidence that has neither form: ids alone, brackets around an id, one id where a list is asked for.
pub(super) fn coerce(value: &mut Value, at: &str, notes: &mut Vec<Note>) {
    let whole = |value: &Value| {
        let ids = value["block_ids"].as_array();
        ids.is_some_and(|ids| ids.iter().all(|id| id.as_str().is_some_and(|id| strip(id) == id)))
            && value.as_object().is_some_and(|fields| fields.len() == 2)
            && (value["anchor"].is_null() || value["anchor"].is_string())
            && value.get("anchor").is_some()
    };
    if whole(value) {
        return;
    }
    let (ids, anchor) = match &*value {
        Value::String(_) => (ids(value), None),
        Value::Array(several) if several.iter().all(Value::is_string) => (ids(value), None),
        Value::Array(several) if several.len() == 1 && several[0].is_object() => {
            let mut one = several[0].clone();
            to_one_form(&mut one, &json!({"properties": {"block_ids": {}}}));
            coerce(&mut one, at, &mut Vec::new());
            (ids(&one["block_ids"]), one["anchor"].as_str().map(str::to_owned))
        }
        Value::Object(fields) => {
            let named = |names: &[&str]| names.iter().find_map(|name| fields.get(*name));
            let anchor = named(&["anchor", "quote", "text"]).and_then(Value::as_str);
            (
                named(&["block_ids", "block", "blocks", "block_id", "ids", "id"]).and_then(ids),
                anchor.map(str::to_owned),
            )
        }
        _ => (None, None),
    };
    let Some(ids) = ids else { return };
    *value = json!({"block_ids": ids, "anchor": anchor});
    notes.push(Note { what: "evidence_form", at: at.to_owned() });
}

fn ids(value: &Value) -> Option<Vec<String>> {
    let split = |text: &str| -> Vec<String> {
        let parts = text.split([',', ';', ' ']).map(strip).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    match value {
        Value::String(text) => Some(split(text)),
        Value::Array(several) => {
            let texts: Option<Vec<&str>> = several.iter().map(Value::as_str).collect();
            Some(texts?.into_iter().flat_map(split).collect())
        }
        Value::Null => Some(Vec::new()),
        _ => None,
    }
}

fn strip(id: &str) -> &str {
    id.trim_matches(|character: char| character.is_whitespace() || "[]\"'`()".contains(character))
}
