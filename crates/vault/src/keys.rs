//! Keys: data keys, and the key-encryption keys for which they are wrapped.

use crate::VaultError;
use chacha20poly1305::aead::Generate as _;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _};
use millrace_contract::artifact::{hex, sha256_hex};
use millrace_contract::wire::WrappedKey;
use std::fmt;
use zeroize::Zeroizing;

const FORMAT: u32 = 1;
/// In front of a key's hexadecimal digits.
const PUBLIC: &str = "millrace-vault-public-1:";
const SECRET: &str = "millrace-vault-secret-1:";

type PublicBytes = <X25519HkdfSha256 as Kem>::PublicKey;
type SecretBytes = <X25519HkdfSha256 as Kem>::PrivateKey;
type Encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey;

/// The key of one document's values. Overwritten when it is dropped.
pub struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
    /// A new one, from the operating system's randomness.
    pub fn random() -> Self {
        Self(Zeroizing::new(<[u8; 32]>::generate()))
    }

    /// From bytes that a key service has unwrapped.
    ///
    /// # Errors
    /// If they are not 32.
    pub fn of(bytes: &[u8]) -> Result<Self, VaultError> {
        bytes.try_into().map(|bytes| Self(Zeroizing::new(bytes))).map_err(|_| VaultError::Format)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey")
    }
}

/// Wraps data keys: a public key, or a key service that is asked to.
pub trait Wrap: Send + Sync {
    /// Names the key-encryption key.
    fn id(&self) -> &str;
    /// Wraps a data key for it. What comes out opens only together with the same `bound`.
    ///
    /// # Errors
    /// If it cannot be done.
    fn wrap(&self, key: &DataKey, bound: &str) -> Result<WrappedKey, VaultError>;
}

/// Unwraps data keys: secret keys, or a key service that is asked to.
pub trait Unwrap: Send + Sync {
    /// Undoes [`Wrap::wrap`].
    ///
    /// # Errors
    /// If it was wrapped for another key or bound to something else.
    fn unwrap(&self, wrapped: &WrappedKey, bound: &str) -> Result<DataKey, VaultError>;
}

/// The half that seals, and opens nothing.
#[derive(Clone)]
pub struct PublicKey {
    id: String,
    key: PublicBytes,
}

/// The halves that open: the one in use, and older ones for what was not rotated yet. Never sent, never shown.
#[derive(Clone)]
pub struct SecretKeys(Vec<(String, SecretBytes)>);

/// A new key-encryption key: the line for those who seal, and the line for those who open.
pub fn generate() -> (String, String) {
    let (secret, public) = X25519HkdfSha256::gen_keypair();
    let secret = Zeroizing::new(secret.to_bytes().to_vec());
    (format!("{PUBLIC}{}", hex(&public.to_bytes())), format!("{SECRET}{}", hex(&secret)))
}

fn id_of(key: &PublicBytes) -> String {
    sha256_hex(&key.to_bytes())[..16].to_owned()
}

/// The keys in a text: one a line, `#` begins a comment. With their lines.
fn lines<'t>(
    text: &'t str,
    prefix: &'static str,
) -> impl Iterator<Item = (usize, Option<Zeroizing<Vec<u8>>>)> + 't {
    let lines = (1..).zip(text.lines().map(str::trim));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).map(move |(number, line)| {
        let digits = line.strip_prefix(prefix).filter(|digits| digits.len() == 64 && digits.is_ascii());
        let bytes = digits.and_then(|digits| {
            let bytes = (0..32).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16));
            bytes.collect::<Result<Vec<u8>, _>>().ok()
        });
        (number, bytes.map(Zeroizing::new))
    })
}

impl PublicKey {
    /// Reads the line that [`generate`] made; of several the first.
    ///
    /// # Errors
    /// If it is not one.
    pub fn read(text: &str) -> Result<Self, VaultError> {
        let (line, bytes) = lines(text, PUBLIC).next().ok_or(VaultError::NoKey("public"))?;
        let key =
            bytes.and_then(|bytes| PublicBytes::from_bytes(&bytes).ok()).ok_or(VaultError::Key(line))?;
        Ok(Self { id: id_of(&key), key })
    }

