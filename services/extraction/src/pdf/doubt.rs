//! Which pages need a second reading.
//!
//! A second engine costs four times what the first does. What goes wrong with text goes wrong by font, or shows on the
//! page itself; so a page is read twice when it brings a font that no page read twice has had, when its own reading
//! looks wrong, and now and then without any reason. Once the two differ on a
//! document as a whole, every page of it is.

use std::collections::BTreeSet;

use super::vote::HARDLY_ANY;
use super::words;
use crate::document::Page;

/// One page in so many is read twice whatever it looks like.
const EVERY: u32 = 8;

/// Pages that show no sign of anything wrong are read twice for at most one in so many: some documents bring new fonts on
/// every page. When so many have told nothing new, half as many more will do.
const ROUTINE: u32 = 3;
const USUAL: u32 = 8;

/// A share of glyphs without a character beyond which a page is doubtful: 13 of 28 documents that hayro read wrong
/// alone were above it.
const UNMAPPED: f32 = 0.02;

/// A share of turned glyphs beyond which a page is doubtful: labels of charts and whole pages that lie on their side.
const TURNED: f32 = 0.1;

/// Words are shorter than this, on average, in no language: spaces between the letters.
const SHORT: f32 = 2.0;

/// And longer than this in none either: spaces lost.
const LONG: f32 = 15.0;

/// What is known of a document so far.
#[derive(Debug, Default)]
pub struct Doubt {
    /// Fonts that a page read twice has had.
    known: BTreeSet<u64>,
    /// Whether the readings of this document differ: then no page of it is taken on trust.
    pub thorough: bool,
    /// Pages seen so far.
    seen: u32,
    started: bool,
    /// Pages read twice so far without a sign of anything wrong.
    routine: u32,
}

impl Doubt {
    /// Whether to read this page again. `fonts` are the fonts that the page may use, `turned` is the share of glyphs
    /// that do not stand upright.
    pub fn of(&mut self, page: &Page, fonts: &[u64], turned: f32) -> bool {
        self.seen += 1;
        if page.glyphs == 0 {
            // Nothing to be read, or nothing that the first engine could see: the second may.
            return !self.started || self.thorough || page.image_coverage == 0.0;
        }
        let unknown = fonts.iter().any(|font| !self.known.contains(font));
        let doubtful = self.thorough || turned > TURNED || looks_wrong(page);
        let due = unknown || self.seen % EVERY == 1;
        let beyond = self.routine.saturating_sub(USUAL);
        let routine = !self.started || (due && (self.routine + beyond) * ROUTINE < self.seen);
        self.routine += u32::from(!doubtful && routine);
        let wanted = doubtful || routine;
        if wanted {
            self.started = true;
            self.known.extend(fonts);
        }
        wanted
    }
}

/// Signs of a bad reading that the text itself shows.
fn looks_wrong(page: &Page) -> bool {
    let (mut letters, mut strange, mut leftward) = (0_u32, 0_u32, 0_u32);
    for letter in page.blocks.iter().flat_map(|block| block.text.chars()) {
        match letter {
            letter if letter.is_whitespace() => {}
            // Private use, replacement and control characters: codes that were taken for characters.
            '\u{e000}'..='\u{f8ff}' | '\u{fffd}' | '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => strange += 1,
            letter => {
                letters += 1;
                leftward += u32::from(words::is_leftward(letter));
            }
        }
    }
    let words = words::count(page);
    let length = letters as f32 / words.max(1) as f32;
    let unspaced = page.blocks.iter().any(|block| block.text.chars().any(words::is_unspaced));
    let lost = page.unmapped as f32 > page.glyphs as f32 * UNMAPPED;
    lost || strange * 50 > letters + strange
        || leftward > 0
        || (words >= HARDLY_ANY * 2 && !unspaced && !(SHORT..LONG).contains(&length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::paragraphs;

    fn page(number: u32, text: &str) -> Page {
        Page { number, blocks: paragraphs(text), glyphs: 100, ..Page::default() }
    }

    const PROSE: &str = "These are quite ordinary words, and there are more than ten of them here.";

    #[test]
    fn the_first_page_new_fonts_and_one_page_in_eight_are_read_twice() {
        let mut doubt = Doubt::default();
        assert!(doubt.of(&page(1, PROSE), &[1], 0.0), "the first");
        assert!(!doubt.of(&page(2, PROSE), &[1], 0.0));
        assert!(
            !doubt.of(&page(3, PROSE), &[1, 2], 0.0),
            "a font nobody has checked, but one page in three is enough"
        );
        assert!(doubt.of(&page(4, PROSE), &[1, 2], 0.0), "a font nobody has checked");
        assert!(!doubt.of(&page(5, PROSE), &[2], 0.0));
        assert!((6..=8).all(|number| !doubt.of(&page(number, PROSE), &[1], 0.0)));
        assert!(doubt.of(&page(9, PROSE), &[1], 0.0), "now and then");
        doubt.thorough = true;
        assert!(doubt.of(&page(10, PROSE), &[1], 0.0), "all of a document that is read in two ways");
    }

    #[test]
    fn what_looks_wrong_is_read_twice() {
        let mut doubt = Doubt::default();
        doubt.of(&page(1, PROSE), &[], 0.0);
        assert!(!doubt.of(&page(2, PROSE), &[], 0.0));
        assert!(doubt.of(&page(2, "שלום עולם"), &[], 0.0), "an order that is easily got wrong");
        assert!(doubt.of(&page(2, &"s p a c e d ".repeat(4)), &[], 0.0));
        assert!(doubt.of(&page(2, &"allthespacesarelost ".repeat(11)), &[], 0.0));
        assert!(doubt.of(&page(2, "\u{e001}\u{e002} and some"), &[], 0.0));
        assert!(doubt.of(&Page { unmapped: 3, ..page(2, PROSE) }, &[], 0.0));
        assert!(doubt.of(&page(2, PROSE), &[], 0.5), "turned");
        assert!(doubt.of(&Page { glyphs: 0, ..page(2, "") }, &[], 0.0), "nothing seen");
    }
}
