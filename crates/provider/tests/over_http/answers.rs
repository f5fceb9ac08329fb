//! What comes with HTTP 200: answers, and what is none.

use crate::server::{Scripted, Server, ask, client};
use crate::{Row, row};
use millrace_contract::ErrorCode as Code;
use millrace_provider::Vendor::{self, Anthropic, Gemini, OpenAi};
use millrace_provider::{Reply, Usage};
use serde_json::{Value, json};

fn gemini(reason: &str, parts: Value) -> Value {
    json!({
        "candidates": [{ "content": { "role": "model", "parts": parts }, "finishReason": reason }],
        "usageMetadata": { "promptTokenCount": 100, "cachedContentTokenCount": 40, "candidatesTokenCount": 7, "thoughtsTokenCount": 5 },
        "modelVersion": "gemini-2.5-pro-002",
    })
}

fn openai(reason: &str, message: Value) -> Value {
    json!({
        "model": "gpt-5.4-mini-2026",
        "choices": [{ "index": 0, "message": message, "finish_reason": reason }],
        "usage": { "prompt_tokens": 100, "completion_tokens": 12, "prompt_tokens_details": { "cached_tokens": 40 },
                   "completion_tokens_details": { "reasoning_tokens": 5 } },
    })
}

fn anthropic(reason: &str, content: Value) -> Value {
    json!({
        "type": "message", "role": "assistant", "model": "claude-haiku-4-5-2026", "content": content, "stop_reason": reason,
        "usage": { "input_tokens": 50, "cache_read_input_tokens": 40, "cache_creation_input_tokens": 10, "output_tokens": 12 },
    })
}

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    let text = || json!([{ "text": "{\"a\":" }]);
    let g = |what, body, code| row(Gemini, what, Scripted::json(200, body), code).used(100, 40, 12);
    let o = |what, body, code| row(OpenAi, what, Scripted::json(200, body), code).used(100, 40, 12);
    let a = |what, body, code| row(Anthropic, what, Scripted::json(200, body), code).used(100, 40, 12);
    let blocked = json!({ "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" }, "usageMetadata": { "promptTokenCount": 100 } });
    let nobody = json!({ "candidates": [], "usageMetadata": { "promptTokenCount": 100 } });
    let partless = json!({ "candidates": [{ "content": { "role": "model" }, "finishReason": "MAX_TOKENS" }],
                           "usageMetadata": { "promptTokenCount": 100, "thoughtsTokenCount": 64 } });
    let said = |text: &str| json!({ "role": "assistant", "content": text });
    let block = |text: &str| json!([{ "type": "text", "text": text }]);
    vec![
        g("prompt blocked", blocked, Code::ContentBlocked).used(100, 0, 0),
        g("truncated", gemini("MAX_TOKENS", text()), Code::AnswerTruncated),
        g("truncated while thinking", partless, Code::AnswerTruncated).used(100, 0, 64),
        g("recited", gemini("RECITATION", json!([])), Code::AnswerRecited),
        g("safety", gemini("SAFETY", text()), Code::AnswerBlocked),
        g("blocklist", gemini("BLOCKLIST", json!([])), Code::AnswerBlocked),
        g("prohibited", gemini("PROHIBITED_CONTENT", json!([])), Code::AnswerBlocked),
        g("personal data", gemini("SPII", json!([])), Code::AnswerBlocked),
        g("language", gemini("LANGUAGE", json!([])), Code::AnswerBlocked),
        g("other", gemini("OTHER", json!([])), Code::AnswerBlocked),
        g("a new reason without text", gemini("TOO_MANY_TOOL_CALLS", json!([])), Code::AnswerBlocked),
        g("empty", gemini("STOP", json!([{ "text": " \n" }])), Code::AnswerEmpty),
        g("only thoughts", gemini("STOP", json!([{ "text": "hm", "thought": true }])), Code::AnswerEmpty),
        g("no candidate", nobody, Code::AnswerEmpty).used(100, 0, 0),
        o("truncated", openai("length", said("{\"a\":")), Code::AnswerTruncated),
        o("filtered", openai("content_filter", said("{")), Code::AnswerBlocked),
        o("declined", openai("stop", json!({ "content": null, "refusal": "I cannot LEAK" })), Code::AnswerBlocked),
        o("declined in parts", openai("stop", json!({ "content": [{ "type": "refusal", "refusal": "x" }] })), Code::AnswerBlocked),
        o("empty", openai("stop", json!({ "content": null, "refusal": null })), Code::AnswerEmpty),
        o("only thoughts", openai("stop", said("<think>hm</think>")), Code::AnswerEmpty),
        o("no choice", json!({ "choices": [], "usage": { "prompt_tokens": 100 } }), Code::AnswerEmpty).used(100, 0, 0),
        o("a new reason without text", openai("abort", said("")), Code::AnswerBlocked),
        a("truncated", anthropic("max_tokens", block("{")), Code::AnswerTruncated),
        a("declined", anthropic("refusal", block("")), Code::AnswerBlocked),
        a("context", anthropic("model_context_window_exceeded", block("{")), Code::ContextTooLong),
        a("empty", anthropic("end_turn", json!([])), Code::AnswerEmpty),
        a("only thoughts", anthropic("end_turn", json!([{ "type": "thinking", "thinking": "hm" }])), Code::AnswerEmpty),
        a("a new reason without text", anthropic("pause_turn", json!([])), Code::AnswerBlocked),
    ]
}

