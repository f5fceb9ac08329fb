//! From placed glyphs to paragraphs: spaces, lines and blocks from the distances between glyphs, in the order
//! in which the document draws them. Good enough to check another engine and to stand in for it; no tables.

use hayro_interpret::kurbo::Rect;
use unicode_bidi::BidiInfo;

use super::glyphs::Glyph;
use super::words::{self, is_unspaced};
use crate::document::{self, Block};

/// A gap along the line of this many ems is a space.
const SPACE: f64 = 0.16;

/// A step across the baseline of this many ems leaves the line. Superscripts stay on it.
const LINE: f64 = 0.55;

/// A step back of this many ems begins a new line even at the same height.
const BACK: f64 = 1.0;

/// A line further than this many ems below the last one begins a paragraph.
const PARAGRAPH: f64 = 1.75;

/// A gap along the line of this many ems separates columns of a table.
const COLUMN: f64 = 4.0;

enum Step {
    Same,
    Space,
    Tab,
    Line,
    Paragraph,
}

/// The paragraphs of a page of this extent, with the places of their lines in points from the upper left corner of the
/// page as it is shown.
#[must_use]
pub fn paragraphs(glyphs: &[Glyph], page: Rect) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut block = Block::default();
    let mut line = Line::default();
    let mut last: Option<&Glyph> = None;
    let mut blank = false;
    for (index, glyph) in glyphs.iter().enumerate() {
        if glyph.text.is_empty() || is_shadow(glyphs, index) {
            continue;
        }
        // Blanks stand anywhere, lines of nothing else included: only where words go on do they mean something.
        if glyph.text.chars().all(char::is_whitespace) {
            blank = true;
            continue;
        }
        match last.map_or(Step::Same, |last| step(last, glyph)) {
            Step::Same if !blank || last.is_none() => {}
            Step::Same | Step::Space => block.text.push(' '),
            Step::Tab => block.text.push('\t'),
            Step::Line => {
                line.end(&mut block, page);
                block.text.push('\n');
                line = Line { start: block.text.len(), ..Line::default() };
            }
            Step::Paragraph => {
                line.end(&mut block, page);
                line = Line::default();
                push_placed(&mut blocks, std::mem::take(&mut block));
            }
        }
        blank = false;
        block.text.push_str(&glyph.text);
        line.reach(glyph);
        if let Some(last) = last.filter(|last| is_leftward(last) && is_leftward(glyph)) {
            line.rightward += if (glyph.origin - last.origin).dot(glyph.along) > 0.0 { 1 } else { -1 };
        }
        last = Some(glyph);
    }
    line.end(&mut block, page);
    push_placed(&mut blocks, block);
    blocks
}

/// Adds a block unless there is nothing in it.
fn push_placed(blocks: &mut Vec<Block>, mut block: Block) {
    let text = block.text.trim();
    if text.is_empty() {
        return;
    }
    let before = block.text.len() - block.text.trim_start().len();
    if text.len() < block.text.len() {
        let (text, before) = (text.to_owned(), u32::try_from(before).unwrap_or(u32::MAX));
        block.lines.retain(|line| (line.start as usize) < before as usize + text.len());
        block.lines.iter_mut().for_each(|line| line.start = line.start.saturating_sub(before));
        block.lines.dedup_by_key(|line| line.start);
        block.text = text;
    }
    blocks.push(block);
}

/// The line being put together.
#[derive(Default)]
struct Line {
    /// Where it starts in the text of its block.
    start: usize,
    /// Steps to the right less steps to the left between letters of scripts that run to the left.
    rightward: i32,
    /// Where it stands.
    bounds: Option<Rect>,
}

impl Line {
    fn reach(&mut self, glyph: &Glyph) {
        let bounds = glyph.bounds();
        self.bounds = Some(self.bounds.map_or(bounds, |all| all.union(bounds)));
    }

    /// Most documents draw Arabic and Hebrew from left to right, as they look, and mean them from right to
    /// left. What turns text as it is meant into text as it looks also turns it back.
    fn end(&self, block: &mut Block, page: Rect) {
        if let Some(bounds) = self.bounds.filter(|_| block.text.len() > self.start) {
            let start = u32::try_from(self.start).unwrap_or(u32::MAX);
            let (x0, x1) = ((bounds.x0 - page.x0) as f32, (bounds.x1 - page.x0) as f32);
            let (y0, y1) = ((page.y1 - bounds.y1) as f32, (page.y1 - bounds.y0) as f32);
            block.lines.push(document::Line { start, x0, y0, x1, y1 });
        }
        if self.rightward <= 0 {
            return;
        }
        let looks = block.text.split_off(self.start);
        let info = BidiInfo::new(&looks, None);
        match info.paragraphs.first() {
            Some(paragraph) => {
                block.text.push_str(&info.reorder_line(paragraph, paragraph.range.clone()));
            }
            None => block.text.push_str(&looks),
        }
    }
}

/// Whether a glyph is a letter of a script that runs from right to left.
fn is_leftward(glyph: &Glyph) -> bool {
    glyph.text.chars().next().is_some_and(words::is_leftward)
}

