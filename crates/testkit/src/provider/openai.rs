//! OpenAI's chat completions, as many other servers speak it.

use super::faults::Fault;
use super::wire::{Answer, Content, Question, Refusal, Sent, Stop, seconds};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Message {
    role: String,
    content: Option<Content>,
}

#[derive(Deserialize)]
struct Format {
    json_schema: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    schema: Option<Value>,
}

#[derive(Deserialize)]
struct Body {
    model: String,
    messages: Vec<Message>,
    response_format: Option<Format>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    service_tier: Option<String>,
}

pub(super) fn read(body: &[u8]) -> serde_json::Result<Question> {
    let body: Body = serde_json::from_slice(body)?;
    let mut question = Question {
        model: body.model,
        schema: body.response_format.and_then(|format| format.json_schema?.schema),
        max_output: body.max_completion_tokens.or(body.max_tokens),
        flex: body.service_tier.as_deref() == Some("flex"),
        cacheable: true,
        ..Question::default()
    };
    for message in body.messages {
        let text = message.content.map(Content::text).unwrap_or_default();
        match message.role.as_str() {
            "system" | "developer" => question.system.push_str(&text),
            _ => question.turns.push(text),
        }
    }
    Ok(question)
}

pub(super) fn answer(answer: &Answer<'_>) -> Sent {
    if answer.stop == Stop::Blocked {
        let message = "The response was filtered due to the prompt triggering our content management policy.";
        return error(400, "invalid_request_error", "content_filter", message.into(), vec![]);
    }
    let text = Some(answer.text).filter(|text| !text.is_empty());
    let (content, refusal) = if answer.stop == Stop::Refusal { (None, text) } else { (text, None) };
    let reason = match answer.stop {
        Stop::End | Stop::Refusal | Stop::Blocked => "stop",
        Stop::MaxTokens => "length",
        Stop::Safety | Stop::Recitation => "content_filter",
    };
    let usage = answer.usage;
    let output = usage.output + usage.thoughts;
    let body = json!({
        "id": format!("chatcmpl-{}", answer.id), "object": "chat.completion", "created": 1_790_000_000_u64, "model": answer.model,
        "choices": [{ "index": 0, "finish_reason": reason, "logprobs": null,
            "message": { "role": "assistant", "content": content, "refusal": refusal } }],
        "usage": { "prompt_tokens": usage.input, "completion_tokens": output, "total_tokens": usage.input + output,
            "prompt_tokens_details": { "cached_tokens": usage.cached },
            "completion_tokens_details": { "reasoning_tokens": usage.thoughts } },
        "service_tier": if answer.flex { "flex" } else { "default" },
    });
    (200, vec![("x-request-id", format!("req_{}", answer.id))], body)
}

pub(super) fn refuse(refusal: &Refusal<'_>) -> Sent {
    let (sent, allowed) = refusal.tokens;
    let model = refusal.model;
    let invalid = "invalid_request_error";
    match refusal.fault {
        Fault::RateLimited | Fault::RateLimitedPlain => {
            let told = refusal.wait.map(|wait| {
                vec![
                    ("retry-after", seconds(wait)),
                    ("retry-after-ms", format!("{:.0}", (wait * 1000.0).ceil())),
                ]
            });
            error(
                429,
                "requests",
                "rate_limit_exceeded",
                format!("Rate limit reached for {model}."),
                told.unwrap_or_default(),
            )
        }
        Fault::DayQuota => {
            let message = "You exceeded your current quota, please check your plan and billing details.";
            error(429, "insufficient_quota", "insufficient_quota", message.into(), vec![])
        }
        Fault::Internal => error(
            500,
            "server_error",
            "server_error",
            "The server had an error while processing your request.".into(),
            vec![],
        ),
        Fault::BadGateway => error(502, "server_error", "bad_gateway", "Bad gateway".into(), vec![]),
        Fault::Overloaded => error(529, "server_error", "overloaded", "Overloaded".into(), vec![]),
        Fault::NoModel => error(
            404,
            invalid,
            "model_not_found",
            format!("The model `{model}` does not exist or you do not have access to it."),
            vec![],
        ),
        Fault::InvalidKey => {
            error(401, invalid, "invalid_api_key", "Incorrect API key provided.".into(), vec![])
        }
        Fault::ContextTooLong => {
            let message = format!(
                "This model's maximum context length is {allowed} tokens. However, your messages resulted in {sent} tokens."
            );
            error(400, invalid, "context_length_exceeded", message, vec![])
        }
        Fault::SchemaTooComplex => error(
            400,
            invalid,
            "invalid_schema",
            "Invalid schema for response_format 'report': too deep or too large.".into(),
            vec![],
        ),
        Fault::Invalid => {
            error(400, invalid, "invalid_value", "Invalid value for 'messages'.".into(), vec![])
        }
        _ => error(
            503,
            "server_error",
            "service_unavailable",
            "The engine is currently overloaded, please try again later.".into(),
            vec![],
        ),
    }
}

fn error(status: u16, kind: &str, code: &str, message: String, headers: Vec<(&'static str, String)>) -> Sent {
    (status, headers, json!({ "error": { "message": message, "type": kind, "param": null, "code": code } }))
}
