//! `millrace history`: all that happened to a job, from the log alone.

use crate::client::{Ended, Target};
use crate::operate::connect;
use millrace_contract::wire::Extracted;
use millrace_contract::wire::fact::Kind;
use millrace_contract::{EventKind, event};
use millrace_runtime::Operator;
use millrace_stage::Recorded;
use std::time::{Duration, UNIX_EPOCH};

/// Show all that happened to a job, from the log alone.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The job's id
    job: String,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

impl Show {
    pub async fn run(self) -> anyhow::Result<()> {
        let (broker, _) = connect(self.target.nats()).await?;
        let history = Operator::new(&broker)?.history(None, &self.job).await?;
        let Some(first) = history.first() else {
            return Err(Ended::NotFound(format!("no event of job {} is in the log", self.job)).into());
        };
        if self.json {
            for recorded in &history {
                println!("{}", as_json(recorded));
            }
            return Ok(());
        }
        let job = first.event.job.clone().unwrap_or_default();
        let document = job.document.unwrap_or_default();
        println!(
            "job {}  tenant {}  {} ({}, {} bytes)",
            job.id, job.tenant, document.name, document.media_type, document.size
        );
        let (mut run, mut before) = (0, 0);
        for recorded in &history {
            let job = recorded.event.job.clone().unwrap_or_default();
            if job.run != run {
                run = job.run;
                before = recorded.event.at_ms;
                println!("run {run}  trace {}", job.trace_id);
            }
            let at =
                humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(recorded.event.at_ms))
                    .to_string();
            let took = recorded.event.at_ms.saturating_sub(before);
            before = recorded.event.at_ms;
            println!("  {}  +{took:>6} ms  {:<19} {}", &at[11..23], recorded.kind.token(), tell(recorded));
        }
        Ok(())
    }
}

/// What an event says, in words.
fn tell(recorded: &Recorded) -> String {
    let fact = recorded.event.fact.as_ref().and_then(|fact| fact.kind.as_ref());
    let Some(fact) = fact else { return String::new() };
    if let Some((code, message, stage)) = event::error_of(fact) {
        return format!("{code} in {stage}: {message}");
    }
    match fact {
        Kind::Uploaded(uploaded) => format!("from {}", uploaded.source),
        Kind::Extracted(extracted) => extraction(extracted),
        Kind::Sanitized(sanitized) => {
            let redacted: Vec<String> =
                sanitized.redacted.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            let redacted = if redacted.is_empty() { "nothing".to_owned() } else { redacted.join(", ") };
            format!("language {}, about {} tokens, redacted {redacted}", sanitized.language, sanitized.tokens)
        }
        Kind::Routed(routed) => format!(
            "profile {}, models {}, lane {}, prompts in {}; by rule {}",
            routed.profile,
            routed.models.join(" > "),
            routed.lane,
            routed.prompt_language,
            routed.rule
        ),
        Kind::Inferred(inferred) => format!(
            "{} by {}, {} calls, {} + {} tokens, USD {:.6}",
            inferred.model,
            inferred.provider,
            inferred.calls,
            inferred.input_tokens,
            inferred.output_tokens,
            inferred.cost_microusd as f64 / 1e6
        ),
        Kind::Completed(completed) => {
            format!("{} quotes found in the text, {} withheld", completed.evidence, completed.ungrounded)
        }
        _ => String::new(),
    }
}

/// What came of reading a document, and what its pictures cost.
fn extraction(extracted: &Extracted) -> String {
    let Extracted { pages, characters, engine, .. } = extracted;
    let mut told = format!("{pages} pages, {characters} bytes of text by {engine}");
    if extracted.agreement > 0.0 {
        told.push_str(&format!(", engines agree to {:.2}", extracted.agreement));
    }
    if extracted.ocr_pages > 0 {
        let (pages, ms) = (u64::from(extracted.ocr_pages), extracted.ocr_ms);
        told.push_str(&format!(", {pages} of them recognised in {ms} ms of CPU ({} a page)", ms / pages));
    }
    if extracted.unread_pages > 0 {
        told.push_str(&format!(", {} of them unread", extracted.unread_pages));
    }
    if extracted.hidden_blocks > 0 {
        told.push_str(&format!(", {} texts that nobody sees kept apart", extracted.hidden_blocks));
    }
    if !extracted.children.is_empty() {
        told.push_str(&format!(", {} documents inside", extracted.children.len()));
    }
    told
}

fn as_json(recorded: &Recorded) -> serde_json::Value {
    let job = recorded.event.job.clone().unwrap_or_default();
    let claims: std::collections::BTreeMap<_, _> =
        recorded.event.claims.iter().map(|(maker, claim)| (maker, &claim.key)).collect();
    serde_json::json!({
        "id": recorded.id,
        "cause": recorded.cause,
        "event": EventKind::token(recorded.kind),
        "stream": recorded.stream,
        "sequence": recorded.sequence,
        "run": job.run,
        "round": job.round,
        "lane": job.lane,
        "trace_id": job.trace_id,
        "at_ms": recorded.event.at_ms,
        "tells": tell(recorded),
        "claims": claims,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pictures_cost_is_told_by_page() {
        let mut extracted =
            Extracted { pages: 7, characters: 900, engine: "an engine".into(), ..Extracted::default() };
        assert_eq!(extraction(&extracted), "7 pages, 900 bytes of text by an engine");
        (extracted.ocr_pages, extracted.ocr_ms, extracted.unread_pages) = (3, 5_100, 1);
        (extracted.agreement, extracted.hidden_blocks, extracted.children) = (0.987, 2, vec!["j2".into()]);
        assert_eq!(
            extraction(&extracted),
            "7 pages, 900 bytes of text by an engine, engines agree to 0.99, 3 of them recognised in 5100 ms of CPU \
             (1700 a page), 1 of them unread, 2 texts that nobody sees kept apart, 1 documents inside"
        );
    }
}
