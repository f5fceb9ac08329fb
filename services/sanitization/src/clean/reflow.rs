//! Lines into paragraphs: what a line end meant is decided from the words on both sides of it.
//!
//! A hyphen at a line end is either typesetting (take it out) or a part of the word (keep it). The document
//! itself is the best dictionary: whichever form it uses elsewhere wins, the hyphenated one first. Nothing is
//! ever joined across a digit without its hyphen, for that would make another number of it.

use super::CleanCounts;
use super::text_line::{Mark, TextLine};
use std::collections::HashSet;

/// Languages that hyphenate at line ends, so that an unknown word may be put together.
#[rustfmt::skip]
const HYPHENATING: &[&str] = &[
    "en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "fi", "pl", "cs", "sk", "hu", "ro", "ca",
    "ru", "uk", "bg", "hr", "sr", "sl", "lt", "lv", "et", "el", "tr", "af", "be", "mk", "la",
];

/// Word parts after which a hyphen is nearly always written out.
const PREFIXES: &[&str] = &["self", "non", "ex", "all", "well", "half", "cross", "quasi", "semi", "anti"];

/// Words after a hanging hyphen: "pre- and post-closing", "Ein- und Ausfuhr".
const CONJUNCTIONS: &[&str] =
    &["and", "or", "und", "oder", "bzw", "et", "ou", "y", "o", "e", "en", "of", "och", "to"];

/// The words a document uses away from its broken line ends.
pub(super) struct Words {
    plain: HashSet<String>,
    hyphenated: HashSet<String>,
}

impl Words {
    /// Gathers the words of all lines, leaving out the two halves at each hyphenated line end. A document without
    /// such line ends asks for no word, and gets no dictionary.
    pub(super) fn of<'a>(blocks: impl Iterator<Item = &'a Vec<TextLine>> + Clone) -> Self {
        let mut words = Self { plain: HashSet::new(), hyphenated: HashSet::new() };
        if !blocks.clone().flatten().any(|line| line.text.ends_with('-')) {
            return words;
        }
        for lines in blocks {
            let mut after_break = false;
            for TextLine { text: line, .. } in lines {
                let is_broken = line.ends_with(['-', '\u{ad}']);
                let tokens = line.split(|c: char| !(c.is_alphabetic() || c == '-'));
                let tokens: Vec<&str> = tokens.filter(|t| !t.is_empty()).collect();
                let skip_first = usize::from(after_break);
                let end = tokens.len() - usize::from(is_broken && !tokens.is_empty());
                for token in tokens.iter().take(end).skip(skip_first) {
                    let token = token.trim_matches('-').to_lowercase();
                    if token.contains('-') {
                        words.hyphenated.insert(token);
                    } else if !token.is_empty() {
                        words.plain.insert(token);
                    }
                }
                after_break = is_broken;
            }
        }
        words
    }
}

/// What stands between two lines once they are one.
#[derive(Debug, PartialEq, Eq)]
enum Seam {
    /// The hyphen was typesetting: the word goes on.
    Word,
    /// Nothing in between, but what is there stays: a real hyphen, an address broken after its dot.
    Touch,
    /// A space: the ordinary line end.
    Space,
    /// A line break: an item of a list begins.
    Break,
}

/// Joins the lines of one block. Blank lines and list items keep a line break.
pub(super) fn join(
    lines: Vec<TextLine>,
    words: &Words,
    language: &str,
    counts: &mut CleanCounts,
) -> TextLine {
    let mut out = TextLine::default();
    out.text.reserve(lines.iter().map(|line| line.text.len() + 1).sum());
    let mut blank = false;
    let mut previous = String::new();
    for TextLine { text: line, marks } in lines {
        if line.is_empty() || line == "\u{ad}" {
            blank = true;
            continue;
        }
        if !out.text.is_empty() && blank {
            trim_soft_hyphen(&mut out.text);
            out.text.push('\n');
        } else if !out.text.is_empty() {
            match seam(&previous, &line, words, language) {
                Seam::Word => {
                    out.text.pop();
                    counts.joined_words += 1;
                }
                Seam::Touch => counts.kept_hyphens += u32::from(out.text.ends_with('-')),
                Seam::Space => out.text.push(' '),
                Seam::Break => out.text.push('\n'),
            }
        }
        let from = out.text.len();
        out.marks.extend(marks.into_iter().map(|mark| Mark { at: from + mark.at, ..mark }));
        out.text.push_str(&line);
        blank = false;
        previous = line;
    }
    out
}

/// Puts a word together that is broken over two blocks, which means over two pages: the first gets the rest of it.
pub(super) fn join_pages(
    left: &mut TextLine,
    right: &mut TextLine,
    words: &Words,
    language: &str,
    counts: &mut CleanCounts,
) {
    let last = left.text.rsplit('\n').next().unwrap_or_default();
    let first = right.text.split('\n').next().unwrap_or_default();
    if seam(last, first, words, language) != Seam::Word {
        return;
    }
    // What is stuck to the word goes with it: its full stop, a closing bracket.
    let end = right.text.find(char::is_whitespace).unwrap_or(right.text.len());
    left.text.pop();
    left.text.push_str(&right.text[..end]);
    let rest = right.text[end..].trim_start().to_owned();
    let gone = right.text.len() - rest.len();
    for mark in &mut right.marks {
        mark.at = mark.at.saturating_sub(gone);
    }
    right.text = rest;
    counts.joined_words += 1;
}

