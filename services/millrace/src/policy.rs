//! `millrace policy`: what is done with personal data, and what is wrong with a file that says so. Reads files only.

use crate::told;
use anyhow::Context as _;
use millrace_sanitization::policy::Policies;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Check a policy, or show what holds for a document.
#[derive(Debug, clap::Args)]
pub struct Manage {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Tell every mistake in a policy, by line
    Check {
        /// The file
        file: PathBuf,
    },
    /// Show what is done with each kind of personal data
    Show {
        /// Policy to use before the built-in one
        #[arg(long, env = "MILLRACE_POLICY")]
        policy: Option<PathBuf>,
        /// Whose documents
        #[arg(long, default_value = "default")]
        tenant: String,
        /// Which profile they are uploaded for
        #[arg(long, default_value = "")]
        profile: String,
    },
}

impl Manage {
    /// Ends with 0 if all is well and with 1 if not.
    pub fn run(self) -> ExitCode {
        let told = match self.command {
            Command::Check { file } => read(&file).map(|read| match read {
                Ok(_) => (format!("{}: good\n", file.display()), true),
                Err(mistakes) => (mistakes, false),
            }),
            Command::Show { policy, tenant, profile } => shown(policy.as_deref(), &tenant, &profile),
        };
        told::end(told)
    }
}

/// The policies in a file, or its mistakes as they are told.
fn read(file: &Path) -> anyhow::Result<Result<Policies, String>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Policies::read(&file.display().to_string(), &text).map_err(|mistakes| {
        let count = mistakes.0.len();
        format!("{mistakes}\n{count} {}\n", if count == 1 { "mistake" } else { "mistakes" })
    }))
}

fn shown(file: Option<&Path>, tenant: &str, profile: &str) -> anyhow::Result<(String, bool)> {
    let policies = match file.map(read).transpose()? {
        None => Policies::default(),
        Some(Ok(policies)) => policies,
        Some(Err(mistakes)) => return Ok((mistakes, false)),
    };
    Ok((policies.of(tenant, profile).summary(), true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_and_its_mistakes_are_told() {
        let file = std::env::temp_dir().join(format!("millrace-policy-{}.toml", std::process::id()));
        std::fs::write(&file, "[tenants.acme]\nmask = [\"CARD\"]\n").unwrap();
        let (told, good) = shown(Some(&file), "acme", "contract").unwrap();
        assert!(good && told.contains("\nmask     CARD\n") && told.contains(" line 1)\n"), "{told}");
        std::fs::write(&file, "[default]\nmask = [\"KARTE\"]\n").unwrap();
        let (told, good) = shown(Some(&file), "acme", "").unwrap();
        std::fs::remove_file(&file).unwrap();
        assert!(
            !good && told.contains(".toml:2: \"KARTE\" is no kind") && told.ends_with("1 mistake\n"),
            "{told}"
        );
        assert!(
            shown(None, "acme", "contract").unwrap().0.starts_with("policy   contract (built in line 15)\n")
        );
    }
}
