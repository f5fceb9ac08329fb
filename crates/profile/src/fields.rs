//! Reading TOML so that every mistake is told, with its line, and not the first one only.

use crate::mistakes::{Mistake, line_at};
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The file in the folder.
pub(crate) const FILE: &str = "profile.toml";

/// A value and the line it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lined<T> {
    pub(crate) value: T,
    pub(crate) line: usize,
}

/// One table, read field by field. What nobody asked for is told at the end.
pub(crate) struct Fields<'t> {
    text: &'t str,
    /// How people call it: `[[prompts]]`.
    name: &'static str,
    /// Where it begins.
    pub(crate) line: usize,
    entries: BTreeMap<String, (usize, &'t DeValue<'t>)>,
    asked: Vec<&'static str>,
}

/// The tables of a text, or all mistakes in its syntax.
pub(crate) fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, Vec<Mistake>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(table);
    }
    let told = errors.iter().map(|error| {
        let line = error.span().map(|span| line_at(text, span.start));
        Mistake::new(FILE, line, error.message())
    });
    Err(told.collect())
}

impl<'t> Fields<'t> {
    pub(crate) fn of(text: &'t str, name: &'static str, offset: usize, table: &'t DeTable<'t>) -> Fields<'t> {
        let entries = table.iter().map(|(key, value)| {
            (key.get_ref().to_string(), (line_at(text, key.span().start), value.get_ref()))
        });
        Fields { text, name, line: line_at(text, offset), entries: entries.collect(), asked: Vec::new() }
    }

    fn get(&mut self, key: &'static str) -> Option<(usize, &'t DeValue<'t>)> {
        self.asked.push(key);
        self.entries.get(key).copied()
    }

    /// A field that must be there, of the kind that `read` takes.
    fn needed<T>(
        &mut self,
        key: &'static str,
        kind: &str,
        mistakes: &mut Vec<Mistake>,
        read: impl FnOnce(&'t DeValue<'t>) -> Option<T>,
    ) -> Option<Lined<T>> {
        let Some((line, value)) = self.get(key) else {
            mistakes.push(Mistake::new(FILE, self.line, format!("{} has no {key:?} ({kind})", self.name)));
            return None;
        };
        match read(value) {
            Some(value) => Some(Lined { value, line }),
            None => {
                mistakes.push(Mistake::new(FILE, line, format!("{key:?} must be {kind}")));
                None
            }
        }
    }

    /// Text, not empty.
    pub(crate) fn text(&mut self, key: &'static str, mistakes: &mut Vec<Mistake>) -> Option<Lined<String>> {
        self.needed(key, "text", mistakes, |value| {
            value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
        })
    }

    /// One of these words; the first if it is left out.
    pub(crate) fn choice(
        &mut self,
        key: &'static str,
        choices: &'static [&'static str],
        mistakes: &mut Vec<Mistake>,
    ) -> &'static str {
        let Some((line, value)) = self.get(key) else { return choices[0] };
        let chosen = value.as_str().and_then(|text| choices.iter().find(|choice| **choice == text));
        chosen.copied().unwrap_or_else(|| {
            mistakes.push(Mistake::new(FILE, line, format!("{key:?} must be one of {}", choices.join(", "))));
            choices[0]
        })
    }

    /// A list of texts, not empty.
    pub(crate) fn texts(&mut self, key: &'static str, mistakes: &mut Vec<Mistake>) -> Vec<String> {
        let read = |value: &DeValue<'_>| {
            let items = value.as_array()?.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            items.collect::<Option<Vec<_>>>().filter(|items| !items.is_empty())
        };
        self.needed(key, "a list of texts, at least one", mistakes, read)
            .map(|list| list.value)
            .unwrap_or_default()
    }

    /// A whole number, at least `least`; `absent` if it may be left out.
    pub(crate) fn number<N: TryFrom<u64>>(
        &mut self,
        key: &'static str,
        least: u64,
        absent: Option<N>,
        mistakes: &mut Vec<Mistake>,
    ) -> Option<N> {
        if absent.is_some() && !self.entries.contains_key(key) {
            self.asked.push(key);
            return absent;
        }
        let read = |value: &DeValue<'_>| match json(value) {
            Value::Number(number) => {
                number.as_u64().filter(|number| *number >= least).and_then(|n| n.try_into().ok())
            }
            _ => None,
        };
        self.needed(key, &format!("a whole number, {least} or more"), mistakes, read)
            .map(|number| number.value)
    }

    /// A table of language codes and files.
    pub(crate) fn languages(
        &mut self,
        key: &'static str,
        mistakes: &mut Vec<Mistake>,
    ) -> BTreeMap<String, Lined<String>> {
        let Some((line, value)) = self.get(key) else { return BTreeMap::new() };
        let Some(table) = value.as_table() else {
            mistakes.push(Mistake::new(
                FILE,
                line,
                format!("{key:?} must be a table of language codes and files"),
            ));
            return BTreeMap::new();
        };
        let mut languages = BTreeMap::new();
        for (code, file) in table {
            let line = line_at(self.text, code.span().start);
            let code = code.get_ref();
            if !((2..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_lowercase())) {
                let text = format!("{code:?} is no language code: two or three small letters, as in es");
                mistakes.push(Mistake::new(FILE, line, text));
            } else if let Some(file) = file.get_ref().as_str() {
                languages.insert(code.to_string(), Lined { value: file.to_owned(), line });
            } else {
                mistakes.push(Mistake::new(FILE, line, format!("{code:?} must be the name of a file")));
            }
        }
        languages
    }

    /// Tables of the same kind: `[[prompts]]`.
    pub(crate) fn tables(
        &mut self,
        key: &'static str,
        name: &'static str,
        mistakes: &mut Vec<Mistake>,
    ) -> Vec<Fields<'t>> {
        let Some((line, value)) = self.get(key) else { return Vec::new() };
        let tables = value.as_array().and_then(|items| {
            let tables = items.iter().map(|item| {
                item.get_ref().as_table().map(|table| Fields::of(self.text, name, item.span().start, table))
            });
            tables.collect::<Option<Vec<_>>>()
        });
        tables.unwrap_or_else(|| {
            mistakes.push(Mistake::new(FILE, line, format!("{key:?} must be tables, each under {name}")));
            Vec::new()
        })
    }

    /// Fields that nobody asked for: a misspelt name must not go unnoticed.
    pub(crate) fn finish(self, mistakes: &mut Vec<Mistake>) {
        for (key, (line, _)) in &self.entries {
            if !self.asked.contains(&key.as_str()) {
                let text =
                    format!("{key:?} is no field of {}; there may be {}", self.name, self.asked.join(", "));
                mistakes.push(Mistake::new(FILE, *line, text));
            }
        }
    }

    /// All fields, for those who know them by themselves.
    pub(crate) fn all(&self) -> (Map<String, Value>, BTreeMap<&str, usize>) {
        let values = self.entries.iter().map(|(key, (_, value))| (key.clone(), json(value)));
        (values.collect(), self.entries.iter().map(|(key, (line, _))| (key.as_str(), *line)).collect())
    }
}

/// A value as JSON. Dates become text.
fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => text.to_string().into(),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Float(number) => {
            number.as_str().parse().ok().and_then(Number::from_f64).map_or(Value::Null, Value::from)
        }
        DeValue::Boolean(value) => (*value).into(),
        DeValue::Datetime(date) => date.to_string().into(),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect::<Vec<_>>().into(),
        DeValue::Table(table) => table
            .iter()
            .map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref())))
            .collect::<Map<_, _>>()
            .into(),
    }
}
