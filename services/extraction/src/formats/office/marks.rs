//! Marks where pages begin, written into the parts of a package: what reads it keeps text and drops page breaks.

use std::collections::HashSet;

use anydoc::Format;
use quick_xml::events::{BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};

/// Stands where a page begins because the document says so. Unicode promises that these two are no characters.
pub(super) const BREAK: char = '\u{FDD0}';
/// Stands where a page began when the program that wrote the document last showed it: counts only where something
/// stands between it and the mark before, because programs write it behind breaks as well.
pub(super) const SHOWN: char = '\u{FDD1}';

/// Which marks a format takes, and in which parts.
#[derive(Clone, Copy)]
pub(super) struct Marks {
    /// The parts.
    within: fn(&str) -> bool,
    /// What is to be written before and after an event.
    around: fn(&mut Open, &Event<'_>) -> Around,
}

/// Raw XML around an event.
#[derive(Default)]
struct Around {
    before: String,
    after: String,
}

/// What is known at a place in a part.
#[derive(Default)]
struct Open {
    /// Paragraphs that are open, one within the other.
    paragraphs: usize,
    /// The style that is being described.
    style: Option<String>,
    /// Styles whose paragraphs begin a page.
    breaking: HashSet<String>,
    /// The paragraph whose properties have been read begins a page.
    begins: bool,
    /// Shape trees that are open, one within the other.
    trees: usize,
}

pub(super) fn of(format: Format) -> Marks {
    match format {
        Format::Docx => Marks { within: |name| name.starts_with("word/"), around: word },
        Format::Pptx => Marks { within: |name| name.starts_with("ppt/slides/slide"), around: slide },
        Format::Odt => Marks { within: |name| name == "content.xml" || name == "styles.xml", around: text },
        Format::Odp => Marks { within: |name| name == "content.xml", around: page },
        _ => Marks { within: |_| false, around: |_, _| Around::default() },
    }
}

impl Marks {
    /// The part with its marks; as it was if it is none that has some, or is not XML.
    pub(super) fn write(self, name: &str, content: Vec<u8>) -> Vec<u8> {
        if !(self.within)(name) {
            return content;
        }
        self.marked(&content).unwrap_or(content)
    }

    fn marked(self, content: &[u8]) -> Option<Vec<u8>> {
        let mut reader = Reader::from_reader(content);
        reader.config_mut().check_end_names = false;
        let mut writer = Writer::new(Vec::with_capacity(content.len()));
        let mut open = Open::default();
        loop {
            let event = reader.read_event().ok()?;
            if event == Event::Eof {
                return Some(writer.into_inner());
            }
            let around = (self.around)(&mut open, &event);
            for (raw, event) in [(around.before, Some(event)), (around.after, None)] {
                if !raw.is_empty() {
                    writer.write_event(Event::Text(BytesText::from_escaped(raw))).ok()?;
                }
                if let Some(event) = event {
                    writer.write_event(event).ok()?;
                }
            }
        }
    }
}

/// An element's prefix with its colon, and its local name.
fn name<'a>(element: &'a BytesStart<'_>) -> (&'a str, &'a str) {
    let whole = std::str::from_utf8(element.name().0).unwrap_or_default();
    whole.split_at(whole.find(':').map_or(0, |at| at + 1))
}

/// An attribute by its local name.
fn attribute(element: &BytesStart<'_>, local: &str) -> Option<String> {
    let found =
        element.attributes().flatten().find(|found| found.key.local_name().as_ref() == local.as_bytes())?;
    Some(String::from_utf8_lossy(&found.value).into_owned())
}

fn started<'a>(event: &'a Event<'_>) -> Option<&'a BytesStart<'a>> {
    match event {
        Event::Start(element) | Event::Empty(element) => Some(element),
        _ => None,
    }
}

fn word(open: &mut Open, event: &Event<'_>) -> Around {
    let mut around = Around::default();
    if let Some(element) = started(event) {
        let (prefix, local) = name(element);
        let mark = |mark| format!("<{prefix}t>{mark}</{prefix}t>");
        match local {
            "br" if attribute(element, "type").as_deref() == Some("page") => around.before = mark(BREAK),
            "lastRenderedPageBreak" => around.before = mark(SHOWN),
            "pageBreakBefore" => {
                let value = attribute(element, "val");
                open.begins = !matches!(value.as_deref(), Some("0" | "false" | "off"));
            }
            _ => {}
        }
    }
    if let Event::End(element) = event
        && element.local_name().as_ref() == b"pPr"
        && std::mem::take(&mut open.begins)
    {
        let whole = element.name();
        let prefix = std::str::from_utf8(&whole.0[..whole.0.len() - 3]).unwrap_or_default();
        around.after = format!("<{prefix}r><{prefix}t>{BREAK}</{prefix}t></{prefix}r>");
    }
    around
}

fn slide(open: &mut Open, event: &Event<'_>) -> Around {
    let mut around = Around::default();
    match event {
        Event::Start(element) if name(element).1 == "spTree" => {
            open.trees += 1;
            if open.trees == 1 {
                let p = name(element).0;
                around.after = format!(
                    "<{p}sp><{p}nvSpPr><{p}cNvPr id=\"0\" name=\"\"/></{p}nvSpPr><{p}txBody>\
                     <a:p xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\">\
                     <a:r><a:t>{BREAK}</a:t></a:r></a:p></{p}txBody></{p}sp>"
                );
            }
        }
        _ => {}
    }
    around
}

const PARAGRAPH: &str = "xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"";

fn text(open: &mut Open, event: &Event<'_>) -> Around {
    let mut around = Around::default();
    if let Some(element) = started(event) {
        let (_, local) = name(element);
        let is_start = matches!(event, Event::Start(_));
        match local {
            "style" => {
                open.style = attribute(element, "name");
                // Another kind of page begins with it, and so a page.
                let page = attribute(element, "master-page-name").is_some_and(|name| !name.is_empty());
                open.breaking.extend(open.style.clone().filter(|_| page));
            }
            "paragraph-properties" if attribute(element, "break-before").as_deref() == Some("page") => {
                open.breaking.extend(open.style.clone());
            }
            "soft-page-break" if open.paragraphs > 0 => {
                around.before = format!("<text:span {PARAGRAPH}>{SHOWN}</text:span>");
            }
            "soft-page-break" => around.before = format!("<text:p {PARAGRAPH}>{SHOWN}</text:p>"),
            "p" | "h" if is_start => {
                open.paragraphs += 1;
                if attribute(element, "style-name").is_some_and(|style| open.breaking.contains(&style)) {
                    around.after = format!("<text:span {PARAGRAPH}>{BREAK}</text:span>");
                }
            }
            _ => {}
        }
    }
    if let Event::End(element) = event
        && matches!(element.local_name().as_ref(), b"p" | b"h")
    {
        open.paragraphs = open.paragraphs.saturating_sub(1);
    }
    around
}

fn page(_: &mut Open, event: &Event<'_>) -> Around {
    let mut around = Around::default();
    if let Event::Start(element) = event
        && name(element) == ("draw:", "page")
    {
        around.after = format!(
            "<draw:frame xmlns:presentation=\"urn:oasis:names:tc:opendocument:xmlns:presentation:1.0\" \
             presentation:class=\"title\"><draw:text-box><text:p {PARAGRAPH}>{BREAK}</text:p></draw:text-box></draw:frame>"
        );
    }
    around
}
