//! `cargo xtask demo`: everything up, real documents in, progress shown, reports out. No key, no Docker.

use crate::tools;
use anyhow::{Context as _, bail, ensure};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Runs the demo.
pub fn run(root: &Path) -> anyhow::Result<()> {
    println!("== what it runs on");
    let tools = tools::servers(root)?;
    println!("nats-server   {}", tools.nats.display());
    println!("redis-server  {}", tools.redis.display());
    println!("tesseract     {}", tools.tesseract.display());
    println!("\n== building millrace (minutes the first time, seconds after)");
    let built = tools::cargo(root).args(["build", "--workspace", "--bins"]).status()?;
    ensure!(built.success(), "the build failed");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let millrace = target.join("debug/millrace");

    let data = target.join("demo");
    let _ = std::fs::remove_dir_all(&data);
    std::fs::create_dir_all(&data)?;
    println!("\n== millrace up (its log: {})", show(&data.join("log"), root));
    let log = std::fs::File::create(data.join("log"))?;
    let mut up = Up(Command::new(&millrace)
        .args(["up", "--http", "127.0.0.1:0", "--ops", "127.0.0.1:0", "--data"])
        .arg(&data)
        .env("MILLRACE_NATS_SERVER", &tools.nats)
        .env("MILLRACE_REDIS_SERVER", &tools.redis)
        // The offline provider is too quick to watch.
        .env("MILLRACE_OFFLINE_LATENCY", "300ms")
        .env("MILLRACE_PROVIDER", "offline")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .context("cannot start millrace up")?);
    wait_for(&data.join("running.json"), &mut up.0, &data.join("log"))?;
    println!(
        "seven services, nats-server and redis-server are up; no API key, so the provider is `offline`: it quotes, it does not think"
    );

    let expected = manifest(root)?;
    println!("\n== millrace submit samples/* ({} documents)", expected.len());
    let reports = data.join("reports");
    let files: Vec<PathBuf> = expected.keys().map(|file| root.join("samples").join(file)).collect();
    let mut submit = Command::new(&millrace)
        .args(["submit", "--data"])
        .arg(&data)
        .arg("--out")
        .arg(&reports)
        .args(&files)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut told = String::new();
    for line in BufReader::new(submit.stdout.take().context("no output")?).lines() {
        let line = line?.replace(&format!("{}/", root.display()), "");
        println!("{line}");
        told.push_str(&line);
        told.push('\n');
    }
    // It ends with 1: some samples are there to be refused. Which ones, is checked below.
    submit.wait()?;

    let mut wrong = Vec::new();
    let mut jobs: BTreeMap<&str, &str> = BTreeMap::new();
    let lines: Vec<&str> = told.lines().collect();
    for (file, (end, code)) in &expected {
        let Some(at) = lines.iter().position(|line| line.trim_start().starts_with(file.as_str())) else {
            wrong.push(format!("{file}: no word of it"));
            continue;
        };
        let good = match end.as_str() {
            "completed" => lines[at].contains(" done "),
            "unpacked" => lines[at].contains(" unpacked "),
            _ => lines[at].contains(code.as_str()),
        };
        if !good {
            wrong.push(format!("{file}: expected {end} {code}, got: {}", lines[at].trim()));
        }
        if let Some(job) = lines.get(at + 1).and_then(|line| line.trim().strip_prefix("job ")) {
            jobs.insert(file, job);
        }
    }
    for file in ["contrato-es.pdf", "encrypted.pdf"] {
        let Some(job) = jobs.get(file) else { continue };
        println!("\n== millrace history {job}   ({file}, from the log alone)");
        let output = Command::new(&millrace).args(["history", job, "--data"]).arg(&data).output()?;
        print!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    if let Some(job) = jobs.get("contract-en.pdf") {
        println!("\n== the report on contract-en.pdf begins");
        let report = std::fs::read_dir(&reports)?
            .filter_map(Result::ok)
            .find(|entry| entry.file_name().to_string_lossy().contains(&job[job.len() - 8..]))
            .context("its report was not saved")?;
        for line in std::fs::read_to_string(report.path())?.lines().take(32) {
            println!("{line}");
        }
        println!("  … {}", show(&report.path(), root));
    }
    println!("\n== stopping (SIGTERM: drain, then exit 0)");
    let status = up.stop()?;
    ensure!(
        status == Some(0),
        "millrace up ended with {status:?}; its log is {}",
        data.join("log").display()
    );
    if !wrong.is_empty() {
        bail!("not as samples/MANIFEST.tsv expects:\n  {}", wrong.join("\n  "));
    }
    let (good, refused) = (
        expected.values().filter(|(end, _)| end == "completed").count(),
        expected.values().filter(|(end, _)| end == "rejected").count(),
    );
    println!(
        "{good} reports, {refused} refusals, all as expected. Reports, log and events are in {}",
        show(&data, root)
    );
    println!("Start it yourself:  PATH=$PWD/target/tools/bin:$PATH target/debug/millrace up");
    Ok(())
}

fn show(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// What each sample must become: file -> (end, code).
fn manifest(root: &Path) -> anyhow::Result<BTreeMap<String, (String, String)>> {
    let text = std::fs::read_to_string(root.join("samples/MANIFEST.tsv"))?;
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let header: Vec<&str> = lines.next().context("an empty manifest")?.split('\t').collect();
    let column = |name: &str| {
        header.iter().position(|column| *column == name).with_context(|| format!("no column {name}"))
    };
    let (file, end, code) = (column("file")?, column("expected_end")?, column("expected_code")?);
    Ok(lines
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|row| row.len() > code)
        .map(|row| (row[file].to_owned(), (row[end].to_owned(), row[code].to_owned())))
        .collect())
}

fn wait_for(file: &Path, child: &mut Child, log: &Path) -> anyhow::Result<()> {
    let patience = Instant::now() + Duration::from_secs(60);
    while !file.is_file() {
        if child.try_wait()?.is_some() || Instant::now() > patience {
            bail!(
                "millrace up did not come up; its log:\n{}",
                std::fs::read_to_string(log).unwrap_or_default()
            );
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// `millrace up`, which does not outlive the demo.
struct Up(Child);

impl Up {
    fn stop(&mut self) -> anyhow::Result<Option<i32>> {
        Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status()?;
        Ok(self.0.wait()?.code())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = self.stop();
        }
    }
}
