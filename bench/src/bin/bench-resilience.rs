//! A batch of contracts with four prompts each, through a provider that fails: the origin's naive client, then
//! Millrace with retry, fall-back, repair and recovery switched on one after the other. Same documents, same
//! questions, same seeds.

use anyhow::{Context as _, Result};
use clap::Parser as _;
use millrace_bench::batch::Batch;
use millrace_bench::client::Client;
use millrace_bench::naive::{Layout, Naive};
use millrace_bench::provider::Provider;
use millrace_bench::system::System;
use millrace_bench::{evidence, mix};
use millrace_testkit::{Nats, root};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Measure success and money under faults.
#[derive(Debug, clap::Parser)]
struct Options {
    /// Documents in the batch, a third of them of 40 pages and more
    #[arg(long, default_value_t = 500)]
    documents: usize,
    /// Seed of documents and faults
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Fault mixes: what a single try of every call leaves of the batch, percent
    #[arg(long, value_delimiter = ',', default_value = "64,82")]
    mixes: Vec<String>,
    /// How often the provider reads a prefix that it has seen from its cache (at a tenth of the price)
    #[arg(long, default_value_t = 0.7)]
    cache_hits: f64,
    /// How many of a hundred documents are sent a second time, as people do
    #[arg(long, default_value_t = 5)]
    duplicates: usize,
    /// What a model thinks before it answers, unless it is told to think less, tokens
    #[arg(long, default_value_t = 600)]
    thoughts: u64,
    /// Only the last rung of the ladder
    #[arg(long)]
    all_on: bool,
}

/// A job that stands still for so long does not end.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is switched on: name, what the router and the services are told.
const LADDER: [(&str, &[(&str, &str)]); 6] = [
    (
        "retry",
        &[("MILLRACE_RULES", "one"), ("MILLRACE_RECOVERY", "off"), ("MILLRACE_REPAIR", "off"), FREE, LUCK],
    ),
    ("+ fall-back", &[("MILLRACE_RECOVERY", "fallback"), ("MILLRACE_REPAIR", "off"), FREE, LUCK]),
    ("+ repair", &[("MILLRACE_RECOVERY", "fallback"), FREE, LUCK]),
    ("+ recovery", &[FREE, LUCK]),
    // The profile's own word: questions of what is written are answered without long thought.
    ("+ bounded thinking", &[LUCK]),
    // The document is sent once and named by the other questions.
    ("+ explicit caching", &[]),
];
const FREE: (&str, &str) = ("MILLRACE_THINKING", "free");
const LUCK: (&str, &str) = ("MILLRACE_CONTEXT_CACHING", "implicit");

/// One row of the table.
#[derive(Debug, Clone)]
struct Row {
    name: String,
    good: usize,
    ended: usize,
    usd: f64,
    calls: u64,
    resent: u64,
    twice: u64,
    ungrounded: usize,
    codes: BTreeMap<String, usize>,
    seconds: f64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let mut mixes = serde_json::Map::new();
    let (mut resent, mut ungrounded) = (0, 0);
    for name in &options.mixes {
        let (result, of_mix_resent, of_mix_ungrounded) = mix(&options, name).await?;
        mixes.insert(name.clone(), result);
        resent += of_mix_resent;
        ungrounded += of_mix_ungrounded;
    }
    let result = json!({
        "mixes": mixes,
        "final_errors_resent": resent,
        "ungrounded_published": ungrounded,
        "documents": options.documents,
        "seed": options.seed,
        "cache_hits": options.cache_hits,
        "duplicates_pct": options.duplicates,
        "thought_tokens": options.thoughts,
    });
    let folder = root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("resilience.json"), format!("{result:#}\n"))?;
    println!("written to target/bench/resilience.json");
    Ok(())
}

