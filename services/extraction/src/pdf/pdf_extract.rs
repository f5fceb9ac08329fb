//! pdf-extract: kept for comparison. It panics on about one real document in thirty and can overflow the
//! stack, which is one more reason why every engine runs in a child.

use ::pdf_extract::{Document, Error, LoadOptions, OutputError, PlainTextOutput, output_doc_page};

use super::{Asked, Found, PdfEngine, Sink, Summary};
use crate::document::{Page, ReadError, paragraphs};

/// The engine's name and version, as [`Summary::engine`] gives it.
pub const NAME: &str = "pdf-extract 0.12.1";

/// pdf-extract alone.
pub struct PdfExtract;

impl PdfEngine for PdfExtract {
    fn read(&self, asked: &Asked<'_>, sink: &mut Sink<'_>) -> Result<Summary, ReadError> {
        let mut pdf = load(asked)?;
        let encrypted = pdf.trailer.has(b"Encrypt") || pdf.was_encrypted();
        if pdf.is_encrypted() {
            pdf.decrypt(asked.password.unwrap_or_default()).map_err(reason)?;
        }
        let numbers: Vec<u32> = pdf.get_pages().keys().copied().collect();
        if numbers.is_empty() && encrypted {
            // It takes the empty password for right and then cannot decrypt the page tree.
            return Err(ReadError::Encrypted);
        }
        let numbers = asked.numbers(u32::try_from(numbers.len()).unwrap_or(u32::MAX))?;
        sink(super::total(&numbers))?;
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

/// It looks into an encrypted document only with the password that opens it, and the empty one opens many.
fn load(asked: &Asked<'_>) -> Result<Document, ReadError> {
    let loaded = Document::load_mem(asked.document);
    let opened = loaded.as_ref().is_ok_and(|pdf| !pdf.is_encrypted() && !pdf.get_pages().is_empty());
    match asked.password {
        Some(password) if !opened => {
            Document::load_mem_with_options(asked.document, LoadOptions::with_password(password))
        }
        _ => loaded,
    }
    .map_err(reason)
}

fn reason(error: Error) -> ReadError {
    match error {
        Error::Decryption(_) | Error::InvalidPassword => ReadError::Encrypted,
        other => ReadError::Broken(other.to_string()),
    }
}
