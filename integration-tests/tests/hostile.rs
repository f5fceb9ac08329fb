//! Documents that attack their reader, through the whole system, among honest ones.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests fail and speak as tests do")]

use integration_tests::{World, sample};
use millrace_testkit::hostile::{Attack, attacks};

/// What extraction itself may take, kB, however many documents it is attacked with at once.
const MOST_KB: u64 = 100_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attacks_end_and_cost_nobody_else_anything() {
    attacked(|attack| in_a_class_of_their_own(attack.media)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attacks_by_office_documents_mails_and_archives_do_neither() {
    attacked(|attack| !in_a_class_of_their_own(attack.media)).await;
}

/// Formats of one document each, made of pages and pictures.
fn in_a_class_of_their_own(media: &str) -> bool {
    ["application/pdf", "text/html"].contains(&media) || media.starts_with("image/")
}

async fn attacked(which: impl Fn(&Attack) -> bool) {
    let limits = [
        ("MILLRACE_EXTRACTION_MAX_CPU_SECONDS", "2"),
        ("MILLRACE_EXTRACTION_MAX_WALL_SECONDS", "40"),
        ("MILLRACE_EXTRACTION_MAX_MEMORY_MIB", "512"),
        ("MILLRACE_EXTRACTION_OCR", "off"),
    ];
    let mut world = World::start_with(&limits).await;
    let process = world.service("extraction").pid();
    let (mut hostile, mut honest) = (Vec::new(), Vec::new());
    for (number, attack) in attacks().into_iter().filter(which).enumerate() {
        if number % 8 == 0 {
            honest.push(world.upload("invoice.pdf", sample("invoice.pdf"), "").await);
        }
        match uploaded(&world, &attack).await {
            Ok(job) => hostile.push((attack, job)),
            // What is in such ruins that it cannot be told what it was.
            Err(code) => assert_eq!(code, "document_type_unsupported", "{}", attack.name),
        }
        println!("{}: extraction has taken {} kB", attack.name, peak_kb(process));
    }
    for job in &honest {
        assert_eq!(world.ended(job).await["status"], "completed", "a neighbour of attacks");
    }
    let (mut wrong, mut inside) = (Vec::new(), 0);
    for (attack, job) in &hostile {
        let ended = world.ended(job).await;
        println!("{}: {} {} {}", attack.name, ended["status"], ended["last_error"], ended["children"]);
        if ended["media_type"].as_str().is_some_and(|media| media != attack.media) {
            wrong.push(format!("{} was taken for {}", attack.name, ended["media_type"]));
        }
        // What was inside ends like everything else, and what was inside that.
        let mut all = vec![ended];
        while let Some(ended) = all.pop() {
            if !matches!(ended["status"].as_str(), Some("completed" | "unpacked" | "rejected")) {
                wrong.push(format!("{}: {} {}", attack.name, ended["status"], ended["last_error"]));
            }
            for child in ended["children"].as_array().unwrap_or(&Vec::new()) {
                inside += 1;
                all.push(world.ended(child.as_str().unwrap()).await);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(world.service("extraction").pid(), process, "it is the process that it was");
    let peak = peak_kb(process);
    println!("{} attacks, {inside} documents in them; extraction took {peak} kB at most", hostile.len());
    assert!(peak < MOST_KB, "extraction took {peak} kB");
}

/// The id of its job, or the code with which it is refused at the door.
async fn uploaded(world: &World, attack: &Attack) -> Result<String, String> {
    let url = format!("{}/v1/jobs?name={}&profile=contract", world.intake(), attack.name);
    let response = world.http.post(url).body((attack.make)()).send().await.unwrap();
    let body: serde_json::Value = response.json().await.unwrap();
    let (job, code) = (body["job_id"].as_str(), body["code"].as_str());
    job.map(str::to_owned).ok_or_else(|| code.unwrap_or_default().to_owned())
}

/// The most memory that a process has ever had.
fn peak_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}
