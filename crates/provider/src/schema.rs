//! A profile's schema as each provider takes it. Profiles have one schema, with constraints that are enforced here when
//! the answer has come; a provider gets what it understands, from lists of what it does. The same schema always gives
//! the same bytes.

use crate::{Shape, Vendor};
use serde_json::{Map, Value, json};

/// Keywords about the shape, which everybody takes.
const SHAPE: &[&str] = &[
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "anyOf",
    "description",
    "$ref",
    "$defs",
];
/// Constraints: Anthropic gets them in words, the others not at all. They cost Gemini the "too many states for
/// serving", and OpenAI's compatible servers differ in them.
const CONSTRAINTS: &[&str] = &[
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
];
/// Formats that Anthropic enforces.
const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];
/// The simple shape has no enum longer than this; longer ones are said in words.
const LONGEST_ENUM: usize = 20;
const ONE_OF: &str = "One of: ";
/// In the simple shape an object at this level of objects has its properties, one below is free.
const DEEPEST: usize = 3;

/// The schema for a provider.
pub fn lower(schema: &Value, vendor: Vendor, shape: Shape) -> Value {
    match shape {
        // It stands in the question, for a reader: constraints help there.
        Shape::Json => annotated(schema),
        Shape::Schema | Shape::Simple => Lowering { vendor, simple: shape == Shape::Simple }.lower(schema, 1),
    }
}

/// Everything but our own annotations.
fn annotated(schema: &Value) -> Value {
    let Value::Object(fields) = schema else { return schema.clone() };
    let kept = fields.iter().filter(|(name, _)| !name.starts_with("x-") && *name != "$schema");
    kept.map(|(name, value)| (name.clone(), inside(name, value, annotated))).collect::<Map<_, _>>().into()
}

/// The value of a keyword, with `f` applied to the schemas in it.
fn inside(keyword: &str, value: &Value, f: impl Fn(&Value) -> Value) -> Value {
    match (keyword, value) {
        // Names in here are the profile's, whatever they look like.
        ("properties" | "$defs", Value::Object(fields)) => {
            fields.iter().map(|(name, schema)| (name.clone(), f(schema))).collect::<Map<_, _>>().into()
        }
        ("items" | "additionalProperties", Value::Object(_)) => f(value),
        ("anyOf" | "oneOf" | "allOf", Value::Array(schemas)) => schemas.iter().map(f).collect(),
        _ => value.clone(),
    }
}

struct Lowering {
    vendor: Vendor,
    simple: bool,
}

impl Lowering {
    /// `level`: how many objects this one lies in, with itself.
    fn lower(&self, schema: &Value, level: usize) -> Value {
        let Value::Object(fields) = schema else { return schema.clone() };
        // `allOf` with one schema is a way to say that schema.
        if let Some([only]) = fields.get("allOf").and_then(Value::as_array).map(Vec::as_slice)
            && let Value::Object(only) = only
        {
            let mut merged = only.clone();
            merged.extend(
                fields.iter().filter(|(name, _)| *name != "allOf").map(|(n, v)| (n.clone(), v.clone())),
            );
            return self.lower(&merged.into(), level);
        }
        let object = fields.contains_key("properties") || is(schema, "object");
        if self.simple && object && level > DEEPEST && self.takes_free_objects() {
            return json!({ "type": fields.get("type").cloned().unwrap_or_else(|| "object".into()) });
        }
        let below = if object { level + 1 } else { level };
        let mut lowered = Map::new();
        for (name, value) in fields {
            // `oneOf` means the same to a model, and `const` is an enum of one.
            let (name, value) = match name.as_str() {
                "oneOf" => ("anyOf", value.clone()),
                "const" => ("enum", json!([value])),
                other => (other, value.clone()),
            };
            if self.takes(name, &value) {
                lowered.insert(name.to_owned(), inside(name, &value, |schema| self.lower(schema, below)));
            }
        }
        if object {
            self.close(&mut lowered, fields);
        }
        if let (true, None, Some(Value::Array(values))) =
            (self.simple, lowered.get("enum"), fields.get("enum"))
        {
            // A choice that nobody enforces is still one that the model has to know.
            let values: Vec<String> = values
                .iter()
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                .collect();
            lowered.insert("description".to_owned(), format!("{ONE_OF}{}", values.join(", ")).into());
        }
        if self.vendor == Vendor::Anthropic && !self.simple {
            describe(&mut lowered, fields);
        }
        lowered.into()
    }

