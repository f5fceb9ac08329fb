//! Ten times as much as the account may ask for, for minutes. No job may fail or use up tries, the quota must be used,
//! and a lane with another model must not notice.

use anyhow::Result;
use clap::Parser as _;
use millrace_bench::client::Client;
use millrace_bench::provider::Provider;
use millrace_bench::system::System;
use millrace_testkit::provider::{Config, Faults};
use millrace_testkit::{Nats, root};
use serde_json::json;
use std::time::{Duration, Instant};

/// Measure what a quota does to those who exceed it and to those who do not.
#[derive(Debug, clap::Parser)]
struct Options {
    /// How long it goes on, seconds
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// Requests a minute that the account has for the model of the bulk lane
    #[arg(long, default_value_t = 300)]
    quota: u64,
    /// How many times as much is asked for
    #[arg(long, default_value_t = 10)]
    times: u64,
}

const RULES: &str = r#"
[[rule]]
name = "bulk"
lanes = ["bulk"]
models = ["pro"]

[[rule]]
name = "others"
set_profile = "summary"
models = ["flash"]
prompt_language = "en"
lane = "default"
"#;

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let folder = root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    let (rules, limits) = (folder.join("quota-rules.toml"), folder.join("quota-limits.toml"));
    std::fs::write(&rules, RULES)?;
    std::fs::write(&limits, format!("[\"gemini-2.5-pro\"]\nrequests_per_minute = {}\n", options.quota))?;

    let provider = Provider::start()?;
    let mut config = Config::default();
    let thinks = Faults { latency_ms: 200.0, latency_sigma: 0.4, ..Faults::default() };
    config.models.insert("gemini-2.5-pro".into(), Faults { rpm: options.quota as f64, ..thinks.clone() });
    config.default = thinks;
    provider.configure(&config).await?;
    let mut environment = provider.environment();
    environment.push(("MILLRACE_RULES".to_owned(), rules.to_string_lossy().into_owned()));
    environment.push(("MILLRACE_LIMITS".to_owned(), limits.to_string_lossy().into_owned()));
    let system = System::start_sharing_limits(Nats::start(), &environment).await;
    let client = Client::new(&system);

    let before = others(&client, 20, 0).await?;
    let offered = options.quota * options.times;
    let pause = Duration::from_secs_f64(60.0 / offered as f64);
    println!(
        "{offered} jobs a minute against a quota of {} for {} s; beside them a lane with another model",
        options.quota, options.seconds
    );
    let begun = Instant::now();
    let until = Duration::from_secs(options.seconds);
    let bulk = async {
        let mut sent: Vec<String> = Vec::new();
        while begun.elapsed() < until {
            let due = (begun.elapsed().as_secs_f64() / pause.as_secs_f64()) as usize;
            let texts: Vec<String> = (sent.len()..due).map(|number| text("bulk", number)).collect();
            sent.extend(client.upload(&texts, "profile=summary&lane=bulk", 16).await?);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::Ok(sent)
    };
    let beside = async {
        let mut during = Vec::new();
        let mut number = 1000;
        while begun.elapsed() < until {
            during.extend(others(&client, 1, number).await?);
            number += 1;
        }
        anyhow::Ok(during)
    };
    let (jobs, during) = tokio::try_join!(bulk, beside)?;
    let seconds = begun.elapsed().as_secs_f64();
    let account = provider.account().await?;
    let pro = account.models.get("gemini-2.5-pro").cloned().unwrap_or_default();
    let answered = pro.outcomes.get("ok").copied().unwrap_or(0);
    let refused: u64 = pro.requests - answered;
    let (mut completed, mut failed) = (0usize, 0usize);
    for job in &jobs {
        match client.ended(job).await? {
            Some(status) if status["status"] == "completed" => completed += 1,
            Some(_) => failed += 1,
            None => {}
        }
    }
    let quota = options.quota as f64 / 60.0 * seconds;
    let used = answered as f64 / quota;
    let (slow_before, slow_during) = (median(before), median(during.clone()));
    println!(
        "bulk: {} jobs offered, {completed} completed, {failed} failed, the rest waits; the quota was used to {:.1} % ({answered} answers), \
         {refused} requests were refused by the provider",
        jobs.len(),
        used * 100.0
    );
    println!(
        "the other lane: median {slow_before:.2} s before, {slow_during:.2} s during ({} jobs)",
        during.len()
    );
    let result = json!({
        "seconds": seconds,
        "quota_per_minute": options.quota,
        "offered_times": options.times,
        "jobs": jobs.len(),
        "completed": completed,
        "failed": failed,
        "quota_used": used,
        "refused_by_provider": refused,
        "other_lane_s_before": slow_before,
        "other_lane_s_during": slow_during,
    });
    std::fs::write(folder.join("quota.json"), format!("{result:#}\n"))?;
    println!("written to target/bench/quota.json");
    Ok(())
}

/// Jobs of the other lane, one after the other; how long each took, seconds.
async fn others(client: &Client, jobs: usize, from: usize) -> Result<Vec<f64>> {
    let mut took = Vec::new();
    for number in from..from + jobs {
        let begun = Instant::now();
        let sent = client.upload(&[text("other", number)], "profile=summary", 1).await?;
        for job in sent {
            while client.ended(&job).await?.is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        took.push(begun.elapsed().as_secs_f64());
    }
    Ok(took)
}

fn text(kind: &str, number: usize) -> String {
    format!(
        "NOTICE {kind} {number}\n\nThe supplier delivers lot {number} at Harwick on 4 May 2026 for a fee of GBP 1,{:03}.00.\n\n\
         The client may return it within thirty days.\n",
        number % 1000
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
