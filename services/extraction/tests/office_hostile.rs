//! Office documents, mails and archives that attack their reader: each ends within its limits, as the error that it is or
//! as text. What such attacks cost the service is measured with many more of them in the integration tests.

use std::time::{Duration, Instant};

use millrace_extraction::{Limit, MediaType, Options, ReadError, Source, Text, read_whole};
use millrace_testkit::hostile::zip;

/// Reads in a child with less than it has by default, and says how long that took.
fn attacked(media: MediaType, bytes: &[u8]) -> Result<Text, ReadError> {
    let options = Options {
        child_program: Some(env!("CARGO_BIN_EXE_millrace-extraction").into()),
        max_memory_mib: 512,
        max_cpu_seconds: 5,
        max_wall_seconds: 30,
        ..Options::default()
    };
    let begun = Instant::now();
    let answer = read_whole(media, Source::Bytes(bytes), &options, &mut |_, _| {});
    assert!(begun.elapsed() < Duration::from_secs(35), "it took {:?}", begun.elapsed());
    answer
}

const W: &str = "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"";

fn word(body: &str) -> Vec<u8> {
    let document = format!("<w:document {W}><w:body>{body}</w:body></w:document>");
    zip(&[("word/document.xml", document.as_bytes())])
}

#[test]
fn packages_that_unpack_to_gigabytes() {
    let blank = vec![b' '; 64 << 20];
    let bomb =
        zip(&[("word/document.xml", &blank), ("word/styles.xml", &blank), ("word/numbering.xml", &blank)]);
    assert!(bomb.len() < 300_000);
    assert!(matches!(attacked(MediaType::Docx, &bomb), Err(ReadError::LimitExceeded(Limit::Unpacked))));
    assert!(matches!(attacked(MediaType::Zip, &bomb), Err(ReadError::LimitExceeded(Limit::Unpacked))));
}

#[test]
fn sizes_that_lie() {
    // The table of contents promises one byte for the file that has a hundred million.
    let mut bomb = zip(&[("word/document.xml", &vec![b' '; 100 << 20])]);
    for mark in [&b"PK\x01\x02"[..], b"PK\x03\x04"] {
        let at = bomb.windows(4).position(|bytes| bytes == mark).expect("is there");
        let size = at + if mark[2] == 1 { 24 } else { 22 };
        bomb[size..size + 4].copy_from_slice(&1u32.to_le_bytes());
    }
    for media in [MediaType::Docx, MediaType::Zip] {
        let error = attacked(media, &bomb).expect_err("too much to read");
        assert!(
            matches!(error, ReadError::LimitExceeded(_) | ReadError::Broken(_) | ReadError::Empty),
            "{error}"
        );
    }
}

#[test]
fn a_hundred_thousand_files() {
    let names: Vec<String> = (0..100_000).map(|number| format!("{number}.txt")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    let archive = zip(&files);
    for (media, limit) in [(MediaType::Zip, Limit::Unpacked), (MediaType::Xlsx, Limit::Unpacked)] {
        match attacked(media, &archive) {
            Err(ReadError::LimitExceeded(found)) => assert_eq!(found, limit),
            other => panic!("{other:?}"),
        }
    }
    let many = zip(&files[..101]);
    assert!(matches!(attacked(MediaType::Zip, &many), Err(ReadError::LimitExceeded(Limit::Attachments))));
}

#[test]
fn entities_that_multiply() {
    let mut lol = String::from("<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a0 \"lol\">");
    for level in 1..12 {
        let ten = format!("&a{};", level - 1).repeat(10);
        lol += &format!("<!ENTITY a{level} \"{ten}\">");
    }
    lol += &format!(
        "]><w:document {W}><w:body><w:p><w:r><w:t>before &a11; after</w:t></w:r></w:p></w:body></w:document>"
    );
    match attacked(MediaType::Docx, &zip(&[("word/document.xml", lol.as_bytes())])) {
        Ok(text) => {
            assert!(text.pages.iter().map(millrace_extraction::Page::text_bytes).sum::<usize>() < 1000)
        }
        Err(error) => assert!(matches!(error, ReadError::Broken(_) | ReadError::LimitExceeded(_)), "{error}"),
    }
}

#[test]
fn nesting_without_end() {
    let deep = word(&("<w:tbl><w:tr><w:tc>".repeat(50_000) + "<w:p><w:r><w:t>x</w:t></w:r></w:p>"));
    let error = attacked(MediaType::Docx, &deep).expect_err("nobody nests tables like this");
    assert!(
        matches!(error, ReadError::LimitExceeded(_) | ReadError::Broken(_) | ReadError::ChildDied(_)),
        "{error}"
    );

    let groups =
        ["{\\rtf1 ".to_owned(), "{".repeat(2_000_000), "text".to_owned(), "}".repeat(2_000_000)].concat();
    if let Err(error) = attacked(MediaType::Rtf, groups.as_bytes()) {
        assert!(!matches!(error, ReadError::Io(_)), "{error}");
    }

    let mut mail = String::from("From: a@example.com\r\nMessage-ID: <1>\r\n");
    for level in 0..5_000 {
        mail += &format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
    }
    mail += "Content-Type: text/plain\r\n\r\nx\r\n";
    if let Err(error) = attacked(MediaType::Eml, mail.as_bytes()) {
        assert!(!matches!(error, ReadError::Io(_)), "{error}");
    }
}

#[test]
fn sheets_of_a_billion_cells() {
    let content = r#"<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
        xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0">
        <office:body><office:spreadsheet><table:table table:name="a"><table:table-row table:number-rows-repeated="1000000">
        <table:table-cell table:number-columns-repeated="16000" office:value-type="string"><text:p>words</text:p></table:table-cell>
        </table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"#;
    let file = zip(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.as_bytes()),
    ]);
    let error = attacked(MediaType::Ods, &file).expect_err("nobody has such a sheet");
    assert!(matches!(error, ReadError::LimitExceeded(_)), "{error}");
}

#[test]
fn packages_in_ruins() {
    let whole = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/agreement.docx"))
        .expect("a sample");
    let (mut ends, mut died) = ([0; 2], Vec::new());
    for at in (0..whole.len()).step_by(whole.len() / 24) {
        let mut flipped = whole.clone();
        for byte in &mut flipped[at..(at + 40).min(whole.len())] {
            *byte = !*byte;
        }
        for bytes in [&whole[..at], &flipped] {
            match attacked(MediaType::Docx, bytes) {
                Ok(_) => ends[0] += 1,
                // Noise may unpack to more than it should: that is refused like the rest.
                Err(
                    ReadError::Broken(_)
                    | ReadError::Empty
                    | ReadError::Encrypted
                    | ReadError::LimitExceeded(Limit::Unpacked),
                ) => ends[1] += 1,
                Err(error) => died.push(format!("at {at}: {error}")),
            }
        }
    }
    assert!(ends[1] > 10, "text {}, refused {}", ends[0], ends[1]);
    assert!(died.is_empty(), "{died:?}");
}
