//! Precision and recall on labelled documents.
//!
//! The documents are no part of the repository; without them the test says so and passes. Scored as the
//! corpus's own scorer does: typed, a hit is an overlap of at least half the union. The documents mark
//! every instance of each kind counted here.

use millrace_pii::{Options, scan};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/pii/synth_docs.jsonl");

/// The kind here, its label in the corpus, and the F1 below which something broke.
const KINDS: &[(&str, &str, f64)] = &[
    ("EMAIL", "EMAIL", 0.99),
    ("PHONE", "PHONE", 0.97),
    ("CARD", "CREDIT_CARD", 0.97),
    ("IBAN", "IBAN", 0.99),
    ("SSN", "US_SSN", 0.99),
    ("ITIN", "US_ITIN", 0.99),
    ("IP", "IP_ADDRESS", 0.97),
    ("ES_NIF", "ES_NIF", 0.99),
    ("ES_NIE", "ES_NIE", 0.99),
    ("DATE_OF_BIRTH", "DATE_OF_BIRTH", 0.97),
];
const MICRO_FLOOR: f64 = 0.99;

#[derive(Default, Clone, Copy)]
struct Score {
    hits: usize,
    found: usize,
    wanted: usize,
}

impl Score {
    fn precision(self) -> f64 {
        ratio(self.hits, self.found)
    }
    fn recall(self) -> f64 {
        ratio(self.hits, self.wanted)
    }
    fn f1(self) -> f64 {
        ratio(2 * self.hits, self.found + self.wanted)
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

struct Document {
    text: String,
    /// Corpus label and byte range.
    spans: Vec<(String, Range<usize>)>,
}

fn load(lines: &str) -> Vec<Document> {
    lines
        .lines()
        .map(|line| {
            let json: serde_json::Value = serde_json::from_str(line).expect("a line of the corpus is JSON");
            let text = json["text"].as_str().expect("text").to_owned();
            // The corpus counts code points.
            let mut bytes: Vec<usize> = text.char_indices().map(|(i, _)| i).collect();
            bytes.push(text.len());
            let at = |value: &serde_json::Value| bytes[value.as_u64().expect("offset") as usize];
            let spans = json["spans"].as_array().expect("spans");
            let spans = spans
                .iter()
                .map(|s| (s[2].as_str().expect("label").to_owned(), at(&s[0])..at(&s[1])))
                .collect();
            Document { text, spans }
        })
        .collect()
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> f64 {
    let shared = a.end.min(b.end).saturating_sub(a.start.max(b.start));
    ratio(shared, a.end.max(b.end) - a.start.min(b.start))
}

#[test]
fn detectors_hold_their_figures() {
    let Ok(lines) = std::fs::read_to_string(Path::new(CORPUS)) else {
        println!("SKIPPED: no labelled documents at {CORPUS}, nothing was measured");
        return;
    };
    let verbose = std::env::var_os("SHOW_ERRORS").is_some();
    let documents = load(&lines);
    let mut scores: BTreeMap<&str, Score> =
        KINDS.iter().map(|(kind, ..)| (*kind, Score::default())).collect();
    for document in &documents {
        let found = scan(&document.text, &Options::default());
        for (kind, label, _) in KINDS {
            let score = scores.get_mut(kind).expect("every kind has a score");
            let mut unmatched: Vec<&Range<usize>> =
                found.iter().filter(|f| f.kind == *kind).map(|f| &f.range).collect();
            score.found += unmatched.len();
            for (_, wanted) in document.spans.iter().filter(|(l, _)| l == label) {
                score.wanted += 1;
                let best = unmatched.iter().position(|range| overlap(range, wanted) >= 0.5);
                match best {
                    Some(index) => {
                        score.hits += 1;
                        unmatched.remove(index);
                    }
                    None if verbose => println!("missed {kind}: {:?}", around(&document.text, wanted)),
                    None => {}
                }
            }
            if verbose {
                unmatched.iter().for_each(|r| println!("wrong {kind}: {:?}", around(&document.text, r)));
            }
        }
    }

    let total = scores.values().fold(Score::default(), |sum, s| Score {
        hits: sum.hits + s.hits,
        found: sum.found + s.found,
        wanted: sum.wanted + s.wanted,
    });
    println!("{:<14} {:>5} {:>9} {:>6} {:>6}", "kind", "n", "precision", "recall", "F1");
    for (kind, score) in scores.iter().map(|(k, s)| (*k, *s)).chain([("all", total)]) {
        let (precision, recall, f1) = (score.precision(), score.recall(), score.f1());
        println!("{kind:<14} {:>5} {precision:>9.4} {recall:>6.4} {f1:>6.4}", score.wanted);
    }

    for (kind, _, floor) in KINDS {
        assert!(scores[kind].f1() >= *floor, "{kind} fell to {:.4}", scores[kind].f1());
    }
    assert!(total.f1() >= MICRO_FLOOR, "all kinds together fell to {:.4}", total.f1());
}

fn around(text: &str, range: &Range<usize>) -> String {
    let before: String = text[..range.start].chars().rev().take(30).collect();
    let before: String = before.chars().rev().collect();
    let after: String = text[range.end..].chars().take(10).collect();
    format!("{before}[[{}]]{after}", &text[range.clone()])
}
