//! Personal data stands in the document and in the vault and nowhere else, and the vault opens only with key and scope.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use integration_tests::{World, contract};
use millrace_testkit::eventually;
use millrace_testkit::otlp::Collector;
use millrace_testkit::provider::Simulated;
use serde_json::Value;
use std::path::Path;

const TOKEN: &str = "a-token-that-only-this-test-knows";

/// Tokens of the tenant whose documents they are, and of another one.
const OURS: &str = "a-token-of-the-tenant-itself";
const OTHERS: &str = "a-token-of-another-tenant";

/// A file name that says whose document it is, as it stands in a URL and as itself.
const FILE: &str = "CV_Walter_Grimshaw_(w.grimshaw%40tarnwick.example).txt";
const FILE_NAMES: [&str; 3] = ["Walter_Grimshaw", "Walter Grimshaw", "w.grimshaw@tarnwick.example"];

/// Made-up values, each as a document writes it.
const VALUES: [&str; 10] = [
    "jane.roe@example.com",
    "q.w.zimmerlund@tarnwick-brook.example.org",
    "DE89 3704 0044 0532 0130 00",
    "GB82WEST12345698765432",
    "4111 1111 1111 1111",
    "078-05-1120",
    "+49 30 90182077",
    "203.0.113.77",
    "12345678Z",
    "14 March 1958",
];

/// A contract that says all of it, with a number of its own.
fn document(number: usize) -> String {
    let [_, mail, iban, iban2, card, ssn, phone, ip, nif, birth] = VALUES;
    format!(
        "{}\n\nNotices go to {mail} or by telephone to Tel. {phone}. Payments go to IBAN {iban}, or to the bank \
         account IBAN {iban2}.\n\nThe card number {card} is on file. SSN: {ssn}. DNI {nif}. The signatory was born on \
         {birth}. The portal was last used from {ip}. The Client shall confirm to {mail} within 14 days.",
        contract(number)
    )
}

/// What must not be found: the values, and as programs write them.
fn needles() -> Vec<String> {
    let compact = |value: &str| value.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let mut needles: Vec<String> = VALUES.iter().map(|value| (*value).to_owned()).collect();
    needles.extend(VALUES.iter().map(|value| compact(value)).filter(|value| value.len() >= 9));
    needles
}

fn found(place: &str, bytes: &[u8], needles: &[String], leaks: &mut Vec<String>) {
    for needle in needles {
        if bytes.windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle.as_bytes())) {
            leaks.push(format!("{needle} in {place}"));
        }
    }
}

/// What a document is before it is sanitized.
fn is_before(subject: &str) -> bool {
    subject.starts_with("millrace.artifact.")
        && (subject.contains(".intake.") || subject.contains(".extraction"))
}

/// Events in which it still has the sender's name.
fn is_named(subject: &str) -> bool {
    subject.starts_with("millrace.v1.uploaded.") || subject.starts_with("millrace.v1.extracted.")
}

