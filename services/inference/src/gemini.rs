//! Gemini's generateContent over HTTP. Status, headers and body decide the error code; nothing is retried in here.

use crate::provider::{Ask, Provider, Reply};
use anyhow::Context as _;
use millrace_contract::ErrorCode;
use millrace_stage::{BoxFuture, Result, StageError};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// An answer larger than this is not one.
const LARGEST: usize = 8 * 1024 * 1024;
/// A provider that wants to be left alone longer than this means its daily quota, not its rate limit.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// How to reach Gemini.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// Base URL of the Gemini API
    #[arg(long, env = "GEMINI_BASE_URL", default_value = "https://generativelanguage.googleapis.com")]
    gemini_base_url: String,
    /// API key; better in a file
    #[arg(long, env = "GEMINI_API_KEY", hide_env_values = true)]
    gemini_api_key: Option<String>,
    /// File that holds the API key
    #[arg(long, env = "GEMINI_API_KEY_FILE")]
    gemini_api_key_file: Option<PathBuf>,
    /// How long one call may take
    #[arg(long, env = "GEMINI_TIMEOUT", default_value = "120s", value_parser = humantime::parse_duration)]
    gemini_timeout: Duration,
}

impl Settings {
    /// Whether a key is named.
    pub fn has_key(&self) -> bool {
        self.gemini_api_key.as_ref().is_some_and(|key| !key.is_empty()) || self.gemini_api_key_file.is_some()
    }
}

/// The provider.
pub struct Gemini {
    http: reqwest::Client,
    base: String,
    key: String,
}

impl Gemini {
    /// A client with the key from the settings.
    ///
    /// # Errors
    /// If there is no key, or its file cannot be read.
    pub fn new(settings: &Settings) -> anyhow::Result<Gemini> {
        let key = match (&settings.gemini_api_key, &settings.gemini_api_key_file) {
            (_, Some(file)) => std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the API key {}", file.display()))?
                .trim()
                .to_owned(),
            (Some(key), None) => key.clone(),
            (None, None) => String::new(),
        };
        anyhow::ensure!(!key.is_empty(), "the provider gemini needs GEMINI_API_KEY or GEMINI_API_KEY_FILE");
        let http = reqwest::Client::builder()
            .timeout(settings.gemini_timeout)
            .connect_timeout(Duration::from_secs(5))
            // A redirect would carry the document to somebody else.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Gemini { http, base: settings.gemini_base_url.trim_end_matches('/').to_owned(), key })
    }

    async fn call(&self, ask: &Ask<'_>) -> Result<Reply> {
        let url = format!("{}/v1beta/models/{}:generateContent", self.base, ask.model);
        let body = json!({
            "systemInstruction": { "parts": [{ "text": ask.system }] },
            "contents": [{ "role": "user", "parts": [{ "text": ask.user }] }],
            "generationConfig": {
                "responseMimeType": "application/json",
                "responseJsonSchema": ask.schema,
                "maxOutputTokens": ask.max_output_tokens,
            },
        });
        let sent = self.http.post(url).header("x-goog-api-key", &self.key).json(&body).send().await;
        let mut response = sent.map_err(|error| transport(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| transport(&error))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > LARGEST {
                let message = format!("the answer is larger than {LARGEST} bytes");
                return Err(StageError::new(ErrorCode::ProviderOverloaded, message));
            }
        }
        if status == 200 { accepted(&bytes, ask.model) } else { Err(refused(status, &headers, &bytes)) }
    }
}

impl Provider for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn ask<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Reply>> {
        Box::pin(self.call(ask))
    }
}

