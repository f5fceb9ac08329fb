//! Mistakes in a profile: what is wrong, in which file and in which line.

use std::collections::BTreeMap;
use std::fmt;

/// One mistake in a profile, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The file in the folder of the profile.
    pub file: String,
    /// The line, from 1, where there is one.
    pub line: Option<usize>,
    /// What is wrong and what would be right.
    pub text: String,
}

/// All mistakes of one profile, by file and line.
#[derive(Debug)]
pub struct Mistakes(pub Vec<Mistake>);

impl Mistake {
    pub(crate) fn new(file: &str, line: impl Into<Option<usize>>, text: impl Into<String>) -> Mistake {
        Mistake { file: file.to_owned(), line: line.into(), text: text.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(out, "{}:{line}: {}", self.file, self.text),
            None => write!(out, "{}: {}", self.file, self.text),
        }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, mistake) in self.0.iter().enumerate() {
            if number > 0 {
                out.write_str("\n")?;
            }
            mistake.fmt(out)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// The line in which a byte of a text stands, from 1.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// Where the keys and items of a JSON text stand.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    /// The line of each, by JSON pointer.
    lines: BTreeMap<String, usize>,
    /// Keys that an object has twice, with the line of the second one. JSON readers take the last and say nothing.
    pub(crate) twice: Vec<(String, usize)>,
}

impl Positions {
    /// Of a text that is JSON.
    pub(crate) fn of(text: &str) -> Positions {
        let mut scanner = Scanner { bytes: text.as_bytes(), at: 0, line: 1, found: Positions::default() };
        scanner.found.lines.insert(String::new(), 1);
        scanner.value("");
        scanner.found
    }

    /// The line of what a pointer points to, or of the nearest thing around it.
    pub(crate) fn line(&self, pointer: &str) -> Option<usize> {
        let mut pointer = pointer;
        loop {
            if let Some(line) = self.lines.get(pointer) {
                return Some(*line);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
    found: Positions,
}

impl Scanner<'_> {
    fn peek(&mut self) -> u8 {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' | b',' | b':' => {}
                other => return *other,
            }
            self.at += 1;
        }
        // As at the end of whatever is open.
        b']'
    }

    fn value(&mut self, pointer: &str) {
        match self.peek() {
            b'{' => {
                self.at += 1;
                while self.peek() == b'"' {
                    let line = self.line;
                    let key = self.string();
                    let inner = format!("{pointer}/{}", escaped(&key));
                    if self.found.lines.insert(inner.clone(), line).is_some() {
                        self.found.twice.push((key, line));
                    }
                    self.value(&inner);
                }
                self.at += 1;
            }
            b'[' => {
                self.at += 1;
                let mut number = 0;
                while self.peek() != b']' {
                    let inner = format!("{pointer}/{number}");
                    self.found.lines.insert(inner.clone(), self.line);
                    self.value(&inner);
                    number += 1;
                }
                self.at += 1;
            }
            b'"' => {
                self.string();
            }
            _ => {
                while self.bytes.get(self.at).is_some_and(|byte| !b" \t\r\n,:]}".contains(byte)) {
                    self.at += 1;
                }
            }
        }
    }

    fn string(&mut self) -> String {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.bytes.get(self.at) {
            self.at += if *byte == b'\\' { 2 } else { 1 };
            if *byte == b'"' {
                break;
            }
        }
        let raw = self.bytes.get(start..self.at).unwrap_or_default();
        serde_json::from_slice(raw).unwrap_or_default()
    }
}

/// A name as one step of a JSON pointer.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_json_text_has_a_line() {
        let text = "{\n \"a\": {\"b/c\": [1,\n\"x\\\"y\", {\n\"d\": null}]},\n \"a\": -1.5e3 }";
        let found = Positions::of(text);
        for (pointer, line) in [
            ("", 1),
            ("/a/b~1c", 2),
            ("/a/b~1c/0", 2),
            ("/a/b~1c/1", 3),
            ("/a/b~1c/2/d", 4),
            ("/a", 5),
            ("/a/none", 5),
        ] {
            assert_eq!(found.line(pointer), Some(line), "{pointer}");
        }
        assert_eq!(found.twice, [("a".to_owned(), 5)]);
    }
}
