//! Other readers of PDFs on the same files, each in a process of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::reading::Case;

/// What reading a file gave and cost.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Its text, where there is one.
    pub text: Option<String>,
    /// User and system time, milliseconds.
    pub cpu_ms: f64,
    /// Highest resident memory, MB.
    pub peak_mb: f64,
}

/// Python libraries as this was first measured with; others would give other figures.
const LIBRARIES: [&str; 3] = ["pypdfium2==5.15.2", "pypdf==7.1.0", "cryptography"];

/// Every peer by its name: what it made of each file, in order, or why it cannot be had.
pub fn all(root: &Path, cases: &[Case], measured: &Path) -> Vec<(&'static str, Result<Vec<Reading>>)> {
    let python = python(root);
    let library = |name| match &python {
        Ok(python) => with_python(root, python, name, cases),
        Err(error) => Err(anyhow::anyhow!("{error:#}")),
    };
    vec![
        ("pypdfium2", library("pypdfium2")),
        ("pdftotext", pdftotext(cases, measured)),
        ("pypdf", library("pypdf")),
    ]
}

/// An interpreter that has the libraries, made once.
fn python(root: &Path) -> Result<PathBuf> {
    environment(root, "peers", "pypdfium2, pypdf, cryptography", &LIBRARIES)
}

/// A Python of its own in `target/bench/NAME` that has these libraries, made once: from PyPI, or from where pip is told
/// to look.
///
/// # Errors
/// If there is no Python, or pip cannot get them.
pub fn environment(root: &Path, name: &str, modules: &str, libraries: &[&str]) -> Result<PathBuf> {
    let folder = root.join("target/bench").join(name);
    let python = folder.join("bin/python");
    let has_them = || {
        let tried = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    if !has_them() {
        let made =
            Command::new("python3").args(["-m", "venv"]).arg(&folder).status().context("no python3")?;
        ensure!(made.success(), "python3 -m venv failed");
        let got = Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(libraries).status()?;
        ensure!(got.success() && has_them(), "pip could not install {}", libraries.join(" "));
    }
    Ok(python)
}

fn with_python(root: &Path, python: &Path, library: &str, cases: &[Case]) -> Result<Vec<Reading>> {
    let folder = root.join("target/bench").join(format!("text-{library}"));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder)?;
    let mut child = Command::new(python)
        .arg(root.join("bench/peers/pdf_text.py"))
        .arg(library)
        .arg(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let list: Vec<String> =
        cases.iter().map(|case| format!("{}\t{}", case.path.display(), case.password)).collect();
    child.stdin.take().context("no input")?.write_all(list.join("\n").as_bytes())?;
    let output = child.wait_with_output()?;
    let readings = String::from_utf8_lossy(&output.stdout)
        .lines()
        .enumerate()
        .map(|(number, line)| {
            let said: Value = serde_json::from_str(line)?;
            let text = said["ok"].as_bool() == Some(true);
            Ok(Reading {
                text: text
                    .then(|| std::fs::read_to_string(folder.join(format!("{number}.txt"))))
                    .transpose()?,
                cpu_ms: said["cpu_ms"].as_f64().unwrap_or(0.0),
                peak_mb: said["peak_mb"].as_f64().unwrap_or(0.0),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    ensure!(readings.len() == cases.len(), "{library} ended early");
    Ok(readings)
}

/// `measured` runs a program and says what it cost, see [`run`].
fn pdftotext(cases: &[Case], measured: &Path) -> Result<Vec<Reading>> {
    let there = Command::new("pdftotext").arg("-v").output().is_ok_and(|said| said.status.success());
    ensure!(there, "not installed (apt-get install poppler-utils)");
    cases
        .iter()
        .map(|case| {
            let mut arguments = vec!["pdftotext", "-enc", "UTF-8"];
            if !case.password.is_empty() {
                arguments.extend(["-upw", &case.password]);
            }
            let path = case.path.to_string_lossy();
            arguments.extend([path.as_ref(), "-"]);
            run(measured, &arguments)
        })
        .collect()
}

/// Runs a program under `measured cost PROGRAM ...`, which passes its output on and then says on standard error what it
/// cost. A process in between, because memory is counted from the size of whoever starts a program.
fn run(measured: &Path, arguments: &[&str]) -> Result<Reading> {
    let output = Command::new(measured).arg("cost").args(arguments).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().last().context("nothing was measured")?;
    let cost: Value = serde_json::from_str(line).context("nothing was measured")?;
    Ok(Reading {
        text: (cost["ok"] == true).then(|| String::from_utf8_lossy(&output.stdout).into_owned()),
        cpu_ms: cost["cpu_ms"].as_f64().unwrap_or(0.0),
        peak_mb: cost["peak_mb"].as_f64().unwrap_or(0.0),
    })
}
