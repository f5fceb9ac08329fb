//! Values that say the right thing in the wrong type. Each change is one that a reader would make without a doubt;
//! where there is a doubt the value stays, and the schema refuses it.

use super::{Note, evidence};
use crate::schema;
use crate::written::{dates, numbers};
use serde_json::{Map, Value};

/// Changes what does not fit its schema. `fill`: what is missing may be taken as absent.
pub(super) fn coerce(value: &mut Value, schema: &Value, fill: bool, notes: &mut Vec<Note>) {
    Coercion { fill, notes, at: String::new() }.node(value, schema);
}

struct Coercion<'a> {
    fill: bool,
    notes: &'a mut Vec<Note>,
    at: String,
}

impl Coercion<'_> {
    fn note(&mut self, what: &'static str) {
        self.notes.push(Note { what, at: self.at.clone() });
    }

    fn change(&mut self, value: &mut Value, to: Value, what: &'static str) {
        *value = to;
        self.note(what);
    }

    /// Goes on below, with that step on the path.
    fn below(&mut self, step: &str, value: &mut Value, schema: &Value) {
        let length = self.at.len();
        self.at.push('/');
        self.at.push_str(step);
        self.node(value, schema);
        self.at.truncate(length);
    }

    fn node(&mut self, value: &mut Value, schema: &Value) {
        if !schema.is_object() {
            return;
        }
        if schema::nullable(schema) && value.as_str().is_some_and(says_nothing) {
            return self.change(value, Value::Null, "null_from_text");
        }
        if value.is_null() && schema::nullable(schema) {
            return;
        }
        if schema::is_evidence(schema) {
            return evidence::coerce(value, &self.at, self.notes);
        }
        if schema.get("enum").is_some() {
            return self.option(value, schema);
        }
        if schema::allows(schema, "array") && !value.is_array() {
            self.list(value, schema);
        }
        match value {
            Value::Object(fields) => self.object(fields, schema),
            Value::Array(several) => {
                for (index, item) in several.iter_mut().enumerate() {
                    self.below(&index.to_string(), item, schema::items(schema));
                }
            }
            _ => self.scalar(value, schema),
        }
    }

    fn object(&mut self, fields: &mut Map<String, Value>, schema: &Value) {
        let Some(known) = schema::properties(schema) else { return };
        for name in fields.keys().cloned().collect::<Vec<_>>() {
            if known.contains_key(&name) {
                continue;
            }
            let mut alike = known.keys().filter(|other| plain(other) == plain(&name));
            match (alike.next(), alike.next()) {
                (Some(right), None) if !fields.contains_key(right) => {
                    let value = fields.remove(&name).unwrap_or_default();
                    fields.insert(right.clone(), value);
                    self.note("name_spelling");
                }
                _ if schema["additionalProperties"] == false => {
                    fields.remove(&name);
                    // Not its name: that may be the document's text.
                    self.note("unknown_name");
                }
                _ => {}
            }
        }
        for (name, inner) in known {
            match fields.get_mut(name) {
                Some(value) => self.below(name, value, inner),
                None if !self.fill => {}
                None => {
                    let absent = if schema::nullable(inner) {
                        Value::Null
                    } else if inner["type"] == "array" {
                        Value::Array(Vec::new())
                    } else {
                        continue;
                    };
                    fields.insert(name.clone(), absent);
                    let at = format!("{}/{name}", self.at);
                    self.notes.push(Note { what: "missing", at });
                }
            }
        }
    }

    /// One value where a list of such values is asked for; null where the list would be empty.
    fn list(&mut self, value: &mut Value, schema: &Value) {
        let items = schema::items(schema);
        let fits = match &*value {
            Value::Null => return self.change(value, Value::Array(Vec::new()), "list_from_null"),
            Value::Object(_) => schema::allows(items, "object") && !items.is_null(),
            Value::String(text) => {
                !text.trim().is_empty() && schema::allows(items, "string") && !items.is_null()
            }
            Value::Number(_) => schema::allows(items, "number") || schema::allows(items, "integer"),
            _ => false,
        };
        if fits && !schema::allows(schema, kind(value)) {
            let one = value.take();
            self.change(value, Value::Array(vec![one]), "list_from_one");
        }
    }

    fn option(&mut self, value: &mut Value, schema: &Value) {
        let (Some(options), Some(text)) = (schema["enum"].as_array(), value.as_str()) else { return };
        if options.iter().any(|option| option == text) {
            return;
        }
        let mut alike = options
            .iter()
            .filter(|option| option.as_str().is_some_and(|option| plain(option) == plain(text)));
        if let (Some(option), None) = (alike.next(), alike.next()) {
            let option = option.clone();
            self.change(value, option, "spelling");
        }
    }

    fn scalar(&mut self, value: &mut Value, schema: &Value) {
        if schema::allows(schema, kind(value)) {
            if value.is_string() {
                self.date(value, schema);
            }
            return;
        }
        match &*value {
            Value::String(text) => {
                let number = schema::allows(schema, "number");
                if number || schema::allows(schema, "integer") {
                    if let Some(read) = numbers::certain(text).filter(|read| number || read.fract() == 0.0) {
                        self.change(value, numbers::json(read), "number_from_text");
                    }
                } else if schema::allows(schema, "boolean") {
                    let truth = match text.trim().to_lowercase().as_str() {
                        "true" | "yes" | "sí" => true,
                        "false" | "no" => false,
                        _ => return,
                    };
                    self.change(value, truth.into(), "boolean_from_text");
                }
            }
            Value::Number(number) if schema::allows(schema, "string") => {
                let text = number.to_string();
                self.change(value, text.into(), "text_from_number");
            }
            _ => {}
        }
    }

    /// A date in the form that the schema's pattern asks for. One that can be read in two ways is not certain: it
    /// becomes null where the profile provides for that.
    fn date(&mut self, value: &mut Value, schema: &Value) {
        let iso = schema["format"] == "date"
            || schema["pattern"].as_str().is_some_and(|pattern| {
                pattern.trim_matches(['^', '$']) == r"\d{4}-\d{2}-\d{2}"
                    || pattern.trim_matches(['^', '$']) == "[0-9]{4}-[0-9]{2}-[0-9]{2}"
            });
        let Some(text) = value.as_str().filter(|_| iso) else { return };
        match dates::whole(text).as_slice() {
            [one] if one.to_string() != text => {
                let date = one.to_string();
                self.change(value, date.into(), "date_form");
            }
            [_, _] if schema::nullable(schema) => self.change(value, Value::Null, "date_uncertain"),
            _ => {}
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Text that stands for nothing.
fn says_nothing(text: &str) -> bool {
    matches!(text.trim().to_lowercase().as_str(), "" | "null" | "n/a" | "none" | "nil")
}

/// A name without what its spelling may differ in.
fn plain(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
