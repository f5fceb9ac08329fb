//! `cargo xtask bench NAME`: release builds, real servers, figures with their conditions.

use crate::tools;
use anyhow::{bail, ensure};
use std::path::Path;

/// Runs a measurement.
pub fn run(root: &Path, name: &str, options: &[String]) -> anyhow::Result<()> {
    const KNOWN: [&str; 8] =
        ["pipeline", "resilience", "chaos", "quota", "extraction", "isolation", "large", "sanitization"];
    if !KNOWN.contains(&name) {
        bail!("there is no measurement {name:?}; there is: {}", KNOWN.join(", "));
    }
    tools::servers(root)?;
    println!("building in release mode (minutes the first time)");
    let built = tools::cargo(root)
        .args(["build", "--release", "--workspace", "--bins", "--exclude", "xtask"])
        .status()?;
    ensure!(built.success(), "the build failed");
    let program = format!("bench-{name}");
    let ran = tools::cargo(root)
        .args(["run", "--quiet", "--release", "--package", "millrace-bench", "--bin", &program, "--"])
        .args(options)
        .status()?;
    ensure!(ran.success(), "the measurement failed");
    Ok(())
}
