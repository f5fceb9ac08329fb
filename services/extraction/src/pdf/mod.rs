//! Text out of PDFs. Several engines stand behind one trait, because none of them is right alone: see
//! `docs/decisions/0010-three-engines-vote.md`. All of this runs in the child process and may die there.

mod about;
pub mod auto;
pub mod boxes;
mod colour;
pub mod columns;
pub mod doubt;
pub mod glyphs;
mod ground;
pub mod hayro;
pub mod layout;
pub mod markers;
pub mod oxide;
pub mod pdf_extract;
mod remarks;
mod strings;
pub mod unpdf;
pub mod vote;
pub mod words;

use std::sync::Arc;

use crate::document::{About, Page, ReadError, chosen};
use crate::formats::Inside;
use millrace_contract::Pages;
use millrace_mapped::Mapped;
use millrace_media::pdf_header;

/// Which engine reads PDFs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum EngineChoice {
    /// three that vote: hayro on every page, unpdf where it is in doubt, pdf_oxide where those two differ
    #[default]
    Auto,
    /// unpdf alone
    Unpdf,
    /// the text device over hayro-interpret alone
    Hayro,
    /// pdf_oxide alone
    PdfOxide,
    /// pdf-extract alone: panics on one document in thirty and garbles more; for comparison
    PdfExtract,
}

impl EngineChoice {
    /// The name to give on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Unpdf => "unpdf",
            Self::Hayro => "hayro",
            Self::PdfOxide => "pdf-oxide",
            Self::PdfExtract => "pdf-extract",
        }
    }

    /// The engine itself.
    #[must_use]
    pub fn engine(self) -> Box<dyn PdfEngine> {
        match self {
            Self::Auto => Box::new(auto::Auto),
            Self::Unpdf => Box::new(unpdf::Unpdf),
            Self::Hayro => Box::new(hayro::Hayro),
            Self::PdfOxide => Box::new(oxide::Oxide),
            Self::PdfExtract => Box::new(pdf_extract::PdfExtract),
        }
    }
}

/// What an engine reports while it reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// How many pages will come; comes once, before any page.
    Total(u32),
    /// A page. They come in order; none that is wanted is left out, blank ones included.
    Page(Page),
    /// A document inside. No PDF engine finds one.
    Attached(Inside),
}

/// What is known of the whole document after its last page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// Which engine's text was kept, see [`crate::document::Text::engine`].
    pub engine: String,
    /// How far two engines agree, see [`crate::document::Text::agreement`].
    pub agreement: Option<f32>,
    /// Whether text is known to be missing, see [`crate::document::Text::incomplete`].
    pub incomplete: bool,
    /// What the document says of itself.
    pub about: About,
}

/// What an engine is asked to read.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The document; its header stands at its first byte.
    pub document: &'a Arc<Mapped>,
    /// What opens it, if it is encrypted and the empty password does not.
    pub password: Option<&'a str>,
    /// Which pages.
    pub wanted: &'a Pages,
}

impl Asked<'_> {
    /// The pages to read, of as many as the document has.
    ///
    /// # Errors
    /// [`ReadError::NoSuchPages`]
    fn numbers(&self, total: u32) -> Result<Vec<u32>, ReadError> {
        chosen(self.wanted, total)
    }
}

/// As the sink is told how many pages there will be.
fn total(numbers: &[u32]) -> Found {
    Found::Total(u32::try_from(numbers.len()).unwrap_or(u32::MAX))
}

/// Takes what an engine finds. An error stops the engine and becomes its answer.
pub type Sink<'a> = dyn FnMut(Found) -> Result<(), ReadError> + 'a;

/// Reads the text of PDFs.
pub trait PdfEngine {
    /// Reads a document page by page into `sink`.
    ///
    /// # Errors
    /// [`ReadError::Encrypted`], with a wrong password as without one, [`ReadError::Broken`], [`ReadError::Empty`], and whatever the sink answers.
    fn read(&self, asked: &Asked<'_>, sink: &mut Sink<'_>) -> Result<Summary, ReadError>;
}

/// Cuts what stands before the PDF header: offsets in the file count from the header for the engines.
///
/// # Errors
/// [`ReadError::Empty`] without any byte, [`ReadError::Broken`] without a header in the first kibibyte.
pub fn cut_to_header(document: Mapped) -> Result<Mapped, ReadError> {
    if document.is_empty() {
        return Err(ReadError::Empty);
    }
    let at = pdf_header(&document)
        .ok_or_else(|| ReadError::Broken("no PDF header in the first kibibyte".to_owned()))?;
    Ok(document.skip(at))
}
