//! Documents that attack their reader, made rather than kept: most are a few hundred bytes that ask for gigabytes.
//!
//! Each must end within its limits, as text or as a refusal; what it asks for must cost nobody else anything.

mod compounds;
mod html;
mod images;
mod packages;
mod pdf;
mod pictures;
mod texts;

pub use packages::zip;
pub use pdf::{pages, pdf, says, stream, zipped};

/// One attack.
#[derive(Debug, Clone, Copy)]
pub struct Attack {
    /// What it does, as a file name; with its ending where that tells what it is.
    pub name: &'static str,
    /// Its media type.
    pub media: &'static str,
    /// Makes it.
    pub make: fn() -> Vec<u8>,
}

/// A name and what makes it.
type Named = (&'static str, fn() -> Vec<u8>);

/// All of them.
#[must_use]
pub fn attacks() -> Vec<Attack> {
    let of = |media: &'static str, list: &[Named]| -> Vec<Attack> {
        list.iter().map(|&(name, make)| Attack { name, media, make }).collect()
    };
    [
        of("application/pdf", pdf::ATTACKS),
        of("application/pdf", pictures::ATTACKS),
        of("text/html", html::ATTACKS),
        of("image/png", images::PNG),
        of("image/tiff", images::TIFF),
        of("image/jpeg", images::JPEG),
        of("image/gif", images::GIF),
        of("image/webp", images::WEBP),
        of("application/zip", packages::ZIP),
        of("application/vnd.openxmlformats-officedocument.wordprocessingml.document", packages::DOCX),
        of("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", packages::XLSX),
        of("application/vnd.openxmlformats-officedocument.presentationml.presentation", packages::PPTX),
        of("application/vnd.oasis.opendocument.text", packages::ODT),
        of("application/vnd.oasis.opendocument.spreadsheet", packages::ODS),
        of("application/rtf", texts::RTF),
        of("text/csv", texts::CSV),
        of("text/plain", texts::PLAIN),
        of("text/markdown", texts::MARKDOWN),
        of("message/rfc822", texts::EML),
        of("application/vnd.ms-outlook", compounds::MSG),
        of("application/msword", compounds::DOC),
        of("application/vnd.ms-excel", compounds::XLS),
        of("application/vnd.ms-powerpoint", compounds::PPT),
    ]
    .concat()
}
