//! Identifiers. Both end up as tokens of a subject, so both are checked when they are made.

use sha2::{Digest, Sha256};
use std::fmt;
use uuid::Uuid;

/// A job, for ever: the same upload event always gives the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(Uuid);

impl JobId {
    /// A new job, sortable by time (UUIDv7).
    pub fn mint() -> Self {
        Self(Uuid::now_v7())
    }

    /// The job that this tenant's idempotency key stands for (UUIDv8 over SHA-256).
    pub fn derived(tenant: &Tenant, idempotency_key: &str) -> Self {
        let digest = Sha256::new()
            .chain_update("millrace job\0")
            .chain_update(tenant.as_str())
            .chain_update("\0")
            .chain_update(idempotency_key)
            .finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(Uuid::new_v8(bytes))
    }

    /// The job of the sender's own key: its idempotency key, whichever way it came.
    pub fn of_key(tenant: &Tenant, key: &str) -> Self {
        Self::derived(tenant, &sender_key(key))
    }

    /// Reads what [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 36).then(|| Uuid::try_parse(text).ok().map(Self)).flatten()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What tells an upload event with an idempotency key of its sender's from all others of its tenant.
pub fn sender_key(key: &str) -> String {
    format!("key {key}")
}

/// The idempotency key of a document inside another: the same one at each delivery, run and replay. `number` counts
/// from 0.
pub fn part_key(parent: &str, number: u32) -> String {
    format!("part {number} of {parent}")
}

/// Whose job it is: 1 to 64 characters of `[A-Za-z0-9_-]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tenant(String);

impl Tenant {
    /// The tenant of that name.
    ///
    /// # Errors
    /// Says what is wrong with the name.
    pub fn new(name: &str) -> Result<Self, BadToken> {
        token("tenant", name).map(|name| Self(name.to_owned()))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for Tenant {
    type Err = BadToken;
    fn from_str(name: &str) -> Result<Self, BadToken> {
        Self::new(name)
    }
}

/// A name that cannot be a token of a subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {name:?} must be 1 to 64 characters of A-Z a-z 0-9 _ -")]
pub struct BadToken {
    what: &'static str,
    name: String,
}

/// Checks that a name may be a token of a subject.
///
/// # Errors
/// Says what is wrong with the name.
pub fn token<'a>(what: &'static str, name: &'a str) -> Result<&'a str, BadToken> {
    let good = (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if good { Ok(name) } else { Err(BadToken { what, name: name.chars().take(80).collect() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_are_stable_and_separate() {
        let (a, b) = (Tenant::new("a").unwrap(), Tenant::new("b").unwrap());
        assert_eq!(JobId::derived(&a, "k"), JobId::derived(&a, "k"));
        assert_ne!(JobId::derived(&a, "k"), JobId::derived(&b, "k"));
        assert_ne!(JobId::derived(&a, "k"), JobId::derived(&a, "l"));
        let id = JobId::mint();
        assert_eq!(JobId::parse(&id.to_string()), Some(id));
        assert_eq!(JobId::parse("nope"), None);
    }

    #[test]
    fn tenants_are_tokens() {
        assert!(Tenant::new("acme-1_X").is_ok());
        for bad in ["", "a.b", "a b", "ä", "*", ">", &"x".repeat(65)] {
            assert!(Tenant::new(bad).is_err(), "{bad:?}");
        }
    }
}
