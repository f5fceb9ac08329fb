//! Reading PDFs, measured: what is found, how it ends, what it costs, beside other readers on the same files.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser as _;
use millrace_bench::client::Client;
use millrace_bench::peers::{self, Reading};
use millrace_bench::provider::Provider;
use millrace_bench::reading::{self, Case};
use millrace_bench::system::System;
use millrace_extraction::pdf::EngineChoice;
use millrace_extraction::{MediaType, Options, ReadError, Source, Text};
use millrace_testkit::provider::Config;
use millrace_testkit::{Nats, binary, root};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use serde_json::{Value, json};

/// Measure the reading of PDFs.
#[derive(clap::Parser)]
struct Line {
    #[command(subcommand)]
    part: Option<Part>,
    /// Read with the samples of this repository even if the corpus is there
    #[arg(long)]
    samples: bool,
    /// The program whose reading process is measured; the one built beside this one if not given
    #[arg(long, global = true)]
    program: Option<PathBuf>,
    /// Which engine reads
    #[arg(long, global = true, value_enum, default_value_t)]
    engine: EngineChoice,
    /// Leave out the run through the whole system
    #[arg(long)]
    no_system: bool,
}

#[derive(clap::Subcommand)]
enum Part {
    /// Read one file, and say what its reading process cost
    #[command(hide = true)]
    One { file: PathBuf },
    /// Run a program, and say on standard error what it cost
    #[command(hide = true)]
    Cost {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
}

fn main() -> Result<()> {
    let line = Line::parse();
    match &line.part {
        Some(Part::One { file }) => one(file, &line),
        Some(Part::Cost { command }) => cost(command),
        None => measure(&line),
    }
}

/// User and system time, milliseconds.
fn cpu_ms(usage: &Usage) -> f64 {
    let part = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e3 + time.tv_usec() as f64 / 1e3;
    part(usage.user_time()) + part(usage.system_time())
}

fn peak_mb(usage: &Usage) -> f64 {
    usage.max_rss() as f64 / 1024.0
}

#[expect(clippy::print_stderr, reason = "its standard output is the program's own")]
fn cost(command: &[String]) -> Result<()> {
    let (program, arguments) = command.split_first().context("no program")?;
    let ended = Command::new(program).args(arguments).status()?;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let said = json!({"ok": ended.success(), "cpu_ms": cpu_ms(&usage), "peak_mb": peak_mb(&usage)});
    eprintln!("\n{said}");
    Ok(())
}

/// The parent's code as the service runs it, with the program users run as the reading process. What that one used is
/// what all ended children of this process used, but for those that were asked once what they can do: a service looks
/// for tesseract when it starts, not for each document.
fn one(path: &Path, line: &Line) -> Result<()> {
    let options = Options {
        pdf_engine: line.engine,
        child_program: line.program.clone().or_else(|| Some(binary("millrace-extraction"))),
        max_wall_seconds: 600,
        ..Options::default()
    }
    .found();
    let before = getrusage(UsageWho::RUSAGE_SELF)?;
    let asked = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let result =
        millrace_extraction::read(MediaType::Pdf, Source::File(File::open(path)?), &options, &mut |_, _| {});
    // What the parent needs is measured before anybody looks at the text as a whole.
    let own = getrusage(UsageWho::RUSAGE_SELF)?;
    let child = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let result = match result {
        Ok(text) => Ok(text.whole()?),
        Err(error) => Err(error),
    };
    let text = result.as_ref().ok();
    let words = text.map(|text| {
        let pages = text
            .pages
            .iter()
            .map(|page| page.blocks.iter().map(|block| block.text.as_str()).collect::<Vec<_>>().join("\n\n"));
        pages.collect::<Vec<_>>().join("\x0c")
    });
    let said = json!({
        "end": end(&result),
        "text": words,
        "engine": text.map(|text| text.engine.as_str()),
        "agreement": text.and_then(|text| text.agreement),
        "cpu_ms": cpu_ms(&child) - cpu_ms(&asked),
        "peak_mb": peak_mb(&child),
        "parent_cpu_ms": cpu_ms(&own) - cpu_ms(&before),
        "parent_peak_mb": peak_mb(&own),
    });
    println!("{said}");
    Ok(())
}

fn end(result: &Result<Text, ReadError>) -> &'static str {
    match result {
        // Read, but by recognition: it is a scan that ended well.
        Ok(text) if text.pages.iter().all(|page| page.recognised || page.words() == 0) => "scanned",
        Ok(_) => "text",
        Err(ReadError::Scanned { .. }) => "scanned",
        Err(ReadError::Encrypted) => "encrypted",
        Err(ReadError::Broken(_)) => "broken",
        Err(ReadError::Empty) => "empty",
        Err(ReadError::LimitExceeded(_)) => "limit",
        Err(_) => "died",
    }
}

