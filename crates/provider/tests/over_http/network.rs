//! Everything that a network can do, and what goes out over it.

use crate::server::{Scripted, Server, ask, client, exchange, model, raw, say};
use millrace_contract::ErrorCode;
use millrace_provider::http::LARGEST;
use millrace_provider::{Failure, Vendor};
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

async fn fails(url: &str, more: &[&str]) -> (ErrorCode, bool) {
    let Failure { code, message, maybe_billed, usage, .. } =
        ask(&client(url, more), Vendor::Gemini).await.unwrap_err();
    for secret in ["the-key", "secret document", "127.0.0.1", "http://"] {
        assert!(!message.contains(secret), "{message}");
    }
    assert_eq!(usage, Default::default());
    (code, maybe_billed)
}

#[tokio::test]
async fn keys_go_in_headers_and_the_call_has_a_name() {
    let server = Server::start().await;
    let http = client(&server.url, &[]);
    for &vendor in Vendor::ALL {
        ask(&http, vendor).await.unwrap_err();
    }
    let seen = server.seen();
    let header =
        |at: usize, name: &str| seen[at].headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(seen[0].uri, "/v1beta/models/gemini-2.5-pro:generateContent");
    assert_eq!(header(0, "x-goog-api-key").as_deref(), Some("the-key"));
    assert_eq!(seen[1].uri, "/chat/completions");
    assert_eq!(header(1, "authorization").as_deref(), Some("Bearer the-key"));
    assert_eq!(seen[2].uri, "/v1/messages");
    assert_eq!(header(2, "x-api-key").as_deref(), Some("the-key"));
    assert_eq!(header(2, "anthropic-version").as_deref(), Some("2023-06-01"));
    for (at, seen) in seen.iter().enumerate() {
        assert_eq!(header(at, "x-client-request-id").as_deref(), Some("call-1"));
        assert_eq!(header(at, "content-type").as_deref(), Some("application/json"));
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert!(body.to_string().contains("the secret document"));
    }
}

#[tokio::test]
async fn everything_that_came_is_kept() {
    let server = Server::start().await;
    let scripted = Scripted::page(500, "text/plain", "not \u{1F980} JSON");
    server.answer(scripted.with("X-RateLimit-Remaining", "3").with("x-twice", "a").with("x-twice", "b"));
    let kept = exchange(&client(&server.url, &[]), Vendor::OpenAi).await.unwrap();
    assert_eq!((kept.status, kept.body.as_slice()), (500, "not \u{1F980} JSON".as_bytes()));
    assert_eq!(kept.headers["x-ratelimit-remaining"], "3");
    assert_eq!(kept.headers["x-twice"], "a, b");
    // Read twice, it says the same.
    let read = |_| Vendor::read(&model(Vendor::OpenAi), &kept).unwrap_err();
    assert_eq!(read(1), read(2));
}

#[tokio::test]
async fn without_a_key_nobody_is_asked() {
    let server = Server::start().await;
    let http = client(&server.url, &["--anthropic-api-key=", "--openai-api-key="]);
    let failure = ask(&http, Vendor::Anthropic).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::ProviderNotConfigured);
    assert_eq!(server.seen().len(), 0);
    // A server of one's own is asked without one.
    ask(&http, Vendor::OpenAi).await.unwrap_err();
    assert_eq!(server.seen()[0].headers.get("authorization"), None);
}

#[tokio::test]
async fn nobody_there() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(fails(&url, &[]).await, (ErrorCode::ProviderUnreachable, false));
    assert_eq!(fails("http://nobody.invalid", &[]).await, (ErrorCode::ProviderUnreachable, false));
}

#[tokio::test]
async fn no_word() {
    let url = raw(|stream| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let begun = Instant::now();
    assert_eq!(fails(&url, &["--provider-timeout=300ms"]).await, (ErrorCode::ProviderTimeout, true));
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_body_without_end_is_ended_by_the_clock() {
    let url = raw(|mut stream| async move {
        say(&mut stream, &format!("{OK}transfer-encoding: chunked\r\n\r\n")).await;
        // Never silent for long: only a limit on the whole call ends this.
        while stream.write_all(b"1\r\n \r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let begun = Instant::now();
    assert_eq!(fails(&url, &["--provider-timeout=500ms"]).await, (ErrorCode::ProviderTimeout, true));
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn too_much_is_cut_off() {
    let server = Server::start().await;
    server.answer(Scripted::page(200, "application/json", &" ".repeat(10_000_000)));
    assert_eq!(fails(&server.url, &[]).await, (ErrorCode::ProviderForeign, true));
    // To the byte, and also where nothing is announced.
    server.answer(Scripted::page(500, "application/json", &" ".repeat(LARGEST)));
    assert_eq!(exchange(&client(&server.url, &[]), Vendor::Gemini).await.unwrap().body.len(), LARGEST);
    let (count, sent) = tokio::sync::oneshot::channel();
    let url = raw(|mut stream| async move {
        say(&mut stream, &format!("{OK}transfer-encoding: chunked\r\n\r\n")).await;
        let chunk = format!("100000\r\n{}\r\n", " ".repeat(0x10_0000));
        let mut sent = 0;
        while sent < 200 && stream.write_all(chunk.as_bytes()).await.is_ok() {
            sent += 1;
        }
        count.send(sent).unwrap();
    })
    .await;
    assert_eq!(fails(&url, &[]).await, (ErrorCode::ProviderForeign, true));
    // Megabytes; what is more than our limit was in the buffers of two sockets.
    let sent = sent.await.unwrap();
    assert!(sent < 64, "{sent} MiB were read");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (server, elsewhere) = (Server::start().await, Server::start().await);
    for status in [301, 302, 303, 307, 308] {
        server.answer(Scripted::json(status, Value::Null).with("location", &elsewhere.url));
        assert_eq!(fails(&server.url, &[]).await, (ErrorCode::ProviderForeign, false), "{status}");
    }
    // It is not even kept.
    assert!(exchange(&client(&server.url, &[]), Vendor::Gemini).await.is_err());
    assert_eq!(elsewhere.seen().len(), 0, "the document went to somebody else");
}

#[tokio::test]
async fn a_connection_that_breaks() {
    // In the middle of the body, by length and by chunks.
    for head in ["content-length: 1000\r\n\r\n{\"cand", "transfer-encoding: chunked\r\n\r\n6\r\n{\"cand\r\n"]
    {
        let url = raw(move |mut stream| async move {
            say(&mut stream, &format!("{OK}{head}")).await;
            // Not just closed: reset.
            #[expect(deprecated, reason = "zero does not block, which is what is deprecated about it")]
            stream.set_linger(Some(Duration::ZERO)).unwrap();
        })
        .await;
        assert_eq!(fails(&url, &[]).await, (ErrorCode::ProviderForeign, true), "{head}");
    }
    // Before the first word, and in words that are not HTTP.
    let url = raw(|stream| async move { drop(stream) }).await;
    assert_eq!(fails(&url, &[]).await, (ErrorCode::ProviderForeign, true));
    let url = raw(|mut stream| async move { say(&mut stream, "SSH-2.0-OpenSSH\r\n").await }).await;
    assert_eq!(fails(&url, &[]).await, (ErrorCode::ProviderForeign, true));
}
