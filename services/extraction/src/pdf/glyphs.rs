//! A device for `hayro-interpret` that draws nothing: it notes where each glyph goes, whether a reader would see it, and
//! what images cover.

use std::collections::HashSet;

use hayro_interpret::font::{Glyph as Drawn, GlyphRun};
use hayro_interpret::hayro_cmap::{BfString, WritingMode};
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect, Shape, Vec2};
use hayro_interpret::{BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask};
use smol_str::SmolStr;

use super::colour::{Colour, Look};
use super::ground::Ground;
use crate::document::Hidden;

/// Glyph space: a thousand units to the em.
const EM: f64 = 1000.0;

/// The smallest print that is meant to be read, points on a page of the height of A4; smaller pages have smaller print.
const SMALLEST: f64 = 1.0;
const A4: f64 = 842.0;

/// A clip thinner than this lets nothing through, points.
const THIN: f64 = 0.01;

/// A group fainter than this is not there.
const FAINT: f32 = 0.02;

/// A glyph as placed on the page, in points from the lower left corner.
#[derive(Debug, Clone, PartialEq)]
pub struct Glyph {
    /// Its characters; mostly one, several for ligatures. Empty where unknown.
    pub text: SmolStr,
    /// Where its baseline begins.
    pub origin: Point,
    /// Unit vector along the baseline.
    pub along: Vec2,
    /// Unit vector from the baseline to the top of the letters.
    pub up: Vec2,
    /// How far along the baseline the next glyph would begin.
    pub advance: f64,
    /// Size of an em across the baseline.
    pub size: f64,
    /// The share of an em that lies below the baseline.
    pub below: f64,
    /// Why nobody sees it.
    pub hidden: Option<Hidden>,
}

impl Glyph {
    /// The box that it stands in, as far as that is known without its outline.
    #[must_use]
    pub fn bounds(&self) -> Rect {
        let foot = self.origin - self.up * (self.below * self.size);
        let head = foot + self.up * self.size + self.along * self.advance;
        Rect::from_points(foot, head)
            .union(Rect::from_points(foot + self.up * self.size, foot + self.along * self.advance))
    }

    /// The middle of the letter.
    fn middle(&self) -> Point {
        self.origin + self.along * (self.advance / 2.0) + self.up * ((0.5 - self.below) * self.size)
    }

    fn is_blank(&self) -> bool {
        !self.text.is_empty() && self.text.chars().all(char::is_whitespace)
    }
}

/// Glyphs of one text object that is used as a clip.
const LONGEST_RUN: usize = 1000;

/// What stands off the page is seen with its neighbour, if they are of one word or the next to it.
fn join(glyphs: &mut [Glyph], seen: usize, other: usize) {
    let (left, right) = (&glyphs[seen.min(other)], &glyphs[seen.max(other)]);
    let moved = right.origin - left.origin;
    let size = left.size.max(right.size);
    let next =
        moved.cross(left.along).abs() < size / 2.0 && (moved.dot(left.along) - left.advance).abs() < size;
    if next && glyphs[seen].hidden.is_none() && glyphs[other].hidden == Some(Hidden::OffPage) {
        glyphs[other].hidden = None;
    }
}

/// Where letters are seen, as far as others are hidden there.
struct Places<'a>(HashSet<(i64, i64, &'a str)>);

impl<'a> Places<'a> {
    fn of(seen: &'a [Glyph], hidden: &[Glyph]) -> Self {
        let Some(first) = hidden.first() else { return Self(HashSet::new()) };
        let area = hidden
            .iter()
            .fold(Rect::from_points(first.origin, first.origin), |area, glyph| area.union_pt(glyph.origin));
        let area = area.inflate(2.0, 2.0);
        let near = seen.iter().filter(|glyph| area.contains(glyph.origin));
        Self(near.map(|glyph| Self::key(glyph, 0, 0)).collect())
    }

    fn key(glyph: &Glyph, dx: i64, dy: i64) -> (i64, i64, &str) {
        let point = |at: f64, by| (at.round() as i64).saturating_add(by);
        (point(glyph.origin.x, dx), point(glyph.origin.y, dy), &glyph.text)
    }

    /// Whether this letter stands here, or within a point of here.
    fn hold(&self, glyph: &Glyph) -> bool {
        (-1..=1).any(|dx| (-1..=1).any(|dy| self.0.contains(&Self::key(glyph, dx, dy))))
    }
}

