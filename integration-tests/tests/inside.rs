//! Documents inside documents: attachments of a mail and files of an archive become jobs of their own, linked, once.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use integration_tests::{World, sample};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};

/// The status of each job inside another one, by document name, once all have ended.
async fn inside(world: &World, parent: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for child in parent["children"].as_array().unwrap_or_else(|| panic!("no children in {parent}")) {
        let job = world.ended(child.as_str().unwrap()).await;
        assert_eq!(job["parent"], parent["job_id"], "{job}");
        found.insert(job["document"].as_str().unwrap().to_owned(), job);
    }
    found
}

/// Uploads under a key, as a sender does who is not sure whether it has arrived.
async fn upload(world: &World, name: &str, bytes: Vec<u8>, key: &str) -> String {
    let url = format!("{}/v1/jobs?name={name}&profile=summary&metadata.customer=c1", world.intake());
    let request = world.http.post(url).header("Idempotency-Key", key).body(bytes);
    let body: Value = request.send().await.unwrap().json().await.unwrap();
    body["job_id"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

fn zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Messages that the log holds in all; the inbox is empty once everything has been taken.
async fn said(world: &World) -> u64 {
    let js = world.client().await;
    let mut messages = 0;
    for service in millrace_contract::Service::ALL.iter().filter(|service| !service.hop().says.is_empty()) {
        messages += js.get_stream(service.stream()).await.unwrap().cached_info().state.messages;
    }
    messages
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attachments_of_a_mail_are_jobs_of_their_own_and_sent_twice_nothing_is_doubled() {
    let world = World::start().await;
    let id = upload(&world, "mail.eml", sample("mail.eml"), "mail-1").await;
    let mail = world.completed(&id).await;
    assert_eq!(mail["media_type"], "message/rfc822");
    let report = world.report(&id).await.to_string();
    assert!(report.contains("21 July 2026") || report.contains("5,400.00"), "its own text is read: {report}");

    let jobs = inside(&world, &mail).await;
    assert_eq!(jobs.keys().collect::<Vec<_>>(), ["agreement.docx", "invoice.pdf"]);
    for (name, job) in &jobs {
        assert_eq!(job["status"], "completed", "{name}: {job}");
        assert_eq!(job["profile"], "summary", "{name} is asked what the mail was asked");
        assert!(job["parent"] == mail["job_id"] && job.get("children").is_none(), "{job}");
        world.report(job["job_id"].as_str().unwrap()).await;
    }
    assert_eq!(jobs["agreement.docx"]["pages"], 2);

    // The same mail again, and extraction's work once more: nothing new is said of anybody.
    let before = said(&world).await;
    assert_eq!(upload(&world, "mail.eml", sample("mail.eml"), "mail-1").await, id);
    let output = world.millrace(&["replay", "uploaded", "--job", &id, "--fresh"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let replayed = millrace_testkit::eventually("run 2 ends", || async {
        let job = world.job(&id).await;
        (job["run"] == 2 && job["done"] == true).then_some(job)
    })
    .await;
    assert_eq!(replayed["children"], mail["children"], "the same jobs");
    let js = world.client().await;
    millrace_testkit::eventually("the inbox is empty", || async {
        let inbox = js.get_stream("MILLRACE_INBOX").await.ok()?;
        (inbox.cached_info().state.messages == 0).then_some(())
    })
    .await;
    for job in jobs.values() {
        let child = job["job_id"].as_str().unwrap();
        assert_eq!(world.job(child).await["run"], 1);
        let log = world.log(child).await;
        assert_eq!(log.iter().filter(|(event, _)| event == "uploaded").count(), 1, "{log:?}");
        assert_eq!(log.len(), 6, "{log:?}");
    }
    // Run 2 of the mail itself: its upload event again and what five services say to it.
    assert_eq!(said(&world).await, before + 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_is_unpacked_down_to_its_depth() {
    let world = World::start_with(&[("MILLRACE_EXTRACTION_MAX_DEPTH", "2")]).await;
    let innermost = zip(&[("too-deep.txt", b"never read".to_vec())]);
    let inner = zip(&[("notes.txt", sample("notes.txt")), ("third.zip", innermost)]);
    let archive = zip(&[
        ("papers/agreement.docx", sample("agreement.docx")),
        ("mail.eml", sample("mail.eml")),
        ("second.zip", inner),
        ("program.bin", b"\0\x01\x02\x03\x04".to_vec()),
        ("__MACOSX/._mail.eml", b"x".to_vec()),
    ]);
    let id = upload(&world, "archive.zip", archive, "archive-1").await;
    let job = world.ended(&id).await;
    assert_eq!(
        (&job["status"], &job["last_error"], &job["progress"]),
        (&"unpacked".into(), &Value::Null, &100.into())
    );
    let report = world.http.get(format!("{}/v1/jobs/{id}/report", world.status())).send().await.unwrap();
    assert_eq!(report.status(), 409);

    let jobs = inside(&world, &job).await;
    let ends: Vec<(&str, &str)> =
        jobs.iter().map(|(name, job)| (name.as_str(), job["status"].as_str().unwrap())).collect();
    assert_eq!(
        ends,
        [
            ("mail.eml", "completed"),
            ("papers/agreement.docx", "completed"),
            ("program.bin", "rejected"),
            ("second.zip", "unpacked")
        ]
    );
    assert_eq!(jobs["program.bin"]["last_error"], "document_type_unsupported");
    assert_eq!(
        inside(&world, &jobs["mail.eml"]).await.len(),
        2,
        "documents inside documents inside documents"
    );
    let deeper = inside(&world, &jobs["second.zip"]).await;
    assert_eq!(deeper["notes.txt"]["status"], "completed");
    let third = &deeper["third.zip"];
    assert_eq!(
        (&third["status"], &third["last_error"]),
        (&"rejected".into(), &"document_limits_exceeded".into())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_names_an_artifact_of_another_tenant() {
    use prost::Message as _;
    let world = World::start().await;
    let id = upload(&world, "notes.txt", sample("notes.txt"), "notes-1").await;
    world.completed(&id).await;
    let digest = millrace_contract::artifact::sha256_hex(&sample("notes.txt"));
    let js = world.client().await;
    for (key, source, code) in [
        ("theirs", format!("artifact:default/intake/{digest}"), "source_forbidden"),
        ("other", format!("artifact:acme/extraction/{digest}"), "source_forbidden"),
        ("none", format!("artifact:acme/intake/{digest}"), "artifact_missing"),
    ] {
        let request = millrace_contract::wire::UploadRequest {
            source,
            idempotency_key: key.to_owned(),
            ..Default::default()
        };
        let sent = js.publish("millrace.inbox.acme", request.encode_to_vec().into()).await.unwrap();
        sent.await.unwrap();
        let tenant = millrace_contract::Tenant::new("acme").unwrap();
        let job = world.ended(&millrace_contract::JobId::of_key(&tenant, key).to_string()).await;
        assert_eq!(job["last_error"], code, "{job}");
    }
}
