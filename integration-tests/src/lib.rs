//! The whole system for a test: real servers, every service a process of its own.

use millrace_contract::wire::Event;
use millrace_contract::wire::fact::Kind;
use millrace_testkit::{Nats, Redis, Service, root};
use prost::Message as _;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tempfile::TempDir;

/// Every service, in the order a job meets them.
pub const SERVICES: [&str; 7] =
    ["intake", "extraction", "sanitization", "router", "inference", "validation", "status"];

/// A running system.
pub struct World {
    /// The broker.
    pub nats: Nats,
    /// The read model's store.
    pub redis: Redis,
    /// The services by name.
    pub services: BTreeMap<&'static str, Service>,
    /// A folder that `file:` sources may name.
    pub folder: TempDir,
    /// For requests.
    pub http: reqwest::Client,
    /// Whether the broker knows users; then tests are its operator.
    guarded: bool,
}

/// The password of a user of a guarded broker.
pub fn password(user: &str) -> String {
    format!("only-{user}-knows")
}

impl World {
    /// Starts everything, with short leases and pauses.
    pub async fn start() -> World {
        World::start_with(&[]).await
    }

    /// Starts everything, with more settings for every service. `{REDIS}` in a value is the URL of its Redis.
    ///
    /// # Panics
    /// If something does not start.
    pub async fn start_with(more: &[(&str, &str)]) -> World {
        World::start_on(Nats::start(), false, more).await
    }

    /// Starts everything on a broker with the users of `deploy/nats/users.conf`: every service is its own, with the
    /// rights that are rendered for it and no others. The operator makes the streams.
    ///
    /// # Panics
    /// If something does not start.
    pub async fn start_guarded(more: &[(&str, &str)]) -> World {
        let file = root().join("deploy/nats/users.conf");
        let mut users =
            std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for user in SERVICES.iter().chain(&["sender", "operator"]) {
            let variable = format!("$MILLRACE_NATS_{}", user.to_uppercase());
            assert!(users.contains(&variable), "{user} has no password");
            users = users.replace(&variable, &format!("{:?}", password(user)));
        }
        let nats = Nats::start_with(&users);
        let provisioned = std::process::Command::new(millrace_testkit::binary("millrace"))
            .arg("provision")
            .env("NATS_URL", url_of(&nats, "operator"))
            // The services' consumers have short leases here.
            .env("MILLRACE_ACK_WAIT", "2s")
            .output()
            .unwrap_or_else(|error| panic!("{error}"));
        assert!(provisioned.status.success(), "{provisioned:?}");
        World::start_on(nats, true, more).await
    }

