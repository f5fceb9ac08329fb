//! One request: reads it, decides what goes wrong, waits, answers.

use super::account::{Arrival, Call, Ending, Known, Limits, Usage, lock};
use super::answer::{answer, asks_for_quotes, told};
use super::document::Document;
use super::faults::{Circumstances, Config, Fault, Faults};
use super::hash::{Dice, hash, mix};
use super::wire::{Answer, Question, Refusal, Stop, Vendor, schema_in_text};
use super::{Kept, Reply, Server, gemini, spoil};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// In place of a model's name: the request is not a question but something to be kept.
pub(super) const KEEP: &str = "";

/// A token is four bytes.
fn count(bytes: usize) -> u64 {
    bytes.div_ceil(4) as u64
}

/// What is going to be sent, and when.
struct Plan {
    after: Duration,
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    ending: Ending,
    cut: Cut,
}

/// Where the connection closes.
#[derive(PartialEq)]
enum Cut {
    Nowhere,
    Before,
    Within,
}

/// A request with all that its answer hangs on.
struct Asking<'a> {
    vendor: Vendor,
    config: &'a Config,
    faults: &'a Faults,
    question: &'a Question,
    document: &'a Document<'a>,
    schema: Option<Value>,
    schema_bytes: u64,
    circumstances: Circumstances<'a>,
    prefix_tokens: u64,
    input: u64,
    known: Known,
    kept_tokens: u64,
}

pub(super) async fn serve(
    server: Arc<Server>,
    vendor: Vendor,
    model: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let key =
        ["x-goog-api-key", "x-api-key", "authorization"].map(header).into_iter().find(|key| !key.is_empty());
    let key = key.unwrap_or_default().trim_start_matches("Bearer ");
    let read = match (vendor, model) {
        (Vendor::Gemini, KEEP) => gemini::read_keep(&body).map_err(|error| error.to_string()),
        _ => vendor.read(model, &body),
    };
    let readable = read.is_ok();
    let mut question = read.unwrap_or_else(|_| Question { model: model.into(), ..Question::default() });
    let (config, ledger) = server.now();
    let faults = config.faults(&question.model);
    let (kept_tokens, is_kept) = complete(&server, &mut question);

    let first = question.turns.first().map_or("", String::as_str);
    let document = Document::find(first);
    let system = hash(question.system.as_bytes());
    let prompt = question.turns.iter().fold(mix(system), |state, turn| mix(state ^ hash(turn.as_bytes())));
    let bytes = question.system.len() + question.turns.iter().map(String::len).sum::<usize>();
    let arrival = Arrival {
        vendor: vendor.name(),
        model: question.model.clone(),
        prompt: if readable { prompt } else { hash(&body) },
        document: document.hash,
        system,
        prefix: mix(system ^ hash(&first.as_bytes()[..document.end])),
        body: Sha256::digest(&body).into(),
        request_id: header("x-client-request-id").into(),
        flex: question.flex,
        input: count(bytes),
    };
    let limits = Limits { rpm: faults.rpm, tpm: faults.tpm, time_scale: config.time_scale };
    let (mut call, known) = Call::begin(&ledger, arrival, limits);
    if let Some(asked) = &server.asked {
        lock(asked).push((question.model.clone(), key.into(), body));
    }
    let scripted = lock(&server.script).pop_front();

    // Only what the provider has to enforce can be too complex for it.
    let schema_bytes = match &question.schema {
        Some(schema) if faults.schema_bytes > 0 => schema.to_string().len() as u64,
        _ => 0,
    };
    let schema = question.schema.take().or_else(|| schema_in_text(&question));
    let marked = config.rephrase_marker.as_ref().is_some_and(|marker| question.system.contains(marker));
    let asking = Asking {
        vendor,
        config: &config,
        faults,
        question: &question,
        circumstances: Circumstances {
            seed: config.seed,
            vendor: vendor.name(),
            model: &question.model,
            document: document.hash,
            prompt,
            nth: known.nth,
            rephrased: marked || known.rephrased,
            quotes: faults.recitation > 0.0 && schema.as_ref().is_some_and(asks_for_quotes),
            flex: question.flex,
        },
        document: &document,
        schema,
        schema_bytes,
        prefix_tokens: count(question.system.len() + document.end),
        input: count(bytes),
        known,
        kept_tokens,
    };
    let plan = match scripted {
        Some(reply) => asking.scripted(reply),
        None if !readable => asking.plan(Some(Fault::Invalid), None),
        None if !is_kept => asking.plan(Some(Fault::NotKept), None),
        None => match (asking.fault(), asking.question.keep_s) {
            ((fault, wait), None) => asking.plan(fault, wait),
            ((Some(fault), wait), Some(_)) if fault.refuses() => asking.plan(Some(fault), wait),
            (_, Some(_)) if asking.input < asking.faults.cache_min_tokens => {
                asking.plan(Some(Fault::Invalid), None)
            }
            (_, Some(seconds)) => asking.keep(&server, seconds),
        },
    };
    call.plan(plan.ending.clone());
    if !plan.after.is_zero() {
        tokio::time::sleep(plan.after).await;
    }
    send(call, plan)
}

