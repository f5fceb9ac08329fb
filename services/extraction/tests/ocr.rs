//! Scanned pages through a real child and a real tesseract. Where that is not installed, the tests fail and say so.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use millrace_extraction::document::Unrecognised;
use millrace_extraction::{Limit, MediaType, OcrChoice, Options, ReadError, Source, Text, read_whole};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(name)
}

fn options() -> Options {
    let options = Options {
        child_program: Some(env!("CARGO_BIN_EXE_millrace-extraction").into()),
        max_wall_seconds: 300,
        ..Options::default()
    }
    .found();
    assert!(options.recogniser.is_some(), "these tests need tesseract (Debian: apt install tesseract-ocr)");
    options
}

fn read_pdf(path: &Path, options: &Options) -> Result<Text, ReadError> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    read_whole(MediaType::Pdf, Source::File(file), options, &mut |_, _| {})
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}

/// F1 of the bags of words.
fn f1(found: &str, truth: &str) -> f64 {
    let (found, truth) = (words(found), words(truth));
    let mut bag: HashMap<&str, i64> = HashMap::new();
    truth.iter().for_each(|word| *bag.entry(word).or_default() += 1);
    let mut both = 0;
    for word in &found {
        let left = bag.entry(word).or_default();
        if *left > 0 {
            *left -= 1;
            both += 1;
        }
    }
    2.0 * f64::from(both) / (found.len() + truth.len()) as f64
}

fn text_of(text: &Text, page: usize) -> String {
    text.pages[page].blocks.iter().map(|block| block.text.as_str()).collect::<Vec<_>>().join("\n")
}

fn letter() -> String {
    std::fs::read_to_string(sample("text/letter.txt")).expect("the letter")
}

#[test]
fn a_scan_is_read() {
    let text = read_pdf(&sample("scanned.pdf"), &options()).expect("text");
    let found = text_of(&text, 0);
    let f1 = f1(&found, &letter());
    assert!(f1 >= 0.95, "word F1 {f1}:\n{found}");
    let page = &text.pages[0];
    assert!(page.recognised && page.confidence.is_some_and(|c| c > 0.8 && c <= 1.0), "{:?}", page.confidence);
    assert!(text.ocr_ms > 0 && text.engine.contains("tesseract"), "{} ms by {}", text.ocr_ms, text.engine);
    assert!((page.width - 595.0).abs() < 1.0 && (page.height - 842.0).abs() < 1.0);
    for block in &page.blocks {
        assert_eq!(block.lines.len(), block.text.lines().count());
        for (line, words) in block.lines.iter().zip(block.text.lines()) {
            assert!(block.text[line.start as usize..].starts_with(words));
            assert!(0.0 <= line.x0 && line.x0 < line.x1 && line.x1 <= page.width, "{line:?}");
            assert!(0.0 <= line.y0 && line.y0 < line.y1 && line.y1 <= page.height, "{line:?}");
        }
    }
    let first = &page.blocks[0].lines[0];
    assert!((50.0..150.0).contains(&first.y0), "the letter begins near the top: {first:?}");
}

#[test]
fn only_the_pages_that_need_it_are_recognised() {
    let mut seen = Vec::new();
    let file = File::open(sample("mixed.pdf")).expect("a sample");
    let text = read_whole(MediaType::Pdf, Source::File(file), &options(), &mut |page, of| {
        seen.push((page.number, page.recognised, of));
    });
    let text = text.expect("text");
    let recognised: Vec<bool> = text.pages.iter().map(|page| page.recognised).collect();
    assert_eq!(recognised, [false, true, false]);
    assert_eq!(seen, [(1, false, 3), (2, false, 3), (3, false, 3), (2, true, 3)]);
    assert!(f1(&text_of(&text, 1), &letter()) >= 0.95);
    assert!(!text.incomplete);

    let without = read_pdf(&sample("mixed.pdf"), &Options { recogniser: None, ..options() }).expect("text");
    assert_eq!(text_of(&without, 0), text_of(&text, 0), "the other pages are read as ever");
    assert!(without.pages[1].needs_recognition() && without.pages[1].blocks.is_empty());
}

