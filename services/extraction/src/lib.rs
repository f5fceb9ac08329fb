//! Extraction: bytes in, text by page and paragraph out, hostile documents included.
//!
//! [`reading::read`] is the one entry below the stage. Documents are parsed in a child process that may die
//! ([`child`]), but for texts so small that they cannot hurt ([`formats`]).

mod apart;
mod artifact;
pub mod child;
pub mod confine;
pub mod document;
pub mod formats;
pub mod frames;
mod inside;
pub mod limits;
pub mod ocr;
mod options;
pub mod password;
pub mod pdf;
pub mod picture;
pub mod pile;
pub mod reading;
pub mod spool;

pub use child::child_entry;
pub use document::{About, Block, Heading, Hidden, Kind, Limit, Page, ReadError, Text};
pub use millrace_media::{MediaType, media_type};
pub use ocr::{OcrChoice, Recogniser};
pub use options::Options;
pub use password::Password;
pub use pile::{Note, Pile};
pub use reading::{Source, read, read_whole};

use millrace_contract::artifact::{ExtractedText, sha256_hex};
use millrace_contract::pages::PAGES;
use millrace_contract::wire::{Extracted, Uploaded};
use millrace_contract::{ErrorCode, Hop, Pages, Service};
use millrace_stage::{Content, Document, Job, Result, Stage, StageError, Written, agrees};

/// The side lane in which text is recognised; see the choreography.
const OCR_LANE: &str = "ocr";

/// The stage.
pub struct Extraction {
    options: Options,
    passwords: password::Opener,
}

const _: () = assert!(agrees::<Extraction>());

impl Stage for Extraction {
    const HOP: &'static Hop = Service::Extraction.hop();
    const VERSION: u32 = 7;
    type Settings = Options;
    type Heard = Uploaded;
    type Reads = Document;
    type Says = Extracted;
    type Writes = Written<ExtractedText>;

    fn new(options: Options) -> anyhow::Result<Self> {
        for missing in confine::missing() {
            tracing::warn!("documents are read without {missing}, which this system lacks");
        }
        let passwords = password::Opener::new(options.password_key_file.as_deref())?;
        Ok(Self { options: options.found(), passwords })
    }

    fn shaped_by(&self, job: &Job<Uploaded>) -> String {
        // The limits are not in it: a document either keeps them or is refused, and refusals are not reused.
        let recogniser = self.options.recogniser.as_ref().map(Recogniser::shape).unwrap_or_default();
        // What is inside becomes jobs that name this one as their parent: nobody else's work.
        let own = if media(job).holds_documents() { job.known.id.as_str() } else { "" };
        // Sealed anew for every upload: what a password has opened is found by its own job alone.
        let sealed = job.heard.password.as_ref().map(|sealed| sha256_hex(&sealed.secret)).unwrap_or_default();
        let media = media(job);
        format!(
            "{:?}\0{media}\0{recogniser}\0{:?}\0{own}\0{sealed}\0{}",
            self.options.pdf_engine,
            language(job),
            pages(job)
        )
    }

    async fn run(
        &self,
        job: &Job<Uploaded>,
        Document(content): Document,
    ) -> Result<(Extracted, Written<ExtractedText>)> {
        let wanted = Pages::read(&pages(job)).unwrap_or_default();
        let mut shown = |page: &Page, of: u32| {
            let doing = if page.recognised { "recognising the text" } else { "reading the text" };
            job.progress(doing, wanted.count(page.number), of);
        };
        let options = Options {
            language: language(job),
            wanted: wanted.clone(),
            password: self.passwords.open(job.heard.password.as_ref(), &job.known)?,
            ..inside::within(&job.known, &self.options)
        };
        let read = match &content {
            Content::Memory(bytes) => read(media(job), Source::Bytes(bytes), &options, &mut shown),
            Content::File { file, .. } => {
                let file = file.try_clone().map_err(|error| refuse(ReadError::Io(error)))?;
                read(media(job), Source::File(file), &options, &mut shown)
            }
        };
        let text = read.map_err(refuse)?;
        let notes = text.pages.notes();
        let extracted = Extracted {
            pages: count(notes, |_| true),
            characters: notes.iter().map(|page| page.text_bytes).sum(),
            engine: text.engine.clone(),
            agreement: text.agreement.map_or(0.0, f64::from),
            children: inside::attach(job, &text.attached, &options, &self.passwords).await?,
            ocr_pages: count(notes, |page| page.recognised),
            ocr_ms: text.ocr_ms,
            hidden_blocks: notes.iter().map(|page| page.hidden).sum(),
            unread_pages: count(notes, |page| page.unread),
        };
        Ok((extracted, artifact::written(text).map_err(|error| refuse(ReadError::Io(error)))?))
    }
}

fn media(job: &Job<Uploaded>) -> MediaType {
    job.known.document.as_ref().map_or("", |document| document.media_type.as_str()).into()
}

/// What the sender says of the document's language.
fn language(job: &Job<Uploaded>) -> Option<String> {
    job.known.metadata.get("language").cloned()
}

/// Which pages the sender asks for; nothing means all. Intake has let nothing else pass.
fn pages(job: &Job<Uploaded>) -> String {
    job.known.metadata.get(PAGES).cloned().unwrap_or_default()
}

fn count(pages: &[Note], which: impl Fn(&Note) -> bool) -> u32 {
    u32::try_from(pages.iter().filter(|page| which(page)).count()).unwrap_or(u32::MAX)
}

/// The code of a failure. Engines' own messages stay out: they may quote the document.
fn refuse(error: ReadError) -> StageError {
    let message = match &error {
        ReadError::Broken(_) => "the file is damaged: no page of it can be read".to_owned(),
        other => other.to_string(),
    };
    let for_another = matches!(error, ReadError::ForAnotherLane);
    let code = match error {
        ReadError::Encrypted => ErrorCode::DocumentEncrypted,
        ReadError::WrongPassword => ErrorCode::DocumentPasswordWrong,
        ReadError::NoSuchPages(_) => ErrorCode::PagesInvalid,
        ReadError::Broken(_) => ErrorCode::DocumentBroken,
        ReadError::Empty => ErrorCode::DocumentEmpty,
        ReadError::Scanned { .. } => ErrorCode::DocumentScanned,
        ReadError::Unsupported(_) => ErrorCode::DocumentTypeUnsupported,
        ReadError::LimitExceeded(_) => ErrorCode::DocumentLimitsExceeded,
        ReadError::ForAnotherLane => ErrorCode::DocumentScanned,
        ReadError::ChildDied(_) | ReadError::Forbidden => ErrorCode::ExtractorDied,
        ReadError::Io(_) => ErrorCode::Internal,
    };
    let failed = StageError::new(code, message);
    if for_another { failed.for_lane(OCR_LANE) } else { failed }
}
