//! A text reader over `hayro-interpret`: fast, never seen to panic, and it knows what the others do not tell:
//! which glyphs have no character and how much of a page is image.

use std::sync::Arc;

use millrace_mapped::Mapped;

use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::kurbo::{Affine, Rect};
use hayro_interpret::{Context, InterpreterCache, InterpreterSettings, interpret_page};

use super::glyphs::{Glyph, Glyphs};
use super::remarks::{self, Remark};
use super::{Asked, Found, PdfEngine, Sink, Summary, about, colour, columns, layout};
use crate::document::{Block, Hidden, Page, ReadError};

/// The engine's name and version, as [`Summary::engine`] gives it.
pub const NAME: &str = "hayro-interpret 0.9.0";

/// Text whose direction has at least this much of the page's own stands upright.
const UPRIGHT: f64 = 0.98;

/// hayro alone.
pub struct Hayro;

impl PdfEngine for Hayro {
    fn read(&self, asked: &Asked<'_>, sink: &mut Sink<'_>) -> Result<Summary, ReadError> {
        let pdf = open(asked.document, asked.password)?;
        let reader = Reader::new(&pdf);
        let numbers = asked.numbers(reader.total())?;
        sink(super::total(&numbers))?;
        for number in numbers {
            let Reading { mut page, remarks, .. } = reader.page(number);
            remarks::add(&mut page, remarks);
            sink(Found::Page(page))?;
        }
        Ok(Summary { engine: NAME.to_owned(), about: about::about(&pdf), ..Summary::default() })
    }
}

/// Opens a document: with the empty password if it has one, else with this one.
pub(crate) fn open(document: &Arc<Mapped>, password: Option<&str>) -> Result<Pdf, ReadError> {
    let opened = match (Pdf::new(Arc::clone(document)), password) {
        (Err(LoadPdfError::Decryption(DecryptionError::PasswordProtected)), Some(password)) => {
            Pdf::new_with_password(Arc::clone(document), password)
        }
        (opened, _) => opened,
    };
    opened.map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => ReadError::Encrypted,
        LoadPdfError::Decryption(other) => ReadError::Broken(format!("its encryption is invalid: {other:?}")),
        LoadPdfError::Invalid => {
            ReadError::Broken("no cross-reference table, and none could be rebuilt".to_owned())
        }
    })
}

/// A page as hayro reads it.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) page: Page,
    /// The fonts that the page may use, by the numbers of their objects.
    pub(super) fonts: Vec<u64>,
    /// The share of glyphs that do not stand upright on the page as it is shown.
    pub(super) turned: f32,
    /// What stands on it without being printed in it, to be added once its text is settled.
    pub(super) remarks: Vec<Remark>,
}

/// Reads single pages of an open document, in any order.
pub(super) struct Reader<'a> {
    pdf: &'a Pdf,
    cache: InterpreterCache<'a>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(pdf: &'a Pdf) -> Self {
        Self { pdf, cache: InterpreterCache::new() }
    }

    /// Pages in the document.
    pub(super) fn total(&self) -> u32 {
        u32::try_from(self.pdf.pages().len()).unwrap_or(u32::MAX)
    }

    /// Reads a page, counted from 1. A page that is not there is blank.
    pub(super) fn page(&self, number: u32) -> Reading {
        let Some(page) = self.pdf.pages().get(number.saturating_sub(1) as usize) else {
            return Reading { page: Page { number, ..Page::default() }, ..Reading::default() };
        };
        let shown = page.intersected_crop_box();
        // As it is shown: turned, and from the lower left corner of what is shown.
        let upright = Affine::new(page.initial_transform(false).as_coeffs());
        let extent = upright.transform_rect_bbox(Rect::new(shown.x0, shown.y0, shown.x1, shown.y1));
        let mut context =
            Context::new(upright, extent, &self.cache, self.pdf.xref(), InterpreterSettings::default());
        let mut device = Glyphs::new(extent, colour::is_opaque(page));
        interpret_page(page, &mut context, &mut device);

        let image_coverage = device.image_coverage();
        let (glyphs, hidden) = device.sorted();
        let glyphs = columns::untangled(glyphs);
        let blank = |text: &str| !text.is_empty() && text.chars().all(char::is_whitespace);
        let painted = glyphs.iter().filter(|glyph| !blank(&glyph.text));
        // A replacement character is what a document says when it does not know either.
        let unknown = painted.clone().filter(|g| g.text.is_empty() || g.text.contains('\u{fffd}')).count();
        let page_read = Page {
            number,
            image_coverage,
            glyphs: u32::try_from(painted.clone().count()).unwrap_or(u32::MAX),
            unmapped: u32::try_from(unknown).unwrap_or(u32::MAX),
            blocks: layout::paragraphs(&glyphs, extent),
            hidden: apart(&hidden, extent),
            width: extent.width() as f32,
            height: extent.height() as f32,
            ..Page::default()
        };
        let turned = painted.clone().filter(|glyph| glyph.along.x < UPRIGHT).count();
        let turned = turned as f32 / painted.count().max(1) as f32;
        Reading { page: page_read, fonts: fonts(page), turned, remarks: remarks::of(page, upright, extent) }
    }
}

/// The paragraphs of text that nobody sees, by why.
fn apart(glyphs: &[Glyph], page: Rect) -> Vec<(Hidden, Block)> {
    let of = |why: Hidden| {
        let glyphs: Vec<Glyph> = glyphs.iter().filter(|glyph| glyph.hidden == Some(why)).cloned().collect();
        layout::paragraphs(&glyphs, page).into_iter().map(move |block| (why, block))
    };
    if glyphs.is_empty() { Vec::new() } else { Hidden::ALL.into_iter().flat_map(of).collect() }
}

fn fonts(page: &hayro_interpret::hayro_syntax::page::Page<'_>) -> Vec<u64> {
    let fonts = page.resources().fonts.entries().filter_map(|(_, font)| font.as_obj_ref());
    // Object numbers are 32 bits wide; a generation of another number is another object.
    fonts.map(|font| (u64::from(font.obj_number) << 32) | u64::from(font.gen_number.unsigned_abs())).collect()
}
