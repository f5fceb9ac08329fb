//! Replay beside live work, and the difference of two runs.

use integration_tests::{World, contract};
use millrace_testkit::eventually;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_is_a_new_run_beside_live_work() {
    let world = World::start().await;
    let mut jobs = Vec::new();
    for number in 0..4 {
        jobs.push(world.upload("d.txt", contract(number), "").await);
    }
    let first = world.ended(&jobs[0]).await;
    for job in &jobs {
        world.ended(job).await;
    }
    let dry = world.millrace(&["replay", "extracted", "--since", "1h", "--dry-run"]);
    assert!(String::from_utf8_lossy(&dry.stdout).contains("4 events would be said again"), "{dry:?}");
    assert_eq!(world.log(&jobs[0]).await.len(), 6, "a dry run says nothing");

    let replayed = world.millrace(&["replay", "extracted", "--job", &jobs[0]]);
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    assert!(String::from_utf8_lossy(&replayed.stdout).contains("run 2"), "{replayed:?}");
    let live = world.upload("d.txt", contract(9), "").await;
    let second = eventually("run 2 to end", || async {
        let job = world.job(&jobs[0]).await;
        (job["run"] == 2 && job["done"] == true).then_some(job)
    })
    .await;
    assert_eq!(second["status"], "completed");
    assert_ne!(second["trace_id"], first["trace_id"], "a trace of its own");
    assert_eq!(world.ended(&live).await["status"], "completed");
    let mut ids: Vec<String> = world.log(&jobs[0]).await.into_iter().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), 11, "six events of run 1, five of run 2: {ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 11, "no verdict twice");
    assert_eq!(world.log(&jobs[1]).await.len(), 6, "other jobs are left alone");

    let same = world.millrace(&["diff", &jobs[0]]);
    assert!(String::from_utf8_lossy(&same.stdout).contains("the reports are the same"), "{same:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_profile_shows_in_the_difference() {
    // A copy of the profiles that the test may change, as a user would.
    let folder = tempfile::tempdir().unwrap();
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .arg(millrace_testkit::root().join("profiles"))
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(copied.success());
    let profiles = folder.path().join("profiles");
    let mut world = World::start_with(&[("MILLRACE_PROFILES", profiles.to_str().unwrap())]).await;
    let job = world.upload("d.txt", contract(1), "&profile=summary").await;
    assert_eq!(world.ended(&job).await["status"], "completed");
    let file = profiles.join("summary/profile.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("version = 1", "version = 2")).unwrap();
    for name in ["inference", "validation"] {
        world.service(name).restart();
        world.services[name].ready().await;
    }
    assert!(world.millrace(&["replay", "routed", "--job", &job]).status.success());
    eventually("run 2 to end", || async {
        let now = world.job(&job).await;
        (now["run"] == 2 && now["done"] == true).then_some(())
    })
    .await;
    let diff = world.millrace(&["diff", &job, "1", "2"]);
    let told = String::from_utf8_lossy(&diff.stdout).into_owned();
    assert!(told.contains("~ /profile_version: 1 -> 2"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_at_the_command_line_are_told() {
    let world = World::start().await;
    for (arguments, code, word) in [
        (&["replay", "eaten", "--job", "x"][..], 1, "cannot be replayed"),
        (&["replay", "completed", "--job", "x"][..], 1, "cannot be replayed"),
        (&["replay", "extracted"][..], 1, "say which"),
        (&["replay", "extracted", "--job", "nobody"][..], 3, "no event"),
        (&["history", "nobody"][..], 3, "no event of job nobody"),
        (&["status", "nobody"][..], 3, "there is no job"),
        (&["diff", "nobody"][..], 3, "0 completed runs"),
    ] {
        let output = world.millrace(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(word), "{arguments:?}: {told}");
    }
}
