//! Finding personal data, measured: what is found and what is wrongly found, what it costs, beside Presidio on the same
//! texts.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::Parser as _;
use millrace_bench::pii::{self, LABELS};
use millrace_bench::presidio::{self, Presidio};
use millrace_bench::process::peak_mb;
use millrace_bench::{tokens, trimming};
use millrace_contract::wire::DocumentText;
use millrace_pii::{Options, scan};
use millrace_sanitization::clean::page;
use millrace_sanitization::sanitize::sanitize;
use millrace_sanitization::signals;
use millrace_testkit::labelled::{Document, Score, Table, around};
use millrace_testkit::root;
use serde_json::{Map, Value, json};

/// Measure the search for personal data.
#[derive(clap::Parser)]
struct Line {
    #[command(subcommand)]
    part: Option<Part>,
    /// Prose: a text file with a paragraph a line, or a folder of them, named by language [default: what stands between
    /// the values of the labelled documents]
    #[arg(long)]
    prose: Option<PathBuf>,
    /// Gemini's published SentencePiece model (in the crate gemini-tokenizer 0.2.0, `resources/`), to count tokens with
    #[arg(long)]
    gemini_vocabulary: Option<PathBuf>,
    /// Leave Presidio out
    #[arg(long)]
    no_presidio: bool,
    /// Print what was missed and what was wrongly found
    #[arg(long)]
    show: bool,
}

#[derive(clap::Subcommand)]
enum Part {
    /// Search the texts of a file, one a line as JSON, and say how much memory that took
    #[command(hide = true)]
    Memory {
        file: PathBuf,
        #[arg(long)]
        names: bool,
    },
}

fn main() -> Result<()> {
    let line = Line::parse();
    match &line.part {
        Some(Part::Memory { file, names }) => memory(file, *names),
        None => measure(&line),
    }
}

fn options(names: bool) -> Options {
    if names { Options::default().with_names() } else { Options::default() }
}

/// Labelled documents, and what of them is scored.
struct Set<'l> {
    name: &'static str,
    documents: Vec<Document>,
    labels: Vec<&'l str>,
    /// Whether every value of a label is labelled: otherwise what is found besides may be right.
    complete: bool,
    names: bool,
}

const ADDRESS: &str = "ADDRESS";
const PERSON: &str = "PERSON";

fn sets(folder: &std::path::Path) -> Result<Vec<Set<'static>>> {
    let set = |name, labels: &[&'static str], complete, names| -> Result<Set<'static>> {
        let documents = pii::documents(folder, name)?;
        Ok(Set { name, documents, labels: labels.to_vec(), complete, names })
    };
    let with_address: Vec<&str> = LABELS.into_iter().chain([ADDRESS]).collect();
    let patterns = ["EMAIL", "PHONE", "CREDIT_CARD", "IBAN", "US_SSN", "IP_ADDRESS", "URL"];
    let written = ["EMAIL", "PHONE", "CREDIT_CARD", "IBAN", "US_SSN", "IN_AADHAAR", "IN_PAN"];
    Ok(vec![
        set("synth_docs", &with_address, true, false)?,
        set("presidio_research_v2", &patterns, true, false)?,
        set("nannigalaxy_nano_en", &written, true, false)?,
        set("presidio_recognizer_tests", &presidio::LABELS, false, false)?,
        set("presidio_research_v2", &[PERSON], true, true)?,
        set("nannigalaxy_nano_en", &[PERSON], true, true)?,
        set("synth_docs", &[PERSON], false, true)?,
    ])
}

