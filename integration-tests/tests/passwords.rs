//! An encrypted document opens with its password, which is nowhere to be seen; without it, the refusal says which way.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use integration_tests::{World, sample};
use millrace_testkit::hostile::zip;
use millrace_testkit::otlp::Collector;
use millrace_testkit::{binary, eventually};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{AesMode, ZipWriter};

/// Opens `encrypted.pdf`. Not a word that anything else says: `millrace` is.
const RIGHT: &str = "millrace";
const WRONG: &str = "Tr0ubadour-of-this-test";
const HEADER: &str = "millrace-document-password";

fn keygen(folder: &Path) {
    let output = std::process::Command::new(binary("millrace"))
        .args(["vault", "keygen"])
        .arg(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

async fn world(folder: &Path, more: &[(&str, &str)]) -> World {
    keygen(folder);
    let (public, secret) = (folder.join("vault.pub"), folder.join("vault.key"));
    let mut settings = vec![
        ("MILLRACE_PASSWORD_PUBLIC_KEY_FILE", public.to_str().unwrap()),
        ("MILLRACE_PASSWORD_KEY_FILE", secret.to_str().unwrap()),
    ];
    settings.extend_from_slice(more);
    World::start_with(&settings).await
}

async fn upload(world: &World, bytes: Vec<u8>, query: &str, password: Option<&str>) -> (u16, Value) {
    let profile = if query.contains("profile=") { "" } else { "&profile=contract" };
    let url = format!("{}/v1/jobs?name=encrypted.pdf{profile}{query}", world.intake());
    let mut request = world.http.post(url).body(bytes);
    if let Some(password) = password {
        request = request.header(HEADER, password);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn ended(world: &World, password: Option<&str>) -> Value {
    let (status, body) = upload(world, sample("encrypted.pdf"), "", password).await;
    assert_eq!(status, 202, "{body}");
    world.ended(body["job_id"].as_str().unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_opens_and_nobody_sees_with_what() {
    let collector = Collector::start().await;
    let folder = tempfile::tempdir().unwrap();
    let more = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("RUST_LOG", "debug,h2=info,hyper=info"),
    ];
    let world = world(folder.path(), &more).await;

    let right = ended(&world, Some(RIGHT)).await;
    assert_eq!((&right["status"], &right["pages"]), (&"completed".into(), &2.into()), "{right}");
    // What it has opened is not found by a job that does not open it.
    let without = ended(&world, None).await;
    assert_eq!(without["last_error"], "document_encrypted", "{without}");
    let wrong = ended(&world, Some(WRONG)).await;
    assert_eq!(wrong["last_error"], "document_password_wrong", "{wrong}");

    // Another system announces the document, with its password in a header of the message.
    let file = world.folder.path().join("encrypted.pdf");
    std::fs::write(&file, sample("encrypted.pdf")).unwrap();
    let mut headers = async_nats::HeaderMap::new();
    headers.insert(HEADER, WRONG);
    headers.insert("Nats-Msg-Id", "one");
    let event = format!(r#"{{"source": "file://{}", "profile": "contract"}}"#, file.display());
    let js = world.client().await;
    js.publish_with_headers("millrace.inbox.default", headers, event.into()).await.unwrap().await.unwrap();
    eventually("the announced document to end", || async {
        let hashes = world.hashes().await;
        let wrong = hashes
            .values()
            .filter(|hash| hash.get("last_error").is_some_and(|code| code == b"document_password_wrong"));
        (wrong.count() == 2).then_some(())
    })
    .await;

    // A replay has the password too: it lies in the event, sealed.
    let job = right["job_id"].as_str().unwrap();
    let replayed = world.millrace(&["replay", "uploaded", "--job", job, "--fresh"]);
    assert!(replayed.status.success(), "{replayed:?}");
    eventually("the second run", || async {
        let now = world.job(job).await;
        (now["run"] == 2 && now["done"] == true).then_some(())
    })
    .await;
    assert_eq!(world.completed(job).await["pages"], 2);
    let history = world.millrace(&["history", "--json", job]);
    assert!(history.status.success(), "{history:?}");

    // Nobody has seen it. The search finds what is there: each job's id stands in the log.
    let mut places: Vec<(String, Vec<u8>)> = world.messages().await;
    assert!(places.iter().any(|(_, bytes)| contains(bytes, job.as_bytes())));
    places.push(("history".into(), [history.stdout, history.stderr].concat()));
    for (key, hash) in world.hashes().await {
        let all: Vec<u8> =
            hash.into_iter().flat_map(|(name, value)| [name.into_bytes(), value].concat()).collect();
        places.push((format!("Redis, {key}"), all));
    }
    for (name, service) in &world.services {
        let (log, (_, metrics)) = (service.log(), service.probe("/metrics").await);
        assert!(!log.is_empty(), "{name} logs nothing");
        places.push((format!("the log of {name}"), log.into_bytes()));
        places.push((format!("the metrics of {name}"), metrics.into_bytes()));
    }
    eventually("traces", || async { (collector.spans().len() >= 12).then_some(()) }).await;
    places.extend(collector.bodies().into_iter().map(|body| ("a trace".to_owned(), body.to_vec())));
    for (place, bytes) in &places {
        assert!(!contains(bytes, WRONG.as_bytes()), "it is in {place}");
    }
}

/// How the jobs inside one ended, by the names of their documents: completed, or the code of their refusal.
async fn ends_inside(world: &World, job: &Value) -> BTreeMap<String, String> {
    let mut ends = BTreeMap::new();
    for child in job["children"].as_array().unwrap_or_else(|| panic!("no children in {job}")) {
        let child = world.ended(child.as_str().unwrap()).await;
        let end = child["last_error"].as_str().or(child["status"].as_str()).unwrap();
        ends.insert(child["document"].as_str().unwrap().to_owned(), end.to_owned());
    }
    ends
}

/// A mail with these documents attached.
fn mail(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut mail =
        b"From: a@example.com\r\nMessage-ID: <1@example.com>\r\nSubject: Papers\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
        The agreement is attached, and its password is the usual one.\r\n"
            .to_vec();
    for (name, content) in files {
        mail.extend(format!("--b\r\nContent-Type: application/octet-stream; name={name}\r\n").bytes());
        mail.extend(b"Content-Disposition: attachment\r\nContent-Transfer-Encoding: binary\r\n\r\n");
        mail.extend(content);
        mail.extend(b"\r\n");
    }
    mail.extend(b"--b--\r\n");
    mail
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_inside_are_tried_with_the_password_of_the_outer_one() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path(), &[]).await;
    let sent = async |bytes: Vec<u8>, password| {
        let (status, body) = upload(&world, bytes, "&profile=summary", password).await;
        assert_eq!(status, 202, "{body}");
        world.ended(body["job_id"].as_str().unwrap()).await
    };
    let ends = |all: &[(&str, &str)]| -> BTreeMap<String, String> {
        all.iter().map(|(name, end)| ((*name).to_owned(), (*end).to_owned())).collect()
    };
    let inner = zip(&[("deep.pdf", &sample("encrypted.pdf"))]);
    let outer = mail(&[
        ("locked.pdf", sample("encrypted.pdf")),
        ("plain.pdf", sample("invoice.pdf")),
        ("inner.zip", inner),
    ]);

    let right = sent(outer.clone(), Some(RIGHT)).await;
    assert_eq!(right["status"], "completed", "{right}");
    let all = [("inner.zip", "unpacked"), ("locked.pdf", "completed"), ("plain.pdf", "completed")];
    assert_eq!(ends_inside(&world, &right).await, ends(&all));
    let mut deeper = Vec::new();
    for child in right["children"].as_array().unwrap() {
        deeper.push(world.ended(child.as_str().unwrap()).await);
    }
    let archive = deeper.iter().find(|job| job["document"] == "inner.zip").unwrap();
    assert_eq!(ends_inside(&world, archive).await, ends(&[("deep.pdf", "completed")]));

    // What is not encrypted is read whatever came with it.
    for (password, code) in [(Some(WRONG), "document_password_wrong"), (None, "document_encrypted")] {
        let job = sent(outer.clone(), password).await;
        let all = [("inner.zip", "unpacked"), ("locked.pdf", code), ("plain.pdf", "completed")];
        assert_eq!(ends_inside(&world, &job).await, ends(&all), "{password:?}");
    }

    // An archive that is encrypted itself, with encrypted documents in it.
    let options = SimpleFileOptions::default().with_aes_encryption(AesMode::Aes256, RIGHT);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("locked.pdf", options).unwrap();
    archive.write_all(&sample("encrypted.pdf")).unwrap();
    let archive = archive.finish().unwrap().into_inner();
    let opened = sent(archive.clone(), Some(RIGHT)).await;
    assert_eq!(opened["status"], "unpacked", "{opened}");
    assert_eq!(ends_inside(&world, &opened).await, ends(&[("locked.pdf", "completed")]));
    for (password, code) in [(Some(WRONG), "document_password_wrong"), (None, "document_encrypted")] {
        let refused = sent(archive.clone(), password).await;
        assert_eq!(refused["last_error"], code, "{refused}");
    }

    // It lies nowhere but sealed, in the events of those inside as well.
    for (place, bytes) in world.messages().await {
        assert!(!contains(&bytes, WRONG.as_bytes()), "it is in {place}");
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|part| part == needle)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_in_the_wrong_place_is_refused_at_the_door() {
    let world = World::start().await;
    let pdf = || sample("encrypted.pdf");
    let (status, body) = upload(&world, pdf(), "", Some(WRONG)).await;
    assert_eq!((status, &body["code"]), (400, &"request_invalid".into()), "{body}");
    assert!(body["detail"].as_str().unwrap().contains("MILLRACE_PASSWORD_PUBLIC_KEY_FILE"), "{body}");
    assert!(!body.to_string().contains(WRONG));
    for query in ["&password=x", "&metadata.password=x"] {
        let (status, body) = upload(&world, pdf(), query, None).await;
        assert_eq!((status, &body["code"]), (400, &"request_invalid".into()), "{query}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_pages_asked_for_are_read_and_they_keep_their_numbers() {
    let world = World::start().await;
    let upload = |pages: &'static str| upload(&world, sample("contract-en.pdf"), pages, None);
    let (_, all) = upload("").await;
    let (_, some) = upload("&metadata.pages=4,2-3").await;
    let (_, none) = upload("&metadata.pages=77-").await;
    let all = world.completed(all["job_id"].as_str().unwrap()).await;
    let some = world.completed(some["job_id"].as_str().unwrap()).await;
    assert_eq!((&all["pages"], &some["pages"]), (&5.into(), &3.into()));
    let report = world.report(some["job_id"].as_str().unwrap()).await;
    let mut pages: Vec<u64> = integration_tests::evidence(&report["sections"])
        .iter()
        .filter_map(|found| found["page"].as_u64())
        .collect();
    pages.sort_unstable();
    pages.dedup();
    assert!(!pages.is_empty() && pages.iter().all(|page| (2..=4).contains(page)), "{pages:?}");
    let none = world.ended(none["job_id"].as_str().unwrap()).await;
    assert_eq!(none["last_error"], "pages_invalid", "{none}");
    assert!(none["error"]["detail"].as_str().unwrap().contains("5 pages"), "{none}");

    for (nonsense, why) in [("0", "first page is 1"), ("3-1", "backwards"), ("some", "is no page")] {
        let (status, body) =
            self::upload(&world, sample("contract-en.pdf"), &format!("&metadata.pages={nonsense}"), None)
                .await;
        assert_eq!((status, &body["code"]), (400, &"pages_invalid".into()), "{body}");
        assert!(body["detail"].as_str().unwrap().contains(why), "{body}");
    }
}
