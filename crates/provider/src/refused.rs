//! What an error reply means. The three vendors share this, because gateways speak one vendor's format and pass on
//! another's words. The body decides before the status: key errors come as 400, rate limits inside a 500, and what is
//! wrong with a request often stands in prose only.

use crate::{Exchange, Failure, Vendor, told, wire};
use millrace_contract::ErrorCode;
use serde_json::Value;
use std::time::Duration;

/// Who wants to be left alone longer than this means a quota of hours or days, not a rate.
const LONGEST_RATE_LIMIT: Duration = Duration::from_secs(300);

/// The status behind a name, for replies whose own status says something else.
const NAMES: &[(&str, u16)] = &[
    ("RESOURCE_EXHAUSTED", 429),
    ("rate_limit_error", 429),
    ("rate_limit_exceeded", 429),
    ("UNAVAILABLE", 503),
    ("overloaded_error", 529),
    ("UNAUTHENTICATED", 401),
    ("authentication_error", 401),
    ("invalid_api_key", 401),
    ("PERMISSION_DENIED", 403),
    ("permission_error", 403),
    // Google's word for "not in your country" and "not without billing": it says nothing about the request.
    ("FAILED_PRECONDITION", 403),
    ("NOT_FOUND", 404),
    ("not_found_error", 404),
    ("model_not_found", 404),
    ("request_too_large", 413),
    ("DEADLINE_EXCEEDED", 504),
    ("timeout_error", 504),
    ("billing_error", 402),
];
/// The key, in words.
const AUTH: &[&str] = &["api key not valid", "api key expired", "incorrect api key"];
/// The bill, in names and words.
const QUOTA: &[&str] =
    &["insufficient_quota", "billing_hard_limit", "billing_not_active", "credit balance is too low"];
/// The context window, in names and words: Gemini, OpenAI and vLLM, llama.cpp, Anthropic, Ollama, LiteLLM.
const CONTEXT: &[&str] = &[
    "exceeds the maximum number of tokens",
    "context_length_exceeded",
    "context length",
    "context window",
    "contextwindowexceeded",
    "available context size",
    "exceed_context_size",
    "exceed context limit",
    "context is too long",
    "prompt is too long",
    "input is too long",
    "maximum model length",
    "reduce the length of",
    "model token limit",
    "string_above_max_length",
    // OpenAI's rate limit per minute, when one request alone is over it: it would never pass.
    "request too large for",
];
/// The schema, in names and words.
const SCHEMA: &[&str] = &[
    "too many states",
    "response_schema",
    "responseschema",
    "response_json_schema",
    "responsejsonschema",
    "response_format",
    "output_config.format",
    "json_schema",
    "json schema",
    "invalid schema",
    "schema is too complex",
    "nesting depth",
    "union types",
    "optional parameters",
    "structured output",
    "grammar",
];
/// The filter before the model, in names and words.
const BLOCKED: &[&str] = &[
    "content_filter",
    "content_policy",
    "content policy",
    "contentpolicyviolation",
    "content management policy",
    "invalid_prompt",
    "prohibited_content",
    "safety system",
    "was flagged",
    "flagged by",
];
/// The filter after the model.
const ANSWER_BLOCKED: &str = "output blocked by content filtering";

/// Whether a body with status 200 is an error all the same.
pub fn holds_error(body: &Value) -> bool {
    let error = &unwrapped(body)["error"];
    error.is_object() || error.as_str().is_some_and(|error| !error.is_empty())
}

/// The failure in an error reply.
pub fn failure(vendor: Vendor, exchange: &Exchange) -> Failure {
    let body: Value = serde_json::from_slice(&exchange.body).unwrap_or_default();
    let said = Said::read(&body, exchange.status);
    let wait = told::wait(exchange, &said.details, &said.message);
    let page = body.is_null() && !wire::is_json(exchange);
    let code = said.meaning(wait, page);
    // A provider that says so knows better than any table.
    let code = match (exchange.headers.get("x-should-retry").map(String::as_str), code) {
        (Some("true"), ErrorCode::ProviderRefused) => ErrorCode::ProviderOverloaded,
        (Some("false"), ErrorCode::ProviderRateLimited) => ErrorCode::ProviderQuota,
        (Some("false"), ErrorCode::ProviderOverloaded | ErrorCode::ProviderTimeout) => {
            ErrorCode::ProviderRefused
        }
        (_, code) => code,
    };
    let message = format!("{vendor}: {} (HTTP {}, {})", phrase(code), exchange.status, said.name());
    let failure = Failure { retry_after: wait, ..Failure::new(code, message) };
    if matches!(said.status, 408 | 504) { failure.maybe_billed() } else { failure }
}

