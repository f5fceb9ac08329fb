//! What lies under and over text: whether a reader can tell a letter from what it stands on, and whether text that is
//! not painted belongs to a picture of text.
//!
//! A page starts white. Fills larger than a letter are remembered in the order in which they are painted. What cannot be
//! known, such as a pattern or what shines through, counts as visible: words that are lost cost more than words too many.

use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect, Shape};
use hayro_interpret::{DrawMode, DrawProps, FillRule};

use super::colour::{Colour, Look, WHITE, look};

/// Cells along each side of the rasters: 0.1 % of a page each for images, a letter or two for ink.
const IMAGE_CELLS: usize = 32;
const INK_CELLS: usize = 64;

/// Fills smaller than this on either side, points, are rules and strokes: no letter stands on them.
const GROUND: f64 = 4.0;

/// A line of letters drawn as outlines is no higher than this, points.
const LETTERS: f64 = 40.0;

/// Fills that are remembered, and images; whatever stands on a page with more is visible.
const MOST_FILLS: usize = 4096;

/// Elements of a path that is looked at closely.
const MOST_ELEMENTS: usize = 400;

/// A fill that text may stand on.
struct Fill {
    area: Rect,
    /// How it is bounded within that; `None` for all of it.
    shape: Option<(BezPath, Affine, FillRule)>,
    /// `None` if nobody knows.
    colour: Option<Colour>,
}

impl Fill {
    fn covers(&self, at: Point) -> bool {
        self.area.contains(at)
            && self.shape.as_ref().is_none_or(|(path, back, rule)| {
                let winding = path.winding(*back * at);
                match rule {
                    FillRule::NonZero => winding != 0,
                    FillRule::EvenOdd => winding % 2 != 0,
                }
            })
    }
}

/// What a page has painted besides text.
pub(super) struct Ground {
    page: Rect,
    /// See [`look`].
    opaque: bool,
    fills: Vec<Fill>,
    /// Colours of those, white left out, as long as they are few.
    colours: Vec<Colour>,
    overfull: bool,
    images: Raster<IMAGE_CELLS>,
    /// Where exactly they are: a letter may stand on one that is smaller than a cell.
    places: Vec<Rect>,
    ink: Raster<INK_CELLS>,
}

impl Ground {
    pub(super) fn new(page: Rect, opaque: bool) -> Self {
        Self {
            page,
            opaque,
            fills: Vec::new(),
            colours: Vec::new(),
            overfull: false,
            images: Raster::default(),
            places: Vec::new(),
            ink: Raster::default(),
        }
    }

    /// What paint looks like on this page.
    pub(super) fn look(&self, props: &DrawProps<'_>) -> Look {
        look(props, self.opaque)
    }

    /// A rectangle is filled. `sharp` says that nothing but rectangles clips it.
    pub(super) fn rect(&mut self, rect: &Rect, props: &DrawProps<'_>, clip: Rect, sharp: bool) {
        let area = props.transform.transform_rect_bbox(*rect).intersect(clip);
        // Turned, it fills less than its box.
        let [_, b, c, d, ..] = props.transform.as_coeffs();
        let upright = (b == 0.0 && c == 0.0) || (props.transform.as_coeffs()[0] == 0.0 && d == 0.0);
        let shape = (!upright).then(|| (rect.to_path(0.1), FillRule::NonZero));
        self.fill(area, shape, props, sharp);
    }

    /// A path is drawn.
    pub(super) fn path(
        &mut self,
        path: &BezPath,
        props: &DrawProps<'_>,
        mode: &DrawMode,
        clip: Rect,
        sharp: bool,
    ) {
        let area = props.transform.transform_rect_bbox(path.control_box()).intersect(clip);
        // Of what looks like letters, one stroke in each place is enough.
        if area.height() <= LETTERS
            && !self.has_ink(area.center())
            && !matches!(self.look(props), Look::Plain(colour) if colour.is(&WHITE))
        {
            self.ink.cover(self.page, area, true);
        }
        self.stroke(path.control_box(), props, mode, clip);
        if let DrawMode::Fill(rule) | DrawMode::FillAndStroke(rule, _) = mode {
            let close = path.elements().len() <= MOST_ELEMENTS;
            let sharp = sharp && close;
            self.fill(area, close.then(|| (path.clone(), *rule)), props, sharp);
        }
    }

    /// A line may be as wide as a heading is high. Where exactly it covers what is around it, nobody looks.
    pub(super) fn stroke(&mut self, around: Rect, props: &DrawProps<'_>, mode: &DrawMode, clip: Rect) {
        let (DrawMode::Stroke(stroke) | DrawMode::FillAndStroke(_, stroke)) = mode else { return };
        let width = f64::from(stroke.line_width) * props.transform.determinant().abs().sqrt();
        if width >= GROUND {
            let around = props.transform.transform_rect_bbox(around);
            let area = around.inflate(width / 2.0, width / 2.0).intersect(clip);
            self.fill(area, None, props, false);
        }
    }

