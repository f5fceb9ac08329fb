//! Text as it is compared: without what a copy may change by accident, and with the way back to the original.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;

/// Folded text, and for each of its bytes the character of the original that it comes from.
#[derive(Debug, Default)]
pub struct Folded {
    /// Lower case, NFKC, one space for any white space, plain quotation marks and dashes.
    pub text: String,
    /// As long as `text`.
    pub origin: Vec<u32>,
}

/// A hyphen at the end of a line, perhaps: what follows decides.
#[derive(Clone, Copy, PartialEq)]
enum Hyphen {
    No,
    /// Shown only where a line ends.
    Soft,
    Hard(u32),
}

impl Folded {
    /// Folds a text on its own.
    pub fn of(text: &str) -> Folded {
        let mut folded = Folded::default();
        folded.add(text);
        folded
    }

    /// Folds another text behind what is there.
    pub fn add(&mut self, text: &str) {
        let mut state = State { start: self.text.len(), space: None, hyphen: Hyphen::No };
        let mut characters = text.chars().enumerate().peekable();
        let mut cluster = String::new();
        while let Some((index, character)) = characters.next() {
            let index = index as u32;
            let marked = characters.peek().is_some_and(|(_, next)| is_mark(*next));
            if character.is_ascii() && !marked {
                self.push(character, index, &mut state);
                continue;
            }
            // A letter and its accents are folded together, so that both ways to write "é" are one.
            cluster.clear();
            cluster.push(character);
            while let Some((_, mark)) = characters.next_if(|(_, next)| is_mark(*next)) {
                cluster.push(mark);
            }
            for folded in cluster.nfkc() {
                self.push(folded, index, &mut state);
            }
        }
        if let Hyphen::Hard(at) = state.hyphen {
            self.put('-', at);
        }
    }

    fn push(&mut self, character: char, index: u32, state: &mut State) {
        match character {
            '\u{ad}' => {
                if state.hyphen == Hyphen::No {
                    state.hyphen = Hyphen::Soft;
                }
            }
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {}
            _ if character.is_whitespace() => {
                state.space.get_or_insert(index);
            }
            '-' | '‐' if state.space.is_none() && self.ends_in_letter(state.start) => {
                self.settle(state, false);
                state.hyphen = Hyphen::Hard(index);
            }
            _ => {
                // "con-\ntract" is "contract", and so that it does not matter where a line ended, "long-term" is
                // "longterm".
                let joins = character.is_alphabetic() && (state.space.is_none() || character.is_lowercase());
                self.settle(state, joins);
                match character {
                    '“' | '”' | '„' | '«' | '»' | '″' => self.put('"', index),
                    '‘' | '’' | '‚' | '′' | '`' | '´' => self.put('\'', index),
                    '–' | '—' | '‑' | '−' | '‐' => self.put('-', index),
                    'ß' => {
                        self.put('s', index);
                        self.put('s', index);
                    }
                    _ if character.is_ascii() => self.put(character.to_ascii_lowercase(), index),
                    _ => {
                        for lower in character.to_lowercase() {
                            self.put(lower, index);
                        }
                    }
                }
            }
        }
    }

    /// Writes the hyphen and the space that were held back, or drops them if they only broke a word.
    fn settle(&mut self, state: &mut State, joins: bool) {
        let hyphen = std::mem::replace(&mut state.hyphen, Hyphen::No);
        let space = state.space.take();
        if joins && hyphen != Hyphen::No {
            return;
        }
        if let Hyphen::Hard(at) = hyphen {
            self.put('-', at);
        }
        if let Some(at) = space.filter(|_| self.text.len() > state.start) {
            self.put(' ', at);
        }
    }

    /// Writes a character.
    pub fn put(&mut self, character: char, index: u32) {
        self.text.push(character);
        self.origin.resize(self.text.len(), index);
    }

    fn ends_in_letter(&self, start: usize) -> bool {
        self.text[start..].chars().next_back().is_some_and(char::is_alphabetic)
    }
}

struct State {
    start: usize,
    space: Option<u32>,
    hyphen: Hyphen,
}

fn is_mark(character: char) -> bool {
    !character.is_ascii() && canonical_combining_class(character) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_copy_changes_by_accident_is_folded_away() {
        for (text, folded) in [
            ("  The\n  Fee ", "the fee"),
            ("“Fee” – ‘x’", "\"fee\" - 'x'"),
            ("con-\ntract", "contract"),
            ("con\u{ad}tract con\u{ad}\ntract", "contract contract"),
            ("long-term", "longterm"),
            ("pre- and post", "preand post"),
            ("Term - Notice", "term - notice"),
            ("2024-2025", "2024-2025"),
            ("Smith- Jones", "smith- jones"),
            ("e\u{301}l ﬁn", "él fin"),
            ("a\u{a0}b\u{200b}c", "a bc"),
            ("Straße-", "strasse-"),
        ] {
            let made = Folded::of(text);
            assert_eq!(made.text, folded);
            assert_eq!(made.text.len(), made.origin.len());
        }
    }

    #[test]
    fn every_byte_leads_back() {
        let text = "Él “pagará”  con-\ntra 5.000 €";
        let folded = Folded::of(text);
        let at = folded.text.find("5.000").unwrap();
        let origin = folded.origin[at] as usize;
        assert_eq!(text.chars().skip(origin).take(5).collect::<String>(), "5.000");
    }
}
