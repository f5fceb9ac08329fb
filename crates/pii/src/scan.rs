//! Finding values: one pass over the text for what may begin one, then the best of what overlaps.
//!
//! Linear in the length of the text. Nothing is looked for at a place that has no trigger (a digit, an `@`, a
//! few words), and what is tried there looks at a bounded piece of text, or at one that no other trigger looks
//! at again.

use crate::context::{Context, Window};
use crate::kinds::{KINDS, LITERAL};
use crate::placeholder::placeholders;
use crate::shapes::Shapes;
use crate::triggers;
use crate::view::View;
use regex_automata::PatternSet;
use std::collections::BTreeMap;
use std::ops::Range;

/// The score from which a value is masked.
pub const THRESHOLD: u8 = 50;
const LABEL_BONUS: u8 = 30;
const NEGATIVE_MALUS: u8 = 40;
const OTHER_LABEL_MALUS: u8 = 20;
/// Score of a value whose check failed (or that has none) straight after its label: below every valid one.
const LABELLED: u8 = 65;
/// Placeholders that are in the source already give way to nothing.
const CERTAIN: u8 = 255;
/// How often what is left between found values is searched again.
const MAX_DEPTH: usize = 16;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The score from which a value counts.
    pub threshold: u8,
    /// Whether names of people are looked for: best effort, see [`PERSON`](crate::kind).
    pub names: bool,
    /// Kinds that are not looked for, as bits by place in [`KINDS`].
    skipped: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { threshold: THRESHOLD, names: false, skipped: 0 }
    }
}

impl Options {
    /// Looks for names too.
    #[must_use]
    pub fn with_names(mut self) -> Self {
        self.names = true;
        self
    }

    /// Does not look for a kind. What would have been part of such a value is found on its own: with `URL`
    /// left out, the e-mail address in one is. Names that are in no table are ignored.
    #[must_use]
    pub fn without(mut self, kind: &str) -> Self {
        if let Some(index) = KINDS.iter().position(|known| known.name == kind) {
            self.skipped |= 1 << index;
        }
        self
    }

    pub(crate) fn wants(&self, index: usize) -> bool {
        self.skipped & 1 << index == 0
    }
}

/// Why something was taken for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Why {
    /// Its shape, and its check where the kind has one.
    Shape,
    /// Shape and check, and a label before it.
    Labelled,
    /// A label before it: the value fails its check, or the kind has none.
    LabelOnly,
    /// What is said around it: a title, a phrase, a line of an address.
    Phrase,
    /// A list has it.
    List,
    /// It looks like one of our placeholders.
    Placeholder,
}

/// A value found in a text. Where it is and what it is, not the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The kind as in the placeholder: a name of [`KINDS`], or [`LITERAL`].
    pub kind: &'static str,
    /// Bytes of the text; whole characters.
    pub range: Range<usize>,
    /// How sure we are, from the threshold to about 100; 255 for placeholders.
    pub score: u8,
    /// What made it one.
    pub why: Why,
}

/// A span of the view, before it is known to be the best one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Place in [`KINDS`].
    pub(crate) kind: usize,
    pub(crate) range: Range<usize>,
    pub(crate) score: u8,
    pub(crate) why: Why,
}

/// What finders share: options, and memory that is used again.
pub(crate) struct Finder<'o> {
    pub(crate) options: &'o Options,
    pub(crate) window: Window,
    pub(crate) shapes: &'static Shapes,
    pub(crate) found: Vec<Candidate>,
    pub(crate) set: Option<PatternSet>,
}

impl Finder<'_> {
    pub(crate) fn push(&mut self, candidate: Candidate) {
        if candidate.score >= self.options.threshold && self.options.wants(candidate.kind) {
            self.found.push(candidate);
        }
    }

    /// Scores a checked value by the window, which must have been read for it.
    pub(crate) fn judge(&mut self, kind: usize, alone: u8, range: Range<usize>) {
        let (score, why) = match self.window.judge(kind, KINDS[kind]) {
            Context::Silent => (alone, Why::Shape),
            Context::Label => (alone + LABEL_BONUS, Why::Labelled),
            Context::OtherLabel => (alone.saturating_sub(OTHER_LABEL_MALUS), Why::Shape),
            Context::Negative => (alone.saturating_sub(NEGATIVE_MALUS), Why::Shape),
        };
        self.push(Candidate { kind, range, score, why });
    }

    pub(crate) fn labelled(&mut self, kind: usize, range: Range<usize>) {
        self.push(Candidate { kind, range, score: LABELLED, why: Why::LabelOnly });
    }
}

