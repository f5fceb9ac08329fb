//! `cargo xtask test`: every test over real servers, and the deployment files against their schemas.

use crate::{tools, validate};
use anyhow::{Context as _, ensure};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

/// Runs the tests; `filter` goes to the test programs.
pub fn run(root: &Path, filter: &[String]) -> anyhow::Result<()> {
    println!("== what the tests run on");
    let tools = tools::servers(root)?;
    println!("nats-server   {}", tools.nats.display());
    println!("redis-server  {}", tools.redis.display());
    println!("tesseract     {}", tools.tesseract.display());
    let before = servers_running();

    let cargo = || {
        let mut command = tools::cargo(root);
        // Tests start services by themselves; what this shell is set up for must not leak into them.
        for name in ["NATS_URL", "REDIS_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"].iter().chain(&tools::KEYS) {
            command.env_remove(name);
        }
        command
    };
    println!("\n== building (minutes the first time)");
    let built = cargo().args(["build", "--workspace", "--bins"]).status()?;
    ensure!(built.success(), "the build failed");

    println!("\n== cargo test --workspace");
    let mut command = cargo();
    command.args(["test", "--workspace", "--no-fail-fast", "--"]).args(filter);
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut counts = Counts::default();
    for line in BufReader::new(child.stdout.take().context("no output")?).lines() {
        let line = line?;
        println!("{line}");
        counts.add(&line);
    }
    let tested = child.wait()?.success();

    println!("\n== deployment files");
    let validated = validate::validate();
    if let Err(error) = &validated {
        println!("error: {error:#}");
    }
    let left: Vec<String> = servers_running().difference(&before).cloned().collect();
    for process in &left {
        println!("left behind: {process}");
    }
    println!(
        "\n{} passed, {} failed, {} skipped",
        counts.passed,
        counts.failed + u32::from(validated.is_err()) + u32::from(!left.is_empty()),
        counts.ignored
    );
    ensure!(tested, "tests failed");
    validated?;
    ensure!(left.is_empty(), "{} processes were left behind", left.len());
    Ok(())
}

#[derive(Default)]
struct Counts {
    passed: u32,
    failed: u32,
    ignored: u32,
}

impl Counts {
    /// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        for part in result.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(Ok(count)), Some(what)) = (words.next().map(str::parse::<u32>), words.next()) else {
                continue;
            };
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }
}

/// Servers and services that run now, as "pid command".
fn servers_running() -> BTreeSet<String> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return BTreeSet::new() };
    processes
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let pid = entry.file_name().into_string().ok()?;
            pid.parse::<u32>().ok()?;
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            let program = line.split(|byte| *byte == 0).next()?;
            let program = String::from_utf8_lossy(program).into_owned();
            let name = program.rsplit('/').next()?.to_owned();
            let ours =
                name == "nats-server" || name.starts_with("redis-server") || name.starts_with("millrace");
            ours.then(|| format!("{pid} {name}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_cargo_test_says() {
        let mut counts = Counts::default();
        counts.add(
            "test result: ok. 12 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        );
        counts.add("test a ... ok");
        assert_eq!((counts.passed, counts.failed, counts.ignored), (12, 1, 2));
    }
}
