//! What a child may use: its order, and the counting of what it finds.

use std::ffi::OsString;

use crate::document::{Limit, Page, ReadError};
use crate::pdf::EngineChoice;

/// Blocks in a document: 200 on each of 5,000 pages. Each costs some forty bytes besides its text, so a
/// million blocks of one letter would hide forty megabytes from the limit on text. Exceeding it counts as
/// exceeding that limit.
pub const MAX_BLOCKS: u32 = 1_000_000;

/// What a child reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A PDF, with this engine.
    Pdf(EngineChoice),
    /// HTML. No engine was seen to crash on it, but 250 kB of nothing but `<div>` take one a minute and a
    /// half.
    Html,
    /// A page of a PDF, counted from 1, as a picture.
    Page(u32),
}

/// What the name of [`Work::Page`] begins with.
const PAGE: &str = "page-";

impl Work {
    fn name(self) -> String {
        match self {
            Self::Pdf(engine) => engine.name().to_owned(),
            Self::Html => "html".to_owned(),
            Self::Page(number) => format!("{PAGE}{number}"),
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        if name == "html" {
            return Some(Self::Html);
        }
        if let Some(number) = name.strip_prefix(PAGE) {
            return number.parse().ok().map(Self::Page);
        }
        <EngineChoice as clap::ValueEnum>::from_str(name, false).ok().map(Self::Pdf)
    }
}

/// What a child is told to do, and within what bounds. Travels as its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// What to read, and how.
    pub work: Work,
    /// Address space, bytes.
    pub memory_bytes: u64,
    /// Processor time, seconds; 50 ms are added for each page once the pages are counted.
    pub cpu_seconds: u64,
    /// Pages in a document.
    pub pages: u32,
    /// Bytes of text in a document.
    pub text_bytes: u64,
}

impl Order {
    /// The arguments that tell a child this order.
    #[must_use]
    pub fn to_args(self) -> [String; 5] {
        [
            self.work.name(),
            self.memory_bytes.to_string(),
            self.cpu_seconds.to_string(),
            self.pages.to_string(),
            self.text_bytes.to_string(),
        ]
    }

    /// Reads the arguments back. `None` if they are not what [`Order::to_args`] gives.
    #[must_use]
    pub fn from_args(args: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let args: Vec<String> = args.into_iter().map(OsString::into_string).collect::<Result<_, _>>().ok()?;
        let [work, memory, cpu, pages, text] = args.as_slice() else {
            return None;
        };
        Some(Self {
            work: Work::from_name(work)?,
            memory_bytes: memory.parse().ok()?,
            cpu_seconds: cpu.parse().ok()?,
            pages: pages.parse().ok()?,
            text_bytes: text.parse().ok()?,
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
}

impl Meter {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(pages: u32, text_bytes: u64) -> Self {
        Self { pages, text_bytes, blocks: MAX_BLOCKS }
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
            .checked_sub(page.text_bytes() as u64)
            .ok_or(ReadError::LimitExceeded(Limit::Text))?;
        let blocks = u32::try_from(page.blocks.len()).unwrap_or(u32::MAX);
        self.blocks = self.blocks.checked_sub(blocks).ok_or(ReadError::LimitExceeded(Limit::Text))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_travels_as_arguments() {
        for work in [Work::Pdf(EngineChoice::PdfExtract), Work::Html, Work::Page(7)] {
            let order = Order { work, memory_bytes: 1, cpu_seconds: 2, pages: 3, text_bytes: 4 };
            let args = || order.to_args().into_iter().map(OsString::from);
            assert_eq!(Order::from_args(args()), Some(order));
            assert_eq!(Order::from_args(args().take(4)), None);
        }
        assert_eq!(Order::from_args(["nobody", "1", "2", "3", "4"].map(OsString::from)), None);
    }

    #[test]
    fn the_meter_stops_at_the_limit() {
        let mut meter = Meter::new(2, 3);
        let page = Page { number: 1, blocks: crate::document::paragraphs("ab"), ..Page::default() };
        assert!(meter.total(2).is_ok() && meter.page(&page).is_ok());
        assert!(matches!(meter.total(3), Err(ReadError::LimitExceeded(Limit::Pages))));
        assert!(matches!(meter.page(&page), Err(ReadError::LimitExceeded(Limit::Text))));
    }
}
