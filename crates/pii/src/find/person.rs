//! Names of people: best effort. A name counts where a title or a phrase announces it, or where a list knows its
//! first name. Whoever is called by a last name alone, or by a name that no list has, is not found.

use super::candidate;
use crate::kinds::index;
use crate::scan::{Finder, Why};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

struct Lists {
    kind: usize,
    first: HashSet<&'static str>,
    last: HashSet<&'static str>,
    no_names: HashSet<&'static str>,
    titles: HashSet<&'static str>,
    /// By their last byte.
    phrases: Vec<Vec<&'static str>>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| Lists {
    kind: index("PERSON"),
    first: include_str!("../../names/first-us.txt")
        .lines()
        .chain(include_str!("../../names/first-world.txt").lines())
        .collect(),
    last: include_str!("../../names/last-us.txt").lines().collect(),
    no_names: NO_NAMES.iter().copied().collect(),
    titles: TITLES.iter().copied().collect(),
    phrases: {
        let mut table = vec![Vec::new(); 256];
        for phrase in PHRASES {
            table[usize::from(phrase.as_bytes()[phrase.len() - 1])].push(*phrase);
        }
        table
    },
});

impl Lists {
    /// Whether a text ends with a phrase, as whole words.
    fn phrase_before(&self, text: &str) -> bool {
        let Some(last) = text.bytes().next_back() else { return false };
        self.phrases[usize::from(last)]
            .iter()
            .any(|p| text.strip_suffix(p).is_some_and(|head| !head.ends_with(char::is_alphanumeric)))
    }
}

/// Most words that a name has.
const LONGEST: usize = 6;
/// Bytes before a name that are looked at for a title or a phrase.
const BACK: usize = 40;

/// Words that a name follows, without their full stop.
#[rustfmt::skip]
const TITLES: &[&str] = &[
    "mr", "mrs", "ms", "miss", "dr", "prof", "professor", "sir", "dame", "lord", "lady", "rev", "judge", "justice",
    "herr", "herrn", "frau", "fräulein", "m", "mme", "mlle", "monsieur", "madame", "mademoiselle", "maître", "me",
    "sr", "sra", "srta", "señor", "señora", "don", "doña", "sig", "signor", "signora", "sig.ra", "dott", "dott.ssa", "avv", "ing",
    "senhor", "senhora", "dona", "dhr", "mevr", "mevrouw", "meneer", "pan", "pani",
];

/// Phrases that the name of a person follows, in lower case.
#[rustfmt::skip]
const PHRASES: &[&str] = &[
    "dear", "hi", "hello", "sincerely,", "regards,", "faithfully,", "truly,", "signed by", "signed:", "signature:", "name:", "full name:",
    "name is", "my name is", "patient:", "employee:", "tenant:", "landlord:", "attn:", "attention:", "attn", "c/o", "between", "represented by", "i, the undersigned",
    "the undersigned", "by and between", "contact:", "author:", "witness:", "seller:", "buyer:",
    "zwischen", "vertreten durch", "liebe", "lieber", "gez.", "unterzeichnet von", "ansprechpartner:", "ansprechpartnerin:", "name und anschrift:", "mieter:", "vermieter:", "grüßen", "grüßen,",
    "soussigné", "soussignée", "soussignés :", "les soussignés :", "représenté par", "représentée par", "cher", "chère", "nom :", "nom:", "signé par", "entre",
    "entre", "nombre:", "firmado por", "representado por", "representada por", "estimado", "estimada", "de una parte,", "fdo.:",
    "tra", "rappresentato da", "rappresentata da", "gentile", "egregio", "nome:", "firmato da", "sottoscritto", "sottoscritta", "cordiali saluti,",
    "representado por", "caro", "cara", "prezado", "prezada", "assinado por", "tussen", "beste", "geachte", "hoogachtend,",
];

