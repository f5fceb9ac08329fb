//! What a child says of one page.

use prost::Message;

use super::FrameError;
use crate::document::{Block, Hidden, Kind, Line, Page};
use crate::limits::MAX_BLOCKS;

/// Lines of one page that are placed. The boxes of those beyond it would outweigh their text; they are left out.
const MAX_LINES: usize = 50_000;

/// See [`Page`].
#[derive(Clone, PartialEq, Message)]
pub struct PageFrame {
    /// See [`Page::number`].
    #[prost(uint32, tag = "1")]
    pub number: u32,
    /// The text of all blocks, one after the other without anything between.
    #[prost(string, tag = "2")]
    pub text: String,
    /// The length of each block in bytes. Apart from the text and fixed in size, so that a frame cannot
    /// unfold into many times its length: a repeated string takes two bytes here and a hundred in memory.
    #[prost(fixed32, repeated, tag = "6")]
    pub lengths: Vec<u32>,
    /// See [`Page::image_coverage`].
    #[prost(float, tag = "3")]
    pub image_coverage: f32,
    /// See [`Page::glyphs`].
    #[prost(uint32, tag = "4")]
    pub glyphs: u32,
    /// See [`Page::unmapped`].
    #[prost(uint32, tag = "5")]
    pub unmapped: u32,
    /// See [`Page::confidence`].
    #[prost(float, optional, tag = "7")]
    pub confidence: Option<f32>,
    /// See [`Page::width`].
    #[prost(float, tag = "8")]
    pub width: f32,
    /// See [`Page::height`].
    #[prost(float, tag = "9")]
    pub height: f32,
    /// Where the lines of the blocks stand; absent where nobody knows.
    #[prost(message, optional, tag = "10")]
    pub lines: Option<LinesFrame>,
    /// What the blocks are, each as its place in [`Kind::ALL`]; empty if all are printed.
    #[prost(fixed32, repeated, tag = "12")]
    pub kinds: Vec<u32>,
    /// See [`Page::hidden`]; absent for most.
    #[prost(message, optional, tag = "11")]
    pub hidden: Option<HiddenFrame>,
}

/// Where the lines of all blocks stand, one block after the other.
#[derive(Clone, PartialEq, Message)]
pub struct LinesFrame {
    /// How many lines each block has.
    #[prost(fixed32, repeated, tag = "1")]
    pub counts: Vec<u32>,
    /// See [`Line::start`].
    #[prost(fixed32, repeated, tag = "2")]
    pub starts: Vec<u32>,
    /// Four edges each: left, upper, right, lower.
    #[prost(float, repeated, tag = "3")]
    pub edges: Vec<f32>,
}

/// Text that nobody sees.
#[derive(Clone, PartialEq, Message)]
pub struct HiddenFrame {
    /// As for what is seen.
    #[prost(string, tag = "1")]
    pub text: String,
    /// As for what is seen.
    #[prost(fixed32, repeated, tag = "2")]
    pub lengths: Vec<u32>,
    /// Why, for each block: its place in [`Hidden::ALL`].
    #[prost(fixed32, repeated, tag = "3")]
    pub reasons: Vec<u32>,
}

impl From<Page> for PageFrame {
    fn from(page: Page) -> Self {
        let (text, lengths) = joined(&page.blocks);
        let hidden = (!page.hidden.is_empty()).then(|| {
            let (reasons, blocks): (Vec<Hidden>, Vec<Block>) = page.hidden.into_iter().unzip();
            let (text, lengths) = joined(&blocks);
            HiddenFrame { text, lengths, reasons: reasons.into_iter().map(|why| why as u32).collect() }
        });
        Self {
            number: page.number,
            lines: placed(&page.blocks),
            kinds: kinds(&page.blocks),
            text,
            lengths,
            image_coverage: page.image_coverage,
            glyphs: page.glyphs,
            unmapped: page.unmapped,
            confidence: page.confidence,
            width: page.width,
            height: page.height,
            hidden,
        }
    }
}

/// The text of all blocks, and the length of each.
fn joined(blocks: &[Block]) -> (String, Vec<u32>) {
    let text = blocks.iter().map(|block| block.text.as_str()).collect();
    // Too long for its type is too long for any limit; the parent will say so.
    (text, blocks.iter().map(|block| u32::try_from(block.text.len()).unwrap_or(u32::MAX)).collect())
}

