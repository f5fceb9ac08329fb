//! pdf-extract: kept for comparison. It panics on about one real document in thirty and can overflow the
//! stack, which is one more reason why every engine runs in a child.

use std::sync::Arc;

use ::pdf_extract::{Document, Error, OutputError, PlainTextOutput, output_doc_page};

use super::{Found, PdfEngine, Sink, Summary};
use crate::document::{Page, ReadError, paragraphs};

/// The engine's name and version, as [`Summary::engine`] gives it.
pub const NAME: &str = "pdf-extract 0.12.1";

/// pdf-extract alone.
pub struct PdfExtract;

impl PdfEngine for PdfExtract {
    fn read(&self, document: &Arc<Vec<u8>>, sink: &mut Sink<'_>) -> Result<Summary, ReadError> {
        let mut pdf = Document::load_mem(document).map_err(reason)?;
        let encrypted = pdf.trailer.has(b"Encrypt") || pdf.was_encrypted();
        if pdf.is_encrypted() {
            // The empty password opens documents that only restrict printing and the like.
            pdf.decrypt("").map_err(reason)?;
        }
        let numbers: Vec<u32> = pdf.get_pages().keys().copied().collect();
        if numbers.is_empty() && encrypted {
            // It takes the empty password for right and then cannot decrypt the page tree.
            return Err(ReadError::Encrypted);
        }
        sink(Found::Total(u32::try_from(numbers.len()).unwrap_or(u32::MAX)))?;
        for number in numbers {
            let mut text = String::new();
            // Its own iteration over pages stops silently at the first page that fails; asked one by one, a
            // page that fails is an answer for the whole document.
            output_doc_page(&pdf, &mut PlainTextOutput::new(&mut text), number).map_err(
                |error| match error {
                    OutputError::PdfError(error) => reason(error),
                    other => ReadError::Broken(format!("page {number}: {other}")),
                },
            )?;
            let blocks = paragraphs(&text);
            sink(Found::Page(Page { number, blocks, ..Page::default() }))?;
        }
        Ok(Summary { engine: NAME.to_owned(), ..Summary::default() })
    }
}

fn reason(error: Error) -> ReadError {
    match error {
        Error::Decryption(_) | Error::InvalidPassword => ReadError::Encrypted,
        other => ReadError::Broken(other.to_string()),
    }
}
