//! What a child may use: its order, and the counting of what it finds.

use std::ffi::OsString;

use crate::document::{Limit, Page, ReadError};
use crate::formats::is_read;
use crate::pdf::EngineChoice;
use millrace_contract::Pages;
use millrace_media::MediaType;

/// Blocks in a document at most: 200 on each of 5,000 pages.
pub const MAX_BLOCKS: u32 = 1_000_000;

/// Blocks that any document may have, however little text it may.
const FEW_BLOCKS: u64 = 1_000;

/// Blocks are as many as they would be if each had so many bytes of text. A block costs the service some two hundred
/// besides its text, so that blocks of one letter would hide as much from the limit on text. Exceeding it counts as
/// exceeding that limit.
const BYTES_A_BLOCK: u64 = 64;

/// What a child reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A PDF, with this engine.
    Pdf(EngineChoice),
    /// A document of another type, one of [`MediaType::ALL`]. Not even HTML may be read in process: no engine was
    /// seen to crash on it, but 250 kB of nothing but `<div>` take one a minute and a half. Nor tables of values: four
    /// megabytes of nothing but commas take a hundred and ninety.
    Other(&'static MediaType),
    /// A page of a PDF, counted from 1, as a picture.
    Page(u32),
    /// A page of a document that is nothing but pictures, counted from 1.
    Sheet(u32),
}

/// What the name of [`Work::Page`] begins with.
const PAGE: &str = "page-";
/// What the name of [`Work::Sheet`] begins with.
const SHEET: &str = "sheet-";

/// How an order says all pages.
const ALL: &str = "all";

impl Work {
    /// The work on a document of this type; `None` for a PDF, which takes an engine, and for what nobody reads.
    #[must_use]
    pub fn on(media: &MediaType) -> Option<Self> {
        if !is_read(media) {
            return None;
        }
        MediaType::ALL.iter().find(|known| *known == media).map(Self::Other)
    }

    fn name(self) -> String {
        match self {
            Self::Pdf(engine) => engine.name().to_owned(),
            Self::Other(media) => media.name().to_owned(),
            Self::Page(number) => format!("{PAGE}{number}"),
            Self::Sheet(number) => format!("{SHEET}{number}"),
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        if name.contains('/') {
            return Self::on(&MediaType::from(name));
        }
        if let Some(number) = name.strip_prefix(PAGE) {
            return number.parse().ok().map(Self::Page);
        }
        if let Some(number) = name.strip_prefix(SHEET) {
            return number.parse().ok().map(Self::Sheet);
        }
        <EngineChoice as clap::ValueEnum>::from_str(name, false).ok().map(Self::Pdf)
    }
}

/// What a child is told to do, and within what bounds. Travels as its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What to read, and how.
    pub work: Work,
    /// Address space, bytes.
    pub memory_bytes: u64,
    /// Processor time, seconds; 50 ms are added for each page once the pages are counted.
    pub cpu_seconds: u64,
    /// Which pages.
    pub wanted: Pages,
    /// How many pages of a document.
    pub pages: u32,
    /// Bytes of text in a document.
    pub text_bytes: u64,
    /// Documents inside a document.
    pub attachments: u32,
    /// Bytes of all documents inside a document.
    pub attached_bytes: u64,
    /// Whether a password waits for the child, which it is told in another way.
    pub password: bool,
}

impl Order {
    /// The arguments that tell a child this order.
    #[must_use]
    pub fn to_args(&self) -> [String; 9] {
        [
            self.work.name(),
            self.memory_bytes.to_string(),
            self.cpu_seconds.to_string(),
            self.pages.to_string(),
            self.text_bytes.to_string(),
            self.attachments.to_string(),
            self.attached_bytes.to_string(),
            self.password.to_string(),
            self.wanted.to_string(),
        ]
    }

    /// Reads the arguments back. `None` if they are not what [`Order::to_args`] gives.
    #[must_use]
    pub fn from_args(args: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let args: Vec<String> = args.into_iter().map(OsString::into_string).collect::<Result<_, _>>().ok()?;
        let [work, memory, cpu, pages, text, attachments, attached, password, wanted] = args.as_slice()
        else {
            return None;
        };
        Some(Self {
            work: Work::from_name(work)?,
            memory_bytes: memory.parse().ok()?,
            cpu_seconds: cpu.parse().ok()?,
            pages: pages.parse().ok()?,
            text_bytes: text.parse().ok()?,
            attachments: attachments.parse().ok()?,
            attached_bytes: attached.parse().ok()?,
            password: password.parse().ok()?,
            wanted: if wanted == ALL { Pages::default() } else { Pages::read(wanted).ok()? },
        })
    }
}

/// Counts pages and text against their limits. Both ends count: the child to stop early, the parent because
/// it trusts nothing the child says.
#[derive(Debug, Clone, Copy)]
pub struct Meter {
    pages: u32,
    text_bytes: u64,
    blocks: u32,
    attachments: u32,
    attached_bytes: u64,
}

