//! Names, places and firms that a model finds: a client of a server that speaks as Presidio's analyzer does (`POST
//! /analyze`), whatever model is behind it.
//!
//! It is shown the text as it was before anything was redacted, so it belongs inside the operator's own walls. Its places
//! are counted in code points, ours in bytes.

mod entities;
mod pieces;

use crate::redactor::Found;
use anyhow::{Context as _, ensure};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use millrace_limits::breaker::{Breakers, Gate};
use pieces::{Request, requests};
use reqwest::{StatusCode, Url, header};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// An answer larger than this is not one.
const LARGEST_ANSWER: usize = 8 << 20;
/// A whole document's time: well inside the stage's deadline, so that a policy can still decide what comes of it.
const PATIENCE: Duration = Duration::from_secs(90);
/// Before a request that failed at once is made a second time.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a document waits for a server that did not say.
const WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// What every analyzer speaks.
const FALL_BACK: &str = "en";
const CIRCUIT: &str = "ner";

/// How the server is reached.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// Server with Presidio's `/analyze`, for policies with names = "model"; it sees text before it is redacted
    #[arg(long, env = "MILLRACE_SANITIZATION_NER_URL", hide_env_values = true)]
    pub ner_url: Option<String>,
    /// What you call the model behind it: with another name, documents are redacted anew
    #[arg(long, env = "MILLRACE_SANITIZATION_NER_MODEL", default_value = "")]
    pub ner_model: String,
    /// What scores less is not taken for a name; 0 to 1
    #[arg(long, env = "MILLRACE_SANITIZATION_NER_THRESHOLD", default_value_t = 0.4)]
    pub ner_threshold: f64,
    /// The only entities that it is asked for, as it calls them: PERSON,LOCATION [default: all it knows]
    #[arg(long, env = "MILLRACE_SANITIZATION_NER_ENTITIES", value_delimiter = ',')]
    pub ner_entities: Vec<String>,
    /// How long one request may take
    #[arg(long, env = "MILLRACE_SANITIZATION_NER_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration)]
    pub ner_timeout: Duration,
    /// Requests at once
    #[arg(long, env = "MILLRACE_SANITIZATION_NER_AT_ONCE", default_value_t = 4)]
    pub ner_at_once: usize,
    /// Most text of one request, bytes; longer documents are cut between paragraphs
    #[arg(long, env = "MILLRACE_SANITIZATION_NER_LARGEST", default_value_t = 20_000)]
    pub ner_largest: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ner_url: None,
            ner_model: String::new(),
            ner_threshold: 0.4,
            ner_entities: Vec::new(),
            ner_timeout: Duration::from_secs(10),
            ner_at_once: 4,
            ner_largest: 20_000,
        }
    }
}

/// The client.
pub struct Ner {
    client: reqwest::Client,
    url: Url,
    settings: Settings,
    seats: Semaphore,
    breakers: Breakers,
}

/// Why there is no answer. Never text of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// For people.
    pub message: String,
    /// When it is worth asking again; `None` if what came back makes it doubtful that it ever is.
    pub retry_after: Option<Duration>,
}

/// What is asked.
#[derive(Serialize)]
struct Question<'a> {
    text: &'a str,
    language: &'a str,
    score_threshold: f64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    entities: &'a [String],
}

/// One thing in an answer.
#[derive(Deserialize)]
struct Entity {
    entity_type: String,
    start: usize,
    end: usize,
    score: f64,
}

/// How one request failed.
enum Failed {
    /// The server has no model for the language.
    Language,
    /// Worth a second try at once.
    Passing(Fault),
    Otherwise(Fault),
}

