//! The router: one pure decision on everything that branches. What goes where on the way down is written in rules;
//! what happens after a failure is written in [`recovery`].

pub mod recovery;
pub mod rules;

use anyhow::Context as _;
use millrace_contract::wire::fact::Kind;
use millrace_contract::wire::{Dead, Job, Rejected, Routed};
use millrace_contract::{ErrorCode, Hop, Service, event};
use millrace_stage::{Decider, Decision};
use recovery::Recovery;
use rules::Rules;
use std::path::PathBuf;

/// The router.
#[derive(Debug)]
pub struct Router {
    rules: Rules,
}

/// Its options.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// Routing rules in TOML [default: the built-in ones]
    #[arg(long = "rules", env = "MILLRACE_RULES")]
    pub rules: Option<PathBuf>,
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
        Ok(Self { rules })
    }

    fn decide(&self, job: &Job, heard: &Kind) -> Decision {
        match event::failure(heard) {
            None => Decision { fact: self.rules.route(job).into(), round: job.round },
            Some((stage, failure)) => {
                let code = ErrorCode::named(&failure.code);
                let (message, name) = (failure.message.clone(), failure.code.clone());
                let stage_name = stage.name().to_owned();
                match recovery::recover(stage, code, job) {
                    Recovery::Again { models } => {
                        let routed = Routed {
                            rule: format!("recovery: {code} in {stage_name}"),
                            profile: job.profile.clone(),
                            models,
                            lane: job.lane.clone(),
                            prompt_language: job.prompt_language.clone(),
                            recovers: name,
                            ..Routed::default()
                        };
                        Decision { fact: routed.into(), round: job.round + 1 }
                    }
                    Recovery::Reject => Decision {
                        fact: Rejected { code: name, message, stage: stage_name }.into(),
                        round: job.round,
                    },
                    Recovery::GiveUp => Decision {
                        fact: Dead { code: name, message, stage: stage_name }.into(),
                        round: job.round,
                    },
                }
            }
        }
    }
}