    /// Seals bytes: the encapsulated key and the ciphertext.
    pub(crate) fn seal(&self, plain: &[u8], bound: &str) -> Result<(Vec<u8>, Vec<u8>), VaultError> {
        let sealed = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &self.key,
            self.id.as_bytes(),
            plain,
            bound.as_bytes(),
        );
        let (encapsulated, sealed) = sealed.map_err(|_| VaultError::Closed)?;
        Ok((encapsulated.to_bytes().to_vec(), sealed))
    }
}

impl SecretKeys {
    /// Reads one line or several, the newest first.
    ///
    /// # Errors
    /// If a line is not a secret key, or there is none.
    pub fn read(text: &str) -> Result<Self, VaultError> {
        let keys: Result<Vec<_>, VaultError> = lines(text, SECRET)
            .map(|(line, bytes)| {
                let key = bytes.and_then(|bytes| SecretBytes::from_bytes(&bytes).ok());
                let key = key.ok_or(VaultError::Key(line))?;
                Ok((id_of(&X25519HkdfSha256::sk_to_pk(&key)), key))
            })
            .collect();
        let keys = keys?;
        if keys.is_empty() { Err(VaultError::NoKey("secret")) } else { Ok(Self(keys)) }
    }

    /// The id of the key in use.
    pub fn newest(&self) -> &str {
        self.0.first().map_or("", |(id, _)| id)
    }

    /// The public half of the key in use.
    pub fn public(&self) -> Option<PublicKey> {
        let (id, key) = self.0.first()?;
        Some(PublicKey { id: id.clone(), key: X25519HkdfSha256::sk_to_pk(key) })
    }

    /// Undoes [`PublicKey::seal`] for the key of that name.
    pub(crate) fn open(
        &self,
        name: &str,
        encapsulated: &[u8],
        sealed: &[u8],
        bound: &str,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (id, key) = self
            .0
            .iter()
            .find(|(id, _)| id == name)
            .ok_or_else(|| VaultError::UnknownKey(name.chars().take(64).collect()))?;
        let encapsulated = Encapsulated::from_bytes(encapsulated).map_err(|_| VaultError::Format)?;
        let plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            key,
            &encapsulated,
            id.as_bytes(),
            sealed,
            bound.as_bytes(),
        );
        plain.map(Zeroizing::new).map_err(|_| VaultError::Closed)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id)
    }
}

impl fmt::Debug for SecretKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(id, _)| id)).finish()
    }
}

impl Wrap for PublicKey {
    fn id(&self) -> &str {
        &self.id
    }

    fn wrap(&self, key: &DataKey, bound: &str) -> Result<WrappedKey, VaultError> {
        let (encapsulated, key) = self.seal(key.bytes(), bound)?;
        Ok(WrappedKey { format: FORMAT, kek: self.id.clone(), encapsulated, key })
    }
}

impl Unwrap for SecretKeys {
    fn unwrap(&self, wrapped: &WrappedKey, bound: &str) -> Result<DataKey, VaultError> {
        if wrapped.format != FORMAT {
            return Err(VaultError::Format);
        }
        DataKey::of(&self.open(&wrapped.kek, &wrapped.encapsulated, &wrapped.key, bound)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_in_keys_are_named_by_line() {
        let (public, secret) = generate();
        assert_eq!(PublicKey::read("").unwrap_err(), VaultError::NoKey("public"));
        assert_eq!(PublicKey::read(&secret).unwrap_err(), VaultError::Key(1));
        assert_eq!(SecretKeys::read(&format!("\n{secret}\n{public}")).unwrap_err(), VaultError::Key(3));
        assert_eq!(SecretKeys::read(&secret[..80]).unwrap_err(), VaultError::Key(1));
        let wide = format!("{SECRET}{}", "é".repeat(32));
        assert_eq!(SecretKeys::read(&wide).unwrap_err(), VaultError::Key(1));
    }

    #[test]
    fn keys_are_not_shown() {
        let (public, secret) = generate();
        let (public, keys) = (PublicKey::read(&public).unwrap(), SecretKeys::read(&secret).unwrap());
        assert_eq!(format!("{public:?} {keys:?}"), format!("PublicKey({0}) [\"{0}\"]", keys.newest()));
        assert_eq!(keys.public().unwrap().id(), public.id());
        assert_eq!(format!("{:?}", DataKey::random()), "DataKey");
    }
}
