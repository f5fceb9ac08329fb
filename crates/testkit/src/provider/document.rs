//! Finds the document in a prompt: its blocks, and the dates, numbers and sums in them.

use super::hash::hash;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// A block of the document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    pub id: &'a str,
    pub text: &'a str,
}

/// The document of a prompt.
pub(super) struct Document<'a> {
    pub blocks: Vec<Block<'a>>,
    pub hash: u64,
    /// Where it ends in the text in which it was found.
    pub end: usize,
}

impl<'a> Document<'a> {
    /// Everything from the first line that begins with a block mark to the end of the last one. A text without marks
    /// is a document of lines.
    pub fn find(text: &'a str) -> Document<'a> {
        let mut blocks = Vec::new();
        let (mut begin, mut end) = (None, 0);
        let mut at = 0;
        for piece in text.split_inclusive('\n') {
            let begins = at;
            at += piece.len();
            let line = piece.trim_end_matches('\n');
            let Some((id, words)) = line.strip_prefix('[').and_then(|line| line.split_once("] ")) else {
                continue;
            };
            if is_id(id) {
                begin.get_or_insert(begins);
                end = begins + line.len();
                blocks.push(Block { id, text: words.trim() });
            }
        }
        if blocks.is_empty() {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            blocks.extend(lines.map(|text| Block { id: "p1.b1", text }));
            end = text.len();
        }
        let hash = hash(&text.as_bytes()[begin.unwrap_or(0)..end]);
        Document { blocks, hash, end }
    }

    /// `es` or `en`.
    pub fn language(&self) -> &'static str {
        let count = |words: [&str; 3]| -> usize {
            let texts = self.blocks.iter().take(50);
            texts.map(|block| words.iter().map(|word| block.text.matches(word).count()).sum::<usize>()).sum()
        };
        if count([" de ", " el ", " la "]) > count([" the ", " of ", " shall "]) { "es" } else { "en" }
    }
}

/// `p3.b2` and its like.
fn is_id(text: &str) -> bool {
    let part = |part: &str| {
        let digits = part.trim_start_matches(|c: char| c.is_ascii_lowercase());
        digits.len() < part.len() && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
    };
    text.len() <= 24 && text.contains('.') && text.split('.').all(part)
}

const MONTHS: [[&str; 2]; 12] = [
    ["january", "enero"],
    ["february", "febrero"],
    ["march", "marzo"],
    ["april", "abril"],
    ["may", "mayo"],
    ["june", "junio"],
    ["july", "julio"],
    ["august", "agosto"],
    ["september", "septiembre"],
    ["october", "octubre"],
    ["november", "noviembre"],
    ["december", "diciembre"],
];

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|error| panic!("{error}"))
}

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    let month = MONTHS.concat().join("|");
    pattern(&format!(
        r"(?i)\b(?:(\d{{4}})-(\d\d)-(\d\d)|(\d{{1,2}})(?:st|nd|rd|th|º)?(?: day)?(?: of| de)? ({month}),?(?: de| del)? (\d{{4}})|({month}) (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}}))\b"
    ))
});
static SUM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:\b(?:GBP|EUR|USD)|[£€$])\s?(\d(?:[\d.,]*\d)?)|\b(\d(?:[\d.,]*\d)?)\s?(?:(?:GBP|EUR|USD|euros)\b|[£€$])",
    )
});
static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|[\s(])(\d(?:[\d.,]*\d)?)(?:$|[\s),.;:%])"));

/// Where the first date stands, and the same as YYYY-MM-DD.
pub(super) fn date(text: &str) -> Option<(Range<usize>, String)> {
    let found = DATE.captures(text)?;
    let group = |at: usize| found.get(at).map(|group| group.as_str());
    let (year, month, day) = match (group(1), group(5), group(7)) {
        (Some(year), ..) => (year, group(2)?.parse().ok()?, group(3)?),
        (_, Some(month), _) => (group(6)?, month_of(month)?, group(4)?),
        (.., month) => (group(9)?, month_of(month?)?, group(8)?),
    };
    let day: u8 = day.parse().ok()?;
    let real = (1..=12).contains(&month) && (1..=31).contains(&day);
    real.then(|| (found.get(0).map_or(0..0, |all| all.range()), format!("{year}-{month:02}-{day:02}")))
}

fn month_of(name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    MONTHS.iter().position(|names| names.contains(&name.as_str())).map(|at| at + 1)
}

/// Where the first sum of money stands, with its currency, and the number in it.
pub(super) fn sum(text: &str) -> Option<(Range<usize>, &str)> {
    let found = SUM.captures(text)?;
    let number = found.get(1).or_else(|| found.get(2))?;
    Some((found.get(0)?.range(), number.as_str()))
}

/// Where the first number stands by itself.
pub(super) fn number(text: &str) -> Option<(Range<usize>, &str)> {
    let number = NUMBER.captures(text)?.get(1)?;
    Some((number.range(), number.as_str()))
}

/// The value: a point or comma before one or two digits at the end is the decimal mark, others separate thousands.
pub(super) fn value(number: &str) -> Option<f64> {
    let decimals = number.rfind(['.', ',']).filter(|at| number.len() - at <= 3);
    let digits = |part: &str| part.chars().filter(char::is_ascii_digit).collect::<String>();
    let (whole, part) = number.split_at(decimals.unwrap_or(number.len()));
    format!("{}.{}", digits(whole), digits(part) + "0").parse().ok()
}

/// The currency of a text, if it names one.
pub(super) fn currency(text: &str) -> Option<&'static str> {
    let signs = [
        ("GBP", "GBP"),
        ("EUR", "EUR"),
        ("USD", "USD"),
        ("£", "GBP"),
        ("€", "EUR"),
        ("euros", "EUR"),
        ("$", "USD"),
    ];
    signs.iter().filter_map(|(sign, code)| Some((text.find(sign)?, *code))).min().map(|(_, code)| code)
}

/// Where the words stand.
pub(super) fn words(text: &str) -> Vec<Range<usize>> {
    let base = text.as_ptr().addr();
    text.split_whitespace()
        .map(|word| word.as_ptr().addr() - base)
        .zip(text.split_whitespace())
        .map(|(at, word)| at..at + word.len())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_dates_sums_and_numbers() {
        let prompt = "It is data.\n\nFENCE\n[p1.b1] On 1 March 2026 it began.\n[p1.b2] A fee of GBP 18,500.00 within 30 days.\n\
                      [EMAIL_1] is no block\nFENCE\n\nWhat is [p9.b9]?\n[see] nothing";
        let document = Document::find(prompt);
        let ids: Vec<&str> = document.blocks.iter().map(|block| block.id).collect();
        assert_eq!(ids, ["p1.b1", "p1.b2"]);
        assert!(prompt[..document.end].ends_with("30 days."));
        let [first, second] = [document.blocks[0].text, document.blocks[1].text];
        let (at, iso) = date(first).unwrap();
        assert_eq!((&first[at], iso.as_str()), ("1 March 2026", "2026-03-01"));
        assert_eq!(date("el 2 de mayo de 2025").unwrap().1, "2025-05-02");
        assert_eq!(date("on May 3rd, 2024").unwrap().1, "2024-05-03");
        assert_eq!(value(sum(second).unwrap().1), Some(18500.0));
        assert_eq!(value("18.500,5"), Some(18500.5));
        assert_eq!(number("within 30 days").unwrap().1, "30");
        assert_eq!(number("to [EMAIL_1]"), None);
        assert_eq!(currency("of £ 3"), Some("GBP"));
        assert_eq!(Document::find("a\nb").blocks.len(), 2);
    }
}
