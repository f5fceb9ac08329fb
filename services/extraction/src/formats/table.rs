//! Comma-separated values, whatever separates them.

use super::{TABLE_CHARS, encoding, pages_of};
use crate::document::{ReadError, Text, push_block};

/// The engine's name and version.
const NAME: &str = "csv 1.4.0";

/// Rows that are looked at for what separates values.
const ROWS: usize = 20;

/// Reads rows of values: one line a row, cells side by side.
///
/// # Errors
/// [`ReadError::Empty`]
pub fn csv(bytes: &[u8]) -> Result<Text, ReadError> {
    let text = encoding::decode(bytes, None);
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(text))
        .has_headers(false)
        // Rows that are longer or shorter than the first are rows all the same.
        .flexible(true)
        .from_reader(text.as_bytes());
    let (mut blocks, mut block) = (Vec::new(), String::new());
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|_| ReadError::Broken(NAME.to_owned()))? {
        let cell = |cell: &str| cell.split_whitespace().collect::<Vec<_>>().join(" ");
        let cells: Vec<String> = record.iter().map(cell).collect();
        let filled = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
        if filled == 0 {
            continue;
        }
        let row = cells[..filled].join(" | ");
        if !block.is_empty() && block.len() + row.len() >= TABLE_CHARS {
            push_block(&mut blocks, &std::mem::take(&mut block));
        }
        if !block.is_empty() {
            block.push('\n');
        }
        block.push_str(row.trim());
    }
    push_block(&mut blocks, &block);
    pages_of(blocks, NAME)
}

/// What stands most often outside of quotes in each of the first rows, or else in the first one.
fn separator(text: &str) -> u8 {
    // Of equals the last one: the comma is what decimals and prose have, too.
    const SEPARATORS: [u8; 4] = *b",|;\t";
    let mut rows = vec![[0usize; 4]];
    let mut quoted = false;
    for byte in text.trim_start().bytes() {
        quoted ^= byte == b'"';
        if quoted {
            continue;
        }
        if byte == b'\n' {
            if rows.len() == ROWS {
                break;
            }
            rows.push([0; 4]);
        }
        let counts = rows.len() - 1;
        if let Some(at) = SEPARATORS.iter().position(|&separator| separator == byte) {
            rows[counts][at] += 1;
        }
    }
    // Behind the last line end there may be nothing.
    rows.pop_if(|last| *last == [0; 4]);
    let count = |at: &usize| (rows.iter().map(|row| row[*at]).min(), rows.first().map(|row| row[*at]));
    (0..4).max_by_key(count).map_or(b',', |at| SEPARATORS[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(bytes: &[u8]) -> Vec<String> {
        let text = csv(bytes).expect("readable");
        text.pages
            .iter()
            .flat_map(|page| &page.blocks)
            .flat_map(|block| block.text.lines())
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn cells_stand_side_by_side_whatever_separates_them() {
        assert_eq!(
            rows(b"item,sum\n\"Fee, monthly\",\"1,5\"\nTax\n"),
            ["item | sum", "Fee, monthly | 1,5", "Tax"]
        );
        assert_eq!(rows(b"item;sum\r\nGeb\xfchr;1,5\r\n;;\r\n"), ["item | sum", "Gebühr | 1,5"]);
        assert_eq!(rows(b"a\tb, c\n1\t\"two\nlines\"\n"), ["a | b, c", "1 | two lines"]);
        assert_eq!(rows(b"\xef\xbb\xbfa,b,\n1,,3\n"), ["a | b", "1 |  | 3"]);
        assert!(matches!(csv(b",,\n , \n"), Err(ReadError::Empty)));
    }

    #[test]
    fn long_tables_are_several_blocks() {
        let table: String = (0..1000).map(|row| format!("{row},some words of the row\n")).collect();
        let text = csv(table.as_bytes()).expect("readable");
        assert!(text.pages.len() > 1);
        let blocks: Vec<_> = text.pages.iter().flat_map(|page| &page.blocks).collect();
        assert!(blocks.iter().all(|block| block.text.len() <= TABLE_CHARS));
        assert_eq!(blocks.iter().map(|block| block.text.lines().count()).sum::<usize>(), 1000);
    }
}
