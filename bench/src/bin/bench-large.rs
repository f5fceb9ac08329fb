//! Large documents through the whole system, one after the other: what every process takes in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Parser as _;
use millrace_bench::client::Client;
use millrace_bench::process;
use millrace_bench::provider::Provider;
use millrace_bench::system::System;
use millrace_testkit::hostile::{pages, stream};
use millrace_testkit::provider::Config;
use millrace_testkit::{Nats, root};
use serde_json::{Value, json};

/// Measure large documents.
#[derive(clap::Parser)]
struct Line {
    /// Pages of the long one
    #[arg(long, default_value_t = 3000)]
    pages: usize,
    /// Megabytes of the heavy one
    #[arg(long, default_value_t = 500)]
    megabytes: usize,
}

/// One that is too slow to be of use.
const PATIENCE: Duration = Duration::from_secs(900);

#[tokio::main]
async fn main() -> Result<()> {
    let line = Line::parse();
    let provider = Provider::start()?;
    provider.configure(&Config::default()).await?;
    let mut settings = provider.environment();
    settings.push(("MILLRACE_MAX_UPLOAD".to_owned(), (1_u64 << 30).to_string()));
    let mut results = Vec::new();
    type Made = Box<dyn Fn() -> Vec<u8>>;
    let documents: [(&str, Made); 3] = [
        ("short", Box::new(|| long(1))),
        ("long", Box::new(move || long(line.pages))),
        ("heavy", Box::new(move || heavy(line.megabytes))),
    ];
    for (name, make) in documents {
        // Each in a system of its own: the highest memory of a process is the highest it ever had.
        let system = System::start(Nats::start(), &settings).await;
        let client = Client::new(&system);
        let bytes = make();
        println!("{name}: {} MB", bytes.len() / 1_000_000);
        let result = one(&system, &client, name, bytes).await?;
        results.push((name.to_owned(), result));
    }
    let path = root().join("target/bench/large.json");
    std::fs::create_dir_all(path.parent().context("a folder")?)?;
    let report: serde_json::Map<String, Value> = results.into_iter().collect();
    std::fs::write(&path, format!("{:#}\n", Value::Object(report)))?;
    println!("written to target/bench/large.json");
    Ok(())
}

async fn one(system: &System, client: &Client, name: &str, bytes: Vec<u8>) -> Result<Value> {
    let idle: BTreeMap<String, f64> =
        system.processes().into_iter().map(|(name, pid)| (name, process::rss_mb(pid))).collect();
    let extraction = system.processes().into_iter().find(|(name, _)| name == "extraction");
    let watch = Watch::start(extraction.context("no extraction")?.1);
    let size = bytes.len();
    let begun = Instant::now();
    let job = client.upload_file(&format!("{name}.pdf"), bytes, "profile=summary").await?;
    let job = job.context("refused at the door")?;
    let status = client.wait(&job, PATIENCE).await?;
    let child = watch.stop()?;
    ensure!(status["status"] == "completed", "{name}: {status}");
    println!("  {} in {:.0} s", status["status"], begun.elapsed().as_secs_f64());
    println!("  {:24} {:>9} {:>9}", "process", "idle", "highest");
    let mut processes = serde_json::Map::new();
    for (name, pid) in system.processes() {
        let (idle, peak) = (idle.get(&name).copied().unwrap_or_default(), process::peak_mb(pid));
        println!("  {name:24} {idle:6.1} MB {peak:6.1} MB");
        processes.insert(name, json!({"idle_mb": idle, "highest_mb": peak}));
    }
    println!(
        "  {:24} {:>9} {:6.1} MB, and {:.1} MB of the file mapped",
        "reading process", "", child.0, child.1
    );
    processes.insert("reader".to_owned(), json!({"own_mb": child.0, "mapped_mb": child.1}));
    Ok(json!({"bytes": size, "wall_s": begun.elapsed().as_secs_f64(), "processes": processes}))
}

/// Looks at the children of a process, again and again: the most that one of them took, MB, of its own and of files.
struct Watch {
    over: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<(f64, f64)>,
}

impl Watch {
    fn start(parent: u32) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let mut most = (0.0_f64, 0.0_f64);
            while !until.load(Ordering::Relaxed) {
                for (own, mapped) in children(parent) {
                    most = (most.0.max(own), most.1.max(mapped));
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            most
        });
        Self { over, thread }
    }

    fn stop(self) -> Result<(f64, f64)> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the watch died"))
    }
}

fn children(parent: u32) -> Vec<(f64, f64)> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{parent}/task")) else { return Vec::new() };
    let of =
        |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
    let pids: Vec<u32> = tasks
        .flatten()
        .flat_map(|task| of(task).split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|pid| pid.parse().ok())
        .collect();
    pids.into_iter().map(|pid| (process::own_mb(pid), process::mapped_mb(pid))).collect()
}

/// So many pages of text, each with some of its own.
fn long(count: usize) -> Vec<u8> {
    let page = |number: usize| {
        let lines: String = (0..40)
            .map(|line| {
                let (one, other) = (number * 7919 + line * 104_729, number * 31 + line * 17);
                format!("(Line {line} of page {number}: lot {one} was delivered to store {other} in good order.) Tj T*\n")
            })
            .collect();
        stream("", format!("BT /F 11 Tf 14 TL 40 750 Td\n{lines}ET").as_bytes())
    };
    pages(&(1..=count).map(page).collect::<Vec<_>>(), "", &[])
}

/// A page for each ten megabytes, which are a picture on it that nothing can compress.
fn heavy(megabytes: usize) -> Vec<u8> {
    const SIDE: usize = 1826;
    let count = (megabytes / 10).max(1);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let head = format!(
        "/Type/XObject/Subtype/Image/Width {SIDE}/Height {SIDE}/BitsPerComponent 8/ColorSpace/DeviceRGB"
    );
    let pictures: Vec<Vec<u8>> = (0..count)
        .map(|_| {
            let data: Vec<u8> = std::iter::repeat_with(&mut noise).flatten().take(SIDE * SIDE * 3).collect();
            stream(&head, &data)
        })
        .collect();
    // After the catalogue, the page tree and the font come two objects for each page.
    let first = 4 + 2 * count;
    let names: String = (0..count).map(|at| format!("/I{at} {} 0 R", first + at)).collect();
    let page = |at: usize| {
        let words = format!(
            "BT /F 12 Tf 50 700 Td (Plate {at}: the quay as it was surveyed in the spring of 2026.) Tj ET"
        );
        stream("", format!("{words}\nq 200 0 0 200 50 300 cm /I{at} Do Q").as_bytes())
    };
    pages(&(0..count).map(page).collect::<Vec<_>>(), &format!("/XObject<<{names}>>"), &pictures)
}
