//! Street addresses, from the word that makes a street, from what announces one, and from boxes at the post.
//!
//! English, German, French, Italian, Spanish, Portuguese and Dutch habits: the street with its number, then
//! flat, postcode, town and country over as many lines as they take. A street without a number counts only
//! where a postcode and a town follow.

use super::candidate;
use super::streets::{WORDS, Word};
use crate::kinds::index;
use crate::scan::{Finder, Why};
use regex::bytes::{Regex, RegexBuilder};
use std::ops::Range;
use std::sync::LazyLock;

/// How far before its word a street may begin, and how far behind it an address may end, in bytes.
const BACK: usize = 72;
const AHEAD: usize = 220;
/// How far before a number its street word may begin, and how far behind it.
const BEFORE_NUMBER: usize = 90;
const BEHIND_NUMBER: usize = 64;

struct Grammar {
    kind: usize,
    /// What may stand between number and street word in English, at the end of a text.
    number_before: Regex,
    /// The same in French.
    french_number_before: Regex,
    /// The rest of a street's name in front of its last word, at the end of a text.
    name_before: Regex,
    /// A house number, at the beginning of a text.
    number_after: Regex,
    /// The name of a street behind its first word.
    name_after: Regex,
    /// The number behind that.
    number_after_name: Regex,
    /// A flat, a postcode with its town, a country; without the postcode.
    rest: Regex,
    rest_without_place: Regex,
    /// What stands between an announcement and the address.
    announcing: Regex,
    /// Whatever is announced as an address and ends with a postcode and a town.
    announced: Regex,
    box_number: Regex,
}