    fn fill(&mut self, area: Rect, shape: Option<(BezPath, FillRule)>, props: &DrawProps<'_>, sharp: bool) {
        if !(area.width() >= GROUND && area.height() >= GROUND) {
            return;
        }
        let colour = match self.look(props) {
            Look::Clear => return,
            Look::Plain(colour) => Some(colour),
            Look::Unknown => None,
        };
        if self.fills.len() >= MOST_FILLS {
            self.overfull = true;
            return;
        }
        let back = props.transform.inverse();
        let shape = shape.filter(|_| back.is_finite()).map(|(path, rule)| (path, back, rule));
        if let Some(colour) = &colour
            && !colour.is(&WHITE)
            && !self.colours.iter().any(|known| known.is(colour))
        {
            self.colours.push(colour.clone());
        }
        self.fills.push(Fill { area, shape, colour: colour.filter(|_| sharp) });
    }

    /// An image is drawn, so far as it is seen.
    pub(super) fn image(&mut self, seen: Rect) {
        self.images.cover(self.page, seen, false);
        if self.places.len() <= MOST_FILLS {
            self.places.push(seen);
        }
    }

    /// Something that looks like letters is painted here.
    pub(super) fn inked(&mut self, at: Point) {
        self.ink.cover(self.page, Rect::from_center_size(at, (1.0, 1.0)), true);
    }

    /// Whether text of this colour may disappear in what is painted so far.
    pub(super) fn may_hide(&self, colour: &Colour) -> bool {
        !self.overfull && (colour.is(&WHITE) || self.colours.iter().any(|known| known.is(colour)))
    }

    /// Whether a letter of this colour disappears here.
    pub(super) fn hides(&self, colour: &Colour, at: Point) -> bool {
        match self.fills.iter().rev().find(|fill| fill.covers(at)) {
            Some(fill) => fill.colour.as_ref().is_some_and(|ground| ground.is(colour)),
            None => colour.is(&WHITE),
        }
    }

    /// Share of the page that images cover, overlaps counted once, 0 to 1.
    pub(super) fn image_coverage(&self) -> f32 {
        self.images.share()
    }

    /// Whether an image was drawn here, before or after.
    pub(super) fn has_image(&self, at: Point) -> bool {
        self.places.len() > MOST_FILLS || self.places.iter().any(|place| place.contains(at))
    }

    /// Whether there is something here that may be letters, drawn otherwise.
    pub(super) fn has_ink(&self, at: Point) -> bool {
        self.ink.at(self.page, at)
    }
}

/// What part of a page is covered, in cells.
struct Raster<const CELLS: usize>([[bool; CELLS]; CELLS]);

impl<const CELLS: usize> Default for Raster<CELLS> {
    fn default() -> Self {
        Self([[false; CELLS]; CELLS])
    }
}

impl<const CELLS: usize> Raster<CELLS> {
    fn share(&self) -> f32 {
        let cells = self.0.iter().flatten().filter(|covered| **covered).count();
        cells as f32 / (CELLS * CELLS) as f32
    }

    /// Covers the cells whose middle lies within; those of something smaller than a cell too, if it is `small`.
    fn cover(&mut self, page: Rect, area: Rect, small: bool) {
        if !(area.width() > 0.0 && area.height() > 0.0 && page.area() > 0.0) {
            return;
        }
        let cells = |from: f64, to: f64, start: f64, length: f64| {
            let cell = |at: f64| (at - start) / length * CELLS as f64;
            let first = (cell(from) - 0.5).ceil().clamp(0.0, CELLS as f64) as usize;
            let last = ((cell(to) - 0.5).floor() + 1.0).clamp(0.0, CELLS as f64) as usize;
            let middle = cell((from + to) / 2.0);
            if first < last || !small || !(0.0..CELLS as f64).contains(&middle) {
                first..last.max(first)
            } else {
                middle as usize..middle as usize + 1
            }
        };
        let columns = cells(area.x0, area.x1, page.x0, page.width());
        for row in &mut self.0[cells(area.y0, area.y1, page.y0, page.height())] {
            row[columns.clone()].fill(true);
        }
    }

    fn at(&self, page: Rect, at: Point) -> bool {
        if !page.contains(at) || page.area() <= 0.0 {
            return false;
        }
        let cell = |share: f64| ((share * CELLS as f64) as usize).min(CELLS - 1);
        self.0[cell((at.y - page.y0) / page.height())][cell((at.x - page.x0) / page.width())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_counts_overlaps_once() {
        let page = Rect::new(0.0, 0.0, 100.0, 200.0);
        let mut ground = Ground::new(page, true);
        ground.image(Rect::new(0.0, 0.0, 100.0, 100.0));
        ground.image(Rect::new(0.0, 0.0, 100.0, 100.0));
        assert!((ground.image_coverage() - 0.5).abs() < 0.02);
        ground.image(Rect::new(-500.0, -500.0, 500.0, 150.0).intersect(page));
        assert!((ground.image_coverage() - 0.75).abs() < 0.02);
        assert!(ground.has_image(Point::new(50.0, 140.0)) && !ground.has_image(Point::new(50.0, 160.0)));
        assert!(!ground.has_image(Point::new(50.0, 900.0)) && !ground.has_image(Point::new(f64::NAN, 1.0)));
    }

    #[test]
    fn ink_smaller_than_a_cell_is_seen() {
        let mut ground = Ground::new(Rect::new(0.0, 0.0, 640.0, 640.0), true);
        ground.inked(Point::new(101.0, 101.0));
        assert!(ground.has_ink(Point::new(105.0, 105.0)) && !ground.has_ink(Point::new(125.0, 105.0)));
    }
}
