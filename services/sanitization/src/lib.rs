//! Sanitization: cleans the text, replaces personal data by stable placeholders, names the language, counts tokens.

pub mod clean;
pub mod file_name;
pub mod hasher;
pub mod language;
pub mod ner;
pub mod policy;
pub mod redactor;
pub mod sanitize;
pub mod signals;

use anyhow::{Context as _, ensure};
use hasher::Hasher;
use millrace_contract::artifact::{ExtractedText, SanitizedText, sha256_hex};
use millrace_contract::wire::{Extracted, Sanitized};
use millrace_contract::{ErrorCode, Hop, Service};
use millrace_stage::{Job, Read, Result, Stage, StageError, agrees};
use millrace_vault::{PublicKey, seal};
use ner::Ner;
use policy::{Names, Policies, Policy};
use redactor::Found;
use sanitize::Readable;
use std::path::PathBuf;

/// The stage.
pub struct Sanitization {
    policies: Policies,
    hash_key: Option<String>,
    vault: Option<PublicKey>,
    ner: Option<Ner>,
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
    /// What is done with which personal data, by tenant and profile (`millrace policy check`) [default: built in]
    #[arg(long, env = "MILLRACE_POLICY")]
    pub policy: Option<PathBuf>,
    /// Key for values that a policy hashes, 32 characters or more
    #[arg(long, env = "MILLRACE_HASH_KEY", hide_env_values = true)]
    pub hash_key: Option<String>,
    /// The plug-in that finds names
    #[command(flatten)]
    pub ner: ner::Settings,
}

const _: () = assert!(agrees::<Sanitization>());

impl Stage for Sanitization {
    const HOP: &'static Hop = Service::Sanitization.hop();
    const VERSION: u32 = 6;
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
        let policies = settings.policies()?;
        match &settings.hash_key {
            Some(key) => drop(Hasher::new(key, "")?),
            None => ensure!(!policies.hashes(), "the policy hashes values: MILLRACE_HASH_KEY must be set"),
        }
        let ner = Ner::new(settings.ner)?;
        ensure!(
            ner.is_some() == policies.asks_a_model(),
            "MILLRACE_SANITIZATION_NER_URL and a policy with names = \"model\": one is of no use without the other"
        );
        Ok(Self { policies, hash_key: settings.hash_key, vault, ner })
    }

    /// Not which vault key: a rotation makes no text anew. But text without its values would be found in place of text
    /// with.
    fn shaped_by(&self, job: &Job<Extracted>) -> String {
        let policy = self.policies.of(&job.known.tenant, &job.known.profile);
        // The hash key shapes what it hashes; its digest says nothing of it.
        let hashing = self.hash_key.as_deref().map(|key| sha256_hex(key.as_bytes())).unwrap_or_default();
        let ner =
            self.ner.as_ref().filter(|_| policy.names == Names::Model).map(Ner::shape).unwrap_or_default();
        // What is said of the document names it: under another name it is another piece of work.
        let name = sha256_hex(name(job).as_bytes());
        format!("vault {} hash {hashing} ner {ner} name {name} {}", self.vault.is_some(), policy.shape())
    }

    async fn run(
        &self,
        job: &Job<Extracted>,
        Read(ExtractedText(text)): Read<ExtractedText>,
    ) -> Result<(Sanitized, SanitizedText)> {
        let policy = self.policies.of(&job.known.tenant, &job.known.profile);
        let hasher = self.hash_key.as_ref().and_then(|key| Hasher::new(key, &job.known.tenant).ok());
        let readable = sanitize::read(text, name(job));
        let (named, ner_fault) = self.named(job, &policy, &readable).await?;
        let done = sanitize::redact(readable, &policy, hasher, named);
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
        let ner_fault = ner_fault.map(|code| code.name().to_owned()).unwrap_or_default();
        Ok((Sanitized { ner_fault, ..done.says }, SanitizedText(text)))
    }
}

impl Sanitization {
    /// What the plug-in finds in a document, where the policy wants it asked; the error without which the policy goes on.
    async fn named(
        &self,
        job: &Job<Extracted>,
        policy: &Policy,
        document: &Readable,
    ) -> Result<(Option<Vec<Vec<Found>>>, Option<ErrorCode>)> {
        let Some(ner) = self.ner.as_ref().filter(|_| policy.names == Names::Model) else {
            return Ok((None, None));
        };
        let fault = match ner.find(&document.pieces(), document.language()).await {
            Ok(found) => return Ok((Some(found), None)),
            Err(fault) => fault,
        };
        let code = ErrorCode::NerUnavailable;
        if policy.ner_open {
            tracing::warn!(job = job.known.id, %code, "names by lists only, as the policy allows: {}", fault.message);
            job.conceded(code);
            return Ok((None, Some(code)));
        }
        let message = format!("the plug-in that finds names: {}", fault.message);
        Err(StageError::new(code, message).after(fault.retry_after).yielding())
    }
}

/// The document's, as its sender called it.
fn name(job: &Job<Extracted>) -> &str {
    job.known.document.as_ref().map_or("", |document| document.name.as_str())
}

impl Settings {
    fn policies(&self) -> anyhow::Result<Policies> {
        let Some(file) = &self.policy else { return Ok(Policies::default()) };
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("MILLRACE_POLICY: cannot read {}", file.display()))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        Policies::read(&name, &text)
            .map_err(|mistakes| anyhow::anyhow!("mistakes in the policy:\n{mistakes}"))
    }

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
