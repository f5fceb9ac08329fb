//! What stands on a page without being printed in it: values of form fields that nobody has drawn, and readers' notes.

use hayro_interpret::hayro_syntax::object::{Array, Dict, Name, Object, Rect as PdfRect, String as Text};
use hayro_interpret::hayro_syntax::page::Page as PdfPage;
use hayro_interpret::kurbo::{Affine, Rect};

use super::boxes::squeezed;
use super::strings::text;
use crate::document::{Block, Kind, Line, Page};

/// Annotations of one page that are looked at.
const MOST: usize = 5000;

/// Characters of one value or note.
const LONGEST: usize = 20_000;

/// Fewer letters than this are found on a page by chance.
const FEW: usize = 4;

/// How deep fields lie in one another.
const DEEPEST: usize = 16;

const HIDDEN: u32 = 1 << 1;
const NO_VIEW: u32 = 1 << 5;
const PASSWORD: u32 = 1 << 13;

/// A value or a note.
pub(super) struct Remark {
    block: Block,
    /// Whether the document says how it looks; then it is among the page's text, if it is to be seen at all.
    drawn: bool,
}

/// The values and notes of a page.
pub(super) fn of(page: &PdfPage<'_>, upright: Affine, extent: Rect) -> Vec<Remark> {
    let Some(all) = page.raw().get::<Array<'_>>(b"Annots") else { return Vec::new() };
    let remarks = all.iter::<Dict<'_>>().take(MOST).filter_map(|annotation| {
        if annotation.get::<u32>(b"F").unwrap_or(0) & (HIDDEN | NO_VIEW) != 0 {
            return None;
        }
        let subtype = annotation.get::<Name<'_>>(b"Subtype")?;
        let (kind, text) = match subtype.as_ref() {
            b"Link" | b"Popup" => return None,
            b"Widget" => (Kind::Field, value(&annotation)?),
            _ => (Kind::Note, text(&annotation.get::<Text<'_>>(b"Contents")?, LONGEST)),
        };
        if text.is_empty() {
            return None;
        }
        let appearance = annotation.get::<Dict<'_>>(b"AP").is_some_and(|looks| looks.contains_key(b"N"));
        let drawn = appearance && matches!(subtype.as_ref(), b"Widget" | b"FreeText" | b"Stamp");
        let lines = annotation.get::<PdfRect>(b"Rect").map(|rect| place(rect, upright, extent));
        Some(Remark { block: Block { text, kind, lines: Vec::from_iter(lines) }, drawn })
    });
    remarks.collect()
}

fn place(rect: PdfRect, upright: Affine, extent: Rect) -> Line {
    let shown = upright.transform_rect_bbox(Rect::new(rect.x0, rect.y0, rect.x1, rect.y1));
    Line {
        start: 0,
        x0: (shown.x0 - extent.x0) as f32,
        y0: (extent.y1 - shown.y1) as f32,
        x1: (shown.x1 - extent.x0) as f32,
        y1: (extent.y1 - shown.y0) as f32,
    }
}

/// What was filled into a field for text, or chosen from a list.
fn value(widget: &Dict<'_>) -> Option<String> {
    let kind = inherited(widget, b"FT")?.into_name()?;
    if !matches!(kind.as_ref(), b"Tx" | b"Ch") {
        return None;
    }
    if let Some(Object::Number(flags)) = inherited(widget, b"Ff")
        && flags.as_i64() & i64::from(PASSWORD) != 0
    {
        return None;
    }
    match inherited(widget, b"V")? {
        Object::String(value) => Some(text(&value, LONGEST)),
        Object::Array(values) => {
            let chosen: Vec<String> = values.iter::<Text<'_>>().map(|value| text(&value, LONGEST)).collect();
            Some(chosen.join(", "))
        }
        _ => None,
    }
}

/// An entry of a field or of those that it is part of.
fn inherited<'a>(field: &Dict<'a>, key: &[u8]) -> Option<Object<'a>> {
    let mut field = field.clone();
    for _ in 0..DEEPEST {
        if let Some(found) = field.get::<Object<'a>>(key) {
            return Some(found);
        }
        field = field.get::<Dict<'a>>(b"Parent")?;
    }
    None
}

/// Adds to a page, after its text, what that does not say already.
pub(super) fn add(page: &mut Page, remarks: Vec<Remark>) {
    if remarks.is_empty() {
        return;
    }
    let mut said = String::new();
    for block in &page.blocks {
        said.push_str(&squeezed(&block.text).0);
    }
    for Remark { block, drawn } in remarks {
        let letters = squeezed(&block.text).0;
        let found = said.contains(&letters);
        let there = if drawn {
            found || letters.chars().count() < FEW
        } else {
            found && letters.chars().count() > FEW * 3
        };
        if !letters.is_empty() && !there {
            page.blocks.push(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::paragraphs;

    #[test]
    fn what_a_page_says_already_is_not_said_again() {
        let mut page =
            Page { blocks: paragraphs("Name: Jane\nRoe of Anytown, 5 children"), ..Page::default() };
        let remark = |text: &str, drawn| Remark { block: paragraphs(text).remove(0), drawn };
        let remarks = [
            ("Jane Roe", true),
            ("Nobody", true),
            ("7", true),
            ("5", false),
            ("Roe of Anytown, 5", false),
            ("a note", false),
        ];
        add(&mut page, remarks.map(|(text, drawn)| remark(text, drawn)).into());
        let texts: Vec<&str> = page.blocks.iter().skip(1).map(|block| block.text.as_str()).collect();
        assert_eq!(texts, ["Nobody", "5", "a note"]);
    }
}
