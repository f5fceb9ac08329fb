//! Keyed hashes of values: the same value has the same number in all documents of a tenant, and nobody without the key
//! can try out which value has it.

use anyhow::ensure;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;

/// Shorter keys could be guessed.
const SHORTEST: usize = 32;

/// Hashes for one tenant.
#[derive(Clone)]
pub struct Hasher(Hmac<Sha256>);

impl Hasher {
    /// From the deployment's key.
    ///
    /// # Errors
    /// If the key is too short.
    pub fn new(key: &str, tenant: &str) -> anyhow::Result<Self> {
        ensure!(key.len() >= SHORTEST, "MILLRACE_HASH_KEY is shorter than {SHORTEST} characters");
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())?;
        mac.update(tenant.as_bytes());
        mac.update(b"\0");
        Ok(Self(mac))
    }

    /// The number of a value: 48 bits, so that two of a million values share one with a chance of one to 560.
    pub fn number(&self, kind: &str, value: &str) -> u64 {
        let mut mac = self.0.clone();
        mac.update(kind.as_bytes());
        mac.update(b"\0");
        mac.update(value.as_bytes());
        let hash = mac.finalize().into_bytes();
        hash.iter().take(6).fold(0, |number, byte| number << 8 | u64::from(*byte)).max(1)
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_depend_on_key_tenant_kind_and_value() {
        let (key, other) = ("k".repeat(32), "l".repeat(32));
        let number = |key: &str, tenant, kind, value| Hasher::new(key, tenant).unwrap().number(kind, value);
        let one = number(&key, "a", "EMAIL", "x");
        assert_eq!(one, number(&key, "a", "EMAIL", "x"));
        for another in [
            number(&other, "a", "EMAIL", "x"),
            number(&key, "b", "EMAIL", "x"),
            number(&key, "a", "PHONE", "x"),
            number(&key, "a", "EMAIL", "y"),
        ] {
            assert_ne!(one, another);
        }
        assert!(Hasher::new("short", "a").is_err());
    }
}
