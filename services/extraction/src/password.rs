//! What opens an encrypted document: out of its event, into the reading process, and nowhere else.

use std::fmt;
use std::path::Path;

use anyhow::Context as _;
use millrace_contract::wire::{Job, SealedSecret};
use millrace_contract::{ErrorCode, event};
use millrace_stage::StageError;
use millrace_vault::{LONGEST_SECRET, SecretKeys, open_secret, seal_secret};
use zeroize::Zeroizing;

/// A password, in memory that is overwritten when it is dropped. Shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// This one.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The password itself.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What a reading process was given; `None` if that is no password.
    pub(crate) fn given(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok().filter(|text| text.len() <= LONGEST_SECRET).map(Self::new)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// Opens the passwords that intake has sealed, if this deployment has the key.
pub(crate) struct Opener(Option<SecretKeys>);

impl Opener {
    /// With the keys in this file.
    pub(crate) fn new(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(file) = file else { return Ok(Self(None)) };
        let setting = || format!("MILLRACE_PASSWORD_KEY_FILE: {}", file.display());
        let text = Zeroizing::new(std::fs::read_to_string(file).with_context(setting)?);
        Ok(Self(Some(SecretKeys::read(&text).with_context(setting)?)))
    }

    /// The password of a job's document; `None` if none came with it.
    ///
    /// # Errors
    /// `internal`: intake and extraction do not have halves of one key.
    pub(crate) fn open(
        &self,
        sealed: Option<&SealedSecret>,
        job: &Job,
    ) -> millrace_stage::Result<Option<Password>> {
        let Some(sealed) = sealed else { return Ok(None) };
        let ours = |why: String| {
            let message =
                format!("the document's password cannot be opened (MILLRACE_PASSWORD_KEY_FILE): {why}");
            StageError::new(ErrorCode::Internal, message)
        };
        let keys = self.0.as_ref().ok_or_else(|| ours("there is no key".to_owned()))?;
        let opened = open_secret(sealed, &event::password_bound(&job.tenant, &job.id), keys);
        opened.map(|text| Some(Password(text))).map_err(|error| ours(error.to_string()))
    }

    /// The password of a document for one inside it: sealed anew, because it opens for one job alone.
    ///
    /// # Errors
    /// `internal`: there is no key for what a key has opened.
    pub(crate) fn hand_on(
        &self,
        password: Option<&Password>,
        tenant: &str,
        job: &str,
    ) -> millrace_stage::Result<Option<SealedSecret>> {
        let Some(password) = password else { return Ok(None) };
        let ours =
            |why: String| StageError::new(ErrorCode::Internal, format!("a password is not handed on: {why}"));
        let key =
            self.0.as_ref().and_then(SecretKeys::public).ok_or_else(|| ours("there is no key".to_owned()))?;
        let sealed = seal_secret(password.text(), &event::password_bound(tenant, job), &key);
        sealed.map(Some).map_err(|error| ours(error.to_string()))
    }
}
