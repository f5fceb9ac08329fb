//! Google's `generateContent`.

use super::faults::Fault;
use super::wire::{Answer, Part, Question, Refusal, Sent, Stop};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Generation {
    max_output_tokens: Option<u64>,
    response_json_schema: Option<Value>,
    response_schema: Option<Value>,
    thinking_config: Thinking,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Thinking {
    thinking_budget: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    contents: Vec<Content>,
    system_instruction: Option<Content>,
    #[serde(default)]
    generation_config: Generation,
    service_tier: Option<String>,
    cached_content: Option<String>,
}

/// `cachedContents`: what is to be kept by name.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Keep {
    model: String,
    contents: Vec<Content>,
    system_instruction: Option<Content>,
    ttl: String,
}

impl Content {
    fn text(mut self) -> String {
        if self.parts.len() == 1 {
            self.parts.remove(0).text
        } else {
            self.parts.into_iter().map(|part| part.text).collect()
        }
    }
}

pub(super) fn read(model: &str, body: &[u8]) -> serde_json::Result<Question> {
    let body: Body = serde_json::from_slice(body)?;
    let generation = body.generation_config;
    Ok(Question {
        model: model.into(),
        system: body.system_instruction.map(Content::text).unwrap_or_default(),
        turns: body.contents.into_iter().map(Content::text).collect(),
        schema: generation.response_json_schema.or(generation.response_schema),
        max_output: generation.max_output_tokens,
        // -1 is "as much as it likes".
        max_thoughts: generation.thinking_config.thinking_budget.and_then(|budget| budget.try_into().ok()),
        flex: body.service_tier.as_deref() == Some("flex"),
        cacheable: true,
        kept: body.cached_content,
        keep_s: None,
    })
}

/// Reads what is to be kept, as if it were the beginning of a question.
pub(super) fn read_keep(body: &[u8]) -> serde_json::Result<Question> {
    let body: Keep = serde_json::from_slice(body)?;
    Ok(Question {
        model: body.model.trim_start_matches("models/").to_owned(),
        system: body.system_instruction.map(Content::text).unwrap_or_default(),
        turns: body.contents.into_iter().map(Content::text).collect(),
        keep_s: body.ttl.trim_end_matches('s').parse().ok(),
        ..Question::default()
    })
}

/// The reply to [`read_keep`].
pub(super) fn kept(model: &str, name: &str, tokens: u64) -> Value {
    json!({ "name": name, "model": format!("models/{model}"), "usageMetadata": { "totalTokenCount": tokens } })
}

pub(super) fn answer(answer: &Answer<'_>) -> Value {
    let usage = answer.usage;
    let mut used = json!({
        "promptTokenCount": usage.input,
        "totalTokenCount": usage.input + usage.output + usage.thoughts,
        "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": usage.input }],
    });
    let counts = [
        ("candidatesTokenCount", usage.output),
        ("cachedContentTokenCount", usage.cached),
        ("thoughtsTokenCount", usage.thoughts),
    ];
    for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        used[name] = count.into();
    }
    let rating =
        json!([{ "category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": true }]);
    let mut body = json!({ "usageMetadata": used, "modelVersion": answer.model, "responseId": answer.id });
    if answer.stop == Stop::Blocked {
        body["promptFeedback"] = json!({ "blockReason": "SAFETY", "safetyRatings": rating });
        return body;
    }
    let reason = match answer.stop {
        Stop::End | Stop::Refusal | Stop::Blocked => "STOP",
        Stop::MaxTokens => "MAX_TOKENS",
        Stop::Safety => "SAFETY",
        Stop::Recitation => "RECITATION",
    };
    let mut candidate = json!({ "finishReason": reason, "index": 0, "content": { "role": "model" } });
    if !answer.text.is_empty() {
        candidate["content"]["parts"] = json!([{ "text": answer.text }]);
    }
    match answer.stop {
        Stop::Safety => candidate["safetyRatings"] = rating,
        Stop::Recitation => {
            candidate["citationMetadata"] =
                json!({ "citationSources": [{ "startIndex": 0, "endIndex": 120 }] })
        }
        _ => {}
    }
    body["candidates"] = json!([candidate]);
    body
}

pub(super) fn refuse(refusal: &Refusal<'_>) -> Sent {
    let (sent, allowed) = refusal.tokens;
    let quota = |id: &str, value: String| {
        json!({ "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{
            "quotaMetric": "generativelanguage.googleapis.com/generate_content_paid_tier_requests", "quotaId": id,
            "quotaDimensions": { "model": refusal.model, "location": "global" }, "quotaValue": value }] })
    };
    let told = refusal.wait.map(|wait| json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{wait:.3}s") }));
    let exhausted = "You exceeded your current quota, please check your plan and billing details.";
    let (status, name, message, details): (u16, &str, String, Vec<Value>) = match refusal.fault {
        Fault::RateLimited => {
            let minute = quota("GenerateRequestsPerMinutePerProjectPerModel", format!("{:.0}", refusal.rpm));
            (
                429,
                "RESOURCE_EXHAUSTED",
                exhausted.into(),
                [Some(minute), told].into_iter().flatten().collect(),
            )
        }
        Fault::RateLimitedPlain => {
            (429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).".into(), vec![])
        }
        Fault::DayQuota => {
            let day = quota("GenerateRequestsPerDayPerProjectPerModel", "1000".into());
            (429, "RESOURCE_EXHAUSTED", exhausted.into(), vec![day])
        }
        Fault::Internal => (500, "INTERNAL", "An internal error has occurred. Please retry.".into(), vec![]),
        Fault::BadGateway => (502, "UNAVAILABLE", "Bad gateway".into(), vec![]),
        Fault::Overloaded => (529, "UNAVAILABLE", "Overloaded".into(), vec![]),
        Fault::NoModel => {
            let message = format!(
                "models/{} is not found for API version v1beta, or is not supported for generateContent.",
                refusal.model
            );
            (404, "NOT_FOUND", message, vec![])
        }
        Fault::InvalidKey => {
            let info = json!({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID",
                "domain": "googleapis.com", "metadata": { "service": "generativelanguage.googleapis.com" } });
            (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.".into(), vec![info])
        }
        Fault::ContextTooLong => {
            let message = format!(
                "The input token count ({sent}) exceeds the maximum number of tokens allowed ({allowed})."
            );
            (400, "INVALID_ARGUMENT", message, vec![])
        }
        Fault::SchemaTooComplex => {
            let message = "The specified schema produces a constraint that has too many states for serving.";
            (400, "INVALID_ARGUMENT", message.into(), vec![])
        }
        Fault::NotKept => {
            let message = "CachedContent not found (or permission denied)";
            (403, "PERMISSION_DENIED", message.into(), vec![])
        }
        Fault::Invalid => (400, "INVALID_ARGUMENT", "Request contains an invalid argument.".into(), vec![]),
        _ => (503, "UNAVAILABLE", "The model is overloaded. Please try again later.".into(), vec![]),
    };
    let mut error = json!({ "code": status, "message": message, "status": name });
    if !details.is_empty() {
        error["details"] = details.into();
    }
    (status, Vec::new(), json!({ "error": error }))
}
