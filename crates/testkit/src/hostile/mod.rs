//! Documents that attack their reader, made rather than kept: most are a few hundred bytes that ask for gigabytes.
//!
//! Each must end within its limits, as text or as a refusal; what it asks for must cost nobody else anything.

mod html;
mod images;
mod pdf;
mod pictures;

pub use pdf::{pages, pdf, says, stream, zipped};

/// One attack.
#[derive(Debug, Clone, Copy)]
pub struct Attack {
    /// What it does, as a file name without its ending.
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
    ]
    .concat()
}
