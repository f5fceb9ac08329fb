//! Documents that attack their reader, and readers that have been taken over: whatever a child does, the
//! parent answers in time, holds no more than it must, and says what happened.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

mod attacks;

use millrace_contract::Pages;
use millrace_extraction::pdf::EngineChoice;
use millrace_extraction::{Limit, MediaType, Options, ReadError, Source, Text, read_whole};
use millrace_testkit::hostile::{pages, says, stream, zipped};

fn options() -> Options {
    Options { child_program: Some(env!("CARGO_BIN_EXE_millrace-extraction").into()), ..Options::default() }
}

fn read_pdf(bytes: &[u8], options: &Options) -> Result<Text, ReadError> {
    read_whole(MediaType::Pdf, Source::Bytes(bytes), options, &mut |_, _| {})
}

/// A stand-in for a child out of `tests/children`, which does what a child should not.
fn pretend(child: &str) -> Result<Text, ReadError> {
    let program: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/children").join(child);
    assert!(program.exists(), "{}", program.display());
    let options = Options {
        child_program: Some(program),
        // No second reading: each of these would fail it too.
        pdf_engine: EngineChoice::Hayro,
        max_wall_seconds: 2,
        ..Options::default()
    };
    let begun = Instant::now();
    let result = read_pdf(b"%PDF-1.7", &options);
    assert!(begun.elapsed() < Duration::from_secs(10), "{child} took {:?}", begun.elapsed());
    result
}

fn death(child: &str) -> String {
    match pretend(child) {
        Err(ReadError::ChildDied(cause)) => cause,
        other => panic!("{child}: {other:?}"),
    }
}

#[test]
fn deaths_are_told_with_their_cause() {
    assert_eq!(death("killed"), "SIGKILL");
    assert_eq!(death("silent"), "exit 0");
    assert_eq!(death("truncated"), "exit 0, in the middle of a frame");
    assert_eq!(death("sorry"), "exit 101: panicked at unpdf-0.52.1/src/lib.rs:1");
    assert_eq!(death("aloof"), "it closed its streams and lived on");
}

#[test]
fn lies_end_the_conversation() {
    assert_eq!(death("giant"), "it answered with a frame of 4294967295 bytes");
    assert_eq!(death("liar"), "it answered with pages out of order");
    assert_eq!(death("early"), "it answered with fewer pages than it promised");
    assert!(matches!(pretend("boastful"), Err(ReadError::LimitExceeded(Limit::Pages))));
}

#[test]
fn pages_outlive_one_death_after_another() {
    let text = pretend("mortal").expect("what was read of it");
    let read = |page: &millrace_extraction::Page| !page.blocks.is_empty();
    let numbers: Vec<u32> = text.pages.iter().filter(|page| read(page)).map(|page| page.number).collect();
    assert_eq!(numbers, [1, 3, 5, 7, 9, 11], "each child has read one, and died of the next");
    assert_eq!(text.pages.len(), 20, "after so many deaths the rest is given up");
    assert!(text.pages.iter().all(|page| read(page) != page.lost));
    assert!(text.incomplete && text.given_up);
}

#[test]
fn silence_and_endless_talk_are_cut_off() {
    assert!(matches!(pretend("asleep"), Err(ReadError::LimitExceeded(Limit::Wall))));
    assert!(matches!(pretend("chatty"), Err(ReadError::LimitExceeded(Limit::Wall))));
}

#[test]
fn a_child_that_cannot_start_is_our_fault_not_the_document_s() {
    let options = Options { child_program: Some("/nonexistent".into()), ..Options::default() };
    assert!(matches!(read_pdf(b"%PDF-1.7", &options), Err(ReadError::Io(_))));
}

#[test]
fn an_honest_document_passes_for_comparison() {
    let file = pages(&[says("The first page of six words"), says("and the second one after it")], "", &[]);
    let mut seen = Vec::new();
    let text = read_whole(MediaType::Pdf, Source::Bytes(&file), &options(), &mut |p, total| {
        seen.push((p.number, total))
    });
    let text = text.expect("text");
    assert_eq!(seen, [(1, 2), (2, 2)]);
    assert_eq!(text.pages[1].blocks[0].text, "and the second one after it");
    assert_eq!(text.agreement, Some(1.0));

    let mut junk = b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n".to_vec();
    junk.extend(file);
    assert_eq!(read_pdf(&junk, &options()).expect("text"), text, "what stands before the header is cut");
}

#[test]
fn pages_and_text_are_limited() {
    let file = pages(&[says("one"), says("two"), says("three")], "", &[]);
    let few = Options { max_pages: 2, ..options() };
    assert!(matches!(read_pdf(&file, &few), Err(ReadError::LimitExceeded(Limit::Pages))));
    let short = Options { max_text_bytes: 5, ..options() };
    assert!(matches!(read_pdf(&file, &short), Err(ReadError::LimitExceeded(Limit::Text))));
}