fn phrase(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::ProviderForeign => "a proxy's page came instead of an answer",
        ErrorCode::ProviderAuth => "the key or the account is not accepted",
        ErrorCode::ProviderQuota => "the quota or the balance is used up",
        ErrorCode::ProviderRateLimited => "too many requests",
        ErrorCode::ProviderTimeout => "it ran out of time",
        ErrorCode::ProviderOverloaded => "it is overloaded or failing",
        ErrorCode::ModelUnknown => "it does not know the model, or the base URL is wrong",
        ErrorCode::SchemaTooComplex => "it cannot serve the schema",
        ErrorCode::ContextTooLong => "the prompt does not fit into the model's window",
        ErrorCode::ContentBlocked => "it blocked the prompt",
        ErrorCode::AnswerBlocked => "it blocked its own answer",
        _ => "it calls the request invalid",
    }
}

/// Some proxies, and all streams, wrap the error in an array.
fn unwrapped(body: &Value) -> &Value {
    if body.is_array() { &body[0] } else { body }
}

/// An error in one form, whoever wrote it.
struct Said {
    /// As the body says, or else as HTTP says.
    status: u16,
    /// Names: Google's status and reason, OpenAI's code and type, Anthropic's type.
    names: Vec<String>,
    /// Names and prose in lower case, to look for words in.
    words: String,
    message: String,
    details: Vec<Value>,
}

impl Said {
    fn read(body: &Value, http: u16) -> Said {
        let body = unwrapped(body);
        // An object in `error`; a string there (Ollama); or its fields at the top (older vLLM, FastAPI).
        let error = if body["error"].is_object() { &body["error"] } else { body };
        let details = error["details"].as_array().cloned().unwrap_or_default();
        let texts = [&error["message"], &body["error"], &error["detail"]];
        let message = texts.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned();
        let reasons = details.iter().map(|detail| &detail["reason"]);
        let names: Vec<String> = reasons
            .chain([&error["code"], &error["status"], &error["type"]])
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let numbered = number(&error["code"]).and_then(|code| u16::try_from(code).ok());
        let named =
            NAMES.iter().find(|(name, _)| names.iter().any(|said| said == name)).map(|(_, status)| *status);
        // An error inside a 200 that says no more than that is the provider's own.
        let http = if http < 400 { 500 } else { http };
        let status = named.or(numbered.filter(|code| (400..600).contains(code))).unwrap_or(http);
        let words = format!("{} {} {}", names.join(" "), wire::text(error, "param"), message).to_lowercase();
        Said { status, names, words, message, details }
    }

    /// The most telling name.
    fn name(&self) -> &str {
        self.names
            .iter()
            .map(|name| wire::name(name))
            .find(|name| *name != "unnamed")
            .unwrap_or("no reason given")
    }

    fn says(&self, any: &[&str]) -> bool {
        any.iter().any(|word| self.words.contains(word))
    }

    fn meaning(&self, wait: Option<Duration>, page: bool) -> ErrorCode {
        let status = self.status;
        // 500 is where servers put what they did not expect of a request.
        let about_request = matches!(status, 400 | 403 | 413 | 422 | 429 | 500);
        if page && (400..500).contains(&status) && !matches!(status, 402 | 408 | 413 | 429) {
            return ErrorCode::ProviderForeign;
        }
        if self.names.iter().any(|name| name.starts_with("API_KEY_")) || self.says(AUTH) {
            return ErrorCode::ProviderAuth;
        }
        if status == 402 || self.says(QUOTA) {
            return ErrorCode::ProviderQuota;
        }
        if status == 413 || (about_request && self.says(CONTEXT)) {
            return ErrorCode::ContextTooLong;
        }
        if status != 429 && about_request {
            if self.words.contains(ANSWER_BLOCKED) {
                return ErrorCode::AnswerBlocked;
            }
            if self.says(BLOCKED) {
                return ErrorCode::ContentBlocked;
            }
            if self.says(SCHEMA) {
                return ErrorCode::SchemaTooComplex;
            }
        }
        match status {
            401 | 403 => ErrorCode::ProviderAuth,
            404 => ErrorCode::ModelUnknown,
            // A proxy that wants a password of its own.
            407 => ErrorCode::ProviderForeign,
            408 | 504 => ErrorCode::ProviderTimeout,
            // OpenAI's cheaper tier, when there is no room in it.
            429 if self.says(&["resource_unavailable"]) => ErrorCode::ProviderOverloaded,
            429 if self.daily() || wait.is_some_and(|wait| wait > LONGEST_RATE_LIMIT) => {
                ErrorCode::ProviderQuota
            }
            429 => ErrorCode::ProviderRateLimited,
            // A conflict with another request, and a request that Google cancelled: both pass.
            409 | 499 => ErrorCode::ProviderOverloaded,
            400..=499 => ErrorCode::ProviderRefused,
            _ => ErrorCode::ProviderOverloaded,
        }
    }

    fn daily(&self) -> bool {
        let violations = self.details.iter().filter_map(|detail| detail["violations"].as_array()).flatten();
        let mut quotas = violations.map(|violation| wire::text(violation, "quotaId"));
        quotas.any(|quota| quota.contains("PerDay") || quota.contains("Daily"))
            || self.names.iter().any(|name| name == "QUOTA_EXHAUSTED")
    }
}
