//! What a profile's schema says about one place: the few questions that repair, merging and messages ask of it.

use jsonschema::{Validator, error::ValidationErrorKind};
use serde_json::{Map, Value, json};

/// A schema that says nothing, for places that the profile does not know.
pub static ANYTHING: Value = Value::Null;

/// The most places that a message names: enough to act on, and no flood.
const MOST: usize = 20;

/// Whether a value of that type may stand here. A schema that names no type allows every one.
pub fn allows(schema: &Value, kind: &str) -> bool {
    match &schema["type"] {
        Value::String(one) => one == kind,
        Value::Array(several) => several.iter().any(|one| one == kind),
        _ => schema.get("enum").is_none(),
    }
}

/// Whether the profile says that this may be absent: `["string", "null"]`.
pub fn nullable(schema: &Value) -> bool {
    !schema["type"].is_null() && allows(schema, "null")
}

/// The schema's own properties.
pub fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema["properties"].as_object()
}

/// The schema of one property; [`ANYTHING`] if it has none of that name.
pub fn property<'a>(schema: &'a Value, name: &str) -> &'a Value {
    properties(schema).and_then(|all| all.get(name)).unwrap_or(&ANYTHING)
}

/// The schema of every item of a list.
pub fn items(schema: &Value) -> &Value {
    schema.get("items").unwrap_or(&ANYTHING)
}

/// Whether an object of this schema is evidence: block ids with an anchor, or a block with its quote.
pub fn is_evidence(schema: &Value) -> bool {
    properties(schema).is_some_and(|all| {
        all.contains_key("block_ids") || (all.contains_key("block") && all.contains_key("quote"))
    })
}

/// The profile's schema as answers are held against it here: evidence has one form, whichever the profile asks for.
/// Which blocks there are, and whether an anchor is among their words, is for grounding to say: a wrong id withholds
/// one item, it does not cost another call.
pub fn adapted(schema: &Value) -> Value {
    match schema {
        Value::Object(_) if is_evidence(schema) => {
            let kind = if nullable(schema) { json!(["object", "null"]) } else { json!("object") };
            json!({
                "type": kind, "additionalProperties": false, "required": ["block_ids", "anchor"],
                "properties": {
                    "block_ids": {"type": "array", "items": {"type": "string"}},
                    "anchor": {"type": ["string", "null"]},
                },
            })
        }
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), adapted(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(several) => several.iter().map(adapted).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

/// The schema of a correction: of these fields at the top, and no others.
pub fn only(schema: &Value, fields: &[String]) -> Value {
    let mut narrow = schema.clone();
    let known: Vec<&String> = fields.iter().filter(|field| !property(schema, field).is_null()).collect();
    narrow["required"] = json!(known);
    if let Some(all) = narrow["properties"].as_object_mut() {
        all.retain(|name, _| known.contains(&name));
    }
    narrow
}

/// The schema with anything allowed in these fields at the top, or nothing: they were asked for again.
pub fn sparing(schema: &Value, fields: &[String]) -> Value {
    let mut schema = schema.clone();
    let spared = |name: &str| fields.iter().any(|field| field == name);
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|name| !name.as_str().is_some_and(spared));
    }
    if let Some(all) = schema["properties"].as_object_mut() {
        all.iter_mut().filter(|(name, _)| spared(name)).for_each(|(_, property)| *property = true.into());
    }
    schema
}

/// The schema without limits on how long the lists at the top may be: the parts of a long document have more to say
/// than a document that is read at once.
pub fn roomy(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(all) = schema["properties"].as_object_mut() {
        for property in all.values_mut().filter_map(Value::as_object_mut) {
            property.remove("maxItems");
        }
    }
    schema
}

/// Whether a value has, at any depth, a property that its schema does not know and does not want.
pub fn has_unknown(value: &Value, schema: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, field)| {
            let inner = property(schema, name);
            let closed = schema["additionalProperties"] == false && !is_evidence(schema);
            (inner.is_null() && closed) || has_unknown(field, inner)
        }),
        Value::Array(several) => several.iter().any(|item| has_unknown(item, items(schema))),
        _ => false,
    }
}

/// A JSON pointer that is fit for an event: a name that the schema does not know may be the document's text, so it is
/// written "?".
pub fn pointer<'a>(schema: &Value, steps: impl Iterator<Item = &'a str>) -> String {
    let (mut at, mut schema) = (String::new(), schema);
    for step in steps {
        at.push('/');
        let inner = property(schema, step);
        if !inner.is_null() {
            at.push_str(step);
            schema = inner;
        } else {
            let index = step.parse::<usize>().is_ok() && !items(schema).is_null();
            at.push_str(if index { step } else { "?" });
            schema = if index { items(schema) } else { &ANYTHING };
        }
    }
    at
}

/// Where a value does not fit, and which keyword says so: `/amounts/3/amount: type`. Never what stands there.
pub fn misfits(validator: &Validator, schema: &Value, value: &Value) -> Vec<String> {
    let mut at: Vec<String> = Vec::new();
    for error in validator.iter_errors(value) {
        let path = error.instance_path().to_string();
        let mut steps: Vec<&str> = path.split('/').skip(1).collect();
        let missing = match error.kind() {
            ValidationErrorKind::Required { property } => property.as_str(),
            _ => None,
        };
        steps.extend(missing);
        let place = format!("{}: {}", pointer(schema, steps.into_iter()), error.kind().keyword());
        if !at.contains(&place) {
            at.push(place);
        }
        if at.len() == MOST {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misfits_name_places_and_keywords_but_nothing_else() {
        let schema = json!({
            "type": "object", "required": ["amounts", "title"],
            "properties": {
                "title": {"type": "string"},
                "amounts": {"type": "array", "items": {"type": "object", "properties": {"amount": {"type": "number"}}}},
                "free": {"type": "object", "additionalProperties": {"type": "number"}},
            },
        });
        let validator = jsonschema::validator_for(&schema).unwrap();
        let value = json!({"amounts": [{"amount": "secret"}], "free": {"secret": "x"}});
        let mut at = misfits(&validator, &schema, &value);
        at.sort();
        assert_eq!(at, ["/amounts/0/amount: type", "/free/?: type", "/title: required"]);
    }

    #[test]
    fn both_forms_of_evidence_become_one() {
        let old = json!({"properties": {"a": {"type": "object", "properties": {
            "block": {"type": "string"}, "quote": {"type": "string", "minLength": 3}}}}});
        assert!(is_evidence(&adapted(&old)["properties"]["a"]));
        assert_eq!(adapted(&old), adapted(&adapted(&old)));
    }
}