impl Ner {
    /// A client, if there is a server to ask.
    ///
    /// # Errors
    /// If a setting cannot work.
    pub fn new(settings: Settings) -> anyhow::Result<Option<Self>> {
        let Some(url) = settings.ner_url.as_deref().map(str::trim).filter(|url| !url.is_empty()) else {
            return Ok(None);
        };
        let url = url.trim_end_matches('/');
        let url = if url.ends_with("/analyze") { url.to_owned() } else { format!("{url}/analyze") };
        // The URL itself may hold a password.
        let url = Url::parse(&url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.context("MILLRACE_SANITIZATION_NER_URL is no http or https URL")?;
        ensure!(
            (0.0..=1.0).contains(&settings.ner_threshold),
            "MILLRACE_SANITIZATION_NER_THRESHOLD is not from 0 to 1"
        );
        ensure!(settings.ner_at_once > 0, "MILLRACE_SANITIZATION_NER_AT_ONCE is 0");
        ensure!(settings.ner_largest >= 500, "MILLRACE_SANITIZATION_NER_LARGEST is less than 500");
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(3).min(settings.ner_timeout))
            .timeout(settings.ner_timeout)
            // A redirect would carry the text to somebody else.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!("millrace/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let seats = Semaphore::new(settings.ner_at_once.min(Semaphore::MAX_PERMITS));
        Ok(Some(Self { client, url, settings, seats, breakers: Breakers::default() }))
    }

    /// All that shapes its answers, as far as we know.
    pub fn shape(&self) -> String {
        let Settings { ner_model, ner_threshold, ner_entities, ner_largest, .. } = &self.settings;
        let url = self.url.origin().ascii_serialization() + self.url.path();
        format!("{url} {ner_model:?} {ner_threshold} {} {ner_largest}", ner_entities.join(","))
    }

    /// What it finds in each of these pieces of one document.
    ///
    /// # Errors
    /// If it does not answer for all of them, or not as it should.
    pub async fn find(&self, pieces: &[&str], language: &str) -> Result<Vec<Vec<Found>>, Fault> {
        let whole = self.find_all(pieces, language);
        match tokio::time::timeout(PATIENCE, whole).await {
            Ok(found) => found,
            Err(_) => {
                self.breakers.tell(CIRCUIT, false, Instant::now());
                Err(waiting(format!("the document as a whole was not answered for within {PATIENCE:?}")))
            }
        }
    }

    async fn find_all(&self, pieces: &[&str], language: &str) -> Result<Vec<Vec<Found>>, Fault> {
        let mut found = vec![Vec::new(); pieces.len()];
        let mut requests = requests(pieces, self.settings.ner_largest).into_iter();
        let Some(first) = requests.next() else { return Ok(found) };
        // The first one tells whether the server speaks the document's language.
        let wanted = if language.len() == 2 { language } else { FALL_BACK };
        let (language, entities) = match self.ask(&first, wanted).await? {
            Some(entities) => (wanted, entities),
            None => {
                tracing::info!(
                    language,
                    "the plug-in that finds names has no model for the language; asked in English"
                );
                let no_english = || doubtful("it has no model for English either".to_owned());
                (FALL_BACK, self.ask(&first, FALL_BACK).await?.ok_or_else(no_english)?)
            }
        };
        first.place(&entities, &mut found);
        let others = stream::iter(requests).map(|request| async move {
            let no_more = || doubtful("it has no model for a language that it had one for".to_owned());
            let entities = self.ask(&request, language).await?.ok_or_else(no_more)?;
            Ok::<_, Fault>((request, entities))
        });
        let mut others = others.buffered(self.settings.ner_at_once);
        while let Some((request, entities)) = others.try_next().await? {
            request.place(&entities, &mut found);
        }
        Ok(found)
    }

