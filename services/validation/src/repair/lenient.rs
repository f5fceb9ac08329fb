//! A parser for what models write when they mean JSON. It knows which names to expect, and gives up rather than guess.

use super::strings::Ending;
use super::{Draft, Note};
use crate::schema;
use serde_json::{Map, Value};

/// Deeper than any profile goes.
const DEEPEST: usize = 48;

/// Gives up: this cannot be read without a guess.
pub(super) struct GiveUp;

pub(super) type Parsed<T> = Result<T, GiveUp>;

/// A value, and whether its end was seen.
pub(super) struct Got {
    pub(super) value: Value,
    pub(super) whole: bool,
}

/// What a value stands in.
pub(super) struct Frame<'a> {
    /// The schema of the object, or of the list.
    pub(super) schema: &'a Value,
    pub(super) list: bool,
}

pub(super) struct Parser<'a> {
    pub(super) text: Vec<char>,
    pub(super) at: usize,
    pub(super) frames: Vec<Frame<'a>>,
    pub(super) guessed: bool,
    cut: bool,
    /// A comment that does not end took the rest of the text with it.
    astray: bool,
    path: Vec<String>,
    notes: Vec<Note>,
}

/// Reads the object with which a text begins; says how many bytes it took.
pub(super) fn parse(text: &str, schema: &Value) -> Option<(Draft, usize)> {
    let mut parser = Parser {
        text: text.chars().collect(),
        at: 0,
        frames: Vec::new(),
        guessed: false,
        cut: false,
        astray: false,
        path: Vec::new(),
        notes: Vec::new(),
    };
    let got = parser.object(schema).ok().filter(|_| !parser.astray)?;
    let length = parser.text[..parser.at].iter().map(|character| character.len_utf8()).sum::<usize>();
    if !got.whole && parser.cut {
        parser.note("cut_short");
    }
    let tail = text[length..].trim_start();
    if tail.starts_with(['}', ']', ',']) {
        parser.note("bracket");
    }
    let draft = Draft {
        value: got.value,
        notes: parser.notes,
        cut: parser.cut,
        guessed: parser.guessed,
        partial: false,
    };
    Some((draft, length))
}

