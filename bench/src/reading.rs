//! What readers of documents are measured on: files with phrases that must be found, and texts compared by their words.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use unicode_normalization::UnicodeNormalization as _;

/// A file and what is known of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name.
    pub file: String,
    /// Where it is.
    pub path: PathBuf,
    /// How reading it should end: `text`, `scanned`, `encrypted`, `broken` or `empty`.
    pub expected: String,
    /// What opens it, if it is encrypted and that is known.
    pub password: String,
    /// Pages; 0 where nobody can tell.
    pub pages: u32,
    /// What a reader of it must find.
    pub phrases: Vec<String>,
}

/// Where the manifest, whose labels come from one engine that had to repair a file, is known to be wrong. Of the first
/// one no page is lost: every reader rebuilds its cross-reference table. The second has no byte.
const CORRECTED: [(&str, &str); 2] = [("37-broken-issue-848.pdf", "text"), ("38-broken-empty.pdf", "empty")];

/// The corpus of forty files beside the repository, or where `MILLRACE_CORPUS` says.
///
/// # Errors
/// If it is not there.
pub fn corpus(root: &Path) -> Result<Vec<Case>> {
    let beside = || root.join("../shared/corpus/pdf");
    let folder = std::env::var_os("MILLRACE_CORPUS").map_or_else(beside, PathBuf::from);
    let (columns, rows) = table(&folder)?;
    let cases = rows.into_iter().map(|cells| {
        let cell = |name: &str| columns.get(name).and_then(|at| cells.get(*at)).cloned().unwrap_or_default();
        let file = cell("file");
        let corrected = CORRECTED.iter().find(|(known, _)| *known == file).map(|(_, end)| (*end).to_owned());
        Case {
            path: folder.join(&file),
            expected: corrected.unwrap_or_else(|| cell("expected")),
            password: cell("password"),
            pages: cell("pages").parse().unwrap_or(0),
            phrases: (1..=10).map(|n| cell(&format!("phrase{n}"))).filter(|p| !p.is_empty()).collect(),
            file,
        }
    });
    Ok(cases.collect())
}

/// The PDFs among the samples of this repository.
///
/// # Errors
/// If the manifest cannot be read.
pub fn samples(root: &Path) -> Result<Vec<Case>> {
    let folder = root.join("samples");
    let (columns, rows) = table(&folder)?;
    let cases = rows.into_iter().map(|cells| {
        let cell = |name: &str| columns.get(name).and_then(|at| cells.get(*at)).cloned().unwrap_or_default();
        let file = cell("file");
        let code = cell("expected_code");
        let expected = code.strip_prefix("document_").unwrap_or("text").to_owned();
        Case {
            path: folder.join(&file),
            password: String::new(),
            pages: cell("pages").parse().unwrap_or(0),
            phrases: cell("phrases").split('|').filter(|p| !p.is_empty()).map(str::to_owned).collect(),
            expected,
            file,
        }
    });
    // What must be recognised first is no reader's doing.
    let drawn = |case: &Case| matches!(case.file.as_str(), "scanned.pdf" | "mixed.pdf");
    Ok(cases.filter(|case| !drawn(case) && case.path.extension().is_some_and(|is| is == "pdf")).collect())
}

type Table = (HashMap<String, usize>, Vec<Vec<String>>);

fn table(folder: &Path) -> Result<Table> {
    let path = folder.join("MANIFEST.tsv");
    let text = std::fs::read_to_string(&path).with_context(|| format!("no {}", path.display()))?;
    let mut rows = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    let names = rows.next().unwrap_or_default();
    Ok((names.into_iter().enumerate().map(|(at, name)| (name, at)).collect(), rows.collect()))
}

/// Phrases that the text does not hold; NFKC, white space and soft hyphens left out.
pub fn missing<'a>(phrases: &'a [String], text: &str) -> Vec<&'a String> {
    let text = squeezed(text);
    phrases.iter().filter(|phrase| !text.contains(&squeezed(phrase))).collect()
}

fn squeezed(text: &str) -> String {
    text.nfkc().filter(|letter| !letter.is_whitespace() && *letter != '\u{ad}').collect()
}

/// F1 of two bags of words, 0 to 1: NFKC, lower case, words that a line's end hyphenates put together, each letter of a
/// script without spaces a word of its own.
pub fn f1(one: &str, other: &str) -> f64 {
    let (one, other) = (words(one), words(other));
    let mut bag: HashMap<&str, i64> = HashMap::new();
    for word in &one {
        *bag.entry(word).or_default() += 1;
    }
    let mut shared = 0;
    for word in &other {
        if let Some(left) = bag.get_mut(word.as_str())
            && *left > 0
        {
            *left -= 1;
            shared += 1;
        }
    }
    match one.len() + other.len() {
        0 => 1.0,
        all => f64::from(2 * shared) / all as f64,
    }
}

fn words(text: &str) -> Vec<String> {
    // PDFium marks a hyphen at a line's end as U+0002.
    let text: String = text.nfkc().filter(|letter| *letter != '\u{ad}').collect();
    let text = text.replace("-\r\n", "").replace("-\n", "").replace("\u{2}\r\n", "").replace('\u{2}', "");
    let mut words = Vec::new();
    let mut word = String::new();
    for letter in text.chars() {
        let alone = matches!(letter, '\u{e00}'..='\u{eff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
        if (alone || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if alone {
            words.push(letter.to_string());
        } else if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_across_lines_and_ligatures() {
        let phrases = ["the of\u{fb01}ce is closed".to_owned(), "not there".to_owned()];
        assert_eq!(missing(&phrases, "The the office\nis clo\u{ad}sed."), [&phrases[1]]);
    }

    #[test]
    fn words_are_compared_as_bags() {
        assert_eq!(f1("a hyphen-\nated word", "Hyphenated WORD, a"), 1.0);
        assert_eq!(f1("a b", "a c"), 0.5);
        assert_eq!(f1("", "a"), 0.0);
    }
}
