//! unpdf: of the engines measured the one that is right on its own most often, and the slowest on ordinary pages.

use std::ops::ControlFlow;

use ::unpdf::{
    Block as UnpdfBlock, Error, PageSelection, PageStreamOptions, ParseEvent, ParseOptions, PdfParser,
};

use super::markers::Marked;
use super::{Asked, Found, PdfEngine, Sink, Summary};
use crate::document::{Page, ReadError, push_block};

/// The engine's name and version, as [`Summary::engine`] gives it.
pub const NAME: &str = "unpdf 0.52.1";

/// unpdf alone.
pub struct Unpdf;

/// A page as unpdf reads it.
pub(super) struct Reading {
    pub(super) page: Page,
    /// Blocks whose list marker is unpdf's, not the document's.
    pub(super) marked: Vec<Marked>,
}

/// A page of unpdf's, or its number where unpdf could not read it.
pub(super) type PageResult = Result<Reading, u32>;

impl PdfEngine for Unpdf {
    fn read(&self, asked: &Asked<'_>, sink: &mut Sink<'_>) -> Result<Summary, ReadError> {
        let parser = open(asked)?;
        let numbers = asked.numbers(parser.page_count())?;
        sink(super::total(&numbers))?;
        let incomplete = pages(&parser, &numbers, &mut |page| {
            // A page that cannot be read is a blank one to the reader, never a missing one.
            sink(Found::Page(page.map_or_else(|number| Page { number, ..Page::default() }, |read| read.page)))
        })?;
        Ok(Summary { engine: NAME.to_owned(), incomplete, ..Summary::default() })
    }
}

/// Opens a document: with the empty password if it has one, else with the one given.
pub(super) fn open(asked: &Asked<'_>) -> Result<PdfParser, ReadError> {
    let options = match asked.password {
        Some(password) => ParseOptions::default().with_password(password),
        None => ParseOptions::default(),
    };
    PdfParser::from_bytes_with_options(asked.document, options).map_err(|error| match error {
        Error::Encrypted | Error::InvalidPassword => ReadError::Encrypted,
        other => ReadError::Broken(other.to_string()),
    })
}

/// Hands over these pages in order, and tells whether text is known to be missing.
pub(super) fn pages(
    parser: &PdfParser,
    numbers: &[u32],
    sink: &mut dyn FnMut(PageResult) -> Result<(), ReadError>,
) -> Result<bool, ReadError> {
    let mut stopped = None;
    // One thread: the child's processor limit counts threads together, and a page at a time bounds its
    // memory.
    let selection = PageSelection::Pages(numbers.to_vec());
    let options = PageStreamOptions { parallel: false, pages: selection, ..PageStreamOptions::default() };
    let quality = parser
        .for_each_page(options, |event| {
            let result = match event {
                ParseEvent::PageParsed(page) => sink(Ok(convert(&page))),
                ParseEvent::PageFailed { page, .. } => sink(Err(page)),
                _ => Ok(()),
            };
            match result {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    stopped = Some(error);
                    ControlFlow::Break(())
                }
            }
        })
        .map_err(|error| ReadError::Broken(error.to_string()))?;
    stopped.map_or(Ok(quality.pages_incomplete || quality.undecodable_content_streams > 0), Err)
}

fn convert(page: &::unpdf::Page) -> Reading {
    let mut marked = Vec::new();
    let mut blocks = Vec::with_capacity(page.elements.len());
    for element in &page.elements {
        let mut text = String::new();
        match element {
            // Cells side by side, rows below each other: the one form of a table that survives as plain text.
            UnpdfBlock::Table(table) => {
                for row in &table.rows {
                    let cells: Vec<String> =
                        row.cells.iter().map(|cell| one_line(&cell.plain_text())).collect();
                    text.push_str(cells.join("\t").trim_end());
                    text.push('\n');
                }
            }
            other => other.append_plain_text(&mut text),
        }
        if let UnpdfBlock::Paragraph(paragraph) = element
            && paragraph.is_list_item()
        {
            let mut bare = paragraph.clone();
            bare.style.list_info = None;
            let text = text.trim();
            if let Some(marker) = text.strip_suffix(bare.plain_text().trim()) {
                marked.push(Marked { block: blocks.len(), length: marker.len() });
            }
        }
        push_block(&mut blocks, &text);
    }
    // A run that was dropped counts as one: how many codes it held is not told.
    let dropped = u32::try_from(page.suppressed_text_runs).unwrap_or(u32::MAX);
    let unmapped = page.undecoded_text_codes.saturating_add(dropped);
    let glyphs = page.painted_text_chars.saturating_add(page.invisible_text_chars);
    let page = Page {
        number: page.number,
        blocks,
        image_coverage: page.image_coverage.clamp(0.0, 1.0),
        glyphs: glyphs.saturating_add(unmapped),
        unmapped,
        ..Page::default()
    };
    Reading { page, marked }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
