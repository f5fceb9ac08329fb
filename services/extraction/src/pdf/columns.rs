//! Columns that a document draws row by row, put one after the other.
//!
//! Most documents draw a column to its end before the next one begins, and their order is kept. Some go from the left edge
//! of the page to the right whatever stands there. What tells columns of prose from those of a table: the gutter goes
//! straight down through several rows, and the lines on both sides are long and mostly full.

use std::ops::Range;

use super::glyphs::Glyph;

/// A gap of this many ems may be a gutter.
const GUTTER: f64 = 1.0;

/// Fewer rows than this prove nothing.
const FEW_ROWS: usize = 4;

/// More than this are no page that anybody reads.
const MOST_ROWS: usize = 1000;

/// Letters and blanks that a line of a column has, on average.
const LETTERS: usize = 20;

/// A line of this share of the longest one is full; and so many of them must be.
const FULL: f64 = 0.7;

/// The next row is no further down than this, in ems.
const NEXT: f64 = 3.5;

/// How many columns there may be side by side.
const MOST: usize = 6;

/// A row of glyphs, from left to right.
struct Row {
    glyphs: Range<usize>,
    /// Where it may be cut: before which glyph, and what is free there.
    gaps: Vec<(usize, Range<f64>)>,
    baseline: f64,
    size: f64,
}

/// The same glyphs, in the order in which they are read.
#[must_use]
pub fn untangled(glyphs: Vec<Glyph>) -> Vec<Glyph> {
    let rows = rows(&glyphs);
    let mut pieces = Vec::new();
    if rows.len() <= MOST_ROWS {
        order(&glyphs, rows, MOST, &mut pieces);
    }
    if pieces.is_empty() {
        return glyphs;
    }
    let mut slots: Vec<Option<Glyph>> = glyphs.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(slots.len());
    for piece in pieces {
        ordered.extend(slots[piece].iter_mut().filter_map(Option::take));
    }
    ordered
}

/// Writes pieces of the glyphs in their order; nothing if it is the one that they have.
fn order(glyphs: &[Glyph], rows: Vec<Row>, deep: usize, pieces: &mut Vec<Range<usize>>) {
    let mut any = false;
    let mut done = Vec::new();
    let mut at = 0;
    while at < rows.len() {
        let Some((until, cuts)) = gutter(glyphs, &rows[at..]) else {
            done.push(rows[at].glyphs.clone());
            at += 1;
            continue;
        };
        any = true;
        let cut = || rows[at..at + until].iter().zip(&cuts);
        done.extend(cut().map(|(row, cut)| row.glyphs.start..*cut));
        let right = cut().map(|(row, cut)| Row {
            glyphs: *cut..row.glyphs.end,
            gaps: row.gaps.iter().filter(|(gap, _)| gap > cut).cloned().collect(),
            ..*row
        });
        let right: Vec<Row> = right.collect();
        let whole: Vec<Range<usize>> = right.iter().map(|row| row.glyphs.clone()).collect();
        let before = done.len();
        if deep > 0 {
            order(glyphs, right, deep - 1, &mut done);
        }
        if done.len() == before {
            done.extend(whole);
        }
        at += until;
    }
    if any {
        pieces.extend(done);
    }
}

/// The gutter that goes down from the first of these rows: through how many, and where each is cut.
fn gutter(glyphs: &[Glyph], rows: &[Row]) -> Option<(usize, Vec<usize>)> {
    let first = rows.first()?;
    first.gaps.iter().find_map(|(cut, free)| {
        let (mut free, mut cuts, mut last) = (free.clone(), vec![*cut], first);
        for row in &rows[1..] {
            let down = last.baseline - row.baseline;
            if !(down > 0.0 && down < NEXT * last.size) {
                break;
            }
            let common = row.gaps.iter().find_map(|(cut, gap)| {
                let common = gap.start.max(free.start)..gap.end.min(free.end);
                (common.end - common.start >= GUTTER * row.size * 0.8).then_some((*cut, common))
            });
            let Some((cut, common)) = common else { break };
            cuts.push(cut);
            (free, last) = (common, row);
        }
        let rows = &rows[..cuts.len()];
        let left = rows.iter().zip(&cuts).map(|(row, cut)| &glyphs[row.glyphs.start..*cut]);
        let right = rows.iter().zip(&cuts).map(|(row, cut)| {
            let next = row.gaps.iter().find(|(gap, _)| gap > cut).map_or(row.glyphs.end, |(gap, _)| *gap);
            &glyphs[*cut..next]
        });
        (cuts.len() >= FEW_ROWS && is_prose(left) && is_prose(right)).then_some((cuts.len(), cuts))
    })
}

