//! `cargo xtask`: what a developer, and CI, does with this repository.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people: it says what it does")]

mod bench;
mod check;
mod demo;
mod presidio;
mod render;
mod test;
mod tools;
mod validate;

use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Commands for working on Millrace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything up, real documents in, reports out; installs what it needs
    Demo,
    /// Every test, over real servers; installs what it needs
    Test {
        /// Goes to the test programs: part of a test's name, --nocapture, …
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        filter: Vec<String>,
    },
    /// The plug-in that finds names against a real Presidio, which it installs: 400 MB from PyPI
    Presidio,
    /// A measurement behind a claim; writes target/bench/NAME.json
    Bench {
        /// Which: pipeline
        name: String,
        /// Goes to the measurement; try --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Format, lints, documentation, drift of rendered files
    Check,
    /// Write everything that is derived from the choreography table
    Render {
        /// Write nothing; fail if a file is not what the table says
        #[arg(long)]
        check: bool,
    },
    /// Check the Kubernetes objects and the compose file against their schemas
    Validate,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo => demo::run(&root()),
        Command::Test { filter } => test::run(&root(), &filter),
        Command::Presidio => presidio::run(&root()),
        Command::Bench { name, options } => bench::run(&root(), &name, &options),
        Command::Check => check::run(&root()),
        Command::Render { check } => render::run(&root(), check),
        Command::Validate => validate::validate(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The repository.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
