//! Anthropic's messages.

use super::faults::Fault;
use super::wire::{Answer, Content, Question, Refusal, Sent, Stop, seconds};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Message {
    content: Content,
}

#[derive(Deserialize)]
struct Output {
    format: Option<Format>,
}

#[derive(Deserialize)]
struct Format {
    schema: Option<Value>,
}

#[derive(Deserialize)]
struct Body {
    model: String,
    max_tokens: u64,
    system: Option<Content>,
    messages: Vec<Message>,
    output_config: Option<Output>,
    cache_control: Option<Value>,
}

pub(super) fn read(body: &[u8]) -> serde_json::Result<Question> {
    let body: Body = serde_json::from_slice(body)?;
    let contents = || body.system.iter().chain(body.messages.iter().map(|message| &message.content));
    let cacheable = body.cache_control.is_some() || contents().any(Content::marked);
    Ok(Question {
        model: body.model,
        schema: body.output_config.and_then(|output| output.format?.schema),
        max_output: Some(body.max_tokens),
        max_thoughts: None,
        flex: false,
        cacheable,
        system: body.system.map(Content::text).unwrap_or_default(),
        turns: body.messages.into_iter().map(|message| message.content.text()).collect(),
        ..Question::default()
    })
}

pub(super) fn answer(answer: &Answer<'_>) -> Value {
    let usage = answer.usage;
    let reason = match answer.stop {
        Stop::End => "end_turn",
        Stop::MaxTokens => "max_tokens",
        Stop::Safety | Stop::Recitation | Stop::Refusal | Stop::Blocked => "refusal",
    };
    let content =
        if answer.text.is_empty() { json!([]) } else { json!([{ "type": "text", "text": answer.text }]) };
    json!({
        "id": format!("msg_{}", answer.id), "type": "message", "role": "assistant", "model": answer.model,
        "content": content, "stop_reason": reason, "stop_sequence": null,
        // Unlike the others, this one does not count cached tokens as input.
        "usage": { "input_tokens": usage.input - usage.cached, "cache_read_input_tokens": usage.cached,
            "cache_creation_input_tokens": 0, "output_tokens": usage.output + usage.thoughts, "service_tier": "standard" },
    })
}

pub(super) fn refuse(refusal: &Refusal<'_>) -> Sent {
    let (sent, allowed) = refusal.tokens;
    let model = refusal.model;
    let mut headers = Vec::new();
    let (status, kind, message) = match refusal.fault {
        Fault::RateLimited | Fault::RateLimitedPlain => {
            headers.extend(refusal.wait.map(|wait| ("retry-after", seconds(wait))));
            (429, "rate_limit_error", "This request would exceed your organization's rate limit.".into())
        }
        Fault::DayQuota => (402, "billing_error", "Your credit balance is too low to access the API.".into()),
        Fault::Internal => (500, "api_error", "Internal server error".into()),
        Fault::BadGateway => (502, "api_error", "Bad gateway".into()),
        Fault::Overloaded => (529, "overloaded_error", "Overloaded".into()),
        Fault::NoModel => (404, "not_found_error", format!("model: {model}")),
        Fault::InvalidKey => (401, "authentication_error", "invalid x-api-key".into()),
        Fault::ContextTooLong => {
            (400, "invalid_request_error", format!("prompt is too long: {sent} tokens > {allowed} maximum"))
        }
        Fault::SchemaTooComplex => {
            (400, "invalid_request_error", "output_config.format.schema: the schema is too complex".into())
        }
        Fault::Invalid => (400, "invalid_request_error", "messages: invalid value".into()),
        _ => (503, "api_error", "Service unavailable".into()),
    };
    let request = format!("req_{:016x}", super::hash::hash(message.as_bytes()));
    (
        status,
        headers,
        json!({ "type": "error", "error": { "type": kind, "message": message }, "request_id": request }),
    )
}
