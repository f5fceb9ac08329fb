//! `millrace history`: all that happened to a job, from the log alone.

use crate::client::{Ended, Target};
use crate::operate::connect;
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
        Kind::Extracted(extracted) => {
            let agreement = match extracted.agreement {
                0.0 => String::new(),
                agreement => format!(", engines agree to {agreement:.2}"),
            };
            format!(
                "{} pages, {} bytes of text by {}{agreement}",
                extracted.pages, extracted.characters, extracted.engine
            )
        }
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