/// Words that a name is not made of, in lower case: forms of address, parts of firms, words of contracts.
#[rustfmt::skip]
const NO_NAMES: &[&str] = &[
    "sir", "madam", "customer", "client", "team", "all", "colleague", "colleagues", "friend", "friends", "hiring", "manager", "sirs", "valued",
    "ltd", "limited", "inc", "llc", "llp", "plc", "corp", "corporation", "company", "co", "gmbh", "ag", "kg", "ohg", "ug", "se", "sa", "sas", "sarl", "srl", "spa", "sl", "bv", "nv",
    "bank", "group", "holding", "holdings", "university", "institute", "association", "council", "department", "ministry", "court", "city", "county", "state", "the",
    "seller", "buyer", "landlord", "tenant", "party", "parties", "agreement", "contract", "employer", "employee", "lender", "borrower", "licensor", "licensee",
    "street", "road", "avenue", "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    "damen", "herren", "kunde", "kundin", "kollegen", "firma", "verkäufer", "käufer", "vertrag", "monsieur", "madame", "société", "vendeur", "acheteur", "señor", "señora",
    "cliente", "vendedor", "comprador", "sociedad", "venditore", "acquirente", "società", "signore", "signori", "we", "it", "this", "that", "these", "those", "he", "she", "they", "you", "i",
    "there", "here", "what", "when", "where", "who", "how", "if", "in", "on", "at", "to", "for", "and", "or", "but", "not", "no", "yes", "please", "thank", "thanks", "our", "your", "my",
    "der", "die", "das", "ein", "eine", "und", "ich", "wir", "sie", "er", "es", "le", "la", "les", "un", "une", "el", "los", "las", "una", "il", "lo", "gli",
];

/// Looks for names all over a piece of text.
pub(crate) fn scan(text: &str, finder: &mut Finder<'_>) {
    let lists = &*LISTS;
    let mut at = 0;
    while let Some(start) = next_capital(text, at) {
        let words = name_at(text, start);
        let Some(last) = words.last() else {
            at = start + text[start..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        at = last.end;
        if let Some((range, score, why)) = judge(text, &words, lists) {
            finder.push(candidate(lists.kind, range, score, why));
        }
    }
}

/// The next capital that begins a word.
fn next_capital(text: &str, from: usize) -> Option<usize> {
    let mut inside = text[..from].ends_with(char::is_alphanumeric);
    for (i, c) in text[from..].char_indices() {
        if c.is_uppercase() && !inside {
            return Some(from + i);
        }
        inside = c.is_alphanumeric() || c == '\'' || c == '’';
    }
    None
}

/// The words of what may be a name: `Anna-Maria J. van der Berg`.
fn name_at(text: &str, start: usize) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut at = start;
    let mut particles = 0;
    while words.len() < LONGEST {
        let rest = &text[at..];
        let length: usize = rest
            .chars()
            .take_while(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '-'))
            .map(char::len_utf8)
            .sum();
        let word = rest[..length].trim_end_matches(['\'', '’', '-']);
        let initial = word.chars().count() == 1 && rest[word.len()..].starts_with('.');
        let particle = matches!(
            word,
            "van"
                | "von"
                | "de"
                | "der"
                | "den"
                | "di"
                | "da"
                | "del"
                | "della"
                | "dos"
                | "du"
                | "la"
                | "le"
                | "bin"
                | "al"
                | "zu"
                | "ter"
        );
        if word.starts_with(char::is_uppercase) {
            particles = 0;
            words.push(at..at + word.len() + usize::from(initial));
        } else if particle && !words.is_empty() && particles < 2 {
            particles += 1;
            words.push(at..at + word.len());
        } else {
            break;
        }
        at = words.last().map_or(at, |w| w.end);
        // A name may go on in the next line only behind its first word; two lines are two things.
        if !text[at..].starts_with(' ') || length > word.len() {
            break;
        }
        at += 1;
    }
    // Particles lead to something.
    words.truncate(words.len() - particles.min(words.len()));
    words
}