/// A letter or an apostrophe in UTF-8. The patterns run on bytes: with the classes of Unicode in them, there are
/// too many states for any fast engine.
const L: &str = r"(?:[A-Za-z']|[\xC3-\xDF][\x80-\xBF]|[\xE0\xE1\xE3-\xEC][\x80-\xBF]{2}|\xE2\x80\x99)";
/// A capital, and any letter beyond Latin-1.
const U: &str = r"(?:[A-Z]|\xC3[\x80-\x9E]|[\xC4-\xDF][\x80-\xBF]|[\xE0\xE1\xE3-\xEC][\x80-\xBF]{2})";
/// Small words in a name.
const C: &str = r"(?:(?:de|del|della|delle|degli|dello|dei|di|da|do|dos|das|du|des|la|le|les|los|las|el|von|van|der|den|zu|zum|zur|am|an|im|the|of|sur|sous|l\xC3\xA8s|aux?|en|y|e|et|in|upon|vorm|vor|ob|bei|beim|unter|auf|sul|sulla|al|alla|nel|nella) |[dDlL](?:'|\xE2\x80\x99))";

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    // `Raymond-la-Forêt`, `Sant'Anna`, `St.`, `S.`
    let w = format!(r"(?:(?:[A-Z]|St|Ste|Sta|Dr|Sr|Sra|Gen|Prof|Mt)\.|{U}{L}*(?:-{L}+)*)");
    let name = format!("(?:{C}{{0,2}}{w}(?: {C}{{0,2}}{w}){{0,4}})");
    let town = format!("(?:{w}(?: {C}{{0,2}}{w}){{0,3}})");
    let gap = r"(?:, ?\n?|\n| - | )";
    let unit = r"(?:,? ?\n?(?:(?:Apt|Apto|Apartment|Appartement|Appart|Suite|Ste|Unit|Flat|Studio|Floor|Piso|Planta|Puerta|Appartamento|Piano|Scala|Interno|Int|Whg|Wohnung|Etage|Bureau|Bâtiment|Bât|Esc|Esq|Room|Rm|Box|Bus|Bloco|Andar|Lote)\.?(?: |º|°)?|#) ?[0-9A-Z][0-9A-Z-]{0,5}\b|,? ?[0-9]{1,2}(?:º|ª|°),? ?(?:[A-Z]\b|(?:[Ii]zq|[Dd]cha|[Cc]entro|[Dd]to)\b\.?)?)";
    let british = r"(?:[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2})\b";
    let place = format!(
        r"(?:{gap}(?:{town},? [A-Z]{{2}},? [0-9]{{5}}(?:-[0-9]{{4}})?\b|(?:{town}(?:, ?\n?|\n| )){{0,3}}{british}|[0-9]{{4}} ?[A-Z]{{2}},? {town}|[0-9]{{2}}-[0-9]{{3}} {town}|[0-9]{{4,5}}-[0-9]{{3}} {town}|(?:[A-Z]{{1,3}}[ -])?[0-9]{{4,5}},? {town}(?:,? \([A-Z]{{2}}\)| [A-Z]{{2}}\b)?|(?:{town}(?:, ?\n?|\n| - |/)){{0,2}}{town}(?:,|\n|,? -| /)? ?\n?(?:[A-Z]{{2}},? ?)?(?:[0-9]{{5}}(?:-[0-9]{{3,4}})?)\b|[0-9]{{5}}(?:-[0-9]{{3,4}})?\b))"
    );
    let country = r"(?:,? ?\n?(?:United States of America|United States|USA|U\.S\.A\.|United Kingdom|UK|England|Scotland|Wales|Ireland|Germany|Deutschland|Österreich|Austria|Schweiz|Switzerland|Suisse|France|Italy|Italia|Spain|España|Portugal|Brasil|Brazil|Nederland|Netherlands|Belgium|Belgique|België|Luxembourg|Canada)\b)";
    let regex = |source: String| {
        RegexBuilder::new(&source)
            .unicode(false)
            .build()
            .expect("the patterns are constants, compiled by every test")
    };
    Grammar {
        kind: index("ADDRESS"),
        number_before: regex(format!(
            r"(?:(?:Flat|Apt|Unit|Studio|Suite)\.? ?(?:[0-9A-Z]{{1,4}},?[ \n])?)?\b[0-9]{{1,6}}[A-Za-z]?(?:[-/][0-9]{{1,4}})?,? (?:(?:{w}|[0-9]{{1,3}}(?:st|nd|rd|th)) ){{0,4}}$"
        )),
        french_number_before: regex(r"\b[0-9]{1,4}(?: ?(?:bis|ter|quater|[A-D]))?,? $".to_owned()),
        name_before: regex(format!(r"(?:{w}[ -](?:{C})?){{0,3}}(?:{L}|-)*$")),
        number_after: regex(
            r"^\.?,? (?:Nr\.? ?)?[0-9]{1,4}(?: ?[a-zA-Z]\b)?(?:[/-][0-9]{1,3}[a-z]?)?\b".to_owned(),
        ),
        name_after: regex(format!(r"^\.? {name}")),
        number_after_name: regex(
            r"^,?(?: n\.?(?:º|°)?| nº| núm\.?)? ?[0-9]{1,5}(?: ?[a-zA-Z]\b)?(?:[/-][0-9A-Za-z]{1,4})?\b"
                .to_owned(),
        ),
        rest: regex(format!(r"^{unit}{{0,3}}{place}{country}?")),
        rest_without_place: regex(format!(r"^{unit}{{0,3}}{country}?")),
        announcing: regex(r"^[ \n:]{0,3}(?:(?:in|at|to|au|a|en|na|no) )?".to_owned()),
        announced: regex(format!(r"^(?:{L}|[0-9])[^\n;:()]{{2,60}}?{unit}{{0,3}}{place}{country}?")),
        box_number: regex(r"^ #?[0-9]{1,6}(?: [0-9]{2,3}){0,2}\b".to_owned()),
    }
});

