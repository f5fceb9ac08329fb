//! Our own samples, written by hand: sentences of the languages in which a kind is met, and what only looks like one.
//! Each kind has some, and keeps what it reaches on them.

use millrace_pii::{KINDS, LITERAL, Options, scan};
use millrace_testkit::labelled::{Document, Table, samples};
use std::collections::BTreeMap;

const FILES: &[(&str, &str)] = &[
    ("contact", include_str!("samples/contact.txt")),
    ("money", include_str!("samples/money.txt")),
    ("national", include_str!("samples/national.txt")),
    ("network", include_str!("samples/network.txt")),
    ("nothing", include_str!("samples/nothing.txt")),
    ("personal", include_str!("samples/personal.txt")),
    ("vat", include_str!("samples/vat.txt")),
];

/// How many samples of a kind there must be.
const LEAST: usize = 5;
/// F1 below which something broke, by kind; the others: [`FLOOR`].
// Of a list of versions, the last one is far from the word that says so.
const FLOORS: &[(&str, f64)] = &[("IP", 0.96)];
const FLOOR: f64 = 1.0;

fn documents() -> Vec<Document> {
    let file = |(name, text): &(&str, &str)| {
        samples(text)
            .unwrap_or_else(|error| panic!("{name}: {error:#}"))
            .into_iter()
            .map(|document| Document { id: format!("{name}.txt:{}", document.id), ..document })
            .collect::<Vec<_>>()
    };
    FILES.iter().flat_map(file).collect()
}

#[test]
fn every_kind_has_samples_and_keeps_what_it_reaches() {
    let documents = documents();
    let mut table = Table::new(KINDS.iter().map(|kind| kind.name));
    for document in &documents {
        for (label, range) in &document.spans {
            assert!(
                table.scores.contains_key(label),
                "{}: no kind is called {label} ({range:?})",
                document.id
            );
        }
        let spans = scan(&document.text, &Options::default().with_names()).into_iter();
        let found: Vec<_> = spans.map(|span| (span.kind.to_owned(), span.range)).collect();
        let before = table.errors.len();
        table.add(document, &found, &[]);
        for error in &table.errors[before..] {
            println!("{}: {error}", document.id);
        }
    }
    let mut fallen = Vec::new();
    for (kind, score) in &table.scores {
        println!(
            "{kind:<16} {:>4} precision {:.3} recall {:.3} F1 {:.3} masked {:.3}",
            score.wanted,
            score.precision(),
            score.recall(),
            score.f1(),
            score.fully_masked()
        );
        assert!(score.wanted >= LEAST, "{kind} has {} samples; tests/samples wants {LEAST}", score.wanted);
        let floor = FLOORS.iter().find(|(k, _)| k == kind).map_or(FLOOR, |(_, floor)| *floor);
        if score.f1() < floor {
            fallen.push(format!("{kind} to {:.4}", score.f1()));
        }
    }
    assert!(fallen.is_empty(), "fallen: {}", fallen.join(", "));
}

/// What is found where nothing is says that a rule is too wide; what is said of no kind at all must stay whole.
#[test]
fn nothing_is_found_where_nothing_is() {
    let nothing = documents().into_iter().filter(|document| document.id.starts_with("nothing"));
    let found: Vec<String> = nothing
        .flat_map(|document| {
            let spans = scan(&document.text, &Options::default());
            spans
                .into_iter()
                .map(move |span| format!("{} {} {:?}", document.id, span.kind, &document.text[span.range]))
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn samples_hold_no_placeholder() {
    let mut languages: BTreeMap<String, usize> = BTreeMap::new();
    for document in documents() {
        assert!(
            scan(&document.text, &Options::default()).iter().all(|span| span.kind != LITERAL),
            "{}",
            document.id
        );
        *languages.entry(document.language).or_default() += 1;
    }
    println!("{languages:?}");
}
