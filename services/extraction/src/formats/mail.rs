//! E-mail as it travels: the text of a message, and the documents attached to it.

use mail_parser::{Address, Message, MessageParser, MessagePart, MimeHeaders as _, PartType};

use super::{Inside, html, pages_of};
use crate::document::{ReadError, Text, paragraphs, push_block};

/// The engine's name and version.
const NAME: &str = "mail-parser 0.11.9";

/// Reads a message: who wrote to whom and when, then the text, then the names of what is attached, which goes to
/// `found` in the same order.
///
/// # Errors
/// [`ReadError::Broken`], [`ReadError::Empty`], and what `found` answers.
pub fn mail(bytes: &[u8], found: &mut dyn FnMut(Inside) -> Result<(), ReadError>) -> Result<Text, ReadError> {
    let message = MessageParser::default().parse(bytes).ok_or_else(|| ReadError::Broken(NAME.to_owned()))?;
    let mut blocks = Vec::new();
    push_block(&mut blocks, &head(&message));
    for part in message.text_bodies() {
        match &part.body {
            PartType::Text(text) => blocks.extend(paragraphs(text)),
            PartType::Html(source) => blocks.extend(paragraphs(&html::visible_text(source)?)),
            _ => {}
        }
    }
    let mut names = Vec::new();
    for part in message.attachments().filter(|part| is_document(part)) {
        let inside = attached(part, names.len());
        names.push(inside.name.clone());
        found(inside)?;
    }
    push_block(&mut blocks, &listed(&names));
    pages_of(blocks, NAME)
}

/// A block that names what is attached.
pub(super) fn listed(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("Attachments: {}", names.join(", ")) }
}

fn head(message: &Message<'_>) -> String {
    let people = |address: Option<&Address<'_>>| {
        let one = |person: &mail_parser::Addr<'_>| match (&person.name, &person.address) {
            (Some(name), Some(address)) => format!("{name} <{address}>"),
            (Some(only), None) | (None, Some(only)) => only.to_string(),
            (None, None) => String::new(),
        };
        address.map_or_else(String::new, |all| all.iter().map(one).collect::<Vec<_>>().join(", "))
    };
    let lines = [
        ("From", people(message.from())),
        ("To", people(message.to())),
        ("Cc", people(message.cc())),
        ("Date", message.date().map_or_else(String::new, mail_parser::DateTime::to_rfc822)),
        ("Subject", message.subject().unwrap_or_default().to_owned()),
    ];
    let said = lines.iter().filter(|(_, value)| !value.trim().is_empty());
    said.map(|(name, value)| format!("{name}: {}", value.trim())).collect::<Vec<_>>().join("\n")
}

/// Whether it is a document that somebody attached: not a picture that the text shows, nor a signature for programs.
fn is_document(part: &MessagePart<'_>) -> bool {
    let shown = matches!(part.body, PartType::InlineBinary(_))
        || (part.content_id().is_some()
            && part.content_type().is_some_and(|kind| kind.c_type.eq_ignore_ascii_case("image"))
            && !part.content_disposition().is_some_and(mail_parser::ContentType::is_attachment));
    let signature = ["pkcs7-signature", "x-pkcs7-signature", "pgp-signature"]
        .iter()
        .any(|kind| part.is_content_type("application", kind));
    !shown && !signature && !matches!(part.body, PartType::Multipart(_))
}

fn attached(part: &MessagePart<'_>, at: usize) -> Inside {
    let name = part.attachment_name().map(str::to_owned);
    let (content, other) = match &part.body {
        PartType::Text(text) => (text.as_bytes().to_vec(), format!("attachment-{}.txt", at + 1)),
        PartType::Html(text) => (text.as_bytes().to_vec(), format!("attachment-{}.html", at + 1)),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            (bytes.to_vec(), format!("attachment-{}", at + 1))
        }
        PartType::Message(message) => {
            let subject = message.subject().unwrap_or("message").trim();
            (message.raw_message().to_vec(), format!("{subject}.eml"))
        }
        PartType::Multipart(_) => (Vec::new(), String::new()),
    };
    Inside { name: name.filter(|name| !name.trim().is_empty()).unwrap_or(other), content }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.com>\r\nTo: a@example.com, B <b@example.com>\r\n\
        Date: Thu, 5 Mar 2026 10:00:00 +0100\r\nSubject: The contract\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/related; boundary=y\r\n\r\n\
        --y\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n<p>Gr\xfc\xdfe, <b>see</b> below.</p><img src=\"cid:logo\">\r\n\
        --y\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\nContent-Disposition: inline\r\n\r\nPNG\r\n--y--\r\n\
        --x\r\nContent-Type: application/pdf; name=\"c.pdf\"\r\nContent-Disposition: attachment\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjc=\r\n\
        --x\r\nContent-Type: message/rfc822\r\n\r\nFrom: z@example.com\r\nSubject: Earlier\r\n\r\nHello\r\n--x--\r\n";

    #[test]
    fn a_message_has_its_head_its_text_and_what_is_attached() {
        let mut inside = Vec::new();
        let text = mail(MAIL, &mut |one| {
            inside.push(one);
            Ok(())
        });
        let text = text.expect("readable");
        let blocks: Vec<&str> = text.pages[0].blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(
            blocks[0],
            "From: Jürgen <j@example.com>\nTo: a@example.com, B <b@example.com>\nDate: Thu, 5 Mar 2026 10:00:00 +0100\n\
             Subject: The contract"
        );
        assert_eq!(blocks[1..], ["Grüße, see below.", "Attachments: c.pdf, Earlier.eml"]);
        assert_eq!((inside[0].name.as_str(), inside[0].content.as_slice()), ("c.pdf", &b"%PDF-1.7"[..]));
        assert_eq!(inside.len(), 2, "the logo is no document");
        assert!(
            inside[1].content.starts_with(b"From: z@example.com") && inside[1].content.ends_with(b"Hello")
        );
    }
}
