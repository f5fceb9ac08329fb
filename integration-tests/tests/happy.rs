//! A document goes in over HTTP, a report comes out.

use integration_tests::{World, sample};
use reqwest::header;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contract_becomes_a_report_with_evidence() {
    let world = World::start().await;
    let url = format!("{}/v1/jobs?name=contract-en.pdf&metadata.customer=c1", world.intake());
    let response = world.http.post(url).body(sample("contract-en.pdf")).send().await.unwrap();
    assert_eq!(response.status(), 202);
    let location = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
    assert!(response.headers().contains_key(header::RETRY_AFTER));
    let body: Value = response.json().await.unwrap();
    let id = body["job_id"].as_str().unwrap();
    assert_eq!(location, format!("/v1/jobs/{id}"));
    assert_eq!(body["status_url"], location);

    let job = world.ended(id).await;
    assert_eq!(job["status"], "completed", "{job}");
    for (field, expected) in [
        ("job_id", Value::from(id)),
        ("progress", 100.into()),
        ("current_stage", "validation".into()),
        ("last_error", Value::Null),
        ("language", "en".into()),
        ("pages", 5.into()),
        ("profile", "contract".into()),
        ("provider", "offline".into()),
        ("lane", "default".into()),
        ("substage", "Report ready".into()),
    ] {
        assert_eq!(job[field], expected, "{field} in {job}");
    }
    assert!(job["updated_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(job["trace_id"].as_str().unwrap().len(), 32);

    let report = world.report(id).await;
    let amounts = report["sections"]["terms"]["amounts"].as_array().unwrap();
    let fee = amounts.iter().find(|amount| amount["amount"] == 18500.0).expect("the monthly fee");
    assert_eq!(fee["evidence"]["grounded"], true);
    assert!(fee["evidence"]["page"].as_u64().unwrap() >= 1);
    assert!(fee["evidence"]["quote"].as_str().unwrap().contains("GBP 18,500.00"));
    assert_eq!(report["evidence"]["withheld"], 0);
    let text = report.to_string();
    assert!(!text.contains("@tarnwick"), "e-mail addresses are redacted");

    // Polling costs nothing while nothing changes.
    let url = format!("{}/v1/jobs/{id}", world.status());
    let tag = world.http.get(&url).send().await.unwrap().headers()[header::ETAG].clone();
    let again = world.http.get(&url).header(header::IF_NONE_MATCH, tag).send().await.unwrap();
    assert_eq!(again.status(), 304);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spanish_goes_its_own_way_and_says_why() {
    let world = World::start().await;
    let id = world.upload("contrato-es.pdf", sample("contrato-es.pdf"), "").await;
    let job = world.ended(&id).await;
    assert_eq!(
        (&job["status"], &job["language"], &job["lane"]),
        (&"completed".into(), &"es".into(), &"spanish".into())
    );
    assert!(job["rule"].as_str().unwrap().contains("spanish (line "), "{job}");
    let history = world.millrace(&["history", &id]);
    let told = String::from_utf8_lossy(&history.stdout).into_owned();
    for word in ["uploaded", "extracted", "sanitized", "routed", "by rule spanish", "inferred", "completed"] {
        assert!(told.contains(word), "{word} in\n{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sample_ends_as_its_manifest_says() {
    let world = World::start().await;
    let manifest = String::from_utf8(sample("MANIFEST.tsv")).unwrap();
    let mut rows = manifest
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let header = rows.next().unwrap();
    let column = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let mut jobs = Vec::new();
    for row in rows {
        let file = row[column("file")];
        let id = world.upload(file, sample(file), "").await;
        jobs.push((
            file.to_owned(),
            row[column("expected_end")].to_owned(),
            row[column("expected_code")].to_owned(),
            id,
        ));
    }
    assert!(jobs.len() >= 10);
    for (file, end, code, id) in jobs {
        let job = world.ended(&id).await;
        assert_eq!(job["status"], end, "{file}: {job}");
        assert_eq!(job["last_error"].as_str().unwrap_or_default(), code, "{file}");
        let report = world.http.get(format!("{}/v1/jobs/{id}/report", world.status())).send().await.unwrap();
        assert_eq!(report.status(), if end == "completed" { 200 } else { 409 }, "{file}");
    }
}