/// What became of a file.
struct Ours {
    end: String,
    engine: String,
    agreement: Option<f64>,
    reading: Reading,
    parent_cpu_ms: f64,
    parent_peak_mb: f64,
}

fn ours(case: &Case, line: &Line) -> Result<Ours> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("one").arg(&case.path).args(["--engine", line.engine.name()]);
    if let Some(program) = &line.program {
        command.arg("--program").arg(program);
    }
    let output = command.output()?;
    let Ok(said) = serde_json::from_slice::<Value>(&output.stdout) else {
        let nothing = Ours {
            end: "parent died".to_owned(),
            engine: String::new(),
            agreement: None,
            reading: Reading::default(),
            parent_cpu_ms: 0.0,
            parent_peak_mb: 0.0,
        };
        return Ok(nothing);
    };
    let text = |name: &str| said[name].as_str().map(str::to_owned);
    let number = |name: &str| said[name].as_f64().unwrap_or(0.0);
    Ok(Ours {
        end: text("end").unwrap_or_default(),
        engine: text("engine").unwrap_or_default(),
        agreement: said["agreement"].as_f64(),
        reading: Reading { text: text("text"), cpu_ms: number("cpu_ms"), peak_mb: number("peak_mb") },
        parent_cpu_ms: number("parent_cpu_ms"),
        parent_peak_mb: number("parent_peak_mb"),
    })
}

/// Sums over the files that hold text; the others have nothing to be found or compared.
#[derive(Default)]
struct Sums {
    pages: u32,
    cpu_ms: f64,
    peak_mb: f64,
    found: usize,
    phrases: usize,
    f1: Vec<f64>,
}

impl Sums {
    fn add(&mut self, case: &Case, reading: &Reading, references: &[&str]) {
        let text = reading.text.as_deref().unwrap_or_default();
        self.pages += case.pages;
        self.cpu_ms += reading.cpu_ms;
        self.peak_mb = self.peak_mb.max(reading.peak_mb);
        self.phrases += case.phrases.len();
        self.found += case.phrases.len() - reading::missing(&case.phrases, text).len();
        if !references.is_empty() {
            let sum: f64 = references.iter().map(|other| reading::f1(text, other)).sum();
            self.f1.push(sum / references.len() as f64);
        }
    }

    fn cpu_ms_per_page(&self) -> f64 {
        self.cpu_ms / f64::from(self.pages.max(1))
    }

    fn phrases_pct(&self) -> f64 {
        100.0 * self.found as f64 / self.phrases.max(1) as f64
    }

    fn f1(&self) -> f64 {
        self.f1.iter().sum::<f64>() / self.f1.len().max(1) as f64
    }

    fn row(&self, name: &str) {
        // A reference against itself says nothing.
        let f1 = if CONTESTANTS.contains(&name) { format!("{:.4}", self.f1()) } else { "-".to_owned() };
        println!(
            "{name:12} {:>4}/{:<4} {:>6.1} % {f1:>10} {:>12.2} ms {:>9.1} MB",
            self.found,
            self.phrases,
            self.phrases_pct(),
            self.cpu_ms_per_page(),
            self.peak_mb
        );
    }

