//! `millrace submit`: files in, progress bars, reports out.

use crate::client::{Ended, Target, unreachable};
use anyhow::Context as _;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use reqwest::header::HeaderValue;
use serde_json::Value;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::io::ReaderStream;

/// Upload documents, show progress, save the reports.
#[derive(Debug, clap::Args)]
pub struct Submit {
    /// Documents
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Profile to use [default: what the routing rules say]
    #[arg(long)]
    profile: Option<String>,
    /// Lane to use
    #[arg(long)]
    lane: Option<String>,
    /// Metadata for the routing rules: key=value
    #[arg(long = "metadata", value_name = "KEY=VALUE")]
    metadata: Vec<String>,
    /// File with the password that opens the documents, for encrypted PDFs and ZIP archives
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Where the reports are saved
    #[arg(long, default_value = "reports")]
    out: PathBuf,
    /// Do not wait for the reports: print the job ids
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    target: Target,
}

/// How one document ended.
struct Outcome {
    file: PathBuf,
    status: Value,
    saved: Option<PathBuf>,
}

impl Submit {
    pub async fn run(self) -> anyhow::Result<()> {
        let http = reqwest::Client::new();
        let bars = MultiProgress::new();
        let width = self.files.iter().map(|file| name(file).chars().count()).max().unwrap_or(0);
        let style =
            ProgressStyle::with_template(&format!("{{prefix:{width}}} [{{bar:20}}] {{pos:>3}} %  {{msg}}"))?
                .progress_chars("=> ");
        let password = self.password()?;
        let mut jobs = Vec::new();
        for file in &self.files {
            let job = self
                .upload(&http, file, password.as_ref())
                .await
                .with_context(|| file.display().to_string())?;
            if self.no_wait {
                println!("{job}");
                continue;
            }
            let bar = bars.add(ProgressBar::new(100).with_style(style.clone()));
            bar.set_prefix(name(file));
            let (http, target, out, file) =
                (http.clone(), self.target.clone(), self.out.clone(), file.clone());
            jobs.push(tokio::spawn(async move { follow(&http, &target, &out, file, job, bar).await }));
        }
        let mut outcomes = Vec::new();
        for job in jobs {
            outcomes.push(job.await??);
        }
        // Bars are for a terminal; what they ended at is for everybody.
        bars.clear()?;
        let mut failed = 0;
        for outcome in &outcomes {
            failed += u32::from(!tell(outcome, width));
        }
        if failed > 0 {
            let all = outcomes.len();
            return Err(Ended::Failed(format!("{failed} of {all} documents have no report")).into());
        }
        Ok(())
    }

    /// What is in the file, without the line break that editors end it with.
    fn password(&self) -> anyhow::Result<Option<HeaderValue>> {
        let Some(file) = &self.password_file else { return Ok(None) };
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut password = HeaderValue::from_bytes(line).context("the password has line breaks within")?;
        password.set_sensitive(true);
        Ok(Some(password))
    }

    async fn upload(
        &self,
        http: &reqwest::Client,
        file: &Path,
        password: Option<&HeaderValue>,
    ) -> anyhow::Result<String> {
        let opened = tokio::fs::File::open(file).await.context("cannot open it")?;
        let size = opened.metadata().await?.len();
        let mut query = vec![("name".to_owned(), name(file))];
        query.extend(self.profile.iter().map(|profile| ("profile".to_owned(), profile.clone())));
        query.extend(self.lane.iter().map(|lane| ("lane".to_owned(), lane.clone())));
        for pair in &self.metadata {
            let (key, value) = pair.split_once('=').context("metadata must be key=value")?;
            query.push((format!("metadata.{key}"), value.to_owned()));
        }
        let url = format!("{}/v1/jobs", self.target.url());
        let mut full = url.parse::<reqwest::Url>().context("the URL of the API is not one")?;
        full.query_pairs_mut().extend_pairs(query);
        let mut request = http.post(full).header("content-length", size);
        if let Some(password) = password {
            request = request.header(millrace_intake::password::HEADER, password.clone());
        }
        let response = request
            .body(reqwest::Body::wrap_stream(ReaderStream::new(opened)))
            .send()
            .await
            .map_err(|error| unreachable(&url, &error))?;
        let status = response.status();
        let body: Value = response.json().await.unwrap_or_default();
        if status != 202 {
            let detail = body["detail"].as_str().unwrap_or_default();
            anyhow::bail!("refused with {status}: {} {detail}", body["code"].as_str().unwrap_or_default());
        }
        body["job_id"].as_str().map(str::to_owned).context("the answer has no job_id")
    }
}

async fn follow(
    http: &reqwest::Client,
    target: &Target,
    out: &Path,
    file: PathBuf,
    job: String,
    bar: ProgressBar,
) -> anyhow::Result<Outcome> {
    let (mut waiting, mut said) = (0, String::new());
    let status = loop {
        // Right after 202 the status may be a moment behind.
        if let Some(status) = target.get(http, &format!("/v1/jobs/{job}")).await? {
            bar.set_position(status["progress"].as_u64().unwrap_or(0));
            let substage = status["substage"].as_str().unwrap_or_default();
            if substage != said {
                substage.clone_into(&mut said);
                bar.set_message(said.clone());
                if !std::io::stderr().is_terminal() {
                    // No bars in a log: a line for each step.
                    eprintln!(
                        "{:<20} {:>3} %  {said}",
                        name(&file),
                        status["progress"].as_u64().unwrap_or(0)
                    );
                }
            }
            if status["done"] == true {
                break status;
            }
        } else {
            waiting += 1;
            anyhow::ensure!(waiting < 150, "job {job} was accepted but has no status");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    bar.finish();
    let mut saved = None;
    if status["status"] == "completed"
        && let Some(report) = target.get(http, &format!("/v1/jobs/{job}/report")).await?
    {
        std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
        let path = out.join(format!("{}.{}.json", name(&file), &job[job.len().saturating_sub(8)..]));
        std::fs::write(&path, format!("{report:#}\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
        saved = Some(path);
    }
    Ok(Outcome { file, status, saved })
}

/// One line a document. Returns whether it has a report.
fn tell(outcome: &Outcome, width: usize) -> bool {
    let status = &outcome.status;
    let text = |name: &str| status[name].as_str().unwrap_or_default();
    let (mark, rest) = match &outcome.saved {
        Some(path) => {
            let pages = status["pages"].as_u64().unwrap_or(0);
            let unit = if pages == 1 { "page" } else { "pages" };
            (
                "done",
                format!(
                    "{pages:>3} {unit:<5} {}  {}  -> {}",
                    text("language"),
                    text("profile"),
                    path.display()
                ),
            )
        }
        None if status["status"] == "unpacked" => ("unpacked", told_inside(status)),
        None => (
            text("status"),
            format!("{}: {}", text("last_error"), status["error"]["detail"].as_str().unwrap_or_default()),
        ),
    };
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mark = match (colour, outcome.saved.is_some() || status["status"] == "unpacked") {
        (true, true) => format!("\u{1b}[32m{mark:<9}\u{1b}[0m"),
        (true, false) => format!("\u{1b}[33m{mark:<9}\u{1b}[0m"),
        (false, _) => format!("{mark:<9}"),
    };
    println!("{:width$}  {mark} {rest}\n{:width$}  job {}", name(&outcome.file), "", text("job_id"));
    outcome.saved.is_some() || status["status"] == "unpacked"
}

/// What became of an archive.
fn told_inside(status: &Value) -> String {
    let children = status["children"].as_array().map_or(0, Vec::len);
    format!("{children:>3} documents inside, each a job of its own")
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
