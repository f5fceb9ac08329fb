//! pdf_oxide: the third opinion, asked only where the other two disagree. Of the three it is the slowest and the one
//! that reads fonts without any Unicode table best.

use ::pdf_oxide::PdfDocument;
use zeroize::Zeroizing;

use super::{Asked, Found, PdfEngine, Sink, Summary};
use crate::document::{Page, ReadError, paragraphs};

/// The engine's name and version, as [`Summary::engine`] gives it.
pub const NAME: &str = "pdf_oxide 0.3.78";

/// pdf_oxide alone.
pub struct Oxide;

impl PdfEngine for Oxide {
    fn read(&self, asked: &Asked<'_>, sink: &mut Sink<'_>) -> Result<Summary, ReadError> {
        let reader = Reader::open(asked)?;
        let numbers = asked.numbers(reader.total)?;
        sink(super::total(&numbers))?;
        let mut incomplete = false;
        for number in numbers {
            let page = reader.page(number).unwrap_or_else(|| {
                incomplete = true;
                Page { number, ..Page::default() }
            });
            sink(Found::Page(page))?;
        }
        Ok(Summary { engine: NAME.to_owned(), incomplete, ..Summary::default() })
    }
}

/// Reads single pages of an open document, in any order.
pub(super) struct Reader {
    document: PdfDocument,
    total: u32,
}

impl Reader {
    /// Opens a document: with the empty password if it has one, else with the one given, be it the user's or the
    /// owner's.
    pub(super) fn open(asked: &Asked<'_>) -> Result<Self, ReadError> {
        let broken = |error: ::pdf_oxide::Error| ReadError::Broken(error.to_string());
        let document = PdfDocument::from_bytes(asked.document.to_vec()).map_err(broken)?;
        // Asked for text without the password it gives none, and calls that a success.
        let opens = |password: &[u8]| document.authenticate(password).unwrap_or(false);
        if document.is_encrypted() && !opens(b"") {
            let password = asked.password.ok_or(ReadError::Encrypted)?;
            if !opens(password.as_bytes()) && !latin(password).is_some_and(|password| opens(&password)) {
                return Err(ReadError::Encrypted);
            }
        }
        let total = document.page_count().map_err(broken)?;
        Ok(Self { document, total: u32::try_from(total).unwrap_or(u32::MAX) })
    }

    /// Reads a page, counted from 1; `None` where it cannot.
    pub(super) fn page(&self, number: u32) -> Option<Page> {
        let text = self.document.extract_text(number.checked_sub(1)? as usize).ok()?;
        Some(Page { number, blocks: paragraphs(&text), ..Page::default() })
    }
}

/// A password as older encryption has it: a byte a letter. `None` if it has no such form.
fn latin(password: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes: Option<Vec<u8>> =
        password.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
    bytes.map(Zeroizing::new)
}
