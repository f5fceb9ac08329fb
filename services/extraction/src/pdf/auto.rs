//! Two engines on every page: unpdf for the text, hayro to check it, to stand in for it, and to count what
//! only it sees.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::words::{self, Overlap};
use super::{Found, PdfEngine, Sink, Summary, hayro, markers, unpdf};
use crate::document::{Page, ReadError};

/// Fewer words than this on a page of unpdf's, and hayro's reading stands in if it has more.
const HARDLY_ANY: usize = 5;

/// unpdf checked by hayro.
///
/// Pages are settled one by one, so that only one is held at a time and a page that one engine cannot read
/// costs nothing but that page. Where the two disagree unpdf's text is kept, unless it admits to codes it
/// could not read and hayro read them all: measured alone unpdf is right more often (96.1 against 95.2 % of
/// documents), and which of the two is wrong takes a third engine to tell. Image coverage and glyph counts
/// are always hayro's.
pub struct Auto;

impl PdfEngine for Auto {
    fn read(&self, document: &Arc<Vec<u8>>, sink: &mut Sink<'_>) -> Result<Summary, ReadError> {
        let parser = guarded("unpdf", || unpdf::open(document));
        let pdf = hayro::open(document);
        let (parser, pdf) = match (parser, pdf) {
            (Ok(parser), Ok(pdf)) => (parser, pdf),
            // A password one engine asks for and the other does not notice explains what that one could not
            // read.
            (Err(ReadError::Encrypted), Err(_)) | (Err(_), Err(ReadError::Encrypted)) => {
                return Err(ReadError::Encrypted);
            }
            (Err(error), Err(_)) => return Err(error),
            (Err(error), Ok(_)) => return second_opinion(error, document, sink),
            (Ok(_), Err(_)) => return unpdf::Unpdf.read(document, sink),
        };
        let checker = hayro::Reader::new(&pdf);
        let total = parser.page_count().max(checker.total());
        sink(Found::Total(total))?;

        let mut tally = Tally::default();
        let mut done = 0;
        let outcome = guarded("unpdf", || {
            unpdf::pages(&parser, &mut |page| {
                let number = page.as_ref().map_or_else(|number| *number, |read| read.page.number);
                if number != done + 1 {
                    return Ok(()); // Pages come in order; anything else is made up for below.
                }
                sink(Found::Page(tally.settle(number, page.ok(), check(&checker, number))))?;
                done = number;
                Ok(())
            })
        });
        match outcome {
            // unpdf gave up in the middle: the rest of the pages are hayro's.
            Ok(incomplete) => tally.incomplete = incomplete,
            Err(ReadError::Broken(_)) => {}
            Err(other) => return Err(other),
        }
        for number in done + 1..=total {
            sink(Found::Page(tally.choose(number, None, check(&checker, number))))?;
        }
        Ok(tally.summary())
    }
}

/// hayro's reading of what unpdf could not open. If there is nothing to be seen in it either, unpdf was
/// right.
fn second_opinion(
    error: ReadError,
    document: &Arc<Vec<u8>>,
    sink: &mut Sink<'_>,
) -> Result<Summary, ReadError> {
    let mut anything = false;
    let summary = hayro::Hayro.read(document, &mut |found| {
        if let Found::Page(page) = &found {
            anything |= !page.blocks.is_empty() || page.image_coverage > 0.0;
        }
        sink(found)
    })?;
    if anything { Ok(summary) } else { Err(error) }
}

/// Panics of an engine are its failure, not the document's end.
fn guarded<T>(engine: &str, run: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(ReadError::Broken(format!("{engine} panicked"))))
}

/// hayro has never been seen to panic; if it does, the page goes unchecked.
fn check(checker: &hayro::Reader<'_>, number: u32) -> Option<Page> {
    catch_unwind(AssertUnwindSafe(|| checker.page(number))).ok()
}

#[derive(Default)]
struct Tally {
    overlap: Overlap,
    from_unpdf: u32,
    from_hayro: u32,
    compared: bool,
    incomplete: bool,
}

