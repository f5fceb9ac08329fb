//! Marks in RTF: a control word is a control word wherever it stands, so text is enough.

use super::marks::BREAK;

/// The same document with a mark before each page break.
pub(super) fn marked(bytes: &[u8]) -> Vec<u8> {
    // As RTF writes a character by number: signed, sixteen bits, and one letter for readers that do not know.
    let mark =
        format!("{{\\uc1\\u{}?}}", i32::from(u16::try_from(u32::from(BREAK)).unwrap_or_default()) - 65_536);
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&byte| byte == b'\\') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let word = rest[1..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        // An escaped sign stands by itself; after a word, what follows is looked at again.
        let length = (1 + word.max(1)).min(rest.len());
        if &rest[1..=word] == b"page" {
            out.extend_from_slice(mark.as_bytes());
        }
        out.extend_from_slice(&rest[..length]);
        rest = &rest[length..];
    }
    out.extend_from_slice(rest);
    out
}
