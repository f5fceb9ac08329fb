//! Personal data back into a report, for those who may. The report in the log keeps its placeholders for ever.

use crate::tokens::{Allowed, Tokens};
use anyhow::{Context as _, ensure};
use axum::http::{HeaderMap, header};
use millrace_contract::wire::{Claim, DocumentText, StageOutput};
use millrace_contract::{ErrorCode, Service};
use millrace_stage::{Ports, Recorded, Result, StageError};
use millrace_vault::{Restored, Sealed, SecretKeys, open, restore};
use prost::Message as _;
use serde_json::Value;
use std::path::PathBuf;

/// Who may have values restored, and with which keys.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// File with the vault's secret keys, the newest first; without one no value is restored
    #[arg(long, env = "MILLRACE_VAULT_KEY_FILE")]
    pub vault_key_file: Option<PathBuf>,
    /// The vault's secret keys themselves
    #[arg(long, env = "MILLRACE_VAULT_KEY", hide_env_values = true, conflicts_with = "vault_key_file")]
    pub vault_key: Option<String>,
    /// What a reader must show (`Authorization: Bearer ...`) to see any tenant's report with its personal data
    #[arg(long, env = "MILLRACE_RESTORE_TOKEN", hide_env_values = true)]
    pub restore_token: Option<String>,
    /// File of tenants and the SHA-256 of what their readers must show: acme = "9f86d0...", or a list; "*" is every tenant
    #[arg(long, env = "MILLRACE_RESTORE_TOKENS_FILE")]
    pub restore_tokens_file: Option<PathBuf>,
}

/// Restores reports.
pub struct Restorer {
    keys: SecretKeys,
    tokens: Tokens,
}

/// Why a report is not restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nothing, or the wrong thing, was shown.
    NotAllowed,
    /// This deployment restores nothing.
    NoKeys,
    /// The values were never kept, or have been erased.
    Gone,
}

impl Settings {
    /// What these settings come to; `None` if nothing is ever restored.
    ///
    /// # Errors
    /// If there are keys and nobody may use them, or the other way round.
    pub fn restorer(&self) -> anyhow::Result<Option<Restorer>> {
        let text = match (&self.vault_key_file, &self.vault_key) {
            (Some(file), _) => Some(
                std::fs::read_to_string(file)
                    .with_context(|| format!("MILLRACE_VAULT_KEY_FILE: cannot read {}", file.display()))?,
            ),
            (None, text) => text.clone(),
        };
        let tokens = self.tokens()?;
        match text {
            None if tokens.is_empty() => Ok(None),
            Some(text) if !tokens.is_empty() => {
                let keys = SecretKeys::read(&text).context("the vault's secret keys")?;
                Ok(Some(Restorer { keys, tokens }))
            }
            _ => anyhow::bail!(
                "MILLRACE_VAULT_KEY_FILE and MILLRACE_RESTORE_TOKENS_FILE (or MILLRACE_RESTORE_TOKEN): one is of no use \
                 without the other"
            ),
        }
    }

    fn tokens(&self) -> anyhow::Result<Tokens> {
        let mut tokens = match &self.restore_tokens_file {
            None => Tokens::default(),
            Some(file) => {
                let name = "MILLRACE_RESTORE_TOKENS_FILE";
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("{name}: cannot read {}", file.display()))?;
                Tokens::read(&text).with_context(|| format!("{name}: {}", file.display()))?
            }
        };
        if let Some(token) = &self.restore_token {
            ensure!(token.len() >= 16, "MILLRACE_RESTORE_TOKEN is shorter than 16 characters");
            tokens.allow_all(token);
        }
        Ok(tokens)
    }
}

impl Restorer {
    /// Whose reports a request may see restored, by what it shows.
    pub(crate) fn allowed(&self, headers: &HeaderMap) -> Option<Allowed> {
        let shown = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        self.tokens.allowed(shown.strip_prefix("Bearer ")?.trim())
    }

