//! What stands right before a value, and what it says about the value.

use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// How far back a word still speaks about a value, in bytes.
const WINDOW: usize = 48;
/// How far back to look for the end of a placeholder, which ends the window: longer than any placeholder.
const TOKEN_WINDOW: usize = WINDOW + 48;

static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\[(?:[A-Z][A-Z_]{0,30}_[0-9]{1,9}|(?i:email|phone|card|iban|ssn|itin|ip|es_nif|es_nie|date_of_birth|literal)_[0-9]{1,9})\]")
        .expect("the pattern is constant")
});

/// Where a text has something that looks like one of our placeholders (`[EMAIL_1]`), in order.
pub fn placeholders(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    TOKEN.find_iter(text).map(|token| token.range())
}

/// What the words before a value make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    /// Nothing.
    Silent,
    /// It was announced.
    Label,
    /// Something else was announced.
    Negative,
}

/// A set of words and phrases, matched as whole words in any case.
pub(crate) struct Phrases(Vec<String>);

impl Phrases {
    pub(crate) fn new<'a>(phrases: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all: Vec<String> = phrases.into_iter().map(as_words).collect();
        all.sort_unstable();
        all.dedup();
        Self(all)
    }

    /// Where the last of the phrases ends in a text prepared by [`before`].
    fn last_end(&self, words: &str) -> Option<usize> {
        self.0.iter().filter_map(|phrase| words.rfind(phrase.as_str()).map(|at| at + phrase.len())).max()
    }
}

/// Judges a value by its window (see [`before`]): of a label and a negative word, the nearer one decides.
/// A negative word is about the first number behind it ("section 31.13, access from 203.0.113.7"); a label
/// may announce a list.
pub(crate) fn judge(window: &str, labels: &Phrases, negatives: &Phrases) -> Context {
    let is_unspent = |end: &usize| !window[*end..].contains(|c: char| c.is_ascii_digit());
    match (labels.last_end(window), negatives.last_end(window).filter(is_unspent)) {
        (None, None) => Context::Silent,
        (label, negative) if label >= negative => Context::Label,
        _ => Context::Negative,
    }
}

/// The words before `start`, lower case, single-spaced, with a space at both ends. A placeholder ends the
/// window: its own letters (`[SSN_1]`) are ours, and what stands before it was said of the value behind it.
pub(crate) fn before(text: &str, start: usize) -> String {
    let far = floor(text, start.saturating_sub(TOKEN_WINDOW));
    let mut from = floor(text, start.saturating_sub(WINDOW));
    // Half a word at the edge would pass for a whole one.
    let cut = text[..from].ends_with(char::is_alphanumeric);
    if cut {
        from += text[from..start].find(|c: char| !c.is_alphanumeric()).unwrap_or(start - from);
    }
    if text[far..start].contains(']')
        && let Some(token) = TOKEN.find_iter(&text[far..start]).last()
    {
        from = from.max(far + token.end());
    }
    as_words(&text[from..start])
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// `Social-Security no.` becomes ` social security no `.
fn as_words(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + 2);
    words.push(' ');
    for c in text.chars() {
        if c.is_alphanumeric() {
            words.extend(c.to_lowercase());
        } else if !words.ends_with(' ') {
            words.push(' ');
        }
    }
    if !words.ends_with(' ') {
        words.push(' ');
    }
    words
}

/// The source of a pattern for `label, filler words, value`, the value in group `v`.
pub(crate) fn labelled_pattern(labels: &[&str], shape: &str) -> String {
    const FILLERS: &str = "number|numbers|num|no|nr|nos|id|is|was|are|of|on|the|at|me|us|ist|lautet|nummer|am|est|es|è|é|le|el|il|em|de|n|numéro|número|numero|or|and|und";
    let mut labels: Vec<String> = labels
        .iter()
        .map(|label| {
            let words: Vec<String> = as_words(label).split_whitespace().map(regex::escape).collect();
            words.join(r"[\s.\-_/()']{1,3}")
        })
        .collect();
    // The engine takes the first alternative that fits: longer labels first.
    labels.sort_unstable_by_key(|label| std::cmp::Reverse(label.len()));
    format!(
        r#"(?i)(?-u:\b)(?:{})(?-u:\b)(?:[\s:=#.,\-–—"'(º°ª]|(?-u:\b)(?:{FILLERS})(?-u:\b)){{1,8}}(?<v>{shape})"#,
        labels.join("|")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> Context {
        let window = before(text, text.len());
        judge(&window, &Phrases::new(["tel", "phone number"]), &Phrases::new(["order"]))
    }

    #[test]
    fn whole_words_only() {
        assert_eq!(judged("Tel.: "), Context::Label);
        assert_eq!(judged("Bestellung Hotel "), Context::Silent);
        assert_eq!(judged("phone-number "), Context::Label);
        assert_eq!(judged(&format!("order{}tel ", "x".repeat(44))), Context::Silent);
    }

    #[test]
    fn the_nearer_word_decides() {
        assert_eq!(judged("tel 12, order "), Context::Negative);
        assert_eq!(judged("order 12, tel "), Context::Label);
        assert_eq!(judged("order 12, from "), Context::Silent);
    }

    #[test]
    fn a_placeholder_ends_the_window() {
        assert_eq!(judged("tel [PHONE_1] and "), Context::Silent);
        assert_eq!(judged("tel [note] and "), Context::Label);
    }
}
