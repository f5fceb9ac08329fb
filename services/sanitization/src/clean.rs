//! Clean-up that does not corrupt: invisible characters out, broken lines joined, running headers and
//! footers dropped, and not one character of meaning changed.
//!
//! The order matters. Characters come first, because every later rule looks at characters. The running
//! lines go before the joining, because afterwards there are no lines left to compare.

mod chars;
mod reflow;
mod running;

use crate::language::{self, Language};

/// One page as extraction numbered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageText {
    /// The page's number in the document.
    pub number: u32,
    /// The page's blocks in reading order. After clean-up some may be missing; the others keep their index.
    pub blocks: Vec<BlockText>,
}

/// One block of text (a paragraph, a heading, a cell) as extraction numbered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockText {
    /// The block's number on its page: the `n` of `p{page}.b{n}`.
    pub index: u32,
    /// The block's text.
    pub text: String,
}

impl PageText {
    /// A page whose blocks are numbered from 1 in the order given.
    pub fn new<T: Into<String>>(number: u32, texts: impl IntoIterator<Item = T>) -> Self {
        let blocks = (1..).zip(texts).map(|(index, text)| BlockText { index, text: text.into() }).collect();
        Self { number, blocks }
    }

    /// The name by which reports cite a block, for as long as the document lives.
    pub fn block_id(&self, block: &BlockText) -> String {
        format!("p{}.b{}", self.number, block.index)
    }
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
    /// The pages given, without blocks that are now empty. A page stays even when nothing is left on it.
    pub pages: Vec<PageText>,
    /// The language, needed here for hyphenation and therefore already known.
    pub language: Language,
    /// What was taken out.
    pub counts: CleanCounts,
}

/// Cleans a whole document: headers and hyphenation can only be judged over all of its pages.
pub fn clean(pages: &[PageText]) -> Cleaned {
    let mut counts = CleanCounts::default();
    let mut lines: Vec<running::PageLines> = pages
        .iter()
        .map(|page| running::PageLines {
            number: page.number,
            blocks: page.blocks.iter().map(|b| split_lines(&chars::scrub(&b.text, &mut counts))).collect(),
        })
        .collect();
    running::drop_running_lines(&mut lines, &mut counts);

    let language = language::detect(lines.iter().flat_map(|page| page.blocks.iter().flatten()));
    let words = reflow::Words::of(lines.iter().flat_map(|page| &page.blocks));
    let pages = pages
        .iter()
        .zip(&lines)
        .map(|(page, page_lines)| PageText {
            number: page.number,
            blocks: page
                .blocks
                .iter()
                .zip(&page_lines.blocks)
                .map(|(block, lines)| BlockText {
                    index: block.index,
                    text: reflow::join(lines, &words, language.code, &mut counts),
                })
                .filter(|block| !block.text.is_empty())
                .collect(),
        })
        .collect();
    Cleaned { pages, language, counts }
}

/// A block's lines, each trimmed and with its runs of spaces collapsed. Blank lines stay: they end paragraphs.
fn split_lines(text: &str) -> Vec<String> {
    text.split('\n').map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> String {
        let cleaned = clean(&[PageText::new(1, [text])]);
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
        let page = PageText::new(7, ["First", "\u{200b} \n", "Third"]);
        let cleaned = clean(&[page]);
        let ids: Vec<_> = cleaned.pages[0].blocks.iter().map(|b| cleaned.pages[0].block_id(b)).collect();
        assert_eq!(ids, ["p7.b1", "p7.b3"]);
        assert_eq!(cleaned.counts.zero_width, 1);
    }

    #[test]
    fn nothing_in_nothing_out() {
        assert!(clean(&[]).pages.is_empty());
        let cleaned = clean(&[PageText::new(1, Vec::<String>::new())]);
        assert!(cleaned.pages[0].blocks.is_empty());
    }
}
