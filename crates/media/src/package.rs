//! ZIP packages: office documents, and archives. What one is stands in the table of contents at its end.

use std::io::{self, Read, Seek, SeekFrom};

use crate::{MediaType, bytes_at, u16_at, u32_at};

/// The end record and the longest comment that may follow it.
const END: u64 = 22 + 65_535;
/// How much of the table of contents is looked at: some ten thousand names. Office packages have a few dozen.
const CONTENTS: usize = 1 << 20;
/// In place of a number that stands in a record of its own, because it is too large.
const ELSEWHERE: u32 = u32::MAX;

pub(crate) fn is_zip(first: &[u8]) -> bool {
    first.starts_with(b"PK\x03\x04") || first.starts_with(b"PK\x05\x06")
}

pub(crate) fn kind(file: &mut (impl Read + Seek), first: &[u8]) -> io::Result<MediaType> {
    if let Some(mimetype) = mimetype(first) {
        return Ok(open_document(mimetype));
    }
    let mut office = None;
    let mut parts = false;
    let contents = contents(file)?;
    for name in names(&contents) {
        match name {
            b"[Content_Types].xml" => parts = true,
            b"META-INF/MANIFEST.MF" => return Ok(unsupported("application/java-archive")),
            b"AndroidManifest.xml" => return Ok(unsupported("application/vnd.android.package-archive")),
            _ => {}
        }
        office = office.or_else(|| by_part(name));
    }
    Ok(match (parts, office) {
        (true, Some(office)) => office,
        (true, None) => unsupported("application/vnd.openxmlformats-package"),
        // Folders of these names may lie in any archive.
        (false, _) => MediaType::Zip,
    })
}

fn unsupported(name: &str) -> MediaType {
    MediaType::Unsupported(name.to_owned())
}

/// The main part of an office document, at the place that every program writes it to.
fn by_part(name: &[u8]) -> Option<MediaType> {
    match name {
        b"word/document.xml" | b"word/document2.xml" => Some(MediaType::Docx),
        b"ppt/presentation.xml" => Some(MediaType::Pptx),
        b"xl/workbook.xml" | b"xl/workbook.bin" => Some(MediaType::Xlsx),
        _ => None,
    }
}

/// What an OpenDocument says of itself: its first file, stored as it is.
fn mimetype(first: &[u8]) -> Option<&str> {
    let (method, size) = (u16_at(first, 8)?, u32_at(first, 22)? as usize);
    let (name, extra) = (usize::from(u16_at(first, 26)?), usize::from(u16_at(first, 28)?));
    if method != 0 || first.get(30..30 + name)? != b"mimetype" {
        return None;
    }
    let at = 30 + name + extra;
    // A size of nought stands behind the content, for those who write in one go.
    let end = if size == 0 { first.len().min(at + 100) } else { at.checked_add(size)? };
    let content = first.get(at..end)?;
    let text = content.split(|byte| !byte.is_ascii_graphic()).next()?;
    let text = text.windows(2).position(|pair| pair == b"PK").map_or(text, |end| &text[..end]);
    std::str::from_utf8(text).ok().filter(|text| text.starts_with("application/"))
}

fn open_document(mimetype: &str) -> MediaType {
    let kind = MediaType::from(mimetype.strip_suffix("-template").unwrap_or(mimetype));
    match kind {
        MediaType::Odt | MediaType::Odp | MediaType::Ods => kind,
        _ => unsupported(&mimetype.chars().take(100).collect::<String>()),
    }
}

/// The beginning of the table of contents; empty if there is none to be found.
fn contents(file: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
    let size = file.seek(SeekFrom::End(0))?;
    let from = size.saturating_sub(END);
    let tail = bytes_at(file, from, usize::try_from(END).unwrap_or(usize::MAX))?;
    let Some(end) = tail.windows(4).rposition(|at| at == b"PK\x05\x06") else { return Ok(Vec::new()) };
    let (Some(length), Some(offset)) = (u32_at(&tail, end + 12), u32_at(&tail, end + 16)) else {
        return Ok(Vec::new());
    };
    // Something may stand before the archive, so that its own offsets are too small: it ends where its end record
    // begins. Where it is too large to say how long it is, the offset has to do.
    let end = from + end as u64;
    let begin =
        if length == ELSEWHERE || offset == ELSEWHERE { None } else { end.checked_sub(length.into()) };
    match begin {
        Some(begin) => bytes_at(file, begin, CONTENTS.min(length as usize)),
        None => zip64(file, &tail[..usize::try_from(end - from).unwrap_or(0)]),
    }
}

/// The table of contents of an archive of more than four gibibytes or 65,535 files.
fn zip64(file: &mut (impl Read + Seek), before_end: &[u8]) -> io::Result<Vec<u8>> {
    let Some(record) = before_end.windows(4).rposition(|at| at == b"PK\x06\x06") else {
        return Ok(Vec::new());
    };
    let at = record + 48;
    match before_end.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()) {
        Some(offset) => bytes_at(file, u64::from_le_bytes(offset), CONTENTS),
        None => Ok(Vec::new()),
    }
}

/// The names in a table of contents, as far as it keeps to its form.
fn names(contents: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = contents;
    std::iter::from_fn(move || {
        if !rest.starts_with(b"PK\x01\x02") {
            return None;
        }
        let length = |at| u16_at(rest, at).map(usize::from);
        let (name, extra, comment) = (length(28)?, length(30)?, length(32)?);
        let found = rest.get(46..46 + name)?;
        rest = rest.get(46 + name + extra + comment..).unwrap_or_default();
        Some(found)
    })
}