#[test]
fn documents_without_text_say_why() {
    assert!(matches!(read_pdf(b"", &options()), Err(ReadError::Empty)));
    assert!(matches!(read_pdf(&pages(&[says(""), says(" ")], "", &[]), &options()), Err(ReadError::Empty)));
    assert!(matches!(read_pdf(b"no header", &options()), Err(ReadError::Broken(_))));
    let whole = pages(&[says("one two three four five")], "", &[]);
    let result = read_pdf(&whole[..60], &options());
    assert!(matches!(result, Err(ReadError::Broken(_))), "cut off early: {result:?}");
}

#[test]
fn lost_pages_are_not_passed_over_in_silence() {
    let file = pages(&[says("one two three four five"), says("the page that will be lost")], "", &[]);
    assert!(!read_pdf(&file, &options()).expect("text").incomplete);
    let second = file.windows(8).position(|at| at == b"\n6 0 obj").expect("the second page");
    let text = read_pdf(&file[..second], &options()).expect("text");
    assert_eq!(text.pages[0].blocks[0].text, "one two three four five");
    assert!(text.incomplete, "{text:?}");
}

/// Forms of which each paints the next one twenty times: a billion billion of the last.
fn forms_that_laugh() -> Vec<Vec<u8>> {
    (0..12)
        .map(|level| {
            let resources =
                format!("/Resources<</Font<</F 3 0 R>>/XObject<</X {} 0 R>>>>", LAUGHING + 1 + level);
            let paint = if level == 11 { "BT /F 9 Tf (x) Tj ET".to_owned() } else { "/X Do ".repeat(20) };
            stream(&format!("/Type/XObject/Subtype/Form/BBox[0 0 600 800]{resources}"), paint.as_bytes())
        })
        .collect()
}

/// The number of the first of them in a document of four pages.
const LAUGHING: usize = 12;

#[test]
fn pages_that_were_read_survive_the_one_that_kills() {
    let contents = [
        says("The first page of six words"),
        says("and the second one after it"),
        stream("", b"/X Do"),
        says("the last"),
    ];
    let file = pages(&contents, &format!("/XObject<</X {LAUGHING} 0 R>>"), &forms_that_laugh());
    for engine in [EngineChoice::Auto, EngineChoice::Hayro] {
        let options = Options { pdf_engine: engine, max_cpu_seconds: 1, ..options() };
        let text = read_pdf(&file, &options).expect("the pages that can be read");
        let read: Vec<(u32, bool, bool)> =
            text.pages.iter().map(|page| (page.number, page.lost, page.blocks.is_empty())).collect();
        assert_eq!(
            read,
            [(1, false, false), (2, false, false), (3, true, true), (4, false, false)],
            "{engine:?}"
        );
        assert!(text.incomplete && text.pages[2].needs_recognition());
        let asked = Options { wanted: Pages::read("2-3").expect("pages"), ..options };
        let text = read_pdf(&file, &asked).expect("the second page");
        assert_eq!(
            text.pages.iter().map(|page| (page.number, page.lost)).collect::<Vec<_>>(),
            [(2, false), (3, true)]
        );
        let alone = Options { wanted: Pages::read("3").expect("pages"), ..asked };
        assert!(matches!(read_pdf(&file, &alone), Err(ReadError::LimitExceeded(Limit::Cpu))));
    }
}

#[test]
fn memory_is_limited() {
    let content = zipped("", &[b' '; 1 << 20], 1024);
    let file = pages(&[content], "", &[]);
    let result = read_pdf(&file, &Options { max_memory_mib: 300, ..options() });
    assert!(matches!(result, Err(ReadError::LimitExceeded(Limit::Memory))), "{result:?}");
}

#[test]
fn time_is_limited() {
    let contents = [stream("", b"/X Do"), says(""), says(""), says("")];
    let file = pages(&contents, &format!("/XObject<</X {LAUGHING} 0 R>>"), &forms_that_laugh());
    let begun = Instant::now();
    let hayro = Options { pdf_engine: EngineChoice::Hayro, max_cpu_seconds: 1, ..options() };
    let result = read_pdf(&file, &hayro);
    assert!(matches!(result, Err(ReadError::LimitExceeded(Limit::Cpu))), "{result:?}");
    let result = read_pdf(&file, &Options { max_wall_seconds: 2, ..hayro });
    assert!(result.is_err() && begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());

    let html = "<div>".repeat(200_000);
    let result = read_whole(
        MediaType::Html,
        Source::Bytes(html.as_bytes()),
        &Options { max_cpu_seconds: 1, ..options() },
        &mut |_, _| {},
    );
    assert!(matches!(result, Err(ReadError::LimitExceeded(_))), "{result:?}");
}

#[test]
fn one_engine_s_stack_overflow_is_the_other_s_turn() {
    let deep = "[".repeat(4_000_000) + &"]".repeat(4_000_000);
    let more = [deep.into_bytes()];
    let file = pages(&[says("still five words to read")], "/Properties 6 0 R", &more);
    let alone = read_pdf(&file, &Options { pdf_engine: EngineChoice::Unpdf, ..options() });
    println!("unpdf alone: {alone:?}");
    let text = read_pdf(&file, &options()).expect("text");
    println!("auto: {text:?}");
    assert_eq!(text.pages[0].blocks[0].text, "still five words to read");
}
