//! Precision and recall on labelled documents, which are no part of the repository: without them the test says
//! so and passes. Samples of every kind that are part of it: `samples.rs`.

use millrace_pii::{Options, scan};
use millrace_testkit::labelled::{LABELS, Table, label, load};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/pii/synth_docs.jsonl");

/// F1 below which something broke, by label; the others: [`FLOOR`].
const FLOORS: &[(&str, f64)] = &[("PHONE", 0.97), ("CREDIT_CARD", 0.98), ("ADDRESS", 0.85), ("URL", 0.98)];
const FLOOR: f64 = 0.99;
const MICRO_FLOOR: f64 = 0.99;
const MASKED_FLOOR: f64 = 0.999;

/// Labels of which the documents do not mark every instance, or none.
const UNSCORED: &[&str] =
    &["PERSON", "PASSPORT", "PL_PESEL", "SE_PERSONNUMMER", "BR_CNPJ", "NL_BSN", "PT_NIF"];

#[test]
fn the_engine_holds_its_figures() {
    let Ok(lines) = std::fs::read_to_string(CORPUS) else {
        println!("SKIPPED: no labelled documents at {CORPUS}, nothing was measured");
        return;
    };
    let labels: Vec<&str> = LABELS.iter().map(|(_, l)| *l).filter(|l| !UNSCORED.contains(l)).collect();
    let mut table = Table::new(labels.iter().copied());
    for document in load(&lines).expect("labelled documents") {
        let found: Vec<_> = scan(&document.text, &Options::default())
            .into_iter()
            .map(|span| (label(span.kind).to_owned(), span.range))
            .collect();
        table.add(&document, &found, &[]);
    }
    if std::env::var_os("SHOW_ERRORS").is_some() {
        table.errors.iter().for_each(|error| println!("{error}"));
    }
    let total = table.total(labels.iter().copied().filter(|l| *l != "ADDRESS"));
    println!("{:<16} {:>5} {:>9} {:>6} {:>6} {:>6}", "label", "n", "precision", "recall", "F1", "masked");
    for (label, score) in
        table.scores.iter().map(|(l, s)| (l.as_str(), *s)).chain([("all but ADDRESS", total)])
    {
        let (precision, recall, f1, masked) =
            (score.precision(), score.recall(), score.f1(), score.fully_masked());
        println!("{label:<16} {:>5} {precision:>9.4} {recall:>6.4} {f1:>6.4} {masked:>6.4}", score.wanted);
    }
    for (label, score) in &table.scores {
        let floor = FLOORS.iter().find(|(l, _)| l == label).map_or(FLOOR, |(_, f)| *f);
        assert!(score.f1() >= floor, "{label} fell to {:.4}", score.f1());
    }
    assert!(total.f1() >= MICRO_FLOOR, "all together fell to {:.4}", total.f1());
    assert!(total.fully_masked() >= MASKED_FLOOR, "masked fell to {:.4}", total.fully_masked());
}
