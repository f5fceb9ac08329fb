//! Span values: every detector over the text, then the best of what overlaps.
//!
//! Linear in the length of the text: a shape that fails its check is tried again one character on, which
//! costs at most the length of the shape, and the shapes are bounded. The one unbounded shape (e-mail) never
//! fails its check.

use crate::context::{self, Context, Phrases};
use crate::detectors::{DETECTORS, Detector, Needs};
use crate::kinds::LITERAL;
use regex::Regex;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

/// The score from which a value is masked.
pub const THRESHOLD: u8 = 50;
const LABEL_BONUS: u8 = 30;
const NEGATIVE_MALUS: u8 = 40;
/// Score of a value whose check failed (or that has none) straight after its label: below every valid one.
const LABELLED: u8 = 65;
/// Placeholders that are in the source already give way to nothing.
const CERTAIN: u8 = 255;
const MAX_ROUNDS: usize = 16;
/// Stands for a found value while the rest is searched. A fixed text: what is found next must not depend on
/// how many digits a placeholder has.
const MASK: &str = "[MASKED_0]";

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The score from which a value counts.
    pub threshold: u8,
}

impl Default for Options {
    fn default() -> Self {
        Self { threshold: THRESHOLD }
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
    /// It looks like one of our placeholders.
    Placeholder,
}

/// A value found in a text. Where it is and what it is, not the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The kind as in the placeholder: a name of [`KINDS`](crate::KINDS), or [`LITERAL`].
    pub kind: &'static str,
    /// Bytes of the text.
    pub range: Range<usize>,
    /// How sure we are, from the threshold to 100; 255 for placeholders.
    pub score: u8,
    /// What made it one.
    pub why: Why,
    /// Which entry of the table found it: earlier entries win ties.
    detector: usize,
}

struct Compiled {
    detector: &'static Detector,
    pattern: Option<Regex>,
    labelled: Option<Regex>,
    labels: Phrases,
    negatives: Phrases,
}

static TABLE: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let compile =
        |pattern: &str| Regex::new(pattern).expect("the patterns are constants, compiled by every test");
    DETECTORS
        .iter()
        .map(|detector| Compiled {
            detector,
            pattern: detector.pattern.map(compile),
            labelled: detector
                .labelled
                .map(|(shape, _)| compile(&context::labelled_pattern(detector.labels, shape))),
            labels: Phrases::new(detector.labels.iter().copied()),
            negatives: Phrases::new(detector.negatives.iter().copied().flatten().copied()),
        })
        .collect()
});

/// Finds all values, in order and without overlaps, placeholder look-alikes ([`LITERAL`]) included.
pub fn scan(text: &str, options: &Options) -> Vec<Span> {
    let mut found: BTreeMap<usize, Span> = context::placeholders(text)
        .map(|range| {
            let start = range.start;
            let why = Why::Placeholder;
            (start, Span { kind: LITERAL, range, score: CERTAIN, why, detector: usize::MAX })
        })
        .collect();
    // What a lost overlap left over may be a value of its own, and a masked neighbour changes the context:
    // go on until nothing is found, so that a second redaction has nothing to do. Texts end this in two or
    // three rounds; the limit is for those written to make it last.
    for _ in 0..MAX_ROUNDS {
        let fresh = if found.is_empty() {
            resolve(candidates(text, options))
        } else {
            scan_around(text, &found, options)
        };
        if fresh.is_empty() {
            break;
        }
        found.extend(fresh.into_iter().map(|finding| (finding.range.start, finding)));
    }
    found.into_values().collect()
}

/// Scans the text with the found values masked.
fn scan_around(text: &str, found: &BTreeMap<usize, Span>, options: &Options) -> Vec<Span> {
    let mut masked = String::with_capacity(text.len());
    // For each mask: where it ends in the masked text, and where that is in the original.
    let mut masks: Vec<(usize, usize)> = Vec::with_capacity(found.len());
    let mut at = 0;
    for finding in found.values() {
        masked.push_str(&text[at..finding.range.start]);
        masked.push_str(MASK);
        at = finding.range.end;
        masks.push((masked.len(), at));
    }
    masked.push_str(&text[at..]);

    let original = |position: usize| {
        let passed = masks.partition_point(|(end, _)| *end <= position);
        if passed == 0 { position } else { masks[passed - 1].1 + (position - masks[passed - 1].0) }
    };
    let overlaps_mask = |range: &Range<usize>| {
        let next = masks.partition_point(|(end, _)| *end <= range.start);
        masks.get(next).is_some_and(|(end, _)| end - MASK.len() < range.end)
    };
    let mut fresh = candidates(&masked, options);
    fresh.retain(|finding| !overlaps_mask(&finding.range));
    for finding in &mut fresh {
        // The end is that of the last character: a mask may begin right behind it.
        let length = finding.range.len();
        let start = original(finding.range.start);
        finding.range = start..start + length;
    }
    resolve(fresh)
}

/// All candidates at or above the threshold, overlaps included.
fn candidates(text: &str, options: &Options) -> Vec<Span> {
    let mut found = Vec::new();
    // Most paragraphs have none of it, and a search for a byte is a hundred times as fast as thirty patterns are.
    let digit = text.bytes().any(|byte| byte.is_ascii_digit() || !byte.is_ascii());
    let (at, colon) = (text.contains('@'), text.contains(':'));
    for (index, compiled) in TABLE.iter().enumerate() {
        let possible = match compiled.detector.needs {
            Needs::Digit => digit,
            Needs::At => at,
            Needs::Colon => colon,
        };
        if !possible {
            continue;
        }
        scan_pattern(text, index, compiled, options, &mut found);
        scan_labelled(text, index, compiled, &mut found);
    }
    found
}

