//! What extraction leaves: its text as others read it.

use std::io;

use millrace_contract::artifact::{ExtractedText, RECOGNISED, UNREAD};
use millrace_contract::wire::{self, DocumentText};
use millrace_stage::Written;

use crate::document::{About, Heading, Line, Page, Text};
use crate::pile::Pile;

/// The text as it is handed on, page by page.
///
/// # Errors
/// If a page cannot be read back, or the disk is full.
pub(crate) fn written(mut text: Text<Pile>) -> io::Result<Written<ExtractedText>> {
    let mut written = Written::default();
    for at in 0..text.pages.len() {
        let pages = vec![on_the_wire(text.pages.page(at)?)];
        written.part(&ExtractedText(DocumentText { pages, ..DocumentText::default() }))?;
    }
    let About { outline, properties } = text.about;
    let outline =
        outline.into_iter().map(|Heading { level, title, page }| wire::Heading { level, title, page });
    let rest = DocumentText { outline: outline.collect(), properties, ..DocumentText::default() };
    written.part(&ExtractedText(rest))?;
    Ok(written)
}

fn on_the_wire(page: Page) -> wire::Page {
    let reader = match &page {
        page if page.recognised => RECOGNISED,
        page if page.needs_recognition() => UNREAD,
        _ => "",
    };
    let blocks = (1..).zip(page.blocks).map(|(number, block)| wire::Block {
        number,
        text: block.text,
        lines: block.lines.iter().map(on_the_page).collect(),
        kind: block.kind.name().to_owned(),
        ..wire::Block::default()
    });
    let hidden = (1..).zip(page.hidden).map(|(number, (why, block))| wire::Block {
        number,
        text: block.text,
        hidden: why.name().to_owned(),
        ..wire::Block::default()
    });
    wire::Page {
        number: page.number,
        hidden: hidden.collect(),
        blocks: blocks.collect(),
        width: page.width,
        height: page.height,
        // On the wire 0 is unknown.
        confidence: page.confidence.map_or(0.0, |confidence| confidence.max(0.001)),
        reader: reader.to_owned(),
    }
}

fn on_the_page(line: &Line) -> wire::Line {
    wire::Line { start: line.start, x0: line.x0, y0: line.y0, x1: line.x1, y1: line.y1 }
}
