//! Errors that are said as such: a status from 400 on, or an error inside a 200.

use crate::server::Scripted;
use crate::{Row, row};
use millrace_contract::ErrorCode as Code;
use millrace_provider::Vendor::{Anthropic, Gemini, OpenAi};
use serde_json::{Value, json};
use std::time::Duration;

fn google(code: u16, status: &str, message: &str, details: Value) -> Scripted {
    let error =
        json!({ "error": { "code": code, "message": message, "status": status, "details": details } });
    Scripted::json(code, error)
}

fn openai(status: u16, kind: &str, code: Value, message: &str) -> Scripted {
    let error = json!({ "error": { "message": message, "type": kind, "param": null, "code": code } });
    Scripted::json(status, error)
}

fn anthropic(status: u16, kind: &str, message: &str) -> Scripted {
    let error = json!({ "type": "error", "error": { "type": kind, "message": message }, "request_id": "r" });
    Scripted::json(status, error)
}

fn quota(id: &str) -> Value {
    json!({ "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{ "quotaId": id }] })
}

fn delay(text: &str) -> Value {
    json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": text })
}

fn reason(text: &str) -> Value {
    json!({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": text })
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub fn rows() -> Vec<Row> {
    [of_gemini(), of_openai(), of_compatible_servers(), of_anthropic(), of_proxies()]
        .into_iter()
        .flatten()
        .collect()
}

#[rustfmt::skip]
fn of_gemini() -> Vec<Row> {
    let none = || json!([]);
    let daily = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier");
    let minute = quota("GenerateRequestsPerMinutePerProjectPerModel");
    let g = |what, scripted, code| row(Gemini, what, scripted, code);
    vec![
        g("overloaded", google(503, "UNAVAILABLE", "The model is overloaded. LEAK", none()), Code::ProviderOverloaded),
        g("internal", google(500, "INTERNAL", "An internal error has occurred", none()), Code::ProviderOverloaded),
        g("cancelled", google(499, "CANCELLED", "The operation was cancelled", none()), Code::ProviderOverloaded),
        g("deadline", google(504, "DEADLINE_EXCEEDED", "Deadline expired", none()), Code::ProviderTimeout).maybe_billed(),
        g("rate", google(429, "RESOURCE_EXHAUSTED", "Quota exceeded", json!([minute, delay("34.07s")])), Code::ProviderRateLimited)
            .after(ms(34_070)),
        g("rate, in words", google(429, "RESOURCE_EXHAUSTED", "Please retry in 58.5s.", none()), Code::ProviderRateLimited)
            .after(ms(58_500)),
        g("rate, nothing said", google(429, "RESOURCE_EXHAUSTED", "Resource exhausted", Value::Null), Code::ProviderRateLimited),
        g("rate, just not a quota", google(429, "RESOURCE_EXHAUSTED", "x", json!([delay("300s")])), Code::ProviderRateLimited)
            .after(ms(300_000)),
        g("rate, inside a 500", Scripted { status: 500, ..google(429, "RESOURCE_EXHAUSTED", "x", json!([delay("7s")])) }, Code::ProviderRateLimited)
            .after(ms(7_000)),
        g("rate, inside a 503 of few words", Scripted::json(503, json!({ "error": { "code": 429 } })), Code::ProviderRateLimited),
        g("daily quota", google(429, "RESOURCE_EXHAUSTED", "x", json!([daily, delay("12s")])), Code::ProviderQuota).after(ms(12_000)),
        g("quota by another name", google(429, "RESOURCE_EXHAUSTED", "x", json!([quota("DailyTokens")])), Code::ProviderQuota),
        g("quota by its delay", google(429, "RESOURCE_EXHAUSTED", "x", json!([minute, delay("300.5s")])), Code::ProviderQuota)
            .after(ms(300_500)),
        g("quota by its reason", google(429, "RESOURCE_EXHAUSTED", "x", json!([reason("QUOTA_EXHAUSTED")])), Code::ProviderQuota),
        g("key, as a 400", google(400, "INVALID_ARGUMENT", "API key not valid.", json!([reason("API_KEY_INVALID")])), Code::ProviderAuth),
        g("key, in an array", array(google(400, "INVALID_ARGUMENT", "API key expired.", none())), Code::ProviderAuth),
        g("no permission", google(403, "PERMISSION_DENIED", "x", none()), Code::ProviderAuth),
        g("not in your country", google(400, "FAILED_PRECONDITION", "User location is not supported", none()), Code::ProviderAuth),
        g("no such model", google(404, "NOT_FOUND", "models/x is not found", none()), Code::ModelUnknown),
        g("invalid", google(400, "INVALID_ARGUMENT", "Invalid value at 'contents' LEAK", none()), Code::ProviderRefused),
        g("unknown 4xx", Scripted::json(418, json!({})), Code::ProviderRefused),
        g("unknown 5xx", Scripted::json(599, json!("?")), Code::ProviderOverloaded),
        g("schema, too many states", google(400, "INVALID_ARGUMENT", "The specified schema produces a constraint that has too many states for serving.", none()), Code::SchemaTooComplex),
        g("schema, unknown name", google(400, "INVALID_ARGUMENT", "Unknown name \"x\" at 'generation_config.response_schema'", none()), Code::SchemaTooComplex),
        g("context", google(400, "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", none()), Code::ContextTooLong),
        g("schema, too deep", google(400, "INVALID_ARGUMENT", "A schema in GenerationConfig in the request exceeds the maximum allowed nesting depth.", none()), Code::SchemaTooComplex),
        g("quota by its words", google(429, "RESOURCE_EXHAUSTED", "Quota exceeded, limit: 20. Please retry in 2h47m56.5s.", none()), Code::ProviderQuota)
            .after(ms(10_076_500)),
        g("context, as a 500", google(500, "INTERNAL", "Your input context is too long.", none()), Code::ContextTooLong),
        g("blocked, as a 400", google(400, "INVALID_ARGUMENT", "Blocked: PROHIBITED_CONTENT", none()), Code::ContentBlocked),
    ]
}

fn array(scripted: Scripted) -> Scripted {
    let error: Value = serde_json::from_slice(&scripted.body).unwrap();
    Scripted { body: json!([error]).to_string().into_bytes(), ..scripted }
}

#[rustfmt::skip]
fn of_openai() -> Vec<Row> {
    let o = |what, scripted, code| row(OpenAi, what, scripted, code);
    let bad = "invalid_request_error";
    let rate = || openai(429, "requests", json!("rate_limit_exceeded"), "Rate limit reached. Please try again in 20ms.");
    vec![
        o("server error", openai(500, "server_error", Value::Null, "The server had an error"), Code::ProviderOverloaded),
        o("overloaded", openai(503, "server_error", Value::Null, "x"), Code::ProviderOverloaded),
        o("no room in flex", openai(429, "x", json!("resource_unavailable"), "x"), Code::ProviderOverloaded),
        o("conflict", openai(409, "x", Value::Null, "x"), Code::ProviderOverloaded),
        o("timeout", openai(408, "x", Value::Null, "x"), Code::ProviderTimeout).maybe_billed(),
        o("rate, in words", rate(), Code::ProviderRateLimited).after(ms(20)),
        o("rate, in milliseconds", rate().with("retry-after-ms", "1500").with("retry-after", "2"), Code::ProviderRateLimited).after(ms(1_500)),
        o("rate, in seconds", rate().with("retry-after", "2.25"), Code::ProviderRateLimited).after(ms(2_250)),
        o("rate, as a date", rate().with("date", "Wed, 21 Oct 2026 07:28:00 GMT").with("retry-after", "Wed, 21 Oct 2026 07:29:00 GMT"), Code::ProviderRateLimited)
            .after(ms(60_000)),
        o("quota", openai(429, "insufficient_quota", json!("insufficient_quota"), "You exceeded your current quota LEAK"), Code::ProviderQuota),
        o("quota, do not retry", rate().with("x-should-retry", "false"), Code::ProviderQuota).after(ms(20)),
        o("quota, no balance", openai(402, "x", Value::Null, "Insufficient Balance"), Code::ProviderQuota),
        o("key", openai(401, bad, json!("invalid_api_key"), "Incorrect API key provided: sk-LEAK"), Code::ProviderAuth),
        o("no permission", openai(403, bad, Value::Null, "x"), Code::ProviderAuth),
        o("no such model", openai(404, bad, json!("model_not_found"), "The model `x` does not exist"), Code::ModelUnknown),
        o("no such model, as a 400", openai(400, bad, json!("model_not_found"), "x"), Code::ModelUnknown),
        o("invalid", openai(400, bad, Value::Null, "Unsupported parameter: LEAK"), Code::ProviderRefused),
        o("unprocessable", openai(422, bad, Value::Null, "x"), Code::ProviderRefused),
        o("invalid, and yet retry", openai(400, bad, Value::Null, "x").with("x-should-retry", "true"), Code::ProviderOverloaded),
        o("failed, do not retry", openai(500, "server_error", Value::Null, "x").with("x-should-retry", "false"), Code::ProviderRefused),
        o("schema", openai(400, bad, Value::Null, "Invalid schema for response_format 'answer': 6 levels of nesting exceeds limit of 5"), Code::SchemaTooComplex),
        o("context", openai(400, bad, json!("context_length_exceeded"), "x"), Code::ContextTooLong),
        o("context, as a rate", openai(429, "tokens", json!("rate_limit_exceeded"), "Request too large for gpt on tokens per min"), Code::ContextTooLong),
        o("prompt filtered", openai(400, bad, json!("content_filter"), "The response was filtered"), Code::ContentBlocked),
        o("prompt against the policy", openai(400, bad, json!("content_policy_violation"), "x"), Code::ContentBlocked),
    ]
}

#[rustfmt::skip]
fn of_compatible_servers() -> Vec<Row> {
    let o = |what, scripted, code| row(OpenAi, what, scripted, code);
    let vllm = json!({ "object": "error", "message": "This model's maximum context length is 4096 tokens.", "type": "BadRequestError", "code": 400 });
    let llama = json!({ "error": { "code": 400, "message": "the request exceeds the available context size", "type": "exceed_context_size_error" } });
    let grammar = json!({ "error": { "code": 400, "message": "Failed to parse grammar", "type": "invalid_request_error" } });
    vec![
        o("vLLM: context", Scripted::json(400, vllm), Code::ContextTooLong),
        o("vLLM: context, newer", openai(400, "BadRequestError", json!(400), "The decoder prompt (length 8357) is longer than the maximum model length of 8192."), Code::ContextTooLong),
        o("vLLM: schema", openai(400, "BadRequestError", json!(400), "The provided JSON schema contains features not supported by xgrammar."), Code::SchemaTooComplex),
        o("vLLM: wrong path", Scripted::json(404, json!({ "detail": "Not Found" })), Code::ModelUnknown),
        o("llama.cpp: context", Scripted::json(400, llama), Code::ContextTooLong),
        o("llama.cpp: schema", Scripted::json(400, grammar), Code::SchemaTooComplex),
        o("llama.cpp: loading", openai(503, "unavailable_error", json!(503), "Loading model"), Code::ProviderOverloaded),
        o("Ollama: context", Scripted::json(400, json!({ "error": "the input length exceeds the context length" })), Code::ContextTooLong),
        o("Ollama: context, as a 500", Scripted::json(500, json!({ "error": "the input length exceeds the context length" })), Code::ContextTooLong),
        o("Ollama: no such model", openai(404, "api_error", Value::Null, "model 'x' not found, try pulling it first"), Code::ModelUnknown),
        o("LiteLLM: context", openai(400, "", Value::Null, "litellm.ContextWindowExceededError: x"), Code::ContextTooLong),
        o("gateway: a rate inside a 200", Scripted::json(200, json!({ "error": { "code": 429, "message": "Provider returned error" } })), Code::ProviderRateLimited),
        o("gateway: a failure inside a 200", Scripted::json(200, json!({ "error": { "message": "x" } })), Code::ProviderOverloaded),
        o("gateway: an error in the error's words", openai(400, "Bad Request", json!(400), "{\"error\": {\"code\": 400, \"message\": \"The input token count exceeds the maximum number of tokens allowed\"}}"), Code::ContextTooLong),
        o("gateway: a number in words", openai(500, "x", json!("429"), "x"), Code::ProviderRateLimited),
        o("gateway: moderation", openai(403, "x", json!(403), "Your input was flagged"), Code::ContentBlocked),
    ]
}

#[rustfmt::skip]
fn of_anthropic() -> Vec<Row> {
    let a = |what, scripted, code| row(Anthropic, what, scripted, code);
    let bad = "invalid_request_error";
    vec![
        a("overloaded", anthropic(529, "overloaded_error", "Overloaded"), Code::ProviderOverloaded),
        a("internal", anthropic(500, "api_error", "Internal server error"), Code::ProviderOverloaded),
        a("timeout", anthropic(504, "timeout_error", "x"), Code::ProviderTimeout).maybe_billed(),
        a("rate", anthropic(429, "rate_limit_error", "x").with("retry-after", "12"), Code::ProviderRateLimited).after(ms(12_000)),
        a("quota, by its delay", anthropic(429, "rate_limit_error", "x").with("retry-after", "3600"), Code::ProviderQuota).after(ms(3_600_000)),
        a("bill", anthropic(402, "billing_error", "x"), Code::ProviderQuota),
        a("bill, as a 403", anthropic(403, "billing_error", "x"), Code::ProviderQuota),
        a("bill, as a 400", anthropic(400, bad, "Your credit balance is too low to access the Anthropic API."), Code::ProviderQuota),
        a("key", anthropic(401, "authentication_error", "invalid x-api-key"), Code::ProviderAuth),
        a("no permission", anthropic(403, "permission_error", "x"), Code::ProviderAuth),
        a("no such model", anthropic(404, "not_found_error", "model: x"), Code::ModelUnknown),
        a("invalid", anthropic(400, bad, "messages: LEAK"), Code::ProviderRefused),
        a("schema", anthropic(400, bad, "output_config.format.schema: Schema is too complex."), Code::SchemaTooComplex),
        a("context", anthropic(400, bad, "prompt is too long: 208310 tokens > 200000 maximum"), Code::ContextTooLong),
        a("schema, too many unions", anthropic(400, bad, "Schemas contains too many parameters with union types (24 parameters with type arrays or anyOf), limit: 16"), Code::SchemaTooComplex),
        a("schema, too many optional", anthropic(400, bad, "Schemas contains too many optional parameters (87), limit: 24"), Code::SchemaTooComplex),
        a("schema, too large", anthropic(400, bad, "The compiled grammar is too large, which would cause performance issues."), Code::SchemaTooComplex),
        a("effort is no schema", anthropic(400, bad, "output_config.effort: not supported by this model"), Code::ProviderRefused),
        a("context, with the answer", anthropic(400, bad, "input length and `max_tokens` exceed context limit: 178902 + 32000 > 200000"), Code::ContextTooLong),
        a("context, by bytes", anthropic(413, "request_too_large", "x"), Code::ContextTooLong),
        a("answer filtered", anthropic(400, bad, "Output blocked by content filtering policy"), Code::AnswerBlocked),
    ]
}

/// Who stands between us and the provider; the same whoever the provider is.
#[rustfmt::skip]
fn of_proxies() -> Vec<Row> {
    let html = "<html>LEAK</html>";
    // Would be one from any of the three.
    let answer = r#"{"candidates": [{"content": {"parts": [{"text": "{}"}]}}], "choices": [{"message": {"content": "{}"}}],
                     "content": [{"type": "text", "text": "{}"}]}"#;
    let half = "{\"candidates\": [{\"content\"";
    let mut rows = Vec::new();
    for vendor in [Gemini, OpenAi, Anthropic] {
        let p = |what, status, kind, body, code| row(vendor, what, Scripted::page(status, kind, body), code);
        rows.extend([
            p("a page", 200, "text/html; charset=utf-8", html, Code::ProviderForeign).maybe_billed(),
            p("a page that says JSON", 200, "application/json", html, Code::ProviderForeign).maybe_billed(),
            p("half a body", 200, "application/json", half, Code::ProviderForeign).maybe_billed(),
            p("a number", 200, "application/json", "42", Code::ProviderForeign).maybe_billed(),
            p("JSON of something else", 200, "application/json", "{\"status\": \"ok\"}", Code::ProviderForeign).maybe_billed(),
            p("an answer that says it is text", 200, "text/plain", answer, Code::ProviderForeign).maybe_billed(),
            p("accepted", 202, "application/json", "{}", Code::ProviderForeign).maybe_billed(),
            p("no content", 204, "application/json", "", Code::ProviderForeign).maybe_billed(),
            p("a page with a 403", 403, "text/html", html, Code::ProviderForeign),
            p("a page with a 404", 404, "text/html", html, Code::ProviderForeign),
            p("a proxy's password", 407, "text/html", html, Code::ProviderForeign),
            p("a page with a 429", 429, "text/html", html, Code::ProviderRateLimited),
            p("a page with a 413", 413, "text/html", html, Code::ContextTooLong),
            p("a page with a 502", 502, "text/html", html, Code::ProviderOverloaded),
            p("a page with a 504", 504, "text/html", html, Code::ProviderTimeout).maybe_billed(),
        ]);
    }
    rows
}
