//! What stands right before a value, and what it says about the value.

use crate::kinds::words::{REGISTERS, THINGS};
use crate::kinds::{KINDS, Kind, Negative, index};
use aho_corasick::automaton::{Automaton as _, OverlappingState};
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, Input, MatchKind, StartKind};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// How far back a word still speaks about a value, in bytes.
const WINDOW: usize = 56;

/// What the words before a value make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    /// Nothing.
    Silent,
    /// It was announced.
    Label,
    /// A value of another kind was announced.
    OtherLabel,
    /// The number of a thing was announced.
    Negative,
}

/// Every phrase of the table, and for each the groups that have it: a bit for each kind, then for each set of
/// negative words.
struct Phrases {
    automaton: DFA,
    groups: Vec<u64>,
}

const THINGS_BIT: u64 = 1 << KINDS.len();
const REGISTERS_BIT: u64 = 1 << (KINDS.len() + 1);
const KIND_BITS: u64 = THINGS_BIT - 1;

static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    let mut phrases: BTreeMap<String, u64> = BTreeMap::new();
    let mut add = |words: &[&str], bit: u64| {
        for word in words {
            let mut normal = String::new();
            as_words(word, &mut normal);
            *phrases.entry(normal).or_default() |= bit;
        }
    };
    for (i, kind) in KINDS.iter().enumerate() {
        kind.labels.iter().for_each(|(_, words)| add(words, 1 << i));
    }
    add(THINGS, THINGS_BIT);
    add(REGISTERS, REGISTERS_BIT);
    let (words, groups): (Vec<String>, Vec<u64>) = phrases.into_iter().unzip();
    let automaton = DFA::builder()
        .match_kind(MatchKind::Standard)
        .start_kind(StartKind::Unanchored)
        .prefilter(false)
        .build(words)
        .expect("a few hundred short words");
    Phrases { automaton, groups }
});

/// The words before a place, read. Kept from place to place for its memory.
#[derive(Default)]
pub(crate) struct Window {
    words: String,
    /// Where phrases end in `words`, and their groups; in order.
    hits: Vec<(usize, u64)>,
}

impl Window {
    /// Reads what stands before `start`.
    pub(crate) fn read(&mut self, text: &str, start: usize) {
        let mut from = start.saturating_sub(WINDOW);
        while !text.is_char_boundary(from) {
            from -= 1;
        }
        // Half a word at the edge would pass for a whole one.
        if text[..from].ends_with(char::is_alphanumeric) {
            from += text[from..start].find(|c: char| !c.is_alphanumeric()).unwrap_or(start - from);
        }
        self.words.clear();
        as_words(&text[from..start], &mut self.words);
        self.hits.clear();
        let phrases = &*PHRASES;
        let input = Input::new(&self.words).anchored(Anchored::No);
        let mut state = OverlappingState::start();
        while phrases.automaton.try_find_overlapping(&input, &mut state).is_ok()
            && let Some(hit) = state.get_match()
        {
            self.hits.push((hit.end(), phrases.groups[hit.pattern().as_usize()]));
        }
    }

    /// Whether any kind is announced at all.
    pub(crate) fn has_label(&self) -> bool {
        self.hits.iter().any(|(_, groups)| groups & KIND_BITS != 0)
    }

    /// What the window says of a value of a kind: of all words, those nearest to the value decide. Words of
    /// other numbers are about the first number behind them ("section 31.13, access from 203.0.113.7"); a label
    /// may announce a list.
    pub(crate) fn judge(&self, index: usize, kind: &Kind) -> Context {
        let own = 1u64 << index;
        let mut against = 0;
        for negative in kind.negatives {
            against |= match negative {
                Negative::Things => THINGS_BIT,
                Negative::Registers => REGISTERS_BIT,
            };
        }
        let last = |groups: u64| self.hits.iter().rev().find(|(_, g)| g & groups != 0).map(|(end, _)| *end);
        let unspent = |end: &usize| !self.words.as_bytes()[*end..].iter().any(u8::is_ascii_digit);
        let label = last(own);
        let negative = last(against).filter(unspent);
        let other = last(KIND_BITS & !own).filter(unspent);
        match (label, negative, other) {
            (None, None, None) => Context::Silent,
            (label, negative, other) if label >= negative && label >= other => Context::Label,
            (_, negative, other) if negative >= other => Context::Negative,
            _ => Context::OtherLabel,
        }
    }

