//! The provider without a model: finds sentences by the profile's `x-offline` rules and copies them. Deterministic,
//! no network, and labelled as what it is in every report. The rules are documented in `profiles/README.md`.

use millrace_contract::ErrorCode;
use millrace_contract::wire::{Answer, Answers, DocumentText, Inferred, Routed};
use millrace_profile::{Profile, block_id};
use millrace_stage::{Job, Result, StageError};
use regex::{Captures, Regex, RegexBuilder};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Its name in events, reports and metrics.
const NAME: &str = "offline";
/// Says in every report that no model has answered.
const MODEL: &str = "offline-extractive";
const CUT: usize = 200;
/// An anchor is no longer than this, in words and in characters: what the shipped schemas allow.
const ANCHOR_WORDS: usize = 12;
const ANCHOR_CHARACTERS: usize = 160;

/// How the offline provider behaves.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// Pause before each offline answer, to see progress or to try a kill while a model thinks
    #[arg(long, env = "MILLRACE_OFFLINE_LATENCY", default_value = "0s", value_parser = humantime::parse_duration)]
    offline_latency: Duration,
}

/// The provider.
pub struct Offline {
    settings: Settings,
    /// Compiled rules by pattern.
    rules: Mutex<HashMap<String, Arc<Regex>>>,
}

/// One sentence of the document, and where it stands.
struct Sentence<'a> {
    block: String,
    text: &'a str,
}

/// The sentence an item is made of, and what the rule that found it captured.
struct Found<'a> {
    sentence: &'a Sentence<'a>,
    captured: Option<&'a str>,
}

impl Offline {
    /// A provider with these settings.
    pub fn new(settings: Settings) -> Offline {
        Offline { settings, rules: Mutex::default() }
    }

    fn rule(&self, pattern: &str) -> Result<Arc<Regex>> {
        let mut rules = self.rules.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(rule) = rules.get(pattern) {
            return Ok(Arc::clone(rule));
        }
        let made = RegexBuilder::new(pattern).case_insensitive(true).build().map_err(|error| {
            StageError::new(ErrorCode::Internal, format!("an x-offline pattern of the profile: {error}"))
        })?;
        let rule = Arc::new(made);
        rules.insert(pattern.to_owned(), Arc::clone(&rule));
        Ok(rule)
    }

    /// The answer to a whole schema.
    fn answer(&self, schema: &Value, document: &DocumentText, language: &str) -> Result<Value> {
        let sentences = sentences(document);
        let mut answer = Map::new();
        for (name, property) in properties(schema) {
            answer.insert(name.clone(), self.top(property, &sentences, language)?);
        }
        Ok(answer.into())
    }

