//! Small text documents through every hop with a model that takes no time, beside a raw loop over the same broker
//! with the same hops and the same artifact reads and writes: the ceiling.

use anyhow::{Context as _, ensure};
use clap::Parser as _;
use futures_util::stream::{self, StreamExt as _};
use millrace_bench::ceiling::Ceiling;
use millrace_bench::process::{self, Usage};
use millrace_bench::system::System;
use millrace_testkit::{Nats, Redis, root};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Measure the pipeline beside its ceiling.
#[derive(Debug, clap::Parser)]
struct Options {
    /// Documents a round
    #[arg(long, default_value_t = 2000)]
    documents: usize,
    /// Rounds; pipeline and ceiling take turns, medians are told
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Uploads at once
    #[arg(long, default_value_t = 64)]
    uploads: usize,
    /// Durability profiles: default (the server syncs every two minutes) and always (with every message)
    #[arg(long, value_delimiter = ',', default_value = "default,always")]
    durability: Vec<String>,
}

/// One measured round.
#[derive(Debug, Clone)]
struct Round {
    seconds: f64,
    cpu_ms_per_doc: f64,
    parts: Vec<(String, f64)>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let documents = options.documents;
    let mut results = serde_json::Map::new();
    let mut headline = Value::Null;
    for durability in &options.durability {
        // Synced writes are an order of magnitude slower: fewer documents say the same.
        let documents = if durability == "always" { documents / 4 } else { documents };
        println!(
            "durability {durability}: {documents} documents of 550 words a round, {} rounds",
            options.rounds
        );
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut memory = Value::Null;
        for round in 0..options.rounds {
            let (measured, rss) = pipeline(durability, documents, options.uploads, round).await?;
            let ceiling = ceiling(durability, documents, options.uploads).await?;
            println!(
                "  round {}: pipeline {:>6.0} docs/s {:.2} ms CPU/doc | ceiling {:>6.0} docs/s {:.2} ms CPU/doc | {:.0} % of the ceiling",
                round + 1,
                documents as f64 / measured.seconds,
                measured.cpu_ms_per_doc,
                documents as f64 / ceiling.seconds,
                ceiling.cpu_ms_per_doc,
                100.0 * ceiling.seconds / measured.seconds
            );
            ours.push(measured);
            theirs.push(ceiling);
            memory = rss;
        }
        let ratio = median(ours.iter().zip(&theirs).map(|(ours, theirs)| theirs.seconds / ours.seconds));
        let per_second = median(ours.iter().map(|round| documents as f64 / round.seconds));
        let cpu = median(ours.iter().map(|round| round.cpu_ms_per_doc));
        let ceiling_cpu = median(theirs.iter().map(|round| round.cpu_ms_per_doc));
        let parts: serde_json::Map<String, Value> = ours[0]
            .parts
            .iter()
            .enumerate()
            .map(|(at, (name, _))| {
                (name.clone(), json!(rounded(median(ours.iter().map(|round| round.parts[at].1)), 3)))
            })
            .collect();
        println!(
            "  median: {:.0} % of the ceiling, {per_second:.0} docs/s, {cpu:.2} ms CPU/doc (ceiling {ceiling_cpu:.2}); by process, ms/doc: {}",
            ratio * 100.0,
            Value::from(parts.clone())
        );
        println!("  memory, MB (idle, loaded): {memory}");
        let result = json!({
            "ceiling_ratio": rounded(ratio, 3),
            "cpu_ms_per_doc": rounded(cpu, 3),
            "ceiling_cpu_ms_per_doc": rounded(ceiling_cpu, 3),
            "docs_per_s": rounded(per_second, 0),
            "durability": format!("single node, file storage, sync_interval {durability}"),
            "rss_mb": memory,
            "cpu_ms_per_doc_by_process": parts,
            "documents": documents,
            "rounds": options.rounds,
        });
        if headline.is_null() {
            headline = result.clone();
        }
        results.insert(durability.clone(), result);
    }
    headline["profiles"] = results.into();
    let folder = root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("pipeline.json"), format!("{headline:#}\n"))?;
    println!("written to target/bench/pipeline.json");
    Ok(())
}

fn server(durability: &str) -> Nats {
    match durability {
        "always" => Nats::start_synced(),
        _ => Nats::start(),
    }
}

/// 550 words that differ from document to document.
fn document(round: usize, number: usize) -> String {
    let words = "the supplier shall deliver services to client under this agreement and invoice monthly fees";
    let words: Vec<&str> = words.split(' ').collect();
    let mut text = format!("Agreement {round} {number} of 1 March 2026.\n\n");
    for word in 0..550 {
        text.push_str(words[(word * 7 + number) % words.len()]);
        text.push_str(if word % 15 == 14 { ". " } else { " " });
        if word % 110 == 109 {
            text.push_str("\n\n");
        }
    }
    text
}

