//! However long a document is, who has it read holds no more of it than a page.

#![expect(clippy::print_stdout, reason = "it is its own test harness")]

use std::fs::File;
use std::process::Command;

use millrace_extraction::{MediaType, Options, Source, read};
use millrace_testkit::hostile::{pages, stream};

const PAGES: usize = 2000;

/// More than the parts of one page, and much less than the text of them all: 8 MB, and as much again for its boxes.
const ALLOWED_KB: u64 = 4 << 10;

fn long_document() -> Vec<u8> {
    let page = |number: usize| {
        let lines: String = (0..50)
            .map(|line| format!("(Line {line} of page {number}: every lot was delivered to its store in good order, and so it was put down.) Tj T*\n"))
            .collect();
        stream("", format!("BT /F 9 Tf 14 TL 40 780 Td\n{lines}ET").as_bytes())
    };
    pages(&(1..=PAGES).map(page).collect::<Vec<_>>(), "", &[])
}

/// The most memory that this process ever had, kB.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}

fn main() {
    // Whoever makes the document has had it in memory: another process.
    if let Some(path) = std::env::args().nth(1).filter(|path| path.starts_with('/')) {
        std::fs::write(path, long_document()).expect("room for it");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("long.pdf");
    let made = Command::new(std::env::current_exe().expect("this program")).arg(&path).status();
    assert!(made.expect("it starts").success());

    let options = Options {
        child_program: Some(env!("CARGO_BIN_EXE_millrace-extraction").into()),
        max_wall_seconds: 600,
        ..Options::default()
    };
    let before = peak_kb();
    let mut seen = 0;
    let file = File::open(&path).expect("the document");
    let text = read(MediaType::Pdf, Source::File(file), &options, &mut |_, _| seen += 1).expect("text");
    let more = peak_kb().saturating_sub(before);
    let bytes: u64 = text.pages.notes().iter().map(|page| page.text_bytes).sum();
    assert_eq!((seen, text.pages.len()), (PAGES, PAGES));
    assert!(bytes > (2 * ALLOWED_KB) << 10, "{bytes} bytes of text prove nothing");
    assert!(more < ALLOWED_KB, "{more} kB for {bytes} bytes of text");
    println!("{more} kB more for {bytes} bytes of text on {PAGES} pages");
}