/// Puts what is kept before the first turn. How many tokens that is, and whether it is there if it is named.
fn complete(server: &Server, question: &mut Question) -> (u64, bool) {
    let Some(name) = question.kept.take() else { return (0, true) };
    let all = lock(&server.kept);
    let found = all.get(&name).filter(|kept| kept.model == question.model && kept.until > Instant::now());
    let Some(kept) = found else { return (0, false) };
    question.system.clone_from(&kept.system);
    match question.turns.first_mut() {
        Some(first) => first.insert_str(0, &kept.text),
        None => question.turns.push(kept.text.clone()),
    }
    (count(kept.system.len() + kept.text.len()), true)
}

impl Asking<'_> {
    /// Keeps it, and bills input and storage.
    fn keep(&self, server: &Server, seconds: u64) -> Plan {
        let (question, of) = (self.question, &self.circumstances);
        let name = format!("cachedContents/{:016x}", mix(of.prompt ^ u64::from(of.nth)));
        let usage =
            Usage { input: self.input, stored: self.input.saturating_mul(seconds), ..Usage::default() };
        let kept = Kept {
            model: question.model.clone(),
            system: question.system.clone(),
            text: question.turns.concat(),
            until: Instant::now() + Duration::from_secs(seconds).div_f64(self.config.time_scale.max(1e-6)),
        };
        lock(&server.kept).insert(name.clone(), kept);
        Plan {
            after: Duration::ZERO,
            status: 200,
            headers: Vec::new(),
            body: gemini::kept(&question.model, &name, self.input).to_string().into(),
            ending: Ending { outcome: "kept".into(), status: 200, bill: Some(usage), good: true },
            cut: Cut::Nowhere,
        }
    }

    /// What goes wrong, and how long the caller is told to wait.
    fn fault(&self) -> (Option<Fault>, Option<f64>) {
        let faults = self.faults;
        let scaled = |seconds: f64| Some(seconds / self.config.time_scale);
        let drawn = faults.draw(&self.circumstances);
        if let Some(Fault::NoModel | Fault::InvalidKey) = drawn {
            return (drawn, None);
        }
        if self.schema_bytes > faults.schema_bytes {
            return (Some(Fault::SchemaTooComplex), None);
        }
        if faults.context_tokens > 0 && self.input > faults.context_tokens {
            return (Some(Fault::ContextTooLong), None);
        }
        if self.known.wait > 0.0 {
            return (Some(Fault::RateLimited), scaled(self.known.wait));
        }
        if faults.out(self.known.at * self.config.time_scale) {
            return (Some(Fault::Unavailable), None);
        }
        (drawn, if drawn == Some(Fault::RateLimited) { scaled(faults.rate_limited_s) } else { None })
    }

    fn plan(&self, fault: Option<Fault>, wait: Option<f64>) -> Plan {
        let label = fault.map_or("ok".into(), label);
        let latency = self.faults.latency(&self.circumstances, self.input);
        let scaled =
            |ms: f64| Duration::try_from_secs_f64(ms / 1000.0 / self.config.time_scale).unwrap_or_default();
        match fault {
            None
            | Some(
                Fault::Stall
                | Fault::Reset
                | Fault::ResetMid
                | Fault::Malformed(_)
                | Fault::MaxTokens
                | Fault::OutputSafety
                | Fault::Empty
                | Fault::Refusal
                | Fault::WrongLanguage
                | Fault::Hallucinated
                | Fault::SchemaViolation
                | Fault::Blocked
                | Fault::Recitation,
            ) => {
                let (text, stop) = self.text(fault);
                let mut plan = self.answered(&text, stop, label);
                plan.ending.good = matches!(fault, None | Some(Fault::Stall)) && stop == Stop::End;
                let stalled = if fault == Some(Fault::Stall) { self.faults.stall_ms } else { 0.0 };
                plan.after = scaled(latency + stalled);
                match fault {
                    Some(Fault::Reset) => (plan.cut, plan.ending.status) = (Cut::Before, 0),
                    Some(Fault::ResetMid) => plan.cut = Cut::Within,
                    _ => {}
                }
                plan
            }
            Some(fault) => {
                let refusal = Refusal {
                    fault,
                    model: &self.question.model,
                    wait,
                    tokens: (self.input, self.faults.context_tokens),
                    rpm: self.faults.rpm,
                };
                let (status, headers, body) = self.vendor.refuse(&refusal);
                // Who is refused hears it at once; what breaks, breaks half-way.
                let after = scaled(if status >= 500 { latency / 2.0 } else { 0.0 });
                let ending = Ending { outcome: label, status, bill: None, good: false };
                let body = match fault {
                    Fault::BadGateway => {
                        "<html><head><title>502 Bad Gateway</title></head><body>502</body></html>".into()
                    }
                    _ => body.to_string().into(),
                };
                Plan { after, status, headers, body, ending, cut: Cut::Nowhere }
            }
        }
    }

    /// The words of an answer, and why it ends.
    fn text(&self, fault: Option<Fault>) -> (String, Stop) {
        match fault {
            Some(Fault::Blocked) => return (String::new(), Stop::Blocked),
            Some(Fault::Recitation) => return (String::new(), Stop::Recitation),
            Some(Fault::Empty) => return (String::new(), Stop::End),
            Some(Fault::Refusal) => return ("I'm sorry, but I can't help with that.".into(), Stop::Refusal),
            Some(Fault::OutputSafety) if self.vendor == Vendor::Gemini => {
                return (String::new(), Stop::Safety);
            }
            _ => {}
        }
        // Who asks without a schema gets an empty object: nothing is known of what is wanted.
        let complaint = match self.question.turns.as_slice() {
            [_, .., complaint] => complaint,
            _ => "",
        };
        let answered = |schema: &Value| answer(&told(schema, complaint), self.document);
        let mut answer = self.schema.as_ref().map_or_else(|| json!({}), answered);
        let of = &self.circumstances;
        let mut dice = Dice::new(of.seed).with("spoil").and(of.prompt).and(of.nth.into());
        match fault {
            Some(Fault::WrongLanguage) => spoil::other_language(&mut answer, self.document.language()),
            Some(Fault::SchemaViolation) => spoil::violate(&mut answer, &mut dice),
            Some(Fault::Hallucinated) => {
                spoil::hallucinate(&mut answer, &mut dice);
            }
            _ => {}
        }
        let mut text = answer.to_string();
        let cut = |text: &mut String, bytes: usize| text.truncate(text.floor_char_boundary(bytes));
        match fault {
            Some(Fault::Malformed(how)) => text = spoil::malformed(&text, how),
            Some(Fault::MaxTokens) => {
                let half = text.len() / 2;
                cut(&mut text, half);
                return (text, Stop::MaxTokens);
            }
            Some(Fault::OutputSafety) => {
                let third = text.len() / 3;
                cut(&mut text, third);
                return (text, Stop::Safety);
            }
            _ => {}
        }
        let room = self.question.max_output.map(|room| room.saturating_sub(self.thoughts()));
        if let Some(room) = room.filter(|room| count(text.len()) > *room) {
            cut(&mut text, usize::try_from(room * 4).unwrap_or(usize::MAX));
            return (text, Stop::MaxTokens);
        }
        (text, Stop::End)
    }

    fn thoughts(&self) -> u64 {
        self.faults.thought_tokens.min(self.question.max_thoughts.unwrap_or(u64::MAX))
    }

    fn answered(&self, text: &str, stop: Stop, outcome: String) -> Plan {
        let question = self.question;
        let of = &self.circumstances;
        let hit = self.known.prefix_seen
            && question.cacheable
            && self.prefix_tokens >= self.faults.cache_min_tokens
            && Dice::new(of.seed).with("cache").with(of.model).and(of.prompt).and(of.nth.into()).share()
                < self.faults.cache_hits;
        let mut usage = Usage {
            input: self.input,
            cached: match (self.kept_tokens, hit) {
                (0, true) => self.prefix_tokens * 9 / 10,
                (kept, _) => kept,
            },
            output: count(text.len()),
            thoughts: if stop == Stop::Blocked { 0 } else { self.thoughts() },
            stored: 0,
        };
        if let Some((input, output)) = self.config.tokens {
            usage = Usage { input, output, ..Usage::default() };
        }
        let answer = Answer {
            model: &question.model,
            id: format!("{:016x}", mix(of.prompt ^ u64::from(of.nth))),
            text,
            stop,
            usage,
            flex: question.flex,
        };
        let (status, headers, body) = self.vendor.answer(&answer);
        let outcome = if outcome == "ok" && stop == Stop::MaxTokens { "max_tokens".into() } else { outcome };
        let bill = (status == 200).then_some(usage);
        let ending = Ending { outcome, status, bill, good: false };
        Plan {
            after: Duration::ZERO,
            status,
            headers,
            body: body.to_string().into(),
            ending,
            cut: Cut::Nowhere,
        }
    }

    fn scripted(&self, reply: Reply) -> Plan {
        let bare = |status: u16, body: String| Plan {
            after: Duration::ZERO,
            status,
            headers: Vec::new(),
            body: body.into(),
            ending: Ending { outcome: format!("error_{status}"), status, bill: None, good: false },
            cut: Cut::Nowhere,
        };
        match reply {
            Reply::Good => self.plan(None, None),
            Reply::Fault(fault) => {
                self.plan(Some(fault), Some(self.faults.rate_limited_s / self.config.time_scale))
            }
            Reply::Text(text) => {
                let mut plan = self.answered(&text, Stop::End, "text".into());
                plan.ending.good = serde_json::from_str::<Value>(&text).is_ok();
                plan
            }
            Reply::Body(body) => {
                let bill = Some(Usage { input: self.input, ..Usage::default() });
                let ending = Ending { outcome: "body".into(), status: 200, bill, good: false };
                Plan { ending, ..bare(200, body.to_string()) }
            }
            Reply::Error(status, body) => bare(status, body.to_string()),
            Reply::After(status, seconds) => {
                Plan { headers: vec![("retry-after", seconds.to_string())], ..bare(status, "{}".into()) }
            }
            Reply::Stall(time) => Plan { after: time, ..bare(503, String::new()) },
        }
    }
}

