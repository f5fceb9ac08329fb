//! Running headers, footers and page numbers: found by comparing pages, dropped where they repeat.
//!
//! The first occurrence of a header stays in its block: a letterhead may be the only place that names the
//! sender, and a report must be able to cite it. Page numbers go everywhere.

use super::CleanCounts;
use super::text_line::TextLine;
use std::collections::HashMap;

/// How many lines at the top and at the bottom of a page may be running lines.
const ZONE: usize = 3;
/// A line is running when it stands on this share of the pages...
const SHARE_PERCENT: usize = 60;
/// ...and on at least so many. Page numbers prove themselves by counting, so two are enough.
const MIN_PAGES: usize = 3;
const MIN_NUMBERED_PAGES: usize = 2;

/// A page as lines: one entry a block, in the order of the input.
pub(super) struct PageLines {
    pub(super) number: u32,
    pub(super) blocks: Vec<Vec<TextLine>>,
}

/// A line near the edge of a page.
struct EdgeLine {
    page: usize,
    block: usize,
    line: usize,
    /// The numbers in it, in order.
    numbers: Vec<i64>,
}

/// Top or bottom, and the line with its numbers blanked out.
type Key = (bool, String);

/// Takes running lines out of the pages' blocks (which may be left empty, never renumbered) and returns their text.
pub(super) fn drop_running_lines(pages: &mut [PageLines], counts: &mut CleanCounts) -> Vec<String> {
    let mut groups: HashMap<Key, Vec<EdgeLine>> = HashMap::new();
    for (page_index, page) in pages.iter().enumerate() {
        collect_edges(page_index, page, &mut groups);
    }
    let mut drops: Vec<(usize, usize, usize)> = Vec::new();
    for ((_, shape), members) in groups {
        let is_number = is_page_number(&shape);
        let min_pages = if is_number { MIN_NUMBERED_PAGES } else { MIN_PAGES };
        let needed = min_pages.max((pages.len() * SHARE_PERCENT).div_ceil(100));
        let running = members_that_count_on(&members, needed, pages);
        if distinct_pages(&running) < needed {
            // "Page 3 of 9" says what it is, even alone.
            if names_itself(&shape) {
                drops.extend(members.iter().map(|m| (m.page, m.block, m.line)));
                counts.page_numbers += to_count(members.len());
            }
            continue;
        }
        let keep_first = usize::from(!is_number);
        let gone = running.iter().skip(keep_first);
        if is_number {
            counts.page_numbers += to_count(running.len());
        } else {
            counts.running_lines += to_count(running.len() - keep_first);
        }
        drops.extend(gone.map(|m| (m.page, m.block, m.line)));
    }
    spare_whole_pages(&mut drops, pages, counts);
    // From the back, so that removing one line does not move the next.
    drops.sort_unstable();
    drops.into_iter().rev().map(|(page, block, line)| pages[page].blocks[block].remove(line).text).collect()
}

/// A page that would lose all of its lines is a page like another (a form filled in twice), not a header.
fn spare_whole_pages(drops: &mut Vec<(usize, usize, usize)>, pages: &[PageLines], counts: &mut CleanCounts) {
    for (index, page) in pages.iter().enumerate() {
        let lines = page.blocks.iter().flatten().filter(|l| !l.text.is_empty()).count();
        let dropped = drops.iter().filter(|d| d.0 == index).count();
        if lines > 1 && dropped == lines {
            drops.retain(|&(p, b, l)| p != index || is_page_number(&shape_of(&page.blocks[b][l].text).0));
            let kept = lines - drops.iter().filter(|d| d.0 == index).count();
            counts.running_lines = counts.running_lines.saturating_sub(to_count(kept));
        }
    }
}

/// Files the first and last lines of a page under their shapes. A short page is split in halves.
fn collect_edges(page_index: usize, page: &PageLines, groups: &mut HashMap<Key, Vec<EdgeLine>>) {
    let places: Vec<(usize, usize)> = page
        .blocks
        .iter()
        .enumerate()
        .flat_map(|(b, lines)| {
            lines.iter().enumerate().filter(|(_, l)| !l.text.is_empty()).map(move |(l, _)| (b, l))
        })
        .collect();
    let top = ZONE.min(places.len().div_ceil(2));
    let bottom = ZONE.min(places.len() / 2);
    let edges = places[..top].iter().map(|p| (true, p));
    let edges = edges.chain(places[places.len() - bottom..].iter().map(|p| (false, p)));
    for (is_top, &(block, line)) in edges {
        let (shape, numbers) = shape_of(&page.blocks[block][line].text);
        groups.entry((is_top, shape)).or_default().push(EdgeLine { page: page_index, block, line, numbers });
    }
}

