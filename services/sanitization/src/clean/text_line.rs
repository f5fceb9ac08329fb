//! Lines that know where in them the lines of the page begin, so that a place on the page can still be found once
//! characters have gone and lines were joined.

use millrace_contract::wire::{Block, Line};

/// Where a line of the page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// A byte of the text at hand.
    pub(super) at: usize,
    /// Which of the block's lines.
    pub(super) line: usize,
}

/// A line of a block's text, trimmed and with its runs of spaces collapsed, and the marks in it, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TextLine {
    pub(super) text: String,
    pub(super) marks: Vec<Mark>,
}

impl From<&str> for TextLine {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), marks: Vec::new() }
    }
}

/// A block's marks, in order.
pub(super) fn marks(block: &Block) -> Vec<Mark> {
    let mut marks: Vec<Mark> =
        (0..).zip(&block.lines).map(|(line, at)| Mark { at: at.start as usize, line }).collect();
    marks.sort_by_key(|mark| mark.at);
    marks
}

/// The lines of the page that are left, where they begin now. Those that were taken out have no mark any more.
pub(super) fn lines(before: &[Line], marks: &[Mark]) -> Vec<Line> {
    let place = |mark: &Mark| {
        let start = u32::try_from(mark.at).ok()?;
        Some(Line { start, ..*before.get(mark.line)? })
    };
    marks.iter().filter_map(place).collect()
}

/// A block's lines. Blank ones stay: they end paragraphs.
pub(super) fn split(text: &str, marks: &[Mark]) -> Vec<TextLine> {
    let (mut from, mut rest) = (0, marks);
    text.split('\n')
        .map(|line| {
            let inside = rest.partition_point(|mark| mark.at <= from + line.len());
            let (here, later) = rest.split_at(inside);
            rest = later;
            let line_marks = here.iter().map(|mark| Mark { at: mark.at.saturating_sub(from), ..*mark });
            let collapsed = collapse(line, line_marks.collect());
            from += line.len() + 1;
            collapsed
        })
        .collect()
}

/// Trims a line and collapses its spaces.
fn collapse(line: &str, mut marks: Vec<Mark>) -> TextLine {
    let mut out = String::with_capacity(line.len());
    let mut next = 0;
    for word in line.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        let at = word.as_ptr() as usize - line.as_ptr() as usize;
        while let Some(mark) = marks.get_mut(next).filter(|mark| mark.at < at + word.len()) {
            mark.at = out.len() + mark.at.saturating_sub(at);
            next += 1;
        }
        out.push_str(word);
    }
    for mark in &mut marks[next..] {
        mark.at = out.len();
    }
    TextLine { text: out, marks }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_follow_their_words() {
        let text = "  one  two\n\n three ";
        let at = |word: &str| text.find(word).unwrap();
        let marks: Vec<Mark> = [0, at("two"), at(" three"), text.len()]
            .into_iter()
            .enumerate()
            .map(|(line, at)| Mark { at, line })
            .collect();
        let lines = split(text, &marks);
        let found: Vec<(&str, Vec<(usize, usize)>)> = lines
            .iter()
            .map(|l| (l.text.as_str(), l.marks.iter().map(|m| (m.line, m.at)).collect()))
            .collect();
        assert_eq!(found, [("one two", vec![(0, 0), (1, 4)]), ("", vec![]), ("three", vec![(2, 0), (3, 5)])]);
    }
}
