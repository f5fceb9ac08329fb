//! OpenAI's chat completions, and the many servers that speak them.

use crate::models::{LimitField, Model, SchemaMode, Thinking};
use crate::{Ask, Exchange, Failure, Reply, Request, Shape, Tier, Usage, Vendor, refused, schema, wire};
use millrace_contract::ErrorCode;
use serde_json::{Value, json};

const OPENAI: Vendor = Vendor::OpenAi;

/// Nothing that is not needed: compatible servers refuse what they do not know.
pub fn request(ask: &Ask<'_>) -> Request {
    let system = json!({ "role": "system", "content": ask.system });
    let turns = wire::turns(ask)
        .into_iter()
        .map(|(model, text)| json!({ "role": if model { "assistant" } else { "user" }, "content": text }));
    let mut body = json!({
        "model": ask.model.name,
        "messages": std::iter::once(system).chain(turns).collect::<Value>(),
    });
    match (wire::shape(ask), ask.model.schema) {
        (_, SchemaMode::None) => {}
        (Shape::Json, _) => body["response_format"] = json!({ "type": "json_object" }),
        (shape, _) => {
            body["response_format"] = json!({
                "type": "json_schema",
                "json_schema": {
                    "name": "answer",
                    // Free objects, which the simple shape has, are no part of the strict mode.
                    "strict": shape == Shape::Schema,
                    "schema": schema::lower(ask.schema, OPENAI, shape),
                },
            });
        }
    }
    let limit = match ask.model.limit {
        LimitField::MaxCompletionTokens => "max_completion_tokens",
        LimitField::MaxTokens => "max_tokens",
    };
    body[limit] = wire::limit(ask).into();
    if let (true, Thinking::Effort(effort)) = (ask.think_less, &ask.model.thinking) {
        body["reasoning_effort"] = effort.as_str().into();
    }
    if ask.tier == Tier::Flex && ask.model.flex {
        body["service_tier"] = "flex".into();
    }
    wire::request(OPENAI, "/chat/completions".to_owned(), &body)
}

/// See [`Vendor::read`].
pub fn read(model: &Model, exchange: &Exchange) -> Result<Reply, Failure> {
    if exchange.status >= 400 {
        return Err(refused::failure(OPENAI, exchange));
    }
    let body = wire::body(OPENAI, exchange)?;
    // Some gateways say 200 and then no.
    if refused::holds_error(&body) {
        return Err(refused::failure(OPENAI, exchange));
    }
    let usage = usage(&body["usage"]);
    let Some(choices) = body["choices"].as_array() else { return Err(wire::not_a_reply(OPENAI)) };
    let Some(choice) = choices.first() else { return Err(wire::empty(OPENAI).used(usage)) };
    let message = &choice["message"];
    let (text, mut refusal) = content(&message["content"]);
    refusal |= !wire::text(message, "refusal").is_empty();
    let reason = wire::text(choice, "finish_reason");
    let stopped = |code| Err(wire::stopped(code, OPENAI, reason).used(usage));
    if refusal {
        let message = "the model declined to answer";
        return Err(Failure::new(ErrorCode::AnswerBlocked, message).used(usage));
    }
    let text = without_thoughts(&text);
    let unfinished = match reason {
        "stop" | "" => false,
        "length" => return stopped(ErrorCode::AnswerTruncated),
        "content_filter" => return stopped(ErrorCode::AnswerBlocked),
        _ if text.trim().is_empty() => return stopped(ErrorCode::AnswerBlocked),
        // vLLM's "abort", say: what was written is paid for, and may be whole.
        _ => true,
    };
    if text.trim().is_empty() {
        return Err(wire::empty(OPENAI).used(usage));
    }
    let named = wire::text(&body, "model");
    let model = if named.is_empty() { &model.name } else { named };
    Ok(Reply { text: text.to_owned(), model: model.to_owned(), usage, unfinished })
}

/// Text, or parts of it; and whether a part is a refusal.
fn content(content: &Value) -> (String, bool) {
    match content {
        Value::String(text) => (text.clone(), false),
        Value::Array(parts) => (
            parts.iter().filter(|part| part["type"] == "text").map(|part| wire::text(part, "text")).collect(),
            parts.iter().any(|part| part["type"] == "refusal"),
        ),
        _ => (String::new(), false),
    }
}

/// Local models may think aloud before they answer.
fn without_thoughts(text: &str) -> &str {
    let Some(thoughts) = text.trim_start().strip_prefix("<think>") else { return text };
    thoughts.split_once("</think>").map_or("", |(_, answer)| answer.trim_start())
}

/// Cached tokens are inside the prompt's, reasoning is inside the completion's.
fn usage(usage: &Value) -> Usage {
    Usage {
        input: wire::count(usage, "prompt_tokens"),
        cached: wire::count(&usage["prompt_tokens_details"], "cached_tokens"),
        output: wire::count(usage, "completion_tokens"),
        stored: 0,
    }
}
