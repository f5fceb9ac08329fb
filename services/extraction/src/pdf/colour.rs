//! What paint looks like, found out no further than it matters: the profile behind colours of four inks takes longer to
//! make than a page takes to read, and most of what is printed in them is black on white.

use hayro_interpret::color::Color;
use hayro_interpret::hayro_syntax::object::{Array, Dict, Object, Stream};
use hayro_interpret::hayro_syntax::page::{Page, Resources};
use hayro_interpret::{BlendMode, DrawProps, Paint};

/// Colours closer than this in every channel are one to the eye, or meant to be.
const SAME: f32 = 0.05;

/// Colours of inks that are further apart than this by [`rough`] are not the same by their profile.
const APART: f32 = 0.35;

/// Paint thinner than this is none.
const TRANSPARENT: f32 = 0.02;

/// How deep forms are looked into, and how many states and forms of one page are looked at.
const DEEPEST: usize = 8;
const MOST: usize = 1000;

/// Red, green, blue.
type Rgb = [f32; 3];

/// A colour as it is seen.
#[derive(Debug, Clone)]
pub(super) struct Colour {
    /// Exactly what it looks like, or roughly, if it is given in inks.
    rough: Rgb,
    /// The inks.
    inks: Option<Color>,
}

/// The colour of a page.
pub(super) const WHITE: Colour = Colour { rough: [1.0; 3], inks: None };

impl Colour {
    fn exact(&self) -> Rgb {
        self.inks.as_ref().map_or(self.rough, |inks| {
            let [red, green, blue, _] = inks.to_rgba().components();
            [red, green, blue]
        })
    }

    /// Whether the eye takes it for this one.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (&self.inks, &other.inks) {
            (None, None) => within(SAME, self.rough, other.rough),
            (Some(one), Some(other)) if one.components() == other.components() => true,
            _ => within(APART, self.rough, other.rough) && within(SAME, self.exact(), other.exact()),
        }
    }
}

fn within(distance: f32, one: Rgb, other: Rgb) -> bool {
    one.iter().zip(other).all(|(a, b)| (a - b).abs() <= distance)
}

/// What four inks look like by the simplest formula there is.
fn rough([cyan, magenta, yellow, black]: [f32; 4]) -> Rgb {
    [cyan, magenta, yellow].map(|ink| (1.0 - ink.clamp(0.0, 1.0)) * (1.0 - black.clamp(0.0, 1.0)))
}

/// What paint looks like.
#[derive(Debug, Clone)]
pub(super) enum Look {
    /// Of this colour.
    Plain(Colour),
    /// There is next to nothing of it.
    Clear,
    /// Nobody knows without drawing it.
    Unknown,
}

/// What this paint looks like. `opaque` says that nothing shines through on its page: a colour does not tell without its
/// profile.
pub(super) fn look(props: &DrawProps<'_>, opaque: bool) -> Look {
    let Paint::Color(colour) = &props.paint else { return Look::Unknown };
    let mixed = props.soft_mask.is_some() || props.blend_mode != BlendMode::Normal;
    if opaque
        && colour.color_space().num_components() == 4
        && let Ok(inks) = <[f32; 4]>::try_from(colour.components())
    {
        return if mixed {
            Look::Unknown
        } else {
            Look::Plain(Colour { rough: rough(inks), inks: Some(colour.clone()) })
        };
    }
    let [red, green, blue, alpha] = colour.to_rgba().components();
    if alpha < TRANSPARENT {
        Look::Clear
    } else if alpha < 1.0 || mixed {
        Look::Unknown
    } else {
        Look::Plain(Colour { rough: [red, green, blue], inks: None })
    }
}

