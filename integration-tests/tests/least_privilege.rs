//! Every service as its own user of the broker, with the rights that are rendered from the table: the whole of a
//! document's way works, and what is nobody else's business is denied.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use integration_tests::{World, contract, long_contract, sample};
use millrace_testkit::provider::Simulated;

fn keygen(folder: &std::path::Path) {
    let made = std::process::Command::new(millrace_testkit::binary("millrace"))
        .args(["vault", "keygen"])
        .arg(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
}

/// The keys of a job's artifacts, by their maker.
async fn claim(world: &World, job: &str, maker: &str) -> String {
    let events = world.events(job).await;
    let claims = events.iter().rev().find_map(|(_, _, event)| event.claims.get(maker)).unwrap();
    claims.key.replace('/', ".")
}

/// Whether a user gets an answer that is a message, for a read by subject.
async fn reads(world: &World, user: &str, stream: &str, subject: &str) -> bool {
    let client = world.client_as(Some(user)).await;
    let answer = client.request(format!("$JS.API.DIRECT.GET.{stream}.{subject}"), "".into()).await;
    answer.is_ok_and(|answer| answer.status.is_none() && !answer.payload.is_empty())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_service_may_do_its_own_work_and_nothing_else() {
    let provider = Simulated::start().await;
    let folder = tempfile::tempdir().unwrap();
    keygen(folder.path());
    let (public, secret) = (folder.path().join("vault.pub"), folder.path().join("vault.key"));
    let openai = format!("{}/v1", provider.url);
    let settings = [
        ("OPENAI_BASE_URL", openai.as_str()),
        ("OPENAI_API_KEY", "the-key"),
        ("GEMINI_BASE_URL", provider.url.as_str()),
        ("GEMINI_API_KEY", "the-key"),
        ("MILLRACE_TENANT_BUDGET_USD", "1000"),
        ("MILLRACE_VAULT_PUBLIC_KEY_FILE", public.to_str().unwrap()),
        ("MILLRACE_VAULT_KEY_FILE", secret.to_str().unwrap()),
        ("MILLRACE_RESTORE_TOKEN", "a-token-for-everybody"),
    ];
    let world = World::start_guarded(&settings).await;

    // Small and large documents, one with others inside, one that is refused; over HTTP and over the inbox.
    let job = world.upload("d.txt", contract(1), "").await;
    let large = world.upload("e.txt", long_contract(240), "&profile=summary").await;
    let mail = world.upload("mail.eml", sample("mail.eml"), "&profile=summary").await;
    let broken = world.upload("broken.pdf", sample("broken.pdf"), "").await;
    let source = world.folder.path().join("f.txt");
    std::fs::write(&source, contract(2)).unwrap();
    let sender = world.client_as(Some("sender")).await;
    let line = format!("{{\"source\": \"file://{}\", \"profile\": \"contract\"}}", source.display());
    sender.publish("millrace.inbox.default", line.into()).await.unwrap();
    sender.flush().await.unwrap();
    world.completed(&job).await;
    world.completed(&large).await;
    let mail = world.completed(&mail).await;
    for inner in mail["children"].as_array().unwrap() {
        world.ended(inner.as_str().unwrap()).await;
    }
    assert_eq!(world.ended(&broken).await["status"], "rejected");
    let url = format!("{}/v1/jobs/{job}/report?restore=1", world.status());
    let restored = world.http.get(url).bearer_auth("a-token-for-everybody").send().await.unwrap();
    assert_eq!(restored.status(), 200);
    millrace_testkit::eventually("the job from the inbox", || async {
        let ended = world.hashes().await.into_values().filter(|hash| {
            hash.get("document").is_some_and(|name| name == b"f.txt")
                && hash.get("status").is_some_and(|status| status == b"completed")
        });
        (ended.count() == 1).then_some(())
    })
    .await;
    // A denied permission shows on the probe.
    for (name, service) in &world.services {
        assert_eq!(service.probe("/readyz").await.0, 200, "{name}: {}", service.log());
    }

    let (artifacts, vault) = ("MILLRACE_ARTIFACTS", "KV_MILLRACE_VAULT");
    let text = format!("millrace.artifact.{}", claim(&world, &job, "extraction").await);
    let key = {
        let js = world.client().await;
        let stream = js.get_stream(vault).await.unwrap();
        let kept = stream.get_last_raw_message_by_subject("$KV.MILLRACE_VAULT.>").await.unwrap();
        kept.subject.to_string()
    };
    for (user, stream, subject, may) in [
        ("sanitization", artifacts, &text, true),
        ("inference", artifacts, &text, false),
        ("validation", artifacts, &text, false),
        ("status", artifacts, &text, false),
        ("status", vault, &key, true),
        ("sanitization", vault, &key, false),
        ("inference", vault, &key, false),
    ] {
        assert_eq!(reads(&world, user, stream, subject).await, may, "{user} reads {subject}");
    }
    // Nor may anybody say what is another's to say, or take away what there is.
    let before = world.log(&job).await.len();
    let js = async_nats::jetstream::new(world.client_as(Some("inference")).await);
    assert!(
        js.publish(format!("millrace.v1.completed.default.default.{job}"), "".into())
            .await
            .unwrap()
            .await
            .is_err()
    );
    assert!(js.delete_stream("MILLRACE_VALIDATION").await.is_err());
    assert_eq!(world.log(&job).await.len(), before);
}