fn judge(text: &str, words: &[Range<usize>], lists: &Lists) -> Option<(Range<usize>, u8, Why)> {
    let lower: Vec<String> =
        words.iter().map(|w| text[w.clone()].trim_end_matches('.').to_lowercase()).collect();
    let no_name = |i: usize| {
        let particle = !text[words[i].clone()].starts_with(char::is_uppercase);
        !particle && lists.no_names.contains(lower[i].as_str())
    };
    let initials = |i: usize| text[words[i].clone()].ends_with('.');
    // A title may be among the words itself: `Mr Smith`, `Dear Mrs Jones`.
    if let Some(title) = lower.iter().rposition(|w| lists.titles.contains(w.as_str())) {
        let rest = &words[title + 1..];
        // `M. Dupont` and `Dr. Meier`: the full stop ends the words, so what follows has the title before it.
        if !rest.is_empty()
            && !(title + 1..words.len()).any(no_name)
            && (lower[title].len() > 2 || initials(title) || lower[title].len() == 2)
        {
            return Some((rest[0].start..rest[rest.len() - 1].end, 75, Why::Phrase));
        }
        return None;
    }
    let mut skip = 0;
    // A sentence's first word, or a phrase's: `Dear John Smith`.
    while skip < lower.len() && (no_name(skip) || PHRASES.contains(&lower[skip].as_str())) {
        skip += 1;
    }
    let end = (skip..lower.len()).find(|i| no_name(*i)).unwrap_or(lower.len());
    let firm = end < lower.len();
    let (words, lower) = (&words[skip..end], &lower[skip..end]);
    let (start, stop) = (words.first()?.start, words.last()?.end);
    let before = before(text, start);
    let title = before.trim_end_matches([' ', '.']);
    let title = title.rsplit(|c: char| !(c.is_alphanumeric() || c == '.')).next().unwrap_or_default();
    let announced = before.ends_with(' ') && lists.titles.contains(title);
    if announced {
        return Some((start..stop, 75, Why::Phrase));
    }
    let known_first =
        lists.first.contains(lower[0].as_str()) || lower[0].split('-').all(|w| lists.first.contains(w));
    let known_last = lower.len() > 1 && lists.last.contains(lower[lower.len() - 1].as_str());
    if known_first && lower.len() > 1 && !firm {
        return Some((start..stop, if known_last { 75 } else { 60 }, Why::List));
    }
    let phrase = lists.phrase_before(before.trim_end());
    if phrase && !firm && (lower.len() > 1 || known_first) {
        return Some((start..stop, 60, Why::Phrase));
    }
    None
}

/// What stands before a name, in lower case.
fn before(text: &str, start: usize) -> String {
    let mut from = start.saturating_sub(BACK);
    while !text.is_char_boundary(from) {
        from -= 1;
    }
    text[from..start].to_lowercase().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use crate::{Options, scan};

    #[test]
    fn names() {
        for (text, expected) in [
            ("Dear Mr. Smith, we", vec!["Smith"]),
            ("Sehr geehrte Frau Dr. Müller-Lüdenscheidt,", vec!["Müller-Lüdenscheidt"]),
            ("entre Mme Claire Dubois et M. Jean Petit", vec!["Claire Dubois", "Jean Petit"]),
            ("between Anna van der Berg and Acme Holdings Limited", vec!["Anna van der Berg"]),
            ("signed by Xqu Zblat today", vec!["Xqu Zblat"]),
            ("Giuseppe Verdi and Maria Rossi", vec!["Giuseppe Verdi", "Maria Rossi"]),
            ("Yours sincerely,\nRobert J. Johnson", vec!["Robert J. Johnson"]),
            ("Dear Sir or Madam, the Buyer pays the Seller.", vec![]),
            ("The United Nations met in New York in May.", vec![]),
        ] {
            let spans = scan(text, &Options::default().with_names());
            let found: Vec<&str> =
                spans.iter().filter(|s| s.kind == "PERSON").map(|s| &text[s.range.clone()]).collect();
            assert_eq!(found, expected, "{text}");
            assert!(scan(text, &Options::default()).iter().all(|s| s.kind != "PERSON"));
        }
    }
}
