//! Kinds of text, in any encoding.

use crate::MediaType;

/// Which byte of UTF-16 comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Utf16 {
    /// The lower one.
    Little,
    /// The higher one.
    Big,
}

impl Utf16 {
    /// The ASCII letters of the text: enough to see tags and headings in.
    pub(crate) fn as_ascii(self, bytes: &[u8]) -> Vec<u8> {
        let letter = |pair: &[u8]| match (self, pair) {
            (Self::Little, &[low, 0]) | (Self::Big, &[0, low]) => low,
            // Some other letter: not the end of a word or a line.
            _ => b'x',
        };
        let marked = bytes.starts_with(&[0xFE, 0xFF]) || bytes.starts_with(&[0xFF, 0xFE]);
        bytes[if marked { 2 } else { 0 }..].chunks_exact(2).map(letter).collect()
    }
}

pub(crate) fn utf16(bytes: &[u8]) -> Option<Utf16> {
    match bytes {
        // FF FE 00 00 would be UTF-32, which nobody stores documents in.
        [0xFF, 0xFE, 0, 0, ..] => None,
        [0xFF, 0xFE, ..] => Some(Utf16::Little),
        [0xFE, 0xFF, ..] => Some(Utf16::Big),
        _ => utf16_without_mark(bytes),
    }
}

/// Whether bytes without a byte order mark are UTF-16: one byte in two is nought, and always the same one. Holds for
/// text of which most is ASCII, spaces and line ends included: half of it is enough.
#[must_use]
pub fn utf16_without_mark(bytes: &[u8]) -> Option<Utf16> {
    let pairs = bytes.len() / 2;
    if pairs < 8 {
        return None;
    }
    let noughts = |odd: usize| bytes.iter().skip(odd).step_by(2).filter(|&&byte| byte == 0).count();
    let kind = match (noughts(0), noughts(1)) {
        (0, low) if low * 2 > pairs => Utf16::Little,
        (high, 0) if high * 2 > pairs => Utf16::Big,
        _ => return None,
    };
    let ascii = kind.as_ascii(bytes);
    (looks_like_text(&ascii)).then_some(kind)
}

/// UTF-8, or an eight-bit encoding: no NUL and hardly any control characters.
pub(crate) fn looks_like_text(bytes: &[u8]) -> bool {
    let control = bytes
        .iter()
        .filter(|&&b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0C | 0x08 | 0x1B))
        .count();
    !bytes.contains(&0) && control * 100 <= bytes.len()
}

pub(crate) fn by_name(name: Option<&str>) -> Option<MediaType> {
    let (_, extension) = name?.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "pdf" => Some(MediaType::Pdf),
        "html" | "htm" | "xhtml" => Some(MediaType::Html),
        "md" | "markdown" | "mkd" => Some(MediaType::Markdown),
        "csv" | "tsv" => Some(MediaType::Csv),
        "txt" | "text" | "log" => Some(MediaType::PlainText),
        _ => None,
    }
}

pub(crate) fn kind(text: &str, name: Option<&str>) -> MediaType {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let lower: String = start.chars().take(1024).collect::<String>().to_ascii_lowercase();
    if is_mail(text.as_bytes()) {
        return MediaType::Eml;
    }
    if is_html(&lower) {
        return MediaType::Html;
    }
    if lower.starts_with("<?xml") || lower.starts_with("<svg") {
        return MediaType::Unsupported("text/xml".to_owned());
    }
    match by_name(name) {
        // Content has just shown that it is no PDF.
        Some(MediaType::Pdf) | None if looks_like_markdown(text) => MediaType::Markdown,
        Some(MediaType::Pdf) | None if looks_like_table(text) => MediaType::Csv,
        Some(MediaType::Pdf) | None => MediaType::PlainText,
        Some(named) => named,
    }
}

/// The head of an e-mail: nothing but fields up to the first empty line, with a sender and one more that programs
/// write and people do not.
pub(crate) fn is_mail(bytes: &[u8]) -> bool {
    let (mut from, mut machine) = (false, false);
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(crate::SNIFF_BYTES)]);
    for (number, line) in head.trim_start_matches('\u{feff}').lines().enumerate() {
        if line.is_empty() {
            break;
        }
        if number > 0 && line.starts_with([' ', '\t']) {
            continue;
        }
        let Some((field, _)) = line.split_once(':') else {
            // The sniffed bytes may end within a line.
            return from && machine;
        };
        if field.is_empty() || !field.bytes().all(|byte| byte.is_ascii_graphic()) {
            return false;
        }
        match field.to_ascii_lowercase().as_str() {
            "from" | "sender" => from = true,
            "message-id" | "mime-version" | "received" | "return-path" | "delivered-to" | "date" => {
                machine = true;
            }
            _ => {}
        }
    }
    from && machine
}

fn is_html(lower: &str) -> bool {
    // Comments and an XML declaration may stand before the first tag.
    let mut rest = lower;
    loop {
        rest = rest.trim_start();
        let end = if rest.starts_with("<!--") {
            "-->"
        } else if rest.starts_with("<?xml") {
            "?>"
        } else {
            break;
        };
        match rest.find(end) {
            Some(at) => rest = &rest[at + end.len()..],
            None => return false,
        }
    }
    const TAGS: [&str; 12] =
        ["html", "head", "body", "title", "meta", "script", "style", "table", "div", "h1", "p", "a"];
    rest.starts_with("<!doctype html")
        || TAGS.iter().any(|tag| {
            rest.strip_prefix('<')
                .and_then(|r| r.strip_prefix(tag))
                .is_some_and(|r| r.starts_with(['>', ' ', '\n', '\r', '\t', '/']))
        })
}

/// Two different signs of Markdown, so that a numbered paragraph or a lone dash stays plain text.
fn looks_like_markdown(text: &str) -> bool {
    let lines = || text.lines().take(400);
    let heading = lines().any(|l| {
        l.trim_start_matches('#').starts_with(' ')
            && (1..=6).contains(&(l.len() - l.trim_start_matches('#').len()))
    });
    let list =
        lines().filter(|l| l.trim_start().starts_with("- ") || l.trim_start().starts_with("* ")).count() > 1;
    let fence = lines().any(|l| l.starts_with("```"));
    let link = text.contains("](");
    let strong = text.matches("**").count() >= 2;
    usize::from(heading) + usize::from(list) + usize::from(fence) + usize::from(link) + usize::from(strong)
        >= 2
}

/// Rows of equally many cells, often enough that no prose does the same by chance.
fn looks_like_table(text: &str) -> bool {
    // What was sniffed may end within a row.
    let end = text.rfind('\n').map_or(text.len(), |at| at + 1);
    b",;\t".iter().any(|&separator| {
        let mut separators = Vec::new();
        let (mut count, mut quoted, mut blank) = (0, false, true);
        for &byte in text.as_bytes()[..end].iter().chain(b"\n") {
            match byte {
                b'"' => quoted = !quoted,
                b'\n' if !quoted => {
                    if !blank {
                        separators.push(count);
                    }
                    (count, blank) = (0, true);
                    continue;
                }
                _ if byte == separator && !quoted => count += 1,
                _ => {}
            }
            blank = blank && byte.is_ascii_whitespace() && byte != separator;
        }
        let same = separators.iter().all(|count| Some(count) == separators.first());
        let rows = separators.len();
        same && separators.first().is_some_and(|&count| match count {
            0 => false,
            1 => rows >= 8,
            _ => rows >= 3,
        })
    })
}
