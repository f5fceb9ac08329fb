//! The router: one pure decision on everything that branches. What goes where on the way down is written in rules;
//! what happens after a failure is written in [`recovery`].

pub mod recovery;
pub mod rules;

use anyhow::Context as _;
use millrace_contract::wire::fact::Kind;
use millrace_contract::wire::{Dead, Job, Rejected, Remedy, Routed, Unpacked};
use millrace_contract::{ErrorCode, Hop, Service, event};
use millrace_stage::{Decider, Decision};
use recovery::{Policy, Recovery, Scope};
use rules::Rules;
use std::path::PathBuf;
use std::time::Duration;

/// The router.
#[derive(Debug)]
pub struct Router {
    rules: Rules,
    policy: Policy,
}

/// Its options.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// Routing rules in TOML [default: the built-in ones]
    #[arg(long = "rules", env = "MILLRACE_RULES")]
    pub rules: Option<PathBuf>,
    /// First pause when no model is left that answers; doubles each time, up to 15 minutes
    #[arg(long = "outage-wait", env = "MILLRACE_OUTAGE_WAIT", default_value = "30s", value_parser = humantime::parse_duration)]
    pub outage_wait: Duration,
    /// What is done when a model fails: off (the run ends), fallback (other models are asked), all (the recovery table)
    #[arg(long = "recovery", env = "MILLRACE_RECOVERY", value_enum, default_value = "all")]
    pub recovery: Scope,
}

impl Decider for Router {
    const HOP: &'static Hop = Service::Router.hop();
    type Settings = Settings;

    fn new(settings: Settings) -> anyhow::Result<Self> {
        let rules = match &settings.rules {
            None => Rules::built_in()?,
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                Rules::parse(&text).with_context(|| path.display().to_string())?
            }
        };
        let policy = Policy { scope: settings.recovery, first_wait: settings.outage_wait.as_secs() };
        Ok(Self { rules, policy })
    }

    fn decide(&self, job: &Job, heard: &Kind) -> Decision {
        match event::failure(heard) {
            // An archive: nothing to ask about, and what was inside goes its own ways.
            None if job.characters == 0 && !job.children.is_empty() => {
                let documents = u32::try_from(job.children.len()).unwrap_or(u32::MAX);
                Decision { fact: Unpacked { documents }.into(), round: job.round }
            }
            None => Decision { fact: self.rules.route(job).into(), round: job.round },
            Some((stage, failure)) => {
                let (code, message) = (failure.code.clone(), failure.message.clone());
                let stage_name = stage.name().to_owned();
                match recovery::recover(stage, failure, job, self.policy) {
                    Recovery::Again { remedies, wait_ms } => {
                        let again = Routed {
                            rule: format!("recovery: {code} in {stage_name}: {}", told(&remedies)),
                            profile: job.profile.clone(),
                            models: job.models.clone(),
                            long_models: job.long_models.clone(),
                            policy_models: job.policy_models.clone(),
                            tier: job.tier.clone(),
                            lane: job.lane.clone(),
                            prompt_language: job.prompt_language.clone(),
                            recovers: code,
                            remedies,
                            wait_ms,
                        };
                        Decision { fact: again.into(), round: job.round + 1 }
                    }
                    Recovery::Reject => Decision {
                        fact: Rejected { code, message, stage: stage_name }.into(),
                        round: job.round,
                    },
                    Recovery::GiveUp => {
                        let (code, message) = cause(code, message, job);
                        Decision { fact: Dead { code, message, stage: stage_name }.into(), round: job.round }
                    }
                }
            }
        }
    }
}

/// Why a run ends. That the last model of a chain has no key here is not why: the first ones failed.
fn cause(code: String, message: String, job: &Job) -> (String, String) {
    let unset = |code: &str| code == ErrorCode::ProviderNotConfigured.name();
    match job.remedies.iter().find(|remedy| !unset(&remedy.code)) {
        Some(remedy) if unset(&code) => {
            let message = format!(
                "{}; the rest of its models have no key here",
                ErrorCode::named(&remedy.code).title()
            );
            (remedy.code.clone(), message)
        }
        _ => (code, message),
    }
}

/// "terms switch_model flash, risks re_ask".
fn told(remedies: &[Remedy]) -> String {
    let one = |remedy: &Remedy| {
        format!("{} {} {}", remedy.prompt, remedy.action, remedy.argument).trim_end().to_owned()
    };
    remedies.iter().map(one).collect::<Vec<_>>().join(", ")
}
