//! Pages as pictures, for text recognition. All of this runs in the child process and may die there.

use std::io::Write;
use std::sync::Arc;

use hayro::vello_cpu::Pixmap;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings, render};
use hayro_interpret::InterpreterSettings;

use crate::document::ReadError;
use crate::formats::image;
use crate::frames::{self, Body, PictureFrame};
use crate::pdf;
use millrace_mapped::Mapped;

/// Pixels in one picture: A3 at 300 dpi has 17 million. They cost the child four bytes each, and some more for what
/// is painted.
pub const MAX_PIXELS: u64 = 20_000_000;

/// Pixels on one side; the renderer counts them in 16 bits.
pub(crate) const MAX_SIDE: f32 = 16_000.0;

/// Real scans lose 7 % of their words at half of this.
const DPI: f32 = 300.0;

/// Rows in one frame, bytes at most.
const PIECE: usize = 1 << 16;

/// Draws a page, counted from 1, and writes it as frames. The last one, `done`, is the caller's.
///
/// # Errors
/// As the engine opens the document; [`ReadError::Broken`] for a page that is not there or has no size.
pub fn page(
    document: &Arc<Mapped>,
    password: Option<&str>,
    number: u32,
    out: &mut impl Write,
) -> Result<(), ReadError> {
    let pdf = pdf::hayro::open(document, password)?;
    let page = pdf.pages().get(number.saturating_sub(1) as usize);
    let page = page.ok_or_else(|| ReadError::Broken("the page is not there".to_owned()))?;
    let (points_wide, points_high) = page.render_dimensions();
    let scale = scale(points_wide, points_high)
        .ok_or_else(|| ReadError::Broken("the page has no size".to_owned()))?;
    let settings = PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE };
    let cache = RenderCache::new();
    let drawn = render(page, &cache, &InterpreterSettings::default(), &RenderSettings::default(), &settings);
    let size =
        PictureFrame { width: drawn.width().into(), height: drawn.height().into(), points_wide, points_high };
    show(size, &grey(&drawn), out)
}

/// Writes a page of a picture as [`page`] does one of a PDF. It has no size in points: a point is a pixel of it.
///
/// # Errors
/// [`ReadError::Broken`], [`ReadError::LimitExceeded`].
pub fn sheet(document: &[u8], number: u32, out: &mut impl Write) -> Result<(), ReadError> {
    let drawn = image::draw(document, number)?;
    let (width, height) = drawn.grey.dimensions();
    let (points_wide, points_high) = (drawn.size.0 as f32, drawn.size.1 as f32);
    show(PictureFrame { width, height, points_wide, points_high }, drawn.grey.as_raw(), out)
}

fn show(size: PictureFrame, grey: &[u8], out: &mut impl Write) -> Result<(), ReadError> {
    frames::write(out, Body::Picture(size))?;
    for rows in grey.chunks(PIECE) {
        frames::write(out, Body::Rows(rows.to_vec()))?;
    }
    Ok(())
}

/// Pixels for a point, so that the picture stays within its bounds. `None` if there is nothing to be seen.
fn scale(width: f32, height: f32) -> Option<f32> {
    let area = width * height;
    if !area.is_finite() || width <= 0.0 || height <= 0.0 {
        return None;
    }
    let scale = (DPI / 72.0).min(MAX_SIDE / width.max(height)).min((MAX_PIXELS as f32 / area).sqrt());
    (width * scale >= 1.0 && height * scale >= 1.0).then_some(scale)
}

/// How bright each pixel is; the page's white shows through what is not opaque.
fn grey(picture: &Pixmap) -> Vec<u8> {
    let weigh = |p: &hayro::vello_cpu::peniko::color::PremulRgba8| {
        (u32::from(p.r) * 299 + u32::from(p.g) * 587 + u32::from(p.b) * 114) / 1000
    };
    picture.data().iter().map(|pixel| u8::try_from(weigh(pixel)).unwrap_or(u8::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_keep_their_bounds() {
        let a4 = scale(595.0, 842.0).expect("a page");
        assert!((a4 - DPI / 72.0).abs() < 1e-6, "{a4}");
        for (width, height) in [(1e5, 1e5), (1e9, 1.0), (14_400.0, 14_400.0), (5.0, 16_000.0)] {
            let Some(scale) = scale(width, height) else { continue };
            assert!(width * scale <= MAX_SIDE && height * scale <= MAX_SIDE, "{width} x {height}");
            assert!(f64::from(width * scale) * f64::from(height * scale) <= MAX_PIXELS as f64 * 1.001);
        }
        for (width, height) in [(0.0, 9.0), (-1.0, -1.0), (f32::NAN, 1.0), (f32::INFINITY, 1.0), (1e30, 1e30)]
        {
            assert_eq!(scale(width, height), None, "{width} x {height}");
        }
    }
}