#[test]
fn what_is_missing_is_said() {
    let why = |options: &Options| match read_pdf(&sample("scanned.pdf"), options) {
        Err(ReadError::Scanned { pages: 1, why }) => why,
        other => panic!("{other:?}"),
    };
    let absent = Options { tesseract: "tesseract-that-is-not-there".into(), ..options() }.found();
    assert_eq!(why(&absent), Unrecognised::NoRecogniser);
    let off = Options { ocr: OcrChoice::Off, ..options() }.found();
    assert_eq!(why(&off), Unrecognised::SwitchedOff);
    let lane = Options { ocr: OcrChoice::Lane, ..options() }.found();
    let outcome = read_pdf(&sample("scanned.pdf"), &lane);
    assert!(matches!(outcome, Err(ReadError::ForAnotherLane)), "{outcome:?}");
    let outcome = read_pdf(&sample("invoice.pdf"), &lane);
    assert!(outcome.is_ok(), "what has text is read: {outcome:?}");
}

#[test]
fn a_recogniser_that_hangs_or_lies_costs_its_page() {
    let children = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recognisers");
    let with = |name: &str| Options { tesseract: children.join(name), ..options() }.found();
    let hangs = Options { max_ocr_seconds: 2, ..with("hangs") };
    let outcome = read_pdf(&sample("scanned.pdf"), &hangs);
    assert!(matches!(outcome, Err(ReadError::LimitExceeded(Limit::Recognition))), "{outcome:?}");
    for name in ["fails", "babbles", "floods", "writes"] {
        let text = read_pdf(&sample("mixed.pdf"), &with(name)).expect("the pages that have text");
        assert!(text.pages[1].blocks.is_empty(), "{name}: {:?}", text.pages[1]);
    }
}

fn read_picture(media: MediaType, bytes: &[u8]) -> Result<Text, ReadError> {
    read_whole(media, Source::Bytes(bytes), &options(), &mut |_, _| {})
}

#[test]
fn pictures_are_documents() {
    let fax = std::fs::read(sample("fax.tiff")).expect("a sample");
    let text = read_picture(MediaType::Tiff, &fax).expect("text");
    assert_eq!(
        text.pages.iter().map(|page| (page.number, page.recognised)).collect::<Vec<_>>(),
        [(1, true), (2, true)]
    );
    let both = format!("{}\n{}", text_of(&text, 0), text_of(&text, 1));
    assert!(f1(&both, &letter()) >= 0.95, "{both}");
    assert!((text.pages[0].width - 1652.0).abs() < 1.0, "{}", text.pages[0].width);

    let photo = std::fs::read(sample("photo.jpg")).expect("a sample");
    let text = read_picture(MediaType::Jpeg, &photo).expect("text");
    let page = &text.pages[0];
    assert!(f1(&text_of(&text, 0), &letter()) >= 0.95, "{}", text_of(&text, 0));
    assert_eq!((page.width, page.height), (1652.0, 2338.0), "as it is meant to be seen, in its own pixels");
    let first = &page.blocks[0].lines[0];
    assert!(first.x0 > 150.0 && first.x0 < 300.0 && first.y0 > 200.0 && first.y0 < 350.0, "{first:?}");
    assert!(text.engine.contains("image") && text.engine.contains("tesseract"), "{}", text.engine);
}

#[test]
fn a_picture_comes_in_many_formats_and_sizes() {
    let photo = image::open(sample("photo.jpg")).expect("a sample").rotate90();
    for (format, media, width) in [
        (image::ImageFormat::Png, MediaType::Png, 1652),
        // A screenshot's letters: eleven pixels high.
        (image::ImageFormat::Png, MediaType::Png, 826),
        (image::ImageFormat::WebP, MediaType::WebP, 1652),
        (image::ImageFormat::Gif, MediaType::Gif, 1652),
    ] {
        let scaled = photo.resize(width, u32::MAX, image::imageops::FilterType::Triangle);
        let mut bytes = std::io::Cursor::new(Vec::new());
        scaled.into_rgb8().write_to(&mut bytes, format).expect("written");
        let text = read_picture(media, bytes.get_ref()).expect("text");
        let f1 = f1(&text_of(&text, 0), &letter());
        assert!(f1 >= 0.95, "{format:?} of {width} pixels: {f1}");
    }
}

#[test]
fn a_picture_without_words_or_without_sense_is_refused() {
    let mut blank = std::io::Cursor::new(Vec::new());
    let grey = image::GrayImage::from_pixel(800, 600, image::Luma([200]));
    grey.write_to(&mut blank, image::ImageFormat::Png).expect("written");
    let outcome = read_picture(MediaType::Png, blank.get_ref());
    assert!(
        matches!(outcome, Err(ReadError::Scanned { pages: 1, why: Unrecognised::NoWords })),
        "{outcome:?}"
    );
    let outcome = read_picture(MediaType::Png, b"\x89PNG\r\n\x1a\nand no more");
    assert!(matches!(outcome, Err(ReadError::Broken(_))), "{outcome:?}");
}
