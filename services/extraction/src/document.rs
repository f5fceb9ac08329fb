//! What a document becomes: pages of paragraphs, or the one reason why not.

use std::collections::BTreeMap;

use crate::spool::Spool;
use millrace_contract::Pages;

/// Fewer words than this on a page are a stamp or a page number, not a text layer.
pub const FEW_WORDS: usize = 10;

/// The share of a page that images must cover for it to count as a picture of a page.
pub const MOSTLY_IMAGE: f32 = 0.5;

/// The share of glyphs without a character above which a page's text cannot be trusted.
pub const GARBLED: f32 = 0.2;

/// A paragraph, a table or a list item, as its engine found it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Block {
    /// The text, lines separated by `\n`; never empty, no white space at either end.
    pub text: String,
    /// Where its lines stand on the page; empty where nobody knows.
    pub lines: Vec<Line>,
    /// How it came onto the page.
    pub kind: Kind,
}

/// How text came onto a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    /// It is printed there.
    #[default]
    Printed,
    /// Somebody filled it into a form, and nothing says how it would look in print.
    Field,
    /// Somebody attached it as a note.
    Note,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Printed, Self::Field, Self::Note];

    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Printed => "",
            Self::Field => "field",
            Self::Note => "note",
        }
    }
}

/// An entry of a document's own table of contents.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heading {
    /// From 1.
    pub level: u32,
    /// As it is called.
    pub title: String,
    /// Where it leads; 0 if nowhere.
    pub page: u32,
}

/// What a document says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// Its own table of contents.
    pub outline: Vec<Heading>,
    /// Title, author and the like, by name.
    pub properties: BTreeMap<String, String>,
}

/// A line of a block as it stands on the page, in points (1/72 inch) from the upper left corner of the page as it is
/// shown: cropped and turned.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Line {
    /// Byte of the block's text at which it begins.
    pub start: u32,
    /// Left edge.
    pub x0: f32,
    /// Upper edge.
    pub y0: f32,
    /// Right edge.
    pub x1: f32,
    /// Lower edge.
    pub y1: f32,
}

/// Why a reader of a page does not see a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hidden {
    /// It is not painted, or with paint that nothing is to be seen of.
    Invisible,
    /// It has the colour of what it stands on.
    White,
    /// It is too small to be read.
    Tiny,
    /// It stands outside of the page, or where nothing is shown.
    OffPage,
}

impl Hidden {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Invisible, Self::White, Self::Tiny, Self::OffPage];

    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Invisible => "invisible",
            Self::White => "white",
            Self::Tiny => "tiny",
            Self::OffPage => "off_page",
        }
    }
}

/// One page of a document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// Position in the document, from 1.
    pub number: u32,
    /// Paragraphs in reading order.
    pub blocks: Vec<Block>,
    /// Text that a reader of the page does not see, and why.
    pub hidden: Vec<(Hidden, Block)>,
    /// Share of the page covered by images, 0 to 1. Always 0 for formats without a layout.
    pub image_coverage: f32,
    /// Glyphs the page paints, spaces excluded. 0 where the format or the engine has no glyphs to count.
    pub glyphs: u32,
    /// Of `glyphs`, those whose character could not be determined.
    pub unmapped: u32,
    /// How sure the text is, 0 to 1: how far another engine agrees on the words, or what text recognition says of itself.
    /// Of a page that one engine read alone, how far others of its document were agreed on. `None` where nobody was
    /// asked.
    pub confidence: Option<f32>,
    /// Width as it is shown, points; 0 where the format has no layout.
    pub width: f32,
    /// Height as it is shown, points.
    pub height: f32,
    /// Whether reading it has ended its process: nobody knows what it holds.
    pub lost: bool,
    /// Whether the text was recognised in a picture of the page, rather than held by the document.
    pub recognised: bool,
}

impl Page {
    /// Evidence points at paragraphs by this id, so it must stay the same for the same bytes and settings.
    /// `index` counts from 0, the id from 1: `p3.b1` is the first block of the third page.
    #[must_use]
    pub fn block_id(&self, index: usize) -> String {
        format!("p{}.b{}", self.number, index + 1)
    }

    /// Words on the page, separated by white space. Scripts without spaces count low: compare with care.
    #[must_use]
    pub fn words(&self) -> usize {
        self.blocks.iter().map(|block| block.text.split_whitespace().count()).sum()
    }