    /// The kinds whose label stands directly before, with nothing but filler words between, as bits; for a birth, also
    /// with the place between (`nato a Roma il`, `born in Leeds on`).
    pub(crate) fn announced(&self) -> u64 {
        let mut nearest = 0;
        let mut kinds = 0;
        for (end, groups) in self.hits.iter().rev() {
            if groups & KIND_BITS == 0 {
                continue;
            }
            if *end < nearest {
                break;
            }
            let between = &self.words[*end..];
            if between.split_ascii_whitespace().all(is_filler) {
                nearest = *end;
                kinds |= groups & KIND_BITS;
            } else if kinds == 0 && groups & *BIRTH != 0 && is_place(between) {
                return *BIRTH;
            } else {
                break;
            }
        }
        kinds
    }
}

/// The bit of dates of birth.
static BIRTH: LazyLock<u64> = LazyLock::new(|| 1 << index("DATE_OF_BIRTH"));

/// A few words without a number, and the one that a date follows.
fn is_place(between: &str) -> bool {
    const BEFORE_DATES: [&str; 11] = ["on", "am", "le", "il", "el", "em", "a", "den", "op", "dnia", "the"];
    const MOST: usize = 6;
    let mut words = between.split_ascii_whitespace();
    let last = words.next_back().is_some_and(|word| BEFORE_DATES.contains(&word));
    last && words.clone().count() < MOST && words.all(|word| !word.bytes().any(|b| b.is_ascii_digit()))
}

/// Words between a label and its value.
fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "number"
            | "numbers"
            | "num"
            | "no"
            | "nr"
            | "nos"
            | "id"
            | "is"
            | "was"
            | "are"
            | "of"
            | "on"
            | "the"
            | "at"
            | "me"
            | "us"
            | "ist"
            | "lautet"
            | "nummer"
            | "am"
            | "est"
            | "es"
            | "è"
            | "é"
            | "le"
            | "el"
            | "il"
            | "em"
            | "de"
            | "n"
            | "numéro"
            | "número"
            | "numero"
            | "or"
            | "and"
            | "und"
            | "my"
            | "code"
            | "idnr"
            | "ref"
            | "nº"
            | "e"
            | "i"
    )
}

/// `Social-Security no.` becomes ` social security no `.
fn as_words(text: &str, words: &mut String) {
    words.push(' ');
    let mut blank = true;
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            words.push(c.to_ascii_lowercase());
            blank = false;
        } else if !c.is_ascii() && c.is_alphanumeric() {
            words.extend(c.to_lowercase());
            blank = false;
        } else if !blank {
            words.push(' ');
            blank = true;
        }
    }
    if !words.ends_with(' ') {
        words.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> Context {
        let mut window = Window::default();
        window.read(text, text.len());
        let phone = index("PHONE");
        window.judge(phone, KINDS[phone])
    }

    #[test]
    fn whole_words_only() {
        assert_eq!(judged("Tel.: "), Context::Label);
        assert_eq!(judged("Bestellungen im Hotel "), Context::Silent);
        assert_eq!(judged("phone-number "), Context::Label);
        assert_eq!(judged(&format!("order{}tel ", "x".repeat(52))), Context::Silent);
    }

    #[test]
    fn the_nearest_word_decides() {
        assert_eq!(judged("tel 12, order "), Context::Negative);
        assert_eq!(judged("order 12, tel "), Context::Label);
        assert_eq!(judged("order 12, from "), Context::Silent);
        assert_eq!(judged("tel 12, SSN: "), Context::OtherLabel);
    }

    #[test]
    fn a_label_is_direct_if_only_fillers_follow() {
        let announced = |text: &str| {
            let mut window = Window::default();
            window.read(text, text.len());
            window.announced()
        };
        assert_eq!(announced("his IBAN number is: "), 1 << index("IBAN"));
        assert_eq!(announced("the IBAN of the plaintiff "), 0);
        let birth = 1 << index("DATE_OF_BIRTH");
        assert_eq!(announced("nato a Reggio (RE) il "), birth);
        assert_eq!(announced("born in Leeds on "), birth);
        assert_eq!(announced("born in 2019, came on "), 0);
        assert_eq!(announced("the born leader came with "), 0);
        // Two kinds share the word.
        assert_eq!(announced("DNI nº "), 1 << index("ES_NIF") | 1 << index("ES_NIE"));
    }
}
