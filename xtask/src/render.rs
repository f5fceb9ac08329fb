//! Everything that is derived from the choreography table: the picture in `ARCHITECTURE.md`, the Kubernetes objects,
//! the services of the compose file, who may do what at the broker. Change the table, run `cargo xtask render`, commit both.

mod compose;
mod kubernetes;
mod picture;

use anyhow::{Context as _, bail, ensure};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Files that are derived as a whole, by path from the root.
fn whole() -> Vec<(PathBuf, String)> {
    let users = (PathBuf::from("deploy/nats/users.conf"), millrace_contract::permissions::nats_users());
    kubernetes::files().into_iter().chain([users]).collect()
}

/// Parts of files that are otherwise written by hand: what stands between the markers.
fn parts() -> Vec<(PathBuf, String)> {
    vec![
        (PathBuf::from("ARCHITECTURE.md"), picture::part()),
        (PathBuf::from(kubernetes::BASE).join("kustomization.yaml"), kubernetes::part()),
        (PathBuf::from("docker-compose.yml"), compose::part()),
    ]
}

/// Writes what has changed, or with `check` fails if anything has.
pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    let drift = drift(root)?;
    if drift.is_empty() {
        println!("{} files say what the choreography says", whole().len() + parts().len());
        return Ok(());
    }
    for (path, wanted) in &drift {
        println!("{} {}", if check { "differs:" } else { "rendered" }, path.display());
        if !check {
            apply(&root.join(path), wanted.as_deref())
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    if check {
        bail!("{} files differ from the choreography; run `cargo xtask render`", drift.len());
    }
    Ok(())
}

fn apply(path: &Path, wanted: Option<&str>) -> io::Result<()> {
    let Some(text) = wanted else { return fs::remove_file(path) };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

/// What differs, and what it should be: `None` should not be there.
fn drift(root: &Path) -> anyhow::Result<Vec<(PathBuf, Option<String>)>> {
    let mut wanted = whole();
    let stray = generated(root)?.into_iter().filter(|path| !wanted.iter().any(|(file, _)| file == path));
    let mut drift: Vec<_> = stray.map(|path| (path, None)).collect();
    for (path, part) in parts() {
        let text = fs::read_to_string(root.join(&path))
            .with_context(|| format!("{} is written by hand, but for one part", path.display()))?;
        let text = splice(&text, &part).with_context(|| path.display().to_string())?;
        wanted.push((path, text));
    }
    for (path, text) in wanted {
        if fs::read_to_string(root.join(&path)).ok().as_ref() != Some(&text) {
            drift.push((path, Some(text)));
        }
    }
    Ok(drift)
}

/// What lies in the folder that belongs to this command alone.
fn generated(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let folder = PathBuf::from(kubernetes::BASE).join(kubernetes::GENERATED);
    let Ok(entries) = fs::read_dir(root.join(&folder)) else { return Ok(Vec::new()) };
    entries.map(|entry| Ok(folder.join(entry?.file_name()))).collect()
}

/// Puts a part between the lines that mark its place.
fn splice(text: &str, part: &str) -> anyhow::Result<String> {
    let (mut out, mut inside, mut ends) = (String::with_capacity(text.len()), false, 0);
    for line in text.lines() {
        let mark = line.trim_start().trim_start_matches("<!--").trim_start_matches('#').trim_start();
        if mark.starts_with("rendered: end") {
            ensure!(inside, "`rendered: end` without a beginning");
            (inside, ends) = (false, ends + 1);
        }
        if !inside {
            out.push_str(line);
            out.push('\n');
        }
        if mark.starts_with("rendered: begin") {
            ensure!(!inside, "`rendered: begin` twice");
            inside = true;
            out.push_str(part);
        }
    }
    ensure!(!inside && ends == 1, "one `rendered: begin` and one `rendered: end` are wanted");
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The golden files are the repository's own.
    #[test]
    fn nothing_has_drifted_from_the_table() {
        let drift = drift(&crate::root()).unwrap();
        let paths: Vec<_> = drift.iter().map(|(path, _)| path).collect();
        assert!(paths.is_empty(), "{paths:?} differ from the choreography; run `cargo xtask render`");
    }

    #[test]
    fn a_part_goes_between_its_markers_and_nowhere_else() {
        let text = "a\n  # rendered: begin\nold\n  # rendered: end\nb\n";
        let new = splice(text, "new\n").unwrap();
        assert_eq!(new, "a\n  # rendered: begin\nnew\n  # rendered: end\nb\n");
        assert_eq!(splice(&new, "new\n").unwrap(), new);
        let html = "<!-- rendered: begin (by xtask) -->\n<!-- rendered: end -->\n";
        assert_eq!(
            splice(html, "x\n").unwrap(),
            html.replace("-->\n<!-- rendered: end", "-->\nx\n<!-- rendered: end")
        );
        for bad in ["none\n", "# rendered: begin\n", "# rendered: end\n# rendered: begin\n"] {
            assert!(splice(bad, "x\n").is_err(), "{bad}");
        }
    }
}