    /// Bytes of text on the page.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.text.len()).sum()
    }

    /// Bytes of text that nobody sees.
    #[must_use]
    pub fn hidden_bytes(&self) -> usize {
        self.hidden.iter().map(|(_, block)| block.text.len()).sum()
    }

    /// Whether the page is a picture of text: images cover most of it and it carries next to no text of its
    /// own.
    ///
    /// Glyphs are asked as well as words, so that a page of Chinese over a background picture is not a scan.
    #[must_use]
    pub fn is_scanned(&self) -> bool {
        let printed = || self.blocks.iter().filter(|block| block.kind == Kind::Printed);
        let words: usize = printed().map(|block| block.text.split_whitespace().count()).sum();
        let letters: usize = printed().map(|b| b.text.chars().filter(|c| c.is_alphanumeric()).count()).sum();
        self.image_coverage > MOSTLY_IMAGE && words < FEW_WORDS && letters < FEW_WORDS * 6
    }

    /// Whether the text is in the picture alone: there is none, or none that can be trusted.
    #[must_use]
    pub fn needs_recognition(&self) -> bool {
        !self.recognised && (self.lost || self.is_scanned() || self.is_garbled())
    }

    /// Whether so many glyphs lack a character that the text is likely to be nonsense.
    #[must_use]
    pub fn is_garbled(&self) -> bool {
        self.glyphs > 0 && self.unmapped as f32 / self.glyphs as f32 > GARBLED
    }
}

/// A document that could be read, its pages in memory or elsewhere.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Text<P = Vec<Page>> {
    /// All pages that were wanted, blank ones included, in order.
    pub pages: P,
    /// Which engine's text was kept, with its version: `unpdf 0.52.1`. Several are joined with ` + `.
    pub engine: String,
    /// How far two independent engines agree on the words, 0 to 1 (F1 of the bags of words, page by page).
    /// Below 0.9 about a third of documents had wrong text in one of the two. `None` where only one engine
    /// read.
    pub agreement: Option<f32>,
    /// Whether text is known to be missing: the document names pages, or parts of pages, that nothing could
    /// be made of.
    pub incomplete: bool,
    /// Whether reading was given up after too many deaths of its process: the pages that are lost are not looked at again.
    pub given_up: bool,
    /// Processor time that text recognition took, milliseconds.
    pub ocr_ms: u64,
    /// What it says of itself.
    pub about: About,
    /// The documents inside this one: attachments of a mail, files of an archive.
    pub attached: Vec<Attached>,
}

impl Text {
    /// Leaves out the pages that are not wanted.
    ///
    /// # Errors
    /// [`ReadError::NoSuchPages`]
    pub(crate) fn only(&mut self, wanted: &Pages) -> Result<(), ReadError> {
        let total = u32::try_from(self.pages.len()).unwrap_or(u32::MAX);
        let numbers = chosen(wanted, total)?;
        self.pages.retain(|page| numbers.binary_search(&page.number).is_ok());
        Ok(())
    }
}

impl<P> Text<P> {
    /// The same with other pages.
    pub(crate) fn with<Q>(self, pages: Q) -> Text<Q> {
        let Self { engine, agreement, incomplete, given_up, ocr_ms, about, attached, .. } = self;
        Text { pages, engine, agreement, incomplete, given_up, ocr_ms, about, attached }
    }
}

/// Those that are wanted of so many pages, in order.
///
/// # Errors
/// [`ReadError::NoSuchPages`], if the document has pages and none is wanted.
pub(crate) fn chosen(wanted: &Pages, total: u32) -> Result<Vec<u32>, ReadError> {
    let numbers: Vec<u32> = wanted.up_to(total).collect();
    if numbers.is_empty() && total > 0 { Err(ReadError::NoSuchPages(total)) } else { Ok(numbers) }
}

/// A document inside another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// As it is called inside; may have folders before it, separated by `/`.
    pub name: String,
    /// Its bytes, where they wait until somebody takes them.
    pub content: Spool,
}

/// A limit a document ran into. All are settings, see [`crate::options::Options`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Address space of the child, bytes.
    Memory,
    /// Processor time of the child, seconds.
    Cpu,
    /// Time since the child was started, seconds.
    Wall,
    /// Pages in the document.
    Pages,
    /// Bytes of text in the document.
    Text,
    /// How deep its parts lie in one another: the stack of the child.
    Nesting,
    /// Time to recognise the text of all its pages, seconds.
    Recognition,
    /// Bytes or files that a package unpacks to, in all or for its size.
    Unpacked,
    /// Documents inside the document: how many, how large in all, how deep one in the other.
    Attachments,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Wall => "wall",
            Self::Pages => "pages",
            Self::Text => "text",
            Self::Nesting => "nesting",
            Self::Recognition => "recognition",
            Self::Unpacked => "unpacked",
            Self::Attachments => "attachments",
        })
    }
}

