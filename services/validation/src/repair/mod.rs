//! Puts an answer right without asking again: what a person would read without a doubt, and nothing beyond. The
//! profile's schema directs it, and what comes out must fit that schema: a repair that has invented something shows
//! by its unknown names, and is refused.

mod coerce;
mod evidence;
mod lenient;
mod prepass;
mod scalars;
mod strings;
#[cfg(test)]
mod tests;

use crate::schema;
use jsonschema::Validator;
use serde_json::Value;

/// One thing that was put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it was: `trailing_comma`, `number_from_text`.
    pub what: &'static str,
    /// Where, as a JSON pointer into the answer.
    pub at: String,
}

/// An answer as it can be used.
#[derive(Debug)]
pub struct Reading {
    /// It fits the schema.
    pub value: Value,
    /// What was put right to get it.
    pub notes: Vec<Note>,
    /// It ended too early; the last item, which was incomplete, is not in it.
    pub cut: bool,
}

/// Why an answer cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is not JSON, nor close enough to it.
    Malformed,
    /// It is JSON, and does not fit the schema at these places.
    Invalid(Vec<String>),
    /// It ended too early, and what there is does not fit the schema at these places.
    Cut(Vec<String>),
}

/// What an answer is held against.
pub struct Form<'a> {
    /// The schema, as [`schema::adapted`] makes it.
    pub schema: &'a Value,
    /// The same, compiled.
    pub validator: &'a Validator,
}

/// How many objects, one after another, are looked at for the answer.
const CANDIDATES: usize = 4;

/// Reads an answer.
///
/// # Errors
/// If it cannot be read without guessing.
pub fn read(text: &str, form: &Form<'_>) -> Result<Reading, Refused> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => return Draft { value, ..Draft::default() }.finish(form),
        // An answer that was encoded twice.
        Ok(Value::String(inner)) if inner.trim_start().starts_with('{') => {
            let mut reading = read(&inner, form)?;
            reading.notes.insert(0, Note { what: "encoded_twice", at: String::new() });
            return Ok(reading);
        }
        _ => {}
    }
    let found = prepass::find(text);
    let removed = found.removed.iter().map(|what| Note { what, at: String::new() });
    let (mut fitting, mut refused) = (None::<Reading>, Refused::Malformed);
    let mut rest = found.text;
    for first in (0..CANDIDATES).map(|number| number == 0) {
        let Some(start) = rest.find('{') else { break };
        rest = &rest[start..];
        let (outcome, length) = candidate(rest, form, first);
        match outcome {
            Ok(reading) => match &fitting {
                // Two answers: which one is meant is not ours to say.
                Some(other) if other.value != reading.value => return Err(Refused::Malformed),
                Some(_) => {}
                None => fitting = Some(reading),
            },
            // Further objects may be parts of one that could not be read; they say nothing about the answer.
            Err(why) if first => refused = why,
            Err(_) => {}
        }
        rest = &rest[length..];
    }
    let mut reading = fitting.ok_or(refused)?;
    reading.notes.splice(0..0, removed);
    Ok(reading)
}

/// The object with which a text begins, strictly if it can be, and how much of the text it takes. What follows one that
/// could not be read may be a part of it: of such a part nothing that is missing counts as absent.
fn candidate(text: &str, form: &Form<'_>, first: bool) -> (Result<Reading, Refused>, usize) {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    if let Some(Ok(value)) = stream.next() {
        let length = stream.byte_offset();
        let tail = text[length..].trim_start();
        let partial = !first || has_data(tail);
        let mut draft = Draft { value, partial, ..Draft::default() };
        if tail.starts_with(['}', ']', ',']) {
            draft.notes.push(Note { what: "bracket", at: String::new() });
        } else if !tail.is_empty() && !tail.starts_with("```") {
            draft.notes.push(Note { what: "prose", at: String::new() });
        }
        return (draft.finish(form), length);
    }
    match lenient::parse(text, form.schema) {
        Some((draft, length)) => {
            let partial = !first || has_data(&text[length..]);
            // A bracket too many, or one that was supplied too early: the rest of the answer stands behind it.
            if draft.guessed && partial {
                return (Err(Refused::Malformed), length);
            }
            (Draft { partial, ..draft }.finish(form), length)
        }
        None => (Err(Refused::Malformed), 1),
    }
}

/// Whether what follows an object may belong to it, rather than be prose.
fn has_data(tail: &str) -> bool {
    let marks = tail.chars().filter(|character| !character.is_whitespace());
    let marks: String = marks.take(4_000).collect();
    ["\":", "\",\"", "{\"", "[{", "':"].iter().any(|data| marks.contains(data))
}

/// A value that was parsed, before it is held against the schema.
#[derive(Debug, Default)]
struct Draft {
    value: Value,
    notes: Vec<Note>,
    cut: bool,
    /// The parser had to choose, as between a quotation mark that ends a string and one inside of it.
    guessed: bool,
    /// It may be a part of the answer only.
    partial: bool,
}

impl Draft {
    fn finish(self, form: &Form<'_>) -> Result<Reading, Refused> {
        let Draft { mut value, mut notes, cut, guessed, partial } = self;
        // With both, nobody knows whether the text ended early or the parser went astray.
        if cut && guessed {
            return Err(Refused::Malformed);
        }
        if let Some(inner) = wrapped(&mut value, form.schema) {
            value = inner;
            notes.push(Note { what: "wrapped", at: String::new() });
        }
        evidence::to_one_form(&mut value, form.schema);
        if form.validator.is_valid(&value) {
            return Ok(Reading { value, notes, cut });
        }
        // An unknown name is how a wrong guess shows.
        if speaks(&value, form.schema) && !(guessed && schema::has_unknown(&value, form.schema)) {
            // What a broken answer does not say may be what was lost of it.
            coerce::coerce(&mut value, form.schema, !(cut || guessed || partial), &mut notes);
            if form.validator.is_valid(&value) {
                return Ok(Reading { value, notes, cut });
            }
        }
        let at = schema::misfits(form.validator, form.schema, &value);
        Err(match (cut, guessed) {
            (true, _) => Refused::Cut(at),
            (false, true) => Refused::Malformed,
            (false, false) => Refused::Invalid(at),
        })
    }
}

/// Whether an object has at least one name that was asked for. One without is something else: an apology, an error.
fn speaks(value: &Value, schema: &Value) -> bool {
    let known = |name: &String| !schema::property(schema, name).is_null();
    value.as_object().is_some_and(|fields| fields.keys().any(known))
}

/// The answer in `{"answer": {...}}`.
fn wrapped(value: &mut Value, schema: &Value) -> Option<Value> {
    let fields = value.as_object_mut().filter(|fields| fields.len() == 1)?;
    let (name, inner) = fields.iter_mut().next()?;
    // A schema that is said again and an example are no answers.
    let other = ["error", "example", "properties"].contains(&name.as_str());
    (!other && schema::property(schema, name).is_null() && speaks(inner, schema)).then(|| inner.take())
}
