//! A document's password: taken from a header and sealed for extraction before anything else gets to see it.

use anyhow::Context as _;
use millrace_contract::wire::SealedSecret;
use millrace_contract::{ErrorCode, event};
use millrace_stage::{Result, StageError};
use millrace_vault::{LONGEST_SECRET, PublicKey, VaultError, seal_secret};
use std::path::Path;

/// The header that a password comes in, over HTTP and in the inbox.
pub const HEADER: &str = "millrace-document-password";

/// Seals passwords, if this deployment has a key to seal them for.
pub(crate) struct Sealer(Option<PublicKey>);

impl Sealer {
    /// With the key in this file.
    pub(crate) fn new(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(file) = file else { return Ok(Self(None)) };
        let setting = || format!("MILLRACE_PASSWORD_PUBLIC_KEY_FILE: {}", file.display());
        let text = std::fs::read_to_string(file).with_context(setting)?;
        Ok(Self(Some(PublicKey::read(&text).with_context(setting)?)))
    }

    /// Seals the password of a job's document, as its header holds it. `None` without one.
    pub(crate) fn seal(
        &self,
        header: Option<&[u8]>,
        tenant: &str,
        job: &str,
        code: ErrorCode,
    ) -> Result<Option<SealedSecret>> {
        let Some(password) = header else { return Ok(None) };
        let refuse = |why: String| StageError::new(code, format!("{HEADER}: {why}"));
        let password = std::str::from_utf8(password).map_err(|_| refuse("it must be UTF-8".to_owned()))?;
        if password.is_empty() {
            return Err(refuse("it is empty; leave it out".to_owned()));
        }
        let key = self.0.as_ref().ok_or_else(|| {
            refuse(
                "this deployment takes no passwords: intake has no key to seal them with \
                 (MILLRACE_PASSWORD_PUBLIC_KEY_FILE)"
                    .to_owned(),
            )
        })?;
        let sealed = seal_secret(password, &event::password_bound(tenant, job), key);
        sealed.map(Some).map_err(|error| match error {
            VaultError::TooLong => refuse(format!("it may have {LONGEST_SECRET} bytes")),
            other => refuse(other.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_sealed_is_refused_and_not_repeated() {
        let without = Sealer::new(None).unwrap();
        let (public, _) = millrace_vault::generate();
        let with = Sealer(Some(PublicKey::read(&public).unwrap()));
        let long = "s3cret".repeat(30);
        for (sealer, password, why) in [
            (&without, &b"s3cret"[..], "takes no passwords"),
            (&with, b"", "is empty"),
            (&with, b"s3cret\xff", "UTF-8"),
            (&with, long.as_bytes(), "127 bytes"),
        ] {
            let error = sealer.seal(Some(password), "t", "j", ErrorCode::RequestInvalid).unwrap_err();
            assert!(error.message.contains(why) && !error.message.contains("s3cret"), "{}", error.message);
        }
        assert_eq!(without.seal(None, "t", "j", ErrorCode::RequestInvalid).unwrap(), None);
        assert!(with.seal(Some(b"s3cret"), "t", "j", ErrorCode::RequestInvalid).unwrap().is_some());
    }
}