/// Takes out a soft hyphen that joined nothing.
pub(super) fn finish(block: &mut TextLine) {
    trim_soft_hyphen(&mut block.text);
    block.text.truncate(block.text.trim_end().len());
    let end = block.text.len();
    for mark in &mut block.marks {
        mark.at = mark.at.min(end);
    }
}

fn trim_soft_hyphen(out: &mut String) {
    while out.ends_with('\u{ad}') {
        out.pop();
    }
}

fn seam(left: &str, right: &str, words: &Words, language: &str) -> Seam {
    if left.ends_with('\u{ad}') {
        return Seam::Word;
    }
    let token = left.rsplit(char::is_whitespace).next().unwrap_or(left);
    if let Some(stem) = left.strip_suffix('-') {
        return hyphen_seam(stem, token, right, words, language);
    }
    if splits_address(token, right) {
        return Seam::Touch;
    }
    let may_end = left.ends_with(['.', ';', ':', ',', '!', '?']) || begins_item(left) || begins_bullet(left);
    if begins_bullet(right) || may_end && begins_item(right) {
        return Seam::Break;
    }
    // Scripts written without spaces gain none at a line end.
    match (left.chars().next_back(), right.chars().next()) {
        (Some(a), Some(b)) if is_unspaced(a) && is_unspaced(b) => Seam::Touch,
        _ => Seam::Space,
    }
}

fn hyphen_seam(stem: &str, token: &str, right: &str, words: &Words, language: &str) -> Seam {
    let (Some(before), Some(after)) = (stem.chars().next_back(), right.chars().next()) else {
        return Seam::Space;
    };
    if !before.is_alphanumeric() || !after.is_alphanumeric() {
        return Seam::Space; // a dash between words
    }
    if !before.is_alphabetic() || !after.is_alphabetic() || token.contains(['@', '/']) {
        return Seam::Touch; // part of a number or an address
    }
    let head: String = stem.chars().rev().take_while(|c| c.is_alphabetic()).collect();
    let head: String = head.chars().rev().collect();
    let tail: String = right.chars().take_while(|c| c.is_alphabetic()).collect();
    let (low_head, low_tail) = (head.to_lowercase(), tail.to_lowercase());
    if words.hyphenated.contains(&format!("{low_head}-{low_tail}")) {
        return Seam::Touch;
    }
    if words.plain.contains(&format!("{low_head}{low_tail}")) {
        return Seam::Word;
    }
    if CONJUNCTIONS.contains(&tail.as_str()) {
        return Seam::Space;
    }
    // Neither form occurs: the language decides, and only for a word that looks broken.
    let is_compound = token.trim_end_matches('-').contains('-') || right[tail.len()..].starts_with('-');
    let both_stand_alone = low_head.chars().count() > 3
        && low_tail.chars().count() > 3
        && words.plain.contains(&low_head)
        && words.plain.contains(&low_tail);
    let looks_broken = before.is_lowercase()
        && tail.chars().all(char::is_lowercase)
        && low_head.chars().count() > 1
        && low_tail.chars().count() > 1
        && !PREFIXES.contains(&low_head.as_str());
    if looks_broken && !is_compound && !both_stand_alone && HYPHENATING.contains(&language) {
        Seam::Word
    } else {
        Seam::Touch
    }
}

/// Whether an e-mail address goes on over the line end. Left apart, its half would pass for plain text.
fn splits_address(token: &str, right: &str) -> bool {
    let goes_on = right.starts_with(|c: char| c.is_alphanumeric());
    let Some((local, domain)) = token.split_once('@') else {
        let next = right.split(char::is_whitespace).next().unwrap_or(right);
        return next.starts_with('@') && next.contains('.') && token.ends_with(|c: char| c.is_alphanumeric());
    };
    if local.is_empty() {
        return false;
    }
    match domain.strip_suffix('.') {
        Some(host) => goes_on && !host.is_empty() && !host.contains('.'),
        None if domain.is_empty() => goes_on,
        None => {
            !domain.contains('.')
                && right.strip_prefix('.').is_some_and(|r| r.starts_with(char::is_alphanumeric))
        }
    }
}

fn begins_bullet(line: &str) -> bool {
    let mut chars = line.chars();
    matches!(chars.next(), Some('•' | '◦' | '▪' | '●' | '‣' | '–' | '-' | '*' | '☐' | '☒'))
        && chars.next() == Some(' ')
}