/// Finds all values, in order and without overlaps, placeholder look-alikes ([`LITERAL`]) included.
///
/// What is found in a text does not change when values found in it are replaced by placeholders: a placeholder
/// ends what is looked at on either side of it.
#[must_use]
pub fn scan(text: &str, options: &Options) -> Vec<Span> {
    let view = View::of(text);
    let matched = view.text();
    let mut finder =
        Finder { options, window: Window::default(), shapes: Shapes::all(), found: Vec::new(), set: None };
    let mut spans = Vec::new();
    let mut at = 0;
    for token in placeholders(matched) {
        segment(matched, at..token.start, &mut finder, &mut spans);
        at = token.end;
        let range = view.original(&token);
        spans.push(Span { kind: LITERAL, range, score: CERTAIN, why: Why::Placeholder });
    }
    segment(matched, at..matched.len(), &mut finder, &mut spans);
    for span in spans.iter_mut().filter(|span| span.kind != LITERAL) {
        span.range = view.original(&span.range);
    }
    spans.sort_unstable_by_key(|span| span.range.start);
    spans
}

/// Finds the values of a piece, and then those between them: a value that another one took letters or context
/// from may now be one, and what a second redaction would find has to be found by the first.
fn segment(view: &str, piece: Range<usize>, finder: &mut Finder<'_>, spans: &mut Vec<Span>) {
    let mut open = vec![piece];
    for _ in 0..MAX_DEPTH {
        let mut next = Vec::new();
        for piece in open {
            finder.found.clear();
            triggers::scan(&view[piece.clone()], finder);
            let kept = resolve(&mut finder.found);
            if kept.is_empty() {
                continue;
            }
            let mut at = piece.start;
            for candidate in kept {
                let range = piece.start + candidate.range.start..piece.start + candidate.range.end;
                next.push(at..range.start);
                at = range.end;
                spans.push(Span {
                    kind: KINDS[candidate.kind].name,
                    range,
                    score: candidate.score,
                    why: candidate.why,
                });
            }
            next.push(at..piece.end);
        }
        open = next;
        if open.is_empty() {
            break;
        }
    }
}

/// Keeps the best of what overlaps: score, then length, then the earlier, then the order of the table.
fn resolve(candidates: &mut Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_unstable_by_key(|f| {
        (std::cmp::Reverse(f.score), std::cmp::Reverse(f.range.len()), f.range.start, f.kind)
    });
    let mut kept: BTreeMap<usize, Candidate> = BTreeMap::new();
    for candidate in candidates.drain(..) {
        // Those kept do not overlap, so only the last one that starts before the candidate's end can.
        let neighbour = kept.range(..candidate.range.end).next_back();
        if neighbour.is_none_or(|(_, other)| other.range.end <= candidate.range.start) {
            kept.insert(candidate.range.start, candidate);
        }
    }
    kept.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_of_two_wins() {
        let spans = |list: &[(usize, usize, u8)]| -> Vec<Candidate> {
            list.iter()
                .map(|&(a, b, score)| Candidate { kind: 0, range: a..b, score, why: Why::Shape })
                .collect()
        };
        let kept = resolve(&mut spans(&[(0, 10, 60), (5, 8, 90), (8, 12, 60), (20, 22, 60)]));
        assert_eq!(kept.iter().map(|f| f.range.clone()).collect::<Vec<_>>(), [5..8, 8..12, 20..22]);
    }

    #[test]
    fn what_is_left_out_is_not_found() {
        let text = "see https://a.example/jane@example.com";
        let kinds = |options: &Options| scan(text, options).iter().map(|s| s.kind).collect::<Vec<_>>();
        assert_eq!(kinds(&Options::default()), ["URL"]);
        assert_eq!(kinds(&Options::default().without("URL")), ["EMAIL"]);
    }
}