impl Meter {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(pages: u32, text_bytes: u64) -> Self {
        let blocks = (text_bytes / BYTES_A_BLOCK).max(FEW_BLOCKS);
        let blocks = u32::try_from(blocks).unwrap_or(u32::MAX).min(MAX_BLOCKS);
        Self { pages, text_bytes, blocks, attachments: 0, attached_bytes: 0 }
    }

    /// What an order grants, nothing counted yet.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        let Order { attachments, attached_bytes, .. } = *order;
        Self { attachments, attached_bytes, ..Self::new(order.pages, order.text_bytes) }
    }

    /// Counts the pages.
    ///
    /// # Errors
    /// [`Limit::Pages`]
    pub fn total(&self, pages: u32) -> Result<(), ReadError> {
        if pages > self.pages { Err(ReadError::LimitExceeded(Limit::Pages)) } else { Ok(()) }
    }

    /// Counts the text of a page.
    ///
    /// # Errors
    /// [`Limit::Text`]
    pub fn page(&mut self, page: &Page) -> Result<(), ReadError> {
        self.text_bytes = self
            .text_bytes
            .checked_sub((page.text_bytes() + page.hidden_bytes()) as u64)
            .ok_or(ReadError::LimitExceeded(Limit::Text))?;
        let blocks = u32::try_from(page.blocks.len() + page.hidden.len()).unwrap_or(u32::MAX);
        self.blocks = self.blocks.checked_sub(blocks).ok_or(ReadError::LimitExceeded(Limit::Text))?;
        Ok(())
    }
}

impl Meter {
    /// Counts a document inside.
    ///
    /// # Errors
    /// [`Limit::Attachments`]
    pub fn attachment(&mut self) -> Result<(), ReadError> {
        let over = ReadError::LimitExceeded(Limit::Attachments);
        self.attachments = self.attachments.checked_sub(1).ok_or(over)?;
        Ok(())
    }

    /// Counts a piece of one.
    ///
    /// # Errors
    /// [`Limit::Attachments`]
    pub fn piece(&mut self, bytes: usize) -> Result<(), ReadError> {
        let over = ReadError::LimitExceeded(Limit::Attachments);
        self.attached_bytes = self.attached_bytes.checked_sub(bytes as u64).ok_or(over)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_travels_as_arguments() {
        let other = [MediaType::Html, MediaType::Docx, MediaType::Eml]
            .map(|media| Work::on(&media).expect("read apart"));
        let wanted = Pages::read("1-3,7").expect("pages");
        for work in
            [Work::Pdf(EngineChoice::PdfExtract), Work::Page(7), Work::Sheet(1)].into_iter().chain(other)
        {
            let order = Order {
                work,
                memory_bytes: 1,
                cpu_seconds: 2,
                pages: 3,
                text_bytes: 4,
                attachments: 5,
                attached_bytes: 6,
                password: true,
                wanted: wanted.clone(),
            };
            let args = || order.to_args().into_iter().map(OsString::from);
            assert_eq!(Order::from_args(args()), Some(order.clone()));
            assert_eq!(Order::from_args(args().take(8)), None);
            let all = Order { wanted: Pages::default(), ..order };
            assert_eq!(Order::from_args(all.to_args().map(OsString::from)), Some(all));
        }
        assert_eq!(
            Order::from_args(["nobody", "1", "2", "3", "4", "5", "6", "false", "all"].map(OsString::from)),
            None
        );
        assert_eq!(Work::on(&MediaType::Locked), None);
    }

    #[test]
    fn the_meter_stops_at_the_limit() {
        let mut meter = Meter::new(2, 3);
        let page = Page { number: 1, blocks: crate::document::paragraphs("ab"), ..Page::default() };
        assert!(meter.total(2).is_ok() && meter.page(&page).is_ok());
        assert!(matches!(meter.total(3), Err(ReadError::LimitExceeded(Limit::Pages))));
        assert!(matches!(meter.page(&page), Err(ReadError::LimitExceeded(Limit::Text))));
        assert!(matches!(meter.attachment(), Err(ReadError::LimitExceeded(Limit::Attachments))));
        let letters =
            Page { blocks: crate::document::paragraphs(&"a\n\n".repeat(20_000)), ..Page::default() };
        assert!(Meter::new(2, 20_000 * 64).page(&letters).is_ok());
        let many = Meter::new(2, 19_999 * 64).page(&letters);
        assert!(matches!(many, Err(ReadError::LimitExceeded(Limit::Text))), "blocks of little text are many");
        let mut meter = Meter { attachments: 1, attached_bytes: 3, ..meter };
        assert!(meter.attachment().is_ok() && meter.piece(3).is_ok());
        assert!(matches!(meter.attachment(), Err(ReadError::LimitExceeded(Limit::Attachments))));
        assert!(matches!(meter.piece(1), Err(ReadError::LimitExceeded(Limit::Attachments))));
    }
}
