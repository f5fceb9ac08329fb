//! `millrace profile`: what is asked about documents, and what is wrong with it. Reads files only; nothing has to run.

use crate::told;
use millrace_profile::{Mistakes, Profile, Profiles, Source, check};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Check profiles, or list those that are installed.
#[derive(Debug, clap::Args)]
pub struct Manage {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Tell every mistake in a profile, by file and line
    Check {
        /// The folder of one profile, or a folder of profiles
        dir: PathBuf,
    },
    /// Show the profiles that a job can ask for
    List {
        /// Folder of profiles to use instead of the built-in ones
        #[arg(long, env = "MILLRACE_PROFILES")]
        profiles: Option<PathBuf>,
    },
}

impl Manage {
    /// Ends with 0 if all is well and with 1 if not.
    pub fn run(self) -> ExitCode {
        let told = match self.command {
            Command::Check { dir } => checked(&dir),
            Command::List { profiles } => listed(profiles).map(|told| (told, true)),
        };
        told::end(told)
    }
}

/// What there is to say about a folder, and whether it is good.
fn checked(dir: &Path) -> anyhow::Result<(String, bool)> {
    let (mut told, mut wrong) = (String::new(), 0);
    for (path, profile) in check(dir)? {
        match profile {
            Ok(profile) => told.push_str(&summary(&profile)),
            Err(Mistakes(mistakes)) => {
                wrong += mistakes.len();
                for mistake in mistakes {
                    let _ = writeln!(told, "{}/{mistake}", path.display());
                }
            }
        }
    }
    if wrong > 0 {
        let _ = writeln!(told, "{wrong} {}", if wrong == 1 { "mistake" } else { "mistakes" });
    }
    Ok((told, wrong == 0))
}

fn listed(folder: Option<PathBuf>) -> anyhow::Result<String> {
    let profiles = Profiles::load(&Source(folder))?;
    let mut told = String::new();
    for profile in profiles.names().into_iter().filter_map(|name| profiles.get(name)) {
        let ids: Vec<&str> = profile.prompts.iter().map(|prompt| prompt.id.as_str()).collect();
        let _ = writeln!(told, "{:<12} {:<28} {}", profile.name, profile.title, ids.join(", "));
    }
    Ok(told)
}

/// A good profile in a few lines.
fn summary(profile: &Profile) -> String {
    let ids: Vec<&str> = profile.prompts.iter().map(|prompt| prompt.id.as_str()).collect();
    let languages: Vec<&str> = profile.languages().into_iter().collect();
    let own = if languages.is_empty() {
        String::new()
    } else {
        format!(", own texts for {}", languages.join(", "))
    };
    format!(
        "{} version {}: good\n  prompts    {}\n  models     {}\n  languages  default{own}\n  checks     {}\n  digest     {}\n",
        profile.name,
        profile.version,
        ids.join(", "),
        profile.models.join(", "),
        profile.checks.len(),
        profile.digest,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_profiles_are_good_and_a_changed_one_is_not() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles");
        let (told, good) = checked(&shipped).unwrap();
        assert!(
            good && told.contains("contract version 1: good\n  prompts    parties, terms, clauses, risks\n"),
            "{told}"
        );
        assert_eq!(listed(None).unwrap(), listed(Some(shipped.clone())).unwrap());

        let copy =
            std::env::temp_dir().join(format!("millrace-profile-{}", std::process::id())).join("summary");
        std::fs::create_dir_all(&copy).unwrap();
        for file in std::fs::read_dir(shipped.join("summary")).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
        let toml = std::fs::read_to_string(copy.join("profile.toml")).unwrap();
        std::fs::write(copy.join("profile.toml"), toml.replace("title", "titel")).unwrap();
        let (told, good) = checked(&copy).unwrap();
        std::fs::remove_dir_all(copy.parent().unwrap()).unwrap();
        assert!(!good, "{told}");
        assert!(told.contains("summary/profile.toml:3: \"titel\" is no field of the profile"), "{told}");
        assert!(told.ends_with("2 mistakes\n"), "{told}");
    }
}