    /// Strict modes know no object whose properties they do not know.
    fn takes_free_objects(&self) -> bool {
        self.vendor != Vendor::Anthropic
    }

    fn takes(&self, keyword: &str, value: &Value) -> bool {
        match keyword {
            "description" | "title" if self.simple => false,
            "enum" if self.simple => value.as_array().is_none_or(|values| values.len() <= LONGEST_ENUM),
            "minItems" => self.vendor == Vendor::Anthropic && matches!(value.as_u64(), Some(0 | 1)),
            "format" => {
                self.vendor == Vendor::Anthropic
                    && value.as_str().is_some_and(|value| FORMATS.contains(&value))
            }
            other => SHAPE.contains(&other),
        }
    }

    /// Objects are closed, and for OpenAI every property is required; what may be absent may be null instead.
    fn close(&self, lowered: &mut Map<String, Value>, source: &Map<String, Value>) {
        let named = lowered.contains_key("properties");
        if named || self.vendor == Vendor::Anthropic || (self.vendor == Vendor::OpenAi && !self.simple) {
            lowered.insert("additionalProperties".to_owned(), false.into());
        }
        let Some(Value::Object(properties)) = lowered.get_mut("properties") else { return };
        if self.vendor != Vendor::OpenAi {
            return;
        }
        let required: Vec<&str> = source
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut all = Vec::new();
        for (name, schema) in properties {
            all.push(Value::from(name.as_str()));
            if !required.contains(&name.as_str()) {
                nullable(schema);
            }
        }
        lowered.insert("required".to_owned(), all.into());
    }
}

fn is(schema: &Value, kind: &str) -> bool {
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|other| other == kind),
        other => other == kind,
    }
}

fn nullable(schema: &mut Value) {
    if is(schema, "null") {
        return;
    }
    let Value::Object(fields) = schema else { return };
    match fields.get_mut("type") {
        Some(Value::Array(kinds)) => kinds.push("null".into()),
        Some(kind) => *kind = json!([kind.take(), "null"]),
        None => {}
    }
    for (keyword, null) in [("enum", Value::Null), ("anyOf", json!({ "type": "null" }))] {
        if let Some(Value::Array(values)) = fields.get_mut(keyword)
            && !values.contains(&null)
        {
            values.push(null);
        }
    }
}

/// Puts constraints that the provider would refuse into words that the model reads.
fn describe(lowered: &mut Map<String, Value>, source: &Map<String, Value>) {
    let words: Vec<String> = source
        .iter()
        .filter(|(name, _)| CONSTRAINTS.contains(&name.as_str()) && !lowered.contains_key(*name))
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name}: {text}"),
            other => format!("{name}: {other}"),
        })
        .collect();
    if words.is_empty() {
        return;
    }
    let words = format!("({})", words.join("; "));
    let text = match lowered.get("description").and_then(Value::as_str) {
        Some(text) => format!("{text} {words}"),
        None => words,
    };
    lowered.insert("description".to_owned(), text.into());
}

/// Anthropic serves no schema with more properties of several types than this.
const MOST_UNIONS: usize = 16;

/// Whether a vendor's structured output takes a schema of this size.
pub(crate) fn is_served(schema: &Value, vendor: Vendor) -> bool {
    vendor != Vendor::Anthropic || unions(schema) <= MOST_UNIONS
}

/// How many schemas in it are of several types.
fn unions(schema: &Value) -> usize {
    let own = usize::from(schema["type"].is_array() || schema.get("anyOf").is_some());
    let properties = schema["properties"].as_object().into_iter().flat_map(|properties| properties.values());
    own + properties.chain(schema.get("items")).map(unions).sum::<usize>()
}

#[cfg(test)]
mod tests;