/// How a run of glyphs is painted.
enum Manner {
    Seen,
    Hidden(Hidden),
    /// In a colour that may be the one of what it stands on.
    Coloured(Colour),
}

/// What a page draws, as far as text is concerned.
pub struct Glyphs {
    /// Every glyph in the order of the content stream.
    pub glyphs: Vec<Glyph>,
    page: Rect,
    smallest: f64,
    ground: Ground,
    /// Boxes of the clips, and whether they are nothing but boxes.
    clips: Vec<(Rect, bool)>,
    /// Groups that are being drawn, and whether each is too faint to be seen.
    groups: Vec<bool>,
}

impl Glyphs {
    /// An empty page of this extent; `opaque` says that nothing on it can shine through.
    #[must_use]
    pub fn new(page: Rect, opaque: bool) -> Self {
        let smallest = SMALLEST * (page.height().max(page.width()) / A4).min(1.0);
        let ground = Ground::new(page, opaque);
        Self { glyphs: Vec::new(), page, smallest, ground, clips: vec![(page, true)], groups: Vec::new() }
    }

    /// Share of the page that images cover, overlaps counted once, 0 to 1.
    #[must_use]
    pub fn image_coverage(&self) -> f32 {
        self.ground.image_coverage()
    }

    /// Once all is drawn: the glyphs that a reader sees, and those that nobody does.
    ///
    /// Text that is not painted, or is as white as its page, belongs to a picture of text if there is an image in its
    /// place, or if letters are drawn there by other means. A letter that is drawn twice in one place is seen if one of the two
    /// is: outlines and shadows are made like this.
    #[must_use]
    pub fn sorted(self) -> (Vec<Glyph>, Vec<Glyph>) {
        let Self { mut glyphs, ground, .. } = self;
        if glyphs.iter().all(|glyph| glyph.hidden.is_none()) {
            return (glyphs, Vec::new());
        }
        for glyph in &mut glyphs {
            let at = glyph.middle();
            let pictured = match glyph.hidden {
                Some(Hidden::Invisible) => ground.has_image(at) || ground.has_ink(at),
                Some(Hidden::White) => ground.has_image(at),
                _ => false,
            };
            if pictured {
                glyph.hidden = None;
            }
        }
        // A line that begins on the page and leaves it is one line.
        for at in 1..glyphs.len() {
            join(&mut glyphs, at - 1, at);
        }
        for at in (1..glyphs.len()).rev() {
            join(&mut glyphs, at, at - 1);
        }
        // Blanks separate words on both sides.
        let hidden: Vec<Glyph> = glyphs.iter().filter(|glyph| glyph.hidden.is_some()).cloned().collect();
        glyphs.retain(|glyph| glyph.hidden.is_none() || glyph.is_blank());
        let twice = Places::of(&glyphs, &hidden);
        let hidden = hidden.into_iter().filter(|glyph| glyph.is_blank() || !twice.hold(glyph)).collect();
        (glyphs, hidden)
    }

    fn clip(&self) -> (Rect, bool) {
        self.clips.last().copied().unwrap_or((self.page, true))
    }

    fn manner(&self, props: &DrawProps<'_>, mode: &DrawMode) -> Manner {
        let (clip, _) = self.clip();
        if matches!(mode, DrawMode::Invisible) || self.groups.contains(&true) {
            return Manner::Hidden(Hidden::Invisible);
        }
        if clip.width() < THIN || clip.height() < THIN {
            return Manner::Hidden(Hidden::OffPage);
        }
        match self.ground.look(props) {
            Look::Clear => Manner::Hidden(Hidden::Invisible),
            Look::Plain(colour) if self.ground.may_hide(&colour) => Manner::Coloured(colour),
            Look::Plain(_) | Look::Unknown => Manner::Seen,
        }
    }

    fn hides(&self, glyph: &Glyph, em: f64, manner: &Manner) -> Option<Hidden> {
        if !self.page.overlaps(glyph.bounds()) {
            return Some(Hidden::OffPage);
        }
        match manner {
            Manner::Hidden(why) => Some(*why),
            _ if glyph.size < self.smallest || em < self.smallest => Some(Hidden::Tiny),
            Manner::Coloured(colour) => self.ground.hides(colour, glyph.middle()).then_some(Hidden::White),
            Manner::Seen => None,
        }
    }

