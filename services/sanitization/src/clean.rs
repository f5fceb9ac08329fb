//! Clean-up that does not corrupt: invisible characters out, broken lines joined, running headers and
//! footers dropped, and not one character of meaning changed.
//!
//! The order matters. Characters come first, because every later rule looks at characters. The running
//! lines go before the joining, because afterwards there are no lines left to compare.

mod chars;
mod reflow;
mod running;
mod text_line;

use crate::language::{self, Language};
use crate::signals;
use millrace_contract::wire::{Block, Page, Signal};
use running::PageLines;
use text_line::TextLine;

/// A page of text without layout, whose blocks are numbered from 1 in the order given.
pub fn page<T: Into<String>>(number: u32, texts: impl IntoIterator<Item = T>) -> Page {
    let block = |(number, text): (u32, T)| Block { number, text: text.into(), ..Block::default() };
    Page { number, blocks: (1..).zip(texts).map(block).collect(), ..Page::default() }
}

/// What clean-up took out or changed. The classes are apart because they mean different things: soft
/// hyphens are typesetting, many tag or direction characters are an attempt to hide text from a reader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CleanCounts {
    /// Soft hyphens (U+00AD).
    pub soft_hyphens: u32,
    /// Zero-width spaces, joiners where no script needs them, word joiners, byte order marks.
    pub zero_width: u32,
    /// Marks, embeddings, overrides and isolates that change the direction of text.
    pub bidi: u32,
    /// Tag characters (U+E0000 to U+E007F), which no reader sees and every model reads.
    pub tags: u32,
    /// Variation selectors outside emoji and Han.
    pub variation_selectors: u32,
    /// C0 and C1 controls and noncharacters.
    pub controls: u32,
    /// Characters replaced by their plain form: ligatures, full-width letters, odd spaces and hyphens.
    pub replaced: u32,
    /// Words put together again after a hyphenated line end.
    pub joined_words: u32,
    /// Line ends whose hyphen was kept, because it belongs to the word.
    pub kept_hyphens: u32,
    /// Lines dropped as repetitions of a header or footer.
    pub running_lines: u32,
    /// Page numbers dropped.
    pub page_numbers: u32,
}

impl CleanCounts {
    /// Characters that show nothing and whose only common use is to mislead: worth a flag when not few.
    pub fn suspicious(&self) -> u32 {
        self.tags + self.bidi
    }

    /// Characters taken out altogether.
    pub fn removed(&self) -> u32 {
        self.soft_hyphens + self.zero_width + self.bidi + self.tags + self.variation_selectors + self.controls
    }
}

/// A document after clean-up.
#[derive(Debug, Clone)]
pub struct Cleaned {
    /// The pages given, without blocks that are now empty; the others keep their numbers. Lines begin where they
    /// begin now. A page stays even when nothing is left on it.
    pub pages: Vec<Page>,
    /// The language, needed here for hyphenation and therefore already known.
    pub language: Language,
    /// What was taken out.
    pub counts: CleanCounts,
    /// The running lines and page numbers that were taken out.
    pub trimmed: Vec<String>,
    /// Blocks out of which characters were taken that show nothing and that nobody needs.
    pub invisible: Vec<Signal>,
}

/// Cleans a whole document: headers and hyphenation can only be judged over all of its pages.
pub fn clean(mut pages: Vec<Page>) -> Cleaned {
    let (mut counts, mut invisible) = (CleanCounts::default(), Vec::new());
    let mut lines: Vec<PageLines> = pages
        .iter()
        .map(|page| PageLines {
            number: page.number,
            blocks: {
                let noted = |block| noted(page.number, block, false, &mut counts, &mut invisible);
                page.blocks.iter().map(noted).collect()
            },
        })
        .collect();
    let trimmed = running::drop_running_lines(&mut lines, &mut counts);

    let texts = lines.iter().flat_map(|page| page.blocks.iter().flatten()).map(|line| &line.text);
    let language = language::detect(texts);
    let words = reflow::Words::of(lines.iter().flat_map(|page| &page.blocks));
    let mut joined: Vec<Vec<TextLine>> = lines
        .into_iter()
        .map(|page| {
            let blocks = page.blocks.into_iter();
            blocks.map(|lines| reflow::join(lines, &words, language.code, &mut counts)).collect()
        })
        .collect();
    over_page_ends(&mut joined, &words, language.code, &mut counts);
    for (page, joined) in pages.iter_mut().zip(joined) {
        for (block, joined) in page.blocks.iter_mut().zip(joined) {
            take(block, joined);
        }
        page.blocks.retain(|block| !block.text.is_empty());
        for block in &mut page.hidden {
            let lines = noted(page.number, block, true, &mut counts, &mut invisible);
            take(block, reflow::join(lines, &words, language.code, &mut counts));
        }
        page.hidden.retain(|block| !block.text.is_empty());
    }
    Cleaned { pages, language, counts, trimmed, invisible }
}

