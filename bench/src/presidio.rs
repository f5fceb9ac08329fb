//! Presidio's pattern recognizers on the same documents, in a process of their own.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use millrace_testkit::labelled::{Document, Labelled, in_bytes, resolve};
use serde_json::{Value, json};

use crate::peers::environment;

/// As this was first measured with.
const LIBRARIES: [&str; 1] = ["presidio-analyzer==2.2.366"];

/// The score from which its spans count: what serves it best, over the labelled documents (0.926 F1 at 0.4, 0.808
/// without any, 0.873 at 0.5).
const THRESHOLD: f64 = 0.4;

/// The labels that it has recognizers of its own for.
pub const LABELS: [&str; 18] = [
    "EMAIL",
    "PHONE",
    "CREDIT_CARD",
    "IBAN",
    "US_SSN",
    "US_ITIN",
    "ES_NIF",
    "ES_NIE",
    "DE_TAX_ID",
    "IT_FISCAL_CODE",
    "UK_NINO",
    "UK_NHS",
    "IN_AADHAAR",
    "IN_PAN",
    "IP_ADDRESS",
    "MAC_ADDRESS",
    "URL",
    "CRYPTO",
];

/// What it found in a document.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Without overlaps.
    pub spans: Vec<Labelled>,
    /// All of them.
    pub covered: Vec<Range<usize>>,
}

/// What it made of several sets of documents.
#[derive(Debug, Default)]
pub struct Presidio {
    /// By set, in the set's order.
    pub found: HashMap<String, Vec<Found>>,
    /// Megabytes a CPU second, by set.
    pub speed: HashMap<String, f64>,
    /// Highest resident memory of its process, MB.
    pub rss_mb: f64,
}

/// Runs it over the sets, each by its name.
///
/// # Errors
/// If it cannot be had, or ends early.
pub fn run(root: &Path, sets: &[(&str, &[Document])]) -> Result<Presidio> {
    let python = environment(root, "presidio", "presidio_analyzer, spacy", &LIBRARIES)?;
    let mut child = Command::new(python)
        .arg(root.join("bench/peers/presidio.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut input = child.stdin.take().context("no input")?;
    let lines: Vec<String> = sets
        .iter()
        .flat_map(|(set, documents)| documents.iter().map(move |d| (set, d)))
        .map(|(set, d)| {
            json!({"set": set, "id": d.id, "language": d.language, "text": d.text}).to_string() + "\n"
        })
        .collect();
    // It answers while it is asked: both at once, or both wait.
    let writing = std::thread::spawn(move || input.write_all(lines.concat().as_bytes()));
    let mut presidio = Presidio::default();
    for line in BufReader::new(child.stdout.take().context("no output")?).lines() {
        presidio.hear(&serde_json::from_str(&line?)?, sets)?;
    }
    writing.join().map_err(|_| anyhow::anyhow!("writing to it failed"))??;
    ensure!(child.wait()?.success(), "it ended early");
    for (set, documents) in sets {
        let answers = presidio.found.get(*set).map_or(0, Vec::len);
        ensure!(
            answers == documents.len(),
            "{answers} answers to the {} documents of {set}",
            documents.len()
        );
    }
    Ok(presidio)
}

impl Presidio {
    fn hear(&mut self, said: &Value, sets: &[(&str, &[Document])]) -> Result<()> {
        if let Some(rss) = said["rss_mb"].as_f64() {
            self.rss_mb = rss;
            return Ok(());
        }
        let name = said["set"].as_str().context("no set")?;
        if let Some(cpu) = said["cpu_s"].as_f64() {
            let bytes = said["bytes"].as_f64().context("no bytes")?;
            self.speed.insert(name.to_owned(), bytes / 1e6 / cpu.max(1e-6));
            return Ok(());
        }
        let found = self.found.entry(name.to_owned()).or_default();
        let (_, documents) = sets.iter().find(|(set, _)| *set == name).context("a set nobody asked about")?;
        let document = documents.get(found.len()).context("an answer too many")?;
        let mut spans = in_bytes(&document.text, &said["spans"])?;
        spans.retain(|(.., score)| *score >= THRESHOLD);
        let covered = spans.iter().map(|(_, range, _)| range.clone()).collect();
        found.push(Found { spans: resolve(spans), covered });
        Ok(())
    }
}
