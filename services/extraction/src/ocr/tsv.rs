//! What tesseract says in its table (`tsv`): a row for each page, block, paragraph, line and word.

use crate::document::{Block, Line};

/// A page as it was recognised.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recognised {
    /// Paragraphs in reading order, with the boxes of their lines.
    pub blocks: Vec<Block>,
    /// Mean of what the words are given, weighed by their letters, 0 to 1; 0 without words.
    pub confidence: f32,
    /// Letters in all.
    pub letters: usize,
}

impl Recognised {
    /// All text, for whoever wants to know its language.
    pub fn text(&self) -> String {
        let texts: Vec<&str> = self.blocks.iter().map(|block| block.text.as_str()).collect();
        texts.join("\n")
    }

    /// How much was read for certain: what makes one reading better than another of the same picture.
    pub fn worth(&self) -> f32 {
        self.confidence * self.letters as f32
    }
}

/// One row that tells of a word.
struct Word<'a> {
    paragraph: (u32, u32),
    line: u32,
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
    confidence: f32,
    text: &'a str,
}

/// Level of the rows that are words.
const WORD: &str = "5";

fn word(row: &str) -> Option<Word<'_>> {
    let mut cells = row.split('\t');
    if cells.next()? != WORD {
        return None;
    }
    let mut number = || cells.next()?.parse::<f32>().ok();
    let (_page, block, paragraph, line, _word) = (number()?, number()?, number()?, number()?, number()?);
    let (left, top, width, height, confidence) = (number()?, number()?, number()?, number()?, number()?);
    let text = cells.next()?.trim();
    let known = !text.is_empty() && confidence >= 0.0;
    known.then_some(Word {
        paragraph: (block as u32, paragraph as u32),
        line: line as u32,
        left,
        top,
        right: left + width,
        bottom: top + height,
        confidence: (confidence / 100.0).clamp(0.0, 1.0),
        text,
    })
}

/// Makes paragraphs of the table. `points` are as many as a pixel is wide.
pub fn read(table: &str, points: f32) -> Recognised {
    let mut found = Recognised::default();
    let mut sum = 0.0;
    let mut at = None;
    for word in table.lines().filter_map(word) {
        let letters = word.text.chars().count();
        found.letters += letters;
        sum += word.confidence * letters as f32;
        let same_paragraph = at.is_some_and(|(paragraph, _)| paragraph == word.paragraph);
        let same_line = at == Some((word.paragraph, word.line));
        at = Some((word.paragraph, word.line));
        if !same_paragraph {
            found.blocks.push(Block::default());
        }
        let Some(block) = found.blocks.last_mut() else { continue };
        let (x0, y0, x1, y1) =
            (word.left * points, word.top * points, word.right * points, word.bottom * points);
        if let Some(line) = block.lines.last_mut().filter(|_| same_line) {
            block.text.push(' ');
            (line.x0, line.y0) = (line.x0.min(x0), line.y0.min(y0));
            (line.x1, line.y1) = (line.x1.max(x1), line.y1.max(y1));
        } else {
            if !block.text.is_empty() {
                block.text.push('\n');
            }
            let start = u32::try_from(block.text.len()).unwrap_or(u32::MAX);
            block.lines.push(Line { start, x0, y0, x1, y1 });
        }
        block.text.push_str(word.text);
    }
    if found.letters > 0 {
        found.confidence = sum / found.letters as f32;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext
1\t1\t0\t0\t0\t0\t0\t0\t100\t100\t-1\t
5\t1\t1\t1\t1\t1\t10\t20\t30\t10\t90.5\tDear
5\t1\t1\t1\t1\t2\t50\t18\t30\t10\t80\tSir,
5\t1\t1\t1\t2\t1\t10\t40\t30\t10\t70\tthe
5\t1\t1\t2\t1\t1\t10\t60\t30\t10\t96\tYours
5\t1\t2\t1\t1\t1\t10\t80\t30\t10\t95\t \n5\t1\tnonsense\n5";

    #[test]
    fn words_become_lines_and_paragraphs() {
        let page = read(TABLE, 0.5);
        let texts: Vec<&str> = page.blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(texts, ["Dear Sir,\nthe", "Yours"]);
        assert_eq!(
            page.blocks[0].lines,
            [
                Line { start: 0, x0: 5.0, y0: 9.0, x1: 40.0, y1: 15.0 },
                Line { start: 10, x0: 5.0, y0: 20.0, x1: 20.0, y1: 25.0 },
            ]
        );
        let expected = (4.0 * 0.905 + 4.0 * 0.80 + 3.0 * 0.70 + 5.0 * 0.96) / 16.0;
        assert!((page.confidence - expected).abs() < 1e-5, "{}", page.confidence);
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(read("", 1.0), Recognised::default());
        assert_eq!(read("5\t1\t1\t1\t1\t1\tNaN\t0\t0\t0\tx\tword", 1.0), Recognised::default());
    }
}