fn measure(line: &Line) -> Result<()> {
    let root = root();
    std::fs::create_dir_all(root.join("target/bench"))?;
    let own = pii::own(&root)?;
    let mut source = "corpus";
    let sets = sets(&pii::corpus(&root)).unwrap_or_else(|error| {
        println!("*** THE LABELLED DOCUMENTS ARE NOT THERE ({error:#}): these figures are of our own samples alone ***\n");
        source = "samples";
        Vec::new()
    });
    let mut own_labels: Vec<&str> =
        own.iter().flat_map(|d| &d.spans).map(|(label, _)| label.as_str()).collect();
    own_labels.sort_unstable();
    own_labels.dedup();

    let dense: &[Document] = sets.first().map_or(&own, |set| &set.documents);
    let prose = match &line.prose {
        Some(path) => pii::prose_of(path)?,
        None => pii::filler(dense),
    };
    let mut asked: Vec<(&str, &[Document])> = vec![("own", &own), ("prose", &prose)];
    for set in &sets {
        if asked.iter().all(|(name, _)| *name != set.name) {
            asked.push((set.name, &set.documents));
        }
    }
    let presidio =
        if line.no_presidio { Err(anyhow::anyhow!("left out")) } else { presidio::run(&root, &asked) };
    let presidio = presidio.inspect_err(|error| println!("*** NO PRESIDIO: {error:#} ***\n")).ok();

    let mut report = Map::new();
    let mut scored = Map::new();
    let mut main = None;
    for set in &sets {
        let (ours, theirs) = score(set, presidio.as_ref(), line.show);
        let name = if set.names { format!("{} names", set.name) } else { set.name.to_owned() };
        show(&name, set, &ours, theirs.as_ref());
        scored.insert(
            name,
            json!({"millrace": table(&ours, set), "presidio": theirs.as_ref().map(|t| table(t, set))}),
        );
        if main.is_none() {
            main = Some((ours, theirs, set));
        }
    }
    let all =
        Set { name: "own", documents: own.clone(), labels: own_labels.clone(), complete: true, names: true };
    let (ours, theirs) = score(&all, presidio.as_ref(), line.show);
    show("our own samples", &all, &ours, None);
    scored.insert("own".to_owned(), table(&ours, &all));
    let (ours, theirs, set) =
        main.as_ref().map_or((&ours, theirs.as_ref(), &all), |(o, t, s)| (o, t.as_ref(), *s));

    headline(&mut report, ours, set);
    let mut beside = Map::new();
    if let Some((theirs, presidio)) = theirs.zip(presidio.as_ref()) {
        headline(&mut beside, theirs, set);
        let (us, them) = (ours.total(presidio::LABELS).f1(), theirs.total(presidio::LABELS).f1());
        println!("\non Presidio's own 18 types: {us:.4}, Presidio {them:.4}, {:+.4} (goal: +.05)", us - them);
        report.insert(
            "own_18_types".to_owned(),
            json!({"micro_f1": us, "presidio": them, "margin": us - them}),
        );
        let speed = |name: &str| presidio.speed.get(name).copied();
        let dense = if sets.is_empty() { "own" } else { "synth_docs" };
        beside.insert("mb_per_cpu_s_dense".to_owned(), json!(speed(dense)));
        beside.insert("mb_per_cpu_s_prose".to_owned(), json!(speed("prose")));
        beside.insert("rss_mb".to_owned(), json!(presidio.rss_mb));
    }
    cost(&mut report, &beside, dense, &prose)?;
    prose_spans(&mut report, &mut beside, &prose, presidio.as_ref(), line.show);

    let texts = tokens::texts(&root, if sets.is_empty() { &[] } else { dense })?;
    report.insert("tokens".to_owned(), tokens::measure(&root, &texts, line.gemini_vocabulary.as_deref())?);
    match trimming::measure(&root) {
        Ok(saved) => drop(report.insert("trimming".to_owned(), saved)),
        Err(error) => println!("\n*** NO DOCUMENTS TO CLEAN UP: {error:#} ***"),
    }
    report.insert("source".to_owned(), json!(source));
    report.insert("presidio".to_owned(), if beside.is_empty() { Value::Null } else { Value::Object(beside) });
    report.insert("sets".to_owned(), Value::Object(scored));
    let path = root.join("target/bench/sanitization.json");
    std::fs::write(&path, format!("{:#}\n", Value::Object(report)))?;
    println!("\nwritten to target/bench/sanitization.json");
    Ok(())
}