fn kinds(blocks: &[Block]) -> Vec<u32> {
    if blocks.iter().all(|block| block.kind == Kind::Printed) {
        return Vec::new();
    }
    blocks.iter().map(|block| block.kind as u32).collect()
}

/// Where the lines stand, if anybody knows.
fn placed(blocks: &[Block]) -> Option<LinesFrame> {
    let all: usize = blocks.iter().map(|block| somewhere(block).len()).sum();
    if all == 0 || all > MAX_LINES {
        return None;
    }
    let lines = || blocks.iter().flat_map(somewhere);
    Some(LinesFrame {
        counts: blocks
            .iter()
            .map(|block| u32::try_from(somewhere(block).len()).unwrap_or(u32::MAX))
            .collect(),
        starts: lines().map(|line| line.start).collect(),
        edges: lines().flat_map(|line| [line.x0, line.y0, line.x1, line.y1]).collect(),
    })
}

/// The lines of a block; none if one of them stands nowhere. A document may paint its text at infinity.
fn somewhere(block: &Block) -> &[Line] {
    let stands = |line: &Line| [line.x0, line.y0, line.x1, line.y1].into_iter().all(f32::is_finite);
    if block.lines.iter().all(stands) { &block.lines } else { &[] }
}

impl TryFrom<PageFrame> for Page {
    type Error = FrameError;

    fn try_from(page: PageFrame) -> Result<Self, FrameError> {
        let mut blocks = parted(&page.text, &page.lengths)?;
        if let Some(lines) = &page.lines {
            place(&mut blocks, lines)?;
        }
        if !page.kinds.is_empty() && page.kinds.len() != blocks.len() {
            return Err(FrameError::Garbled);
        }
        for (block, kind) in blocks.iter_mut().zip(&page.kinds) {
            block.kind = Kind::ALL.get(*kind as usize).copied().ok_or(FrameError::Garbled)?;
        }
        let hidden = match &page.hidden {
            Some(hidden) => unseen(hidden)?,
            None => Vec::new(),
        };
        // Comparisons with NaN are always false: make it the harmless end.
        let measure = |points: f32| if points.is_finite() { points.max(0.0) } else { 0.0 };
        Ok(Self {
            number: page.number,
            blocks,
            hidden,
            image_coverage: measure(page.image_coverage).min(1.0),
            glyphs: page.glyphs,
            unmapped: page.unmapped.min(page.glyphs),
            confidence: page.confidence.filter(|confidence| (0.0..=1.0).contains(confidence)),
            width: measure(page.width),
            height: measure(page.height),
            ..Self::default()
        })
    }
}

fn parted(text: &str, lengths: &[u32]) -> Result<Vec<Block>, FrameError> {
    if lengths.len() > MAX_BLOCKS as usize {
        return Err(FrameError::Garbled);
    }
    let mut blocks = Vec::with_capacity(lengths.len());
    let mut rest = text;
    for length in lengths {
        let (text, after) = rest.split_at_checked(*length as usize).ok_or(FrameError::Garbled)?;
        if text.is_empty() {
            return Err(FrameError::Garbled);
        }
        blocks.push(Block { text: text.to_owned(), ..Block::default() });
        rest = after;
    }
    if rest.is_empty() { Ok(blocks) } else { Err(FrameError::Garbled) }
}

fn place(blocks: &mut [Block], lines: &LinesFrame) -> Result<(), FrameError> {
    let (edges, odd) = lines.edges.as_chunks::<4>();
    if lines.counts.len() != blocks.len() || lines.starts.len() != edges.len() || !odd.is_empty() {
        return Err(FrameError::Garbled);
    }
    let mut all = lines.starts.iter().zip(edges);
    for (block, count) in blocks.iter_mut().zip(&lines.counts) {
        for _ in 0..*count {
            let (start, [x0, y0, x1, y1]) = all.next().ok_or(FrameError::Garbled)?;
            let behind = block.lines.last().is_none_or(|last| last.start < *start);
            let within = (*start as usize) < block.text.len() && block.text.is_char_boundary(*start as usize);
            let somewhere = [x0, y0, x1, y1].into_iter().all(|edge| edge.is_finite());
            if !behind || !within || !somewhere {
                return Err(FrameError::Garbled);
            }
            block.lines.push(Line { start: *start, x0: *x0, y0: *y0, x1: *x1, y1: *y1 });
        }
    }
    if all.next().is_none() { Ok(()) } else { Err(FrameError::Garbled) }
}