/// A line that is no part of a page: a title, a property.
pub fn clean_line(text: &str, counts: &mut CleanCounts) -> String {
    chars::scrub(text, &mut [], counts).replace('\u{ad}', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Zero-width characters come in ones and twos with every word processor.
const MANY: u32 = 10;

/// Scrubs a block, and notes it if it held what is there to mislead.
fn noted(
    page: u32,
    block: &Block,
    hidden: bool,
    counts: &mut CleanCounts,
    invisible: &mut Vec<Signal>,
) -> Vec<TextLine> {
    let before = *counts;
    let lines = scrubbed(block, counts);
    let (tags, zero_width) = (counts.tags - before.tags, counts.zero_width - before.zero_width);
    let right_to_left =
        |c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}');
    // Text in both directions needs its direction characters.
    let mixed = block.text.contains(right_to_left);
    let bidi = if mixed { 0 } else { counts.bidi - before.bidi };
    if tags > 0 || bidi > 0 || zero_width >= MANY {
        let kind = signals::INVISIBLE_CHARACTERS.to_owned();
        invisible.push(Signal { kind, page, block: block.number, count: tags + bidi + zero_width, hidden });
    }
    lines
}

fn scrubbed(block: &Block, counts: &mut CleanCounts) -> Vec<TextLine> {
    let mut marks = text_line::marks(block);
    let text = chars::scrub(&block.text, &mut marks, counts);
    text_line::split(&text, &marks)
}

/// Words that are broken over two pages.
fn over_page_ends(
    pages: &mut [Vec<TextLine>],
    words: &reflow::Words,
    language: &str,
    counts: &mut CleanCounts,
) {
    for next in 1..pages.len() {
        let (before, after) = pages.split_at_mut(next);
        let last = before[next - 1].iter_mut().rev().find(|block| !block.text.is_empty());
        let first = after[0].iter_mut().find(|block| !block.text.is_empty());
        if let (Some(last), Some(first)) = (last, first) {
            reflow::join_pages(last, first, words, language, counts);
        }
    }
}

fn take(block: &mut Block, mut joined: TextLine) {
    reflow::finish(&mut joined);
    block.lines = text_line::lines(&block.lines, &joined.marks);
    block.text = joined.text;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> String {
        let cleaned = clean(vec![page(1, [text])]);
        cleaned.pages[0].blocks.first().map(|b| b.text.clone()).unwrap_or_default()
    }

    #[test]
    fn a_paragraph_becomes_one_line() {
        assert_eq!(
            one("The parties\n  agree   to\r\nthe terms.\n\n\nNext."),
            "The parties agree to the terms.\nNext."
        );
    }

    #[test]
    fn meaning_survives() {
        for text in ["10² m², ½ of ①", "H₂O ™ ª º", "“quoted” – dashed — …", "٣ किताब 中文，（好）"]
        {
            assert_eq!(one(text), text);
        }
    }

    #[test]
    fn surviving_blocks_keep_their_numbers() {
        let cleaned = clean(vec![page(7, ["First", "\u{200b} \n", "Third"])]);
        let numbers: Vec<_> = cleaned.pages[0].blocks.iter().map(|block| block.number).collect();
        assert_eq!(numbers, [1, 3]);
        assert_eq!(cleaned.counts.zero_width, 1);
    }

    #[test]
    fn nothing_in_nothing_out() {
        assert!(clean(Vec::new()).pages.is_empty());
        let cleaned = clean(vec![page(1, Vec::<String>::new())]);
        assert!(cleaned.pages[0].blocks.is_empty());
    }
}
