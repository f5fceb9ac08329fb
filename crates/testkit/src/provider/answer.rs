//! The answer: a pure function of schema and document that fits the one and has all its evidence in the other.

use super::document::{Block, Document, currency, date, number, sum, value, words};
use super::hash::{Dice, hash};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Answers a schema about a document.
pub(super) fn answer(schema: &Value, document: &Document<'_>) -> Value {
    let dice = Dice::new(document.hash).and(hash(schema.to_string().as_bytes()));
    Composer { root: schema, document, dice, used: HashSet::new() }.make(schema, "", None, 0)
}

/// The schema with the limits that a complaint about an earlier answer has told: "- /amounts/3/text: maxLength 80".
pub(super) fn told(schema: &Value, complaint: &str) -> Value {
    let mut schema = schema.clone();
    for line in complaint.lines() {
        let place = line.strip_prefix("- /").and_then(|line| line.split_once(": "));
        let limit = place.and_then(|(pointer, limit)| Some((pointer, limit.split_once(' ')?)));
        let Some((pointer, (keyword @ ("maxLength" | "minimum"), limit))) = limit else { continue };
        let mut at = Some(&mut schema);
        for step in pointer.split('/') {
            at = at.and_then(|schema| match step.parse::<usize>() {
                Ok(_) => schema.get_mut("items"),
                Err(_) => schema.get_mut("properties")?.get_mut(step),
            });
        }
        if let (Some(Value::Object(field)), Ok(limit)) = (at, limit.parse::<u64>()) {
            field.insert(keyword.to_owned(), limit.into());
        }
    }
    schema
}

/// Whether a schema asks for words of the document.
pub(super) fn asks_for_quotes(schema: &Value) -> bool {
    let fields = schema["properties"].as_object();
    let named = |name: &str| matches!(name, "anchor" | "quote");
    if fields.is_some_and(|fields| fields.keys().any(|name| named(name))) {
        return true;
    }
    match schema {
        Value::Object(members) => members.values().any(asks_for_quotes),
        Value::Array(items) => items.iter().any(asks_for_quotes),
        _ => false,
    }
}

/// Nothing that is asked is as deep; it bounds schemas that refer to themselves.
const DEEPEST: usize = 12;
/// Words of an anchor.
const ANCHOR: usize = 12;

/// The words from which one object is made.
#[derive(Clone, Copy)]
struct Place<'a> {
    block: Block<'a>,
    anchor: &'a str,
}

/// What has to stand in the words.
#[derive(Clone, Copy, PartialEq)]
enum Need {
    Words,
    Date,
    Sum,
    Number,
}

struct Composer<'a> {
    root: &'a Value,
    document: &'a Document<'a>,
    dice: Dice,
    used: HashSet<usize>,
}

impl<'a> Composer<'a> {
    fn make(&mut self, schema: &'a Value, name: &str, place: Option<Place<'a>>, depth: usize) -> Value {
        let Some(schema) = resolve(self.root, schema).filter(|_| depth <= DEEPEST) else {
            return Value::Null;
        };
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        let name = name.to_lowercase();
        if let Some(values) = schema["enum"].as_array() {
            return self.choice(values, &name, place);
        }
        for several in ["anyOf", "oneOf", "allOf"] {
            if let Some(options) = schema[several].as_array() {
                let useful = options.iter().find(|option| option["type"] != "null");
                let nullable = options.iter().any(|option| option["type"] == "null");
                return match useful.and_then(|option| resolve(self.root, option)) {
                    Some(option) if kind(option) == "object" || kind(option) == "array" => {
                        self.make(option, &name, place, depth + 1)
                    }
                    Some(option) => self.scalar(option, &name, place, nullable),
                    None => Value::Null,
                };
            }
        }
        match kind(schema) {
            "object" => self.object(schema, place, depth),
            "array" => self.array(schema, &name, place, depth),
            _ => self.scalar(schema, &name, place, nullable(schema)),
        }
    }

    fn object(&mut self, schema: &'a Value, place: Option<Place<'a>>, depth: usize) -> Value {
        let Some(fields) = schema["properties"].as_object() else { return json!({}) };
        let is_evidence = is_evidence(fields);
        let has_evidence = fields.values().any(|field| self.leads_to_evidence(field));
        let place = if has_evidence || (is_evidence && place.is_none()) { self.place(fields) } else { place };
        let mut made = Map::new();
        for (name, field) in fields {
            made.insert(name.clone(), self.make(field, name, place, depth + 1));
        }
        made.into()
    }

    fn array(&mut self, schema: &'a Value, name: &str, place: Option<Place<'a>>, depth: usize) -> Value {
        let (Some(place), true) = (place, name.contains("block")) else {
            let number = |key: &str, otherwise: u64| schema[key].as_u64().unwrap_or(otherwise);
            // Inside an item, such as its evidence, lists are short.
            let likely = if depth > 2 { 1 } else { 2 + self.dice.next() % 3 };
            let count =
                likely.clamp(number("minItems", 0), number("maxItems", u64::MAX).max(number("minItems", 0)));
            return (0..count).map(|_| self.make(&schema["items"], name, place, depth + 1)).collect();
        };
        json!([place.block.id])
    }