    fn json(&self) -> Value {
        json!({
            "phrases_found": self.found,
            "phrases_found_pct": self.phrases_pct(),
            "f1": self.f1(),
            "f1_files": self.f1.len(),
            "pages": self.pages,
            "cpu_ms_per_page": self.cpu_ms_per_page(),
            "peak_rss_mb": self.peak_mb,
        })
    }
}

/// Who is compared with the references; the rest are the references.
const CONTESTANTS: [&str; 2] = ["millrace", "pypdfium2"];

/// Two independent readers that agree this far have the text right between them.
const REFERENCE: f64 = 0.9;

fn measure(line: &Line) -> Result<()> {
    let root = root();
    std::fs::create_dir_all(root.join("target/bench"))?;
    let found = if line.samples { Err(anyhow::anyhow!("not asked for")) } else { reading::corpus(&root) };
    let (source, cases) = match found {
        Ok(cases) => ("corpus", cases),
        Err(error) => {
            println!("*** THE CORPUS IS NOT THERE ({error:#}): these figures are of samples/ alone ***\n");
            ("samples", reading::samples(&root)?)
        }
    };

    let results = cases.iter().map(|case| ours(case, line)).collect::<Result<Vec<_>>>()?;
    let peers = peers::all(&root, &cases, &std::env::current_exe()?);
    let peer = |name: &str, at: usize| -> Option<&str> {
        let (_, readings) = peers.iter().find(|(known, _)| *known == name)?;
        readings.as_ref().ok()?.get(at)?.text.as_deref()
    };

    let mut sums: BTreeMap<&str, Sums> = BTreeMap::new();
    let (mut right, mut files, mut parents) = (0, Vec::new(), (0.0, 0.0_f64));
    for (at, (case, result)) in cases.iter().zip(&results).enumerate() {
        let as_expected = result.end == case.expected;
        right += usize::from(as_expected);
        parents = (parents.0 + result.parent_cpu_ms, parents.1.max(result.parent_peak_mb));
        let text = result.reading.text.as_deref().unwrap_or_default();
        let missing =
            if case.expected == "text" { reading::missing(&case.phrases, text) } else { Vec::new() };
        let mut comparison = (None, None);
        if case.expected == "text" {
            // Neither contestant is a reference: PDFium and we are measured against the other two.
            let references = match (peer("pdftotext", at), peer("pypdf", at)) {
                (Some(one), Some(other)) if reading::f1(one, other) >= REFERENCE => vec![one, other],
                _ => Vec::new(),
            };
            sums.entry("millrace").or_default().add(case, &result.reading, &references);
            for (name, readings) in &peers {
                if let Some(reading) = readings.as_ref().ok().and_then(|readings| readings.get(at)) {
                    sums.entry(name).or_default().add(case, reading, &references);
                }
            }
            let last = |name: &str| sums.get(name).filter(|_| !references.is_empty())?.f1.last().copied();
            comparison = (last("millrace"), last("pypdfium2"));
        }
        let shown = |f1: Option<f64>| f1.map_or_else(|| "  -  ".to_owned(), |f1| format!("{f1:.3}"));
        println!(
            "{:44} {:9} {} {:>2}/{:<2} {:>4} pages {:>7.1} ms {:>6.1} MB  F1 {} PDFium {}  agreement {}  {}",
            case.file.chars().take(44).collect::<String>(),
            result.end,
            if as_expected { "  " } else { "!!" },
            case.phrases.len() - missing.len(),
            case.phrases.len(),
            case.pages,
            result.reading.cpu_ms,
            result.reading.peak_mb,
            shown(comparison.0),
            shown(comparison.1),
            shown(result.agreement),
            result.engine,
        );
        for phrase in &missing {
            println!("        missing: {phrase}");
        }
        files.push(json!({
            "file": case.file,
            "expected": case.expected,
            "end": result.end,
            "missing": missing,
            "phrases": case.phrases.len(),
            "pages": case.pages,
            "cpu_ms": result.reading.cpu_ms,
            "peak_rss_mb": result.reading.peak_mb,
            "f1": comparison.0,
            "pdfium_f1": comparison.1,
            "agreement": result.agreement,
            "engine": result.engine,
        }));
    }

    println!("\n{right} of {} end as they should", cases.len());
    println!("reader         phrases              F1        CPU a page         peak  (files with text)");
    for name in ["millrace", "pypdfium2", "pdftotext", "pypdf"] {
        match (sums.get(name), peers.iter().find(|(known, _)| *known == name)) {
            (_, Some((_, Err(error)))) => println!("{name:12} MISSING: {error:#}"),
            (Some(sums), _) => sums.row(name),
            (None, _) => println!("{name:12} nothing"),
        }
    }
    println!(
        "F1 is against pdftotext and pypdf on the {} files where those two agree to {REFERENCE}. CPU: of millrace and pdftotext whole \
         processes, of the Python libraries a fork after the import.",
        sums.get("millrace").map_or(0, |sums| sums.f1.len())
    );
    let deaths = if line.no_system { Value::Null } else { whole_system(&cases)? };

    let of = |name: &str| sums.get(name);
    let result = json!({
        "source": source,
        "files_measured": cases.len(),
        "phrases_found_pct": of("millrace").map(Sums::phrases_pct),
        "outcomes_right": right,
        "f1": of("millrace").map(Sums::f1),
        "pdfium_f1": of("pypdfium2").map(Sums::f1),
        "cpu_ms_per_page": of("millrace").map(Sums::cpu_ms_per_page),
        "pdfium_cpu_ms_per_page": of("pypdfium2").map(Sums::cpu_ms_per_page),
        "peak_rss_mb": of("millrace").map(|sums| sums.peak_mb),
        "parent_cpu_ms": parents.0,
        "parent_peak_rss_mb": parents.1,
        "service_deaths": deaths,
        "missing": peers.iter().filter(|(_, r)| r.is_err()).map(|(name, _)| *name).collect::<Vec<_>>(),
        "readers": sums.iter().map(|(name, sums)| ((*name).to_owned(), sums.json())).collect::<serde_json::Map<_, _>>(),
        "files": files,
    });
    std::fs::write(root.join("target/bench/extraction.json"), format!("{result:#}\n"))?;
    println!("written to target/bench/extraction.json");
    Ok(())
}