    /// Puts the values back into a report that ended a run.
    pub(crate) async fn restore(
        &self,
        ports: &dyn Ports,
        ended: &Recorded,
        report: &mut Value,
    ) -> Result<std::result::Result<Restored, Refusal>> {
        let lost = || StageError::new(ErrorCode::ArtifactMissing, "the document's text is gone");
        let claim = ended.event.claims.get(Service::Sanitization.name()).ok_or_else(lost)?;
        let text = sanitized(ports, claim).await?;
        if text.placeholders.is_empty() {
            return Ok(Ok(Restored::default()));
        }
        // The claim's key begins with the tenant: whose text it is, not whose job asks.
        let tenant = claim.key.split('/').next().unwrap_or_default();
        let Some(key) =
            ports.data_key(tenant, &text.sealed_key).await?.filter(|_| !text.sealed_key.is_empty())
        else {
            return Ok(Err(Refusal::Gone));
        };
        let sealed = Sealed { key_id: text.sealed_key, key, values: text.sealed };
        let values = open(&sealed, tenant, &self.keys)
            .map_err(|error| StageError::new(ErrorCode::Internal, format!("the vault: {error}")))?;
        Ok(Ok(restore(report, &values)))
    }
}

async fn sanitized(ports: &dyn Ports, claim: &Claim) -> Result<DocumentText> {
    let corrupt = || StageError::new(ErrorCode::ArtifactCorrupt, format!("{} cannot be read", claim.key));
    let bytes = ports.fetch(claim).await?.into_bytes().map_err(|_| corrupt())?;
    let output = StageOutput::decode(bytes).map_err(|_| corrupt())?;
    DocumentText::decode(output.body.as_slice()).map_err(|_| corrupt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_contract::artifact::sha256_hex;

    #[test]
    fn half_a_configuration_is_none() {
        let (_, secret) = millrace_vault::generate();
        let token = Some("0123456789abcdef".to_owned());
        let settings =
            |vault_key, restore_token| Settings { vault_key, restore_token, ..Settings::default() };
        assert!(settings(None, None).restorer().unwrap().is_none());
        assert!(settings(Some(secret.clone()), token.clone()).restorer().unwrap().is_some());
        for bad in [
            settings(Some(secret.clone()), None),
            settings(None, token.clone()),
            settings(Some(secret), Some("short".into())),
            settings(Some("nonsense".into()), token),
        ] {
            assert!(bad.restorer().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_what_is_shown_as_a_bearer_token_counts() {
        let (_, secret) = millrace_vault::generate();
        let settings = Settings {
            vault_key: Some(secret),
            restore_token: Some("0123456789abcdef".into()),
            ..Settings::default()
        };
        let restorer = settings.restorer().unwrap().unwrap();
        let shows = |value: &str| {
            restorer.allowed(&HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]))
        };
        assert!(shows("Bearer 0123456789abcdef").unwrap().tenant("acme"));
        for wrong in ["Bearer 0123456789abcdeF", "Bearer", "0123456789abcdef", "Basic 0123456789abcdef", ""] {
            assert!(shows(wrong).is_none(), "{wrong}");
        }
        assert!(restorer.allowed(&HeaderMap::new()).is_none());
    }

    #[test]
    fn tokens_of_tenants_come_from_a_file() {
        let (_, secret) = millrace_vault::generate();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.toml");
        let settings = |vault_key| Settings {
            vault_key,
            restore_tokens_file: Some(file.clone()),
            ..Settings::default()
        };
        assert!(settings(Some(secret.clone())).restorer().is_err(), "there is no file");
        std::fs::write(&file, format!("acme = {:?}", sha256_hex(b"acme's own token"))).unwrap();
        assert!(settings(Some(secret)).restorer().unwrap().is_some());
        assert!(settings(None).restorer().is_err());
    }
}
