//! Sanitization: cleans the text, replaces personal data by stable placeholders, names the language, counts tokens.

pub mod clean;
pub mod language;
pub mod redactor;
pub mod sanitize;
pub mod tokens;

use anyhow::Context as _;
use millrace_contract::artifact::{ExtractedText, SanitizedText};
use millrace_contract::wire::{Extracted, Sanitized};
use millrace_contract::{ErrorCode, Hop, Service};
use millrace_stage::{Job, Read, Result, Stage, StageError, agrees};
use millrace_vault::{PublicKey, seal};
use std::path::PathBuf;

/// The stage.
pub struct Sanitization {
    vault: Option<PublicKey>,
}

/// Its options.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// File with the vault's public key (`millrace vault keygen`); without one, no value can ever be restored
    #[arg(long, env = "MILLRACE_VAULT_PUBLIC_KEY_FILE")]
    pub vault_public_key_file: Option<PathBuf>,
    /// The vault's public key itself
    #[arg(long, env = "MILLRACE_VAULT_PUBLIC_KEY", conflicts_with = "vault_public_key_file")]
    pub vault_public_key: Option<String>,
}

const _: () = assert!(agrees::<Sanitization>());

impl Stage for Sanitization {
    const HOP: &'static Hop = Service::Sanitization.hop();
    const VERSION: u32 = 3;
    type Settings = Settings;
    type Heard = Extracted;
    type Reads = Read<ExtractedText>;
    type Says = Sanitized;
    type Writes = SanitizedText;

    fn new(settings: Settings) -> anyhow::Result<Self> {
        let vault = settings.vault()?;
        if vault.is_none() {
            tracing::info!("no vault: placeholders stay for ever (MILLRACE_VAULT_PUBLIC_KEY_FILE)");
        }
        Ok(Self { vault })
    }

    /// Not which key: a rotation makes no text anew. But text without its values would be found in place of text with.
    fn shaped_by(&self, _: &Job<Extracted>) -> String {
        if self.vault.is_some() { "vault".to_owned() } else { String::new() }
    }

    async fn run(
        &self,
        job: &Job<Extracted>,
        Read(ExtractedText(text)): Read<ExtractedText>,
    ) -> Result<(Sanitized, SanitizedText)> {
        let done = sanitize::sanitize(text);
        let mut text = done.text;
        let values = done.redactor.into_values();
        if let Some(vault) = self.vault.as_ref().filter(|_| !values.values.is_empty()) {
            let sealed = seal(&values, &job.known.tenant, vault).map_err(|error| {
                StageError::new(ErrorCode::Internal, format!("sealing the values: {error}"))
            })?;
            // The key first: values whose key is nowhere could never be opened.
            job.guard(&sealed.key_id, &sealed.key).await?;
            (text.sealed, text.sealed_key) = (sealed.values, sealed.key_id);
        }
        Ok((done.says, SanitizedText(text)))
    }
}

impl Settings {
    fn vault(&self) -> anyhow::Result<Option<PublicKey>> {
        let text = match (&self.vault_public_key_file, &self.vault_public_key) {
            (Some(file), _) => std::fs::read_to_string(file)
                .with_context(|| format!("MILLRACE_VAULT_PUBLIC_KEY_FILE: cannot read {}", file.display()))?,
            (None, Some(text)) => text.clone(),
            (None, None) => return Ok(None),
        };
        Ok(Some(PublicKey::read(&text).context("the vault's public key")?))
    }
}
