//! The vault: what stands behind a document's placeholders, sealed so that whoever writes it cannot read it.
//!
//! Each document has a random *data key*. Its values are encrypted with it (XChaCha20-Poly1305) and stay with the
//! text. The data key is kept apart, wrapped for a *key-encryption key* (HPKE, RFC 9180: X25519, HKDF-SHA256,
//! ChaCha20-Poly1305). Wrapping takes only the public half. So a rotation wraps data keys anew and touches no document,
//! and a document's values are erased by deleting one small record.
//!
//! Both ciphertexts are bound to the tenant and to the id of the data key: moved to another place, they do not open.

mod keys;
mod restore;
mod secret;

pub use keys::{DataKey, PublicKey, SecretKeys, Unwrap, Wrap, generate};
pub use restore::{Original, Restored, restore, restore_text};
pub use secret::{LONGEST_SECRET, open_secret, seal_secret};

use chacha20poly1305::aead::{Aead as _, Generate as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use millrace_contract::artifact::hex;
use millrace_contract::wire::{VaultValues, WrappedKey};
use prost::Message as _;
use zeroize::Zeroizing;

/// What is sealed may change its form one day.
const FORMAT: u8 = 1;
const NONCE: usize = 24;

/// Why something does not open. Never says what is inside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Wrapped for a key that we do not have.
    #[error("the data key is wrapped for the key {0}, which is not among the keys given")]
    UnknownKey(String),
    /// Not what was sealed, not under this key, or not in this place.
    #[error("it does not open: another key, another place, or it was changed")]
    Closed,
    /// Of no format that we know.
    #[error("it is of no format that this version knows")]
    Format,
    /// Text that should be a key.
    #[error("line {0} is no vault key")]
    Key(usize),
    /// More than fits.
    #[error("a secret may have {LONGEST_SECRET} bytes")]
    TooLong,
    /// Nothing to work with.
    #[error("there is no {0} key in it")]
    NoKey(&'static str),
}

/// Values sealed for one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Names the data key; random, so that it says nothing of the document.
    pub key_id: String,
    /// The data key, wrapped. To be kept apart from `values`.
    pub key: WrappedKey,
    /// The values, encrypted. To be kept with the text.
    pub values: Vec<u8>,
}

/// Seals the values of one document under a new data key.
///
/// # Errors
/// If the data key cannot be wrapped.
pub fn seal(values: &VaultValues, tenant: &str, wrap: &dyn Wrap) -> Result<Sealed, VaultError> {
    let key = DataKey::random();
    let key_id = hex(&<[u8; 16]>::generate());
    let bound = bound(tenant, &key_id);
    let nonce = XNonce::generate();
    let plain = Zeroizing::new(values.encode_to_vec());
    let payload = Payload { msg: &plain, aad: bound.as_bytes() };
    let encrypted = cipher(&key).encrypt(&nonce, payload).map_err(|_| VaultError::Closed)?;
    let sealed = [&[FORMAT], nonce.as_slice(), &encrypted].concat();
    Ok(Sealed { key: wrap.wrap(&key, &bound)?, key_id, values: sealed })
}

/// Opens what [`seal`] made, in the place for which it was made.
///
/// # Errors
/// If it does not open.
pub fn open(sealed: &Sealed, tenant: &str, unwrap: &dyn Unwrap) -> Result<VaultValues, VaultError> {
    let bound = bound(tenant, &sealed.key_id);
    let key = unwrap.unwrap(&sealed.key, &bound)?;
    let (format, rest) = sealed.values.split_first().ok_or(VaultError::Format)?;
    if *format != FORMAT || rest.len() < NONCE {
        return Err(VaultError::Format);
    }
    let (nonce, encrypted) = rest.split_at(NONCE);
    let nonce = XNonce::try_from(nonce).map_err(|_| VaultError::Format)?;
    let payload = Payload { msg: encrypted, aad: bound.as_bytes() };
    let plain = cipher(&key).decrypt(&nonce, payload).map(Zeroizing::new).map_err(|_| VaultError::Closed)?;
    VaultValues::decode(plain.as_slice()).map_err(|_| VaultError::Format)
}