    fn top(&self, schema: &Value, sentences: &[Sentence<'_>], language: &str) -> Result<Value> {
        let rule = &schema["x-offline"];
        if is(schema, "array") {
            let limit = rule["limit"].as_u64().unwrap_or(8);
            return self.items(&schema["items"], rule, sentences, limit);
        }
        if is(schema, "object") {
            let Some(found) = self.first(rule, sentences)? else { return Ok(Value::Null) };
            return self.item(schema, &found);
        }
        if rule["language"].as_bool() == Some(true) {
            return Ok(language.into());
        }
        if let Some(lead) = rule["lead"].as_u64() {
            return Ok(cut(schema, &self.lead(rule, lead, sentences)?).into());
        }
        if rule["cases"].is_object() {
            for sentence in sentences {
                if let Some(case) = self.case(schema, sentence.text)? {
                    return Ok(case);
                }
            }
            return Ok(rule["otherwise"].clone());
        }
        match self.first(rule, sentences)? {
            Some(found) => self.text(schema, rule, &found),
            None => Ok(if nullable(schema) { Value::Null } else { "".into() }),
        }
    }

    fn items(&self, item: &Value, rule: &Value, sentences: &[Sentence<'_>], limit: u64) -> Result<Value> {
        let Some(pattern) = rule["match"].as_str() else { return Ok(json!([])) };
        let pattern = self.rule(pattern)?;
        let mut items = Vec::new();
        for sentence in sentences {
            if items.len() as u64 >= limit {
                break;
            }
            if let Some(captures) = pattern.captures(sentence.text) {
                items.push(self.item(item, &Found { sentence, captured: group(&captures) })?);
            }
        }
        Ok(items.into())
    }

    fn first<'a>(&self, rule: &Value, sentences: &'a [Sentence<'a>]) -> Result<Option<Found<'a>>> {
        let Some(pattern) = rule["match"].as_str() else { return Ok(None) };
        let pattern = self.rule(pattern)?;
        Ok(sentences.iter().find_map(|sentence| {
            let captures = pattern.captures(sentence.text)?;
            Some(Found { sentence, captured: group(&captures) })
        }))
    }

    fn item(&self, schema: &Value, found: &Found<'_>) -> Result<Value> {
        if is(schema, "string") {
            return self.text(schema, &schema["x-offline"], found);
        }
        let mut item = Map::new();
        for (name, property) in properties(schema) {
            let value = if name == "evidence" {
                json!({ "block_ids": [found.sentence.block], "anchor": anchor(found.sentence.text) })
            } else {
                self.property(property, found)?
            };
            item.insert(name.clone(), value);
        }
        Ok(item.into())
    }

    fn property(&self, schema: &Value, found: &Found<'_>) -> Result<Value> {
        let rule = &schema["x-offline"];
        let text = found.sentence.text;
        if rule["cases"].is_object() {
            return Ok(self.case(schema, text)?.unwrap_or_else(|| rule["otherwise"].clone()));
        }
        if is(schema, "number") || is(schema, "integer") {
            let captured = self.captured(rule, text)?;
            return Ok(captured.and_then(|text| number(&text, is(schema, "integer"))).unwrap_or(Value::Null));
        }
        if is(schema, "boolean") {
            return Ok(match rule["match"].as_str() {
                Some(pattern) => self.rule(pattern)?.is_match(text).into(),
                None => Value::Null,
            });
        }
        if is(schema, "array") {
            return Ok(json!([]));
        }
        if is(schema, "object") {
            return if nullable(schema) { Ok(Value::Null) } else { self.item(schema, found) };
        }
        self.text(schema, rule, found)
    }

    fn text(&self, schema: &Value, rule: &Value, found: &Found<'_>) -> Result<Value> {
        if let Some(captured) = self.captured(rule, found.sentence.text)? {
            return Ok(cut(schema, captured.trim()).into());
        }
        if nullable(schema) {
            return Ok(Value::Null);
        }
        let text = found.captured.unwrap_or(found.sentence.text);
        Ok(text.chars().take(CUT).collect::<String>().trim().into())
    }

    fn captured(&self, rule: &Value, text: &str) -> Result<Option<String>> {
        let Some(pattern) = rule["match"].as_str() else { return Ok(None) };
        let pattern = self.rule(pattern)?;
        Ok(pattern.captures(text).and_then(|captures| group(&captures)).map(str::to_owned))
    }

    /// The first case that matches, in the order of the enum.
    fn case(&self, schema: &Value, text: &str) -> Result<Option<Value>> {
        let cases = &schema["x-offline"]["cases"];
        for value in schema["enum"].as_array().into_iter().flatten() {
            if let Some(pattern) = value.as_str().and_then(|value| cases[value].as_str())
                && self.rule(pattern)?.is_match(text)
            {
                return Ok(Some(value.clone()));
            }
        }
        Ok(None)
    }

    fn lead(&self, rule: &Value, lead: u64, sentences: &[Sentence<'_>]) -> Result<String> {
        let prose: Vec<&str> = sentences
            .iter()
            .map(|sentence| unnumbered(sentence.text))
            .filter(|text| is_prose(text))
            .collect();
        let mut chosen = prose.clone();
        if let Some(pattern) = rule["match"].as_str() {
            let pattern = self.rule(pattern)?;
            chosen.retain(|text| pattern.is_match(text));
        }
        if chosen.is_empty() {
            chosen = prose;
        }
        if chosen.is_empty() {
            chosen = sentences.iter().map(|sentence| sentence.text).collect();
        }
        chosen.truncate(usize::try_from(lead).unwrap_or(usize::MAX));
        Ok(chosen.join(" "))
    }
}

impl Offline {
    /// Answers every prompt of a job.
    pub(crate) async fn run(
        &self,
        job: &Job<Routed>,
        profile: &Profile,
        document: &DocumentText,
    ) -> Result<(Inferred, Answers)> {
        let mut answers = Answers::default();
        let of = u32::try_from(profile.prompts.len()).unwrap_or(u32::MAX);
        for (done, prompt) in (1..).zip(&profile.prompts) {
            job.progress(&prompt.doing, done, of);
            if !self.settings.offline_latency.is_zero() {
                tokio::time::sleep(self.settings.offline_latency).await;
            }
            let json = self.answer(&prompt.schema, document, &job.known.language)?.to_string();
            answers.answers.push(Answer {
                prompt: prompt.id.clone(),
                json,
                provider: NAME.to_owned(),
                model: MODEL.to_owned(),
                ..Answer::default()
            });
        }
        let inferred = Inferred { provider: NAME.to_owned(), model: MODEL.to_owned(), ..Inferred::default() };
        Ok((inferred, answers))
    }
}

/// No longer than the schema allows: some documents have sentences of a page.
fn cut<'a>(schema: &Value, text: &'a str) -> &'a str {
    let longest = schema["maxLength"].as_u64().and_then(|longest| usize::try_from(longest).ok());
    let Some((end, _)) = longest.and_then(|longest| text.char_indices().nth(longest)) else { return text };
    let words = text[..end].rfind(char::is_whitespace).unwrap_or(end);
    text[..words].trim_end()
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

fn is(schema: &Value, kind: &str) -> bool {
    match &schema["type"] {
        Value::String(name) => name == kind,
        Value::Array(names) => names.iter().any(|name| name == kind),
        _ => false,
    }
}

fn nullable(schema: &Value) -> bool {
    is(schema, "null")
}

/// The words with which a sentence begins, as they stand there; null if even the first one is too long.
fn anchor(sentence: &str) -> Option<&str> {
    let mut end = None;
    let mut words = 0;
    let mut inside = false;
    for (characters, (at, character)) in sentence.char_indices().enumerate() {
        if characters >= ANCHOR_CHARACTERS {
            return Some(&sentence[..end?]);
        }
        if inside && character.is_whitespace() {
            end = Some(at);
            words += 1;
            if words == ANCHOR_WORDS {
                return Some(&sentence[..at]);
            }
        }
        inside = !character.is_whitespace();
    }
    (!sentence.is_empty()).then_some(sentence)
}

/// The group that took part in the match.
fn group<'a>(captures: &Captures<'a>) -> Option<&'a str> {
    captures.iter().skip(1).flatten().next().map(|found| found.as_str())
}

/// `18,500.00` and `18.500,00` are both 18500: a separator before one or two last digits is the decimal mark.
fn number(text: &str, integer: bool) -> Option<Value> {
    let text = text.trim();
    let decimal = text.rfind(['.', ',']).filter(|at| (1..=2).contains(&(text.len() - at - 1)));
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let plain = match decimal {
        Some(at) => format!("{}.{}", digits(&text[..at]), digits(&text[at..])),
        None => digits(text),
    };
    let value: f64 = plain.parse().ok()?;
    if integer { Some(json!(value as i64)) } else { serde_json::Number::from_f64(value).map(Value::from) }
}

/// The document in sentences. A sentence never spans blocks.
fn sentences(document: &DocumentText) -> Vec<Sentence<'_>> {
    let mut sentences = Vec::new();
    for page in &document.pages {
        for block in &page.blocks {
            for text in split(&block.text) {
                sentences.push(Sentence { block: block_id(page.number, block.number), text });
            }
        }
    }
    sentences
}

