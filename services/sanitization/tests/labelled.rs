//! Language detection on labelled documents. They are no part of the repository; without them the test says so
//! and passes.

use millrace_sanitization::language;
use std::path::Path;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/pii/synth_docs.jsonl");
const FLOOR: f64 = 0.99;

#[test]
fn languages_hold_their_figure() {
    let Ok(lines) = std::fs::read_to_string(Path::new(CORPUS)) else {
        println!("SKIPPED: no labelled documents at {CORPUS}, nothing was measured");
        return;
    };
    let (mut right, mut all) = (0, 0);
    for line in lines.lines() {
        let json: serde_json::Value = serde_json::from_str(line).expect("a line of the corpus is JSON");
        let text = json["text"].as_str().expect("text");
        right +=
            usize::from(language::detect(text.lines()).code == json["language"].as_str().expect("language"));
        all += 1;
    }
    let share = f64::from(u32::try_from(right).expect("few")) / f64::from(all);
    println!("language {all:>5} right: {share:.4}");
    assert!(share >= FLOOR, "languages fell to {share:.4}");
}
