//! E-mail as Outlook saves it: a compound file with a stream for each property of a message.

use std::io::{Cursor, Read as _};

use cfb::CompoundFile;
use encoding_rs::UTF_16LE;
use mail_parser::DateTime;

use super::{Inside, encoding, html, mail, pages_of};
use crate::document::{Block, Limit, ReadError, Text, paragraphs, push_block};

/// The engine's name and version.
const NAME: &str = "cfb 0.14.0";

/// Messages within messages that are read.
const DEEP: usize = 8;

/// Properties of a message, by their number in MS-OXPROPS.
const SUBJECT: u16 = 0x0037;
const SENDER: u16 = 0x0C1A;
const SENDER_ADDRESS: u16 = 0x5D01;
const TO: u16 = 0x0E04;
const CC: u16 = 0x0E03;
const BODY: u16 = 0x1000;
const HTML: u16 = 0x1013;
const SENT: u16 = 0x0039;
const DELIVERED: u16 = 0x0E06;
const DATA: u16 = 0x3701;
const LONG_NAME: u16 = 0x3707;
const NAME_8_3: u16 = 0x3704;
const CONTENT_ID: u16 = 0x3712;

type File<'a> = CompoundFile<Cursor<&'a [u8]>>;

/// Reads a message: who wrote to whom and when, then the text, then the names of what is attached, which goes to
/// `found` in the same order. Messages within it are text of it.
///
/// # Errors
/// [`ReadError::Broken`], [`ReadError::Empty`], [`ReadError::LimitExceeded`], and what `found` answers.
pub fn outlook(
    bytes: &[u8],
    found: &mut dyn FnMut(Inside) -> Result<(), ReadError>,
) -> Result<Text, ReadError> {
    let mut file = CompoundFile::open(Cursor::new(bytes)).map_err(|_| ReadError::Broken(NAME.to_owned()))?;
    let mut blocks = Vec::new();
    message(&mut file, "", 0, &mut blocks, found)?;
    pages_of(blocks, NAME)
}

fn message(
    file: &mut File<'_>,
    at: &str,
    depth: usize,
    blocks: &mut Vec<Block>,
    found: &mut dyn FnMut(Inside) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    if depth > DEEP {
        return Err(ReadError::LimitExceeded(Limit::Attachments));
    }
    push_block(blocks, &head(file, at, depth));
    match text(file, at, BODY).filter(|body| !body.trim().is_empty()) {
        Some(body) => blocks.extend(paragraphs(&body)),
        None => {
            if let Some(source) = stream(file, at, HTML, "0102") {
                let source = encoding::decode(&source, encoding::declared_charset(&source));
                blocks.extend(paragraphs(&html::visible_text(&source)?));
            }
        }
    }
    let mut names = Vec::new();
    for (number, place) in attachments(file, at).into_iter().enumerate() {
        let inner = format!("{place}/__substg1.0_{DATA:04X}000D");
        if file.is_storage(&inner) {
            message(file, &inner, depth + 1, blocks, found)?;
            continue;
        }
        let name = text(file, &place, LONG_NAME).or_else(|| text(file, &place, NAME_8_3));
        let name = name.unwrap_or_else(|| format!("attachment-{}", number + 1));
        let shown = text(file, &place, CONTENT_ID).is_some_and(|id| !id.is_empty()) && is_picture(&name);
        if let Some(content) = stream(file, &place, DATA, "0102").filter(|_| !shown) {
            names.push(name.clone());
            found(Inside { name, content })?;
        }
    }
    push_block(blocks, &mail::listed(&names));
    Ok(())
}

/// Where the attachments of a message are, in order.
fn attachments(file: &File<'_>, at: &str) -> Vec<String> {
    let Ok(entries) = file.read_storage(if at.is_empty() { "/" } else { at }) else { return Vec::new() };
    let names = entries.map(|entry| entry.name().to_owned());
    let mut found: Vec<String> = names.filter(|name| name.starts_with("__attach_version1.0_#")).collect();
    found.sort_unstable();
    found.into_iter().map(|name| format!("{at}/{name}")).collect()
}

fn head(file: &mut File<'_>, at: &str, depth: usize) -> String {
    let property = |file: &mut File<'_>, id| text(file, at, id).unwrap_or_default().trim().to_owned();
    let (name, address) = (property(file, SENDER), property(file, SENDER_ADDRESS));
    let from = match (name.as_str(), address.as_str()) {
        (name, "") => name.to_owned(),
        (name, address) if name.is_empty() || name == address => address.to_owned(),
        (name, address) => format!("{name} <{address}>"),
    };
    // Behind a header whose length depends on what the properties are of.
    let header = if depth == 0 { 32 } else { 24 };
    let date = [SENT, DELIVERED].into_iter().find_map(|id| time(file, at, header, id)).unwrap_or_default();
    let lines = [
        ("From", from),
        ("To", property(file, TO)),
        ("Cc", property(file, CC)),
        ("Date", date),
        ("Subject", property(file, SUBJECT)),
    ];
    let said = lines.iter().filter(|(_, value)| !value.is_empty());
    said.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
}

