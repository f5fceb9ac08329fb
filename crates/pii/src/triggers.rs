//! The pass over the text: where something may be, and what is tried there.

use crate::find::secret::{self, LABELS, PREFIXES};
use crate::find::{address, candidate, email, person, url};
use crate::kinds::index;
use crate::scan::{Finder, Why};
use crate::shapes::Shape;
use memchr::memmem;
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

/// Letters that are rare enough to be looked for as they are.
struct Rare {
    www: [memmem::Finder<'static>; 2],
    pem: memmem::Finder<'static>,
    /// The middle of a label that may do without a sign (`the password is hunter2`), and the label.
    labels: [(memmem::Finder<'static>, usize, &'static str); 4],
}

static RARE: LazyLock<Rare> = LazyLock::new(|| {
    let finder = |word: &'static str| memmem::Finder::new(word);
    Rare {
        www: [finder("www."), finder("WWW.")],
        pem: finder("-----BEGIN"),
        labels: [
            (finder("assword"), 1, "password"),
            (finder("asswort"), 1, "passwort"),
            (finder("ennwort"), 1, "kennwort"),
            (finder("earer"), 1, "bearer"),
        ],
    }
});

/// The labels of secrets by their last byte.
static BY_LAST: LazyLock<Vec<Vec<&'static str>>> = LazyLock::new(|| {
    let mut table = vec![Vec::new(); 256];
    for label in LABELS {
        table[usize::from(label.as_bytes()[label.len() - 1])].push(*label);
    }
    table
});

/// Puts everything that a piece of text may hold into the finder.
pub(crate) fn scan(text: &str, finder: &mut Finder<'_>) {
    signs(text, finder);
    words(text, finder);
    let numbers = digits(text, finder);
    address::scan(text, &numbers, finder);
    if finder.options.names {
        person::scan(text, finder);
    }
}

/// What an `@`, a colon or an equals sign may be part of.
fn signs(text: &str, finder: &mut Finder<'_>) {
    let places = &*PLACES;
    // No two addresses share letters: each looks back as far as the last one's end.
    let (mut after_at, mut after_url) = (0, 0);
    for at in memchr::memchr3_iter(b'@', b':', b'=', text.as_bytes()) {
        if text.as_bytes()[at] == b'@' {
            if let Some(range) = email::around(text, at, after_at) {
                finder.push(candidate(places.email, range, 95, Why::Shape));
            }
            after_at = at + 1;
        } else if text[at..].starts_with("://") {
            if at >= after_url
                && let Some((range, secret)) = url::around(text, at, after_url)
            {
                after_url = range.end;
                let (kind, score) = if secret { (places.secret, 97) } else { (places.url, 96) };
                finder.push(candidate(kind, range, score, Why::Shape));
            }
        } else {
            label(text, at, finder);
        }
    }
    let mut after = 0;
    for sign in &RARE.www {
        for at in sign.find_iter(text.as_bytes()) {
            if at >= after
                && let Some(range) = url::after_www(text, at)
            {
                after = range.end;
                finder.push(candidate(places.url, range, 96, Why::Shape));
            }
        }
        after = 0;
    }
}

/// A secret whose label ends at or shortly before `at`.
fn label(text: &str, at: usize, finder: &mut Finder<'_>) {
    const LONGEST: usize = 24;
    let before = text[..at].trim_end_matches([' ', '"', '\'', '*', '`', ')']);
    if at - before.len() > 3 {
        return;
    }
    let Some(last) = before.bytes().next_back() else { return };
    let labels = &BY_LAST[usize::from(last.to_ascii_lowercase())];
    if labels.is_empty() {
        return;
    }
    let mut from = before.len().saturating_sub(LONGEST);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let lower = before[from..].to_lowercase();
    for word in labels {
        // Lower case is as long as what it was made of, in every label.
        if lower.ends_with(word)
            && before.is_char_boundary(before.len() - word.len().min(before.len()))
            && let Some(range) = secret::after_label(text, &(before.len() - word.len()..before.len()), word)
        {
            finder.push(candidate(PLACES.secret, range, 80, Why::LabelOnly));
            return;
        }
    }
}

/// What begins with letters that are rare enough to be looked for as they are.
fn words(text: &str, finder: &mut Finder<'_>) {
    let secret = PLACES.secret;
    let mut after = 0;
    for at in RARE.pem.find_iter(text.as_bytes()) {
        if at >= after
            && let Some(range) = secret::pem(text, at)
        {
            after = range.end;
            finder.push(candidate(secret, range, 99, Why::Shape));
        }
    }
    for (middle, back, word) in &RARE.labels {
        for at in middle.find_iter(text.as_bytes()) {
            let Some(start) = at.checked_sub(*back) else { continue };
            let label = start..at + middle.needle().len();
            if text.get(label.clone()).is_some_and(|found| found.eq_ignore_ascii_case(word))
                && let Some(range) = secret::after_label(text, &label, word)
            {
                finder.push(candidate(secret, range, 80, Why::LabelOnly));
            }
        }
    }
}

/// A key that shows what it is by how it begins, around a word with a digit. Says where the run of characters
/// ends that it looked at.
fn key(text: &str, word: &Word, floor: usize, finder: &mut Finder<'_>) -> usize {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let bytes = text.as_bytes();
    let back = bytes[floor..word.start].iter().rev().take_while(|b| is_part(b)).count();
    let ahead = bytes[word.start..].iter().take_while(|b| is_part(b)).count();
    let (start, end) = (word.start - back, word.start + ahead);
    if end - start < 16 {
        return floor;
    }
    let found = if text[start..].starts_with("eyJ") {
        secret::json_web_token(text, start)
    } else {
        PREFIXES.iter().find_map(|prefix| secret::after_prefix(text, start, prefix))
    };
    if let Some(range) = found {
        finder.push(candidate(PLACES.secret, range, 99, Why::Shape));
    }
    end
}