    /// A property that is evidence, or a list of evidence.
    fn leads_to_evidence(&self, field: &'a Value) -> bool {
        let Some(field) = resolve(self.root, field) else { return false };
        let here = |schema: &Value| schema["properties"].as_object().is_some_and(is_evidence);
        let item = resolve(self.root, &field["items"]);
        here(field)
            || item.is_some_and(here)
            || field["anyOf"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|one| resolve(self.root, one))
                .any(here)
    }

    /// A block that no other object of this answer was made from, with what the fields need in it, if there is one.
    fn place(&mut self, fields: &Map<String, Value>) -> Option<Place<'a>> {
        const LOOK_AT: usize = 60;
        let need = fields
            .iter()
            .map(|(name, field)| need(&name.to_lowercase(), field))
            .fold(Need::Words, |a, b| if a == Need::Words { b } else { a });
        let blocks = &self.document.blocks;
        let first = self.dice.below(blocks.len());
        let order = || (0..blocks.len()).map(|step| (first + step) % blocks.len());
        let free =
            |at: &usize| !self.used.contains(at) && blocks[*at].text.split_whitespace().nth(3).is_some();
        let chosen = (order().filter(free).take(LOOK_AT).find(|at| found(need, blocks[*at].text).is_some()))
            .or_else(|| order().find(free))
            .or_else(|| order().next())?;
        self.used.insert(chosen);
        let block = blocks[chosen];
        let around = found(need, block.text).unwrap_or_else(|| self.dice.below(block.text.len()));
        Some(Place { block, anchor: anchor(block.text, around) })
    }

    fn choice(&mut self, values: &[Value], name: &str, place: Option<Place<'a>>) -> Value {
        let having = |text: &str| {
            values.iter().find(|value| value.as_str().is_some_and(|v| v.eq_ignore_ascii_case(text)))
        };
        if name.contains("language")
            && let Some(value) = having(self.document.language())
        {
            return value.clone();
        }
        if let Some(place) = place {
            if let Some(value) = currency(place.anchor).and_then(having) {
                return value.clone();
            }
            let words = place.anchor.to_lowercase();
            let said = |value: &&Value| {
                value.as_str().is_some_and(|value| !value.is_empty() && words.contains(value))
            };
            if let Some(value) = values.iter().find(said) {
                return value.clone();
            }
        }
        values.get(self.dice.below(values.len())).cloned().unwrap_or(Value::Null)
    }

    fn scalar(&mut self, schema: &Value, name: &str, place: Option<Place<'a>>, nullable: bool) -> Value {
        let absent = |otherwise: Value| if nullable { Value::Null } else { otherwise };
        match kind(schema) {
            "boolean" => (name == "present" || self.dice.below(2) == 1).into(),
            kind @ ("number" | "integer") => {
                let least = schema["minimum"].as_f64().unwrap_or(0.0);
                if ["confidence", "score", "probability"].iter().any(|word| name.contains(word)) {
                    return plain(kind, least.max((50 + self.dice.below(50)) as f64 / 100.0));
                }
                let said = place.and_then(|place| match need(name, schema) {
                    Need::Sum => sum(place.anchor).and_then(|(_, digits)| value(digits)),
                    _ => number(place.anchor).and_then(|(_, digits)| value(digits)),
                });
                let fits = |said: &f64| *said >= least && (kind == "number" || said.fract() == 0.0);
                said.filter(fits).map_or_else(|| absent(plain(kind, least)), |said| plain(kind, said))
            }
            "string" => cut(self.string(schema, name, place, nullable), longest(schema)),
            _ => Value::Null,
        }
    }

    fn string(&mut self, schema: &Value, name: &str, place: Option<Place<'a>>, nullable: bool) -> Value {
        let absent = |otherwise: &str| if nullable { Value::Null } else { otherwise.into() };
        if name.contains("language") {
            return self.document.language().into();
        }
        // A choice in words, as a reader takes it.
        if let Some(choice) = schema["description"].as_str().and_then(|text| text.strip_prefix("One of: ")) {
            let values: Vec<Value> = choice.split(", ").map(Value::from).collect();
            return self.choice(&values, name, place);
        }
        let Some(place) = place.or_else(|| self.place(&Map::new())) else { return absent("nothing") };
        match name {
            _ if name.contains("block") => return place.block.id.into(),
            "anchor" | "quote" => return place.anchor.into(),
            "currency" => return currency(place.anchor).map_or_else(|| absent("EUR"), Value::from),
            _ => {}
        }
        if need(name, schema) == Need::Date {
            let Some((at, iso)) = date(place.anchor) else {
                return absent(if wants_iso(name, schema) { "2026-01-15" } else { short(place.anchor, 0) });
            };
            return if wants_iso(name, schema) { iso.into() } else { place.anchor[at].into() };
        }
        if need(name, schema) == Need::Sum {
            return sum(place.anchor)
                .map_or_else(|| absent("0"), |(_, digits)| json!(value(digits).unwrap_or(0.0).to_string()));
        }
        let long = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if name == "text" {
            // A figure as it is written, where there is one.
            let figure = sum(place.anchor).map(|(at, _)| place.anchor[at].to_owned());
            figure.unwrap_or_else(|| short(place.anchor, self.dice.below(ANCHOR)).to_owned()).into()
        } else if long(&["summary", "abstract"]) {
            self.sentences(place, 45).into()
        } else if long(&["explanation", "description", "duty", "point", "reason", "rule", "obligation"]) {
            place.anchor.into()
        } else {
            short(place.anchor, self.dice.below(ANCHOR)).into()
        }
    }

    /// The words of a block, and of those after it until there are enough.
    fn sentences(&self, place: Place<'a>, enough: usize) -> String {
        let after = self.document.blocks.iter().skip_while(|block| block.text != place.block.text);
        after.flat_map(|block| block.text.split_whitespace()).take(enough).collect::<Vec<_>>().join(" ")
    }
}