async fn mix(options: &Options, name: &str) -> Result<(Value, u64, usize)> {
    let provider = Provider::start()?;
    let config = mix::config(name, options.seed, options.cache_hits, options.thoughts)?;
    let batch = Batch { seed: options.seed, oversized: mix::oversized(name) };
    // Every so many documents, one comes again.
    let different = options.documents - options.documents * options.duplicates / 100;
    let texts: Vec<String> = (0..options.documents).map(|number| batch.text(number % different)).collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    println!(
        "\nmix {name}: {} documents ({} of them twice), {:.0} tokens each on average, four prompts, seed {}",
        texts.len(),
        texts.len() - different,
        bytes as f64 / 4.0 / texts.len() as f64,
        options.seed
    );
    println!("  faults: {}", mix::told(&config));
    println!(
        "  {:<22} {:>9} {:>7} {:>8} {:>11} {:>12}",
        "", "success", "ended", "calls", "USD", "USD/1k good"
    );

    let per_good = |usd: f64, good: usize| 1000.0 * usd / good.max(1) as f64;
    let share = |good: usize| 100.0 * good as f64 / texts.len() as f64;
    let mut naive = Vec::new();
    for (name, layout) in
        [("whole chain, 3 tries", Layout::QuestionFirst), ("same, document first", Layout::DocumentFirst)]
    {
        provider.configure(&config).await?;
        let outcome = Naive::new(&provider.url, layout)?.run(&texts, 3, 16).await?;
        let account = provider.account().await?;
        let usd = per_good(account.usd, outcome.good);
        if naive.is_empty() {
            println!("  {:<22} {:>8.2}%", "one try", share(outcome.first));
        }
        println!(
            "  {name:<22} {:>8.2}% {:>7} {:>8} {:>11.4} {usd:>12.2}",
            share(outcome.good),
            texts.len(),
            account.requests,
            account.usd,
        );
        naive.push((outcome, usd));
    }
    let [(naive, naive3), (_, document_first)] = naive[..] else { anyhow::bail!("no baseline") };
    let mut rows = Vec::new();
    for (rung, settings) in LADDER.iter().skip(if options.all_on { LADDER.len() - 1 } else { 0 }) {
        provider.configure(&config).await?;
        let row = run(&provider, rung, settings, &texts).await?;
        println!(
            "  {:<22} {:>8.2}% {:>7} {:>8} {:>11.4} {:>12.2}   {:.0} s{}",
            row.name,
            share(row.good),
            row.ended,
            row.calls,
            row.usd,
            per_good(row.usd, row.good),
            row.seconds,
            if row.codes.is_empty() { String::new() } else { format!("   {:?}", row.codes) }
        );
        rows.push(row);
    }
    let last = rows.last().context("no rows")?;
    let saving = 100.0 * (1.0 - per_good(last.usd, last.good) / naive3);
    let layout_aside = 100.0 * (1.0 - per_good(last.usd, last.good) / document_first);
    println!(
        "  saving against whole-chain restart: {saving:.1} % ({layout_aside:.1} % against one with our layout); final errors sent again: {}; same call answered twice: {}; \
         evidence that an independent check does not find: {}",
        last.resent, last.twice, last.ungrounded
    );
    let ladder: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "name": row.name,
                "success_pct": share(row.good),
                "ended": row.ended,
                "calls": row.calls,
                "usd_per_1k_good": per_good(row.usd, row.good),
                "codes": row.codes,
            })
        })
        .collect();
    let result = json!({
        "success_pct": share(last.good),
        "ended_pct": share(last.ended),
        "usd_per_1k_good": per_good(last.usd, last.good),
        "naive1_success_pct": share(naive.first),
        "naive3_success_pct": share(naive.good),
        "naive3_usd_per_1k_good": naive3,
        "saving_pct": saving,
        "saving_pct_same_layout": layout_aside,
        "answered_twice": last.twice,
        "ladder": ladder,
    });
    Ok((result, last.resent, last.ungrounded))
}

async fn run(provider: &Provider, name: &str, settings: &[(&str, &str)], texts: &[String]) -> Result<Row> {
    // A rung without fall-backs has one model.
    let rules = root().join("target/bench/one-model.toml");
    std::fs::create_dir_all(root().join("target/bench"))?;
    let one = "[[rule]]\nname = \"one\"\nset_profile = \"contract\"\nmodels = [\"pro\"]\nprompt_language = \"en\"\nlane = \"default\"\n";
    std::fs::write(&rules, one)?;
    let rules = rules.to_string_lossy().into_owned();
    let mut environment = provider.environment();
    let more = [
        // Faults are drawn by how often a prompt was asked, not by the clock: waiting for real would change nothing.
        ("MILLRACE_CALL_BACKOFF", "20ms"),
        ("MILLRACE_OUTAGE_WAIT", "1s"),
        ("MILLRACE_PROVIDER_TIMEOUT", "15s"),
    ];
    for (key, value) in more.iter().chain(settings) {
        let value = if *key == "MILLRACE_RULES" { &rules } else { *value };
        environment.push(((*key).to_owned(), value.to_owned()));
    }
    let system = System::start(Nats::start(), &environment).await;
    let client = Client::new(&system);
    let begun = Instant::now();
    let jobs = client.upload(texts, "profile=contract", 16).await?;
    let mut row = Row {
        name: name.to_owned(),
        good: 0,
        ended: 0,
        usd: 0.0,
        calls: 0,
        resent: 0,
        twice: 0,
        ungrounded: 0,
        codes: BTreeMap::new(),
        seconds: 0.0,
    };
    for (text, id) in texts.iter().zip(&jobs) {
        let job = client.wait(id, PATIENCE).await?;
        row.ended += usize::from(job["done"] == true);
        if job["status"] != "completed" {
            *row.codes.entry(job["last_error"].as_str().unwrap_or("?").to_owned()).or_default() += 1;
            continue;
        }
        row.good += 1;
        row.ungrounded += evidence::not_in(&client.report(id).await?, text);
    }
    row.seconds = begun.elapsed().as_secs_f64();
    let account = provider.account().await?;
    row.usd = account.usd;
    row.calls = account.requests;
    row.resent = account.final_errors_resent;
    row.twice = account.answered_twice;
    Ok(row)
}
