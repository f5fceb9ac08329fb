//! Putting list markers back as they are printed.
//!
//! unpdf takes what looks like a list marker off a paragraph and puts one of its own there: `1)` becomes `1.`, and the
//! `90-` of "90-Day Report" becomes a bullet, which loses a number. The other engine's line has the original.

use crate::document::Page;

/// A block that begins with a marker of unpdf's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// Which block, from 0.
    pub block: usize,
    /// How many bytes of it are the marker.
    pub length: usize,
}

/// This many letters after a marker must agree for a line to be the same one.
const SAME: usize = 12;

/// No marker is longer than this, in characters, spaces left out.
const LONGEST: usize = 8;

/// Replaces the markers of `page` by what stands before the same words in `original`. A block without a counterpart
/// keeps what it has.
pub fn restore(page: &mut Page, marked: &[Marked], original: &Page) {
    if marked.is_empty() {
        return;
    }
    // Lists repeat themselves: each line answers once, in order.
    let mut lines: Vec<Option<&str>> =
        original.blocks.iter().flat_map(|block| block.text.lines()).map(Some).collect();
    for mark in marked {
        let Some(block) = page.blocks.get_mut(mark.block) else { continue };
        let Some((_, body)) = block.text.split_at_checked(mark.length) else { continue };
        let found = lines.iter_mut().find_map(|slot| {
            let printed = slot.and_then(|line| marker_before(line, body))?;
            *slot = None;
            Some(printed)
        });
        if let Some(printed) = found {
            block.text = format!("{printed}{body}");
        }
    }
}

/// What stands before the beginning of `body` in a line, if little does.
fn marker_before<'a>(line: &'a str, body: &str) -> Option<&'a str> {
    let key: Vec<char> = body.chars().filter(|c| !c.is_whitespace()).take(SAME).collect();
    if key.len() < SAME {
        return None;
    }
    let line = line.trim_start();
    let printed: Vec<(usize, char)> = line.char_indices().filter(|(_, c)| !c.is_whitespace()).collect();
    (0..=LONGEST).find_map(|start| {
        let window = printed.get(start..start + SAME)?;
        window.iter().map(|(_, c)| c).eq(key.iter()).then(|| &line[..window[0].0])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::paragraphs;

    fn page(text: &str) -> Page {
        Page { number: 1, blocks: paragraphs(text), ..Page::default() }
    }

    #[test]
    fn markers_come_back_as_printed() {
        let mut read = page("• Day Summary Report\n\n1. If any insurance is due\n\n- no counterpart here");
        let marked = [(0, "• ".len()), (1, 3), (2, 2)].map(|(block, length)| Marked { block, length });
        restore(&mut read, &marked, &page("Form 7\n90-Day Summary Report for\n\n1)  If any insurance"));
        let texts: Vec<&str> = read.blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(texts, ["90-Day Summary Report", "1)  If any insurance is due", "- no counterpart here"]);
    }

    #[test]
    fn equal_items_keep_their_order() {
        let mut read = page("1. the very same words\n\n2. the very same words");
        let marked = [0, 1].map(|block| Marked { block, length: 3 });
        restore(&mut read, &marked, &page("(a) the very same words\n(b) the very same words"));
        assert_eq!(read.blocks[1].text, "(b) the very same words");
    }
}
