//! An engine's document as pages of blocks.

use anydoc::model::{Block as Part, CellSlot, Document, Inline, Note, Table, checkbox_text};

use super::marks::{BREAK, SHOWN};
use crate::document::{Block, Page, push_block};
use crate::formats::{TABLE_CHARS, cut};

pub(super) fn pages(document: &Document, sheets: bool) -> Vec<Page> {
    let mut layout = Layout { pages: vec![Vec::new()], ..Layout::default() };
    for part in &document.blocks {
        // Each sheet that is not alone has its name as a heading.
        if sheets && matches!(part, Part::Heading { .. }) {
            layout.turn();
        }
        layout.part(part, document, 0);
    }
    for (number, note) in (1..).zip(&document.notes) {
        let text = texts(&note.blocks, document).join("\n");
        layout.text(&format!("[{number}] {text}"));
    }
    let mut pages = layout.pages;
    if let [only] = pages.as_mut_slice()
        && !sheets
    {
        pages = cut(std::mem::take(only));
    }
    while pages.len() > 1 && pages.last().is_some_and(Vec::is_empty) {
        pages.pop();
    }
    (1..).zip(pages).map(|(number, blocks)| Page { number, blocks, ..Page::default() }).collect()
}

/// Pages as they fill.
#[derive(Default)]
struct Layout {
    pages: Vec<Vec<Block>>,
    /// A page has been begun on purpose: an empty one counts from there on.
    begun: bool,
}

impl Layout {
    /// Begins a page. The first one is there already.
    fn turn(&mut self) {
        if self.begun || self.pages.iter().any(|page| !page.is_empty()) {
            self.pages.push(Vec::new());
        }
        self.begun = true;
    }

    fn is_blank(&self) -> bool {
        self.pages.last().is_none_or(Vec::is_empty)
    }

    /// A block, or several where page marks part it.
    fn text(&mut self, text: &str) {
        for (at, piece) in text.split(BREAK).enumerate() {
            if at > 0 {
                self.turn();
            }
            for (at, piece) in piece.split(SHOWN).enumerate() {
                if at > 0 && !self.is_blank() {
                    self.turn();
                }
                if let Some(page) = self.pages.last_mut() {
                    push_block(page, piece);
                }
            }
        }
    }

    fn part(&mut self, part: &Part, document: &Document, depth: usize) {
        match part {
            Part::Table(table) => {
                // Layout scaffolding is a way to put text side by side, not rows that belong together.
                let mut block = String::new();
                for row in rows(table, document) {
                    if !block.is_empty() && block.len() + row.len() >= TABLE_CHARS {
                        self.text(&std::mem::take(&mut block));
                    }
                    if !block.is_empty() {
                        block.push('\n');
                    }
                    block.push_str(&row);
                }
                self.text(&block);
            }
            Part::BlockQuote(parts) if depth < DEEP => {
                for part in parts {
                    self.part(part, document, depth + 1);
                }
            }
            other => self.text(&texts(std::slice::from_ref(other), document).join("\n")),
        }
    }
}

/// Nesting beyond this is flat.
const DEEP: usize = 64;

/// Parts as lines of text.
fn texts(parts: &[Part], document: &Document) -> Vec<String> {
    let mut lines = Vec::new();
    collect(parts, document, &mut lines, 0);
    lines
}

fn collect(parts: &[Part], document: &Document, lines: &mut Vec<String>, depth: usize) {
    if depth > DEEP {
        return;
    }
    for part in parts {
        match part {
            Part::Heading { content, .. } | Part::Paragraph(content) => {
                let text = inlines(content, document);
                if !text.trim().is_empty() {
                    lines.push(text);
                }
            }
            Part::List(list) => {
                for (item, number) in list.items.iter().zip(list.start..) {
                    let mut inner = Vec::new();
                    collect(&item.blocks, document, &mut inner, depth + 1);
                    let label = item.marker_label.clone().unwrap_or_else(|| list.marker.label(number));
                    let mut inner = inner.into_iter();
                    lines.push(format!("{label} {}", inner.next().unwrap_or_default()).trim_end().to_owned());
                    lines.extend(inner.map(|line| format!("  {line}")));
                }
            }
            Part::Table(table) => lines.extend(rows(table, document)),
            Part::BlockQuote(parts) => collect(parts, document, lines, depth + 1),
            Part::CodeBlock { text, .. } | Part::Math(text) => lines.push(text.clone()),
            Part::Rule => {}
        }
    }
}

/// A table's rows, cells side by side. A cell that spans several places is written once.
fn rows(table: &Table, document: &Document) -> Vec<String> {
    let row = |slots: &Vec<CellSlot>| {
        let cells: Vec<String> = slots
            .iter()
            .map(|slot| match slot {
                CellSlot::Origin(cell) => {
                    let text = texts(&cell.blocks, document).join(" ");
                    text.split([' ', '\n', '\t'])
                        .filter(|word| !word.is_empty())
                        .collect::<Vec<_>>()
                        .join(" ")
                }
                CellSlot::Covered { .. } => String::new(),
            })
            .collect();
        let filled = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
        let row = cells[..filled].join(" | ");
        // A page that begins within a row begins before it.
        match row.find([BREAK, SHOWN]).and_then(|at| row[at..].chars().next()) {
            Some(mark) => format!("{mark}{}", row.replace([BREAK, SHOWN], "")),
            None => row,
        }
    };
    table.grid.iter().map(row).filter(|row| !row.is_empty()).collect()
}

fn inlines(content: &[Inline], document: &Document) -> String {
    let mut text = String::new();
    inline(content, &document.notes, &mut text, 0);
    text
}

fn inline(content: &[Inline], notes: &[Note], text: &mut String, depth: usize) {
    for inline_part in content {
        match inline_part {
            Inline::Text { text: words, .. } => text.push_str(words),
            Inline::Link { content, .. } if depth < DEEP => inline(content, notes, text, depth + 1),
            Inline::Image { alt, .. } => text.push_str(alt),
            Inline::Math(tex) => text.push_str(tex),
            Inline::Checkbox(checked) => text.push_str(checkbox_text(*checked)),
            Inline::LineBreak => text.push('\n'),
            Inline::NoteRef(id) => {
                if let Some(at) = notes.iter().position(|note| note.id == *id) {
                    text.push_str(&format!("[{}]", at + 1));
                }
            }
            Inline::Link { .. } | Inline::Anchor(_) => {}
        }
    }
}