/// A line with its numbers replaced by `#`, in lower case, and the numbers. A lone roman numeral is a number.
fn shape_of(line: &str) -> (String, Vec<i64>) {
    if let Some(value) = roman(line.trim_matches(|c: char| matches!(c, ' ' | '-' | '–' | '.'))) {
        return ("#".to_owned(), vec![value]);
    }
    let mut shape = String::with_capacity(line.len());
    let mut numbers = Vec::new();
    let mut number: Option<i64> = None;
    for c in line.chars() {
        if let Some(digit) = c.to_digit(10) {
            // Too long to be a page number; the value then only has to be told from others.
            number = Some(number.unwrap_or(0).wrapping_mul(10).wrapping_add(i64::from(digit)));
            continue;
        }
        if let Some(done) = number.take() {
            numbers.push(done);
            shape.push('#');
        }
        shape.extend(c.to_lowercase());
    }
    if let Some(done) = number {
        numbers.push(done);
        shape.push('#');
    }
    (shape, numbers)
}

/// The members whose every number either is the same on most pages or counts the pages. A line of totals
/// at the foot of each page has the same shape everywhere too, and must stay.
fn members_that_count_on<'a>(
    members: &'a [EdgeLine],
    needed: usize,
    pages: &[PageLines],
) -> Vec<&'a EdgeLine> {
    let offset = |m: &EdgeLine, slot: usize| m.numbers[slot].wrapping_sub(i64::from(pages[m.page].number));
    let slots = members.first().map_or(0, |m| m.numbers.len());
    let usual: Vec<(Option<i64>, Option<i64>)> = (0..slots)
        .map(|slot| {
            (
                frequent(members.iter().map(|m| m.numbers[slot]), needed),
                frequent(members.iter().map(|m| offset(m, slot)), needed),
            )
        })
        .collect();
    let fits = |m: &EdgeLine| {
        usual.iter().enumerate().all(|(slot, (value, counting))| {
            *value == Some(m.numbers[slot]) || *counting == Some(offset(m, slot))
        })
    };
    members.iter().filter(|m| fits(m)).collect()
}

/// The most frequent value, if it occurs at least `needed` times; the smaller of two equals.
fn frequent(values: impl Iterator<Item = i64>, needed: usize) -> Option<i64> {
    let mut seen: HashMap<i64, usize> = HashMap::new();
    for value in values {
        *seen.entry(value).or_default() += 1;
    }
    let best = seen.into_iter().max_by_key(|&(value, times)| (times, std::cmp::Reverse(value)))?;
    (best.1 >= needed).then_some(best.0)
}

fn distinct_pages(members: &[&EdgeLine]) -> usize {
    let mut pages: Vec<usize> = members.iter().map(|m| m.page).collect();
    pages.dedup();
    pages.len()
}

/// Shapes that are page numbers when the numbers count: nothing but a number, or a number with its name.
fn is_page_number(shape: &str) -> bool {
    let bare: String =
        shape.chars().filter(|c| !matches!(c, ' ' | '-' | '–' | '—' | '.' | '|' | '[' | ']')).collect();
    bare == "#" || bare == "#/#" || names_itself(shape)
}

/// "Page # of #" and its kind, in a few languages.
fn names_itself(shape: &str) -> bool {
    const PAGE: [&str; 9] = ["page", "seite", "página", "pagina", "pág", "pag", "sida", "side", "strona"];
    const OF: [&str; 9] = ["of", "von", "de", "di", "sur", "van", "av", "af", "z"];
    let words: Vec<&str> =
        shape.split(|c: char| !(c.is_alphanumeric() || c == '#')).filter(|w| !w.is_empty()).collect();
    match words.as_slice() {
        [page, "#"] => PAGE.contains(page),
        [page, "#", of, "#"] => PAGE.contains(page) && OF.contains(of),
        [page, "#", "#"] => PAGE.contains(page) && shape.contains('/'),
        _ => false,
    }
}

