//! Gemini's `generateContent`.

use crate::models::{Model, Thinking};
use crate::{
    Ask, Exchange, Failure, KEPT_FOR, Kept, Reply, Request, Shape, Tier, Usage, Vendor, refused, schema, wire,
};
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
    let mut turns = wire::turns(ask);
    if let (Some(Kept { bytes, .. }), Some((_, first))) = (ask.kept, turns.first_mut()) {
        *first = first.get(bytes..).unwrap_or_default().to_owned().into();
    }
    let turns = turns.into_iter().map(|(model, text)| turn(if model { "model" } else { "user" }, &text));
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
    if let (Some(kept), Some(fields)) = (ask.kept, body.as_object_mut()) {
        // It may not be given twice.
        fields.remove("systemInstruction");
        fields.insert("cachedContent".to_owned(), kept.name.into());
    }
    if ask.tier == Tier::Flex && ask.model.flex {
        body["serviceTier"] = "flex".into();
    }
    wire::request(GEMINI, format!("/v1beta/models/{}:generateContent", ask.model.name), &body)
}

fn turn(role: &str, text: &str) -> Value {
    json!({ "role": role, "parts": [{ "text": text }] })
}

/// See [`Vendor::keep`]: explicit context caching.
pub fn keep(ask: &Ask<'_>, bytes: usize) -> Option<Request> {
    let body = json!({
        "model": format!("models/{}", ask.model.name),
        "systemInstruction": { "parts": [{ "text": ask.system }] },
        "contents": [turn("user", ask.user.get(..bytes)?)],
        "ttl": format!("{}s", KEPT_FOR.as_secs()),
    });
    Some(wire::request(GEMINI, "/v1beta/cachedContents".to_owned(), &body))
}

/// See [`Vendor::lost`]: "CachedContent not found (or permission denied)".
pub fn lost(exchange: &Exchange) -> bool {
    let says = || String::from_utf8_lossy(&exchange.body).to_ascii_lowercase();
    matches!(exchange.status, 400 | 403 | 404) && says().contains("cachedcontent not found")
}

/// What is kept by name, in a reply to [`keep`].
fn kept(model: &Model, body: &Value) -> Option<Reply> {
    let name = wire::text(body, "name");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_/".contains(c);
    if !name.starts_with("cachedContents/") || !name.chars().all(plain) {
        return None;
    }
    let tokens = wire::count(&body["usageMetadata"], "totalTokenCount");
    // Made at the price of input, then kept at a price of its own.
    let usage =
        Usage { input: tokens, stored: tokens.saturating_mul(KEPT_FOR.as_secs()), ..Usage::default() };
    Some(Reply { text: name.to_owned(), model: model.name.clone(), usage, unfinished: false })
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
    if let Some(kept) = kept(model, &body) {
        return Ok(kept);
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
        stored: 0,
    }
}