/// The name of a fault, as in the configuration.
fn label(fault: Fault) -> String {
    match fault {
        Fault::Malformed(_) => "malformed".into(),
        fault => serde_json::to_value(fault)
            .ok()
            .and_then(|name| Some(name.as_str()?.to_owned()))
            .unwrap_or_default(),
    }
}

/// Sends what was planned. The call is settled when the last bytes are taken from here to be written.
fn send(mut call: Call, plan: Plan) -> Response {
    if plan.cut == Cut::Before {
        call.settle();
        // Unwinds the task of this connection, which closes it without a word. Unlike a panic it prints nothing.
        std::panic::resume_unwind(Box::new("the connection closes before the answer"));
    }
    let (length, mime) =
        (plan.body.len(), if plan.body.starts_with(b"<") { "text/html" } else { "application/json" });
    let mut pieces = vec![Ok(plan.body)];
    if plan.cut == Cut::Within {
        let half = pieces[0].as_ref().map_or(Bytes::new(), |body: &Bytes| body.slice(..body.len() / 2));
        pieces = vec![Err(io::Error::from(io::ErrorKind::ConnectionReset)), Ok(half)];
    }
    let body = futures_util::stream::unfold((call, pieces), async |(mut call, mut pieces)| {
        let piece = pieces.pop()?;
        if piece.is_err() {
            // What was sent so far leaves before the connection closes.
            tokio::task::yield_now().await;
        }
        if pieces.is_empty() {
            call.settle();
        }
        Some((piece, (call, pieces)))
    });
    let mut response = Response::new(Body::from_stream(body));
    *response.status_mut() = StatusCode::from_u16(plan.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
    for (name, value) in plan.headers {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    }
    response
}