/// Looks for addresses where the numbers are: each has one near its street word.
pub(crate) fn scan(text: &str, numbers: &[usize], finder: &mut Finder<'_>) {
    let mut done = 0;
    let mut numbers = numbers.iter().copied().peekable();
    while let Some(first) = numbers.next() {
        let start = floor(text, first.saturating_sub(BEFORE_NUMBER));
        let mut last = first;
        while let Some(next) =
            numbers.next_if(|next| next.saturating_sub(BEFORE_NUMBER) <= last + BEHIND_NUMBER)
        {
            last = next;
        }
        let end = floor(text, text.len().min(last + BEHIND_NUMBER));
        stretch(text, start.max(done.min(end))..end, &mut done, finder);
    }
}

fn stretch(text: &str, stretch: Range<usize>, done: &mut usize, finder: &mut Finder<'_>) {
    for hit in WORDS.automaton.find_iter(&text[stretch.clone()]) {
        let range = stretch.start + hit.start()..stretch.start + hit.end();
        if range.start < *done {
            continue;
        }
        let (word, otherwise) = WORDS.words[hit.pattern().as_usize()];
        // Most of what looks like a street word is the beginning or the end of another word.
        if text[range.end..].starts_with(char::is_alphanumeric) && !word.ends_open() {
            continue;
        }
        let other = |word| around(text, &(range.start + 1..range.end), word);
        if let Some((range, score, why)) = around(text, &range, word).or_else(|| otherwise.and_then(other)) {
            // What is announced may have a street in it, which knows better where it ends.
            if word != Word::Announcement {
                *done = range.end;
            }
            finder.push(candidate(GRAMMAR.kind, range, score, why));
        }
    }
}

