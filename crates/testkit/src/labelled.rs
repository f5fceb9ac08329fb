//! Texts whose values are labelled, and precision and recall over them: as the scorer of the labelled data does it.
//!
//! Typed: a span is right if it shares at least half of the union with one of the same label. Besides, a value
//! is fully masked if spans of whatever kind cover each of its letters and digits.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;

/// A label and the bytes it is about.
pub type Labelled = (String, Range<usize>);

/// A document with its labels.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// What it is called, where it is called anything.
    pub id: String,
    /// Its language (ISO 639-1).
    pub language: String,
    pub text: String,
    pub spans: Vec<Labelled>,
}

/// The kinds of values by the names that labelled data gives them.
pub const LABELS: &[(&str, &str)] = &[
    ("EMAIL", "EMAIL"),
    ("PHONE", "PHONE"),
    ("CARD", "CREDIT_CARD"),
    ("IBAN", "IBAN"),
    ("SSN", "US_SSN"),
    ("ITIN", "US_ITIN"),
    ("ES_NIF", "ES_NIF"),
    ("ES_NIE", "ES_NIE"),
    ("DE_TAX_ID", "DE_TAX_ID"),
    ("FR_NIR", "FR_NIR"),
    ("IT_FISCAL_CODE", "IT_FISCAL_CODE"),
    ("UK_NINO", "UK_NINO"),
    ("UK_NHS", "UK_NHS"),
    ("IN_AADHAAR", "IN_AADHAAR"),
    ("IN_PAN", "IN_PAN"),
    ("BR_CPF", "BR_CPF"),
    ("IP", "IP_ADDRESS"),
    ("MAC", "MAC_ADDRESS"),
    ("URL", "URL"),
    ("CRYPTO", "CRYPTO"),
    ("SECRET", "SECRET"),
    ("DATE_OF_BIRTH", "DATE_OF_BIRTH"),
    ("VAT", "VAT_ID"),
    ("ADDRESS", "ADDRESS"),
    ("PERSON", "PERSON"),
    ("PASSPORT", "PASSPORT"),
    ("PL_PESEL", "PL_PESEL"),
    ("SE_PERSONNUMMER", "SE_PERSONNUMMER"),
    ("BR_CNPJ", "BR_CNPJ"),
    ("NL_BSN", "NL_BSN"),
    ("PT_NIF", "PT_NIF"),
];

/// The corpus's name for a kind, or the kind itself.
pub fn label(kind: &str) -> &str {
    LABELS.iter().find(|(ours, _)| *ours == kind).map_or(kind, |(_, theirs)| theirs)
}

/// Reads labelled documents: one JSON object a line, offsets in code points.
///
/// # Errors
/// If a line is none.
pub fn load(lines: &str) -> Result<Vec<Document>> {
    let document = |line: &str| {
        let json: Value = serde_json::from_str(line).context("a line of labelled documents is JSON")?;
        let of = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        let text = of("text");
        let spans = in_bytes(&text, &json["spans"])?;
        let spans = spans.into_iter().map(|(label, range, _)| (label, range)).collect();
        Ok(Document { id: of("id"), language: of("language"), spans, text })
    };
    lines.lines().map(document).collect()
}

/// `[[start, end, label, score?], ...]` in code points, as label, range in bytes, score.
///
/// # Errors
/// If it is something else, or about another text.
pub fn in_bytes(text: &str, spans: &Value) -> Result<Vec<(String, Range<usize>, f64)>> {
    let mut bytes: Vec<usize> = text.char_indices().map(|(i, _)| i).collect();
    bytes.push(text.len());
    let at = |value: &Value| {
        value.as_u64().and_then(|at| bytes.get(usize::try_from(at).ok()?)).copied().context("an offset")
    };
    let span = |s: &Value| {
        let label = s[2].as_str().context("a label")?.to_owned();
        Ok((label, at(&s[0])?..at(&s[1])?, s[3].as_f64().unwrap_or(1.0)))
    };
    spans.as_array().context("spans")?.iter().map(span).collect()
}

