//! What a document is, by its content. Names and declared types are claims of the sender; they only break
//! ties between kinds of text, which no content can tell apart for certain.

/// What reads a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `application/pdf`
    Pdf,
    /// `text/html`
    Html,
    /// `text/markdown`
    Markdown,
    /// `text/plain`
    PlainText,
    /// Nothing here reads it. Holds the type its content shows, `application/octet-stream` if none.
    Unsupported(String),
}

impl MediaType {
    /// The type's registered name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Html => "text/html",
            Self::Markdown => "text/markdown",
            Self::PlainText => "text/plain",
            Self::Unsupported(name) => name,
        }
    }
}

impl std::fmt::Display for MediaType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl From<&str> for MediaType {
    /// The type of that registered name, as intake has written it down.
    fn from(name: &str) -> Self {
        let known = [Self::Pdf, Self::Html, Self::Markdown, Self::PlainText];
        known
            .into_iter()
            .find(|media| media.name() == name)
            .unwrap_or_else(|| Self::Unsupported(name.to_owned()))
    }
}

/// How many leading bytes [`media_type`] wants to see; it makes do with fewer.
pub const SNIFF_BYTES: usize = 8192;

/// How far into a file its PDF header may stand. Readers have always searched the first kibibyte.
pub const PDF_HEADER_WITHIN: usize = 1024;

/// The position of the PDF header, if the first kibibyte has one.
#[must_use]
pub fn pdf_header(bytes: &[u8]) -> Option<usize> {
    let window = &bytes[..bytes.len().min(PDF_HEADER_WITHIN + 5)];
    window.windows(5).position(|at| at == b"%PDF-")
}

/// Tells what a document is from its first bytes (8 KiB are plenty). `name` is the file's name, if it has
/// one.
#[must_use]
pub fn media_type(first_bytes: &[u8], name: Option<&str>) -> MediaType {
    if pdf_header(first_bytes).is_some() {
        return MediaType::Pdf;
    }
    if has_utf16_mark(first_bytes) {
        return text_kind(&String::from_utf8_lossy(&utf16_as_ascii(first_bytes)), name);
    }
    // `infer` also knows HTML and XML by their first tag: text is for us to tell apart, so only binary kinds
    // count.
    if let Some(kind) = infer::get(first_bytes)
        && kind.matcher_type() != infer::MatcherType::Text
    {
        return MediaType::Unsupported(kind.mime_type().to_owned());
    }
    if first_bytes.is_empty() {
        // Nothing to go by: let the reader for what the name promises say that it is empty.
        return by_name(name).unwrap_or(MediaType::PlainText);
    }
    if !looks_like_text(first_bytes) {
        return MediaType::Unsupported("application/octet-stream".to_owned());
    }
    text_kind(&String::from_utf8_lossy(first_bytes), name)
}

fn has_utf16_mark(bytes: &[u8]) -> bool {
    // FF FE 00 00 would be UTF-32, which nobody stores documents in.
    bytes.starts_with(&[0xFE, 0xFF])
        || (bytes.starts_with(&[0xFF, 0xFE]) && !bytes.starts_with(&[0xFF, 0xFE, 0, 0]))
}

/// The ASCII letters of UTF-16 text: enough to see tags and headings in.
fn utf16_as_ascii(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().skip(2).copied().filter(|&b| b != 0).collect()
}

/// UTF-8, or an eight-bit encoding: no NUL and hardly any control characters.
fn looks_like_text(bytes: &[u8]) -> bool {
    let control = bytes
        .iter()
        .filter(|&&b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0C | 0x08 | 0x1B))
        .count();
    !bytes.contains(&0) && control * 100 <= bytes.len()
}

fn by_name(name: Option<&str>) -> Option<MediaType> {
    let (_, extension) = name?.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "pdf" => Some(MediaType::Pdf),
        "html" | "htm" | "xhtml" => Some(MediaType::Html),
        "md" | "markdown" | "mkd" => Some(MediaType::Markdown),
        "txt" | "text" | "log" => Some(MediaType::PlainText),
        _ => None,
    }
}

fn text_kind(text: &str, name: Option<&str>) -> MediaType {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let lower: String = start.chars().take(1024).collect::<String>().to_ascii_lowercase();
    if is_html(&lower) {
        return MediaType::Html;
    }
    if lower.starts_with("<?xml") || lower.starts_with("<svg") {
        return MediaType::Unsupported("text/xml".to_owned());
    }
    match by_name(name) {
        // Content has just shown that it is no PDF.
        Some(MediaType::Pdf) | None if looks_like_markdown(text) => MediaType::Markdown,
        Some(MediaType::Pdf) | None => MediaType::PlainText,
        Some(named) => named,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pdf_is_found_behind_junk_and_under_any_name() {
        assert_eq!(media_type(b"%PDF-1.7\n", Some("a.txt")), MediaType::Pdf);
        let mut junk = vec![b'x'; 1000];
        junk.extend_from_slice(b"%PDF-1.4");
        assert_eq!(media_type(&junk, None), MediaType::Pdf);
        let mut far = vec![b'x'; 1100];
        far.extend_from_slice(b"%PDF-1.4");
        assert_eq!(media_type(&far, None), MediaType::PlainText);
    }

    #[test]
    fn names_do_not_overrule_content() {
        assert_eq!(media_type(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Some("a.pdf")).name(), "image/png");
        assert_eq!(media_type(b"PK\x03\x04rest", Some("a.txt")).name(), "application/zip");
        assert_eq!(media_type(b"<!DOCTYPE html><p>hi", Some("a.pdf")), MediaType::Html);
        assert_eq!(media_type(b"just words", Some("a.pdf")), MediaType::PlainText);
        assert_eq!(media_type(b"\0\x01\x02\x03rest", None).name(), "application/octet-stream");
    }

    #[test]
    fn kinds_of_text() {
        assert_eq!(media_type(b"", Some("a.pdf")), MediaType::Pdf);
        assert_eq!(media_type(b"", None), MediaType::PlainText);
        assert_eq!(media_type(b"<!-- c -->\n<html lang=en>", None), MediaType::Html);
        assert_eq!(media_type(b"<?xml version='1.0'?><html>", None), MediaType::Html);
        assert_eq!(media_type(b"<?xml version='1.0'?><feed>", None).name(), "text/xml");
        assert_eq!(media_type(b"{\\rtf1\\ansi", None).name(), "application/rtf");
        assert_eq!(media_type(b"<aside> is a word", None), MediaType::PlainText);
        assert_eq!(media_type(b"# Title\n\n- one\n- two\n", None), MediaType::Markdown);
        assert_eq!(media_type(b"# only a comment\n", None), MediaType::PlainText);
        assert_eq!(media_type(b"# only a comment\n", Some("x.MD")), MediaType::Markdown);
        assert_eq!(media_type(b"\xff\xfeh\0i\0", None), MediaType::PlainText);
        assert_eq!(media_type("caf\u{e9}".as_bytes(), None), MediaType::PlainText);
        assert_eq!(media_type(b"caf\xe9 Latin-1", None), MediaType::PlainText);
    }
}
