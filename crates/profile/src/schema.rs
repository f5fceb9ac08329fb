//! What a shipped schema has to keep to, so that every provider understands it. `profiles/README.md` gives the reasons.

use crate::mistakes::{Mistake, Positions, escaped};
use crate::offline;
use serde_json::{Map, Value};

/// Objects in objects, the answer itself included.
const LEVELS: usize = 4;
/// Values of one enum. CUAD's 41 kinds of clauses fit.
const VALUES: usize = 60;

/// Keywords that not every provider takes. They are enforced here instead, when the answer has come.
const LOCAL: [&str; 10] = [
    "$schema",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "pattern",
    "format",
    "title",
];

const KEYWORDS: &[&str] =
    &["type", "description", "properties", "required", "additionalProperties", "items", "enum"];
const TYPES: &[&str] = &["object", "array", "string", "number", "integer", "boolean"];

/// All violations in one schema.
pub(crate) fn check(file: &str, text: &str, schema: &Value) -> Vec<Mistake> {
    let mut walk = Walk { file, positions: Positions::of(text), mistakes: Vec::new() };
    for (key, line) in std::mem::take(&mut walk.positions.twice) {
        walk.mistakes.push(Mistake::new(file, line, format!("{key:?} stands twice in the same object")));
    }
    if schema["type"] != "object" {
        walk.say("/type", "an answer is an object: \"type\" must be \"object\"");
    } else {
        walk.node(schema, "", 0, offline::Where::Answer);
    }
    walk.mistakes
}

struct Walk<'a> {
    file: &'a str,
    positions: Positions,
    mistakes: Vec<Mistake>,
}

impl Walk<'_> {
    fn say(&mut self, pointer: &str, text: impl Into<String>) {
        self.mistakes.push(Mistake::new(self.file, self.positions.line(pointer), text));
    }

    /// One schema in the schema. `above`: the objects around it.
    fn node(&mut self, schema: &Value, at: &str, above: usize, place: offline::Where) {
        let Some(fields) = schema.as_object() else {
            return self.say(at, format!("{} must be a schema: an object", named(at)));
        };
        let Some(kind) = self.kind(fields, at) else { return };
        self.keywords(fields, at, kind);
        match kind {
            "object" => self.object(fields, at, above + 1, place),
            "array" => match fields.get("items") {
                Some(items) => self.node(items, &format!("{at}/items"), above, place.item()),
                None => self.say(at, format!("{} is an array without \"items\"", named(at))),
            },
            _ => {}
        }
        if let Some(values) = fields.get("enum") {
            self.values(values, at, kind);
        }
        for (key, wrong) in offline::mistakes(fields, kind, place) {
            self.say(&format!("{at}/x-offline{key}"), format!("x-offline of {}: {wrong}", named(at)));
        }
    }

    /// The type, null left aside.
    fn kind<'s>(&mut self, fields: &'s Map<String, Value>, at: &str) -> Option<&'s str> {
        let pointer = format!("{at}/type");
        let kind = match fields.get("type") {
            None => {
                let why = if fields.keys().any(|key| FOREIGN.contains(&key.as_str())) {
                    "; write out what it may be: not every provider understands $ref and the like"
                } else {
                    ""
                };
                self.say(at, format!("{} has no \"type\"{why}", named(at)));
                return None;
            }
            Some(Value::String(kind)) => kind.as_str(),
            Some(Value::Array(kinds)) => match kinds.as_slice() {
                [Value::String(kind), Value::String(null)] if null == "null" => kind.as_str(),
                _ => {
                    self.say(&pointer, format!("the type of {} is one name, or [name, \"null\"]", named(at)));
                    return None;
                }
            },
            Some(_) => "",
        };
        if TYPES.contains(&kind) {
            return Some(kind);
        }
        self.say(&pointer, format!("the type of {} must be one of {}", named(at), TYPES.join(", ")));
        None
    }

    fn keywords(&mut self, fields: &Map<String, Value>, at: &str, kind: &str) {
        for (key, value) in fields {
            let pointer = format!("{at}/{}", escaped(key));
            if !(key.starts_with("x-") || KEYWORDS.contains(&key.as_str()) || LOCAL.contains(&key.as_str())) {
                let why = if FOREIGN.contains(&key.as_str()) {
                    "is not understood by every provider"
                } else {
                    "is no keyword that a schema may use here"
                };
                self.say(&pointer, format!("{key:?} in {} {why}", named(at)));
                continue;
            }
            let of = match key.as_str() {
                "properties" | "required" | "additionalProperties" => &["object"][..],
                "items" | "minItems" | "maxItems" => &["array"],
                "minLength" | "maxLength" | "pattern" | "format" => &["string"],
                "minimum" | "maximum" => &["number", "integer"],
                _ => &[kind],
            };
            if !of.contains(&kind) {
                self.say(
                    &pointer,
                    format!("{key:?} says nothing about {}, which is of type {kind}", named(at)),
                );
            }
            let wrong = match key.as_str() {
                "minLength" | "maxLength" | "minItems" | "maxItems" if !value.is_u64() => {
                    Some("must be a whole number".to_owned())
                }
                "minimum" | "maximum" if !value.is_number() => Some("must be a number".to_owned()),
                "title" | "description" | "format" | "$schema" if !value.is_string() => {
                    Some("must be text".to_owned())
                }
                "pattern" => match value.as_str() {
                    Some(pattern) => wrong_regex(pattern, false),
                    None => Some("must be text".to_owned()),
                },
                _ => None,
            };
            if let Some(wrong) = wrong {
                self.say(&pointer, format!("{key:?} of {} {wrong}", named(at)));
            }
        }
    }

    fn object(&mut self, fields: &Map<String, Value>, at: &str, level: usize, place: offline::Where) {
        let name = named(at);
        if level == LEVELS + 1 {
            self.say(
                at,
                format!("{name} is object number {level} in depth; no more than {LEVELS} are allowed"),
            );
        }
        if fields.get("additionalProperties") != Some(&Value::Bool(false)) {
            let text = format!("{name} needs \"additionalProperties\": false");
            self.say(&format!("{at}/additionalProperties"), text);
        }
        let Some(properties) = fields.get("properties").and_then(Value::as_object) else {
            return self.say(at, format!("{name} is an object without \"properties\""));
        };
        let required =
            fields.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for property in properties.keys().filter(|property| !required.iter().any(|other| other == *property))
        {
            let text = format!(
                "{property:?} must stand in \"required\" of {name}; what may be absent gets the type [..., \"null\"]"
            );
            self.say(&format!("{at}/properties/{}", escaped(property)), text);
        }
        for (number, property) in required.iter().enumerate() {
            if !property.as_str().is_some_and(|property| properties.contains_key(property)) {
                let text = format!("\"required\" of {name} has {property}, but \"properties\" has not");
                self.say(&format!("{at}/required/{number}"), text);
            }
        }
        for (property, schema) in properties {
            let inner = format!("{at}/properties/{}", escaped(property));
            if property == "evidence" {
                self.evidence(schema, &inner);
            }
            self.node(schema, &inner, level, place.property());
        }
    }

    /// Evidence has one shape everywhere: validation looks for it, wherever it stands.
    fn evidence(&mut self, schema: &Value, at: &str) {
        let properties = &schema["properties"];
        let is = |kind: &Value, expected: &[&str]| match kind {
            Value::String(name) => *expected == [name.as_str()],
            Value::Array(names) => {
                names.iter().map(|name| name.as_str().unwrap_or_default()).eq(expected.iter().copied())
            }
            _ => false,
        };
        let good = is(&schema["type"], &["object"])
            && properties.as_object().is_some_and(|properties| properties.len() == 2)
            && is(&properties["block_ids"]["type"], &["array"])
            && is(&properties["block_ids"]["items"]["type"], &["string"])
            && is(&properties["anchor"]["type"], &["string", "null"]);
        if !good {
            self.say(
                at,
                "\"evidence\" is an object of \"block_ids\", an array of strings, and \"anchor\", a string or null",
            );
        }
    }

    fn values(&mut self, values: &Value, at: &str, kind: &str) {
        let pointer = format!("{at}/enum");
        let name = named(at);
        let Some(values) = values.as_array().filter(|values| !values.is_empty()) else {
            return self.say(&pointer, format!("\"enum\" of {name} must be a list of values"));
        };
        if values.len() > VALUES {
            let text =
                format!("\"enum\" of {name} has {} values; no more than {VALUES} are allowed", values.len());
            self.say(&pointer, text);
        }
        for (number, value) in values.iter().enumerate() {
            let fits = match kind {
                "string" => value.is_string(),
                "number" | "integer" => value.is_number(),
                _ => false,
            };
            let item = format!("{pointer}/{number}");
            if !fits {
                self.say(&item, format!("{value} in \"enum\" of {name} is not of type {kind}"));
            } else if values[..number].contains(value) {
                self.say(&item, format!("{value} stands twice in \"enum\" of {name}"));
            }
        }
    }
}