/// Whether nothing on a page can shine through, as far as that is told by looking at a few things.
pub(super) fn is_opaque(page: &Page<'_>) -> bool {
    let mut left = MOST;
    are_opaque(page.resources(), DEEPEST, &mut left)
        && page.raw().get::<Array<'_>>(b"Annots").is_none_or(|notes| {
            let looks = notes.iter::<Dict<'_>>().filter_map(|note| note.get::<Dict<'_>>(b"AP")?.get(b"N"));
            let mut looks = looks.map(|look: Object<'_>| match look {
                Object::Stream(form) => is_form_opaque(&form, DEEPEST, &mut left),
                // One for each state that it may be in.
                Object::Dict(states) => states
                    .keys()
                    .filter_map(|name| states.get::<Stream<'_>>(name))
                    .all(|form| is_form_opaque(&form, DEEPEST, &mut left)),
                _ => true,
            });
            looks.all(|opaque| opaque)
        })
}

fn is_form_opaque(form: &Stream<'_>, deep: usize, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else { return false };
    *left = rest;
    let inner = form.dict().get::<Dict<'_>>(b"Resources");
    inner.is_none_or(|inner| deep > 0 && are_opaque(&Resources::new(inner), deep - 1, left))
}

fn are_opaque(resources: &Resources<'_>, deep: usize, left: &mut usize) -> bool {
    let (states, objects) = (&resources.ext_g_states, &resources.x_objects);
    let Some(rest) = left.checked_sub(states.keys().count()) else { return false };
    *left = rest;
    let full = |state: &Dict<'_>, key: &[u8]| state.get::<f32>(key).is_none_or(|alpha| alpha >= 1.0);
    let state = |state: Dict<'_>| full(&state, b"ca") && full(&state, b"CA");
    let mut forms = objects.keys().filter_map(|name| objects.get::<Stream<'_>>(name));
    states.keys().filter_map(|name| states.get::<Dict<'_>>(name)).all(state)
        && forms.all(|form| is_form_opaque(&form, deep, left))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hayro_interpret::font::GlyphRun;
    use hayro_interpret::hayro_syntax::Pdf;
    use hayro_interpret::kurbo::{Affine, BezPath, Rect};
    use hayro_interpret::{
        ClipPath, Context, Device, DrawMode, Image, ImageDrawProps, InterpreterCache, InterpreterSettings,
        SoftMask, interpret_page,
    };
    use millrace_testkit::hostile::{pages, stream};

    use super::*;

    /// Takes down what is painted.
    struct Paints(Vec<Look>, bool);

    impl<'a> Device<'a> for Paints {
        fn draw_path(&mut self, _: &BezPath, props: DrawProps<'a>, _: &DrawMode) {
            self.0.push(look(&props, self.1));
        }
        fn draw_rect(&mut self, _: &Rect, props: DrawProps<'a>, _: &DrawMode) {
            self.0.push(look(&props, self.1));
        }
        fn push_clip_path(&mut self, _: &ClipPath) {}
        fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
        fn draw_glyph_run(&mut self, _: &GlyphRun<'_, 'a>, _: DrawProps<'a>, _: &DrawMode) {}
        fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {}
        fn pop_clip(&mut self) {}
        fn pop_transparency_group(&mut self) {}
    }

    fn painted(content: &str, resources: &str, more: &[Vec<u8>]) -> (Vec<Look>, bool) {
        let pdf =
            Pdf::new(Arc::new(pages(&[stream("", content.as_bytes())], resources, more))).expect("a PDF");
        let page = &pdf.pages()[0];
        let opaque = is_opaque(page);
        let cache = InterpreterCache::new();
        let settings = InterpreterSettings::default();
        let mut context =
            Context::new(Affine::IDENTITY, Rect::new(0.0, 0.0, 600.0, 800.0), &cache, page.xref(), settings);
        let mut paints = Paints(Vec::new(), opaque);
        interpret_page(page, &mut context, &mut paints);
        (paints.0, opaque)
    }

    fn plain(look: Look) -> Colour {
        match look {
            Look::Plain(colour) => colour,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn inks_that_look_far_apart_are() {
        let steps = [0.0, 0.15, 0.35, 0.6, 1.0];
        let mut content = String::new();
        for (c, m) in steps.iter().flat_map(|c| steps.map(|m| (c, m))) {
            for (y, k) in steps.iter().flat_map(|y| steps.map(|k| (y, k))) {
                content.push_str(&format!("{c} {m} {y} {k} k 0 0 9 9 re f\n"));
            }
        }
        let (looks, opaque) = painted(&content, "", &[]);
        let mut colours: Vec<Colour> = looks.into_iter().map(plain).collect();
        assert!(opaque && colours.len() == 625 && colours.iter().all(|colour| colour.inks.is_some()));
        colours.push(WHITE);
        let seen: Vec<(Rgb, Rgb)> = colours.iter().map(|colour| (colour.rough, colour.exact())).collect();
        let mut far = 0;
        for (one, exact) in &seen {
            for (other, exactly) in &seen {
                if !within(APART, *one, *other) {
                    far += 1;
                    assert!(!within(SAME, *exact, *exactly), "{one:?} {other:?}: {exact:?} {exactly:?}");
                }
            }
        }
        assert!(far > 100_000, "{far}");
    }

    #[test]
    fn paper_is_white_and_what_shines_through_is_known_by_its_states() {
        let white = "0 0 0 0 k 0 0 9 9 re f 0 0 0 1 k 0 0 9 9 re f 1 g 0 0 9 9 re f 0 g 0 0 9 9 re f";
        let is_white = |(looks, _): (Vec<Look>, bool)| -> Vec<bool> {
            looks.into_iter().map(|look| plain(look).is(&WHITE)).collect()
        };
        assert_eq!(is_white(painted(white, "", &[])), [true, false, true, false]);
        let thin = "/G gs 0 0 0 1 k 0 0 9 9 re f";
        let (looks, opaque) = painted(thin, "/ExtGState<</G<</ca 0.01>>>>", &[]);
        assert!(!opaque && matches!(looks[..], [Look::Clear]), "{looks:?}");
        let (looks, opaque) = painted(thin, "/ExtGState<</G<</ca 0.5>>>>", &[]);
        assert!(!opaque && matches!(looks[..], [Look::Unknown]), "{looks:?}");
        let (looks, opaque) = painted(thin, "/ExtGState<</G<</ca 1.0/LW 2>>>>", &[]);
        assert!(opaque && matches!(looks[..], [Look::Plain(_)]), "{looks:?}");
        // A form that brings a state of its own.
        let form = |resources: &str| {
            stream(
                &format!("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<<{resources}>>"),
                thin.as_bytes(),
            )
        };
        let (looks, opaque) =
            painted("/X Do", "/XObject<</X 6 0 R>>", &[form("/ExtGState<</G<</ca 0.01>>>>")]);
        assert!(!opaque && matches!(looks[..], [Look::Clear]), "{looks:?}");
        // An annotation's looks.
        for (alpha, expected) in [("0.01", false), ("1", true)] {
            let look = form(&format!("/ExtGState<</G<</ca {alpha}>>>>"));
            let note = b"<</Type/Annot/Subtype/Stamp/Rect[0 0 9 9]/AP<</N 6 0 R>>>>".to_vec();
            let (_, opaque) = painted("", ">>/Annots[7 0 R]/Other<<", &[look, note]);
            assert_eq!(opaque, expected, "{alpha}");
        }
        // Forms in forms, up to some depth.
        for (forms, expected) in [(3, true), (20, false)] {
            let chain: Vec<Vec<u8>> =
                (0..forms).map(|at| form(&format!("/XObject<</X {} 0 R>>", 7 + at))).collect();
            let (_, opaque) = painted("/X Do", "/XObject<</X 6 0 R>>", &chain);
            assert_eq!(opaque, expected, "{forms}");
        }
    }
}
