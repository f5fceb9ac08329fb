//! Who may see personal data: tokens, and whose documents each is good for. Only digests are kept.

use anyhow::{Context as _, bail, ensure};
use millrace_contract::Tenant;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

/// Every tenant's documents.
const ALL: &str = "*";

/// SHA-256 of a token.
type Digest = [u8; 32];

/// The tokens of a deployment.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Vec<(Digest, String)>);

/// Whose documents somebody may see.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Allowed(BTreeSet<String>);

impl Tokens {
    /// From TOML: a tenant's name, or `*`, and the digest or digests of its tokens.
    ///
    /// # Errors
    /// If it is not that. Names the tenant, never a digest.
    pub(crate) fn read(text: &str) -> anyhow::Result<Self> {
        let table: BTreeMap<String, toml::Value> =
            toml::from_str(text).map_err(|error| anyhow::anyhow!("{}", error.message()))?;
        let mut tokens = Vec::new();
        for (tenant, value) in table {
            if tenant != ALL {
                Tenant::new(&tenant)?;
            }
            let digests = match value {
                toml::Value::Array(digests) => digests,
                one => vec![one],
            };
            ensure!(!digests.is_empty(), "{tenant} has no token");
            for digest in digests {
                let told = || format!("{tenant}: a token is written as its SHA-256, 64 hex digits");
                let digest = digest.as_str().and_then(read_hex).with_context(told)?;
                if digest == <Digest>::from(Sha256::digest(b"")) {
                    bail!("{tenant}: that is the SHA-256 of nothing");
                }
                tokens.push((digest, tenant.clone()));
            }
        }
        Ok(Self(tokens))
    }

    /// Lets a token see every tenant's.
    pub(crate) fn allow_all(&mut self, token: &str) {
        self.0.push((Sha256::digest(token.as_bytes()).into(), ALL.to_owned()));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose documents a token is good for; `None` for one that nobody has. Takes as long for the one as for the other:
    /// all digests are compared, and each to its end.
    pub(crate) fn allowed(&self, token: &str) -> Option<Allowed> {
        let shown: Digest = Sha256::digest(token.as_bytes()).into();
        let mut good: Vec<u8> = Vec::with_capacity(self.0.len());
        let mut any = Choice::from(0);
        for (digest, _) in &self.0 {
            let same = digest.ct_eq(&shown);
            any |= same;
            good.push(u8::conditional_select(&0, &1, same));
        }
        if !bool::from(any) {
            return None;
        }
        let tenants = self.0.iter().zip(good).filter(|(_, good)| *good == 1);
        Some(Allowed(tenants.map(|((_, tenant), _)| tenant.clone()).collect()))
    }
}

impl Allowed {
    /// Whether it covers this tenant's documents.
    pub(crate) fn tenant(&self, tenant: &str) -> bool {
        self.0.contains(ALL) || self.0.contains(tenant)
    }
}

fn read_hex(text: &str) -> Option<Digest> {
    let mut digest = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_contract::artifact::sha256_hex;

    fn hex(token: &str) -> String {
        sha256_hex(token.as_bytes())
    }

    #[test]
    fn a_token_is_good_for_its_tenants() {
        let text = format!(
            "acme = [{:?}, {:?}]\nother = {:?}\n\"*\" = {:?}\n",
            hex("first"),
            hex("both").to_uppercase(),
            hex("both"),
            hex("auditor")
        );
        let mut tokens = Tokens::read(&text).unwrap();
        let sees = |tokens: &Tokens, token: &str| {
            tokens
                .allowed(token)
                .map(|allowed| ["acme", "other", "third"].map(|tenant| allowed.tenant(tenant)))
        };
        assert_eq!(sees(&tokens, "first"), Some([true, false, false]));
        assert_eq!(sees(&tokens, "both"), Some([true, true, false]));
        assert_eq!(sees(&tokens, "auditor"), Some([true, true, true]));
        for nobodys in ["", "firs", "first ", &hex("first"), "*"] {
            assert_eq!(sees(&tokens, nobodys), None, "{nobodys}");
        }
        assert_eq!(sees(&tokens, "the deployment's"), None);
        tokens.allow_all("the deployment's");
        assert_eq!(sees(&tokens, "the deployment's"), Some([true, true, true]));
    }

    #[test]
    fn mistakes_are_told_without_what_is_secret() {
        for (text, told) in [
            ("acme = \"the-token-itself\"".to_owned(), "acme: a token is written as its SHA-256"),
            (format!("acme = \"+{}\"", &hex("x")[1..]), "acme: a token"),
            ("acme = 7".to_owned(), "acme: a token"),
            ("acme = []".to_owned(), "acme has no token"),
            (format!("\"a.b\" = {:?}", hex("x")), "a.b"),
            (format!("acme = {:?}", hex("")), "SHA-256 of nothing"),
            ("acme = \"the-token-itself".to_owned(), ""),
        ] {
            let error = format!("{:#}", Tokens::read(&text).unwrap_err());
            assert!(error.contains(told) && !error.contains("the-token"), "{error}");
        }
        assert!(Tokens::read("").unwrap().is_empty());
    }
}
