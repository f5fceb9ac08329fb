//! Places of lines for text that an engine read which knows none: the places are hayro's, where its lines say the same.

use crate::document::{Block, Line, Page};

/// Fewer letters than this are found too easily.
const FEW: usize = 4;

/// How far on a line may stand, in lines: engines order blocks in ways of their own, but none shuffles a page.
const REACH: usize = 400;

/// Gives the blocks of `page` the places of those lines of `known` that stand in them, in order.
pub fn borrow(page: &mut Page, known: &Page) {
    (page.width, page.height) = (known.width, known.height);
    let mut lines: Vec<Option<(String, Line)>> = known.blocks.iter().flat_map(placed).map(Some).collect();
    let mut first = 0;
    for block in &mut page.blocks {
        let (letters, places) = squeezed(&block.text);
        let mut from = 0;
        // What was used up stands before most of the rest.
        while lines.get(first).is_some_and(Option::is_none) {
            first += 1;
        }
        for slot in lines.iter_mut().skip(first).take(REACH) {
            let Some((text, line)) = slot else { continue };
            let Some(found) = letters[from..].find(text.as_str()).map(|found| found + from) else { continue };
            let start = places.get(found).copied().unwrap_or_default();
            from = found + text.len();
            block.lines.push(Line { start, ..*line });
            *slot = None;
            if from == letters.len() {
                break;
            }
        }
        block.lines.dedup_by_key(|line| line.start);
    }
}

/// The lines of a block, each with its letters.
fn placed(block: &Block) -> Vec<(String, Line)> {
    let ends = block.lines.iter().skip(1).map(|line| line.start as usize).chain([block.text.len()]);
    let lines = block.lines.iter().zip(ends).filter_map(|(line, end)| {
        let text = squeezed(block.text.get(line.start as usize..end)?).0;
        (text.chars().count() >= FEW).then_some((text, *line))
    });
    lines.collect()
}

/// The letters without white space, and for each byte of them where it stood.
pub(super) fn squeezed(text: &str) -> (String, Vec<u32>) {
    let mut letters = String::with_capacity(text.len());
    let mut places = Vec::with_capacity(text.len());
    for (at, letter) in text.char_indices().filter(|(_, letter)| !letter.is_whitespace()) {
        letters.push(letter);
        places.resize(letters.len(), u32::try_from(at).unwrap_or(u32::MAX));
    }
    (letters, places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::paragraphs;

    fn page(text: &str) -> Page {
        Page { blocks: paragraphs(text), ..Page::default() }
    }

    #[test]
    fn lines_lie_where_the_same_words_lie() {
        let mut known = page("The first line\nand the second\n\nFooter\n\nün pe\u{301}u plus");
        let mut at = 0.0;
        for block in &mut known.blocks {
            let mut start = 0;
            for text in block.text.lines() {
                at += 10.0;
                block.lines.push(Line { start, x0: 0.0, y0: at, x1: 9.0, y1: at + 9.0 });
                start += text.len() as u32 + 1;
            }
        }
        known.width = 100.0;
        let mut read =
            page("The first line and the second\n\nnobody knows this\n\nün pe\u{301}u plus\n\nFooter");
        borrow(&mut read, &known);
        let places: Vec<Vec<(u32, f32)>> =
            read.blocks.iter().map(|b| b.lines.iter().map(|l| (l.start, l.y0)).collect()).collect();
        assert_eq!(places, [vec![(0, 10.0), (15, 20.0)], vec![], vec![(0, 40.0)], vec![(0, 30.0)]]);
        assert_eq!(read.width, 100.0);
        for (block, line) in read.blocks.iter().flat_map(|b| b.lines.iter().map(move |l| (b, l))) {
            assert!(block.text.is_char_boundary(line.start as usize));
        }
    }
}