fn unseen(hidden: &HiddenFrame) -> Result<Vec<(Hidden, Block)>, FrameError> {
    let blocks = parted(&hidden.text, &hidden.lengths)?;
    if blocks.len() != hidden.reasons.len() {
        return Err(FrameError::Garbled);
    }
    let reason = |why: &u32| Hidden::ALL.get(*why as usize).copied().ok_or(FrameError::Garbled);
    hidden.reasons.iter().map(reason).zip(blocks).map(|(why, block)| Ok((why?, block))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_frame(text: &str, lengths: &[u32]) -> PageFrame {
        PageFrame { number: 7, text: text.into(), lengths: lengths.into(), glyphs: 3, ..PageFrame::default() }
    }

    #[test]
    fn pages_travel() {
        let there = page_frame("äöüb", &[6, 1]);
        let page = Page::try_from(there.clone()).expect("an honest page");
        assert_eq!(page.blocks.iter().map(|b| b.text.as_str()).collect::<Vec<_>>(), ["äöü", "b"]);
        assert_eq!(PageFrame::from(page), there);
    }

    #[test]
    fn text_at_infinity_is_text_all_the_same() {
        let line = |x0| Line { start: 0, x0, y0: 1.0, x1: 20.0, y1: 2.5 };
        let block = |x0| Block { text: "a".into(), lines: vec![line(x0)], ..Block::default() };
        let page = Page { number: 1, blocks: vec![block(f32::INFINITY), block(3.0)], ..Page::default() };
        let there = Page::try_from(PageFrame::from(page)).expect("an honest page");
        assert_eq!(there.blocks.iter().map(|block| block.lines.len()).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn pages_that_do_not_add_up_are_refused() {
        for lengths in [&[1, 6][..], &[6], &[6, 2], &[6, 0, 1], &[u32::MAX, 1], &[]] {
            assert_eq!(Page::try_from(page_frame("äöüb", lengths)), Err(FrameError::Garbled), "{lengths:?}");
        }
    }

    #[test]
    fn boxes_and_hidden_text_travel() {
        let line = |start, x0| Line { start, x0, y0: 1.0, x1: 20.0, y1: 2.5 };
        let block =
            |text: &str, lines: &[Line]| Block { text: text.into(), lines: lines.into(), ..Block::default() };
        let page = Page {
            number: 7,
            blocks: vec![
                block("äö\nü", &[line(0, 5.0), line(5, 6.0)]),
                block("b", &[]),
                Block { kind: Kind::Note, ..block("c", &[line(0, 7.0)]) },
            ],
            hidden: vec![(Hidden::White, block("no one", &[])), (Hidden::OffPage, block("sees", &[]))],
            width: 595.0,
            height: 842.0,
            ..Page::default()
        };
        assert_eq!(Page::try_from(PageFrame::from(page.clone())), Ok(page));
    }

    #[test]
    fn boxes_that_are_nowhere_are_refused() {
        let lines = |counts: &[u32], starts: &[u32], edges: &[f32]| {
            let (counts, starts, edges) = (counts.into(), starts.into(), edges.into());
            PageFrame { lines: Some(LinesFrame { counts, starts, edges }), ..page_frame("äöüb", &[6, 1]) }
        };
        let edges = [0.0; 8];
        assert!(Page::try_from(lines(&[1, 1], &[0, 0], &edges)).is_ok());
        for (counts, starts, edges) in [
            (&[1][..], &[0][..], &edges[..4]),
            (&[1, 1], &[0], &edges[..4]),
            (&[1, 0], &[0, 2], &edges),
            (&[2, 0], &[0, 0], &edges),
            (&[2, 0], &[0, 1], &edges),
            (&[2, 0], &[0, 6], &edges),
            (&[2, 0], &[0, 2], &edges[..7]),
            (&[u32::MAX, 1], &[0, 2], &edges),
            (&[1, 0], &[0], &[0.0, f32::NAN, 0.0, 0.0]),
        ] {
            let frame = lines(counts, starts, edges);
            assert_eq!(Page::try_from(frame), Err(FrameError::Garbled), "{counts:?} {starts:?} {edges:?}");
        }
        let hidden =
            |reasons: &[u32]| HiddenFrame { text: "x".into(), lengths: vec![1], reasons: reasons.into() };
        for reasons in [&[4][..], &[], &[0, 0]] {
            let frame = PageFrame { hidden: Some(hidden(reasons)), ..PageFrame::default() };
            assert_eq!(Page::try_from(frame), Err(FrameError::Garbled), "{reasons:?}");
        }
    }
}
