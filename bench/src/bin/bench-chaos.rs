//! Inference is killed every two seconds while a batch goes through. Every report must come; no call may be made again
//! once its answer is in the journal; what may have been paid for must be on the list, and the provider's own account
//! must agree.

use anyhow::{Context as _, Result, ensure};
use clap::Parser as _;
use millrace_bench::batch::Batch;
use millrace_bench::client::Client;
use millrace_bench::provider::Provider;
use millrace_bench::system::System;
use millrace_testkit::provider::{Config, Faults};
use millrace_testkit::{Nats, binary, root};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Measure what kills cost.
#[derive(Debug, clap::Parser)]
struct Options {
    /// Documents, four prompts each
    #[arg(long, default_value_t = 500)]
    documents: usize,
    /// Seconds between kills
    #[arg(long, default_value_t = 2.0)]
    every: f64,
    /// Jobs that inference has at work at once, one run each
    #[arg(long, value_delimiter = ',', default_value = "1,16")]
    at_once: Vec<usize>,
    /// How long the model thinks, milliseconds
    #[arg(long, default_value_t = 40.0)]
    latency_ms: f64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let mut runs = serde_json::Map::new();
    for &at_once in &options.at_once {
        runs.insert(at_once.to_string(), run(&options, at_once).await?);
    }
    let folder = root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    let result = json!({ "documents": options.documents, "kill_every_s": options.every, "at_once": runs });
    std::fs::write(folder.join("chaos.json"), format!("{result:#}\n"))?;
    println!("written to target/bench/chaos.json");
    Ok(())
}

async fn run(options: &Options, at_once: usize) -> Result<Value> {
    let provider = Provider::start()?;
    let latency = Faults { latency_ms: options.latency_ms, latency_sigma: 0.5, ..Faults::default() };
    provider.configure(&Config { default: latency, ..Config::default() }).await?;
    let in_flight = at_once.to_string();
    let mut environment = provider.environment();
    environment.push(("MILLRACE_IN_FLIGHT".to_owned(), in_flight));
    environment.push(("MILLRACE_ACK_WAIT".to_owned(), "5s".to_owned()));
    let mut system = System::start(Nats::start(), &environment).await;
    let client = Client::new(&system);
    let batch = Batch { seed: 3, oversized: 0.0 };
    // Kills, not reading, are what is measured: the first pages of each document will do.
    let texts: Vec<String> =
        (0..options.documents).map(|number| batch.text(number).chars().take(6000).collect()).collect();
    let begun = Instant::now();
    let jobs = client.upload(&texts, "profile=contract", 16).await?;
    let mut kills = Vec::new();
    let mut ends: BTreeMap<String, String> = BTreeMap::new();
    while ends.len() < jobs.len() {
        tokio::time::sleep(Duration::from_secs_f64(options.every)).await;
        let inference = system.service("inference").context("inference")?;
        inference.kill();
        kills.push(begun.elapsed().as_secs_f64());
        inference.restart();
        for job in &jobs {
            if !ends.contains_key(job)
                && let Some(status) = client.ended(job).await?
            {
                ends.insert(job.clone(), status["status"].as_str().unwrap_or("?").to_owned());
            }
        }
        ensure!(begun.elapsed() < Duration::from_secs(1800), "{} jobs do not end", jobs.len() - ends.len());
    }
    let seconds = begun.elapsed().as_secs_f64();
    let completed = ends.values().filter(|end| *end == "completed").count();
    let account = provider.records().await?;
    let open = maybe_paid(&system)?;

    let mut calls: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for record in &account.records {
        calls.entry(&record.body).or_default().push(&record.request_id);
    }
    let repeated: usize = calls.values().map(|requests| requests.len() - 1).sum();
    let settled_and_repeated = calls
        .values()
        .flat_map(|requests| requests.split_last().map_or(&[][..], |(_, earlier)| earlier))
        .filter(|request| !open.contains(**request))
        .count();
    let came: BTreeSet<&str> = account.records.iter().map(|record| record.request_id.as_str()).collect();
    let missing = account
        .records
        .iter()
        .filter(|record| record.aborted && !open.contains(record.request_id.as_str()))
        .count();
    let never_sent = open.iter().filter(|id| !came.contains(id.as_str())).count();
    println!(
        "{at_once} at once: {completed} of {} reports after {} kills in {seconds:.0} s; {} calls, {} requests, {repeated} repeated \
         ({:.2} a kill), {settled_and_repeated} of them after the answer was journalled",
        jobs.len(),
        kills.len(),
        calls.len(),
        account.requests,
        repeated as f64 / kills.len() as f64
    );
    println!(
        "    maybe paid: {} on the list; {} requests broken off at the provider, {missing} of them not on the list; \
         {never_sent} on the list never reached the provider",
        open.len(),
        account.aborted
    );
    Ok(json!({
        "reports": completed,
        "kills": kills.len(),
        "calls": calls.len(),
        "requests": account.requests,
        "repeated": repeated,
        "repeated_per_kill": repeated as f64 / kills.len() as f64,
        "repeated_after_journalled": settled_and_repeated,
        "maybe_paid": open.len(),
        "aborted_at_provider": account.aborted,
        "aborted_not_listed": missing,
        "listed_never_sent": never_sent,
    }))
}

/// The ids on the list of what may have been paid for, from the operator's command.
fn maybe_paid(system: &System) -> Result<BTreeSet<String>> {
    let output = std::process::Command::new(binary("millrace"))
        .args(["ledger", "--maybe-paid", "--json"])
        .env("NATS_URL", system.nats_url())
        .output()?;
    ensure!(output.status.success(), "millrace ledger: {}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    Ok(lines.iter().filter_map(|line| Some(line["id"].as_str()?.to_owned())).collect())
}