fn scan_pattern(text: &str, index: usize, compiled: &Compiled, options: &Options, found: &mut Vec<Span>) {
    let Some(pattern) = &compiled.pattern else { return };
    let detector = compiled.detector;
    let mut at = 0;
    while let Some(shape) = pattern.find_at(text, at) {
        let value = (detector.check)(shape.as_str())
            .map(|length| shape.start()..shape.start() + length)
            .filter(|range| stands_alone(text, range, detector.glue));
        let Some(range) = value else {
            at = after_first_char(text, shape.start());
            continue;
        };
        at = range.end;
        let window = context::before(text, range.start);
        let (score, why) = match context::judge(&window, &compiled.labels, &compiled.negatives) {
            Context::Silent => (detector.alone, Why::Shape),
            Context::Label => (detector.alone + LABEL_BONUS, Why::Labelled),
            Context::Negative => (detector.alone.saturating_sub(NEGATIVE_MALUS), Why::Shape),
        };
        if score >= options.threshold {
            found.push(Span { kind: detector.kind, range, score, why, detector: index });
        }
    }
}

fn scan_labelled(text: &str, index: usize, compiled: &Compiled, found: &mut Vec<Span>) {
    let (Some(pattern), Some((_, check))) = (&compiled.labelled, compiled.detector.labelled) else { return };
    for captures in pattern.captures_iter(text) {
        let Some(shape) = captures.name("v") else { continue };
        let Some(length) = check(shape.as_str()) else { continue };
        let range = shape.start()..shape.start() + length;
        if stands_alone(text, &range, "") {
            found.push(Span {
                kind: compiled.detector.kind,
                range,
                score: LABELLED,
                why: Why::LabelOnly,
                detector: index,
            });
        }
    }
}

/// Whether nothing ties the value to a longer one: no letter or digit touching it, none beyond a glue character.
fn stands_alone(text: &str, range: &Range<usize>, glue: &str) -> bool {
    let tied = |mut outward: &mut dyn Iterator<Item = char>| match outward.next() {
        Some(c) if c.is_alphanumeric() => true,
        Some(c) if glue.contains(c) => (&mut outward).next().is_some_and(char::is_alphanumeric),
        _ => false,
    };
    !tied(&mut text[..range.start].chars().rev()) && !tied(&mut text[range.end..].chars())
}

fn after_first_char(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(1, char::len_utf8)
}

/// Keeps the best of what overlaps: score, then length, then the earlier, then the order of the table.
fn resolve(mut candidates: Vec<Span>) -> Vec<Span> {
    candidates.sort_by_key(|f| {
        (std::cmp::Reverse(f.score), std::cmp::Reverse(f.range.len()), f.range.start, f.detector)
    });
    let mut kept: BTreeMap<usize, Span> = BTreeMap::new();
    for candidate in candidates {
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
    fn the_table_is_well_formed() {
        for compiled in TABLE.iter() {
            let kind = compiled.detector.kind;
            assert!(!kind.is_empty() && kind.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'), "{kind}");
            assert!(compiled.detector.alone <= u8::MAX - LABEL_BONUS);
            assert!(compiled.pattern.is_some() || compiled.labelled.is_some(), "{kind} finds nothing");
            for label in compiled.detector.labels {
                // ASCII word boundaries stand around labels, so that is what they must begin and end with.
                let word = label.trim_matches(|c: char| !c.is_alphanumeric());
                assert!(word.starts_with(|c: char| c.is_ascii()), "{kind}: {label}");
                assert!(word.ends_with(|c: char| c.is_ascii()), "{kind}: {label}");
            }
        }
    }

    #[test]
    fn a_value_has_what_its_detector_needs() {
        // Everything that patterns are made of, but for what is taken out: then nothing of the kind matches.
        let labels = DETECTORS.iter().flat_map(|detector| detector.labels).copied().collect::<Vec<_>>();
        let shapes =
            ["+()-./_,;x ext.", "a@b.com", "dead::beef", "XXX-XX-XXXX", "X* Z-A", "née le mars", "ABCD"];
        for compiled in TABLE.iter() {
            let needed: &[char] = match compiled.detector.needs {
                Needs::Digit => &['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
                Needs::At => &['@'],
                Needs::Colon => &[':'],
            };
            for label in &labels {
                for shape in shapes {
                    let text =
                        format!("{label}: 078-05-1120 {label} {shape} DE89370400440532013000 5 March 1958");
                    let text = text.replace(needed, "");
                    for pattern in [&compiled.pattern, &compiled.labelled].into_iter().flatten() {
                        assert!(!pattern.is_match(&text), "{}: {text}", compiled.detector.kind);
                    }
                }
            }
        }
    }

    #[test]
    fn the_better_of_two_wins() {
        let spans = |list: &[(usize, usize, u8)]| -> Vec<Span> {
            list.iter()
                .map(|&(a, b, score)| Span { kind: "X", range: a..b, score, why: Why::Shape, detector: 0 })
                .collect()
        };
        let kept = resolve(spans(&[(0, 10, 60), (5, 8, 90), (8, 12, 60), (20, 22, 60)]));
        assert_eq!(kept.iter().map(|f| f.range.clone()).collect::<Vec<_>>(), [5..8, 8..12, 20..22]);
    }
}
