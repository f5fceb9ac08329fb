//! Formats that are text already: plain text, Markdown and HTML. Plain text and Markdown are read in process;
//! HTML can cost far more time than it has bytes, and is read by a child ([`crate::child`]).
//!
//! None of them has pages, and reports cite by page, so they are given some: a form feed begins a page; a
//! text without any is cut at block boundaries into pages of about [`PAGE_CHARS`] characters. The cuts depend
//! on nothing but the text, so citations stay valid when it is read again.

mod html;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use crate::document::{Block, Page, ReadError, Text, paragraphs};

/// A printed page holds about this many characters.
pub const PAGE_CHARS: usize = 3000;

/// Reads plain text: blocks are what blank lines separate.
///
/// # Errors
/// [`ReadError::Empty`]
pub fn plain_text(bytes: &[u8]) -> Result<Text, ReadError> {
    paged(&decode(bytes, None), "plain text")
}

/// Reads Markdown. It stays as it is written: headings and lists mean as much to a reader of text as they do
/// rendered.
///
/// # Errors
/// [`ReadError::Empty`]
pub fn markdown(bytes: &[u8]) -> Result<Text, ReadError> {
    paged(&decode(bytes, None), "markdown")
}

/// Reads HTML: what a reader would see, without scripts, styles and link targets.
///
/// # Errors
/// [`ReadError::Empty`], [`ReadError::Broken`]
pub fn html(bytes: &[u8]) -> Result<Text, ReadError> {
    let source = decode(bytes, declared_charset(bytes));
    paged(&html::visible_text(&source)?, html::NAME)
}

/// The byte order mark decides, then what is valid UTF-8, then what the document declares. What is left is
/// read as Windows-1252, of which Latin-1 is a part and which has a character for every byte.
fn decode(bytes: &[u8], declared: Option<&'static Encoding>) -> String {
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None if std::str::from_utf8(bytes).is_ok() => UTF_8,
        None => declared.unwrap_or(WINDOWS_1252),
    };
    encoding.decode(bytes).0.into_owned()
}

/// `<meta charset=…>` or its older form, in the first kibibyte as the standard asks.
fn declared_charset(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_lowercase();
    let (_, rest) = head.split_once("charset=")?;
    let label = rest.trim_start_matches(['"', '\'']);
    let end = label.find(['"', '\'', '>', ' ', ';', '/']).unwrap_or(label.len());
    Encoding::for_label(&label.as_bytes()[..end])
}

fn paged(text: &str, engine: &str) -> Result<Text, ReadError> {
    let mut sheets: Vec<Vec<Block>> = text.split('\u{c}').map(paragraphs).collect();
    if let [only] = sheets.as_mut_slice() {
        sheets = cut(std::mem::take(only));
    }
    // A form feed at the end ends the last page and begins none.
    while sheets.last().is_some_and(Vec::is_empty) {
        sheets.pop();
    }
    if sheets.iter().all(Vec::is_empty) {
        return Err(ReadError::Empty);
    }
    let pages =
        (1..).zip(sheets).map(|(number, blocks)| Page { number, blocks, ..Page::default() }).collect();
    Ok(Text { pages, engine: engine.to_owned(), ..Text::default() })
}

fn cut(blocks: Vec<Block>) -> Vec<Vec<Block>> {
    let mut pages = Vec::new();
    let mut page = Vec::new();
    let mut chars = 0;
    for block in blocks {
        let length = block.text.chars().count();
        if chars + length > PAGE_CHARS && !page.is_empty() {
            pages.push(std::mem::take(&mut page));
            chars = 0;
        }
        chars += length;
        page.push(block);
    }
    pages.push(page);
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &Text) -> Vec<Vec<&str>> {
        text.pages.iter().map(|page| page.blocks.iter().map(|block| block.text.as_str()).collect()).collect()
    }

    #[test]
    fn form_feeds_are_pages() {
        let text = plain_text(b"one\n\ntwo\x0c\x0cthree\x0c").expect("readable");
        assert_eq!(texts(&text), [vec!["one", "two"], vec![], vec!["three"]]);
        assert_eq!(text.pages[2].number, 3);
    }

    #[test]
    fn long_texts_are_cut_between_blocks() {
        let block = "word ".repeat(200);
        let text = markdown([block.as_str(); 7].join("\n\n").as_bytes()).expect("readable");
        assert_eq!(text.pages.iter().map(|page| page.blocks.len()).collect::<Vec<_>>(), [3, 3, 1]);
        let one = plain_text("x".repeat(10_000).as_bytes()).expect("readable");
        assert_eq!(one.pages.len(), 1, "a block is never cut");
    }

    #[test]
    fn encodings() {
        let says = |bytes: &[u8]| plain_text(bytes).expect("readable").pages[0].blocks[0].text.clone();
        assert_eq!(says("\u{feff}Größe".as_bytes()), "Größe");
        assert_eq!(says(b"\xff\xfeG\0r\0\xf6\0"), "Grö");
        assert_eq!(says(b"\xfe\xff\0G\0r\0\xf6"), "Grö");
        assert_eq!(says(b"Gr\xf6\xdfe \x80"), "Größe €");
    }

    #[test]
    fn nothing_is_empty() {
        for nothing in [&b""[..], b" \n\x0c\n", b"\xef\xbb\xbf"] {
            assert!(matches!(plain_text(nothing), Err(ReadError::Empty)));
        }
        assert!(matches!(html(b"<html><script>x</script></html>"), Err(ReadError::Empty)));
    }

    #[test]
    fn html_reads_as_it_looks() {
        let page = b"<html><head><title>T</title><style>p{}</style></head><body><h1>Head</h1><p>One <a href='x'>link</a>.</p>\
            <ul><li>a</li><li>b</li></ul><table><tr><td>k</td><td>v</td></tr></table><script>no()</script><hr><p>End</p>";
        let text = html(page).expect("readable");
        let all = texts(&text).concat().join("|");
        for part in ["Head", "One link.", "a", "b", "k", "v", "End"] {
            assert!(all.contains(part), "{part:?} in {all:?}");
        }
        for absent in ["no()", "p{}", "http", "href"] {
            assert!(!all.contains(absent), "{absent:?} in {all:?}");
        }
        assert!(all.len() < 200, "{all:?}");
        let latin = html(b"<meta charset=\"iso-8859-2\"><p>\xb3").expect("readable");
        assert_eq!(latin.pages[0].blocks[0].text, "ł");
    }
}
