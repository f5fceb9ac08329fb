//! Extraction: bytes in, text by page and paragraph out, hostile documents included.
//!
//! [`reading::read`] is the one entry below the stage. PDF and HTML are parsed in a child process that may die
//! ([`child`]); the formats that cannot hurt are read in process ([`formats`]).

pub mod child;
pub mod confine;
pub mod document;
pub mod formats;
pub mod frames;
pub mod limits;
pub mod pdf;
pub mod reading;

pub use child::child_entry;
pub use document::{Block, Limit, Page, ReadError, Text};
pub use millrace_media::{MediaType, media_type};
pub use reading::{Options, Source, read};

use millrace_contract::artifact::ExtractedText;
use millrace_contract::wire::{self, DocumentText, Extracted, Uploaded};
use millrace_contract::{ErrorCode, Hop, Service};
use millrace_stage::{Content, Document, Job, Result, Stage, StageError, agrees};

/// The stage.
pub struct Extraction {
    options: Options,
}

const _: () = assert!(agrees::<Extraction>());

impl Stage for Extraction {
    const HOP: &'static Hop = Service::Extraction.hop();
    const VERSION: u32 = 1;
    type Settings = Options;
    type Heard = Uploaded;
    type Reads = Document;
    type Says = Extracted;
    type Writes = ExtractedText;

    fn new(options: Options) -> anyhow::Result<Self> {
        for missing in confine::missing() {
            tracing::warn!("documents are read without {missing}, which this system lacks");
        }
        Ok(Self { options })
    }

    fn shaped_by(&self, job: &Job<Uploaded>) -> String {
        // The limits are not in it: a document either keeps them or is refused, and refusals are not reused.
        format!("{:?}\0{}", self.options.pdf_engine, media(job))
    }

    async fn run(
        &self,
        job: &Job<Uploaded>,
        Document(content): Document,
    ) -> Result<(Extracted, ExtractedText)> {
        let mut shown = |page: &Page, of: u32| job.progress("reading the text", page.number, of);
        let read = match &content {
            Content::Memory(bytes) => read(media(job), Source::Bytes(bytes), &self.options, &mut shown),
            Content::File { file, .. } => {
                let file = file.try_clone().map_err(|error| refuse(ReadError::Io(error)))?;
                read(media(job), Source::File(file), &self.options, &mut shown)
            }
        };
        let text = read.map_err(refuse)?;
        let extracted = Extracted {
            pages: u32::try_from(text.pages.len()).unwrap_or(u32::MAX),
            characters: text.pages.iter().map(|page| page.text_bytes() as u64).sum(),
            engine: text.engine,
            agreement: text.agreement.map_or(0.0, f64::from),
            ..Extracted::default()
        };
        let pages = text.pages.into_iter().map(on_the_wire).collect();
        Ok((extracted, ExtractedText(DocumentText { pages, ..DocumentText::default() })))
    }
}

fn media(job: &Job<Uploaded>) -> MediaType {
    job.known.document.as_ref().map_or("", |document| document.media_type.as_str()).into()
}

fn on_the_wire(page: Page) -> wire::Page {
    let blocks = (1..).zip(page.blocks).map(|(number, block)| wire::Block {
        number,
        text: block.text,
        ..wire::Block::default()
    });
    wire::Page { number: page.number, blocks: blocks.collect(), ..wire::Page::default() }
}

/// The code of a failure. Engines' own messages stay out: they may quote the document.
fn refuse(error: ReadError) -> StageError {
    let message = match &error {
        ReadError::Broken(_) => "the file is damaged: no page of it can be read".to_owned(),
        other => other.to_string(),
    };
    let code = match error {
        ReadError::Encrypted => ErrorCode::DocumentEncrypted,
        ReadError::Broken(_) => ErrorCode::DocumentBroken,
        ReadError::Empty => ErrorCode::DocumentEmpty,
        ReadError::Scanned { .. } => ErrorCode::DocumentScanned,
        ReadError::Unsupported(_) => ErrorCode::DocumentTypeUnsupported,
        ReadError::LimitExceeded(_) => ErrorCode::DocumentLimitsExceeded,
        ReadError::ChildDied(_) | ReadError::Forbidden => ErrorCode::ExtractorDied,
        ReadError::Io(_) => ErrorCode::Internal,
    };
    StageError::new(code, message)
}
