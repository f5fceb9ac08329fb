//! How far the estimate of tokens is from what real vocabularies count.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use millrace_testkit::labelled::{Document, samples};
use millrace_tokens::estimate;
use serde_json::{Value, json};

use crate::peers::environment;

/// Texts that the estimate was not fitted to.
pub struct Texts {
    name: &'static str,
    documents: Vec<Document>,
}

/// What a text was taken for, and what it is.
#[derive(Debug, Clone, Copy)]
struct Pair {
    estimated: u64,
    counted: u64,
}

impl Pair {
    fn error(self) -> f64 {
        self.estimated.abs_diff(self.counted) as f64 / self.counted.max(1) as f64
    }
}

/// The texts: paragraphs of a contract in many languages, and of the labelled documents the half that was not used for
/// fitting, as they are and redacted.
///
/// # Errors
/// If the paragraphs cannot be read.
pub fn texts(root: &Path, labelled: &[Document]) -> Result<Vec<Texts>> {
    let paragraphs = samples(&std::fs::read_to_string(root.join("bench/texts.txt"))?)?;
    let mut seen = std::collections::HashMap::new();
    let unseen: Vec<Document> = labelled
        .iter()
        .filter(|document| {
            let place: &mut usize = seen.entry(document.language.clone()).or_default();
            *place += 1;
            place.is_multiple_of(2)
        })
        .cloned()
        .collect();
    let redacted = unseen.iter().map(|document| Document { text: redacted(document), ..document.clone() });
    let mut all = vec![Texts { name: "contracts in 23 languages", documents: paragraphs }];
    if !labelled.is_empty() {
        all.push(Texts { name: "documents, redacted", documents: redacted.collect() });
        all.push(Texts { name: "documents full of ids", documents: unseen });
    }
    Ok(all)
}

fn redacted(document: &Document) -> String {
    millrace_sanitization::redactor::Redactor::new().redact(&document.text)
}

/// A vocabulary's name, and what counts with it.
type Vocabulary<'a> = (&'static str, Box<dyn Fn(&[&str]) -> Result<Vec<u64>> + 'a>);

/// Measures with every vocabulary that can be had; `gemini` is the file of Gemini's.
///
/// # Errors
/// If a vocabulary that is there cannot be used.
pub fn measure(root: &Path, texts: &[Texts], gemini: Option<&Path>) -> Result<Value> {
    let o200k = tiktoken_rs::o200k_base()?;
    let count =
        move |texts: &[&str]| Ok(texts.iter().map(|t| o200k.encode_ordinary(t).len() as u64).collect());
    let mut vocabularies: Vec<Vocabulary<'_>> = Vec::new();
    match gemini {
        Some(file) => {
            vocabularies.push(("gemini", Box::new(move |texts: &[&str]| with_gemini(root, file, texts))))
        }
        None => println!(
            "\n*** NO VOCABULARY OF GEMINI (--gemini-vocabulary): the estimate is measured with another's ***"
        ),
    }
    vocabularies.push(("o200k", Box::new(count)));
    println!(
        "\ntokens: the estimate's error        mean    9 of 10   within 5 %   (after calibration by usage: mean, 9 of 10, within 5 %)"
    );
    let mut report = serde_json::Map::new();
    for (name, count) in &vocabularies {
        let mut of_texts = serde_json::Map::new();
        for set in texts {
            let all: Vec<&str> = set.documents.iter().map(|d| d.text.as_str()).collect();
            let counted = count(&all)?;
            ensure!(counted.len() == all.len(), "{name} counted {} of {} texts", counted.len(), all.len());
            let mut pairs: Vec<Pair> = set
                .documents
                .iter()
                .zip(counted)
                .map(|(d, counted)| Pair { estimated: estimate(&d.text, &d.language), counted })
                .collect();
            let raw = Errors::of(pairs.iter().map(|pair| pair.error()).collect());
            // Languages take turns, as documents of many senders do.
            let mut order: Vec<usize> = (0..pairs.len()).collect();
            order.sort_by_key(|n| n.wrapping_mul(0x9e37_79b9) % 1009);
            pairs = order.into_iter().map(|n| pairs[n]).collect();
            let calibrated = Errors::of(calibrated(&pairs));
            println!("{name:7} {:27} {raw}   ({calibrated})", set.name);
            of_texts.insert(
                set.name.to_owned(),
                json!({"raw": raw.json(), "calibrated": calibrated.json(), "texts": pairs.len()}),
            );
        }
        report.insert((*name).to_owned(), Value::Object(of_texts));
    }
    Ok(Value::Object(report))
}

/// Errors of estimates that are corrected as inference corrects them, by a tenth of each new ratio; the first documents,
/// from which it learns, left out.
fn calibrated(pairs: &[Pair]) -> Vec<f64> {
    const FIRST: usize = 5;
    let mut factor: Option<f64> = None;
    let mut errors = Vec::new();
    for (number, pair) in pairs.iter().enumerate() {
        let corrected =
            Pair { estimated: (pair.estimated as f64 * factor.unwrap_or(1.0)).ceil() as u64, ..*pair };
        if number >= FIRST {
            errors.push(corrected.error());
        }
        let ratio = pair.counted as f64 / pair.estimated.max(1) as f64;
        factor = Some(factor.map_or(ratio, |factor| factor + (ratio - factor) * 0.1));
    }
    errors
}

/// Errors, from the least.
struct Errors(Vec<f64>);

impl Errors {
    fn of(mut errors: Vec<f64>) -> Self {
        errors.sort_by(f64::total_cmp);
        Self(errors)
    }

    fn figures(&self) -> (f64, f64, f64) {
        let count = self.0.len().max(1);
        let within = self.0.iter().filter(|error| **error <= 0.05).count();
        let ninth = self.0.get(self.0.len() * 9 / 10).copied().unwrap_or(0.0);
        (self.0.iter().sum::<f64>() / count as f64, ninth, within as f64 / count as f64)
    }

    fn json(&self) -> Value {
        let (mean, ninth, within) = self.figures();
        json!({"mean": mean, "ninth_decile": ninth, "within_5_pct": within})
    }
}

impl std::fmt::Display for Errors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (mean, ninth, within) = self.figures();
        write!(f, "{:>5.1} % {:>8.1} % {:>9.0} %", 100.0 * mean, 100.0 * ninth, 100.0 * within)
    }
}

fn with_gemini(root: &Path, file: &Path, texts: &[&str]) -> Result<Vec<u64>> {
    let python = environment(root, "tokens", "sentencepiece", &["sentencepiece==0.2.3"])?;
    let mut child = Command::new(python)
        .arg(root.join("bench/peers/gemini_tokens.py"))
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let lines: Vec<String> = texts.iter().map(|text| json!(text).to_string() + "\n").collect();
    let mut input = child.stdin.take().context("no input")?;
    let writing = std::thread::spawn(move || input.write_all(lines.concat().as_bytes()));
    let output = child.wait_with_output()?;
    writing.join().map_err(|_| anyhow::anyhow!("writing to it failed"))??;
    ensure!(output.status.success(), "counting with {} failed", file.display());
    String::from_utf8(output.stdout)?.lines().map(|line| Ok(line.parse()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calibration_takes_out_what_all_have_in_common() {
        let pairs: Vec<Pair> =
            (0..40).map(|n| Pair { estimated: 1000 + n, counted: 2 * (1000 + n) }).collect();
        assert!(Errors::of(calibrated(&pairs)).figures().1 < 0.001);
        assert!((Errors::of(pairs.iter().map(|p| p.error()).collect()).figures().0 - 0.5).abs() < 1e-9);
    }
}
