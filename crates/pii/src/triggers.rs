//! The pass over the text: where something may be, and what is tried there.

use crate::find::{self, candidate};
use crate::kinds::index;
use crate::scan::{Finder, Why};
use crate::shapes::Shape;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use find::secret::{LABELS, PREFIXES};
use regex_automata::PatternSet;
use std::sync::LazyLock;

/// Places of the kinds that code finds.
struct Places {
    email: usize,
    url: usize,
    secret: usize,
}

static PLACES: LazyLock<Places> =
    LazyLock::new(|| Places { email: index("EMAIL"), url: index("URL"), secret: index("SECRET") });

/// Words and signs that something begins with or is announced by: first the signs, then the prefixes and the
/// labels of secrets.
const SIGNS: [&str; 5] = ["@", "://", "www.", "-----BEGIN", "eyJ"];

static WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let words = SIGNS.into_iter().chain(PREFIXES.iter().map(|p| p.0)).chain(LABELS.iter().copied());
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostFirst)
        .kind(Some(AhoCorasickKind::DFA))
        .build(words)
        .expect("a hundred short words")
});

/// Puts everything that a piece of text may hold into the finder.
pub(crate) fn scan(text: &str, finder: &mut Finder<'_>) {
    words(text, finder);
    digits(text, finder);
    find::address::scan(text, finder);
    if finder.options.names {
        find::person::scan(text, finder);
    }
}

fn words(text: &str, finder: &mut Finder<'_>) {
    let places = &*PLACES;
    // No two addresses share letters: each looks back as far as the last one's end.
    let (mut after_at, mut after_url) = (0, 0);
    for hit in WORDS.find_iter(text) {
        let at = hit.start();
        match hit.pattern().as_usize() {
            0 => {
                if let Some(range) = find::email::around(text, at, after_at) {
                    finder.push(candidate(places.email, range, 95, Why::Shape));
                }
                after_at = at + 1;
            }
            1 => {
                if at >= after_url
                    && let Some((range, secret)) = find::url::around(text, at, after_url)
                {
                    after_url = range.end;
                    let (kind, score) = if secret { (places.secret, 97) } else { (places.url, 96) };
                    finder.push(candidate(kind, range, score, Why::Shape));
                }
            }
            2 => {
                if at >= after_url
                    && let Some(range) = find::url::after_www(text, at)
                {
                    after_url = range.end;
                    finder.push(candidate(places.url, range, 96, Why::Shape));
                }
            }
            3 => {
                if let Some(range) = find::secret::pem(text, at) {
                    finder.push(candidate(places.secret, range, 99, Why::Shape));
                }
            }
            4 => {
                if let Some(range) = find::secret::json_web_token(text, at) {
                    finder.push(candidate(places.secret, range, 99, Why::Shape));
                }
            }
            word => {
                let word = word - SIGNS.len();
                if let Some(prefix) = PREFIXES.get(word) {
                    if let Some(range) = find::secret::after_prefix(text, at, prefix) {
                        finder.push(candidate(places.secret, range, 99, Why::Shape));
                    }
                } else if let Some(range) =
                    find::secret::after_label(text, &hit.range(), LABELS[word - PREFIXES.len()])
                {
                    finder.push(candidate(places.secret, range, 80, Why::LabelOnly));
                }
            }
        }
    }
}

/// A word with a digit in it, where patterns are tried.
struct Word {
    start: usize,
    end: usize,
}

fn digits(text: &str, finder: &mut Finder<'_>) {
    let bytes = text.as_bytes();
    let mut set = finder.shapes.pattern_set();
    let mut floor = 0;
    while let Some(digit) = bytes[floor..].iter().position(u8::is_ascii_digit).map(|n| floor + n) {
        let back: usize =
            text[floor..digit].chars().rev().take_while(|c| c.is_alphanumeric()).map(char::len_utf8).sum();
        let ahead: usize =
            text[digit..].chars().take_while(|c| c.is_alphanumeric()).map(char::len_utf8).sum();
        let word = Word { start: digit - back, end: digit + ahead };
        patterns(text, &word, floor, finder, &mut set);
        floor = word.end;
    }
}

/// Tries the table at a word, and where a value may have begun before it: at a sign, at a country's letters, at
/// the beginning of a hexadecimal address.
fn patterns(text: &str, word: &Word, floor: usize, finder: &mut Finder<'_>, set: &mut PatternSet) {
    let bytes = text.as_bytes();
    let start = word.start;
    let mut starts = [start; 5];
    let mut count = 1;
    let mut also = |at: usize| {
        if at < start && !starts[..count].contains(&at) {
            starts[count] = at;
            count += 1;
        }
    };
    // `+49`, `(030)`, `+(49)`.
    let run = |most: usize, part: fn(&u8) -> bool| {
        bytes[floor..start].iter().rev().take(most).take_while(|b| part(b)).count()
    };
    also(start - run(2, |b| matches!(b, b'+' | b'(')));
    // `XXX-XX-1234`.
    also(start - run(7, |b| matches!(b, b'X' | b'*' | b'-')));
    // `DE 811`, `CHE-107`, `March 5`.
    let gap = usize::from(start > floor && matches!(bytes[start - 1], b' ' | b'-' | b'.' | b'\n' | b'<'));
    if gap == 1 {
        let letters: usize = text[floor..start - 1]
            .chars()
            .rev()
            .take(15)
            .take_while(|c| c.is_alphabetic() || *c == '<')
            .map(char::len_utf8)
            .sum();
        if letters > 0 {
            also(start - 1 - letters);
        }
    }
    // `fe80::1`, `ab:cd:ef:12:34:56`.
    if bytes.get(word.end) == Some(&b':') || start > 0 && matches!(bytes[start - 1], b':' | b'-') {
        let is_part = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.' | b'-');
        let run = bytes[..start].iter().rev().take(45).take_while(|b| is_part(b)).count();
        also(start - run);
    }
    for &at in &starts[..count] {
        let Finder { shapes, .. } = *finder;
        shapes.which(text, at, set);
        let mut read = false;
        for id in set.iter() {
            let shape = shapes.rule(id.as_usize());
            let Some(end) = value_end(text, at, shape) else { continue };
            if !read {
                finder.window.read(text, at);
                read = true;
            }
            finder.judge(shape.kind, shape.alone, at..end);
        }
        if !read {
            finder.window.read(text, at);
        }
        let mut announced = finder.window.announced();
        while announced != 0 {
            let kind = announced.trailing_zeros() as usize;
            announced &= announced - 1;
            for shape in shapes.labelled(kind) {
                if let Some(end) = value_end(text, at, shape) {
                    finder.labelled(kind, at..end);
                    break;
                }
            }
        }
    }
}

/// Where the value of a shape ends that begins at a place: none if its check fails, or if it is part of
/// something longer.
fn value_end(text: &str, at: usize, shape: &Shape) -> Option<usize> {
    let end = at + (shape.check)(shape.at(text, at)?)?;
    let tied = |mut outward: &mut dyn Iterator<Item = char>| match outward.next() {
        Some(c) if c.is_alphanumeric() => true,
        Some(c) if shape.glue.contains(c) => (&mut outward).next().is_some_and(char::is_alphanumeric),
        _ => false,
    };
    let alone = !tied(&mut text[..at].chars().rev()) && !tied(&mut text[end..].chars());
    alone.then_some(end)
}