/// "1. ", "2.1 ", "a) ", "(iv) ".
fn begins_item(line: &str) -> bool {
    let Some((mark, _)) = line.split_once(' ') else { return false };
    let bare = mark.trim_matches(|c| matches!(c, '(' | ')' | '.'));
    let is_short = !bare.is_empty() && bare.len() <= 6;
    let numbered =
        bare.split('.').all(|n| !n.is_empty() && n.len() <= 2 && n.bytes().all(|b| b.is_ascii_digit()));
    let lettered = bare.len() == 1 && bare.bytes().all(|b| b.is_ascii_alphabetic())
        || bare.bytes().all(|b| matches!(b, b'i' | b'v' | b'x'));
    is_short && (numbered && mark.contains(['.', ')']) || lettered && mark.ends_with([')', '.']))
}

fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}' | '\u{e00}'..='\u{eff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined_in(language: &str, text: &str, elsewhere: &str) -> String {
        let lines: Vec<TextLine> = text.split('\n').map(TextLine::from).collect();
        let other = vec![elsewhere.into()];
        let words = Words::of([&lines, &other].into_iter());
        let mut joined = join(lines, &words, language, &mut CleanCounts::default());
        finish(&mut joined);
        joined.text
    }

    #[test]
    fn the_document_is_the_dictionary() {
        assert_eq!(joined_in("und", "the agree-\nment", "This Agreement"), "the agreement");
        assert_eq!(joined_in("und", "the agree-\nment", ""), "the agree-ment");
        assert_eq!(joined_in("en", "the agree-\nment", ""), "the agreement");
        assert_eq!(joined_in("en", "a long-\nterm plan", "a long-term plan"), "a long-term plan");
        assert_eq!(joined_in("en", "a long-\nterm plan", "longterm and long-term"), "a long-term plan");
        assert_eq!(joined_in("en", "a long-\nterm plan", "the term is long"), "a long-term plan");
        assert_eq!(joined_in("en", "AGREE-\nMENT", "agreement"), "AGREEMENT");
    }

    #[test]
    fn hyphens_that_belong() {
        assert_eq!(joined_in("en", "Smith-\nJones", ""), "Smith-Jones");
        assert_eq!(joined_in("en", "self-\nemployed", ""), "self-employed");
        assert_eq!(joined_in("en", "state-of-\nthe-art", ""), "state-of-the-art");
        assert_eq!(joined_in("de", "Ein-\nund Ausfuhr", ""), "Ein- und Ausfuhr");
        assert_eq!(joined_in("en", "an e-\nmail", ""), "an e-mail");
        assert_eq!(joined_in("en", "agreed -\nor not", ""), "agreed - or not");
    }

    #[test]
    fn never_across_digits() {
        assert_eq!(joined_in("en", "call 555-\n1234", "5551234"), "call 555-1234");
        assert_eq!(joined_in("en", "COVID-\n19, DE44-\n5001", ""), "COVID-19, DE44-5001");
    }

    #[test]
    fn soft_hyphens_join_and_vanish() {
        assert_eq!(joined_in("und", "exam\u{ad}\nple", ""), "example");
        assert_eq!(joined_in("und", "exam\u{ad}\n\nple\u{ad}", ""), "exam\nple");
    }

    #[test]
    fn addresses_broken_over_a_line() {
        assert_eq!(joined_in("en", "to jane@\nexample.com", ""), "to jane@example.com");
        assert_eq!(joined_in("en", "to jane@example.\ncom", ""), "to jane@example.com");
        assert_eq!(joined_in("en", "to jane@exam-\nple.com", "example"), "to jane@exam-ple.com");
        assert_eq!(joined_in("en", "to jane\n@example.com", ""), "to jane@example.com");
        assert_eq!(joined_in("en", "to jane@example.com.\nthen", ""), "to jane@example.com. then");
    }

    #[test]
    fn lists_keep_their_lines() {
        let text = "The fees:\n1. one\n2. two;\n(a) three\n• four";
        assert_eq!(joined_in("en", text, ""), "The fees:\n1. one\n2. two;\n(a) three\n• four");
        assert_eq!(joined_in("de", "bis zum\n5. März", ""), "bis zum 5. März");
    }

    #[test]
    fn words_broken_over_a_page_end() {
        for (left, right, joined, rest) in [
            ("the agree-", "ment, made on", "the agreement,", "made on"),
            ("the agree\u{ad}", "ment", "the agreement", ""),
            ("call 555-", "1234 now", "call 555-", "1234 now"),
            ("the Smith-", "Jones case", "the Smith-", "Jones case"),
            ("the end.", "the next", "the end.", "the next"),
        ] {
            let (mut left, mut right) = (TextLine::from(left), TextLine::from(right));
            right.marks = vec![Mark { at: 0, line: 0 }, Mark { at: right.text.len(), line: 1 }];
            let words = Words::of(std::iter::empty());
            join_pages(&mut left, &mut right, &words, "en", &mut CleanCounts::default());
            finish(&mut left);
            assert_eq!((left.text.as_str(), right.text.as_str()), (joined, rest));
            assert_eq!(right.marks.iter().map(|mark| mark.at).collect::<Vec<_>>(), [0, rest.len()]);
        }
    }

    #[test]
    fn han_needs_no_space() {
        assert_eq!(joined_in("zh", "双方同意\n本合同", ""), "双方同意本合同");
    }
}
