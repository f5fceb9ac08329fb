//! Documents that attack their reader, through the whole system, among honest ones.

use integration_tests::{World, sample};
use millrace_testkit::hostile::attacks;

/// What extraction itself may take, kB, however many documents it is attacked with at once.
const MOST_KB: u64 = 100_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attacks_end_and_cost_nobody_else_anything() {
    let limits = [
        ("MILLRACE_EXTRACTION_MAX_CPU_SECONDS", "2"),
        ("MILLRACE_EXTRACTION_MAX_WALL_SECONDS", "40"),
        ("MILLRACE_EXTRACTION_MAX_MEMORY_MIB", "512"),
        ("MILLRACE_EXTRACTION_MAX_TEXT_BYTES", "1000000"),
        ("MILLRACE_EXTRACTION_OCR", "off"),
    ];
    let mut world = World::start_with(&limits).await;
    let process = world.service("extraction").pid();
    let (mut hostile, mut honest) = (Vec::new(), Vec::new());
    for (number, attack) in attacks().into_iter().enumerate() {
        if number % 8 == 0 {
            honest.push(world.upload("invoice.pdf", sample("invoice.pdf"), "").await);
        }
        hostile.push((attack.name, world.upload(attack.name, (attack.make)(), "").await));
    }
    for job in &honest {
        assert_eq!(world.ended(job).await["status"], "completed", "a neighbour of attacks");
    }
    let mut wrong = Vec::new();
    for (name, job) in &hostile {
        let ended = world.ended(job).await;
        if !matches!(ended["status"].as_str(), Some("completed" | "rejected")) {
            wrong.push(format!("{name}: {} {}", ended["status"], ended["last_error"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(world.service("extraction").pid(), process, "it is the process that it was");
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    println!("{} attacks; extraction took {peak} kB at most", hostile.len());
    assert!(peak < MOST_KB, "extraction took {peak} kB");
}
