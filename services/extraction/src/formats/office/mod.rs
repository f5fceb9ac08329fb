//! Office documents: Word, PowerPoint and Excel in both their forms, OpenDocument and RTF.
//!
//! `anydoc` reads them. Two things it does not do are done here. Pages: it drops page breaks and where slides
//! begin, which reports cite by, so marks are written into the document before it is read ([`marks`]) and taken out
//! again behind it ([`render`]). Limits: a package is unpacked within limits of ours ([`package`]), pictures and all
//! else without text left out, before anything is made of it.

mod marks;
pub(super) mod package;
mod render;
mod rtf;

use anydoc::{ConvertError, Format};
use millrace_media::MediaType;

use crate::document::{Limit, ReadError, Text};

/// The engine's name and version.
pub(crate) const NAME: &str = "anydoc 0.2.4";

/// A document of this type, if it is one that is read here.
pub(crate) fn format(media: &MediaType) -> Option<Format> {
    Some(match media {
        MediaType::Docx => Format::Docx,
        MediaType::Pptx => Format::Pptx,
        MediaType::Xlsx | MediaType::Xls => Format::Excel,
        MediaType::Odt => Format::Odt,
        MediaType::Odp => Format::Odp,
        MediaType::Ods => Format::Ods,
        MediaType::Rtf => Format::Rtf,
        MediaType::Doc => Format::Doc,
        MediaType::Ppt => Format::Ppt,
        _ => return None,
    })
}

/// Reads a document of this type. Slides and sheets are pages; documents have the pages that their page breaks make.
///
/// # Errors
/// [`ReadError::Unsupported`] for any other type; [`ReadError::Encrypted`], [`ReadError::Broken`],
/// [`ReadError::Empty`], [`ReadError::LimitExceeded`].
pub fn office(bytes: &[u8], media: &MediaType) -> Result<Text, ReadError> {
    let Some(format) = format(media) else { return Err(ReadError::Unsupported(media.to_string())) };
    let document = match format {
        Format::Docx | Format::Pptx | Format::Excel | Format::Odt | Format::Odp | Format::Ods
            if *media != MediaType::Xls =>
        {
            anydoc::to_document(&package::unpacked(bytes, marks::of(format))?, format)
        }
        Format::Rtf => anydoc::to_document(&rtf::marked(bytes), format),
        _ => anydoc::to_document(bytes, format),
    };
    let document = document.map_err(refused)?;
    let sheets = matches!(format, Format::Excel | Format::Ods);
    let pages = render::pages(&document, sheets);
    if pages.iter().all(|page| page.blocks.is_empty()) {
        return Err(ReadError::Empty);
    }
    Ok(Text { pages, engine: NAME.to_owned(), ..Text::default() })
}

/// The engine's words stay out but for the part it found fault with: the rest may quote the document.
fn refused(error: ConvertError) -> ReadError {
    match error {
        ConvertError::Encrypted => ReadError::Encrypted,
        ConvertError::ResourceLimit { .. } => ReadError::LimitExceeded(Limit::Unpacked),
        other => ReadError::Broken(format!("{NAME}: {}", other.code())),
    }
}

#[cfg(test)]
mod tests;