fn step(last: &Glyph, next: &Glyph) -> Step {
    let size = last.size.max(next.size);
    let moved = next.origin - last.origin;
    let forward = moved.dot(last.along);
    // Letters drawn the way a leftward script runs: each ends where the one before it began.
    let backward = forward < 0.0 && is_leftward(next);
    let along = if backward { -forward - next.advance } else { forward - last.advance };
    let across = moved.cross(last.along);
    if last.along.dot(next.along) < 0.9 {
        return Step::Paragraph;
    }
    if across.abs() > LINE * size {
        // Down by about a line goes on with the paragraph; up, or further down, is somewhere else.
        let line = last.size.min(next.size).max(size * 0.5);
        return if across > 0.0 && across < PARAGRAPH * line { Step::Line } else { Step::Paragraph };
    }
    if backward && along > COLUMN * size || along < -BACK * size - last.advance {
        return Step::Line;
    }
    // Scripts without spaces are often set loosely.
    let unspaced = last.text.chars().last().is_some_and(is_unspaced)
        && next.text.chars().next().is_some_and(is_unspaced);
    if along > COLUMN * size {
        Step::Tab
    } else if along > SPACE * size && !(unspaced && along < 0.5 * size) {
        Step::Space
    } else {
        Step::Same
    }
}

/// Poor man's bold: the same glyph drawn again a hair's breadth away.
fn is_shadow(glyphs: &[Glyph], index: usize) -> bool {
    const REACH: usize = 4;
    let glyph = &glyphs[index];
    glyphs[index.saturating_sub(REACH)..index].iter().any(|other| {
        other.text == glyph.text
            && !glyph.text.trim().is_empty()
            && (other.origin - glyph.origin).hypot() < 0.08 * glyph.size
    })
}

#[cfg(test)]
mod tests {
    use hayro_interpret::kurbo::{Point, Vec2};

    use super::*;

    fn line(text: &str, x: f64, y: f64) -> Vec<Glyph> {
        text.chars()
            .enumerate()
            .filter(|(_, letter)| *letter != ' ')
            .map(|(index, letter)| Glyph {
                text: letter.to_string().into(),
                origin: Point::new(x + 5.0 * index as f64, y),
                along: Vec2::new(1.0, 0.0),
                up: Vec2::new(0.0, 1.0),
                advance: 5.0,
                size: 10.0,
                below: 0.2,
                hidden: None,
            })
            .collect()
    }

    fn texts(glyphs: &[Glyph]) -> Vec<String> {
        paragraphs(glyphs, PAGE).into_iter().map(|block| block.text).collect()
    }

    const PAGE: Rect = Rect::new(10.0, 0.0, 210.0, 300.0);

    #[test]
    fn lines_are_placed_from_the_upper_left() {
        let mut page = line("two words", 20.0, 100.0);
        page.extend(line("next line", 30.0, 88.0));
        page.extend(line("far", 20.0, 50.0));
        let blocks = paragraphs(&page, PAGE);
        let placed: Vec<_> = blocks[0].lines.iter().map(|l| (l.start, l.x0, l.y0, l.x1, l.y1)).collect();
        assert_eq!(placed, [(0, 10.0, 192.0, 55.0, 202.0), (10, 20.0, 204.0, 65.0, 214.0)]);
        assert_eq!((blocks[1].lines.len(), blocks[1].lines[0].start), (1, 0));
    }

    #[test]
    fn distances_become_spaces_lines_and_paragraphs() {
        let mut page = line("two words", 10.0, 100.0);
        page.extend(line("next line", 10.0, 88.0));
        page.extend(line("far below", 10.0, 50.0));
        page.extend(line("back up", 300.0, 100.0));
        assert_eq!(texts(&page), ["two words\nnext line", "far below", "back up"]);
    }

    #[test]
    fn leftward_scripts_read_as_they_are_meant() {
        assert_eq!(texts(&line("םולש 123 בוט", 10.0, 100.0)), ["טוב 123 שלום"], "drawn as it looks");
        let meant: Vec<Glyph> = "שלום"
            .chars()
            .enumerate()
            .map(|(index, letter)| Glyph {
                text: letter.to_string().into(),
                origin: Point::new(100.0 - 5.0 * index as f64, 100.0),
                ..line("x", 0.0, 0.0).remove(0)
            })
            .collect();
        assert_eq!(texts(&meant), ["שלום"], "drawn as it is meant");
    }

    #[test]
    fn blanks_count_between_words_only() {
        let mut page = line("two_words", 10.0, 100.0);
        page[3].text = " ".into();
        page.extend(line("_", 10.0, 88.0));
        page[9].text = " ".into();
        page.extend(line("next", 10.0, 88.0));
        assert_eq!(texts(&page), ["two words\nnext"]);
    }

    #[test]
    fn columns_of_a_table_are_tabs() {
        let mut page = line("name", 10.0, 100.0);
        page.extend(line("42", 200.0, 100.0));
        assert_eq!(texts(&page), ["name\t42"]);
    }

    #[test]
    fn shadows_and_unknown_glyphs_vanish() {
        let mut page = Vec::new();
        for glyph in line("bold", 10.0, 100.0) {
            let mut shadow = glyph.clone();
            shadow.origin.x += 0.2;
            page.extend([glyph, shadow]);
        }
        page.push(Glyph { text: "".into(), ..page[0].clone() });
        assert_eq!(texts(&page), ["bold"]);
    }
}
