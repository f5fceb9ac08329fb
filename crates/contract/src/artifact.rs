//! Keys and fingerprints of artifacts: `<tenant>/<maker>/<fingerprint>`, content-addressed, never overwritten and
//! never shared between tenants.

use crate::Service;
use crate::wire::{self, Claim};
use prost::Message;
use sha2::{Digest, Sha256};

/// What a stage leaves or reads behind a claim check.
pub trait Artifact: Sized + Send + 'static {
    /// Who makes it.
    const MAKER: Service;
    /// Its bytes as stored.
    fn encode(&self) -> Vec<u8>;
    /// Reads them back.
    ///
    /// # Errors
    /// If the bytes are not such an artifact.
    fn decode(bytes: &[u8]) -> Result<Self, prost::DecodeError>;
}

macro_rules! artifacts {
    ($($type:ty => $maker:ident),*) => {$(
        impl Artifact for $type {
            const MAKER: Service = Service::$maker;
            fn encode(&self) -> Vec<u8> { self.encode_to_vec() }
            fn decode(bytes: &[u8]) -> Result<Self, prost::DecodeError> { Message::decode(bytes) }
        }
    )*};
}
artifacts!(wire::Answers => Inference, wire::Report => Validation);

/// Text by page, before redaction.
#[derive(Debug, Clone, PartialEq)]
pub struct ExtractedText(pub wire::DocumentText);
/// Text by page, clean and redacted.
#[derive(Debug, Clone, PartialEq)]
pub struct SanitizedText(pub wire::DocumentText);

macro_rules! texts {
    ($($type:ident => $maker:ident),*) => {$(
        impl Artifact for $type {
            const MAKER: Service = Service::$maker;
            fn encode(&self) -> Vec<u8> { self.0.encode_to_vec() }
            fn decode(bytes: &[u8]) -> Result<Self, prost::DecodeError> { Message::decode(bytes).map($type) }
        }
    )*};
}
texts!(ExtractedText => Extraction, SanitizedText => Sanitization);

/// The reader of a page whose text was recognised in a picture.
pub const RECOGNISED: &str = "ocr";
/// The reader of a page that nothing could be made of.
pub const UNREAD: &str = "none";

/// SHA-256 in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |four: u8| char::from(DIGITS[usize::from(four & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// The key of an artifact.
pub fn key(tenant: &str, maker: &str, fingerprint: &str) -> String {
    format!("{tenant}/{maker}/{fingerprint}")
}

/// What a stage's work on some inputs will be called before it is done: SHA-256 over the stage, its version, all
/// that can change its output, and the digests of what it reads.
pub fn fingerprint(stage: &str, version: u32, settings: &str, inputs: &[&Claim]) -> String {
    let mut hash = Sha256::new();
    for part in [stage, &version.to_string(), settings] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    for claim in inputs {
        hash.update(&claim.sha256);
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_tell_everything_apart() {
        let (one, two) = (
            Claim { sha256: "a".into(), ..Claim::default() },
            Claim { sha256: "b".into(), ..Claim::default() },
        );
        let base = fingerprint("extraction", 1, "x", &[&one]);
        assert_eq!(base, fingerprint("extraction", 1, "x", &[&one]));
        for other in [
            fingerprint("sanitization", 1, "x", &[&one]),
            fingerprint("extraction", 2, "x", &[&one]),
            fingerprint("extraction", 1, "y", &[&one]),
            fingerprint("extraction", 1, "x", &[&two]),
        ] {
            assert_ne!(base, other);
        }
    }
}