/// Both tables of a set.
fn score(set: &Set<'_>, presidio: Option<&Presidio>, show: bool) -> (Table, Option<Table>) {
    let new = || Table::new(set.labels.iter().copied());
    let mut ours = new();
    let options = options(set.names);
    for document in &set.documents {
        ours.add(document, &pii::ours(&document.text, &options), &[]);
    }
    if show {
        ours.errors.iter().for_each(|error| println!("{}: {error}", set.name));
    }
    let theirs = presidio.and_then(|presidio| presidio.found.get(set.name)).map(|found| {
        let mut theirs = new();
        for (document, found) in set.documents.iter().zip(found) {
            theirs.add(document, &found.spans, &found.covered);
        }
        theirs
    });
    // Without a model, it has no names.
    (ours, theirs.filter(|_| !set.names))
}

fn show(name: &str, set: &Set<'_>, ours: &Table, theirs: Option<&Table>) {
    let partly = if set.complete { "" } else { " (not every value is labelled: precision says nothing)" };
    println!("\n{name}: {} documents{partly}", set.documents.len());
    println!(
        "{:16} {:>5} {:>9} {:>7} {:>7} {:>7}   Presidio: precision, recall, F1, masked",
        "", "n", "precision", "recall", "F1", "masked"
    );
    let figures = |score: Score| {
        let (p, r, f, m) = (score.precision(), score.recall(), score.f1(), score.fully_masked());
        format!("{p:>9.4} {r:>7.4} {f:>7.4} {m:>7.4}")
    };
    let row = |label: &str, ours: Score, theirs: Option<Score>| {
        println!(
            "{label:16} {:>5} {}   {}",
            ours.wanted,
            figures(ours),
            theirs.map(figures).unwrap_or_default()
        );
    };
    for (label, score) in ours.scores.iter().filter(|(_, score)| score.wanted + score.found > 0) {
        row(label, *score, theirs.and_then(|t| t.scores.get(label)).copied());
    }
    let patterns = || set.labels.iter().copied().filter(|label| *label != ADDRESS);
    row("all but ADDRESS", ours.total(patterns()), theirs.map(|t| t.total(patterns())));
}

fn table(table: &Table, set: &Set<'_>) -> Value {
    let figures = |score: Score| {
        let (precision, f1) = if set.complete {
            (json!(score.precision()), json!(score.f1()))
        } else {
            (Value::Null, Value::Null)
        };
        json!({"n": score.wanted, "precision": precision, "recall": score.recall(), "f1": f1, "fully_masked": score.fully_masked()})
    };
    let types: BTreeMap<&str, Value> =
        table.scores.iter().map(|(label, score)| (label.as_str(), figures(*score))).collect();
    json!({"types": types, "all_but_address": figures(table.total(set.labels.iter().copied().filter(|l| *l != ADDRESS)))})
}

/// The figures that everything else is compared by.
fn headline(report: &mut Map<String, Value>, ours: &Table, set: &Set<'_>) {
    let total = ours.total(LABELS);
    let types = table(ours, set)["types"].take();
    report.insert("micro_f1".to_owned(), json!(total.f1()));
    report.insert("fully_masked".to_owned(), json!(total.fully_masked()));
    report.insert("types".to_owned(), types);
}