async fn pipeline(
    durability: &str,
    documents: usize,
    uploads: usize,
    round: usize,
) -> anyhow::Result<(Round, Value)> {
    let system = System::start(server(durability), &[]).await;
    let http = reqwest::Client::new();
    let url = format!("{}/v1/jobs?profile=summary", system.url("intake"));
    // Idle is what has never worked; what it has warmed up it keeps.
    let before_rss: Vec<f64> =
        system.services.iter().map(|(_, service)| process::rss_mb(service.pid())).collect();
    // The first documents find caches empty and connections closed.
    let jobs = feed(&http, &url, 50, uploads, round + 1000).await?;
    finished(&system.redis, &jobs).await?;
    let pids = system.processes();
    let before: Vec<Usage> = pids.iter().map(|(_, pid)| process::usage(*pid)).collect();
    let begun = Instant::now();
    let jobs = feed(&http, &url, documents, uploads, round).await?;
    finished(&system.redis, &jobs).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let parts: Vec<(String, f64)> = pids
        .iter()
        .zip(&before)
        .map(|((name, pid), before)| {
            (name.clone(), process::usage(*pid).since(before) * 1e3 / documents as f64)
        })
        .collect();
    let memory = system
        .services
        .iter()
        .zip(before_rss)
        .map(|((name, service), before)| {
            ((*name).to_owned(), json!([rounded(before, 1), rounded(process::peak_mb(service.pid()), 1)]))
        })
        .collect::<serde_json::Map<_, _>>();
    let cpu_ms_per_doc = parts.iter().map(|(_, cpu)| cpu).sum();
    Ok((Round { seconds, cpu_ms_per_doc, parts }, memory.into()))
}

async fn feed(
    http: &reqwest::Client,
    url: &str,
    documents: usize,
    uploads: usize,
    round: usize,
) -> anyhow::Result<Vec<String>> {
    let http = Arc::new(http.clone());
    let mut sent = stream::iter(0..documents)
        .map(|number| {
            let (http, url) = (Arc::clone(&http), url.to_owned());
            async move {
                let answer = http.post(url).body(document(round, number)).send().await?;
                ensure!(answer.status() == 202, "an upload was answered {}", answer.status());
                let accepted: Value = answer.json().await?;
                Ok(accepted["job_id"].as_str().context("no job id")?.to_owned())
            }
        })
        .buffer_unordered(uploads);
    let mut jobs = Vec::with_capacity(documents);
    while let Some(sent) = sent.next().await {
        jobs.push(sent?);
    }
    Ok(jobs)
}

/// Waits until all these jobs are completed in Redis: the last hop, the status, included. Job by job, in the order of
/// upload and a hundred at a time, so that the measured Redis is asked little more than once for each; counting keys
/// that expire would count live progress as well, and end the measurement when half of the work is done.
async fn finished(redis: &Redis, jobs: &[String]) -> anyhow::Result<()> {
    let client = redis::Client::open(redis.url())?;
    let mut redis = client.get_multiplexed_async_connection().await?;
    let mut left = jobs;
    while !left.is_empty() {
        let mut ask = redis::pipe();
        for job in left.iter().take(100) {
            ask.hget(format!("job:{job}"), "status");
        }
        let found: Vec<Option<String>> = ask.query_async(&mut redis).await?;
        if let Some(Some(end)) = found.iter().find(|end| matches!(end.as_deref(), Some("rejected" | "dead")))
        {
            anyhow::bail!("a job ended as {end}");
        }
        let done = found.iter().take_while(|end| end.as_deref() == Some("completed")).count();
        left = &left[done..];
        if done < found.len() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    Ok(())
}

async fn ceiling(durability: &str, documents: usize, uploads: usize) -> anyhow::Result<Round> {
    let nats = server(durability);
    let bench = Ceiling::new(&nats.url()).await?;
    bench.run(50, uploads, 0).await?;
    let pid = nats.pid().context("nats-server")?;
    let (server_before, own_before) = (process::usage(pid), process::usage(std::process::id()));
    let begun = Instant::now();
    bench.run(documents, uploads, 50).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let server = process::usage(pid).since(&server_before) * 1e3 / documents as f64;
    let own = process::usage(std::process::id()).since(&own_before) * 1e3 / documents as f64;
    Ok(Round {
        seconds,
        cpu_ms_per_doc: server + own,
        parts: vec![("loop".to_owned(), own), ("nats-server".to_owned(), server)],
    })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}