/// Wraps a data key for the newest key-encryption key; `None` if it already is.
///
/// # Errors
/// If the data key does not open.
pub fn rewrap(
    key: &WrappedKey,
    key_id: &str,
    tenant: &str,
    unwrap: &dyn Unwrap,
    wrap: &dyn Wrap,
) -> Result<Option<WrappedKey>, VaultError> {
    if key.kek == wrap.id() {
        return Ok(None);
    }
    let bound = bound(tenant, key_id);
    wrap.wrap(&unwrap.unwrap(key, &bound)?, &bound).map(Some)
}

/// What both ciphertexts are bound to. Not the job: another job of the tenant with the same document finds the same
/// text, and the same values behind it. Not the document either: two documents may have the same text.
fn bound(tenant: &str, key_id: &str) -> String {
    format!("millrace vault {FORMAT}|{tenant}|{key_id}")
}

fn cipher(key: &DataKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_contract::wire::VaultValue;

    fn values() -> VaultValues {
        let value =
            VaultValue { placeholder: "[EMAIL_1]".into(), forms: vec!["a@b.com".into()], order: vec![] };
        VaultValues { values: vec![value] }
    }

    pub(crate) fn keys() -> (PublicKey, SecretKeys) {
        let (public, secret) = generate();
        (PublicKey::read(&public).unwrap(), SecretKeys::read(&secret).unwrap())
    }

    #[test]
    fn what_is_sealed_opens_with_the_key_in_its_place_and_no_other() {
        let (public, secret) = keys();
        let sealed = seal(&values(), "acme", &public).unwrap();
        assert_eq!(open(&sealed, "acme", &secret), Ok(values()));
        assert_eq!(open(&sealed, "other", &secret), Err(VaultError::Closed));
        let moved = Sealed { key_id: "00".into(), ..sealed.clone() };
        assert_eq!(open(&moved, "acme", &secret), Err(VaultError::Closed));
        let stranger = keys().1;
        assert_eq!(open(&sealed, "acme", &stranger), Err(VaultError::UnknownKey(public.id().into())));
        // A stranger's key under our id.
        let forged =
            Sealed { key: WrappedKey { kek: stranger.newest().into(), ..sealed.key.clone() }, ..sealed };
        assert_eq!(open(&forged, "acme", &stranger), Err(VaultError::Closed));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let (public, secret) = keys();
        let sealed = seal(&values(), "acme", &public).unwrap();
        for at in 0..sealed.values.len() {
            let mut changed = sealed.clone();
            changed.values[at] ^= 1;
            assert!(open(&changed, "acme", &secret).is_err(), "byte {at}");
        }
        for at in 0..sealed.key.key.len() {
            let mut changed = sealed.clone();
            changed.key.key[at] ^= 1;
            assert_eq!(open(&changed, "acme", &secret), Err(VaultError::Closed), "byte {at}");
        }
        for length in 0..sealed.values.len() {
            let cut = Sealed { values: sealed.values[..length].to_vec(), ..sealed.clone() };
            assert!(open(&cut, "acme", &secret).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn sealing_twice_shows_nothing_in_common() {
        let (public, _) = keys();
        let (one, two) = (seal(&values(), "a", &public).unwrap(), seal(&values(), "a", &public).unwrap());
        assert_ne!(one.key_id, two.key_id);
        assert_ne!(one.values, two.values);
        let text = |bytes: &[u8]| bytes.windows(7).any(|part| part == b"a@b.com");
        assert!(!text(&one.values) && !text(&one.key.encode_to_vec()));
    }

    #[test]
    fn rotation_moves_the_data_key_and_leaves_the_values() {
        let (old_public, old_secret) = generate();
        let sealed = seal(&values(), "acme", &PublicKey::read(&old_public).unwrap()).unwrap();
        let (new_public, new_secret) = generate();
        let new = PublicKey::read(&new_public).unwrap();
        // Newest first; comments and blank lines are for people.
        let both = SecretKeys::read(&format!("# keys\n\n{new_secret}\n{old_secret}\n")).unwrap();
        assert_eq!(both.newest(), new.id());
        let key = rewrap(&sealed.key, &sealed.key_id, "acme", &both, &new).unwrap().unwrap();
        assert_eq!(rewrap(&key, &sealed.key_id, "acme", &both, &new), Ok(None));
        let rotated = Sealed { key, ..sealed };
        assert_eq!(open(&rotated, "acme", &SecretKeys::read(&new_secret).unwrap()), Ok(values()));
        let old = SecretKeys::read(&old_secret).unwrap();
        assert_eq!(open(&rotated, "acme", &old), Err(VaultError::UnknownKey(new.id().into())));
    }
}
