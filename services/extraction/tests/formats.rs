//! Documents that other programs have written, through the child as in service: what they say, on which page, and what
//! is inside them.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use millrace_extraction::{MediaType, Options, ReadError, Source, Text, read_whole};
use millrace_media::media_type_of;

fn options() -> Options {
    Options { child_program: Some(env!("CARGO_BIN_EXE_millrace-extraction").into()), ..Options::default() }
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples")
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(samples().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The type by content, and the text.
fn opened(bytes: &[u8], options: &Options) -> (MediaType, Result<Text, ReadError>) {
    let media = media_type_of(&mut Cursor::new(bytes), None).expect("memory can be read");
    (media.clone(), read_whole(media, Source::Bytes(bytes), options, &mut |_, _| {}))
}

fn page(text: &Text, number: usize) -> String {
    let page = &text.pages[number - 1];
    let words = page.blocks.iter().flat_map(|block| block.text.split_whitespace());
    words.collect::<Vec<_>>().join(" ")
}

/// File, type, pages, a word or two with the page that they stand on.
type Expected = (&'static str, MediaType, usize, &'static [(usize, &'static str)]);

const DOCUMENTS: [Expected; 5] = [
    (
        "agreement.docx",
        MediaType::Docx,
        2,
        &[(1, "Report and workshop | 6 | GBP 5,400.00"), (2, "3.1 The liability of the Consultant")],
    ),
    ("prices.xlsx", MediaType::Xlsx, 2, &[(1, "Night shift | hour | 38.25"), (2, "200 | 7.5 %")]),
    (
        "review.pptx",
        MediaType::Pptx,
        3,
        &[(1, "Imogen Farrowdale"), (2, "What went well"), (3, "Draft of 4 May 2026")],
    ),
    ("lifts.odt", MediaType::Odt, 2, &[(1, "9a | GBP 140.00"), (2, "Percival Oakhanger")]),
    ("mail.eml", MediaType::Eml, 1, &[(1, "Attachments: invoice.pdf, agreement.docx")]),
];

#[test]
fn pages_are_where_their_programs_put_them() {
    for (name, expected, pages, phrases) in DOCUMENTS {
        let (media, text) = opened(&sample(name), &options());
        let text = text.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((media, text.pages.len()), (expected, pages), "{name}: {:#?}", text.pages);
        for (number, phrase) in phrases {
            let found = page(&text, *number);
            assert!(found.contains(phrase), "{phrase:?} is not on page {number} of {name}: {found}");
        }
    }
}

#[test]
fn every_phrase_of_the_manifest_is_found() {
    let options = options().found();
    assert!(options.recogniser.is_some(), "pictures need tesseract (Debian: apt install tesseract-ocr)");
    let manifest = String::from_utf8(sample("MANIFEST.tsv")).expect("UTF-8");
    let mut found = 0;
    for row in manifest.lines().skip(1) {
        let row: Vec<&str> = row.split('\t').collect();
        let (name, phrases) = (row[0], row[6]);
        if phrases.is_empty() || name.ends_with(".pdf") {
            continue;
        }
        let text = opened(&sample(name), &options).1.unwrap_or_else(|error| panic!("{name}: {error}"));
        let whole: String = (1..=text.pages.len()).map(|number| page(&text, number) + " ").collect();
        for phrase in phrases.split('|') {
            assert!(whole.contains(phrase), "{phrase:?} is not in {name}: {whole}");
            found += 1;
        }
    }
    assert_eq!(found, 10 * 5);
}

#[test]
fn what_is_inside_comes_out_byte_for_byte() {
    let insides = [
        ("mail.eml", [("invoice.pdf", "invoice.pdf"), ("agreement.docx", "agreement.docx")]),
        ("papers.zip", [("2026/lifts.odt", "lifts.odt"), ("notes.txt", "notes.txt")]),
    ];
    for (name, expected) in insides {
        let text = opened(&sample(name), &options()).1.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(text.attached.len(), 2, "{name}");
        for (attached, (inside, original)) in text.attached.iter().zip(expected) {
            assert_eq!(attached.name, inside);
            let bytes = attached.content.content().and_then(millrace_stage::Content::into_bytes);
            assert!(bytes.expect("readable") == sample(original), "{inside} of {name}");
        }
    }
    let archive = opened(&sample("papers.zip"), &options()).1.expect("readable");
    assert!(archive.pages.is_empty(), "an archive has no text of its own");
}

#[test]
fn documents_inside_are_limited() {
    let limited = |attachments, bytes| {
        let options = Options { max_attachments: attachments, max_attached_bytes: bytes, ..options() };
        opened(&sample("mail.eml"), &options).1
    };
    assert!(limited(2, 1 << 20).is_ok());
    for over in [limited(1, 1 << 20), limited(0, 1 << 20), limited(2, 10_000)] {
        let error = over.expect_err("over a limit");
        assert_eq!(error.to_string(), "the document exceeds the attachments limit");
    }
}

#[test]
fn what_cannot_be_read_says_why() {
    let (media, text) = opened(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01", &options());
    assert_eq!(media, MediaType::Png);
    assert!(matches!(text, Err(ReadError::Broken(_))), "{text:?}");
    let (media, text) = opened(b"ID3\x03\0\0\0\0\0\x21TIT2", &options());
    assert!(matches!(&text, Err(ReadError::Unsupported(name)) if *name == media.to_string()), "{text:?}");
    let locked = read_whole(MediaType::Locked, Source::Bytes(b"x"), &options(), &mut |_, _| {});
    assert!(matches!(locked, Err(ReadError::Encrypted)));
}

/// Real documents of other projects, where there are some: a folder in `MILLRACE_FORMATS_CORPUS`. Prints what became of
/// each.
///
/// `MILLRACE_FORMATS_CORPUS=… cargo test -p millrace-extraction --test formats -- --ignored --nocapture`
#[test]
#[ignore = "needs a folder of documents"]
fn real_documents() {
    let folder = std::env::var("MILLRACE_FORMATS_CORPUS").expect("MILLRACE_FORMATS_CORPUS names a folder");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let (mut good, all) = (0, files.len());
    for path in files.iter().filter(|path| path.is_file()) {
        let bytes = std::fs::read(path).expect("a file");
        let (media, text) = opened(&bytes, &options());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match text {
            Ok(text) => {
                good += 1;
                let characters: usize = text.pages.iter().map(millrace_extraction::Page::text_bytes).sum();
                let inside: Vec<&str> = text.attached.iter().map(|inside| inside.name.as_str()).collect();
                println!("{name}\t{media}\t{} pages\t{characters} bytes\t{inside:?}", text.pages.len());
                if let Ok(out) = std::env::var("MILLRACE_FORMATS_OUT") {
                    let whole: Vec<String> =
                        (1..=text.pages.len()).map(|number| page(&text, number)).collect();
                    std::fs::write(Path::new(&out).join(format!("{name}.txt")), whole.join("\n"))
                        .expect("a folder");
                }
            }
            Err(ReadError::Io(error)) => panic!("{name}: {error}"),
            Err(error) => println!("{name}\t{media}\t{error}"),
        }
    }
    println!("{good} of {all} read");
}
