//! Upload events of other systems, in every shape; and what is not one.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::get;
use integration_tests::{World, contract};
use millrace_contract::wire::UploadRequest;
use millrace_contract::{JobId, Tenant};
use millrace_testkit::eventually;
use prost::Message as _;
use serde_json::{Value, json};

/// The job that a key stands for.
fn job(key: &str) -> String {
    JobId::derived(&Tenant::new("acme").unwrap(), key).to_string()
}

async fn publish(world: &World, headers: &[(&str, &str)], payload: impl Into<Vec<u8>>) -> u64 {
    let js = world.client().await;
    let mut map = async_nats::HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, *value);
    }
    let ack = js.publish_with_headers("millrace.inbox.acme", map, payload.into().into()).await.unwrap();
    ack.await.unwrap().sequence
}

/// A file in the folder that may be named; its URL.
fn file(world: &World, name: &str, text: &str) -> String {
    let path = world.folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    format!("file://{}", path.display())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_shape_of_an_upload_event_becomes_a_job() {
    // A bucket store with the one object that the notification tells of.
    let bucket = Router::new().route(
        "/uploads/{*key}",
        get(|Path(key): Path<String>| async move {
            if key == "dir/a b.txt" {
                contract(5).into_response()
            } else {
                StatusCode::NOT_FOUND.into_response()
            }
        }),
    );
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, bucket).await });
    let world = World::start_with(&[
        ("MILLRACE_ALLOW_BUCKETS", "s3://uploads"),
        ("AWS_ENDPOINT", &endpoint),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "k"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
    ])
    .await;
    let mut jobs = Vec::new();

    let line = json!({ "source": file(&world, "one line.txt", &contract(1)).replace(' ', "%20") });
    let sequence = publish(&world, &[], line.to_string()).await;
    jobs.push(("one line of JSON", job(&format!("inbox {sequence}")), "one line.txt"));

    let event = json!({"specversion": "1.0", "type": "t", "source": "/crm", "id": "7", "datacontenttype": "application/json",
        "data": {"source": file(&world, "structured.txt", &contract(2)), "profile": "summary"}});
    publish(&world, &[("Content-Type", "application/cloudevents+json")], event.to_string()).await;
    jobs.push(("CloudEvent, structured", job("ce /crm\n7"), "structured.txt"));

    let data = json!({ "source": file(&world, "binary.txt", &contract(3)) });
    let headers = [("ce-specversion", "1.0"), ("ce-type", "t"), ("ce-source", "/crm"), ("ce-id", "8")];
    publish(&world, &headers, data.to_string()).await;
    jobs.push(("CloudEvent, binary", job("ce /crm\n8"), "binary.txt"));

    let request = UploadRequest {
        source: file(&world, "proto.txt", &contract(4)),
        name: "given name".into(),
        idempotency_key: "order 9".into(),
        ..UploadRequest::default()
    };
    publish(&world, &[], request.encode_to_vec()).await;
    jobs.push(("protobuf", job("key order 9"), "given name"));

    let notification = json!({"EventName": "s3:ObjectCreated:Put", "Key": "uploads/dir/a b.txt", "Records": [{
        "eventName": "s3:ObjectCreated:Put", "s3": {"bucket": {"name": "uploads"},
        "object": {"key": "dir%2Fa+b.txt", "eTag": "e", "sequencer": "1"}}}]});
    publish(&world, &[], notification.to_string()).await;
    jobs.push(("bucket notification", job("s3 uploads\ndir/a b.txt\ne\n1"), "a b.txt"));

    let js = world.client().await;
    let store = js
        .create_object_store(async_nats::jetstream::object_store::Config {
            bucket: "in".into(),
            ..Default::default()
        })
        .await
        .unwrap();
    store.put("deep/d.txt", &mut contract(6).as_bytes()).await.unwrap();
    publish(
        &world,
        &[("Idempotency-Key", "n")],
        json!({"source": "nats-object://in/deep/d.txt"}).to_string(),
    )
    .await;
    jobs.push(("object store", job("key n"), "d.txt"));

    for (shape, id, name) in jobs {
        let ended = world.ended(&id).await;
        assert_eq!(ended["status"], "completed", "{shape}: {ended}");
        assert_eq!(ended["document"], name, "{shape}");
        assert_eq!(ended["tenant"], "acme");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_upload_event_twice_is_one_job() {
    let world = World::start().await;
    let headers = [("ce-specversion", "1.0"), ("ce-type", "t"), ("ce-source", "/crm"), ("ce-id", "1")];
    let data = json!({ "source": file(&world, "d.txt", &contract(1)) }).to_string();
    publish(&world, &headers, data.clone()).await;
    let id = job("ce /crm\n1");
    world.ended(&id).await;
    publish(&world, &headers, data).await;
    eventually("the inbox to be empty", || async {
        let mut stream = world.client().await.get_stream("MILLRACE_INBOX").await.ok()?;
        (stream.info().await.ok()?.state.messages == 0).then_some(())
    })
    .await;
    let uploaded = world.log(&id).await.into_iter().filter(|(event, _)| event == "uploaded").count();
    assert_eq!(uploaded, 1);

    // Over HTTP it is the Idempotency-Key that tells.
    let url = format!("{}/v1/jobs", world.intake());
    let mut ids = Vec::new();
    for _ in 0..2 {
        let sent =
            world.http.post(&url).header("Idempotency-Key", "k").body(contract(2)).send().await.unwrap();
        assert_eq!(sent.status(), 202);
        let body: Value = sent.json().await.unwrap();
        ids.push(body["job_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids[0], ids[1]);
    world.ended(&ids[0]).await;
    let uploaded = world.log(&ids[0]).await.into_iter().filter(|(event, _)| event == "uploaded").count();
    assert_eq!(uploaded, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_accepted_is_a_visible_refusal() {
    let world = World::start().await;
    let outside = tempfile::NamedTempFile::new().unwrap();
    let missing = format!("file://{}/nothing.pdf", world.folder.path().display());
    let song = {
        let path = world.folder.path().join("song.pdf");
        std::fs::write(&path, b"ID3\x03\0\0\0\0\0\x21TIT20000000000").unwrap();
        format!("file://{}", path.display())
    };
    let empty = file(&world, "empty.txt", "");
    let good = file(&world, "good.txt", &contract(1));
    let mut refusals = Vec::new();
    for (payload, code) in [
        ("{nonsense".to_owned(), "event_invalid"),
        ("hello".to_owned(), "event_invalid"),
        (json!({"sorce": good}).to_string(), "event_invalid"),
        (json!({"source": "/no/url"}).to_string(), "source_invalid"),
        (json!({"source": "https://example.com/a.pdf"}).to_string(), "source_invalid"),
        (json!({"source": missing}).to_string(), "source_not_found"),
        (json!({"source": format!("file://{}", outside.path().display())}).to_string(), "source_forbidden"),
        (json!({"source": "s3://elsewhere/a.pdf"}).to_string(), "source_forbidden"),
        (json!({"source": "nats-object://nowhere/a.pdf"}).to_string(), "source_not_found"),
        (json!({"source": good, "profile": "poems"}).to_string(), "profile_unknown"),
        (json!({"source": good, "lane": "a.b"}).to_string(), "request_invalid"),
        (json!({"source": song}).to_string(), "document_type_unsupported"),
        (json!({"source": empty}).to_string(), "document_empty"),
    ] {
        let sequence = publish(&world, &[], payload.clone()).await;
        refusals.push((payload, code, job(&format!("inbox {sequence}"))));
    }
    for (payload, code, id) in refusals {
        let ended = world.ended(&id).await;
        assert_eq!(
            (&ended["status"], &ended["last_error"]),
            (&"rejected".into(), &code.into()),
            "{payload}: {ended}"
        );
        assert!(!ended["error"]["detail"].as_str().unwrap().is_empty(), "{payload}");
        let events: Vec<String> = world.log(&id).await.into_iter().map(|(event, _)| event).collect();
        assert_eq!(events, ["intake_failed", "rejected"], "{payload}: said once, not looping");
    }
}