fn around(text: &str, hit: &Range<usize>, word: Word) -> Option<(Range<usize>, u8, Why)> {
    let grammar = &*GRAMMAR;
    let before = &text[floor(text, hit.start.saturating_sub(BACK))..hit.start];
    let after = &text[hit.end..floor(text, text.len().min(hit.end + AHEAD))];
    let starts_high = text[hit.clone()].trim_start().starts_with(char::is_uppercase);
    match word {
        Word::English => {
            if !starts_high {
                return None;
            }
            let before = before_space(text, before, hit);
            let head = &before[grammar.number_before.find(before.as_bytes())?.range()];
            let head_start = hit.start + 1 - head.len();
            // `In 2010 Wall Street`: a year is no number of a house unless more follows.
            let dot = usize::from(after.starts_with('.'));
            let (length, place) = rest(&after[dot..]);
            let year = is_year(head.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
            let named = head.trim_end().contains(' ');
            if !place && (year || !named) {
                return None;
            }
            let end = hit.end + if length > 0 { dot + length } else { 0 };
            Some((head_start..end, if place { 80 } else { 58 }, Why::Phrase))
        }
        Word::Ending => {
            let head = &before[grammar.name_before.find(before.as_bytes())?.range()];
            let attached = head.chars().next_back().is_some_and(|c| c.is_alphabetic() || c == '-');
            let name = format!("{head}{}", &text[hit.clone()]);
            if !name.starts_with(char::is_uppercase) {
                return None;
            }
            let number = grammar.number_after.find(after.as_bytes())?;
            let (length, place) = rest(&after[number.end()..]);
            if !attached && !place {
                return None;
            }
            let end = hit.end + number.end() + length;
            Some((hit.start - head.len()..end, if place { 80 } else { 58 }, Why::Phrase))
        }
        Word::Beginning | Word::French => {
            if before.ends_with(|c: char| c.is_alphanumeric()) || !starts_high && word == Word::Beginning {
                return None;
            }
            let named = grammar.name_after.find(after.as_bytes())?.end();
            let mut start = hit.start;
            let mut number = 0;
            let head = grammar.french_number_before.find(before.as_bytes());
            if let Some(head) = head {
                start -= head.len();
            } else if let Some(found) = grammar.number_after_name.find(&after.as_bytes()[named..]) {
                let digits = found.as_bytes().iter().filter(|b| b.is_ascii_digit()).count();
                // A postcode is no number of a house.
                number = if digits >= 4 && rest(&after[named..]).1 { 0 } else { found.end() };
            }
            let (length, place) = rest(&after[named + number..]);
            let end = hit.end + named + number + length;
            (head.is_some() || number > 0 || place).then_some((
                start..end,
                if place { 80 } else { 58 },
                Why::Phrase,
            ))
        }
        Word::Announcement => {
            if before.ends_with(|c: char| c.is_alphanumeric()) {
                return None;
            }
            let start = grammar.announcing.find(after.as_bytes())?.end();
            let address = grammar.announced.find(&after.as_bytes()[start..])?;
            let numbered = address.as_bytes().iter().any(u8::is_ascii_digit);
            let start = hit.end + start;
            numbered.then_some((start..start + address.end(), 70, Why::LabelOnly))
        }
        Word::Box => {
            let number = grammar.box_number.find(after.as_bytes())?.end();
            let (length, place) = rest(&after[number..]);
            Some((hit.start..hit.end + number + length, if place { 80 } else { 60 }, Why::Phrase))
        }
    }
}

/// What follows a street and its number, and whether a postcode or a town is among it.
fn rest(after: &str) -> (usize, bool) {
    if let Some(found) = GRAMMAR.rest.find(after.as_bytes()) {
        return (found.end(), true);
    }
    (GRAMMAR.rest_without_place.find(after.as_bytes()).map_or(0, |found| found.end()), false)
}

/// English words are found with the space before them, which belongs to what stands before.
fn before_space<'t>(text: &'t str, before: &'t str, hit: &Range<usize>) -> &'t str {
    &text[hit.start - before.len()..=hit.start]
}

fn is_year(digits: &str) -> bool {
    digits.len() == 4 && (digits.starts_with("19") || digits.starts_with("20"))
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use crate::{Options, scan};

    #[test]
    fn streets() {
        for (text, expected) in [
            ("wohnhaft Faustallee 7, 26478 Dieburg, (Verkäufer)", Some("Faustallee 7, 26478 Dieburg")),
            (
                "wohnt in der Nadin-Kostolzin-Platz 64\n23561 Wetzlar.",
                Some("Nadin-Kostolzin-Platz 64\n23561 Wetzlar"),
            ),
            ("Rosenstr. 12a ist", Some("Rosenstr. 12a")),
            (
                "demeurant 56, chemin de Rousset, 37438 Raymond-la-Forêt, ci",
                Some("56, chemin de Rousset, 37438 Raymond-la-Forêt"),
            ),
            ("au 12 bis rue de la Paix depuis", Some("12 bis rue de la Paix")),
            (
                "Piazza Durante, 58 Appartamento 62, 23862, Civate (LC), (Vend",
                Some("Piazza Durante, 58 Appartamento 62, 23862, Civate (LC)"),
            ),
            ("Calle de Alcalá 48, 28014 Madrid y", Some("Calle de Alcalá 48, 28014 Madrid")),
            (
                "at 733 Scott Terrace, Lake Rebeccafort, G66 8FG, and",
                Some("733 Scott Terrace, Lake Rebeccafort, G66 8FG"),
            ),
            (
                "5101 Nelson Street Apt. 121\nThomasport, PR 05228, and",
                Some("5101 Nelson Street Apt. 121\nThomasport, PR 05228"),
            ),
            ("at 221B Baker Street, I", Some("221B Baker Street")),
            ("write to P.O. Box 4711, Springfield, IL 62704.", Some("P.O. Box 4711, Springfield, IL 62704")),
            ("In 2010 Wall Street fell", None),
            ("seit 1999, Crystal Mountain", None),
            ("Auf Platz 3 kam", None),
            ("via Roma è lunga", None),
            ("a long street 12 people", None),
        ] {
            let spans = scan(text, &Options::default());
            let found = spans.iter().find(|s| s.kind == "ADDRESS").map(|s| &text[s.range.clone()]);
            assert_eq!(found, expected, "{text}");
        }
    }
}