impl<'a> Parser<'a> {
    /// Writes down a repair at the present place, once.
    pub(super) fn note(&mut self, what: &'static str) {
        let at = self.path.iter().flat_map(|step| ["/", step.as_str()]).collect();
        let note = Note { what, at };
        // The same place comes again at once or not at all.
        if !self.notes.iter().rev().take(8).any(|before| *before == note) {
            self.notes.push(note);
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    /// White space and comments.
    fn skip(&mut self) {
        loop {
            let after = self.text.get(self.at + 1).copied();
            match (self.peek(), after) {
                (Some(character), _) if character.is_whitespace() || character == '\u{feff}' => self.at += 1,
                (Some('/'), Some('/')) | (Some('#'), _) => {
                    self.note("comment");
                    while self.peek().is_some_and(|character| character != '\n') {
                        self.at += 1;
                    }
                    self.astray |= self.peek().is_none();
                }
                (Some('/'), Some('*')) => {
                    self.note("comment");
                    self.at += 2;
                    while self.at < self.text.len() && !self.text[self.at..].starts_with(&['*', '/']) {
                        self.at += 1;
                    }
                    self.astray |= self.at == self.text.len();
                    self.at = (self.at + 2).min(self.text.len());
                }
                _ => return,
            }
        }
    }

    /// Whether a list, or an object, is open around the present one.
    fn inside(&self, list: bool) -> bool {
        self.frames.iter().rev().skip(1).any(|frame| frame.list == list)
    }

    fn ends_early(&mut self, value: Value) -> Got {
        self.cut = true;
        Got { value, whole: false }
    }

    pub(super) fn value(&mut self, schema: &'a Value) -> Parsed<Got> {
        match self.peek() {
            Some('{') => self.object(schema),
            Some('[') => self.list(schema),
            Some(mark) if Ending::of(mark).is_some() => {
                let (text, whole) = self.string()?;
                Ok(self.seen(text.into(), whole))
            }
            Some(_) => {
                let (value, whole) = self.bare(schema)?;
                Ok(self.seen(value, whole))
            }
            None => Ok(self.ends_early(Value::Null)),
        }
    }

    fn seen(&mut self, value: Value, whole: bool) -> Got {
        self.cut |= !whole;
        Got { value, whole }
    }

    fn enter(&mut self, schema: &'a Value, list: bool) -> Parsed<()> {
        self.at += 1;
        self.frames.push(Frame { schema, list });
        if self.frames.len() > DEEPEST { Err(GiveUp) } else { Ok(()) }
    }

    fn object(&mut self, schema: &'a Value) -> Parsed<Got> {
        self.enter(schema, false)?;
        let mut fields = Map::new();
        let mut comma = true;
        let whole = loop {
            self.skip();
            match self.peek() {
                None => break false,
                Some('}') => {
                    self.at += 1;
                    break true;
                }
                // The list around this object ends: the object's own brace is missing.
                Some(']') if self.inside(true) => {
                    self.note("bracket");
                    self.guessed = true;
                    break true;
                }
                Some(',') => {
                    self.comma(&mut comma, fields.is_empty(), '}');
                    continue;
                }
                Some(_) if !comma => {
                    self.note("missing_comma");
                    self.guessed = true;
                }
                Some(_) => {}
            }
            comma = false;
            let Some(name) = self.name()? else { break false };
            self.path.push(name.clone());
            self.skip();
            if self.peek().is_none() {
                self.path.pop();
                break false;
            }
            let got = self.value(schema::property(schema, &name))?;
            self.path.pop();
            // Of the object at the top, a list that ends early keeps its whole items. Anything else that ends early
            // is not there at all.
            if got.whole || (self.frames.len() == 1 && got.value.is_array()) {
                if fields.get(&name).is_some_and(|before| *before != got.value) {
                    return Err(GiveUp);
                }
                fields.insert(name, got.value);
            }
            if !got.whole {
                break false;
            }
        };
        self.frames.pop();
        Ok(if whole { Got { value: fields.into(), whole } } else { self.ends_early(fields.into()) })
    }

    fn list(&mut self, schema: &'a Value) -> Parsed<Got> {
        self.enter(schema, true)?;
        let mut values = Vec::new();
        let mut comma = true;
        let whole = loop {
            self.skip();
            match self.peek() {
                None => break false,
                Some(']') => {
                    self.at += 1;
                    break true;
                }
                Some('}') => {
                    self.note("bracket");
                    self.guessed = true;
                    break true;
                }
                Some(',') => {
                    self.comma(&mut comma, values.is_empty(), ']');
                    continue;
                }
                Some(_) if !comma => {
                    self.note("missing_comma");
                    self.guessed = true;
                }
                Some(_) => {}
            }
            comma = false;
            self.path.push(values.len().to_string());
            let got = self.value(schema::items(schema))?;
            self.path.pop();
            if !got.whole {
                break false;
            }
            values.push(got.value);
        };
        self.frames.pop();
        Ok(if whole { Got { value: values.into(), whole } } else { self.ends_early(values.into()) })
    }

    /// Takes a comma; notes one that separates nothing.
    fn comma(&mut self, seen: &mut bool, first: bool, closing: char) {
        self.at += 1;
        let doubled = *seen;
        *seen = true;
        self.skip();
        if doubled || first || self.peek() == Some(closing) {
            self.note("extra_comma");
        }
    }

    /// A property's name and the colon behind it; none if the text ends.
    fn name(&mut self) -> Parsed<Option<String>> {
        let name = match self.peek().and_then(Ending::of) {
            Some(ending) => {
                if !ending.plain {
                    self.note("quotation_marks");
                }
                self.at += 1;
                let start = self.at;
                loop {
                    match self.peek() {
                        None => return Ok(None),
                        Some(character) if ending.closes(character) => break,
                        Some(':') if self.is_known(&self.text[start..self.at].iter().collect::<String>()) => {
                            self.note("quotation_marks");
                            self.guessed = true;
                            break;
                        }
                        Some('\n' | '\\' | '{' | '}') => return Err(GiveUp),
                        Some(_) => self.at += 1,
                    }
                }
                let name = self.text[start..self.at].iter().collect::<String>();
                self.at += usize::from(self.peek() != Some(':'));
                name
            }
            None => {
                let start = self.at;
                while self
                    .peek()
                    .is_some_and(|character| character.is_alphanumeric() || "_-$".contains(character))
                {
                    self.at += 1;
                }
                if self.at == start {
                    return Err(GiveUp);
                }
                self.note("unquoted_name");
                self.guessed = true;
                let name = self.text[start..self.at].iter().collect::<String>();
                self.at += usize::from(self.peek() == Some('"') && self.is_known(&name));
                name
            }
        };
        self.skip();
        match self.peek() {
            None => Ok(None),
            Some(':') => {
                self.at += 1;
                Ok(Some(name))
            }
            Some(_) => Err(GiveUp),
        }
    }
}
