//! A short secret that travels in an event: whoever reads the log, or sends it, cannot open it.

use crate::{PublicKey, SecretKeys, VaultError, Wrap as _};
use millrace_contract::wire::SealedSecret;
use zeroize::Zeroizing;

const FORMAT: u32 = 1;

/// The longest secret, bytes: what the longest password of a PDF may have.
pub const LONGEST_SECRET: usize = 127;

/// Seals a secret for a key. What comes out opens only together with the same `bound`, and does not show how long the
/// secret is.
///
/// # Errors
/// [`VaultError::TooLong`].
pub fn seal_secret(secret: &str, bound: &str, key: &PublicKey) -> Result<SealedSecret, VaultError> {
    let length = u8::try_from(secret.len()).ok().filter(|length| usize::from(*length) <= LONGEST_SECRET);
    let mut plain = Zeroizing::new([0_u8; LONGEST_SECRET + 1]);
    plain[0] = length.ok_or(VaultError::TooLong)?;
    plain[1..=secret.len()].copy_from_slice(secret.as_bytes());
    let (encapsulated, secret) = key.seal(plain.as_slice(), bound)?;
    Ok(SealedSecret { format: FORMAT, key: key.id().to_owned(), encapsulated, secret })
}

/// Opens what [`seal_secret`] made, for what it was made for.
///
/// # Errors
/// If it does not open.
pub fn open_secret(
    sealed: &SealedSecret,
    bound: &str,
    keys: &SecretKeys,
) -> Result<Zeroizing<String>, VaultError> {
    if sealed.format != FORMAT {
        return Err(VaultError::Format);
    }
    let plain = keys.open(&sealed.key, &sealed.encapsulated, &sealed.secret, bound)?;
    let (length, padded) = plain.split_first().ok_or(VaultError::Format)?;
    let secret = padded.get(..usize::from(*length)).ok_or(VaultError::Format)?;
    std::str::from_utf8(secret).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| VaultError::Format)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::keys;

    #[test]
    fn a_secret_opens_for_its_reader_and_its_purpose_only() {
        let (public, keys) = keys();
        for secret in ["", "p", "pässwörd", &"x".repeat(LONGEST_SECRET)] {
            let sealed = seal_secret(secret, "a job", &public).unwrap();
            assert_eq!(open_secret(&sealed, "a job", &keys).unwrap().as_str(), secret);
            assert_eq!(open_secret(&sealed, "another job", &keys), Err(VaultError::Closed));
            assert_eq!(sealed.secret.len(), LONGEST_SECRET + 1 + 16, "its length is not to be seen");
        }
        let sealed = seal_secret("p", "a job", &public).unwrap();
        let stranger = crate::tests::keys().1;
        assert_eq!(open_secret(&sealed, "a job", &stranger), Err(VaultError::UnknownKey(public.id().into())));
        let too_long = "x".repeat(LONGEST_SECRET + 1);
        assert_eq!(seal_secret(&too_long, "a job", &public), Err(VaultError::TooLong));
    }
}