fn is_prose<'a>(lines: impl Iterator<Item = &'a [Glyph]>) -> bool {
    let (mut letters, mut lengths) = (0, Vec::new());
    for line in lines {
        letters += line.len();
        let length = |first: &Glyph, last: &Glyph| last.origin.x + last.advance - first.origin.x;
        lengths.push(line.first().zip(line.last()).map_or(0.0, |(first, last)| length(first, last)));
    }
    let longest = lengths.iter().copied().fold(0.0, f64::max);
    let full = lengths.iter().filter(|length| **length >= FULL * longest).count();
    letters >= LETTERS * lengths.len() && full as f64 >= FULL * lengths.len() as f64
}

fn rows(glyphs: &[Glyph]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut last: Option<&Glyph> = None;
    for (at, glyph) in glyphs.iter().enumerate() {
        if glyph.text.trim().is_empty() {
            // It goes with what stands before it.
            if let Some(row) = rows.last_mut() {
                row.glyphs.end = at + 1;
                continue;
            }
        }
        let upright = glyph.along.x > 0.99;
        let gap = last.filter(|_| upright).and_then(|last| {
            let level = (glyph.origin.y - last.origin.y).abs() < 0.5 * glyph.size.max(last.size);
            let end = last.origin.x + last.advance;
            (level && glyph.origin.x > last.origin.x && last.along.x > 0.99).then_some(end..glyph.origin.x)
        });
        match (gap, rows.last_mut()) {
            (Some(gap), Some(row)) => {
                if gap.end - gap.start > GUTTER * glyph.size {
                    row.gaps.push((at, gap));
                }
                row.glyphs.end = at + 1;
            }
            _ => rows.push(Row {
                glyphs: at..at + 1,
                gaps: Vec::new(),
                baseline: glyph.origin.y,
                size: glyph.size,
            }),
        }
        last = Some(glyph);
    }
    rows
}

#[cfg(test)]
mod tests {
    use hayro_interpret::kurbo::{Point, Vec2};

    use super::*;

    fn line(text: &str, x: f64, y: f64) -> Vec<Glyph> {
        let glyph = |(index, letter): (usize, char)| Glyph {
            text: letter.to_string().into(),
            origin: Point::new(x + 5.0 * index as f64, y),
            along: Vec2::new(1.0, 0.0),
            up: Vec2::new(0.0, 1.0),
            advance: 5.0,
            size: 10.0,
            below: 0.2,
            hidden: None,
        };
        text.chars().enumerate().map(glyph).collect()
    }

    fn order_of(rows: &[&[(&str, f64)]]) -> String {
        let rows = rows.iter().enumerate().flat_map(|(row, parts)| {
            parts.iter().flat_map(move |(text, x)| line(text, *x, 500.0 - 12.0 * row as f64))
        });
        untangled(rows.collect()).iter().map(|glyph| glyph.text.as_str()).collect()
    }

    #[test]
    fn three_columns_come_one_after_the_other() {
        let texts: Vec<[String; 3]> = (0..5)
            .map(|row| ["a", "b", "c"].map(|name| format!("{name}{row} and words to fill its line")))
            .collect();
        let rows: Vec<Vec<(&str, f64)>> =
            texts.iter().map(|[a, b, c]| vec![(&**a, 0.0), (&**b, 170.0), (&**c, 340.0)]).collect();
        let rows: Vec<&[(&str, f64)]> = rows.iter().map(Vec::as_slice).collect();
        let expected: String =
            (0..3).flat_map(|column| texts.iter().map(move |row| row[column].clone())).collect();
        assert_eq!(order_of(&rows), expected);
    }

    #[test]
    fn tables_and_single_lines_stay_as_they_are() {
        let table: Vec<Vec<(String, f64)>> = (0..6)
            .map(|row| vec![(format!("An item with a name, {row}"), 0.0), (format!("{row}.00"), 200.0)])
            .collect();
        let table: Vec<Vec<(&str, f64)>> =
            table.iter().map(|row| row.iter().map(|(text, x)| (&**text, *x)).collect()).collect();
        let table: Vec<&[(&str, f64)]> = table.iter().map(Vec::as_slice).collect();
        let flat: String = table.iter().flat_map(|row| row.iter().map(|(text, _)| *text)).collect();
        assert_eq!(order_of(&table), flat);
        let two: &[(&str, f64)] =
            &[("words enough to fill a line", 0.0), ("words enough to fill a line", 200.0)];
        assert_eq!(order_of(&[two; 3]).len(), 3 * 54, "too few rows to know");
        assert_eq!(order_of(&[two; 3]), "words enough to fill a line".repeat(6));
    }
}