/// How many characters a text may have. Where a vendor's schemas cannot say it, the description does: a model reads it
/// there.
fn longest(schema: &Value) -> Option<usize> {
    let said = || {
        let (_, after) = schema["description"].as_str()?.split_once("maxLength: ")?;
        after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    schema["maxLength"].as_u64().and_then(|length| usize::try_from(length).ok()).or_else(said)
}

fn cut(text: Value, longest: Option<usize>) -> Value {
    match (text, longest) {
        (Value::String(text), Some(longest)) => text.chars().take(longest).collect::<String>().trim().into(),
        (text, _) => text,
    }
}

/// An integer stays one.
fn plain(kind: &str, number: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "only whole numbers get here, and JSON has no larger ones"
    )]
    if kind == "integer" { json!(number as i64) } else { json!(number) }
}

fn resolve<'a>(root: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    match schema["$ref"].as_str() {
        Some(path) => root.pointer(path.trim_start_matches('#')),
        None => Some(schema),
    }
}

/// The type that is not null; what says nothing is an object if it has properties.
fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null")
        }
        _ if schema["properties"].is_object() => "object",
        _ if schema["items"].is_object() => "array",
        _ => "string",
    }
}

fn nullable(schema: &Value) -> bool {
    schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"))
}

fn is_evidence(fields: &Map<String, Value>) -> bool {
    let has = |name: &str| fields.contains_key(name);
    (has("block_ids") || has("block") || has("block_id"))
        && (has("anchor") || has("quote") || fields.len() == 1)
}

fn need(name: &str, field: &Value) -> Need {
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match kind(field) {
        "string" if has(&["date"]) || wants_iso(name, field) => Need::Date,
        "string" | "number" if has(&["amount", "price", "total"]) => Need::Sum,
        "number" | "integer" => Need::Number,
        _ => Need::Words,
    }
}

fn wants_iso(name: &str, field: &Value) -> bool {
    let said =
        field["description"].as_str().is_some_and(|text| text.contains("YYYY") || text.contains("ISO"));
    let pattern = field["pattern"].as_str().is_some_and(|text| text.contains("d{4}"));
    said || pattern || name.contains("iso") || field["format"] == "date"
}

/// Where something stands that is needed.
fn found(need: Need, text: &str) -> Option<usize> {
    match need {
        Need::Words => Some(0),
        // The pattern is slow, and few blocks have a year in them.
        Need::Date if !text.contains("20") && !text.contains("19") => None,
        Need::Date => date(text).map(|(at, _)| at.start),
        Need::Sum => sum(text).map(|(at, _)| at.start),
        Need::Number => number(text).map(|(at, _)| at.start),
    }
}

/// Up to twelve words, as they stand in the text, with the given place among the first of them.
fn anchor(text: &str, around: usize) -> &str {
    let words = words(text);
    let within = words.iter().position(|word| word.end > around).unwrap_or(0);
    let first = within.saturating_sub(3).min(words.len().saturating_sub(ANCHOR));
    let last = (first + ANCHOR).min(words.len()).saturating_sub(1);
    match (words.get(first), words.get(last)) {
        (Some(first), Some(last)) => &text[first.start..last.end],
        _ => text,
    }
}

/// What stands for a name or a figure is no longer than this, characters: in some languages a line is one word.
const SHORT: usize = 40;

/// Up to three words, without the punctuation around them.
fn short(text: &str, from: usize) -> &str {
    let words = words(text);
    let first = from.min(words.len().saturating_sub(3));
    let last = (first + 3).min(words.len()).saturating_sub(1);
    let words =
        words.get(first).zip(words.get(last)).map_or(text, |(first, last)| &text[first.start..last.end]);
    let end = words.char_indices().nth(SHORT).map_or(words.len(), |(end, _)| end);
    let words = &words[..end];
    let bare = words.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '[' | ']'));
    if bare.is_empty() { words } else { bare }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
