//! Bad requests over HTTP: each a clear answer in RFC 9457's shape.

use integration_tests::{World, contract};
use reqwest::Method;
use reqwest::header::{CONNECTION, CONTENT_TYPE};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_get_clear_answers() {
    let world = World::start_with(&[("MILLRACE_MAX_UPLOAD", "100000")]).await;
    let (intake, status) = (world.intake(), world.status());
    let text = contract(1).into_bytes();
    let unknown = "019ab000-0000-7000-8000-000000000000";
    for (method, url, body, expected, code) in [
        (Method::POST, format!("{intake}/v1/jobs"), Vec::new(), 400, "document_empty"),
        (
            Method::POST,
            format!("{intake}/v1/jobs"),
            b"ID3\x03\0\0\0\0\0\x21TIT2000000".to_vec(),
            415,
            "document_type_unsupported",
        ),
        (Method::POST, format!("{intake}/v1/jobs"), vec![b'a'; 100_001], 413, "document_too_large"),
        (Method::POST, format!("{intake}/v1/jobs?profile=poems"), text.clone(), 400, "profile_unknown"),
        (Method::POST, format!("{intake}/v1/jobs?profil=contract"), text.clone(), 400, "request_invalid"),
        (Method::POST, format!("{intake}/v1/jobs?lane=a%20b"), text.clone(), 400, "request_invalid"),
        (Method::GET, format!("{intake}/v1/jobs"), Vec::new(), 405, "request_invalid"),
        (Method::GET, format!("{status}/v1/jobs/{unknown}"), Vec::new(), 404, "job_unknown"),
        (Method::GET, format!("{status}/v1/jobs/nonsense"), Vec::new(), 404, "job_unknown"),
        (Method::GET, format!("{status}/v1/jobs/{unknown}/report"), Vec::new(), 404, "job_unknown"),
        (Method::GET, format!("{status}/v2"), Vec::new(), 404, "not_found"),
    ] {
        let answer = world.http.request(method.clone(), &url).body(body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), expected, "{method} {url}");
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json", "{method} {url}");
        // A document that was not read to its end must not have another one sent behind it.
        let hangs_up = answer.headers().get(CONNECTION).is_some_and(|value| value == "close");
        assert_eq!(hangs_up, method == Method::POST, "{method} {url}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], code, "{method} {url}: {problem}");
        assert_eq!(problem["status"], expected);
        for field in ["type", "title", "detail"] {
            assert!(!problem[field].as_str().unwrap().is_empty(), "{field} in {problem}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_of_unknown_length_is_stopped_at_the_limit() {
    let world = World::start_with(&[("MILLRACE_MAX_UPLOAD", "3000000")]).await;
    let chunks = futures_util::stream::iter((0..100).map(|_| Ok::<_, std::io::Error>(vec![b'a'; 100_000])));
    let url = format!("{}/v1/jobs", world.intake());
    let answer = world.http.post(url).body(reqwest::Body::wrap_stream(chunks)).send().await;
    // The server may have hung up while we were still sending: what counts is that nothing was accepted.
    if let Ok(answer) = answer {
        assert_eq!(answer.status().as_u16(), 413);
    }
    let js = world.client().await;
    let mut stream = js.get_stream("MILLRACE_INTAKE").await.unwrap();
    assert_eq!(stream.info().await.unwrap().state.messages, 0);
    let artifacts = js.get_stream("MILLRACE_ARTIFACTS").await.unwrap();
    millrace_testkit::eventually("the chunks to be removed", || {
        let mut artifacts = artifacts.clone();
        async move { (artifacts.info().await.ok()?.state.messages == 0).then_some(()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_are_understood_and_their_mistakes_told() {
    let world = World::start().await;
    let send = |body: String| {
        let request = world.http.post(format!("{}/v1/jobs", world.intake()));
        let request = request.header(CONTENT_TYPE, "multipart/form-data; boundary=XX").body(body);
        async move {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        }
    };
    let part = |name: &str, file: &str, text: &str| {
        let file = if file.is_empty() { String::new() } else { format!("; filename=\"{file}\"") };
        format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{text}\r\n")
    };
    let form = format!(
        "{}{}{}--XX--\r\n",
        part("profile", "", "summary"),
        part("metadata", "", r#"{"kind": "contract"}"#),
        part("file", "d.txt", &contract(1))
    );
    let (status, body) = send(form).await;
    assert_eq!(status, 202, "{body}");
    let ended = world.ended(body["job_id"].as_str().unwrap()).await;
    assert_eq!((&ended["profile"], &ended["document"]), (&"summary".into(), &"d.txt".into()));
    for (form, word) in [
        (format!("{}--XX--\r\n", part("profile", "", "summary")), "no file"),
        (format!("{}--XX--\r\n", part("profil", "", "summary")), "profil"),
        (format!("{}--XX--\r\n", part("metadata", "", "{")), "metadata"),
        ("nonsense".to_owned(), ""),
    ] {
        let (status, body) = send(form).await;
        assert_eq!((status, &body["code"]), (400, &"request_invalid".into()));
        assert!(body["detail"].as_str().unwrap().contains(word), "{body}");
    }
}
