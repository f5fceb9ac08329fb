//! Which of several readings of a page is kept, and how much another one bears it out.

use super::words::{self, Overlap};
use crate::document::Page;

/// Fewer words than this on a page settle nothing: one that is missing is a fifth of them.
pub const HARDLY_ANY: usize = 5;

/// A reading of a page, by one of the engines.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Who read, as [`super::Summary::engine`] names it.
    pub engine: &'static str,
    /// What was read.
    pub page: Page,
}

/// What was kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The reading.
    pub reading: Reading,
    /// How far another engine agrees with it, 0 to 1; nothing where there is nobody to ask.
    pub confidence: Option<f32>,
}

/// Whether these two read the same.
#[must_use]
pub fn agree(one: &Page, other: &Page) -> bool {
    Overlap::of(one, other).f1() >= words::AGREE
}

/// Keeps the reading that the others agree with most; of equals the one that comes first. `None` without any.
///
/// A reading with no character for more than a fifth of its glyphs has no opinion, and is kept only if nothing else
/// is there. Of two that disagree, with nobody to decide, the first is kept unless it found next to nothing, or admits
/// to glyphs that it could not read while the other read them all.
#[must_use]
pub fn keep(mut readings: Vec<Reading>) -> Option<Kept> {
    if readings.iter().any(|reading| !reading.page.is_garbled()) {
        readings.retain(|reading| !reading.page.is_garbled());
    }
    let agreement = |of: usize| -> Vec<f32> {
        let others = readings.iter().enumerate().filter(|(at, _)| *at != of);
        others.map(|(_, other)| Overlap::of(&readings[of].page, &other.page).f1()).collect()
    };
    let choice = match readings.as_slice() {
        [] => return None,
        [_] => 0,
        [first, second] => usize::from(yields(&first.page, &second.page)),
        _ => {
            let mut best = (0, f32::MIN);
            for at in 0..readings.len() {
                let mean: f32 = agreement(at).into_iter().sum();
                if mean > best.1 {
                    best = (at, mean);
                }
            }
            best.0
        }
    };
    let confidence = agreement(choice).into_iter().reduce(f32::max);
    Some(Kept { reading: readings.swap_remove(choice), confidence })
}

fn yields(first: &Page, second: &Page) -> bool {
    let (found, more) = (words::count(first), words::count(second));
    let hardly_any = found < HARDLY_ANY && more >= HARDLY_ANY;
    let knows_better = first.unmapped > 0 && second.unmapped == 0 && more > 0;
    hardly_any || (knows_better && !agree(first, second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::paragraphs;

    fn reading(engine: &'static str, text: &str) -> Reading {
        Reading { engine, page: Page { number: 1, blocks: paragraphs(text), glyphs: 20, ..Page::default() } }
    }

    fn kept(readings: &[Reading]) -> (&'static str, Option<f32>) {
        let kept = keep(readings.to_vec()).expect("a reading");
        (kept.reading.engine, kept.confidence)
    }

    #[test]
    fn two_of_three_win() {
        let (wrong, right) = (reading("a", "x y z"), reading("b", "one two three four"));
        let also = reading("c", "one two three four five");
        let (engine, confidence) = kept(&[wrong.clone(), right.clone(), also]);
        assert_eq!((engine, confidence.map(|c| c > 0.8)), ("b", Some(true)));
        assert_eq!(
            kept(&[wrong, right.clone(), reading("c", "p q")]).1,
            Some(0.0),
            "nobody agrees with anybody"
        );
        assert_eq!(kept(&[right]), ("b", None));
        assert!(keep(Vec::new()).is_none());
    }

    #[test]
    fn of_two_the_first_wins_unless_it_has_less_to_say() {
        let (one, two) = (reading("a", "one two three four five"), reading("b", "one two three four six"));
        assert_eq!(kept(&[one.clone(), two.clone()]), ("a", Some(0.8)));
        assert_eq!(kept(&[reading("a", "x"), two.clone()]).0, "b");
        let mut lossy = reading("a", "one two th ee fo r fi e");
        lossy.page.unmapped = 3;
        assert_eq!(kept(&[lossy, two]).0, "b");
    }

    #[test]
    fn who_has_no_characters_has_no_opinion() {
        let mut garbled = reading("a", "nonsense all of it");
        garbled.page.unmapped = 19;
        let readable = reading("b", "one two three");
        assert_eq!(kept(&[garbled.clone(), readable.clone()]), ("b", None));
        assert_eq!(kept(&[garbled.clone(), readable, reading("c", "one two three")]), ("b", Some(1.0)));
        assert_eq!(kept(&[garbled]), ("a", None), "better than nothing");
    }
}
