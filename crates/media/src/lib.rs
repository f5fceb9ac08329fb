//! What a document is, by its content. Names and declared types are claims of the sender; they only break
//! ties between kinds of text, which no content can tell apart for certain.
//!
//! The first bytes are enough for most ([`media_type`]). Two kinds of file hold many others, and say which at a place
//! of their own: for those ([`is_container`]) the whole file is asked, [`media_type_of`]. Neither trusts what it
//! reads: the work is bounded whatever the bytes claim.

mod compound;
mod package;
mod text;

pub use text::{Utf16, utf16_without_mark};

use std::io::{self, Read, Seek, SeekFrom};

macro_rules! media_types {
    ($($variant:ident, $name:literal;)*) => {
        /// What reads a document.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum MediaType {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
            /// Nothing here reads it. Holds the type its content shows, `application/octet-stream` if none.
            Unsupported(String),
        }

        impl MediaType {
            /// All that can be read.
            pub const ALL: &'static [MediaType] = &[$(Self::$variant,)*];

            /// The type's registered name.
            #[must_use]
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Unsupported(name) => name,
                }
            }
        }
    };
}

media_types! {
    Pdf, "application/pdf";
    Html, "text/html";
    Markdown, "text/markdown";
    PlainText, "text/plain";
    Csv, "text/csv";
    Rtf, "application/rtf";
    Docx, "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    Pptx, "application/vnd.openxmlformats-officedocument.presentationml.presentation";
    Xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    Odt, "application/vnd.oasis.opendocument.text";
    Odp, "application/vnd.oasis.opendocument.presentation";
    Ods, "application/vnd.oasis.opendocument.spreadsheet";
    Doc, "application/msword";
    Ppt, "application/vnd.ms-powerpoint";
    Xls, "application/vnd.ms-excel";
    // Office documents with a password; which kind is inside the lock.
    Locked, "application/encrypted";
    Eml, "message/rfc822";
    Msg, "application/vnd.ms-outlook";
    Zip, "application/zip";
    Png, "image/png";
    Jpeg, "image/jpeg";
    Tiff, "image/tiff";
    WebP, "image/webp";
    Gif, "image/gif";
}

impl MediaType {
    /// Whether it may hold documents that are jobs of their own.
    #[must_use]
    pub fn holds_documents(&self) -> bool {
        matches!(self, Self::Eml | Self::Msg | Self::Zip)
    }

    /// Whether it is one picture.
    #[must_use]
    pub fn is_image(&self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Tiff | Self::WebP | Self::Gif)
    }
}

impl std::fmt::Display for MediaType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl From<&str> for MediaType {
    /// The type of that registered name, as intake has written it down.
    fn from(name: &str) -> Self {
        let known = Self::ALL.iter().find(|media| media.name() == name);
        known.cloned().unwrap_or_else(|| Self::Unsupported(name.to_owned()))
    }
}

/// How many leading bytes [`media_type`] wants to see; it makes do with fewer.
pub const SNIFF_BYTES: usize = 8192;

/// How far into a file its PDF header may stand. Readers have always searched the first kibibyte.
pub const PDF_HEADER_WITHIN: usize = 1024;

/// The position of the PDF header, if the first kibibyte has one.
#[must_use]
pub fn pdf_header(bytes: &[u8]) -> Option<usize> {
    let window = &bytes[..bytes.len().min(PDF_HEADER_WITHIN + 5)];
    window.windows(5).position(|at| at == b"%PDF-")
}

/// Whether only the whole file tells what it is: a ZIP package or a compound file.
#[must_use]
pub fn is_container(first_bytes: &[u8]) -> bool {
    package::is_zip(first_bytes) || first_bytes.starts_with(&compound::MAGIC)
}

/// Tells what a document is from its first bytes (8 KiB are plenty). `name` is the file's name, if it has
/// one. Of a container it tells which kind of container.
#[must_use]
pub fn media_type(first_bytes: &[u8], name: Option<&str>) -> MediaType {
    if package::is_zip(first_bytes) {
        return MediaType::Zip;
    }
    if first_bytes.starts_with(&compound::MAGIC) {
        return MediaType::Unsupported(compound::NAME.to_owned());
    }
    if first_bytes.starts_with(b"{\\rtf") {
        return MediaType::Rtf;
    }
    if text::is_mail(first_bytes) {
        return MediaType::Eml;
    }
    if pdf_header(first_bytes).is_some() {
        return MediaType::Pdf;
    }
    if let Some(kind) = text::utf16(first_bytes) {
        return text::kind(&String::from_utf8_lossy(&kind.as_ascii(first_bytes)), name);
    }
    // `infer` also knows HTML and XML by their first tag: text is for us to tell apart, so only binary kinds
    // count.
    if let Some(kind) = infer::get(first_bytes)
        && kind.matcher_type() != infer::MatcherType::Text
        // Two letters: many a text begins with them.
        && (kind.mime_type() != "image/bmp" || !text::looks_like_text(first_bytes))
    {
        return MediaType::from(kind.mime_type());
    }
    if first_bytes.is_empty() {
        // Nothing to go by: let the reader for what the name promises say that it is empty.
        return text::by_name(name).unwrap_or(MediaType::PlainText);
    }
    if !text::looks_like_text(first_bytes) {
        return MediaType::Unsupported("application/octet-stream".to_owned());
    }
    text::kind(&String::from_utf8_lossy(first_bytes), name)
}

/// Tells what a whole document is. Reads its first bytes and, of a container, the place where it says what is inside.
///
/// # Errors
/// If the file cannot be read.
pub fn media_type_of(file: &mut (impl Read + Seek), name: Option<&str>) -> io::Result<MediaType> {
    let first = bytes_at(file, 0, SNIFF_BYTES)?;
    if package::is_zip(&first) {
        return package::kind(file, &first);
    }
    if first.starts_with(&compound::MAGIC) {
        return compound::kind(file, &first);
    }
    Ok(media_type(&first, name))
}

/// Up to `most` bytes from a place on; fewer at the end, none behind it.
fn bytes_at(file: &mut (impl Read + Seek), at: u64, most: usize) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The little-endian number of two bytes at a place; `None` behind the end.
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// The little-endian number of four bytes at a place; `None` behind the end.
fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests;