async fn answered(server: &Server, vendor: Vendor, body: Value) -> Reply {
    server.answer(Scripted::json(200, body));
    ask(&client(&server.url, &[]), vendor).await.unwrap()
}

#[tokio::test]
async fn answers_are_read_in_one_convention() {
    let server = Server::start().await;
    let parts = json!([{ "text": "hm", "thought": true }, { "text": "{\"a\"" }, { "text": ":1}" }, { "inlineData": {} }]);
    let blocks = json!([{ "type": "thinking", "thinking": "hm" }, { "type": "text", "text": "{\"a\":1}" }]);
    let split =
        json!({ "content": [{ "type": "text", "text": "{\"a\"" }, { "type": "text", "text": ":1}" }] });
    let thought = json!({ "content": "<think>\nhm {}\n</think>\n\n{\"a\":1}", "reasoning_content": null });
    let cases = [
        (Gemini, gemini("STOP", parts.clone()), "gemini-2.5-pro-002", false),
        (Gemini, gemini("SOMETHING_NEW", parts), "gemini-2.5-pro-002", true),
        (OpenAi, openai("stop", json!({ "content": "{\"a\":1}" })), "gpt-5.4-mini-2026", false),
        (OpenAi, openai("stop", split), "gpt-5.4-mini-2026", false),
        (OpenAi, openai("abort", thought), "gpt-5.4-mini-2026", true),
        (Anthropic, anthropic("end_turn", blocks.clone()), "claude-haiku-4-5-2026", false),
        (Anthropic, anthropic("pause_turn", blocks), "claude-haiku-4-5-2026", true),
    ];
    for (vendor, body, model, unfinished) in cases {
        let expected = Reply {
            text: "{\"a\":1}".to_owned(),
            model: model.to_owned(),
            usage: Usage { input: 100, cached: 40, output: 12, stored: 0 },
            unfinished,
        };
        assert_eq!(answered(&server, vendor, body).await, expected);
    }
}

/// Paid for: it must be readable whatever else is odd about it.
#[tokio::test]
async fn an_odd_answer_is_still_an_answer() {
    let server = Server::start().await;
    let odd = json!({ "candidates": [{ "content": { "parts": [{ "text": "{}" }] }, "finishReason": null, "index": "0" }],
                      "usageMetadata": { "promptTokenCount": null, "candidatesTokenCount": 3.5 }, "modelVersion": 2 });
    let reply = answered(&server, Gemini, odd).await;
    assert_eq!(
        (reply.text.as_str(), reply.model.as_str(), reply.usage),
        ("{}", "gemini-2.5-pro", Usage::default())
    );
    let odd = json!({ "choices": [{ "message": { "content": "{}" } }], "usage": null, "error": null });
    assert_eq!(answered(&server, OpenAi, odd).await.text, "{}");
    let odd =
        json!({ "content": [{ "type": "text", "text": "{}" }, { "type": "new" }], "stop_reason": null });
    assert_eq!(answered(&server, Anthropic, odd).await.text, "{}");
}