/// Reads samples written by hand, one a line:
///
/// ```text
/// # A remark.
/// de  Bitte auf {{IBAN DE89 3704 0044 0532 0130 00}} überweisen.\nDanke.
/// ```
///
/// The language, blanks, the text. `\n` is a line break; `¦` is nothing, and keeps what looks like a key from being
/// taken for one by whoever searches repositories for keys.
///
/// # Errors
/// If a line is something else.
pub fn samples(lines: &str) -> Result<Vec<Document>> {
    let mut documents = Vec::new();
    for (number, line) in (1..).zip(lines.lines()) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let (language, marked) = line.split_once(' ').with_context(|| format!("line {number}: no text"))?;
        ensure!(language.len() == 2, "line {number}: {language:?} is no language");
        let marked = marked.trim_start().replace("\\n", "\n").replace('¦', "");
        let mut document =
            Document { id: number.to_string(), language: language.to_owned(), ..Document::default() };
        let mut rest = marked.as_str();
        while let Some((before, from)) = rest.split_once("{{") {
            let Some((value, after)) = from.split_once("}}") else {
                bail!("line {number}: no end of a value")
            };
            let (kind, value) =
                value.split_once(' ').with_context(|| format!("line {number}: a value without its kind"))?;
            document.text.push_str(before);
            let start = document.text.len();
            document.text.push_str(value);
            document.spans.push((kind.to_owned(), start..document.text.len()));
            rest = after;
        }
        document.text.push_str(rest);
        documents.push(document);
    }
    Ok(documents)
}

/// What was found of one label, or of several.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    pub hits: usize,
    pub found: usize,
    pub wanted: usize,
    pub masked: usize,
}

impl Score {
    pub fn precision(self) -> f64 {
        ratio(self.hits, self.found)
    }
    pub fn recall(self) -> f64 {
        ratio(self.hits, self.wanted)
    }
    pub fn f1(self) -> f64 {
        ratio(2 * self.hits, self.found + self.wanted)
    }
    pub fn fully_masked(self) -> f64 {
        ratio(self.masked, self.wanted)
    }
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            hits: self.hits + other.hits,
            found: self.found + other.found,
            wanted: self.wanted + other.wanted,
            masked: self.masked + other.masked,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of spans are far below 2^52")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// Scores by label. Of what is found, only labels that the table has count.
#[derive(Default, Debug)]
pub struct Table {
    pub scores: BTreeMap<String, Score>,
    /// What was missed and what was wrongly found, with its surroundings.
    pub errors: Vec<String>,
}

impl Table {
    pub fn new<'l>(labels: impl IntoIterator<Item = &'l str>) -> Self {
        let scores = labels.into_iter().map(|l| (l.to_owned(), Score::default())).collect();
        Self { scores, errors: Vec::new() }
    }

    /// Adds a document. `found` must not overlap; whatever else `also` covers is masked too.
    pub fn add(&mut self, document: &Document, found: &[Labelled], also: &[Range<usize>]) {
        let mut used = vec![false; found.len()];
        let covers = |at: usize| found.iter().map(|(_, f)| f).chain(also).any(|range| range.contains(&at));
        for (label, wanted) in &document.spans {
            let Some(score) = self.scores.get_mut(label) else { continue };
            score.wanted += 1;
            let mut letters =
                document.text[wanted.clone()].char_indices().filter(|(_, c)| c.is_alphanumeric());
            let covered = letters.all(|(i, _)| covers(wanted.start + i));
            score.masked += usize::from(covered);
            let best = found
                .iter()
                .enumerate()
                .filter(|(i, (kind, _))| !used[*i] && kind == label)
                .map(|(i, (_, range))| (i, overlap(range, wanted)))
                .filter(|(_, shared)| *shared >= 0.5)
                .max_by(|a, b| a.1.total_cmp(&b.1));
            if let Some((i, _)) = best {
                used[i] = true;
                score.hits += 1;
            } else {
                self.errors.push(format!("missed {label}: {}", around(&document.text, wanted)));
            }
            if !covered {
                self.errors.push(format!("not masked {label}: {}", around(&document.text, wanted)));
            }
        }
        for (i, (label, range)) in found.iter().enumerate() {
            let Some(score) = self.scores.get_mut(label) else { continue };
            score.found += 1;
            if !used[i] {
                self.errors.push(format!("wrong {label}: {}", around(&document.text, range)));
            }
        }
    }