async fn restored(world: &World, job: &str, token: Option<&str>) -> (u16, Value) {
    let url = format!("{}/v1/jobs/{job}/report?restore=1", world.status());
    let mut request = world.http.get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn keygen(folder: &Path) {
    let output = std::process::Command::new(millrace_testkit::binary("millrace"))
        .args(["vault", "keygen"])
        .arg(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

async fn world(folder: &Path, provider: &Simulated, more: &[(&str, &str)]) -> World {
    keygen(folder);
    let (public, secret) = (folder.join("vault.pub"), folder.join("vault.key"));
    let mut settings = vec![
        ("MILLRACE_VAULT_PUBLIC_KEY_FILE", public.to_str().unwrap()),
        ("MILLRACE_VAULT_KEY_FILE", secret.to_str().unwrap()),
        ("MILLRACE_RESTORE_TOKEN", TOKEN),
    ];
    settings.extend_from_slice(more);
    World::start_asking(&provider.url, &settings).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaks() {
    let collector = Collector::start().await;
    let provider = Simulated::start().await;
    let folder = tempfile::tempdir().unwrap();
    let more = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("RUST_LOG", "debug,h2=info,hyper=info"),
    ];
    let policy = folder.path().join("policy.toml");
    std::fs::write(&policy, "[default]\nnames = \"lists\"\n").unwrap();
    let more: Vec<(&str, &str)> =
        more.into_iter().chain([("MILLRACE_POLICY", policy.to_str().unwrap())]).collect();
    let world = world(folder.path(), &provider, &more).await;
    let mut jobs = Vec::new();
    for number in 1..=6 {
        let profile = ["contract", "summary", "invoice"][number % 3];
        jobs.push(world.upload(FILE, document(number), &format!("&profile={profile}")).await);
    }
    let mut completed = 0;
    for job in &jobs {
        completed += u32::from(world.ended(job).await["status"] == "completed");
    }
    assert!(completed >= 4, "{completed} of six have a report");
    // Somebody may see it, and that leaves no trace of what was seen either.
    let (status, report) = restored(&world, &jobs[2], Some(TOKEN)).await;
    assert_eq!(status, 200, "{report}");
    let name = report["document"]["name"].as_str().unwrap();
    assert!(name.contains("Walter_Grimshaw") && name.ends_with(".txt"), "{name}");
    assert_eq!(world.report(&jobs[2]).await["document"]["name"], world.job(&jobs[2]).await["document"]);

    let values = needles();
    let needles: Vec<String> = values.iter().cloned().chain(FILE_NAMES.map(str::to_owned)).collect();
    let mut leaks = Vec::new();
    let (mut searched, mut before) = (0, Vec::new());
    for (subject, bytes) in world.messages().await {
        if is_before(&subject) {
            found(&subject, &bytes, &needles, &mut before);
        } else if is_named(&subject) {
            found(&subject, &bytes, &needles, &mut before);
            found(&subject, &bytes, &values, &mut leaks);
        } else {
            searched += 1;
            found(&subject, &bytes, &needles, &mut leaks);
        }
    }
    let named = before.iter().filter(|leak| leak.starts_with("Walter_Grimshaw in millrace.v1.")).count();
    assert_eq!(named, 2 * jobs.len(), "the sender's name stands in the first two events of each job");
    // The search finds what is there: else it would prove nothing.
    for value in VALUES {
        assert!(before.iter().any(|leak| leak.starts_with(value)), "{value} is not even in the documents");
    }
    assert!(searched > 50, "{searched} messages");

    let mut redis = world.redis_client().await;
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut redis).await.unwrap();
    assert!(keys.len() >= 6, "{keys:?}");
    for key in keys {
        // Whatever it is made of, in Redis' own serialised form, uncompressed.
        let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut redis).await.unwrap();
        let value: redis::Value = match kind.as_str() {
            "hash" => redis::cmd("HGETALL").arg(&key).query_async(&mut redis).await.unwrap(),
            "string" => redis::cmd("GET").arg(&key).query_async(&mut redis).await.unwrap(),
            "zset" => redis::cmd("ZRANGE").arg(&key).arg(0).arg(-1).query_async(&mut redis).await.unwrap(),
            "set" => redis::cmd("SMEMBERS").arg(&key).query_async(&mut redis).await.unwrap(),
            "list" => redis::cmd("LRANGE").arg(&key).arg(0).arg(-1).query_async(&mut redis).await.unwrap(),
            other => panic!("{key} is a {other}, which this test cannot read"),
        };
        let mut texts = String::new();
        flatten(&value, &mut texts);
        assert!(!texts.is_empty(), "{key}");
        found(&format!("Redis, {key}"), format!("{key} {texts}").as_bytes(), &needles, &mut leaks);
    }
    for (name, service) in &world.services {
        let log = service.log();
        assert!(!log.is_empty(), "{name} logs nothing");
        found(&format!("the log of {name}"), log.as_bytes(), &needles, &mut leaks);
        let (status, metrics) = service.probe("/metrics").await;
        assert_eq!(status, 200);
        found(&format!("the metrics of {name}"), metrics.as_bytes(), &needles, &mut leaks);
    }
    eventually("the traces of all jobs", || async { (collector.spans().len() >= 72).then_some(()) }).await;
    for body in collector.bodies() {
        found("a trace", &body, &needles, &mut leaks);
    }
    // And the model was asked without it.
    let asked = provider.asked();
    assert!(!asked.is_empty());
    for asked in asked {
        found("a request to the model", format!("{asked:?}").as_bytes(), &needles, &mut leaks);
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

fn flatten(value: &redis::Value, out: &mut String) {
    match value {
        redis::Value::BulkString(bytes) => out.push_str(&String::from_utf8_lossy(bytes)),
        redis::Value::Array(items) | redis::Value::Set(items) => {
            items.iter().for_each(|item| flatten(item, out))
        }
        redis::Value::Map(pairs) => pairs.iter().for_each(|(key, value)| {
            flatten(key, out);
            out.push(' ');
            flatten(value, out);
        }),
        other => out.push_str(&format!("{other:?}")),
    }
    out.push(' ');
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vault_opens_with_key_and_scope_until_it_is_erased() {
    let provider = Simulated::start().await;
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens.toml");
    let digest = |token: &str| millrace_contract::artifact::sha256_hex(token.as_bytes());
    std::fs::write(&tokens, format!("default = {:?}\nother = {:?}\n", digest(OURS), digest(OTHERS))).unwrap();
    let more = [("MILLRACE_RESTORE_TOKENS_FILE", tokens.to_str().unwrap())];
    let mut world = world(folder.path(), &provider, &more).await;
    let (job, other) =
        (world.upload("d.txt", document(1), "").await, world.upload("e.txt", document(2), "").await);
    for job in [&job, &other] {
        world.completed(job).await;
    }
    let plain = world.report(&job).await.to_string();
    assert!(plain.contains("[EMAIL_1]") && !plain.contains("jane.roe"), "{plain}");

    for token in [None, Some("a-token-that-is-wrong"), Some(""), Some(OTHERS)] {
        let (status, problem) = restored(&world, &job, token).await;
        assert_eq!((status, &problem["code"]), (403, &"restore_forbidden".into()), "{problem}");
        assert!(!problem.to_string().contains("jane.roe"));
    }
    assert_eq!(restored(&world, &job, Some(OURS)).await.0, 200, "the tenant's own");
    let (status, report) = restored(&world, &job, Some(TOKEN)).await;
    assert_eq!(status, 200, "{report}");
    assert!(report["restored"]["values"].as_u64().unwrap() > 0, "{report}");
    assert_eq!(report["restored"]["refused"], Value::Array(vec![]), "{report}");
    let quotes = integration_tests::evidence(&report["sections"]);
    assert!(
        quotes.iter().any(|evidence| evidence["quote"]
            .as_str()
            .is_some_and(|quote| quote.contains("jane.roe@example.com"))),
        "{report:#}"
    );
    assert!(!report["sections"].to_string().contains("[EMAIL_1]"));

    // A new key: what was sealed for the old one opens, and goes on doing so once it is wrapped anew and the old one is
    // gone.
    keygen(folder.path());
    let secret = folder.path().join("vault.key");
    let rotated = world.millrace(&["vault", "rotate", "--key-file", secret.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&rotated.stdout).into_owned();
    assert!(rotated.status.success() && told.starts_with("2 data keys wrapped for "), "{rotated:?}");
    let keys = std::fs::read_to_string(&secret).unwrap();
    std::fs::write(&secret, keys.lines().next().unwrap()).unwrap();
    world.service("status").restart();
    world.services["status"].ready().await;
    assert_eq!(restored(&world, &job, Some(TOKEN)).await.0, 200);

    let erased = world.millrace(&["vault", "erase", "--job", &job]);
    let told = String::from_utf8_lossy(&erased.stdout).into_owned();
    assert!(told.starts_with("1 data keys erased"), "{erased:?}");
    let (status, problem) = restored(&world, &job, Some(TOKEN)).await;
    assert_eq!((status, &problem["code"]), (410, &"values_gone".into()), "{problem}");
    assert_eq!(world.report(&job).await.to_string(), plain, "the report itself stays");
    assert_eq!(restored(&world, &other, Some(TOKEN)).await.0, 200, "and so does everybody else's");
}
