//! What it costs to read each document in a process of its own: the same engines on the same files, inside this process
//! and in a confined child, in turns.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use clap::Parser as _;
use millrace_bench::reading;
use millrace_contract::Pages;
use millrace_extraction::pdf::{Asked, EngineChoice, cut_to_header};
use millrace_extraction::{MediaType, Options, Source, confine, read};
use millrace_mapped::Mapped;
use millrace_testkit::{binary, root};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use serde_json::json;

/// Measure the isolation of readers.
#[derive(clap::Parser)]
struct Line {
    /// Readings of each file in each way
    #[arg(long, default_value_t = 20)]
    rounds: u32,
    /// The program whose reading process is measured; the one built beside this one if not given
    #[arg(long)]
    program: Option<PathBuf>,
    /// Which engine reads
    #[arg(long, value_enum, default_value_t)]
    engine: EngineChoice,
}

/// User and system time, milliseconds, of this process and of all its children that have ended.
fn cpu_ms() -> Result<f64> {
    let part = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e3 + time.tv_usec() as f64 / 1e3;
    let of = |usage: Usage| part(usage.user_time()) + part(usage.system_time());
    Ok(of(getrusage(UsageWho::RUSAGE_SELF)?) + of(getrusage(UsageWho::RUSAGE_CHILDREN)?))
}

fn main() -> Result<()> {
    let line = Line::parse();
    let root = root();
    let options = Options {
        pdf_engine: line.engine,
        child_program: Some(line.program.clone().unwrap_or_else(|| binary("millrace-extraction"))),
        max_wall_seconds: 600,
        ..Options::default()
    };
    println!(
        "{} readings of each file in each way, in turns; missing here: {:?}",
        line.rounds,
        confine::missing()
    );
    println!("{:28} {:>6} {:>12} {:>12} {:>10}", "file", "pages", "inside, ms", "child, ms", "more, ms");
    let (mut files, mut all_inside, mut all_apart) = (Vec::new(), 0.0, 0.0);
    for case in reading::samples(&root)?.into_iter().filter(|case| case.expected == "text") {
        let (mut inside, mut apart) = (0.0, 0.0);
        for _ in 0..line.rounds {
            let before = cpu_ms()?;
            let document = Arc::new(cut_to_header(Mapped::of(&File::open(&case.path)?)?)?);
            let mut pages = 0;
            let asked = Asked { document: &document, password: None, wanted: &Pages::default() };
            line.engine.engine().read(&asked, &mut |found| {
                pages += u32::from(matches!(found, millrace_extraction::pdf::Found::Page(_)));
                Ok(())
            })?;
            let between = cpu_ms()?;
            let text = read(MediaType::Pdf, Source::File(File::open(&case.path)?), &options, &mut |_, _| {})?;
            apart += cpu_ms()? - between;
            inside += between - before;
            ensure!(pages as usize == text.pages.len(), "{}: both ways read the same pages", case.file);
        }
        let rounds = f64::from(line.rounds);
        let (inside, apart) = (inside / rounds, apart / rounds);
        (all_inside, all_apart) = (all_inside + inside, all_apart + apart);
        println!("{:28} {:6} {inside:12.2} {apart:12.2} {:10.2}", case.file, case.pages, apart - inside);
        files.push(
            json!({"file": case.file, "pages": case.pages, "inside_cpu_ms": inside, "child_cpu_ms": apart}),
        );
    }
    ensure!(!files.is_empty(), "no sample has text");
    let count = files.len() as f64;
    let more = (all_apart - all_inside) / count;
    println!(
        "a document in a process of its own costs {more:.2} ms of processor time more (mean of {count} files)"
    );
    let report = json!({
        "inside_cpu_ms_per_document": all_inside / count,
        "child_cpu_ms_per_document": all_apart / count,
        "isolation_cpu_ms_per_document": more,
        "rounds": line.rounds,
        "missing": confine::missing(),
        "files": files,
    });
    let path = root.join("target/bench/isolation.json");
    std::fs::create_dir_all(path.parent().context("a folder")?)?;
    std::fs::write(&path, serde_json::to_string_pretty(&report)?)?;
    println!("{}", path.display());
    Ok(())
}
