//! `millrace ledger`: what was paid to providers, folded from the journal of calls.

use crate::client::Target;
use crate::operate::connect;
use anyhow::Context as _;
use millrace_contract::ledger::{Ledger, Line};
use millrace_contract::wire::Spent;
use millrace_runtime::Operator;
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Show what was paid to providers, by job, tenant, day or model.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// What to add up by
    #[arg(long, value_enum, default_value = "model")]
    by: By,
    /// Only this job
    #[arg(long)]
    job: Option<String>,
    /// Only this tenant
    #[arg(long)]
    tenant: Option<String>,
    /// Only calls that were journalled in this long, such as 24h
    #[arg(long, value_parser = humantime::parse_duration)]
    since: Option<Duration>,
    /// The calls of which nobody knows whether they were paid for, one by one
    #[arg(long)]
    maybe_paid: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum By {
    Job,
    Tenant,
    Day,
    Model,
}

impl Show {
    pub async fn run(self) -> anyhow::Result<()> {
        let (broker, _) = connect(self.target.nats()).await?;
        let since = self.since.map(|since| SystemTime::now() - since);
        let ledger = Operator::new(&broker)?.ledger(since).await.context("the journal cannot be read")?;
        if self.maybe_paid {
            self.unsettled(&ledger)
        } else {
            self.totals(&ledger)
        }
        Ok(())
    }

    fn wanted(&self, tenant: &str, line: &Line) -> bool {
        self.job.as_ref().is_none_or(|job| *job == line.job)
            && self.tenant.as_ref().is_none_or(|wanted| wanted == tenant)
    }

    fn totals(&self, ledger: &Ledger) {
        let key = |tenant: &str, line: &Line| {
            let kept = self.wanted(tenant, line);
            kept.then(|| match self.by {
                By::Job => line.job.clone(),
                By::Tenant => tenant.to_owned(),
                By::Day => date(line.day),
                By::Model => format!("{}/{}", line.provider, line.model),
            })
        };
        let totals = ledger.totals(key);
        let rows: Vec<(&String, &Spent)> =
            totals.iter().filter_map(|(name, spent)| Some((name.as_ref()?, spent))).collect();
        if self.json {
            let rows: Vec<_> = rows.iter().map(|(name, spent)| json!({
                "name": name, "calls": spent.calls, "input_tokens": spent.input_tokens, "cached_tokens": spent.cached_tokens,
                "output_tokens": spent.output_tokens, "cost_usd": spent.cost_microusd as f64 / 1e6,
            })).collect();
            println!("{:#}", serde_json::Value::from(rows));
            return;
        }
        if rows.is_empty() {
            println!("nothing was paid: the journal holds no such calls");
            return;
        }
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max(5);
        println!(
            "{:width$}  {:>7} {:>12} {:>12} {:>12} {:>12}",
            "", "calls", "input", "cached", "output", "USD"
        );
        let mut all = Spent::default();
        for (name, spent) in &rows {
            row(name, spent, width);
            millrace_contract::ledger::add(&mut all, spent);
        }
        if rows.len() > 1 {
            row("total", &all, width);
        }
        let open = ledger.maybe_paid().filter(|(tenant, line)| self.wanted(tenant, line)).count();
        if open > 0 {
            println!(
                "\n{open} calls are not settled: they may have been paid for, and count as estimated (--maybe-paid)"
            );
        }
    }

    fn unsettled(&self, ledger: &Ledger) {
        let lines: Vec<(&str, &Line)> =
            ledger.maybe_paid().filter(|(tenant, line)| self.wanted(tenant, line)).collect();
        if self.json {
            let lines: Vec<_> = lines.iter().map(|(tenant, line)| json!({
                "id": line.id, "tenant": tenant, "job": line.job, "run": line.run, "prompt": line.prompt,
                "provider": line.provider, "model": line.model, "day": date(line.day),
                "estimated_usd": line.spent.cost_microusd as f64 / 1e6,
            })).collect();
            println!("{:#}", serde_json::Value::from(lines));
            return;
        }
        println!("{} calls went out, or were about to, and nothing came back", lines.len());
        for (tenant, line) in lines {
            println!(
                "  {} {}  {tenant}/{} run {} {}  {}/{}  about USD {:.6}",
                date(line.day),
                line.id,
                line.job,
                line.run,
                line.prompt,
                line.provider,
                line.model,
                line.spent.cost_microusd as f64 / 1e6
            );
        }
    }
}

fn row(name: &str, spent: &Spent, width: usize) {
    println!(
        "{name:width$}  {:>7} {:>12} {:>12} {:>12} {:>12.6}",
        spent.calls,
        spent.input_tokens,
        spent.cached_tokens,
        spent.output_tokens,
        spent.cost_microusd as f64 / 1e6
    );
}

fn date(day: u32) -> String {
    let at = UNIX_EPOCH + Duration::from_secs(u64::from(day) * 24 * 3600);
    humantime::format_rfc3339_seconds(at).to_string().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_contract::ledger::day;

    #[test]
    fn days_read_as_dates() {
        assert_eq!(date(day(1_795_651_200_000)), "2026-11-26");
    }
}
