//! A smoke run of the fuzz target `redaction`: see docs/fuzzing.md.

use millrace_testkit::adversarial::{PIECES, UNITS};
use millrace_testkit::labelled::samples;

#[path = "../../../fuzz/mutate.rs"]
mod mutate;
#[path = "../../../fuzz/targets/redaction.rs"]
mod target;

#[test]
fn whatever_is_taken_out_comes_back() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("samples").filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let mut texts: Vec<String> = files
        .iter()
        .flat_map(|file| samples(&std::fs::read_to_string(file).expect("a file")).expect("samples"))
        .map(|sample| sample.text)
        .collect();
    assert!(texts.len() > 300, "{} samples", texts.len());
    texts.extend(UNITS.iter().map(|unit| unit.repeat(48 / unit.len())));
    texts.extend(PIECES.chunks(7).map(|pieces| pieces.concat()));
    let seeds: Vec<Vec<u8>> =
        (0u8..=255).cycle().zip(texts).map(|(n, text)| [vec![n], text.into_bytes()].concat()).collect();
    mutate::smoke(&seeds, 6_000, target::run);
}
