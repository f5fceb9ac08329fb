//! Sanitization: cleans the text, replaces personal data by stable placeholders, names the language, counts tokens.

pub mod clean;
pub mod language;
pub mod redactor;
pub mod sanitize;
pub mod tokens;

use clean::{BlockText, PageText};
use millrace_contract::artifact::{ExtractedText, SanitizedText};
use millrace_contract::wire::{Block, DocumentText, Extracted, Page, Sanitized};
use millrace_contract::{Hop, Service};
use millrace_stage::{Job, Read, Result, Stage, agrees};

/// The stage.
pub struct Sanitization;

/// It has no options of its own yet.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Settings {}

const _: () = assert!(agrees::<Sanitization>());

impl Stage for Sanitization {
    const HOP: &'static Hop = Service::Sanitization.hop();
    const VERSION: u32 = 1;
    type Settings = Settings;
    type Heard = Extracted;
    type Reads = Read<ExtractedText>;
    type Says = Sanitized;
    type Writes = SanitizedText;

    fn new(_: Settings) -> anyhow::Result<Self> {
        Ok(Self)
    }

    async fn run(
        &self,
        _: &Job<Extracted>,
        Read(ExtractedText(text)): Read<ExtractedText>,
    ) -> Result<(Sanitized, SanitizedText)> {
        let pages: Vec<PageText> = text.pages.into_iter().map(page_in).collect();
        let done = sanitize::sanitize(&pages);
        let mut sanitized = Sanitized {
            language: done.language.to_owned(),
            confidence: f64::from(done.confidence),
            tokens: done.tokens,
            removed_characters: u64::from(done.counts.removed()),
            ..Sanitized::default()
        };
        let mut clean =
            DocumentText { pages: done.pages.into_iter().map(page_out).collect(), ..Default::default() };
        for placeholder in done.placeholders {
            *sanitized.redacted.entry(placeholder.kind.to_lowercase()).or_default() += 1;
            clean.placeholders.insert(placeholder.token, placeholder.count);
        }
        Ok((sanitized, SanitizedText(clean)))
    }
}

fn page_in(page: Page) -> PageText {
    let blocks = page.blocks.into_iter().map(|block| BlockText { index: block.number, text: block.text });
    PageText { number: page.number, blocks: blocks.collect() }
}

fn page_out(page: PageText) -> Page {
    let blocks = page.blocks.into_iter().map(|block| Block {
        number: block.index,
        text: block.text,
        ..Block::default()
    });
    Page { number: page.number, blocks: blocks.collect(), ..Page::default() }
}
