//! Strings that models write: with quotation marks, line breaks and wrong escapes inside.

use super::lenient::{GiveUp, Parsed, Parser};
use crate::schema;

/// How a string that began with some quotation mark ends.
#[derive(Clone, Copy)]
pub(super) struct Ending {
    closers: [char; 2],
    /// The mark is the one of JSON.
    pub(super) plain: bool,
}

impl Ending {
    /// None if this is not a quotation mark.
    pub(super) fn of(mark: char) -> Option<Ending> {
        let closers = match mark {
            '"' => ['"', '"'],
            '\'' => ['\'', '\''],
            '“' | '„' => ['”', '"'],
            '‘' => ['’', '\''],
            _ => return None,
        };
        Some(Ending { closers, plain: mark == '"' })
    }

    pub(super) fn closes(self, character: char) -> bool {
        self.closers.contains(&character)
    }
}

impl Parser<'_> {
    /// A string, and whether its end was seen.
    pub(super) fn string(&mut self) -> Parsed<(String, bool)> {
        let Some(ending) = self.peek().and_then(Ending::of) else { return Err(GiveUp) };
        if !ending.plain {
            self.note("quotation_marks");
        }
        self.at += 1;
        let mut text = String::new();
        let (mut inner, mut doubled) = (0_usize, false);
        while let Some(character) = self.peek() {
            self.at += 1;
            match character {
                '\\' => match self.escape()? {
                    Some(escaped) => text.push(escaped),
                    None => return Ok((text, false)),
                },
                _ if ending.closes(character) => {
                    if self.ends_here() {
                        // Marks inside of a text come in pairs. If they do not, or if there are names of the object
                        // inside of the string, its own end was missed. An apostrophe is no such mark.
                        if inner > 0 && ((ending.plain && inner % 2 == 1) || self.swallowed(&text)) {
                            return Err(GiveUp);
                        }
                        return Ok((text, true));
                    }
                    if character == '"' || ending.plain {
                        self.note("inner_quotation_mark");
                        self.guessed = true;
                    }
                    let again = self.text.get(self.at).is_some_and(|next| ending.closes(*next));
                    if doubled || self.names_in_list() || matches!(self.peek(), Some('{' | '[')) {
                        return Err(GiveUp);
                    }
                    doubled = again && ending.plain;
                    inner += 1;
                    text.push(character);
                    continue;
                }
                '\n' | '\r' | '\t' => {
                    self.note("line_break_in_string");
                    text.push(character);
                }
                other => text.push(other),
            }
            doubled = false;
        }
        // Either the text ends within this string, or the string has lost its end: then its own marks, or the brackets
        // with which an answer ends, are in it.
        if inner > 0 || text.trim_end().ends_with(['}', ']']) { Err(GiveUp) } else { Ok((text, false)) }
    }

    /// What follows a backslash; none if the text ends within it.
    fn escape(&mut self) -> Parsed<Option<char>> {
        let Some(character) = self.peek() else { return Ok(None) };
        self.at += 1;
        Ok(Some(match character {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            '"' | '\\' | '/' => character,
            'u' => return self.unicode(),
            other => {
                self.note("escape");
                other
            }
        }))
    }

    fn unicode(&mut self) -> Parsed<Option<char>> {
        let Some(first) = self.four_digits()? else { return Ok(None) };
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).map(Some).ok_or(GiveUp);
        }
        if !self.text[self.at..].starts_with(&['\\', 'u']) {
            return if self.at + 2 > self.text.len() { Ok(None) } else { Err(GiveUp) };
        }
        self.at += 2;
        let Some(second) = self.four_digits()? else { return Ok(None) };
        let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400).ok_or(GiveUp)?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + low).map(Some).ok_or(GiveUp)
    }

    fn four_digits(&mut self) -> Parsed<Option<u32>> {
        let Some(digits) = self.text.get(self.at..self.at + 4) else {
            self.at = self.text.len();
            return Ok(None);
        };
        let digits: String = digits.iter().collect();
        self.at += 4;
        u32::from_str_radix(&digits, 16).map(Some).map_err(|_| GiveUp)
    }

    /// Whether a colon follows in a list: this is the name of a property, and the end of the list was missed.
    fn names_in_list(&self) -> bool {
        let next = self.text.get(self.over_space(self.at));
        self.frames.last().is_some_and(|frame| frame.list) && next == Some(&':')
    }

    /// Whether the quotation mark before the present place ends a string, judged by what follows: the next name, the
    /// next item, a bracket. Anything else is a word, and the mark belongs to the text.
    fn ends_here(&self) -> bool {
        let list = self.frames.last().is_some_and(|frame| frame.list);
        let next = self.over_space(self.at);
        let broken = self.text[self.at..next].contains(&'\n');
        match self.text.get(next) {
            None | Some('}' | ']') => true,
            Some(',') => {
                let then = self.over_space(next + 1);
                match self.text.get(then) {
                    None => true,
                    Some(',') => true,
                    Some('}') => !list,
                    Some(']') => list,
                    Some('/') => matches!(self.text.get(then + 1), Some('/' | '*')),
                    Some('#') => true,
                    Some(_) if list => self.begins_item(then),
                    Some(_) => self.begins_name(then, false),
                }
            }
            Some('/') => matches!(self.text.get(next + 1), Some('/' | '*')),
            Some('`') => self.text[next..].starts_with(&['`', '`', '`']),
            Some('#') => broken,
            // No comma: only where the next name, or the next line, leaves no doubt.
            Some(_) if list => broken && self.begins_item(next),
            Some(_) => self.begins_name(next, true),
        }
    }

    fn over_space(&self, from: usize) -> usize {
        let space = |character: &&char| character.is_whitespace();
        from + self.text[from.min(self.text.len())..].iter().take_while(space).count()
    }

    /// Whether an item of a list begins here.
    fn begins_item(&self, at: usize) -> bool {
        let rest = &self.text[at..];
        let word: String = rest.iter().take_while(|character| character.is_alphabetic()).collect();
        match rest.first() {
            Some('{' | '[' | '-') => true,
            Some(character) if character.is_ascii_digit() || Ending::of(*character).is_some() => true,
            _ => ["true", "false", "null", "None", "True", "False"].contains(&word.as_str()),
        }
    }

    /// Whether a name with its colon begins here; `known`: and is one that the schema has at this place.
    fn begins_name(&self, at: usize, known: bool) -> bool {
        let ending = self.text.get(at).copied().and_then(Ending::of);
        let start = at + usize::from(ending.is_some());
        let part =
            |character: &&char| character.is_alphanumeric() || **character == '_' || **character == '-';
        let name: String = self.text[start.min(self.text.len())..].iter().take_while(part).collect();
        let mut end = start + name.chars().count();
        match (ending, self.text.get(end)) {
            (Some(ending), Some(character)) if ending.closes(*character) => end += 1,
            (Some(_), None) => return !known,
            // One of its two marks is missing. Not without a comma before it: then it is the end of this string.
            (Some(_), Some(':')) | (None, Some('"')) if !known && self.is_known(&name) => {
                end += usize::from(ending.is_none());
            }
            (Some(_), _) => return false,
            (None, _) => {}
        }
        if name.is_empty() || self.text.get(self.over_space(end)).is_none_or(|colon| *colon != ':') {
            return false;
        }
        // Without its marks, or without a comma before it, a word and a colon may as well be the document's own text.
        self.is_known(&name) || (!known && ending.is_some())
    }

    pub(super) fn is_known(&self, name: &str) -> bool {
        self.frames.last().is_some_and(|frame| !schema::property(frame.schema, name).is_null())
    }

    /// Whether a string holds what looks like a property of the object around it.
    fn swallowed(&self, text: &str) -> bool {
        let Some(names) = self.frames.last().and_then(|frame| schema::properties(frame.schema)) else {
            return false;
        };
        names.keys().any(|name| {
            ['"', '\''].iter().any(|mark| {
                text.match_indices(&format!("{mark}{name}{mark}"))
                    .any(|(at, found)| text[at + found.len()..].trim_start().starts_with(':'))
            })
        })
    }
}
