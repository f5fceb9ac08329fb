//! Anthropic's messages.

use crate::models::{Model, Thinking};
use crate::{Ask, Exchange, Failure, Reply, Request, Shape, Usage, Vendor, refused, schema, wire};
use millrace_contract::ErrorCode;
use serde_json::{Map, Value, json};

const ANTHROPIC: Vendor = Vendor::Anthropic;

/// There is no plain JSON mode: without a schema in its field, the question alone asks for JSON. Nor is there a
/// cheaper tier.
pub fn request(ask: &Ask<'_>) -> Request {
    let turns = wire::turns(ask)
        .into_iter()
        .map(|(model, text)| json!({ "role": if model { "assistant" } else { "user" }, "content": text }));
    let mut body = json!({
        "model": ask.model.name,
        "max_tokens": wire::limit(ask),
        "system": ask.system,
        "messages": turns.collect::<Value>(),
    });
    let mut output = Map::new();
    let shape = wire::shape(ask);
    if shape != Shape::Json {
        let schema = schema::lower(ask.schema, ANTHROPIC, shape);
        output.insert("format".to_owned(), json!({ "type": "json_schema", "schema": schema }));
    }
    if ask.think_less {
        match &ask.model.thinking {
            Thinking::Effort(effort) => {
                output.insert("effort".to_owned(), effort.as_str().into());
            }
            Thinking::Budget(_) => body["thinking"] = json!({ "type": "disabled" }),
            Thinking::None | Thinking::Level(_) => {}
        }
    }
    if !output.is_empty() {
        body["output_config"] = output.into();
    }
    let mut request = wire::request(ANTHROPIC, "/v1/messages".to_owned(), &body);
    request.headers.push(("anthropic-version", "2023-06-01".to_owned()));
    request
}

/// See [`Vendor::read`].
pub fn read(model: &Model, exchange: &Exchange) -> Result<Reply, Failure> {
    if exchange.status >= 400 {
        return Err(refused::failure(ANTHROPIC, exchange));
    }
    let body = wire::body(ANTHROPIC, exchange)?;
    if refused::holds_error(&body) {
        return Err(refused::failure(ANTHROPIC, exchange));
    }
    let usage = usage(&body["usage"]);
    let Some(blocks) = body["content"].as_array() else { return Err(wire::not_a_reply(ANTHROPIC)) };
    // Blocks of thinking have no text.
    let text: String = blocks
        .iter()
        .filter(|block| block["type"] == "text")
        .map(|block| wire::text(block, "text"))
        .collect();
    let reason = wire::text(&body, "stop_reason");
    let stopped = |code| Err(wire::stopped(code, ANTHROPIC, reason).used(usage));
    let unfinished = match reason {
        "end_turn" | "stop_sequence" | "" => false,
        "max_tokens" => return stopped(ErrorCode::AnswerTruncated),
        "refusal" => return stopped(ErrorCode::AnswerBlocked),
        "model_context_window_exceeded" => return stopped(ErrorCode::ContextTooLong),
        _ if text.trim().is_empty() => return stopped(ErrorCode::AnswerBlocked),
        _ => true,
    };
    if text.trim().is_empty() {
        return Err(wire::empty(ANTHROPIC).used(usage));
    }
    let named = wire::text(&body, "model");
    let model = if named.is_empty() { &model.name } else { named };
    Ok(Reply { text, model: model.to_owned(), usage, unfinished })
}

/// Cached tokens are outside the input's, those read and those written; thoughts are inside the output's.
fn usage(usage: &Value) -> Usage {
    let count = |field| wire::count(usage, field);
    let cached = count("cache_read_input_tokens");
    Usage {
        input: count("input_tokens")
            .saturating_add(cached)
            .saturating_add(count("cache_creation_input_tokens")),
        cached,
        output: count("output_tokens"),
        stored: 0,
    }
}