/// Every file through every service; how many services are not the process they were.
#[tokio::main]
async fn whole_system(cases: &[Case]) -> Result<Value> {
    let provider = Provider::start()?;
    provider.configure(&Config::default()).await?;
    let system = System::start(Nats::start(), &provider.environment()).await;
    let client = Client::new(&system);
    let mut jobs = Vec::new();
    for case in cases {
        let bytes = std::fs::read(&case.path)?;
        jobs.push(client.upload_file(&case.file, bytes, "profile=summary").await?);
    }
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for (case, job) in cases.iter().zip(&jobs) {
        let Some(job) = job else {
            *ends.entry("refused at the door".to_owned()).or_default() += 1;
            continue;
        };
        let status = client.wait(job, Duration::from_secs(120)).await?;
        let code = status["error"]["code"].as_str().unwrap_or_default();
        let end = format!("{} {code}", status["status"].as_str().unwrap_or("lost"));
        if case.expected == "text" && status["status"] != "completed" {
            println!("        {}: {end}", case.file);
        }
        *ends.entry(end.trim().to_owned()).or_default() += 1;
    }
    let mut deaths = 0;
    for (name, service) in &system.services {
        if !service.alive() {
            println!("        {name} died");
            deaths += 1;
        }
    }
    println!("through the whole system: {ends:?}; {deaths} services died");
    Ok(json!(deaths))
}
