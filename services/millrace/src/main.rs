//! `millrace`: every service in one process, and the operator's commands.

mod client;
mod diff;
mod guard;
mod health;
mod history;
mod ledger;
mod operate;
mod policy;
mod profile;
mod submit;
mod told;
mod up;
mod vault;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Documents in, validated JSON reports out
#[derive(Debug, Parser)]
#[command(name = "millrace", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run every service in this process; starts nats-server and redis-server unless told where they are
    Up(Box<up::Up>),
    /// Upload documents, show progress, save the reports
    Submit(submit::Submit),
    /// Show the status of a job
    Status(client::Show),
    /// Show all that happened to a job, from the log alone
    History(history::Show),
    /// Say an event again as a new run, while the live consumers go on
    Replay(operate::Replay),
    /// Compare the reports of two runs of a job
    Diff(diff::Diff),
    /// Show what was paid to providers, by job, tenant, day or model
    Ledger(ledger::Show),
    /// Empty the status hashes and fold them from the log again
    Rebuild(operate::Rebuild),
    /// Make every stream and consumer, for deployments whose services may not
    Provision(operate::Provision),
    /// Check profiles, or list those that are installed
    Profile(profile::Manage),
    /// Check what is laid down about personal data, or show what holds
    Policy(policy::Manage),
    /// Make, change and destroy what opens the values behind placeholders
    Vault(vault::Manage),
    /// Ask a service whether it is ready; for container health checks
    Healthcheck(health::Check),
    /// Start a program that ends when its parent does
    #[command(hide = true)]
    Guard(guard::Guard),
}

fn main() -> ExitCode {
    // Called by ourselves to read one document, this is not `millrace` at all.
    if let Some(code) = millrace_extraction::child_entry() {
        return code;
    }
    match Cli::parse().command {
        Command::Up(up) => up.run(),
        Command::Submit(submit) => client::run(submit.run()),
        Command::Status(show) => client::run(show.run()),
        Command::History(show) => client::run(show.run()),
        Command::Replay(replay) => client::run(replay.run()),
        Command::Diff(diff) => client::run(diff.run()),
        Command::Ledger(show) => client::run(show.run()),
        Command::Rebuild(rebuild) => client::run(rebuild.run()),
        Command::Provision(provision) => client::run(provision.run()),
        Command::Profile(profile) => profile.run(),
        Command::Policy(policy) => policy.run(),
        Command::Vault(vault) => client::run(vault.run()),
        Command::Healthcheck(check) => client::run(check.run()),
        Command::Guard(guard) => guard.run(),
    }
}
