//! What a stage leaves, as it is stored: the event it says, and behind it the artifact, which may be long and is never
//! held for that.

use millrace_contract::wire::fact::Kind;
use millrace_contract::wire::{Fact, StageOutput};
use millrace_stage::Content;
use prost::Message as _;
use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};
use std::io::{self, Read, Seek as _, Write as _};

/// The numbers of the fields of [`StageOutput`].
const FACT: u32 = 1;
const BODY: u32 = 2;

/// An event is no longer than a message may be, bytes.
const LONGEST: u64 = 1 << 20;

/// The bytes of a [`StageOutput`] of this event and this artifact.
pub(crate) fn stored(fact: Kind, body: Content) -> io::Result<Content> {
    let fact = Fact { kind: Some(fact) };
    let mut front = StageOutput { fact: Some(fact), body: Vec::new() }.encode_to_vec();
    if body.size() > 0 {
        encode_key(BODY, WireType::LengthDelimited, &mut front);
        encode_varint(body.size(), &mut front);
    }
    match body {
        Content::Memory(bytes) => {
            front.extend_from_slice(&bytes);
            Ok(Content::Memory(front.into()))
        }
        Content::File { file: mut body, size } => {
            let mut file = tempfile::tempfile()?;
            file.write_all(&front)?;
            body.rewind()?;
            io::copy(&mut body, &mut file)?;
            file.rewind()?;
            Ok(Content::File { file, size: size + front.len() as u64 })
        }
    }
}

/// The event of stored output; `None` if it is no such thing.
pub(crate) fn fact(stored: &mut Content) -> Option<Kind> {
    let mut front = Vec::new();
    match stored {
        Content::Memory(bytes) => bytes.as_ref().take(LONGEST).read_to_end(&mut front).ok()?,
        Content::File { file, .. } => {
            file.rewind().ok()?;
            file.take(LONGEST).read_to_end(&mut front).ok()?
        }
    };
    let mut rest = front.as_slice();
    if decode_key(&mut rest).ok()? != (FACT, WireType::LengthDelimited) {
        return None;
    }
    let length = usize::try_from(decode_varint(&mut rest).ok()?).ok()?;
    Fact::decode(rest.get(..length)?).ok()?.kind
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_contract::wire::Extracted;

    #[test]
    fn output_is_stored_as_the_message_it_is() {
        let kind = Kind::Extracted(Extracted { pages: 7, ..Extracted::default() });
        for body in [Vec::new(), vec![1, 2, 3], vec![9; 700_000]] {
            let fact = Some(Fact { kind: Some(kind.clone()) });
            let whole = StageOutput { fact, body: body.clone() }.encode_to_vec();
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&body).unwrap();
            let size = body.len() as u64;
            for content in [Content::Memory(body.clone().into()), Content::File { file, size }] {
                let mut stored = stored(kind.clone(), content).unwrap();
                assert_eq!(super::fact(&mut stored), Some(kind.clone()));
                assert_eq!(stored.size(), whole.len() as u64);
                assert_eq!(stored.into_bytes().unwrap(), whole);
            }
        }
        for no in [&b""[..], b"\x12\x01a", b"\x0a\xff\xff\xff\x7f", b"\x0a\x02\xff\xff"] {
            assert_eq!(fact(&mut Content::Memory(no.into())), None, "{no:?}");
        }
    }
}