impl Tally {
    /// [`Tally::choose`] with the list markers as printed.
    fn settle(&mut self, number: u32, first: Option<unpdf::Reading>, check: Option<Page>) -> Page {
        let first = first.map(|mut read| {
            if let Some(check) = check.as_ref().filter(|check| !check.is_garbled()) {
                markers::restore(&mut read.page, &read.marked, check);
            }
            read.page
        });
        self.choose(number, first, check)
    }

    fn choose(&mut self, number: u32, first: Option<Page>, check: Option<Page>) -> Page {
        let (first, check) = match (first, check) {
            (Some(first), Some(check)) => (first, check),
            (Some(first), None) => {
                self.from_unpdf += 1;
                return first;
            }
            (None, Some(check)) => {
                self.from_hayro += 1;
                return check;
            }
            (None, None) => return Page { number, ..Page::default() },
        };
        let overlap = Overlap::of(&first, &check);
        if !check.is_garbled() {
            // A checker without characters for its glyphs has no opinion.
            self.overlap.add(overlap);
            self.compared = true;
        }
        let hardly_any = words::count(&first) < HARDLY_ANY && words::count(&check) >= HARDLY_ANY;
        let knows_better = first.unmapped > 0 && check.unmapped == 0 && overlap.f1() < words::AGREE;
        if hardly_any || knows_better {
            self.from_hayro += 1;
            return check;
        }
        self.from_unpdf += 1;
        Page { image_coverage: check.image_coverage, glyphs: check.glyphs, unmapped: check.unmapped, ..first }
    }

    fn summary(&self) -> Summary {
        let engine = match (self.from_unpdf, self.from_hayro) {
            (0, 1..) => hayro::NAME.to_owned(),
            (_, 0) => unpdf::NAME.to_owned(),
            _ => format!("{} + {}", unpdf::NAME, hayro::NAME),
        };
        let agreement = self.compared.then(|| self.overlap.f1());
        Summary { engine, agreement, incomplete: self.incomplete }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::paragraphs;

    fn page(text: &str, glyphs: u32) -> Page {
        Page { number: 1, blocks: paragraphs(text), glyphs, ..Page::default() }
    }

    #[test]
    fn the_first_engine_s_text_is_kept_with_the_counts_of_the_second() {
        let mut tally = Tally::default();
        let kept = tally.choose(
            1,
            Some(page("one two three four five", 0)),
            Some(page("one two three four six", 9)),
        );
        assert_eq!(kept, page("one two three four five", 9));
        assert_eq!(
            tally.summary(),
            Summary { engine: unpdf::NAME.into(), agreement: Some(0.8), incomplete: false }
        );
    }

    #[test]
    fn a_checker_that_cannot_read_does_not_count() {
        let mut tally = Tally::default();
        let garbled = Page { unmapped: 9, ..page("nonsense", 10) };
        let kept = tally.choose(1, Some(page("one two three four five", 0)), Some(garbled));
        assert_eq!(kept.blocks, page("one two three four five", 0).blocks);
        assert_eq!(tally.summary().agreement, None);
    }

    #[test]
    fn an_engine_that_lost_codes_yields_to_one_that_did_not() {
        let mut tally = Tally::default();
        let lossy = Page { unmapped: 3, ..page("one two three fo r fi e", 20) };
        let whole = page("one two three four five", 20);
        assert_eq!(tally.choose(1, Some(lossy), Some(whole.clone())), whole);
    }

    #[test]
    fn the_second_stands_in_for_an_empty_or_failed_page() {
        let mut tally = Tally::default();
        assert_eq!(tally.choose(1, Some(page("x", 0)), Some(page("a b c d e", 5))), page("a b c d e", 5));
        assert_eq!(tally.choose(1, None, Some(page("a", 1))), page("a", 1));
        assert_eq!(tally.summary().engine, hayro::NAME);
        assert_eq!(Tally::default().summary().agreement, None);
    }
}
