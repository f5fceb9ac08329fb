//! A device for `hayro-interpret` that draws nothing: it notes where each glyph goes and what images cover.

use hayro_interpret::font::GlyphRun;
use hayro_interpret::hayro_cmap::{BfString, WritingMode};
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect, Shape, Vec2};
use hayro_interpret::{BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask};

/// Glyph space: a thousand units to the em.
const EM: f64 = 1000.0;

/// Cells along each side of the raster that images are counted on: 0.1 % of a page each.
const CELLS: usize = 32;

/// A glyph as placed on the page, in points from the lower left corner.
#[derive(Debug, Clone, PartialEq)]
pub struct Glyph {
    /// Its characters; mostly one, several for ligatures. Empty where unknown.
    pub text: String,
    /// Where its baseline begins.
    pub origin: Point,
    /// Unit vector along the baseline.
    pub along: Vec2,
    /// How far along the baseline the next glyph would begin.
    pub advance: f64,
    /// Size of an em across the baseline.
    pub size: f64,
}

/// What a page draws, as far as text is concerned.
pub struct Glyphs {
    /// Every glyph in the order of the content stream.
    pub glyphs: Vec<Glyph>,
    page: Rect,
    clips: Vec<Rect>,
    covered: [[bool; CELLS]; CELLS],
}

impl Glyphs {
    /// An empty page of this extent.
    #[must_use]
    pub fn new(page: Rect) -> Self {
        Self { glyphs: Vec::new(), page, clips: vec![page], covered: [[false; CELLS]; CELLS] }
    }

    /// Share of the page that images cover, overlaps counted once, 0 to 1.
    #[must_use]
    pub fn image_coverage(&self) -> f32 {
        let cells = self.covered.iter().flatten().filter(|covered| **covered).count();
        cells as f32 / (CELLS * CELLS) as f32
    }

    fn clip(&self) -> Rect {
        self.clips.last().copied().unwrap_or(self.page)
    }

    fn cover(&mut self, image: Rect) {
        let seen = image.intersect(self.clip());
        if seen.width() <= 0.0 || seen.height() <= 0.0 || self.page.area() <= 0.0 {
            return;
        }
        let (cell_width, cell_height) = (self.page.width() / CELLS as f64, self.page.height() / CELLS as f64);
        for (row, cells) in self.covered.iter_mut().enumerate() {
            // A cell counts where its middle does: edges even out.
            let y = self.page.y0 + (row as f64 + 0.5) * cell_height;
            if y < seen.y0 || y > seen.y1 {
                continue;
            }
            for (column, covered) in cells.iter_mut().enumerate() {
                let x = self.page.x0 + (column as f64 + 0.5) * cell_width;
                *covered |= x >= seen.x0 && x <= seen.x1;
            }
        }
    }
}

impl<'a> Device<'a> for Glyphs {
    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}

    fn push_clip_path(&mut self, clip: &ClipPath) {
        let clip = self.clip().intersect(clip.path.bounding_box());
        self.clips.push(clip);
    }

    fn pop_clip(&mut self) {
        if self.clips.len() > 1 {
            self.clips.pop();
        }
    }

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}

    fn pop_transparency_group(&mut self) {}

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        let start = self.glyphs.len();
        for positioned in run.glyphs() {
            let placed: Affine = props.transform * positioned.transform();
            let origin = placed * Point::ZERO;
            let up = placed * Point::new(0.0, EM) - origin;
            let right = placed * Point::new(EM, 0.0) - origin;
            let (along, across, share) = match run.writing_mode() {
                WritingMode::Vertical => (-up, right, 1.0),
                WritingMode::Horizontal => {
                    use hayro_interpret::font::Glyph as Drawn;
                    let drawn: &Drawn<'_> = positioned;
                    let width = match drawn {
                        Drawn::Outline(glyph) => glyph.advance_width(),
                        Drawn::Type3(glyph) => glyph.advance_width(),
                    };
                    (right, up, f64::from(width.unwrap_or(500.0)) / EM)
                }
            };
            let length = along.hypot();
            if !(length.is_finite() && length > 0.0 && origin.is_finite()) {
                continue;
            }
            let text = match positioned.as_unicode() {
                Some(BfString::Char(letter)) => letter.to_string(),
                Some(BfString::String(letters)) => letters,
                None => String::new(),
            };
            self.glyphs.push(Glyph {
                text,
                origin,
                along: along / length,
                advance: length * share,
                size: across.hypot().max(f64::MIN_POSITIVE),
            });
        }
        // Text that is filled and stroked comes twice.
        let added = self.glyphs.len() - start;
        if matches!(mode, DrawMode::Stroke(_))
            && start >= added
            && self.glyphs[start - added..start] == self.glyphs[start..]
        {
            self.glyphs.truncate(start);
        }
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        let (width, height) = (f64::from(image.width()), f64::from(image.height()));
        self.cover(props.transform.transform_rect_bbox(Rect::new(0.0, 0.0, width, height)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_counts_overlaps_once_and_minds_the_clip() {
        let mut page = Glyphs::new(Rect::new(0.0, 0.0, 100.0, 200.0));
        page.cover(Rect::new(0.0, 0.0, 100.0, 100.0));
        page.cover(Rect::new(0.0, 0.0, 100.0, 100.0));
        assert!((page.image_coverage() - 0.5).abs() < 0.02);
        page.clips.push(Rect::new(0.0, 100.0, 100.0, 150.0));
        page.cover(Rect::new(-500.0, -500.0, 500.0, 500.0));
        assert!((page.image_coverage() - 0.75).abs() < 0.02);
    }
}
