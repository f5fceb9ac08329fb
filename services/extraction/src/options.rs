//! How documents are read, and what one may cost: the settings of the stage.

use std::path::{Path, PathBuf};

use crate::limits::{Order, Work};
use crate::ocr::{OcrChoice, Recogniser};
use crate::password::Password;
use crate::pdf::EngineChoice;
use millrace_contract::Pages;

/// How documents are read, and what one may cost.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
#[group(skip)]
pub struct Options {
    /// Which engine reads PDFs
    #[arg(long, env = "MILLRACE_EXTRACTION_PDF_ENGINE", value_enum, default_value_t)]
    pub pdf_engine: EngineChoice,
    /// Address space of the process that reads one document, MiB; the document itself is not counted
    #[arg(long, env = "MILLRACE_EXTRACTION_MAX_MEMORY_MIB", default_value_t = 1024,
        value_parser = clap::value_parser!(u64).range(256..))]
    pub max_memory_mib: u64,
    /// Processor time for one document, seconds; 50 ms are added for each of its pages
    #[arg(long, env = "MILLRACE_EXTRACTION_MAX_CPU_SECONDS", default_value_t = 20,
        value_parser = clap::value_parser!(u64).range(1..))]
    pub max_cpu_seconds: u64,
    /// Time for one document, seconds, however busy the machine is
    #[arg(long, env = "MILLRACE_EXTRACTION_MAX_WALL_SECONDS", default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..86_400))]
    pub max_wall_seconds: u64,
    /// Pages in one document
    #[arg(long, env = "MILLRACE_EXTRACTION_MAX_PAGES", default_value_t = 5000)]
    pub max_pages: u32,
    /// Text in one document, bytes of UTF-8
    #[arg(long, env = "MILLRACE_EXTRACTION_MAX_TEXT_BYTES", default_value_t = 20_000_000,
        value_parser = clap::value_parser!(u64).range(..2_000_000_000))]
    pub max_text_bytes: u64,
    /// Where the text of scanned pages is recognised
    #[arg(long, env = "MILLRACE_EXTRACTION_OCR", value_enum, default_value_t)]
    pub ocr: OcrChoice,
    /// Time to recognise the text of one document's pages, seconds; a page takes one to three
    #[arg(long, env = "MILLRACE_EXTRACTION_MAX_OCR_SECONDS", default_value_t = 1500,
        value_parser = clap::value_parser!(u64).range(1..86_400))]
    pub max_ocr_seconds: u64,
    /// The program that recognises text, by name or path
    #[arg(long, env = "MILLRACE_EXTRACTION_TESSERACT", default_value = "tesseract")]
    pub tesseract: PathBuf,
    /// That program, once found: see [`Options::found`].
    #[arg(skip)]
    pub recogniser: Option<Recogniser>,
    /// What the sender says of the document's language, ISO 639-1: text recognition begins with it.
    #[arg(skip)]
    pub language: Option<String>,
    /// File with the secret keys that open the passwords of documents, the newest first; intake has the public half
    #[arg(long, env = "MILLRACE_PASSWORD_KEY_FILE")]
    pub password_key_file: Option<PathBuf>,
    /// What opens the document, if it is encrypted.
    #[arg(skip)]
    pub password: Option<Password>,
    /// Which pages of the document are read.
    #[arg(skip)]
    pub wanted: Pages,
    /// Documents inside one document: attachments of a mail, files of an archive
    #[arg(long, env = "MILLRACE_EXTRACTION_MAX_ATTACHMENTS", default_value_t = 100)]
    pub max_attachments: u32,
    /// Documents inside one document, bytes of all of them
    #[arg(long, env = "MILLRACE_EXTRACTION_MAX_ATTACHED_BYTES", default_value_t = 256 << 20)]
    pub max_attached_bytes: u64,
    /// How many documents a document may be inside of and still have the ones inside it read
    #[arg(long, env = "MILLRACE_EXTRACTION_MAX_DEPTH", default_value_t = 3)]
    pub max_depth: u32,
    /// Documents inside one upload, at any depth
    #[arg(long, env = "MILLRACE_EXTRACTION_MAX_DOCUMENTS", default_value_t = 1000)]
    pub max_documents: u32,
    /// The program to start as the reading process; this program where `None`. It must call
    /// [`crate::child_entry`] first thing. For tests, whose own program does not.
    #[arg(skip)]
    pub child_program: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pdf_engine: EngineChoice::Auto,
            max_memory_mib: 1024,
            max_cpu_seconds: 20,
            max_wall_seconds: 60,
            max_pages: 5000,
            max_text_bytes: 20_000_000,
            ocr: OcrChoice::Here,
            max_ocr_seconds: 1500,
            tesseract: "tesseract".into(),
            recogniser: None,
            language: None,
            password_key_file: None,
            password: None,
            wanted: Pages::default(),
            max_attachments: 100,
            max_attached_bytes: 256 << 20,
            max_depth: 3,
            max_documents: 1000,
            child_program: None,
        }
    }
}

impl Options {
    /// The same, with the program that recognises text looked for: once for all documents.
    #[must_use]
    pub fn found(mut self) -> Self {
        self.recogniser = if self.ocr == OcrChoice::Here { Recogniser::find(&self.tesseract) } else { None };
        self
    }

    // Not `current_exe()`: an upgrade in place renames the file, while this still finds the running program.
    pub(crate) fn program(&self) -> &Path {
        self.child_program.as_deref().unwrap_or(Path::new("/proc/self/exe"))
    }

    /// What a child may use for `work`.
    pub(crate) fn order(&self, work: Work) -> Order {
        Order {
            work,
            memory_bytes: self.max_memory_mib.saturating_mul(1 << 20),
            cpu_seconds: self.max_cpu_seconds,
            wanted: self.wanted.clone(),
            pages: self.max_pages,
            text_bytes: self.max_text_bytes,
            attachments: self.max_attachments,
            attached_bytes: self.max_attached_bytes,
            password: self.password.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_and_default_agree() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            options: Options,
        }
        let line = <Line as clap::Parser>::try_parse_from(["extraction"]).expect("no argument is needed");
        assert_eq!(line.options, Options::default());
    }
}
