use super::*;
use std::io::Cursor;

fn whole(bytes: &[u8]) -> MediaType {
    media_type_of(&mut Cursor::new(bytes), Some("a.pdf")).expect("memory can be read")
}

/// An archive of empty files of these names, but for `mimetype`, which holds what stands behind its name.
fn zip(names: &[&str]) -> Vec<u8> {
    let (mut file, mut contents) = (Vec::new(), Vec::new());
    for name in names {
        let (name, content) = name.split_once('=').unwrap_or((name, ""));
        let lengths = |at: &mut Vec<u8>| {
            at.extend([0; 4]);
            at.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
            at.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
            at.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
            at.extend([0; 2]);
        };
        contents.extend(b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0");
        lengths(&mut contents);
        contents.extend([0; 10]);
        contents.extend(u32::try_from(file.len()).unwrap().to_le_bytes());
        contents.extend(name.bytes());
        file.extend(b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0");
        lengths(&mut file);
        file.extend(name.bytes().chain(content.bytes()));
    }
    let (at, size) = (file.len(), contents.len());
    file.extend(contents);
    file.extend(b"PK\x05\x06\0\0\0\0\0\0\0\0");
    file.extend(u32::try_from(size).unwrap().to_le_bytes());
    file.extend(u32::try_from(at).unwrap().to_le_bytes());
    file.extend([0, 0]);
    file
}

/// A compound file with these streams in its root: a header, an allocation table, a directory of as many sectors as it
/// takes, one behind the other.
fn compound(streams: &[&str]) -> Vec<u8> {
    let mut file = compound::MAGIC.to_vec();
    file.resize(512, 0);
    file[30] = 9;
    file[48] = 1;
    let entries: Vec<&str> = std::iter::once("Root Entry").chain(streams.iter().copied()).collect();
    let sectors = entries.len().div_ceil(4);
    for sector in 0..128u32 {
        let next = if sector >= 1 && (sector as usize) < sectors { sector + 1 } else { 0xFFFF_FFFE };
        file.extend(next.to_le_bytes());
    }
    for entry in entries {
        let name: Vec<u8> = entry.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut bytes = name.clone();
        bytes.resize(128, 0);
        bytes[64] = u8::try_from(name.len() + 2).unwrap();
        file.extend(bytes);
    }
    file.resize(file.len().next_multiple_of(512), 0);
    file
}

#[test]
fn names_are_read_back() {
    for media in MediaType::ALL {
        assert_eq!(MediaType::from(media.name()), *media);
    }
    assert_eq!(MediaType::from("x/y"), MediaType::Unsupported("x/y".into()));
}

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
    assert_eq!(media_type(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Some("a.pdf")), MediaType::Png);
    assert_eq!(media_type(b"\xff\xd8\xff\xe0\0\x10JFIF", Some("a.png")), MediaType::Jpeg);
    assert_eq!(media_type(b"RIFF\x24\0\0\0WEBPVP8 ", None), MediaType::WebP);
    assert_eq!(media_type(b"GIF89a\x01\0\x01\0", None), MediaType::Gif);
    assert_eq!(media_type(b"II*\0\x08\0\0\0\x10\0\0\x01\x03\0", None), MediaType::Tiff);
    assert_eq!(media_type(b"PK\x03\x04rest", Some("a.txt")), MediaType::Zip);
    assert_eq!(media_type(b"<!DOCTYPE html><p>hi", Some("a.pdf")), MediaType::Html);
    assert_eq!(media_type(b"just words", Some("a.pdf")), MediaType::PlainText);
    assert_eq!(media_type(b"\0\x01\x02\x03rest", None).name(), "application/octet-stream");
    let mut program = b"\x7fELF\x02\x01\x01".to_vec();
    program.resize(64, 0);
    assert_eq!(media_type(&program, Some("a.pdf")).name(), "application/x-executable");
}

#[test]
fn packages_say_what_they_are_at_their_end() {
    let office = |part| zip(&["docProps/app.xml", part, "[Content_Types].xml"]);
    assert_eq!(whole(&office("word/document.xml")), MediaType::Docx);
    assert_eq!(whole(&office("ppt/presentation.xml")), MediaType::Pptx);
    assert_eq!(whole(&office("xl/workbook.xml")), MediaType::Xlsx);
    assert_eq!(whole(&office("visio/document.xml")).name(), "application/vnd.openxmlformats-package");
    for (mimetype, expected) in [
        ("application/vnd.oasis.opendocument.text", MediaType::Odt),
        ("application/vnd.oasis.opendocument.spreadsheet-template", MediaType::Ods),
        ("application/vnd.oasis.opendocument.presentation", MediaType::Odp),
        ("application/epub+zip", MediaType::Unsupported("application/epub+zip".into())),
    ] {
        assert_eq!(whole(&zip(&[&format!("mimetype={mimetype}"), "content.xml"])), expected);
    }
    assert_eq!(whole(&zip(&["word/document.xml", "a.pdf"])), MediaType::Zip, "a folder of that name");
    assert_eq!(whole(&zip(&[])), MediaType::Zip);
    assert_eq!(whole(&zip(&["META-INF/MANIFEST.MF", "A.class"])).name(), "application/java-archive");
    let mut with_comment = office("word/document.xml");
    let end = with_comment.len();
    with_comment[end - 2] = 9;
    with_comment.extend(b"a comment");
    assert_eq!(whole(&with_comment), MediaType::Docx);
    assert_eq!(whole(&office("word/document.xml")[..200]), MediaType::Zip, "cut off");
}

#[test]
fn compound_files_say_what_they_are_in_their_directory() {
    for (streams, expected) in [
        (&["WordDocument", "1Table"][..], MediaType::Doc),
        (&["Current User", "PowerPoint Document"], MediaType::Ppt),
        (&["a", "b", "c", "d", "e", "f", "g", "Workbook"], MediaType::Xls),
        (&["__nameid_version1.0", "__properties_version1.0"], MediaType::Msg),
        (&["EncryptionInfo", "EncryptedPackage"], MediaType::Locked),
        (&["Thumbs"], MediaType::Unsupported("application/x-ole-storage".into())),
    ] {
        assert_eq!(whole(&compound(streams)), expected, "{streams:?}");
    }
    let mut circle = compound(&["a", "b", "c", "d", "WordDocument"]);
    circle[512 + 8] = 1; // The second sector of the directory follows on itself.
    assert_eq!(whole(&circle), MediaType::Doc);
}

#[test]
fn kinds_of_text() {
    assert_eq!(media_type(b"", Some("a.pdf")), MediaType::Pdf);
    assert_eq!(media_type(b"", None), MediaType::PlainText);
    assert_eq!(media_type(b"<!-- c -->\n<html lang=en>", None), MediaType::Html);
    assert_eq!(media_type(b"<?xml version='1.0'?><html>", None), MediaType::Html);
    assert_eq!(media_type(b"<?xml version='1.0'?><feed>", None).name(), "text/xml");
    assert_eq!(media_type(b"{\\rtf1\\ansi", None), MediaType::Rtf);
    assert_eq!(media_type(b"<aside> is a word", None), MediaType::PlainText);
    assert_eq!(media_type(b"# Title\n\n- one\n- two\n", None), MediaType::Markdown);
    assert_eq!(media_type(b"# only a comment\n", None), MediaType::PlainText);
    assert_eq!(media_type(b"# only a comment\n", Some("x.MD")), MediaType::Markdown);
    assert_eq!(media_type("caf\u{e9}".as_bytes(), None), MediaType::PlainText);
    assert_eq!(media_type(b"caf\xe9 Latin-1", None), MediaType::PlainText);
    assert_eq!(media_type(b"BMW of Nowhere Ltd, invoice 7", None), MediaType::PlainText);
    assert_eq!(media_type(b"BM\x46\0\0\0\0\0\0\0", None).name(), "image/bmp");
}

#[test]
fn utf16_is_text_with_and_without_its_mark() {
    let wide =
        |text: &str, order: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(order).collect() };
    assert_eq!(media_type(b"\xff\xfeh\0i\0", None), MediaType::PlainText);
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        assert_eq!(media_type(&wide("Grüße aus Nürnberg, wie immer.", order), None), MediaType::PlainText);
        assert_eq!(media_type(&wide("<html><body>a page</body></html>", order), None), MediaType::Html);
        assert_eq!(
            media_type(&wide("# A title\n\n- one\n- two\n- three\n", order), None),
            MediaType::Markdown
        );
    }
    assert_eq!(utf16_without_mark(&wide("no more than this", u16::to_be_bytes)), Some(Utf16::Big));
    // Numbers of two bytes are not letters.
    let samples: Vec<u8> = (1000..1200u16).flat_map(u16::to_le_bytes).collect();
    assert_eq!(media_type(&samples, None).name(), "application/octet-stream");
}

