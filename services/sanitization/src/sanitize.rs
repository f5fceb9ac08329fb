//! The stage's work on one document, in its one right order: clean, name the language, redact, count.

use crate::clean::{self, BlockText, CleanCounts, PageText};
use crate::redactor::{Placeholder, Redactor};
use crate::tokens;

/// A document ready to be shown to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Sanitized {
    /// Clean, redacted text. Blocks keep the numbers that extraction gave them; empty ones are gone.
    pub pages: Vec<PageText>,
    /// ISO 639-1 code, or `und`.
    pub language: &'static str,
    /// How sure we are of the language, from 0 to 1.
    pub confidence: f32,
    /// Estimated tokens of the redacted text.
    pub tokens: u64,
    /// What the clean-up took out.
    pub counts: CleanCounts,
    /// The placeholders in the text, in order of appearance.
    pub placeholders: Vec<Placeholder>,
}

/// Sanitizes a document. The same pages give the same answer, always.
pub fn sanitize(pages: &[PageText]) -> Sanitized {
    sanitize_with(&mut Redactor::new(), pages)
}

/// [`sanitize`] with a redactor of the caller, who then holds the values for a vault.
pub fn sanitize_with(redactor: &mut Redactor, pages: &[PageText]) -> Sanitized {
    // Clean first: a zero-width space inside an IBAN hides it from every pattern. The language comes from the
    // clean text too, before placeholders, which are English to a detector.
    let cleaned = clean::clean(pages);
    let language = cleaned.language;
    let pages: Vec<PageText> = cleaned
        .pages
        .into_iter()
        .map(|page| PageText {
            number: page.number,
            blocks: page
                .blocks
                .into_iter()
                .map(|block| BlockText { index: block.index, text: redactor.redact(&block.text) })
                .collect(),
        })
        .collect();
    let tokens = pages.iter().flat_map(|p| &p.blocks).map(|b| tokens::estimate(&b.text, language.code)).sum();
    Sanitized {
        pages,
        language: language.code,
        confidence: language.confidence,
        tokens,
        counts: cleaned.counts,
        placeholders: redactor.placeholders(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_of_it() {
        let letter = |n: u32, body: &str| {
            PageText::new(
                n,
                ["ACME Limited, 1 High Street", body, "Thank you for your trust.", &format!("Page {n} of 3")],
            )
        };
        let pages = [
            letter(1, "Please pay the out-\nstanding amount to DE89 3704 0044\n0532 0130 00 by Friday."),
            letter(2, "The outstanding amount was not paid. Write to ja\u{200b}ne@exam\u{ad}ple.com."),
            letter(3, "We thank DE89370400440532013000 and jane@example.com for 10² reasons."),
        ];
        let done = sanitize(&pages);
        let texts: Vec<&str> = done.pages.iter().flat_map(|p| &p.blocks).map(|b| b.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "ACME Limited, 1 High Street",
                "Please pay the outstanding amount to [IBAN_1] by Friday.",
                "Thank you for your trust.",
                "The outstanding amount was not paid. Write to [EMAIL_1].",
                "We thank [IBAN_1] and [EMAIL_1] for 10² reasons.",
            ]
        );
        assert_eq!(done.pages[2].block_id(&done.pages[2].blocks[0]), "p3.b2");
        assert_eq!(done.language, "en");
        assert!(done.tokens > 40 && done.tokens < 80, "{}", done.tokens);
        assert_eq!((done.counts.running_lines, done.counts.page_numbers), (4, 3));
        assert_eq!(done.placeholders.iter().map(|p| p.count).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(sanitize(&pages), done);
    }
}