/// Why text recognition did not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unrecognised {
    /// A setting.
    #[error("text recognition is switched off (MILLRACE_EXTRACTION_OCR)")]
    SwitchedOff,
    /// Not installed.
    #[error(
        "text recognition needs tesseract, which is not installed here (Debian: apt install tesseract-ocr)"
    )]
    NoRecogniser,
    /// It looked, and saw no words.
    #[error("text recognition found no words in them")]
    NoWords,
}

/// Why a document has no text. A closed set: each member is an error code with an answer of its own.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A password is needed to open it.
    #[error("the document is encrypted, and no password came with it that could open it")]
    Encrypted,
    /// It is encrypted, and the password that came with it is not the one.
    #[error("the document is encrypted, and the password that came with it does not open it")]
    WrongPassword,
    /// None of the pages asked for is there.
    #[error("the document has {0} pages, and none of those asked for is among them")]
    NoSuchPages(u32),
    /// It claims a format and does not keep to it.
    #[error("the document is broken: {0}")]
    Broken(String),
    /// No bytes, or pages without any text or image to read it from.
    #[error("the document holds no text")]
    Empty,
    /// Pictures of pages, and nothing was recognised in them.
    #[error("the document is scanned: its {pages} pages have no text layer, and {why}")]
    Scanned {
        /// Pages in the document.
        pages: u32,
        /// Why text recognition did not help.
        why: Unrecognised,
    },
    /// Its text must be recognised, which is not done here: another lane does it.
    #[error("the document is scanned: its text is recognised in a lane of its own")]
    ForAnotherLane,
    /// No reader for this format. Holds the media type that its content shows.
    #[error("documents of type {0} are not supported")]
    Unsupported(String),
    /// It asked for more than a document may have.
    #[error("the document exceeds the {0} limit")]
    LimitExceeded(Limit),
    /// The reading process ended without an answer. Holds the signal or exit status, and its last words if
    /// any.
    #[error("the reading process died: {0}")]
    ChildDied(String),
    /// The reading process was stopped as it asked the system for something that reading never takes: a file,
    /// the network, another program. Either the document has taken it over, or an engine has changed.
    #[error("the reading process died: a forbidden system call")]
    Forbidden,
    /// The document could not be handed over, or the process not started: nothing is known about the
    /// document.
    #[error("reading the document failed: {0}")]
    Io(#[from] std::io::Error),
}

/// Splits text into blocks at blank lines. Line breaks inside a block are kept.
#[must_use]
pub fn paragraphs(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut current = String::new();
    for line in text.lines() {
        if line.trim().is_empty() {
            push_block(&mut blocks, &current);
            current.clear();
        } else {
            if !current.is_empty() {
                current.push('\n');
            }
            current.push_str(line);
        }
    }
    push_block(&mut blocks, &current);
    blocks
}

/// Adds a block unless there is nothing in it.
pub(crate) fn push_block(blocks: &mut Vec<Block>, text: &str) {
    let text = text.trim();
    if !text.is_empty() {
        blocks.push(Block { text: text.to_owned(), ..Block::default() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_separate_paragraphs() {
        let blocks = paragraphs("\n\none\ntwo\n \t\n\nthree\r\nfour\n\n");
        let texts: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(texts, ["one\ntwo", "three\nfour"]);
        assert!(paragraphs(" \n\n").is_empty());
    }

    #[test]
    fn ids_count_from_one() {
        let page = Page { number: 3, ..Page::default() };
        assert_eq!(page.block_id(0), "p3.b1");
    }

    #[test]
    fn a_scan_is_image_without_text() {
        let mut page = Page { number: 1, image_coverage: 0.97, ..Page::default() };
        assert!(page.is_scanned());
        page.blocks = paragraphs("Page 1 of 3");
        assert!(page.is_scanned(), "a stamp does not make a text layer");
        page.blocks = paragraphs(&"字".repeat(200));
        assert!(!page.is_scanned(), "one word of 200 letters is text in a script without spaces");
        page.image_coverage = 0.1;
        page.blocks.clear();
        assert!(!page.is_scanned(), "a blank page is not a scan");
    }
}