/// Time and memory.
fn cost(
    report: &mut Map<String, Value>,
    beside: &Map<String, Value>,
    dense: &[Document],
    prose: &[Document],
) -> Result<()> {
    let file = root().join("target/bench/sanitization-texts.jsonl");
    let lines: Vec<String> = dense.iter().chain(prose).map(|d| json!(d.text).to_string() + "\n").collect();
    std::fs::write(&file, lines.concat())?;
    let memory = |names: bool| -> Result<f64> {
        let said = Command::new(std::env::current_exe()?)
            .arg("memory")
            .arg(&file)
            .args(names.then_some("--names"))
            .output()?;
        String::from_utf8_lossy(&said.stdout).trim().parse().context("memory was not measured")
    };
    let engine = |names: bool| {
        let options = options(names);
        move |document: &Document| drop(std::hint::black_box(scan(&document.text, &options)))
    };
    let looked = |document: &Document| {
        drop(std::hint::black_box(signals::find(&[page(1, document.text.split("\n\n"))], Vec::new())));
    };
    let stage = |document: &Document| {
        let text =
            DocumentText { pages: vec![page(1, document.text.split("\n\n"))], ..DocumentText::default() };
        drop(std::hint::black_box(sanitize(text)));
    };
    println!(
        "\nMB a CPU second {:>10} {:>10}   ({} kB dense, {} kB prose)",
        "dense",
        "prose",
        pii::bytes(dense) / 1000,
        pii::bytes(prose) / 1000
    );
    let mut measured = |name: &str, key: &str, work: &dyn Fn(&Document)| -> Result<()> {
        let (d, p) = (pii::mb_per_cpu_s(dense, work)?, pii::mb_per_cpu_s(prose, work)?);
        println!("{name:15} {d:>10.2} {p:>10.2}");
        report.insert(format!("{key}_dense"), json!(d));
        report.insert(format!("{key}_prose"), json!(p));
        Ok(())
    };
    measured("engine", "mb_per_cpu_s", &engine(false))?;
    measured("with names", "mb_per_cpu_s_names", &engine(true))?;
    measured("signals", "mb_per_cpu_s_signals", &looked)?;
    measured("whole stage", "mb_per_cpu_s_stage", &stage)?;
    if let (Some(d), Some(p)) = (
        beside.get("mb_per_cpu_s_dense").and_then(Value::as_f64),
        beside.get("mb_per_cpu_s_prose").and_then(Value::as_f64),
    ) {
        println!("{:15} {d:>10.3} {p:>10.3}", "Presidio");
    }
    let (plain, names) = (memory(false)?, memory(true)?);
    println!(
        "peak memory of a process that only searches: {plain:.1} MB, with names {names:.1} MB; Presidio {} MB",
        beside.get("rss_mb").and_then(Value::as_f64).map_or("-".to_owned(), |mb| format!("{mb:.0}"))
    );
    report.insert("rss_mb".to_owned(), json!(plain));
    report.insert("rss_mb_names".to_owned(), json!(names));
    Ok(())
}

fn memory(file: &std::path::Path, names: bool) -> Result<()> {
    let options = options(names);
    let mut found = 0;
    for line in BufReader::new(std::fs::File::open(file)?).lines() {
        let text: String = serde_json::from_str(&line?)?;
        found += scan(&text, &options).len();
    }
    std::hint::black_box(found);
    println!("{}", peak_mb(std::process::id()));
    Ok(())
}

/// What is found in prose. Addresses of mail and of pages are what they look like; the rest is counted as wrong, unread.
fn prose_spans(
    report: &mut Map<String, Value>,
    beside: &mut Map<String, Value>,
    prose: &[Document],
    presidio: Option<&Presidio>,
    show: bool,
) {
    const RIGHT: [&str; 3] = ["EMAIL", "URL", "DATE"];
    let megabytes = pii::bytes(prose) as f64 / 1e6;
    let ours: Vec<Vec<_>> = prose.iter().map(|d| pii::ours(&d.text, &Options::default())).collect();
    let theirs = presidio.and_then(|p| p.found.get("prose"));
    let theirs: Option<Vec<Vec<_>>> = theirs.map(|found| found.iter().map(|f| f.spans.clone()).collect());
    println!(
        "\nfound in {megabytes:.2} MB of prose, read by nobody (but for addresses of mail and of pages, counted as wrong):"
    );
    for (name, report, found) in
        [("millrace", &mut *report, Some(&ours)), ("Presidio", beside, theirs.as_ref())]
    {
        let Some(found) = found else { continue };
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for (document, found) in prose.iter().zip(found) {
            for (label, range) in found {
                *kinds.entry(label).or_default() += 1;
                if show && name == "millrace" {
                    println!("prose {label}: {}", around(&document.text, range));
                }
            }
        }
        let wrong: usize = kinds.iter().filter(|(label, _)| !RIGHT.contains(label)).map(|(_, n)| n).sum();
        println!("{name:10} {:>6.1} a MB   {kinds:?}", wrong as f64 / megabytes);
        report.insert("false_spans_per_mb_prose".to_owned(), json!(wrong as f64 / megabytes));
        report.insert("prose_spans".to_owned(), json!(kinds));
    }
}
