//! What the three wire formats have in common.

use crate::models::SchemaMode;
use crate::{Ask, Exchange, Failure, Request, Shape, Vendor, schema};
use millrace_contract::ErrorCode;
use serde_json::Value;
use std::borrow::Cow;

/// How the shape is asked for, given what the model can do.
pub fn shape(ask: &Ask<'_>) -> Shape {
    match ask.model.schema {
        // It would only say so, and charge a round for it.
        SchemaMode::Strict if !schema::is_served(ask.schema, ask.model.vendor) => Shape::Json,
        SchemaMode::Strict => ask.shape,
        SchemaMode::Json | SchemaMode::None => Shape::Json,
    }
}

/// The question, with the schema below it where the provider does not get it in a field of its own. It goes below the
/// first question and not below a complaint, so that a correction has the same beginning as what it corrects.
pub fn question<'a>(ask: &Ask<'a>) -> Cow<'a, str> {
    if shape(ask) != Shape::Json {
        return Cow::Borrowed(ask.user);
    }
    let schema = schema::lower(ask.schema, ask.model.vendor, Shape::Json);
    let user = ask.user;
    Cow::Owned(format!(
        "{user}\n\nAnswer with one JSON object that fits this JSON Schema, and with nothing else:\n{schema}"
    ))
}

/// The turns of the conversation: question, and perhaps an answer and a complaint. Who speaks has another name with
/// each provider, so `true` is the model.
pub fn turns<'a>(ask: &Ask<'a>) -> Vec<(bool, Cow<'a, str>)> {
    let mut turns = vec![(false, question(ask))];
    if let Some(correction) = ask.correction {
        turns.push((true, Cow::Borrowed(correction.answer)));
        turns.push((false, Cow::Borrowed(correction.complaint)));
    }
    turns
}

/// The limit on the answer, within what the model can do.
pub fn limit(ask: &Ask<'_>) -> u32 {
    ask.max_output_tokens.min(ask.model.max_output)
}

/// A request with this body. Objects keep the order in which they were written, so the same question is the same
/// bytes.
pub fn request(vendor: Vendor, path: String, body: &Value) -> Request {
    Request { vendor, path, headers: Vec::new(), body: body.to_string().into_bytes() }
}

/// The body of a reply with status 200, if the provider sent it.
pub fn body(vendor: Vendor, exchange: &Exchange) -> Result<Value, Failure> {
    let foreign = |what: &str| {
        let message = format!("what answered is not {vendor}: {what} (HTTP {})", exchange.status);
        Failure::new(ErrorCode::ProviderForeign, message)
    };
    match exchange.status {
        200 => {}
        300..=399 => return Err(foreign("a redirect, which is not followed")),
        _ => return Err(foreign("a status that it never gives").maybe_billed()),
    }
    if !is_json(exchange) {
        return Err(foreign("another content type").maybe_billed());
    }
    match serde_json::from_slice::<Value>(&exchange.body) {
        Ok(value) if value.is_object() || value.is_array() => Ok(value),
        _ => Err(foreign("the body is not JSON, or only half of it").maybe_billed()),
    }
}

/// Whether the reply says so, or says nothing about it.
pub fn is_json(exchange: &Exchange) -> bool {
    exchange.headers.get("content-type").is_none_or(|kind| kind.to_ascii_lowercase().contains("json"))
}

/// A body that is JSON and yet not a reply.
pub fn not_a_reply(vendor: Vendor) -> Failure {
    let message = format!("what answered is not {vendor}: JSON of another kind");
    Failure::new(ErrorCode::ProviderForeign, message).maybe_billed()
}

/// A text field; anything else is no text.
pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// A count; anything else is none.
pub fn count(value: &Value, field: &str) -> u64 {
    value[field].as_u64().unwrap_or_default()
}

/// What a provider says of the reason, if it is a name and not prose: prose may hold words of the document, or the
/// key.
pub fn name(text: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.';
    if !text.is_empty() && text.len() <= 64 && text.chars().all(plain) { text } else { "unnamed" }
}

/// An answer that was stopped.
pub fn stopped(code: ErrorCode, vendor: Vendor, reason: &str) -> Failure {
    Failure::new(code, format!("{vendor} stopped its answer: {}", name(reason)))
}

/// An answer without text.
pub fn empty(vendor: Vendor) -> Failure {
    Failure::new(ErrorCode::AnswerEmpty, format!("{vendor}'s answer has no text"))
}