    async fn start_on(nats: Nats, guarded: bool, more: &[(&str, &str)]) -> World {
        let redis = Redis::start();
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let (nats_url, redis_url) = (nats.url(), redis.url());
        let allowed = folder.path().to_string_lossy().into_owned();
        let mut environment = vec![
            ("NATS_URL", nats_url.as_str()),
            ("REDIS_URL", redis_url.as_str()),
            ("MILLRACE_ALLOW_DIRS", allowed.as_str()),
            ("MILLRACE_ACK_WAIT", "2s"),
            ("MILLRACE_BACKOFF", "50ms"),
            ("MILLRACE_CALL_BACKOFF", "50ms"),
            ("MILLRACE_OUTAGE_WAIT", "1s"),
            ("MILLRACE_GRACE", "8s"),
        ];
        let more: Vec<(&str, String)> =
            more.iter().map(|(name, value)| (*name, value.replace("{REDIS}", &redis_url))).collect();
        environment.extend(more.iter().map(|(name, value)| (*name, value.as_str())));
        let start = |name: &&'static str| {
            let own = url_of(&nats, name);
            let signs_in = [("NATS_URL", own.as_str()), ("MILLRACE_NO_PROVISION", "true")];
            let environment =
                if guarded { [&environment[..], &signs_in].concat() } else { environment.clone() };
            (*name, Service::start(name, &environment))
        };
        let services: BTreeMap<&'static str, Service> = SERVICES.iter().map(start).collect();
        for service in services.values() {
            service.ready().await;
        }
        World { nats, redis, services, folder, http: reqwest::Client::new(), guarded }
    }

    /// Starts everything with a simulated provider behind all three vendors, and more settings for every service.
    pub async fn start_asking(provider: &str, more: &[(&str, &str)]) -> World {
        let openai = format!("{provider}/v1");
        let mut environment = vec![
            ("GEMINI_BASE_URL", provider),
            ("GEMINI_API_KEY", "the-key"),
            ("OPENAI_BASE_URL", openai.as_str()),
            ("OPENAI_API_KEY", "the-key"),
            ("ANTHROPIC_BASE_URL", provider),
            ("ANTHROPIC_API_KEY", "the-key"),
        ];
        environment.extend_from_slice(more);
        World::start_with(&environment).await
    }

    /// One of the services.
    ///
    /// # Panics
    /// If there is none of that name.
    pub fn service(&mut self, name: &str) -> &mut Service {
        self.services.get_mut(name).unwrap_or_else(|| panic!("no service {name}"))
    }

    /// URL of the upload API.
    pub fn intake(&self) -> String {
        self.services["intake"].url()
    }

    /// URL of the status API.
    pub fn status(&self) -> String {
        self.services["status"].url()
    }

    /// Uploads bytes, for the contract profile unless the query says another; the job's id.
    ///
    /// # Panics
    /// If they are not accepted.
    pub async fn upload(&self, name: &str, bytes: impl Into<Vec<u8>>, query: &str) -> String {
        let profile = if query.contains("profile=") { "" } else { "&profile=contract" };
        let url = format!("{}/v1/jobs?name={name}{profile}{query}", self.intake());
        let response =
            self.http.post(url).body(bytes.into()).send().await.unwrap_or_else(|error| panic!("{error}"));
        let status = response.status();
        let body: Value = response.json().await.unwrap_or_default();
        assert_eq!(status, 202, "{body}");
        body["job_id"].as_str().unwrap_or_default().to_owned()
    }

    /// What the status API says of a job; null if it knows none.
    pub async fn job(&self, id: &str) -> Value {
        let url = format!("{}/v1/jobs/{id}", self.status());
        match self.http.get(url).send().await {
            Ok(response) if response.status().is_success() => response.json().await.unwrap_or_default(),
            _ => Value::Null,
        }
    }

    /// Waits for a job to end; its status.
    pub async fn ended(&self, id: &str) -> Value {
        let begun = std::time::Instant::now();
        loop {
            let job = self.job(id).await;
            if job["done"] == true {
                return job;
            }
            if begun.elapsed() > std::time::Duration::from_secs(60) {
                let events = self.log(id).await;
                let mut in_flight = Vec::new();
                for name in SERVICES {
                    in_flight.push((name, self.in_flight(name).await));
                }
                panic!("job {id} does not end: {job}; in the log {events:?}; in flight {in_flight:?}");
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
    }

    /// Waits for a job to end with a report; its status.
    ///
    /// # Panics
    /// If it ends in another way.
    pub async fn completed(&self, id: &str) -> Value {
        let job = self.ended(id).await;
        assert_eq!(job["status"], "completed", "{job}; routed by {:#?}", self.rules(id).await);
        job
    }

    /// A job's report.
    ///
    /// # Panics
    /// If it has none.
    pub async fn report(&self, id: &str) -> Value {
        let url = format!("{}/v1/jobs/{id}/report", self.status());
        let response = self.http.get(url).send().await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(response.status(), 200);
        response.json().await.unwrap_or_default()
    }

    /// A client of the broker, as another system would have one.
    ///
    /// # Panics
    /// If it cannot connect.
    pub async fn client(&self) -> async_nats::jetstream::Context {
        async_nats::jetstream::new(self.client_as(self.guarded.then_some("operator")).await)
    }

    /// A client of the broker as one of its users; what it is denied is told by its events.
    ///
    /// # Panics
    /// If it cannot connect.
    pub async fn client_as(&self, user: Option<&str>) -> async_nats::Client {
        let mut options =
            async_nats::ConnectOptions::new().request_timeout(Some(std::time::Duration::from_secs(1)));
        if let Some(user) = user {
            options = options.user_and_password(user.to_owned(), password(user));
            if user != "operator" {
                options = options.custom_inbox_prefix(format!("_INBOX_{user}"));
            }
        }
        options.connect(self.nats.url()).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Every message of every stream: where it stands, and all of it.
    ///
    /// # Panics
    /// If the broker does not answer.
    pub async fn messages(&self) -> Vec<(String, Vec<u8>)> {
        use futures_util::StreamExt as _;
        let js = self.client().await;
        let names: Vec<String> = js.stream_names().map(Result::unwrap).collect().await;
        let mut all = Vec::new();
        for name in names {
            let mut stream = js.get_stream(&name).await.unwrap_or_else(|error| panic!("{error}"));
            let state = stream.info().await.unwrap_or_else(|error| panic!("{error}")).state.clone();
            // One by one: a work queue has no second reader.
            for sequence in state.first_sequence..=state.last_sequence {
                // What was settled or replaced is not there any more.
                let Ok(message) = stream.get_raw_message(sequence).await else { continue };
                let headers = format!("{:?}", message.headers);
                let whole = [message.subject.as_bytes(), headers.as_bytes(), &message.payload].concat();
                all.push((message.subject.to_string(), whole));
            }
        }
        all
    }

    /// Messages that a service's consumers have in flight.
    pub async fn in_flight(&self, service: &str) -> u64 {
        let js = self.client().await;
        let mut in_flight = 0;
        for (stream, consumer) in consumers(service) {
            if let Ok(stream) = js.get_stream_no_info(stream).await
                && let Ok(info) = stream.consumer_info(consumer).await
            {
                in_flight += info.num_ack_pending as u64;
            }
        }
        in_flight
    }

    /// The events of a job, from the log: subject tokens and message ids, stream by stream.
    ///
    /// # Panics
    /// If the log cannot be read.
    pub async fn log(&self, job: &str) -> Vec<(String, String)> {
        self.events(job).await.into_iter().map(|(token, id, _)| (token, id)).collect()
    }

    /// The rules by which a job was routed, round by round.
    ///
    /// # Panics
    /// If the log cannot be read.
    pub async fn rules(&self, job: &str) -> Vec<String> {
        let kinds = self.events(job).await.into_iter().filter_map(|(_, _, event)| event.fact?.kind);
        kinds
            .filter_map(|kind| if let Kind::Routed(routed) = kind { Some(routed.rule) } else { None })
            .collect()
    }

    /// What was ordered for a job's failures, round by round: "answer_recited in inference: terms evidence_ids_only".
    ///
    /// # Panics
    /// If the log cannot be read.
    pub async fn recoveries(&self, job: &str) -> Vec<String> {
        let rules = self.rules(job).await;
        rules.iter().filter_map(|rule| rule.strip_prefix("recovery: ")).map(str::to_owned).collect()
    }

    /// Like [`World::log`], with the events themselves.
    ///
    /// # Panics
    /// If the log cannot be read.
    pub async fn events(&self, job: &str) -> Vec<(String, String, Event)> {
        use futures_util::StreamExt as _;
        let js = self.client().await;
        let mut events = Vec::new();
        for service in millrace_contract::Service::ALL.iter().filter(|service| !service.hop().says.is_empty())
        {
            let Ok(stream) = js.get_stream(service.stream()).await else { continue };
            let config = async_nats::jetstream::consumer::pull::OrderedConfig {
                filter_subject: format!("millrace.v1.*.*.*.{job}"),
                ..Default::default()
            };
            let consumer = stream.create_consumer(config).await.unwrap_or_else(|error| panic!("{error}"));
            let pending = consumer.cached_info().num_pending;
            let mut messages = consumer.messages().await.unwrap_or_else(|error| panic!("{error}"));
            for _ in 0..pending {
                let Some(Ok(message)) = messages.next().await else { break };
                let token = message.subject.split('.').nth(2).unwrap_or_default().to_owned();
                let id = message.headers.as_ref().and_then(|headers| headers.get("ce-id"));
                let id = id.map(|id| id.as_str().to_owned()).unwrap_or_default();
                events.push((token, id, Event::decode(message.payload.clone()).unwrap_or_default()));
            }
        }
        events
    }

    /// Every hash in Redis, by key.
    ///
    /// # Panics
    /// If Redis does not answer.
    pub async fn hashes(&self) -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
        let mut redis = self.redis_client().await;
        let keys: Vec<String> = redis::cmd("KEYS")
            .arg("job:*")
            .query_async(&mut redis)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let mut hashes = BTreeMap::new();
        for key in keys {
            let hash: BTreeMap<String, Vec<u8>> = redis::cmd("HGETALL")
                .arg(&key)
                .query_async(&mut redis)
                .await
                .unwrap_or_else(|error| panic!("{error}"));
            hashes.insert(key, hash);
        }
        hashes
    }

    /// A connection to Redis.
    ///
    /// # Panics
    /// If Redis does not answer.
    pub async fn redis_client(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.redis.url()).unwrap_or_else(|error| panic!("{error}"));
        client.get_multiplexed_async_connection().await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs `millrace` with these arguments against this system; its output.
    ///
    /// # Panics
    /// If it cannot be run.
    pub fn millrace(&self, arguments: &[&str]) -> std::process::Output {
        std::process::Command::new(millrace_testkit::binary("millrace"))
            .args(arguments)
            .env("NATS_URL", self.nats.url())
            .env("REDIS_URL", self.redis.url())
            .env("MILLRACE_URL", self.status())
            .output()
            .unwrap_or_else(|error| panic!("{error}"))
    }
}

/// The broker's URL with a user of a guarded one.
fn url_of(nats: &Nats, user: &str) -> String {
    nats.url().replace("://", &format!("://{user}:{}@", password(user)))
}

/// The consumers of a service: (stream, name).
fn consumers(service: &str) -> Vec<(String, String)> {
    if service == "intake" {
        return vec![("MILLRACE_INBOX".to_owned(), "intake".to_owned())];
    }
    let Some(found) = millrace_contract::Service::named(service) else { return Vec::new() };
    found.hop().consumers().into_iter().map(|consumer| (consumer.stream, service.to_owned())).collect()
}

/// A sample document.
///
/// # Panics
/// If there is none of that name.
pub fn sample(name: &str) -> Vec<u8> {
    let path: PathBuf = root().join("samples").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A contract in plain text, a little different for each number.
pub fn contract(number: usize) -> String {
    format!(
        "SERVICES AGREEMENT No. {number}\n\nThis Agreement is made on 1 March 2026 between Larkfield Data Ltd, a company \
         registered in England (the \"Supplier\"), and Brook Hill Ltd (the \"Client\").\n\nThe Client shall pay a monthly \
         fee of GBP {number},500.00 to jane.roe@example.com.\n\nThe liability of the Supplier shall not exceed GBP \
         90,000.00.\n\nThis Agreement is governed by the laws of England."
    )
}

/// A contract in plain text of so many pages; every paragraph has a sum, a date and words of its own.
pub fn long_contract(pages: usize) -> String {
    use std::fmt::Write as _;
    const ACTORS: [&str; 4] = ["The Supplier", "The Client", "The Operator", "Either party"];
    const DUTIES: [&str; 5] = [
        "shall keep complete records of the work done under this Agreement",
        "shall maintain insurance with a reputable insurer for the whole of the term",
        "shall not assign its rights without the prior written consent of the other party",
        "shall hand over the keys, the drawings and the operating manuals on completion",
        "may suspend the services after written notice if an invoice stays unpaid",
    ];
    let mut text = contract(pages);
    let mut clause = 0;
    while text.len() < pages * 3000 {
        clause += 1;
        let _ = write!(text, "\n\n{clause}. ");
        for step in 0..4 {
            let number = clause * 4 + step;
            let _ = write!(
                text,
                "{} {} at site {number}, for a fee of GBP {},{:03}.00 due on {} May 2027. ",
                ACTORS[number % 4],
                DUTIES[number % 5],
                1 + number % 900,
                number % 1000,
                1 + number % 28
            );
        }
    }
    text
}

/// Every piece of evidence in a report or a section, found or withheld.
pub fn evidence(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(fields) if fields.contains_key("grounded") => vec![value],
        Value::Object(fields) => fields.values().flat_map(evidence).collect(),
        Value::Array(items) => items.iter().flat_map(evidence).collect(),
        _ => Vec::new(),
    }
}

/// The evidence in a report that was found, after looking for each quote in the document once more, by other means
/// than the product's.
///
/// # Panics
/// If there is none, if one does not stand there, or if one that was withheld is quoted.
pub fn quoted<'a>(report: &'a Value, document: &str) -> Vec<&'a Value> {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let document = plain(&document.replace("jane.roe@example.com", "[EMAIL_1]"));
    let (found, withheld): (Vec<&Value>, Vec<&Value>) =
        evidence(&report["sections"]).into_iter().partition(|evidence| evidence["grounded"] == true);
    for evidence in &found {
        let quote = plain(evidence["quote"].as_str().unwrap_or_default());
        assert!(!quote.is_empty() && document.contains(&quote), "{evidence} is not in the document");
    }
    assert!(withheld.iter().all(|evidence| evidence.get("quote").is_none()), "{withheld:?}");
    assert_eq!(report["evidence"]["found"], found.len(), "{}", report["evidence"]);
    assert_eq!(report["evidence"]["withheld"], withheld.len(), "{}", report["evidence"]);
    assert!(!found.is_empty(), "no evidence in {report:#}");
    found
}
