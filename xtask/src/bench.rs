//! `cargo xtask bench NAME`: release builds, real servers, figures with their conditions.

use crate::tools;
use anyhow::{bail, ensure};
use std::path::Path;
use std::process::Command;

/// Runs a measurement.
pub fn run(root: &Path, name: &str, options: &[String]) -> anyhow::Result<()> {
    const KNOWN: [&str; 1] = ["pipeline"];
    if !KNOWN.contains(&name) {
        bail!("there is no measurement {name:?}; there is: {}", KNOWN.join(", "));
    }
    let tools = tools::servers(root)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    println!("building in release mode (minutes the first time)");
    let built = Command::new(&cargo)
        .current_dir(root)
        .args(["build", "--quiet", "--release", "--workspace", "--bins", "--exclude", "xtask"])
        .status()?;
    ensure!(built.success(), "the build failed");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let first = tools.nats.parent().map(Path::to_owned).into_iter();
    let ran = Command::new(cargo)
        .current_dir(root)
        .args([
            "run",
            "--quiet",
            "--release",
            "--package",
            "millrace-bench",
            "--bin",
            &format!("bench-{name}"),
            "--",
        ])
        .args(options)
        .env("PATH", std::env::join_paths(first.chain(std::env::split_paths(&path)))?)
        .status()?;
    ensure!(ran.success(), "the measurement failed");
    Ok(())
}