/// The score from which nothing that begins inside a value can be more likely than the value itself.
const SURE: u8 = 90;

/// A word with a digit in it, where patterns are tried.
struct Word {
    start: usize,
    end: usize,
}

/// Tries everything that has a digit, and says where such words are.
fn digits(text: &str, finder: &mut Finder<'_>) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut set = finder.set.take().unwrap_or_else(|| finder.shapes.pattern_set());
    let mut numbers = Vec::new();
    let (mut floor, mut key_floor, mut settled) = (0, 0, 0);
    while let Some(digit) = next_digit(bytes, floor) {
        let back: usize =
            text[floor..digit].chars().rev().take_while(|c| c.is_alphanumeric()).map(char::len_utf8).sum();
        let ahead: usize =
            text[digit..].chars().take_while(|c| c.is_alphanumeric()).map(char::len_utf8).sum();
        let word = Word { start: digit - back, end: digit + ahead };
        // Most groups of digits are the middle of a number, and better ones than that are not found there.
        if word.end <= settled {
            floor = word.end;
            continue;
        }
        // Numbers of houses and postcodes are short, and a year is neither.
        let year = ahead == 4 && back == 0 && matches!(&bytes[digit..digit + 2], b"19" | b"20");
        if word.end - word.start <= 7 && !year {
            numbers.push(digit);
        }
        if lonely(bytes, &word) {
            floor = word.end;
            continue;
        }
        if word.start >= key_floor {
            key_floor = key(text, &word, key_floor, finder);
        }
        let before = finder.found.len();
        patterns(text, &word, floor, finder, &mut set);
        let sure = finder.found[before..].iter().filter(|found| found.score >= SURE);
        settled = sure.map(|found| found.range.end).fold(settled, usize::max);
        floor = word.end;
    }
    finder.set = Some(set);
    numbers
}

/// The next digit. Sixteen bytes at a time: most of a text has none.
fn next_digit(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    for chunk in bytes[from..].chunks(16) {
        if chunk.iter().fold(false, |any, b| any | b.is_ascii_digit()) {
            return chunk.iter().position(u8::is_ascii_digit).map(|n| at + n);
        }
        at += chunk.len();
    }
    None
}

/// Whether a word is a number with so few digits about it that it cannot begin a value: most numbers in prose.
fn lonely(bytes: &[u8], word: &Word) -> bool {
    let near = &bytes[word.start..bytes.len().min(word.start + 24)];
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    near.iter().filter(|b| b.is_ascii_digit()).count() < 5
        && bytes[word.start..word.end].iter().all(u8::is_ascii_digit)
        && !(word.start > 0 && matches!(bytes[word.start - 1], b':' | b'-' | b'.' | b'*' | b'_'))
        && !matches!(bytes.get(word.end), Some(b':' | b'-' | b'_'))
        && !(bytes.get(word.end) == Some(&b'.') && digit(word.end + 1))
}

/// Tries the table at a word, and where a value may have begun before it: at a sign, at a country's letters, at
/// the beginning of a hexadecimal address.
fn patterns(text: &str, word: &Word, floor: usize, finder: &mut Finder<'_>, set: &mut PatternSet) {
    let bytes = text.as_bytes();
    let start = word.start;
    let mut starts = [start; 6];
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
        // `RSS MRA 85T10 A562S`.
        let capitals = |at: usize| {
            at >= floor + 4
                && bytes[at - 1] == b' '
                && bytes[at - 4..at - 1].iter().all(u8::is_ascii_uppercase)
        };
        if letters == 3 && capitals(start) && capitals(start - 4) {
            also(start - 8);
        }
    }
    // `fe80::1`, `ab:cd:ef:12:34:56`.
    if bytes.get(word.end) == Some(&b':') || start > 0 && matches!(bytes[start - 1], b':' | b'-') {
        let is_part = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.' | b'-');
        let run = bytes[..start].iter().rev().take(45).take_while(|b| is_part(b)).count();
        also(start - run);
    }
    // A label's value has more digits than a year or a number of a paragraph.
    let near = &bytes[start..bytes.len().min(start + 24)];
    let digits = near.iter().filter(|b| b.is_ascii_digit()).count();
    let masked = start > 0 && matches!(bytes[start - 1], b'-' | b'*');
    // Nor does a label speak to the second group of a number.
    let first = floor == 0 || start - floor > 3 || masked;
    let length = word.end - start;
    let labelled = first && (digits >= 5 || digits == 4 && (masked || !(4..8).contains(&length))) && {
        finder.window.read(text, start);
        finder.window.has_label()
    };
    for &at in &starts[..count] {
        let shapes = finder.shapes;
        shapes.which(text, at, set);
        // Signs before a word change nothing of what is said before it.
        let mut read = labelled;
        if labelled && !bytes[at..start].iter().all(|b| matches!(b, b'+' | b'(')) {
            finder.window.read(text, at);
        }
        for id in set.iter() {
            let shape = shapes.rule(id.as_usize());
            let Some(end) = value_end(text, at, shape) else { continue };
            if !read {
                finder.window.read(text, at);
                read = true;
            }
            finder.judge(shape.kind, shape.alone, at..end);
        }
        let mut announced = if labelled { finder.window.announced() } else { 0 };
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
