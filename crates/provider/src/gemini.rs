//! Gemini's `generateContent`.

use crate::models::{Model, Thinking};
use crate::{Ask, Exchange, Failure, Reply, Request, Shape, Tier, Usage, Vendor, refused, schema, wire};
use millrace_contract::ErrorCode;
use serde_json::{Value, json};

const GEMINI: Vendor = Vendor::Gemini;
/// What can be set. Documents are about anything, so only what is certainly harmful is blocked.
const CATEGORIES: [&str; 4] = [
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
];

/// No temperature: newer models refuse it.
pub fn request(ask: &Ask<'_>) -> Request {
    let turns = wire::turns(ask).into_iter().map(
        |(model, text)| json!({ "role": if model { "model" } else { "user" }, "parts": [{ "text": text }] }),
    );
    let safety = CATEGORIES.map(|name| json!({ "category": name, "threshold": "BLOCK_ONLY_HIGH" }));
    let mut config = json!({ "responseMimeType": "application/json" });
    let shape = wire::shape(ask);
    if shape != Shape::Json {
        // Not `responseSchema`, which knows neither `additionalProperties` nor nullable types.
        config["responseJsonSchema"] = schema::lower(ask.schema, GEMINI, shape);
    }
    config["maxOutputTokens"] = wire::limit(ask).into();
    if ask.think_less {
        match &ask.model.thinking {
            Thinking::Budget(tokens) => config["thinkingConfig"] = json!({ "thinkingBudget": tokens }),
            Thinking::Level(level) => config["thinkingConfig"] = json!({ "thinkingLevel": level }),
            Thinking::None | Thinking::Effort(_) => {}
        }
    }
    let mut body = json!({
        "systemInstruction": { "parts": [{ "text": ask.system }] },
        "contents": turns.collect::<Value>(),
        "safetySettings": safety,
        "generationConfig": config,
    });
    if ask.tier == Tier::Flex && ask.model.flex {
        body["serviceTier"] = "flex".into();
    }
    wire::request(GEMINI, format!("/v1beta/models/{}:generateContent", ask.model.name), &body)
}

/// See [`Vendor::read`].
pub fn read(model: &Model, exchange: &Exchange) -> Result<Reply, Failure> {
    if exchange.status >= 400 {
        return Err(refused::failure(GEMINI, exchange));
    }
    let body = wire::body(GEMINI, exchange)?;
    if refused::holds_error(&body) {
        return Err(refused::failure(GEMINI, exchange));
    }
    let usage = usage(&body["usageMetadata"]);
    let blocked = wire::text(&body["promptFeedback"], "blockReason");
    if !blocked.is_empty() && blocked != "BLOCK_REASON_UNSPECIFIED" {
        let message = format!("gemini blocked the prompt: {}", wire::name(blocked));
        return Err(Failure::new(ErrorCode::ContentBlocked, message).used(usage));
    }
    let candidate = &body["candidates"][0];
    if candidate.is_null() {
        let known = ["candidates", "promptFeedback", "usageMetadata", "responseId"];
        let failure = match known.iter().any(|field| body.get(field).is_some()) {
            true => wire::empty(GEMINI).used(usage),
            false => wire::not_a_reply(GEMINI),
        };
        return Err(failure);
    }
    let parts = candidate["content"]["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text: String =
        parts.iter().filter(|part| part["thought"] != true).map(|part| wire::text(part, "text")).collect();
    let reason = wire::text(candidate, "finishReason");
    let stopped = |code| Err(wire::stopped(code, GEMINI, reason).used(usage));
    let unfinished = match reason {
        "STOP" | "" => false,
        "MAX_TOKENS" => return stopped(ErrorCode::AnswerTruncated),
        "RECITATION" => return stopped(ErrorCode::AnswerRecited),
        "SAFETY" | "BLOCKLIST" | "SPII" | "PROHIBITED_CONTENT" | "OTHER" | "LANGUAGE" => {
            return stopped(ErrorCode::AnswerBlocked);
        }
        // New ones appear. What was written is paid for, and may be whole.
        _ if text.trim().is_empty() => return stopped(ErrorCode::AnswerBlocked),
        _ => true,
    };
    if text.trim().is_empty() {
        return Err(wire::empty(GEMINI).used(usage));
    }
    let named = wire::text(&body, "modelVersion");
    let model = if named.is_empty() { &model.name } else { named };
    Ok(Reply { text, model: model.to_owned(), usage, unfinished })
}

/// Cached tokens are inside the prompt's, thoughts are outside the candidates'.
fn usage(usage: &Value) -> Usage {
    let count = |field| wire::count(usage, field);
    Usage {
        input: count("promptTokenCount").saturating_add(count("toolUsePromptTokenCount")),
        cached: count("cachedContentTokenCount"),
        output: count("candidatesTokenCount").saturating_add(count("thoughtsTokenCount")),
    }
}
