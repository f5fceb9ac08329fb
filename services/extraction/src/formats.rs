//! Every format but PDF. Plain text, Markdown and tables of values are read in process while they are short; the others
//! can cost far more time or memory than they have bytes, or are read by engines that may panic: a child reads them
//! ([`crate::child`]).
//!
//! Most of them have no pages, and reports cite by page, so they are given some: a form feed begins a page; a
//! text without any is cut at block boundaries into pages of about [`PAGE_CHARS`] characters. The cuts depend
//! on nothing but the text, so citations stay valid when it is read again.

mod archive;
mod encoding;
mod html;
pub(crate) mod image;
mod mail;
mod office;
mod outlook;
mod table;

use millrace_media::MediaType;

use crate::document::{Block, Page, ReadError, Text, paragraphs};
use encoding::{declared_charset, decode};
pub use table::csv;

/// A printed page holds about this many characters.
pub const PAGE_CHARS: usize = 3000;

/// A block of a table's rows is no longer than this, bytes, unless a single row is: evidence points at blocks.
const TABLE_CHARS: usize = 1500;

/// A document inside another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inside {
    /// As it is called there.
    pub name: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Reads a document that cannot hurt.
pub type InProcess = fn(&[u8]) -> Result<Text, ReadError>;

/// How a document of this type is read, if that cannot hurt.
#[must_use]
pub fn in_process(media: &MediaType) -> Option<InProcess> {
    match media {
        MediaType::Csv => Some(csv),
        MediaType::PlainText => Some(plain_text),
        MediaType::Markdown => Some(markdown),
        _ => None,
    }
}

/// Reads a document in a child: its text, and what is inside it.
///
/// # Errors
/// [`ReadError::Unsupported`] for what is not such a type; what the format's reader says; what `found` answers.
pub fn in_child(
    media: &MediaType,
    bytes: &[u8],
    password: Option<&str>,
    found: &mut dyn FnMut(Inside) -> Result<(), ReadError>,
) -> Result<Text, ReadError> {
    if let Some(read) = in_process(media) {
        return read(bytes);
    }
    match media {
        MediaType::Html => html(bytes),
        MediaType::Eml => mail::mail(bytes, found),
        MediaType::Msg => outlook::outlook(bytes, found),
        MediaType::Zip => {
            archive::archive(bytes, password, found)?;
            // It has no text of its own.
            Ok(Text { engine: archive::NAME.to_owned(), ..Text::default() })
        }
        media if media.is_image() => image::pages(bytes),
        media => office::office(bytes, media),
    }
}

/// Whether [`in_child`] reads it.
#[must_use]
pub fn is_read(media: &MediaType) -> bool {
    in_process(media).is_some()
        || matches!(media, MediaType::Html)
        || media.holds_documents()
        || media.is_image()
        || office::format(media).is_some()
}

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
    Ok(of_pages(sheets, engine))
}

fn of_pages(pages: Vec<Vec<Block>>, engine: &str) -> Text {
    let pages = (1..).zip(pages).map(|(number, blocks)| Page { number, blocks, ..Page::default() });
    Text { pages: pages.collect(), engine: engine.to_owned(), ..Text::default() }
}

/// Blocks of a format without pages, on pages.
fn pages_of(blocks: Vec<Block>, engine: &str) -> Result<Text, ReadError> {
    if blocks.is_empty() {
        return Err(ReadError::Empty);
    }
    Ok(of_pages(cut(blocks), engine))
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
