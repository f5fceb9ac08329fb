//! What the search for personal data is measured on: labelled documents, and prose that has next to nothing to be found.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use millrace_pii::{Options, scan};
use millrace_testkit::labelled::{Document, Labelled, label, load, samples};
use nix::sys::resource::{UsageWho, getrusage};

/// The labels of the documents that are scored, but for addresses of streets.
pub const LABELS: [&str; 23] = [
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
    "FR_NIR",
    "BR_CPF",
    "SECRET",
    "VAT_ID",
    "DATE_OF_BIRTH",
];

/// Where the labelled documents are: beside the repository, or where `MILLRACE_PII_CORPUS` says.
pub fn corpus(root: &Path) -> PathBuf {
    let beside = || root.join("../shared/corpus/pii");
    std::env::var_os("MILLRACE_PII_CORPUS").map_or_else(beside, PathBuf::from)
}

/// A file of labelled documents.
///
/// # Errors
/// If it is not there, or no such file.
pub fn documents(folder: &Path, name: &str) -> Result<Vec<Document>> {
    let path = folder.join(format!("{name}.jsonl"));
    load(&std::fs::read_to_string(&path).with_context(|| format!("no {}", path.display()))?)
}

/// The samples of this repository, labels as in the corpus.
///
/// # Errors
/// If they cannot be read.
pub fn own(root: &Path) -> Result<Vec<Document>> {
    let folder = root.join("crates/pii/tests/samples");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .with_context(|| format!("no {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|is| is == "txt"))
        .collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        all.extend(samples(&std::fs::read_to_string(&file)?).with_context(|| file.display().to_string())?);
    }
    for (kind, _) in all.iter_mut().flat_map(|document| &mut document.spans) {
        *kind = label(kind).to_owned();
    }
    Ok(all)
}

/// What our engine finds, by the corpus's labels.
pub fn ours(text: &str, options: &Options) -> Vec<Labelled> {
    scan(text, options).into_iter().map(|span| (label(span.kind).to_owned(), span.range)).collect()
}

/// Prose: the text files of a folder, or a text file, a paragraph a line; the name of a file is its language.
///
/// # Errors
/// If there is none.
pub fn prose_of(path: &Path) -> Result<Vec<Document>> {
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        files = std::fs::read_dir(path)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.sort();
    }
    let mut prose = Vec::new();
    for file in files {
        let language = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).with_context(|| format!("no {}", file.display()))?;
        prose.extend(in_documents(text.lines().map(|line| (language.as_str(), line))));
    }
    ensure!(!prose.is_empty(), "no text in {}", path.display());
    Ok(prose)
}

/// Prose from between the labelled values: lines without any, as long as a sentence, and without what their maker took out
/// of the sentences that fill the documents (signs of addresses, seven digits and more).
pub fn filler(labelled: &[Document]) -> Vec<Document> {
    let mut seen = HashSet::new();
    let mut lines = Vec::new();
    for document in labelled {
        let mut at = 0;
        for line in document.text.split('\n') {
            let range = at..at + line.len();
            at = range.end + 1;
            let labelled = document.spans.iter().any(|(_, s)| s.start < range.end && range.start < s.end);
            let digits = line.bytes().filter(u8::is_ascii_digit).count();
            let plain = digits < 7 && !line.contains('@') && !line.contains("://");
            if !labelled && plain && line.len() >= 80 && seen.insert(line) {
                lines.push((document.language.as_str(), line));
            }
        }
    }
    lines.sort_by_key(|(language, _)| *language);
    in_documents(lines.into_iter())
}

/// Lines of one language put together to texts of about a page.
fn in_documents<'t>(lines: impl Iterator<Item = (&'t str, &'t str)>) -> Vec<Document> {
    const PAGE: usize = 2000;
    let mut documents: Vec<Document> = Vec::new();
    for (language, line) in lines {
        match documents.last_mut() {
            Some(last) if last.language == language && last.text.len() < PAGE => {
                last.text.push('\n');
                last.text.push_str(line);
            }
            _ => documents.push(Document {
                id: documents.len().to_string(),
                language: language.to_owned(),
                text: line.to_owned(),
                ..Document::default()
            }),
        }
    }
    documents
}

/// Bytes of all texts.
pub fn bytes(documents: &[Document]) -> usize {
    documents.iter().map(|document| document.text.len()).sum()
}

/// Megabytes that `work` does in a second of this thread's CPU time: the median of rounds of at least a quarter of a
/// second, after one that is not counted.
///
/// # Errors
/// If the kernel does not count.
pub fn mb_per_cpu_s(documents: &[Document], mut work: impl FnMut(&Document)) -> Result<f64> {
    const ROUNDS: usize = 7;
    const LEAST: f64 = 0.25;
    documents.iter().for_each(&mut work);
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let (begun, mut passes) = (thread_cpu_s()?, 0);
        let spent = loop {
            documents.iter().for_each(&mut work);
            passes += 1;
            let spent = thread_cpu_s()? - begun;
            if spent >= LEAST {
                break spent;
            }
        };
        rounds.push((passes * bytes(documents)) as f64 / 1e6 / spent);
    }
    rounds.sort_by(f64::total_cmp);
    Ok(rounds[ROUNDS / 2])
}

/// User and system time of this thread, seconds.
fn thread_cpu_s() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD)?;
    let part = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(part(usage.user_time()) + part(usage.system_time()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filler_is_what_has_no_value() {
        let sentence =
            "It was a long and quiet evening, and nobody had anything to say about the weather of May.";
        let text = format!("Write to a@b.com.\n{sentence}\n{sentence}\nInvoice 12345678 {sentence}\n");
        let labelled = Document { spans: vec![("EMAIL".to_owned(), 9..16)], text, ..Document::default() };
        let filler = filler(&[labelled]);
        assert_eq!(filler.iter().map(|d| d.text.as_str()).collect::<Vec<_>>(), [sentence]);
    }

    #[test]
    fn pages_are_of_one_language() {
        let line = "x".repeat(1500);
        let documents =
            in_documents([("de", &*line), ("de", &line), ("de", &line), ("en", &line)].into_iter());
        assert_eq!(documents.iter().map(|d| d.text.len()).collect::<Vec<_>>(), [3001, 1500, 1500]);
    }
}