/// The value of a lower- or upper-case roman numeral up to lxxxix: front matter is not longer than that.
fn roman(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 8 {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    if text != lower && text != text.to_ascii_uppercase() {
        return None;
    }
    let values: Vec<i64> = lower
        .bytes()
        .map(|b| match b {
            b'i' => Some(1),
            b'v' => Some(5),
            b'x' => Some(10),
            b'l' => Some(50),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let sum = (0..values.len())
        .map(|i| if values.get(i + 1) > Some(&values[i]) { -values[i] } else { values[i] })
        .sum();
    Some(sum)
}

fn to_count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pages: &[&[&str]]) -> (Vec<Vec<String>>, CleanCounts) {
        let mut counts = CleanCounts::default();
        let mut lines: Vec<PageLines> = (1..)
            .zip(pages)
            .map(|(number, blocks)| PageLines {
                number,
                blocks: blocks.iter().map(|b| b.split('\n').map(TextLine::from).collect()).collect(),
            })
            .collect();
        drop_running_lines(&mut lines, &mut counts);
        let text = |block: Vec<TextLine>| block.into_iter().map(|l| l.text).collect::<Vec<_>>().join("\n");
        (lines.into_iter().map(|p| p.blocks.into_iter().map(text).collect()).collect(), counts)
    }

    #[test]
    fn a_header_stays_once_and_numbers_go() {
        let (pages, counts) = run(&[
            &["ACME Ltd", "One", "a", "b", "Page 1 of 3"],
            &["ACME Ltd", "Two", "c", "d", "Page 2 of 3"],
            &["ACME Ltd", "Three", "e", "f", "Page 3 of 3"],
        ]);
        assert_eq!(pages[0], ["ACME Ltd", "One", "a", "b", ""]);
        assert_eq!(pages[2], ["", "Three", "e", "f", ""]);
        assert_eq!((counts.running_lines, counts.page_numbers), (2, 3));
    }

    #[test]
    fn lone_numbers_go_only_where_they_count_pages() {
        let (pages, _) = run(&[&["x", "y", "11"], &["z", "w", "12"]]);
        assert_eq!(pages[1], ["z", "w", ""]);
        let (pages, _) = run(&[&["x", "y", "11"], &["z", "w", "40"]]);
        assert_eq!(pages[1], ["z", "w", "40"]);
        let (pages, _) = run(&[&["p", "q", "iii"], &["r", "s", "- iv -"], &["t", "u", "v"]]);
        assert_eq!(pages[2], ["t", "u", ""]);
    }

    #[test]
    fn totals_of_the_same_shape_stay() {
        let (pages, counts) =
            run(&[&["a", "Total: 100 EUR"], &["b", "Total: 250 EUR"], &["c", "Total: 7 EUR"]]);
        assert_eq!(pages[1], ["b", "Total: 250 EUR"]);
        assert_eq!(counts, CleanCounts::default());
    }

    #[test]
    fn two_pages_prove_no_header() {
        let (pages, _) = run(&[&["ACME", "a"], &["ACME", "b"]]);
        assert_eq!(pages[1], ["ACME", "b"]);
    }

    #[test]
    fn a_header_inside_a_block_leaves_the_rest_of_it() {
        let body = |n, w| format!("CONFIDENTIAL {n}\n{w} one\ntwo {w}\nthree {w}\nfour {w}\n{w} five");
        let (a, b, c) = (body(1, "red"), body(2, "green"), body(3, "blue"));
        let (pages, _) = run(&[&[&a], &[&b], &[&c]]);
        assert!(pages[0][0].starts_with("CONFIDENTIAL 1\n"));
        assert_eq!(pages[1][0], "green one\ntwo green\nthree green\nfour green\ngreen five");
    }

    #[test]
    fn pages_that_are_alike_as_a_whole_stay() {
        let (pages, counts) =
            run(&[&["Form 7", "Name:", "1"], &["Form 7", "Name:", "2"], &["Form 7", "Name:", "3"]]);
        assert_eq!(pages[1], ["Form 7", "Name:", ""]);
        assert_eq!((counts.running_lines, counts.page_numbers), (0, 3));
    }

    #[test]
    fn roman_numerals() {
        assert_eq!((roman("xiv"), roman("IX"), roman("Mix"), roman("")), (Some(14), Some(9), None, None));
    }
}