#[test]
fn tables_are_told_from_prose() {
    assert_eq!(media_type(b"id;name;sum\n1;\"a;b\";3\n2;\"x\ny\";4\n", None), MediaType::Csv);
    assert_eq!(media_type(b"a\tb\tc\n1\t2\t3\n4\t5\t6\n7\t8", None), MediaType::Csv);
    assert_eq!(media_type(b"a,b\n1,2\n", Some("x.csv")), MediaType::Csv);
    assert_eq!(media_type(b"Dear all,\nthanks, and bye.\nYours, J.\n", None), MediaType::PlainText);
    assert_eq!(
        media_type(b"One, two, three.\nFour, five.\nSix, seven, eight.\n", None),
        MediaType::PlainText
    );
    assert_eq!(media_type(b"a,b,c\n1,2,3\n4,5,6\n", Some("x.txt")), MediaType::PlainText);
}

#[test]
fn mail_is_told_by_its_head() {
    let mail =
        b"Received: from a by b;\r\n\tThu, 1 Jan 2026\r\nFrom: a@example.com\r\nSubject: x\r\n\r\n%PDF-";
    assert_eq!(media_type(mail, Some("x.txt")), MediaType::Eml);
    assert_eq!(media_type(b"From: a\nMIME-Version: 1.0\n\nhi", None), MediaType::Eml);
    assert_eq!(media_type(b"From: the harbour\nTo: the sea\n\nA poem.", None), MediaType::PlainText);
    assert_eq!(media_type(b"Date: today\nFrom: him\nno field\n", None), MediaType::Eml, "half a line");
    assert_eq!(media_type(b"Note: see below\n\nDate: x\nFrom: y\n", None), MediaType::PlainText);
}

#[test]
fn no_bytes_make_it_panic() {
    // Cut, flipped and spliced, in an order that is always the same.
    let seeds = [
        zip(&["mimetype=application/vnd.oasis.opendocument.text", "content.xml"]),
        zip(&["word/document.xml", "[Content_Types].xml"]),
        compound(&["a", "b", "c", "d", "WordDocument"]),
        b"From: a\r\nDate: b\r\n\r\n\xff\xfe".to_vec(),
        b"\xfe\xff\0<\0h\0t\0m\0l\0>\0x\0y\0z".to_vec(),
    ];
    let mut random = 0x2545_F491_4F6C_DD1Du64;
    let mut below = move |end: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % end.max(1) as u64).unwrap()
    };
    for _ in 0..20_000 {
        let mut bytes = seeds[below(seeds.len())].clone();
        for _ in 0..1 + below(6) {
            let at = below(bytes.len());
            match below(4) {
                0 => bytes.truncate(at),
                1 => bytes.extend_from_within(at..),
                _ if bytes.is_empty() => bytes.push(0),
                _ => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][below(5)],
            }
        }
        assert!(!media_type(&bytes, None).name().is_empty());
        assert!(!whole(&bytes).name().is_empty());
    }
}