/// Parts of JSON Schema that are not the same everywhere.
const FOREIGN: &[&str] = &[
    "$ref",
    "$defs",
    "$id",
    "$anchor",
    "$dynamicRef",
    "definitions",
    "oneOf",
    "anyOf",
    "allOf",
    "not",
    "if",
    "then",
    "else",
    "default",
    "const",
    "examples",
    "patternProperties",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedProperties",
    "prefixItems",
    "contains",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "multipleOf",
    "exclusiveMinimum",
    "exclusiveMaximum",
];

/// A place in a schema as people say it: `parties.*.name`.
fn named(pointer: &str) -> String {
    let steps: Vec<&str> = pointer.split('/').skip(1).collect();
    let mut name = Vec::new();
    let mut at = 0;
    while at < steps.len() {
        match steps[at] {
            "items" => name.push("*".to_owned()),
            _ => {
                // "properties", and the name that follows it.
                at += 1;
                name.extend(steps.get(at).map(|step| step.replace("~1", "/").replace("~0", "~")));
            }
        }
        at += 1;
    }
    if name.is_empty() { "the answer".to_owned() } else { name.join(".") }
}

/// What is wrong with a regular expression. Read, not compiled: every service that reads profiles would keep the memory
/// of some hundred compiled patterns, and one of them needs them.
pub(crate) fn wrong_regex(pattern: &str, case_insensitive: bool) -> Option<String> {
    let mut parser = regex_syntax::ParserBuilder::new().case_insensitive(case_insensitive).build();
    let error = parser.parse(pattern).err()?.to_string();
    // The lines before the last one draw the pattern.
    let told = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
    Some(format!("is no regular expression: {told}"))
}
