//! `millrace diff`: the reports of two runs of a job, field by field.

use crate::client::{Ended, Target};
use crate::operate::connect;
use anyhow::Context as _;
use millrace_contract::wire::{Report, StageOutput};
use millrace_contract::{EventKind, Service};
use millrace_runtime::Operator;
use millrace_stage::Recorded;
use prost::Message as _;
use serde_json::Value;
use std::collections::BTreeMap;

/// Compare the reports of two runs of a job.
#[derive(Debug, clap::Args)]
pub struct Diff {
    /// The job's id
    job: String,
    /// The run to compare from [default: the one before the last]
    from: Option<u32>,
    /// The run to compare to [default: the last]
    to: Option<u32>,
    #[command(flatten)]
    target: Target,
}

impl Diff {
    pub async fn run(self) -> anyhow::Result<()> {
        let (broker, _) = connect(self.target.nats()).await?;
        let operator = Operator::new(&broker)?;
        let history = operator.history(None, &self.job).await?;
        let ends: BTreeMap<u32, &Recorded> = history
            .iter()
            .filter(|recorded| recorded.kind == EventKind::Completed)
            .filter_map(|recorded| Some((recorded.event.job.as_ref()?.run, recorded)))
            .collect();
        let mut last = ends.keys().rev().copied();
        let to = self.to.or_else(|| last.next());
        let from = self.from.or_else(|| ends.keys().rev().copied().find(|run| Some(*run) < to));
        let (Some(from), Some(to)) = (from, to) else {
            let count = ends.len();
            let message =
                format!("job {} has {count} completed runs; two are needed (millrace replay)", self.job);
            return Err(Ended::NotFound(message).into());
        };
        let mut reports = Vec::new();
        for run in [from, to] {
            let end = ends.get(&run).ok_or_else(|| Ended::NotFound(format!("run {run} has no report")))?;
            reports.push(report(&operator, end).await?);
        }
        let mut lines = Vec::new();
        compare("", &reports[0], &reports[1], &mut lines);
        println!("job {}: run {from} -> run {to}", self.job);
        for run in [from, to] {
            let cost =
                ends.get(&run).and_then(|end| end.event.job.as_ref()).map_or(0, |job| job.cost_microusd);
            println!("  run {run} has cost USD {:.6}", cost as f64 / 1e6);
        }
        if lines.is_empty() {
            println!("  the reports are the same");
        }
        for line in lines {
            println!("  {line}");
        }
        Ok(())
    }
}

async fn report(operator: &Operator, end: &Recorded) -> anyhow::Result<Value> {
    let claim =
        end.event.claims.get(Service::Validation.name()).context("the run's end carries no report")?;
    let output = StageOutput::decode(operator.fetch(claim).await?.into_bytes()?)?;
    Ok(serde_json::from_str(&Report::decode(output.body.as_slice())?.json)?)
}

/// Every place where two values differ.
fn compare(path: &str, from: &Value, to: &Value, lines: &mut Vec<String>) {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => {
            let mut names: Vec<&String> = from.keys().chain(to.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let null = &Value::Null;
                compare(
                    &format!("{path}/{name}"),
                    from.get(name).unwrap_or(null),
                    to.get(name).unwrap_or(null),
                    lines,
                );
            }
        }
        (Value::Array(from), Value::Array(to)) => {
            for at in 0..from.len().max(to.len()) {
                let null = &Value::Null;
                compare(
                    &format!("{path}/{at}"),
                    from.get(at).unwrap_or(null),
                    to.get(at).unwrap_or(null),
                    lines,
                );
            }
        }
        (from, to) if from == to => {}
        (Value::Null, to) => lines.push(format!("+ {path}: {to}")),
        (from, Value::Null) => lines.push(format!("- {path}: {from}")),
        (from, to) => lines.push(format!("~ {path}: {from} -> {to}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_are_told_by_place() {
        let mut lines = Vec::new();
        compare(
            "",
            &json!({"a": 1, "b": [1, 2], "c": "x"}),
            &json!({"a": 1, "b": [1, 3, 4], "d": true}),
            &mut lines,
        );
        assert_eq!(lines, ["~ /b/1: 2 -> 3", "+ /b/2: 4", "- /c: \"x\"", "+ /d: true"]);
    }
}