    /// Letters may be what something else is painted through: what was not painted itself is seen then.
    fn unhide_clip(&mut self, clip: Rect) {
        let reach = |glyph: &Glyph| glyph.bounds().inflate(glyph.size / 2.0, glyph.size / 2.0);
        let run = self.glyphs.iter().rev().take(LONGEST_RUN);
        let run =
            run.take_while(|glyph| glyph.hidden == Some(Hidden::Invisible) && clip.overlaps(reach(glyph)));
        let (mut count, mut all) = (0, None::<Rect>);
        for glyph in run {
            count += 1;
            all = Some(all.map_or(reach(glyph), |all| all.union(reach(glyph))));
        }
        if all.is_some_and(|all| all.contains_rect(clip)) {
            self.glyphs.iter_mut().rev().take(count).for_each(|glyph| glyph.hidden = None);
        }
    }
}

impl<'a> Device<'a> for Glyphs {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, mode: &DrawMode) {
        let (clip, sharp) = self.clip();
        self.ground.path(path, &props, mode, clip, sharp);
    }

    fn draw_rect(&mut self, rect: &Rect, props: DrawProps<'a>, mode: &DrawMode) {
        let (clip, sharp) = self.clip();
        self.ground.stroke(*rect, &props, mode, clip);
        if matches!(mode, DrawMode::Fill(_) | DrawMode::FillAndStroke(..)) {
            self.ground.rect(rect, &props, clip, sharp);
        }
    }

    fn push_clip_path(&mut self, clip: &ClipPath) {
        let (before, sharp) = self.clip();
        if clip.path.elements().is_empty() {
            self.clips.push((before, false));
            return;
        }
        let bounds = clip.path.bounding_box();
        self.unhide_clip(bounds);
        // What fills its own box is that box.
        let whole = clip.path.area().abs() > 0.999 * bounds.area();
        self.clips.push((before.intersect(bounds), sharp && whole));
    }

    fn push_clip_rect(&mut self, rect: &Rect) {
        let (before, sharp) = self.clip();
        self.clips.push((before.intersect(*rect), sharp));
    }

    fn pop_clip(&mut self) {
        if self.clips.len() > 1 {
            self.clips.pop();
        }
    }

    fn push_transparency_group(&mut self, opacity: f32, _: Option<SoftMask<'a>>, _: BlendMode) {
        self.groups.push(opacity < FAINT);
    }

    fn pop_transparency_group(&mut self) {
        self.groups.pop();
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        let start = self.glyphs.len();
        let manner = self.manner(&props, mode);
        for positioned in run.glyphs() {
            let placed: Affine = props.transform * positioned.transform();
            let origin = placed * Point::ZERO;
            let up = placed * Point::new(0.0, EM) - origin;
            let right = placed * Point::new(EM, 0.0) - origin;
            let drawn: &Drawn<'_> = positioned;
            let (along, across, share, below) = match run.writing_mode() {
                WritingMode::Vertical => (-up, right, 1.0, 0.5),
                WritingMode::Horizontal => {
                    let width = match drawn {
                        Drawn::Outline(glyph) => glyph.advance_width(),
                        Drawn::Type3(glyph) => glyph.advance_width(),
                    };
                    (right, up, f64::from(width.unwrap_or(500.0)) / EM, 0.2)
                }
            };
            let (length, size) = (along.hypot(), across.hypot());
            if !(length.is_finite() && size.is_finite() && origin.is_finite()) {
                continue;
            }
            let text = match positioned.as_unicode() {
                Some(BfString::Char(letter)) => letter.encode_utf8(&mut [0; 4]).into(),
                Some(BfString::String(letters)) => letters.into(),
                None => SmolStr::default(),
            };
            // Of no size at all, it still has a place.
            let unit = |vector: Vec2, length: f64, none| if length > 0.0 { vector / length } else { none };
            let mut glyph = Glyph {
                text,
                origin,
                along: unit(along, length, Vec2::new(1.0, 0.0)),
                up: unit(across, size, Vec2::new(0.0, 1.0)),
                advance: length * share,
                size: size.max(f64::MIN_POSITIVE),
                below,
                hidden: None,
            };
            glyph.hidden = match (drawn, &manner) {
                // Such a glyph may bring its own colours.
                (Drawn::Type3(_), Manner::Coloured(_)) => self.hides(&glyph, length, &Manner::Seen),
                (_, manner) => self.hides(&glyph, length, manner),
            };
            if glyph.text.is_empty() && glyph.hidden.is_none() {
                self.ground.inked(glyph.middle());
            }
            self.glyphs.push(glyph);
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
        let drawn = props.transform.transform_rect_bbox(Rect::new(0.0, 0.0, width, height));
        self.ground.image(drawn.intersect(self.clip().0));
    }
}
