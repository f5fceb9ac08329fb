//! The sentence around a few words: what a reader needs to see.

use std::ops::Range;

/// The longest quote, in words, unless the anchor itself is longer.
pub const LONGEST: usize = 60;

/// Words with a point that ends no sentence.
const ABBREVIATIONS: &[&str] = &[
    "no", "nos", "inc", "ltd", "co", "corp", "sec", "art", "arts", "mr", "mrs", "ms", "dr", "vs", "e.g",
    "i.e", "cf", "para", "cl", "fig", "st", "núm", "nº", "sr", "sra", "d", "dª", "dña", "pág", "apdo", "s.l",
    "s.a", "s.l.u", "c", "etc", "approx", "avda",
];

/// Widens a stretch of characters to the sentences that it touches, and cuts those to [`LONGEST`] words around it.
pub fn around(text: &[char], span: Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (0, text.len());
    for at in 0..text.len() {
        if ends_sentence(text, at) {
            let next = (at + 1..text.len()).find(|at| text[*at].is_whitespace()).unwrap_or(text.len());
            if next <= span.start {
                start = next;
            } else if next >= span.end {
                end = next;
                break;
            }
        }
    }
    cut(text, start..end, span)
}

/// The beginning of a text, cut to [`LONGEST`] words.
pub fn beginning(text: &[char]) -> Range<usize> {
    cut(text, 0..text.len(), 0..0)
}

fn ends_sentence(text: &[char], at: usize) -> bool {
    if !matches!(text[at], '.' | '?' | '!') {
        return false;
    }
    let mut next = at + 1;
    while text.get(next).is_some_and(|character| "\"'”’»)]".contains(*character)) {
        next += 1;
    }
    if text.get(next).is_none_or(|space| !space.is_whitespace()) {
        return false;
    }
    let begins = text[next..].iter().find(|character| !character.is_whitespace());
    if !begins
        .is_some_and(|first| first.is_uppercase() || first.is_ascii_digit() || "\"“«‘([¿¡".contains(*first))
    {
        return false;
    }
    let head: Vec<char> = text[..at]
        .iter()
        .rev()
        .take_while(|character| !character.is_whitespace())
        .take(12)
        .copied()
        .collect();
    let word: String = head.iter().rev().flat_map(|character| character.to_lowercase()).collect();
    let word = word.trim_start_matches(|first: char| !first.is_alphanumeric());
    if text[at] != '.' {
        return true;
    }
    // "4. Fees" is a heading where a sentence begins; "EUR 5." ends one.
    let numbered =
        !word.is_empty() && word.chars().all(|character| character.is_ascii_digit() || character == '.');
    let before = text[..at - head.len()].iter().rev().find(|character| !character.is_whitespace());
    let heading = numbered && before.is_none_or(|before| ".;:".contains(*before));
    !(ABBREVIATIONS.contains(&word)
        || heading
        || word.chars().all(char::is_alphabetic) && word.chars().count() == 1)
}

fn cut(text: &[char], whole: Range<usize>, keep: Range<usize>) -> Range<usize> {
    let words = words(text, &whole);
    if words.len() <= LONGEST {
        return trim(text, whole);
    }
    let first = words.iter().position(|word| word.end > keep.start).unwrap_or(0);
    let last = words.iter().rposition(|word| word.start < keep.end).unwrap_or(first).max(first);
    let spare = LONGEST.saturating_sub(last + 1 - first);
    // An anchor is where the proof begins: most of what is kept follows it.
    let before = (spare / 4).max((spare + last + 1).saturating_sub(words.len())).min(first);
    let from = first - before;
    let to = (last + spare - before).min(words.len() - 1);
    trim(text, words[from].start..words[to].end)
}

fn words(text: &[char], within: &Range<usize>) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let mut start = None;
    for at in within.clone() {
        match (text[at].is_whitespace(), start) {
            (false, None) => start = Some(at),
            (true, Some(begun)) => {
                all.push(begun..at);
                start = None;
            }
            _ => {}
        }
    }
    all.extend(start.map(|begun| begun..within.end));
    all
}

fn trim(text: &[char], mut range: Range<usize>) -> Range<usize> {
    while range.start < range.end && text[range.start].is_whitespace() {
        range.start += 1;
    }
    while range.end > range.start && text[range.end - 1].is_whitespace() {
        range.end -= 1;
    }
    range
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(text: &str, anchor: &str) -> String {
        let characters: Vec<char> = text.chars().collect();
        let start = text[..text.find(anchor).unwrap()].chars().count();
        characters[around(&characters, start..start + anchor.chars().count())].iter().collect()
    }

    #[test]
    fn the_sentences_that_hold_the_words_are_the_quote() {
        let text = "4. Fees. The Client, Acme Inc. of London, pays EUR 5. No. 7 applies. It is “final.” Then it ends.";
        assert_eq!(quote(text, "pays"), "The Client, Acme Inc. of London, pays EUR 5.");
        assert_eq!(
            quote(text, "EUR 5. No. 7"),
            "The Client, Acme Inc. of London, pays EUR 5. No. 7 applies."
        );
        assert_eq!(quote(text, "final"), "It is “final.”");
        assert_eq!(quote(text, "Then"), "Then it ends.");
        assert_eq!(quote("Sr. D. Juan paga. ¿Cuándo? Hoy.", "Juan"), "Sr. D. Juan paga.");
    }

    #[test]
    fn a_long_sentence_is_cut_around_the_words() {
        let text = (0..200).map(|index| format!("w{index}")).collect::<Vec<_>>().join(" ");
        for anchor in ["w0 ", "w100 w101", "w199"] {
            let quote = quote(&text, anchor);
            assert_eq!(quote.split(' ').count(), LONGEST, "{anchor}");
            assert!(quote.contains(anchor.trim()), "{anchor}");
        }
        let all: Vec<char> = text.chars().collect();
        assert_eq!(beginning(&all).start, 0);
    }
}
