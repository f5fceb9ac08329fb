//! Sanitization: cleans the text, replaces personal data by stable placeholders, names the language, counts tokens.

pub mod clean;
pub mod language;
pub mod redactor;
pub mod sanitize;
pub mod tokens;

use millrace_contract::artifact::{ExtractedText, SanitizedText};
use millrace_contract::wire::{Extracted, Sanitized};
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
    const VERSION: u32 = 3;
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
        let done = sanitize::sanitize(text);
        Ok((done.says, SanitizedText(done.text)))
    }
}