    /// One request, made twice where that may help. `None`: the server has no model for the language.
    async fn ask(&self, request: &Request, language: &str) -> Result<Option<Vec<Found>>, Fault> {
        let _seat = self.seats.acquire().await;
        for again in [true, false] {
            if let Gate::Open(pause) = self.breakers.gate(CIRCUIT, Instant::now()) {
                let message = "it has failed again and again, and is left alone for a while".to_owned();
                return Err(Fault { message, retry_after: Some(pause) });
            }
            let answer = self.once(&request.text, language).await;
            let there = matches!(answer, Ok(_) | Err(Failed::Language));
            self.breakers.tell(CIRCUIT, there, Instant::now());
            match answer {
                Ok(found) => return Ok(Some(found)),
                Err(Failed::Language) => return Ok(None),
                Err(Failed::Passing(_)) if again => tokio::time::sleep(PAUSE).await,
                Err(Failed::Passing(fault) | Failed::Otherwise(fault)) => return Err(fault),
            }
        }
        Err(waiting("it does not answer".to_owned()))
    }

    async fn once(&self, text: &str, language: &str) -> Result<Vec<Found>, Failed> {
        let Settings { ner_threshold: score_threshold, ner_entities: entities, .. } = &self.settings;
        let question = Question { text, language, score_threshold: *score_threshold, entities };
        let sent = self.client.post(self.url.clone()).json(&question).send().await;
        let response = sent.map_err(|error| transport(&error))?;
        let (status, retry_after) = (response.status(), retry_after(response.headers()));
        let body = body(response).await?;
        if !status.is_success() {
            return Err(refused(status, retry_after, &body));
        }
        let entities: Vec<Entity> = serde_json::from_slice(&body).map_err(|_| {
            Failed::Otherwise(doubtful("its answer is no list of entities in JSON".to_owned()))
        })?;
        // One more than there are characters: where the text ends.
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let mut found = Vec::with_capacity(entities.len());
        for Entity { entity_type, start, end, score } in entities {
            let (Some(from), Some(to)) = (places.get(start), places.get(end).filter(|_| start < end)) else {
                let message = "its answer names places that are not in the text: it must count code points";
                return Err(Failed::Otherwise(doubtful(message.to_owned())));
            };
            if score >= *score_threshold {
                found.push(Found { kind: entities::kind(&entity_type), range: *from..*to });
            }
        }
        Ok(found)
    }
}

/// The body, up to its limit.
async fn body(mut response: reqwest::Response) -> Result<Vec<u8>, Failed> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| transport(&error))? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            let message = format!("its answer is larger than {LARGEST_ANSWER} bytes");
            return Err(Failed::Otherwise(doubtful(message)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What a status that is no success means. Presidio has 500 for everything, a language that it does not know included.
fn refused(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Failed {
    #[derive(Deserialize)]
    struct Told {
        error: String,
    }
    let told = serde_json::from_slice::<Told>(body).map(|told| told.error.to_lowercase()).unwrap_or_default();
    if told.contains("no matching recognizers") || (told.contains("language") && told.contains("support")) {
        return Failed::Language;
    }
    // Not what it says: that may repeat the text.
    let message = format!("it answered with HTTP {}", status.as_u16());
    if status.is_server_error() {
        let wait = retry_after.unwrap_or(WAIT);
        Failed::Passing(Fault { message, retry_after: Some(wait) })
    } else if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT) {
        Failed::Otherwise(Fault { message, retry_after: Some(retry_after.unwrap_or(WAIT)) })
    } else {
        Failed::Otherwise(doubtful(message))
    }
}

fn retry_after(headers: &header::HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

/// In our own words: the error's own hold the URL.
fn transport(error: &reqwest::Error) -> Failed {
    if error.is_connect() {
        Failed::Passing(waiting("it cannot be reached".to_owned()))
    } else if error.is_timeout() {
        Failed::Otherwise(waiting("it does not answer in time".to_owned()))
    } else {
        Failed::Passing(waiting("the connection broke before the answer was whole".to_owned()))
    }
}

fn waiting(message: String) -> Fault {
    Fault { message, retry_after: Some(WAIT) }
}

fn doubtful(message: String) -> Fault {
    Fault { message, retry_after: None }
}