/// A property that is a stream, of this type.
fn stream(file: &mut File<'_>, at: &str, id: u16, kind: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.open_stream(format!("{at}/__substg1.0_{id:04X}{kind}")).ok()?.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// A property that is text: UTF-16, or of the sender's code page.
fn text(file: &mut File<'_>, at: &str, id: u16) -> Option<String> {
    let wide =
        stream(file, at, id, "001F").map(|bytes| UTF_16LE.decode_without_bom_handling(&bytes).0.into_owned());
    let text = wide.or_else(|| stream(file, at, id, "001E").map(|bytes| encoding::decode(&bytes, None)))?;
    Some(text.trim_end_matches('\0').to_owned())
}

/// A property that is a time: it stands in the stream of all that have a fixed size.
fn time(file: &mut File<'_>, at: &str, header: usize, id: u16) -> Option<String> {
    let mut bytes = Vec::new();
    file.open_stream(format!("{at}/__properties_version1.0")).ok()?.read_to_end(&mut bytes).ok()?;
    let entry = bytes
        .get(header..)?
        .chunks_exact(16)
        .find(|entry| entry[..2] == 0x0040u16.to_le_bytes() && entry[2..4] == id.to_le_bytes())?;
    // Tenths of a microsecond since 1601.
    let ticks = u64::from_le_bytes(entry[8..].try_into().ok()?);
    let seconds = i64::try_from(ticks / 10_000_000).ok()?.checked_sub(11_644_473_600)?;
    (seconds > 0).then(|| DateTime::from_timestamp(seconds).to_rfc822())
}

fn is_picture(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    [".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".svg"].iter().any(|end| lower.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn a_saved_message_has_its_head_its_text_and_what_is_attached() {
        let mut file = CompoundFile::create(Cursor::new(Vec::new())).expect("memory");
        let mut put = |path: &str, bytes: &[u8]| {
            if let Some((storage, _)) = path.rsplit_once('/').filter(|(storage, _)| !storage.is_empty()) {
                file.create_storage_all(storage).expect("memory");
            }
            file.create_stream(path).expect("memory").write_all(bytes).expect("memory");
        };
        let mut properties = vec![0; 32];
        properties.extend([0x40, 0, 0x39, 0, 6, 0, 0, 0]);
        properties.extend((11_644_473_600u64 * 10_000_000 + 1_772_701_200 * 10_000_000).to_le_bytes());
        put("/__properties_version1.0", &properties);
        put("/__substg1.0_0037001F", &wide("Der Vertrag"));
        put("/__substg1.0_0C1A001E", b"J\xfcrgen M\xfcller, Z\xfcrich");
        put("/__substg1.0_5D01001F", &wide("j@example.com"));
        put("/__substg1.0_10130102", b"<p>See <b>below</b>.</p>");
        put("/__attach_version1.0_#00000000/__substg1.0_3707001F", &wide("c.pdf"));
        put("/__attach_version1.0_#00000000/__substg1.0_37010102", b"%PDF-1.7");
        put("/__attach_version1.0_#00000001/__substg1.0_3701000D/__substg1.0_0037001F", &wide("Earlier"));
        put("/__attach_version1.0_#00000001/__substg1.0_3701000D/__substg1.0_1000001F", &wide("Hello"));
        put("/__attach_version1.0_#00000002/__substg1.0_3712001F", &wide("logo"));
        put("/__attach_version1.0_#00000002/__substg1.0_3707001F", &wide("logo.png"));
        put("/__attach_version1.0_#00000002/__substg1.0_37010102", b"PNG");
        let bytes = file.into_inner().into_inner();
        let mut inside = Vec::new();
        let text = outlook(&bytes, &mut |one| {
            inside.push((one.name, one.content));
            Ok(())
        });
        let text = text.expect("readable");
        let blocks: Vec<&str> = text.pages[0].blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(
            blocks,
            [
                "From: Jürgen Müller, Zürich <j@example.com>\nDate: Thu, 5 Mar 2026 09:00:00 +0000\nSubject: Der Vertrag",
                "See below.",
                "Subject: Earlier",
                "Hello",
                "Attachments: c.pdf"
            ]
        );
        assert_eq!(inside, [("c.pdf".to_owned(), b"%PDF-1.7".to_vec())]);
    }
}
