//! How many tokens the clean-up of real documents saves.

use std::fs::File;
use std::path::Path;

use anyhow::{Result, ensure};
use millrace_contract::wire::Page;
use millrace_extraction::{MediaType, Options, Source};
use millrace_sanitization::clean;
use millrace_testkit::binary;
use millrace_tokens::estimate;
use serde_json::{Value, json};

use crate::reading;

/// Reads the corpus's PDFs of several pages and cleans them.
///
/// # Errors
/// If the corpus is not there.
pub fn measure(root: &Path) -> Result<Value> {
    let cases = reading::corpus(root)?;
    let options = Options {
        child_program: Some(binary("millrace-extraction")),
        max_wall_seconds: 600,
        ..Options::default()
    }
    .found();
    println!("\ntokens that the clean-up of documents of three pages and more saves (estimated):");
    println!(
        "{:44} {:>5} {:>8} {:>14} {:>8} {:>8}",
        "", "pages", "before", "running lines", "other", "saved"
    );
    let (mut files, mut all) = (Vec::new(), [0, 0, 0]);
    for case in cases.iter().filter(|case| case.expected == "text" && case.pages >= 3) {
        let source = Source::File(File::open(&case.path)?);
        let text = match millrace_extraction::read_whole(MediaType::Pdf, source, &options, &mut |_, _| {}) {
            Ok(text) => text,
            Err(error) => {
                println!("{:44} was not read: {error}", case.file);
                continue;
            }
        };
        let pages: Vec<Page> = text
            .pages
            .into_iter()
            .map(|page| clean::page(page.number, page.blocks.into_iter().map(|block| block.text)))
            .collect();
        let of = |pages: &[Page], language: &str| -> u64 {
            pages.iter().flat_map(|page| &page.blocks).map(|block| estimate(&block.text, language)).sum()
        };
        let raw = pages.clone();
        let cleaned = clean::clean(pages);
        let language = cleaned.language.code;
        let (before, after) = (of(&raw, language), of(&cleaned.pages, language));
        let running: u64 = cleaned.trimmed.iter().map(|line| estimate(line, language)).sum();
        let saved = before.saturating_sub(after);
        let share = |part: u64, of: u64| 100.0 * part as f64 / of.max(1) as f64;
        println!(
            "{:44} {:>5} {before:>8} {running:>14} {:>8} {:>6.1} %",
            case.file.chars().take(44).collect::<String>(),
            case.pages,
            saved.saturating_sub(running),
            share(saved, before)
        );
        all = [all[0] + before, all[1] + running, all[2] + saved];
        files.push(json!({"file": case.file, "pages": case.pages, "before": before, "running_lines": running, "saved": saved}));
    }
    ensure!(!files.is_empty(), "none of them was read");
    let pct = |part: u64| 100.0 * part as f64 / all[0].max(1) as f64;
    println!(
        "all {} files: {:.1} % of {} tokens, of which running lines and page numbers {:.1} %",
        files.len(),
        pct(all[2]),
        all[0],
        pct(all[1])
    );
    Ok(
        json!({"saved_pct": pct(all[2]), "running_lines_pct": pct(all[1]), "tokens_before": all[0], "files": files}),
    )
}
