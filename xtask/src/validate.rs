//! Checks the deployment files without a cluster: `kubectl kustomize` renders the objects, `validate.py` holds them
//! against the schemas of Kubernetes and KEDA, and against one another and the table.

use anyhow::{Context as _, bail, ensure};
use millrace_contract::CHOREOGRAPHY;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What can be rendered by itself. The first is the base.
const KUSTOMIZATIONS: &[&str] = &["deploy/kubernetes/base", "deploy/kubernetes/network-policy"];
const COMPOSE: &str = "docker-compose.yml";
const KEDA_SCHEMA: &str = "deploy/kubernetes/schemas/scaledobject.json";
/// Kubernetes whose schemas are meant; the validator's own version goes with it.
const KUBERNETES: &str = "1.37";
const VALIDATOR: &str = "kubernetes-validate==1.37.0";
const SCRIPT: &str = include_str!("validate.py");

/// Checks the Kubernetes objects and the compose file.
pub(crate) fn validate() -> anyhow::Result<()> {
    let root = crate::root();
    kubectl()?;
    let tools = python_tools(&root)?;
    let scratch = root.join("target/validate");
    std::fs::create_dir_all(&scratch)?;
    let mut rendered = Vec::new();
    for folder in KUSTOMIZATIONS {
        let objects = run(Command::new("kubectl").arg("kustomize").arg(root.join(folder)))
            .with_context(|| format!("kubectl kustomize {folder}"))?;
        let name = folder.rsplit('/').next().unwrap_or_default();
        let file = scratch.join(name).with_extension("yaml");
        std::fs::write(&file, objects)?;
        println!("kubectl kustomize {folder}: rendered");
        rendered.push(file);
    }
    let script = scratch.join("validate.py");
    std::fs::write(&script, SCRIPT)?;
    let services: Vec<_> = CHOREOGRAPHY.iter().map(|hop| hop.service.name()).collect();
    let status = python(&tools)
        .arg(&script)
        .args(["--kubernetes", KUBERNETES])
        .args(["--services", &services.join(",")])
        .arg("--compose")
        .arg(root.join(COMPOSE))
        .arg("--keda")
        .arg(root.join(KEDA_SCHEMA))
        .args(rendered)
        .status()
        .context("python3")?;
    ensure!(status.success(), "the deployment files do not hold; see above");
    Ok(())
}

/// Any kubectl does, the 1.20 of Debian 12 included.
fn kubectl() -> anyhow::Result<()> {
    let asked = ["version", "--client"];
    if run(Command::new("kubectl").args(asked)).is_ok() {
        return Ok(());
    }
    if run(Command::new("id").arg("-u")).ok().as_deref().map(str::trim) != Some("0") {
        bail!("kubectl is not on the PATH; install it (Debian: apt-get install kubernetes-client)");
    }
    println!("kubectl is not on the PATH: apt-get install kubernetes-client");
    run(Command::new("apt-get").args(["update", "--quiet"]))?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends", "kubernetes-client"];
    run(Command::new("apt-get").args(install).env("DEBIAN_FRONTEND", "noninteractive"))?;
    run(Command::new("kubectl").args(asked)).map(|_| ())
}

/// The validator, installed beside the build's output; nothing outside of `target` is touched.
fn python_tools(root: &Path) -> anyhow::Result<PathBuf> {
    let tools = root.join("target/tools/python");
    let version = VALIDATOR.rsplit('=').next().unwrap_or_default();
    let there = format!(
        "import jsonschema, yaml, kubernetes_validate as k; assert k.__version__ == '{version}', k.__version__"
    );
    if run(python(&tools).args(["-c", &there])).is_ok() {
        return Ok(tools);
    }
    println!("python3 -m pip install --target target/tools/python {VALIDATOR}");
    let _ = std::fs::remove_dir_all(&tools);
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"];
    run(Command::new("python3").args(pip).arg(&tools).arg(VALIDATOR))
        .context("the validator comes from PyPI and needs python3 with pip (Debian: python3-pip)")?;
    run(python(&tools).args(["-c", &there])).context("the validator that pip installed does not work")?;
    Ok(tools)
}

fn python(tools: &Path) -> Command {
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", tools).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Runs a command to its end; its output, or an error that says what it said.
fn run(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {name}"))?;
    if !output.status.success() {
        bail!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
