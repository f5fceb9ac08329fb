//! The text as it is matched: what layout and typography do inside a value is undone, and every offset still
//! leads back to the bytes of the text.

use std::borrow::Cow;
use std::ops::Range;

/// A text to match on, and its way back.
pub(crate) struct View<'t> {
    text: Cow<'t, str>,
    /// Where view and text begin to differ by another number of bytes: position in the view, in the text.
    /// A character stands at most for one of the view, so nothing in between needs an entry.
    steps: Vec<(usize, usize)>,
}

/// What becomes of a character.
enum Form {
    Kept,
    Gone,
    As(char),
}

impl<'t> View<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let Some(first) = next_change(text, 0) else {
            return Self { text: Cow::Borrowed(text), steps: Vec::new() };
        };
        let mut view = String::with_capacity(text.len());
        view.push_str(&text[..first]);
        let mut steps = vec![(view.len(), first)];
        let mut at = first;
        while let Some(c) = text[at..].chars().next() {
            let next = at + c.len_utf8();
            match form(c) {
                Form::Kept => view.push(c),
                Form::As(other) => {
                    view.push(other);
                    if other.len_utf8() != c.len_utf8() {
                        steps.push((view.len(), next));
                    }
                }
                Form::Gone => match steps.last_mut() {
                    Some(step) if step.0 == view.len() => step.1 = next,
                    _ => steps.push((view.len(), next)),
                },
            }
            // Plain stretches are most of any text.
            let plain = next_change(text, next).unwrap_or(text.len());
            view.push_str(&text[next..plain]);
            at = plain;
        }
        Self { text: Cow::Owned(view), steps }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of the text that a range of the view stands for. Whole characters, always; what was left out
    /// right behind the range is part of it.
    pub(crate) fn original(&self, range: &Range<usize>) -> Range<usize> {
        self.back(range.start)..self.back(range.end)
    }

    fn back(&self, position: usize) -> usize {
        let passed = self.steps.partition_point(|(view, _)| *view <= position);
        match passed.checked_sub(1).map(|i| self.steps[i]) {
            Some((view, text)) => text + (position - view),
            None => position,
        }
    }
}

/// The next byte that begins a character which may change. Sixteen bytes at a time: most texts have few.
fn next_change(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    for chunk in text.as_bytes()[from..].chunks(16) {
        if chunk.iter().fold(false, |any, b| any | may_change(*b)) {
            return chunk.iter().position(|b| may_change(*b)).map(|n| at + n);
        }
        at += chunk.len();
    }
    None
}

/// Whether a byte begins a character that [`form`] may change. Letters with accents are not among them.
fn may_change(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\r' | 0xC2 | 0xD9 | 0xDB | 0xE0 | 0xE2 | 0xE3 | 0xEF)
}

fn form(c: char) -> Form {
    let digit = |zero: u32| Form::As(char::from(b'0' + u8::try_from(c as u32 - zero).unwrap_or(0)));
    match c {
        '\t' | '\r' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            Form::As(' ')
        }
        '\u{2028}' | '\u{2029}' => Form::As('\n'),
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => Form::Gone,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' => Form::As('-'),
        // Full-width forms, but for the brackets and the underscore of placeholders.
        '\u{ff3b}' | '\u{ff3d}' | '\u{ff3f}' => Form::Kept,
        '\u{ff01}'..='\u{ff5e}' => Form::As(char::from_u32(c as u32 - 0xfee0).unwrap_or(c)),
        '\u{660}'..='\u{669}' => digit(0x660),
        '\u{6f0}'..='\u{6f9}' => digit(0x6f0),
        '\u{966}'..='\u{96f}' => digit(0x966),
        '\u{9e6}'..='\u{9ef}' => digit(0x9e6),
        _ => Form::Kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_leads_back() {
        let text = "é\tDE\u{ad}89\u{a0}3704\u{2011}00 \u{ff11}\u{661}\u{200b}!";
        let view = View::of(text);
        assert_eq!(view.text(), "é DE89 3704-00 11!");
        let at = |part: &str| {
            let start = view.text().find(part).expect("it is there");
            &text[view.original(&(start..start + part.len()))]
        };
        assert_eq!(at("DE89 3704-00"), "DE\u{ad}89\u{a0}3704\u{2011}00");
        assert_eq!(at("11"), "\u{ff11}\u{661}\u{200b}");
        assert_eq!(at("!"), "!");
        assert_eq!(at("é"), "é");
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(View::of("Größe: 12\n").text, Cow::Borrowed(_)));
        assert!(matches!(View::of("plain 12\n").text, Cow::Borrowed(_)));
    }
}
