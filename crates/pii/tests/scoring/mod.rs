//! Precision and recall over labelled documents: as the scorer of the labelled data does it.
//!
//! Typed: a span is right if it shares at least half of the union with one of the same label. Besides, a value
//! is fully masked if spans of whatever kind cover each of its letters and digits.

use std::collections::BTreeMap;
use std::ops::Range;

/// A document with its labels: corpus label and byte range.
pub struct Document {
    pub text: String,
    pub spans: Vec<(String, Range<usize>)>,
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
pub fn load(lines: &str) -> Vec<Document> {
    lines
        .lines()
        .map(|line| {
            let json: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
            let text = json["text"].as_str().expect("text").to_owned();
            let spans = in_bytes(&text, &json["spans"]);
            let spans = spans.into_iter().map(|(label, range, _)| (label, range)).collect();
            Document { spans, text }
        })
        .collect()
}

/// `[[start, end, label, score?], ...]` in code points, as label, range in bytes, score.
pub fn in_bytes(text: &str, spans: &serde_json::Value) -> Vec<(String, Range<usize>, f64)> {
    let mut bytes: Vec<usize> = text.char_indices().map(|(i, _)| i).collect();
    bytes.push(text.len());
    let at = |value: &serde_json::Value| bytes[value.as_u64().expect("offset") as usize];
    spans
        .as_array()
        .expect("spans")
        .iter()
        .map(|s| {
            (s[2].as_str().expect("label").to_owned(), at(&s[0])..at(&s[1]), s[3].as_f64().unwrap_or(1.0))
        })
        .collect()
}

/// What was found of one label, or of several.
#[derive(Default, Clone, Copy, Debug)]
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
    pub fn add(self, other: Self) -> Self {
        Self {
            hits: self.hits + other.hits,
            found: self.found + other.found,
            wanted: self.wanted + other.wanted,
            masked: self.masked + other.masked,
        }
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// Scores by label. Of `found`, only labels in `labels` count.
#[derive(Default)]
pub struct Table {
    pub scores: BTreeMap<String, Score>,
    /// What was missed and what was wrongly found, with its surroundings.
    pub errors: Vec<String>,
}

impl Table {
    pub fn new(labels: &[&str]) -> Self {
        let scores = labels.iter().map(|l| ((*l).to_owned(), Score::default())).collect();
        Self { scores, errors: Vec::new() }
    }

    /// Adds a document. `found` must not overlap.
    pub fn add(&mut self, document: &Document, found: &[(String, Range<usize>)]) {
        let mut used = vec![false; found.len()];
        for (label, wanted) in &document.spans {
            let Some(score) = self.scores.get_mut(label) else { continue };
            score.wanted += 1;
            let covered = document.text[wanted.clone()].char_indices().all(|(i, c)| {
                !c.is_alphanumeric() || found.iter().any(|(_, f)| f.contains(&(wanted.start + i)))
            });
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
    pub fn total(&self, labels: &[&str]) -> Score {
        labels.iter().filter_map(|l| self.scores.get(*l)).fold(Score::default(), |sum, s| sum.add(*s))
    }
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> f64 {
    let shared = a.end.min(b.end).saturating_sub(a.start.max(b.start));
    ratio(shared, a.end.max(b.end) - a.start.min(b.start))
}

fn around(text: &str, range: &Range<usize>) -> String {
    let before: String = text[..range.start].chars().rev().take(40).collect();
    let before: String = before.chars().rev().collect();
    let after: String = text[range.end..].chars().take(40).collect();
    format!("{:?}", format!("{before}[[{}]]{after}", &text[range.clone()]))
}
