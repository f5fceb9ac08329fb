//! One list of what is to be done away with, out of what our own engine and a plug-in found.
//!
//! Whoever is right about the kind, a letter that one of them wants hidden and that nobody allows is hidden: where two
//! overlap, the better one gets its place and what sticks out of the other one stays hidden by itself.

use std::collections::BTreeMap;
use std::ops::Range;

/// Something to be done away with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The kind as in the placeholder.
    pub kind: &'static str,
    /// Bytes of the text; whole characters.
    pub range: Range<usize>,
}

/// Of what overlaps in a plug-in's answer, the longest; in order.
pub(super) fn longest(text: &str, mut named: Vec<Found>) -> Vec<Found> {
    named.sort_by_key(|found| (std::cmp::Reverse(found.range.len()), found.range.start, found.kind));
    over(text, named)
}

/// Puts claims where nobody was before them; in order.
pub(super) fn over(text: &str, claims: impl IntoIterator<Item = Found>) -> Vec<Found> {
    let mut taken: BTreeMap<usize, Found> = BTreeMap::new();
    for claim in claims {
        for range in free(&taken, &claim.range) {
            let whole = range == claim.range;
            let range = if whole { range } else { trimmed(text, range) };
            if !range.is_empty() {
                taken.insert(range.start, Found { kind: claim.kind, range });
            }
        }
    }
    taken.into_values().collect()
}

/// The parts of a range that are nobody's.
fn free(taken: &BTreeMap<usize, Found>, range: &Range<usize>) -> Vec<Range<usize>> {
    let before = taken.range(..range.start).next_back();
    let mut at = before.map_or(range.start, |(_, found)| found.range.end.max(range.start));
    let mut free = Vec::new();
    for (_, found) in taken.range(range.clone()) {
        if at < found.range.start {
            free.push(at..found.range.start);
        }
        at = found.range.end;
    }
    if at < range.end {
        free.push(at..range.end);
    }
    free
}

/// A range without what is no letter and no digit at its ends.
pub(super) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let Some(first) = part.find(char::is_alphanumeric) else { return range.start..range.start };
    let last = part.trim_end_matches(|c: char| !c.is_alphanumeric()).len();
    range.start + first..range.start + last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &'static str, range: Range<usize>) -> Found {
        Found { kind, range }
    }

    #[test]
    fn what_sticks_out_stays_hidden() {
        let text = "Jane Roe <jane@roe.org>, Berlin";
        let (mail, person) = (of("EMAIL", 10..22), of("PERSON", 0..14));
        assert_eq!(over(text, [mail.clone(), person]), [of("PERSON", 0..8), mail.clone()]);
        let both_sides = over(text, [mail.clone(), of("PERSON", 0..31)]);
        assert_eq!(both_sides, [of("PERSON", 0..8), mail.clone(), of("PERSON", 25..31)]);
        assert_eq!(over(text, [mail.clone(), of("URL", 15..22)]), [mail]);
    }

    #[test]
    fn the_longest_of_an_answer() {
        let text = "Jane Roe Holdings Ltd of Bath";
        let named = vec![of("PERSON", 0..8), of("ORGANIZATION", 0..21), of("LOCATION", 25..29)];
        assert_eq!(longest(text, named), [of("ORGANIZATION", 0..21), of("LOCATION", 25..29)]);
    }
}
