//! `cargo xtask check`: what can be said without running anything.

use crate::{render, tools};
use anyhow::ensure;
use std::path::Path;

/// Runs the checks, all of them, and says which failed.
pub fn run(root: &Path) -> anyhow::Result<()> {
    let mut failed = Vec::new();
    for (what, arguments) in [
        ("format", &["fmt", "--check"][..]),
        ("lints", &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"][..]),
        ("documentation", &["doc", "--quiet", "--workspace", "--no-deps"][..]),
    ] {
        println!("== {what}");
        let mut command = tools::cargo(root);
        command.args(arguments).env("RUSTDOCFLAGS", "-D warnings");
        if !command.status()?.success() {
            failed.push(what);
        }
    }
    println!("== rendered files");
    if let Err(error) = render::run(root, true) {
        println!("{error:#}");
        failed.push("rendered files");
    }
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    println!("all good");
    Ok(())
}