fn transport(error: &reqwest::Error) -> StageError {
    // `without_url`: the message goes into events, and a URL may hold what it should not.
    if error.is_timeout() {
        StageError::new(ErrorCode::ProviderTimeout, "Gemini did not answer in time")
    } else if error.is_connect() {
        StageError::new(ErrorCode::ProviderUnreachable, "no connection to Gemini")
    } else {
        StageError::new(ErrorCode::ProviderOverloaded, "Gemini broke the connection off")
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Response {
    candidates: Vec<Candidate>,
    prompt_feedback: PromptFeedback,
    usage_metadata: Usage,
    model_version: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Candidate {
    content: Parts,
    // A string, not an enum: new reasons must not make a paid answer unreadable.
    finish_reason: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Parts {
    parts: Vec<Part>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Part {
    text: String,
    thought: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PromptFeedback {
    block_reason: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Usage {
    prompt_token_count: u64,
    candidates_token_count: u64,
    thoughts_token_count: u64,
}

/// HTTP 200 is not yet an answer: it may be a block, a truncation or nothing at all.
fn accepted(bytes: &[u8], model: &str) -> Result<Reply> {
    let Ok(response) = serde_json::from_slice::<Response>(bytes) else {
        return Err(StageError::new(
            ErrorCode::ProviderOverloaded,
            "what came is not Gemini's: a proxy's page, perhaps",
        ));
    };
    if !response.prompt_feedback.block_reason.is_empty() {
        let message = format!("Gemini blocked the prompt: {}", response.prompt_feedback.block_reason);
        return Err(StageError::new(ErrorCode::ContentBlocked, message));
    }
    let Some(candidate) = response.candidates.into_iter().next() else {
        return Err(StageError::new(ErrorCode::ProviderOverloaded, "Gemini's answer has no candidate"));
    };
    match candidate.finish_reason.as_str() {
        "STOP" | "" => {}
        "MAX_TOKENS" => {
            return Err(StageError::new(
                ErrorCode::AnswerTruncated,
                "the answer reached the profile's max_output_tokens",
            ));
        }
        other => {
            return Err(StageError::new(
                ErrorCode::ContentBlocked,
                format!("Gemini stopped its answer: {other}"),
            ));
        }
    }
    let text: String =
        candidate.content.parts.iter().filter(|part| !part.thought).map(|part| part.text.as_str()).collect();
    if text.trim().is_empty() {
        return Err(StageError::new(ErrorCode::ProviderOverloaded, "Gemini's answer is empty"));
    }
    let usage = response.usage_metadata;
    let model = if response.model_version.is_empty() { model.to_owned() } else { response.model_version };
    Ok(Reply {
        text,
        model,
        input_tokens: usage.prompt_token_count,
        // Thoughts are billed as output and not counted inside it.
        output_tokens: usage.candidates_token_count + usage.thoughts_token_count,
    })
}

/// What an error means, by its body before its status: key errors come as 400, rate limits inside a 500.
fn refused(status: u16, headers: &HeaderMap, bytes: &[u8]) -> StageError {
    let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
    // Streams and some proxies wrap the error in an array.
    let error = if body.is_array() { &body[0]["error"] } else { &body["error"] };
    let code = error["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(status);
    let said = error["message"].as_str().unwrap_or_default();
    let details = error["details"].as_array().cloned().unwrap_or_default();
    let reason = details.iter().find_map(|detail| detail["reason"].as_str()).unwrap_or_default();
    let make = |kind: ErrorCode, what: &str| StageError::new(kind, format!("Gemini: {what} (HTTP {status})"));
    let long = said.contains("exceeds the maximum number of tokens") || said.contains("too long");
    match code {
        400 if reason == "API_KEY_INVALID" => make(ErrorCode::ProviderAuth, "the API key is not valid"),
        400 | 413 if long => make(ErrorCode::ContextTooLong, "the prompt exceeds the model's window"),
        401 | 403 => make(ErrorCode::ProviderAuth, "the API key is not accepted"),
        404 => make(ErrorCode::ModelUnknown, "it does not know the model"),
        429 => make(ErrorCode::ProviderRateLimited, "too many requests").after(told(headers, &details)),
        408 | 504 => make(ErrorCode::ProviderTimeout, "it ran out of time"),
        400..=499 => make(ErrorCode::ProviderRefused, "it calls the request invalid"),
        _ => make(ErrorCode::ProviderOverloaded, "overloaded or failing").after(told(headers, &details)),
    }
}

/// How long to wait, if we were told: RetryInfo, or the header.
fn told(headers: &HeaderMap, details: &[Value]) -> Option<Duration> {
    let info = details.iter().find_map(|detail| detail["retryDelay"].as_str());
    let seconds = info.and_then(|delay| delay.strip_suffix('s')?.parse::<f64>().ok());
    let header = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let wait = match (seconds, header) {
        (Some(seconds), _) => Duration::try_from_secs_f64(seconds).ok()?,
        (None, Some(header)) => match header.parse::<f64>() {
            Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
            Err(_) => http_date(header)?.duration_since(SystemTime::now()).unwrap_or_default(),
        },
        (None, None) => return None,
    };
    Some(wait.min(LONGEST_WAIT))
}

/// `Wed, 21 Oct 2026 07:28:00 GMT`.
fn http_date(text: &str) -> Option<SystemTime> {
    let mut parts = text.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|name| *name == month)? + 1;
    humantime::parse_rfc3339(&format!("{year}-{month:02}-{day:0>2}T{time}Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_as_told() {
        let mut headers = HeaderMap::new();
        assert_eq!(told(&headers, &[]), None);
        headers.insert(RETRY_AFTER, "7".parse().unwrap());
        assert_eq!(told(&headers, &[]), Some(Duration::from_secs(7)));
        let info = json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"});
        assert_eq!(told(&headers, &[info]), Some(Duration::from_secs_f64(34.07)));
        assert_eq!(
            http_date("Wed, 21 Oct 2026 07:28:00 GMT"),
            humantime::parse_rfc3339("2026-10-21T07:28:00Z").ok()
        );
    }

    #[test]
    fn errors_by_body_before_status() {
        let headers = HeaderMap::new();
        let code = |status: u16, body: Value| refused(status, &headers, body.to_string().as_bytes()).code;
        let key = json!({"error": {"code": 400, "details": [{"reason": "API_KEY_INVALID"}]}});
        assert_eq!(code(400, key), ErrorCode::ProviderAuth);
        assert_eq!(code(500, json!({"error": {"code": 429}})), ErrorCode::ProviderRateLimited);
        assert_eq!(
            code(400, json!([{"error": {"code": 400, "message": "bad"}}])),
            ErrorCode::ProviderRefused
        );
        assert_eq!(code(503, json!("overloaded")), ErrorCode::ProviderOverloaded);
        assert_eq!(code(404, json!({})), ErrorCode::ModelUnknown);
        assert_eq!(code(422, json!({})), ErrorCode::ProviderRefused);
    }

    #[test]
    fn a_200_may_be_no_answer() {
        let code = |body: Value| accepted(body.to_string().as_bytes(), "m").map_err(|error| error.code);
        let blocked = json!({"promptFeedback": {"blockReason": "SAFETY"}});
        assert_eq!(code(blocked), Err(ErrorCode::ContentBlocked));
        let cut = json!({"candidates": [{"finishReason": "MAX_TOKENS"}]});
        assert_eq!(code(cut), Err(ErrorCode::AnswerTruncated));
        let recited = json!({"candidates": [{"finishReason": "RECITATION"}]});
        assert_eq!(code(recited), Err(ErrorCode::ContentBlocked));
        assert_eq!(code(json!({"candidates": []})), Err(ErrorCode::ProviderOverloaded));
        assert_eq!(accepted(b"<html>", "m").unwrap_err().code, ErrorCode::ProviderOverloaded);
        let good = json!({
            "candidates": [{"finishReason": "STOP", "content": {"parts": [
                {"text": "thinking", "thought": true}, {"text": "{\"a\""}, {"text": ":1}"}]}}],
            "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 3, "thoughtsTokenCount": 4}
        });
        let reply = code(good).unwrap();
        assert_eq!((reply.text.as_str(), reply.input_tokens, reply.output_tokens), ("{\"a\":1}", 10, 7));
    }
}