/// Ends a sentence at `. `, `! `, `? ` or a line break, if the next one begins like one and the point does not
/// belong to an abbreviation or a number.
fn split(text: &str) -> Vec<&str> {
    const ABBREVIATIONS: &[&str] = &[
        "mr", "mrs", "ms", "dr", "sr", "sra", "srta", "no", "núm", "art", "inc", "ltd", "co", "st", "d",
        "dña", "p", "pp",
    ];
    let mut found = Vec::new();
    let mut start = 0;
    let bytes = text.as_bytes();
    for (at, character) in text.char_indices() {
        let end = at + character.len_utf8();
        let ends = match character {
            '\n' => true,
            // A list in running text: "the following parties: (1) …; and (2) …".
            ':' | ';' => begins_item(&text[end..]),
            '.' | '!' | '?' => {
                let word = text[start..at].rsplit([' ', '(', '\n']).next().unwrap_or_default().to_lowercase();
                let numbered = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || c == '.');
                // "J. Hall" goes on; "clause 6." ends, as it does where the evidence is looked up.
                let initial = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
                let heading = numbered && text[start..at].trim() == word;
                let goes_on = initial || heading || ABBREVIATIONS.contains(&word.as_str());
                let next = text[end..].trim_start().chars().next();
                bytes.get(end).is_some_and(u8::is_ascii_whitespace)
                    && !goes_on
                    && next.is_some_and(|next| {
                        next.is_uppercase() || next.is_ascii_digit() || "[(¿¡\"“".contains(next)
                    })
            }
            _ => false,
        };
        if ends {
            found.push(text[start..end].trim());
            start = end;
        }
    }
    found.push(text[start..].trim());
    found.retain(|sentence| !sentence.is_empty());
    found
}

/// Whether a list item begins here: "(1)", "and (b)", "y (ii)".
fn begins_item(text: &str) -> bool {
    let text = text.trim_start();
    let text = ["and ", "or ", "y ", "o "].iter().find_map(|word| text.strip_prefix(word)).unwrap_or(text);
    let Some((mark, _)) = text.strip_prefix('(').and_then(|text| text.split_once(')')) else { return false };
    (1..=3).contains(&mark.len()) && mark.chars().all(char::is_alphanumeric)
}

/// A sentence without the clause number before it: "2.1", "(C)", "4)".
fn unnumbered(text: &str) -> &str {
    let Some((first, rest)) = text.split_once(' ') else { return text };
    let bare = first.trim_matches(['(', ')', '.']);
    let number = !bare.is_empty() && bare.chars().all(|c| c.is_ascii_digit() || c == '.');
    let letter = bare.len() == 1 && first.len() > 1;
    if number || letter { rest.trim_start() } else { text }
}

fn is_prose(text: &str) -> bool {
    text.split_whitespace().count() >= 6 && text.ends_with(['.', '!', '?', '…'])
}

#[cfg(test)]
mod tests;
