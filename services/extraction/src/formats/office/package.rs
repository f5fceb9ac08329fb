//! Unpacks a package within limits, and packs what holds text again, for an engine that then cannot be surprised.

use std::io::{Cursor, Read as _, Write as _};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::marks::Marks;
use crate::document::{Limit, ReadError};

/// Files in a package. Real ones have dozens, thousands at most.
pub(crate) const MAX_ENTRIES: usize = 20_000;
/// Bytes of all files of a package, unpacked.
pub(crate) const MAX_UNPACKED: u64 = 256 << 20;
/// How many times its own size a package may unpack to. Deflate could do a thousand; spreadsheets of nothing but
/// noughts do a hundred.
pub(crate) const MAX_RATIO: u64 = 250;
/// Up to this size the ratio does not matter.
pub(crate) const ANY_RATIO: u64 = 16 << 20;

/// How much an archive of so many bytes may unpack to.
pub(crate) fn allowance(packed: usize) -> u64 {
    (packed as u64).saturating_mul(MAX_RATIO).clamp(ANY_RATIO, MAX_UNPACKED)
}

/// The same package with its marks, without compression and without what holds no text.
pub(super) fn unpacked(bytes: &[u8], marks: Marks) -> Result<Vec<u8>, ReadError> {
    let broken = |error: ZipError| match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => ReadError::Encrypted,
        _ => ReadError::Broken("not a readable package".to_owned()),
    };
    let over = || ReadError::LimitExceeded(Limit::Unpacked);
    let mut package = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if package.len() > MAX_ENTRIES {
        return Err(over());
    }
    let mut left = allowance(bytes.len());
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for at in 0..package.len() {
        let mut file = package.by_index(at).map_err(broken)?;
        let name = file.name().to_owned();
        if file.is_dir() || !has_text(&name) {
            continue;
        }
        let mut content = Vec::new();
        // What it says of its size is not asked. A file that breaks off is given as far as it goes: the engine
        // knows which ones it can do without.
        let cut = file.by_ref().take(left + 1).read_to_end(&mut content).is_err();
        left = left.checked_sub(content.len() as u64).ok_or_else(over)?;
        let content = if cut { content } else { marks.write(&name, content) };
        // A name that stands in it twice: the first one counts, as it does for the engine.
        if out.start_file(name, stored).is_ok() {
            out.write_all(&content)?;
        }
    }
    Ok(out.finish().map_err(broken)?.into_inner())
}

/// Whether a part may hold text, or say where it stands. Pictures, fonts, macros and embedded objects do not.
fn has_text(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let ends = |end: &str| lower.ends_with(end);
    let binary = ends(".bin") && lower.starts_with("xl/") && !lower.contains("embeddings/");
    lower == "mimetype" || ends(".xml") || ends(".rels") || ends(".vml") || binary
}
