//! What is done to a document's text before a model sees it: parts, without boilerplate, with more taken out. Block
//! ids stay what they were, so evidence means the same whatever was left out.

use millrace_contract::wire::{Block, DocumentText, Page};
use regex::Regex;
use std::collections::HashSet;
use std::sync::LazyLock;

/// A heading is short and does not end like a sentence.
const HEADING: usize = 80;

/// Splits a document into so many parts of about the same length, on block boundaries. Each part begins with the
/// document's first block and the heading that it falls under, so that it can be understood by itself.
pub fn split(document: &DocumentText, parts: u32) -> Vec<DocumentText> {
    let blocks: Vec<(u32, &Block)> =
        document.pages.iter().flat_map(|page| page.blocks.iter().map(|block| (page.number, block))).collect();
    let parts = usize::try_from(parts.max(1)).unwrap_or(1).min(blocks.len().max(1));
    if parts == 1 {
        return vec![document.clone()];
    }
    let whole: usize = blocks.iter().map(|(_, block)| block.text.len()).sum();
    let mut made: Vec<Vec<usize>> = vec![Vec::new()];
    let mut filled = 0;
    for (at, (_, block)) in blocks.iter().enumerate() {
        // The share of the text that lies before this block says whose it is.
        if filled * parts >= whole * made.len() && made.len() < parts && !made[made.len() - 1].is_empty() {
            made.push(Vec::new());
        }
        let last = made.len() - 1;
        made[last].push(at);
        filled += block.text.len();
    }
    made.into_iter()
        .map(|mut chosen| {
            let first = chosen.first().copied().unwrap_or(0);
            let heading = (1..first).rev().find(|&at| is_heading(&blocks[at].1.text));
            let context = [(first > 0).then_some(0), heading].into_iter().flatten();
            chosen.splice(0..0, context);
            gather(document, chosen.into_iter().map(|at| blocks[at]))
        })
        .collect()
}

/// Leaves out what says nothing: blocks that were there before, tables of contents, lines to sign on.
pub fn shorten(document: &DocumentText) -> DocumentText {
    static FILLER: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?m)^.{0,120}(?:\.{5,}|(?:\. ){4,}|_{5,}).{0,20}$").ok());
    let mut seen = HashSet::new();
    let blocks = document.pages.iter().flat_map(|page| page.blocks.iter().map(|block| (page.number, block)));
    let kept = blocks.filter(|(_, block)| {
        let folded: String = block.text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let filler = FILLER.as_ref().is_some_and(|filler| {
            let lines = block.text.lines().count();
            filler.find_iter(&block.text).count() * 2 > lines
        });
        seen.insert(folded) && !filler
    });
    gather(document, kept)
}

/// Takes names and long numbers out as well, for a filter that stumbles over them. Amounts and dates stay.
pub fn redact_more(document: &DocumentText) -> DocumentText {
    static NAMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"\b\p{Lu}[\p{Ll}'’-]+(?:\s+(?:de|del|la|van|von|\p{Lu}\.?))*\s+\p{Lu}[\p{Ll}'’-]+\b").ok()
    });
    static NUMBERS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b\d{7,}\b").ok());
    let mut redacted = document.clone();
    for block in redacted.pages.iter_mut().flat_map(|page| &mut page.blocks) {
        for (pattern, placeholder) in [(&NAMES, "[NAME]"), (&NUMBERS, "[NUMBER]")] {
            if let Some(pattern) = pattern.as_ref() {
                block.text = pattern.replace_all(&block.text, placeholder).into_owned();
            }
        }
    }
    redacted
}

fn is_heading(text: &str) -> bool {
    let text = text.trim();
    text.chars().count() <= HEADING
        && !text.ends_with(['.', ';', ',', ':'])
        && text.chars().any(char::is_alphabetic)
}

fn gather<'a>(document: &DocumentText, blocks: impl Iterator<Item = (u32, &'a Block)>) -> DocumentText {
    let mut pages: Vec<Page> = Vec::new();
    for (number, block) in blocks {
        match pages.last_mut().filter(|page| page.number == number) {
            Some(page) => page.blocks.push(block.clone()),
            None => pages.push(Page { number, blocks: vec![block.clone()], ..Page::default() }),
        }
    }
    DocumentText { pages, ..document.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(texts: &[&str]) -> DocumentText {
        let block = |(at, text): (usize, &&str)| Block {
            number: at as u32 + 1,
            text: (*text).into(),
            ..Block::default()
        };
        let blocks: Vec<Block> = texts.iter().enumerate().map(block).collect();
        let pages = blocks
            .chunks(3)
            .enumerate()
            .map(|(at, blocks)| Page { number: at as u32 + 1, blocks: blocks.to_vec(), ..Page::default() })
            .collect();
        DocumentText { pages, ..DocumentText::default() }
    }

    fn numbers(document: &DocumentText) -> Vec<u32> {
        document.pages.iter().flat_map(|page| page.blocks.iter().map(|block| block.number)).collect()
    }

    #[test]
    fn parts_hold_every_block_and_begin_with_their_context() {
        let body = "The supplier shall deliver the goods. ".repeat(10);
        let texts = ["AGREEMENT", "1. Goods", &body, &body, "2. Money", &body, &body, &body];
        let parts = split(&document(&texts), 3);
        let held: Vec<Vec<u32>> = parts.iter().map(numbers).collect();
        assert_eq!(held, [vec![1, 2, 3, 4], vec![1, 2, 5, 6, 7], vec![1, 5, 8]]);
        assert_eq!(split(&document(&texts), 1).len(), 1);
        assert_eq!(split(&document(&["a", "b"]), 9).len(), 2, "no more parts than blocks");
        assert_eq!(split(&document(&[]), 4).len(), 1);
    }

    #[test]
    fn boilerplate_is_left_out_and_nothing_else() {
        let texts = [
            "Page header",
            "The fee is EUR 5.",
            "1. Goods ........ 3\n2. Money ....... 4",
            "Page  header",
            "Signed: ______________",
        ];
        assert_eq!(numbers(&shorten(&document(&texts))), [1, 2]);
    }

    #[test]
    fn names_go_amounts_stay() {
        let text = "Jane Roe and María de la Cruz pay EUR 4,350.00 to account 123456789 on 1 March 2026.";
        let redacted = redact_more(&document(&[text]));
        assert_eq!(
            redacted.pages[0].blocks[0].text,
            "[NAME] and [NAME] pay EUR 4,350.00 to account [NUMBER] on 1 March 2026."
        );
    }
}