    /// All of these labels together.
    pub fn total<'l>(&self, labels: impl IntoIterator<Item = &'l str>) -> Score {
        labels.into_iter().filter_map(|l| self.scores.get(l)).fold(Score::default(), |sum, s| sum.plus(*s))
    }
}

/// The best of what overlaps, by score and then by length.
pub fn resolve(mut spans: Vec<(String, Range<usize>, f64)>) -> Vec<Labelled> {
    spans.sort_by(|a, b| b.2.total_cmp(&a.2).then(b.1.len().cmp(&a.1.len())));
    let mut kept: Vec<Labelled> = Vec::new();
    for (label, range, _) in spans {
        if kept.iter().all(|(_, other)| other.end <= range.start || range.end <= other.start) {
            kept.push((label, range));
        }
    }
    kept.sort_by_key(|(_, range)| range.start);
    kept
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> f64 {
    let shared = a.end.min(b.end).saturating_sub(a.start.max(b.start));
    ratio(shared, a.end.max(b.end) - a.start.min(b.start))
}

/// A piece of a text, marked, with what is around it.
pub fn around(text: &str, range: &Range<usize>) -> String {
    let before: String = text[..range.start].chars().rev().take(40).collect();
    let before: String = before.chars().rev().collect();
    let after: String = text[range.end..].chars().take(40).collect();
    format!("{:?}", format!("{before}[[{}]]{after}", &text[range.clone()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_say_where_their_values_are() {
        let documents = samples("# none\n\nde  Ü {{A x¦ y}}\\nund {{B z}}.\nen {{A}}").unwrap_err();
        assert!(documents.to_string().contains("line 4"), "{documents}");
        let documents = samples("# none\n\nde  Ü {{A x¦ y}}\\nund {{B z}}.\n").unwrap();
        assert_eq!(documents[0].text, "Ü x y\nund z.");
        assert_eq!(documents[0].spans, [("A".to_owned(), 3..6), ("B".to_owned(), 11..12)]);
    }

    #[test]
    fn half_of_the_union_is_enough_and_masking_is_of_any_kind() {
        let document = &samples("en {{A abcd}} {{B efgh}} ij").unwrap()[0];
        let mut table = Table::new(["A", "B"]);
        let found = [("A".to_owned(), 0..2), ("A".to_owned(), 5..9), ("C".to_owned(), 10..12)];
        table.add(document, &found, std::slice::from_ref(&(3..4)));
        assert_eq!(table.scores["A"], Score { hits: 1, found: 2, wanted: 1, masked: 0 });
        assert_eq!(table.scores["B"], Score { hits: 0, found: 0, wanted: 1, masked: 1 });
        let mut table = Table::new(["A"]);
        table.add(document, &found[..1], std::slice::from_ref(&(2..4)));
        assert_eq!(table.total(["A", "B"]), Score { hits: 1, found: 1, wanted: 1, masked: 1 });
    }

    #[test]
    fn the_better_of_two_stays() {
        let span = |label: &str, range: Range<usize>, score: f64| (label.to_owned(), range, score);
        let kept = resolve(vec![span("A", 0..4, 0.5), span("B", 3..9, 0.9), span("C", 9..10, 0.1)]);
        assert_eq!(kept, [("B".to_owned(), 3..9), ("C".to_owned(), 9..10)]);
    }

    #[test]
    fn offsets_in_code_points() {
        let line = r#"{"id": "x", "language": "de", "text": "Ü ab", "spans": [[2, 4, "A", 0.5]]}"#;
        assert_eq!(load(line).unwrap()[0].spans, [("A".to_owned(), 3..5)]);
        assert!(load(r#"{"text": "ab", "spans": [[2, 4, "A"]]}"#).is_err());
    }
}
