//! `millrace vault`: key-encryption keys made, data keys wrapped anew or erased.

use crate::client::{Ended, Target};
use crate::operate::connect;
use anyhow::{Context as _, ensure};
use millrace_contract::Service;
use millrace_contract::wire::{DocumentText, StageOutput};
use millrace_runtime::{Operator, Vault};
use millrace_vault::{SecretKeys, Wrap as _, generate, rewrap};
use prost::Message as _;
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Make, change and destroy what opens the values behind placeholders.
#[derive(Debug, clap::Args)]
pub struct Manage {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a key: vault.pub for sanitization, vault.key for status. An older vault.key goes on opening
    Keygen {
        /// Where to write both
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Wrap every data key for the newest key. Afterwards the older ones can be destroyed
    Rotate {
        /// File with the secret keys, the newest first
        #[arg(long, env = "MILLRACE_VAULT_KEY_FILE")]
        key_file: PathBuf,
        #[command(flatten)]
        target: Target,
    },
    /// Erase data keys: what they open is gone, in every copy and backup of the text
    Erase(Erase),
}

#[derive(Debug, clap::Args)]
#[group(skip)]
struct Erase {
    /// Of this job's document, and of all jobs of its tenant with the same text
    #[arg(long, conflicts_with = "tenant")]
    job: Option<String>,
    /// Of all documents of this tenant
    #[arg(long)]
    tenant: Option<String>,
    #[command(flatten)]
    target: Target,
}

impl Manage {
    pub async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Keygen { dir } => keygen(&dir),
            Command::Rotate { key_file, target } => rotate(&key_file, &target).await,
            Command::Erase(erase) => erase.run().await,
        }
    }
}

/// The files of a key in this folder: the public half, the secret one.
pub(crate) fn files(dir: &Path) -> (PathBuf, PathBuf) {
    (dir.join("vault.pub"), dir.join("vault.key"))
}

fn keygen(dir: &Path) -> anyhow::Result<()> {
    let id = make(dir)?;
    let (public_file, secret_file) = files(dir);
    println!("key {id}");
    println!("  {}  for sanitization (MILLRACE_VAULT_PUBLIC_KEY_FILE)", public_file.display());
    println!(
        "  {}  for status (MILLRACE_VAULT_KEY_FILE): keep it secret, and keep a copy",
        secret_file.display()
    );
    println!(
        "  Or, in a folder of its own, for passwords of documents: the one for intake \
         (MILLRACE_PASSWORD_PUBLIC_KEY_FILE), the other for extraction (MILLRACE_PASSWORD_KEY_FILE)"
    );
    Ok(())
}

/// Makes a key; its id. Older ones go on opening.
pub(crate) fn make(dir: &Path) -> anyhow::Result<String> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let (public, secret) = generate();
    let (public_file, secret_file) = files(dir);
    let older = match std::fs::read_to_string(&secret_file) {
        Ok(older) => {
            SecretKeys::read(&older).with_context(|| format!("what is in {}", secret_file.display()))?;
            older
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", secret_file.display())),
    };
    let keys = format!("{secret}\n{older}");
    let id = SecretKeys::read(&keys)?.newest().to_owned();
    // The secret one first, and beside the old one: at no time is there a public key that nobody can open for.
    let beside = dir.join("vault.key.new");
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .with_context(|| format!("cannot make {}", beside.display()))?;
    file.write_all(keys.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, &secret_file)?;
    std::fs::write(&public_file, format!("{public}\n"))
        .with_context(|| format!("cannot write {}", public_file.display()))?;
    Ok(id)
}

async fn rotate(key_file: &Path, target: &Target) -> anyhow::Result<()> {
    let text =
        std::fs::read_to_string(key_file).with_context(|| format!("cannot read {}", key_file.display()))?;
    let keys = SecretKeys::read(&text).with_context(|| key_file.display().to_string())?;
    let newest = keys.public().context("there is no key")?;
    let (broker, _) = connect(target.nats()).await?;
    let vault = Vault::new(&broker);
    let (mut done, mut already, mut failed) = (0, 0, 0);
    for kept in vault.all(None).await? {
        match rewrap(&kept.key, &kept.id, &kept.tenant, &keys, &newest) {
            // If it has changed since, it was rotated or erased by somebody else.
            Ok(Some(key)) => {
                done += u32::from(vault.write(&kept.tenant, &kept.id, &key, kept.revision).await?)
            }
            Ok(None) => already += 1,
            Err(error) => {
                eprintln!("{}/{}: {error}", kept.tenant, kept.id);
                failed += 1;
            }
        }
    }
    println!("{done} data keys wrapped for {}, {already} were already", newest.id());
    ensure!(failed == 0, "{failed} data keys stay as they are: keep the older keys");
    Ok(())
}

impl Erase {
    async fn run(self) -> anyhow::Result<()> {
        let (broker, _) = connect(self.target.nats()).await?;
        let vault = Vault::new(&broker);
        let keys: BTreeSet<(String, String)> = match (&self.job, &self.tenant) {
            (Some(job), _) => of_job(&Operator::new(&broker)?, job).await?,
            (None, Some(tenant)) => {
                vault.all(Some(tenant)).await?.into_iter().map(|kept| (kept.tenant, kept.id)).collect()
            }
            (None, None) => anyhow::bail!("say whose: --job or --tenant"),
        };
        let mut erased = 0;
        for (tenant, id) in &keys {
            erased += u32::from(vault.erase(tenant, id).await?);
        }
        println!("{erased} data keys erased; what they opened cannot be restored any more");
        Ok(())
    }
}

/// The data keys of all texts that any run of a job has made.
async fn of_job(operator: &Operator, job: &str) -> anyhow::Result<BTreeSet<(String, String)>> {
    let history = operator.history(None, job).await?;
    if history.is_empty() {
        return Err(Ended::NotFound(format!("no event of {job} is in the log")).into());
    }
    let claims =
        history.iter().filter_map(|recorded| recorded.event.claims.get(Service::Sanitization.name()));
    let claims: Vec<_> = claims.collect();
    let mut keys = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for claim in claims {
        if !seen.insert(&claim.key) {
            continue;
        }
        let bytes = operator.fetch(claim).await?.into_bytes()?;
        let text = DocumentText::decode(StageOutput::decode(bytes)?.body.as_slice())?;
        if !text.sealed_key.is_empty() {
            let tenant = claim.key.split('/').next().unwrap_or_default().to_owned();
            keys.insert((tenant, text.sealed_key));
        }
    }
    Ok(keys)
}
