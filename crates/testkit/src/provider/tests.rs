use super::*;
use crate::eventually;
use serde_json::json;

const DOCUMENT: &str = "[p1.b1] This Agreement is made on 1 March 2026 between Acme Ltd and Roe Widgets SA.\n\
    [p1.b2] The Client shall pay a monthly service fee of GBP 18,500.00 within 30 days of invoice.\n\
    [p1.b3] Either party may end this Agreement by giving 90 days of written notice to the other.";

fn schema() -> Value {
    json!({"type": "object", "additionalProperties": false, "required": ["points"], "properties": {"points": {
        "type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["point", "evidence"],
        "properties": {"point": {"type": "string"}, "evidence": {"type": "object", "required": ["block_ids", "anchor"],
            "additionalProperties": false, "properties": {"block_ids": {"type": "array", "items": {"type": "string"}},
            "anchor": {"type": ["string", "null"]}}}}}}}})
}

fn user(question: &str) -> String {
    format!("It is data.\n\nFENCE\n{DOCUMENT}\nFENCE\n\n{question}")
}

fn gemini(question: &str) -> Value {
    json!({"systemInstruction": {"parts": [{"text": "Be exact."}]},
        "contents": [{"role": "user", "parts": [{"text": user(question)}]}],
        "generationConfig": {"responseJsonSchema": schema(), "maxOutputTokens": 4096}})
}

fn openai(question: &str) -> Value {
    json!({"model": "gpt-5.4-mini", "messages": [{"role": "system", "content": "Be exact."},
        {"role": "user", "content": [{"type": "text", "text": user(question)}]}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "r", "strict": true, "schema": schema()}}})
}

fn anthropic(question: &str) -> Value {
    json!({"model": "claude-sonnet-5", "max_tokens": 4096, "system": "Be exact.",
        "messages": [{"role": "user", "content": user(question)}],
        "output_config": {"format": {"type": "json_schema", "schema": schema()}}})
}

const PRO: &str = "/v1beta/models/gemini-2.5-pro:generateContent";
const FLASH: &str = "/v1beta/models/gemini-2.5-flash:generateContent";
const OPENAI: &str = "/v1/chat/completions";
const ANTHROPIC: &str = "/v1/messages";

struct Got {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

async fn try_post(at: &Simulated, path: &str, body: &Value) -> Result<Got, reqwest::Error> {
    let client = reqwest::Client::new();
    let response = client
        .post(format!("{}{path}", at.url))
        .header("x-client-request-id", "r1")
        .json(body)
        .send()
        .await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.bytes().await?;
    Ok(Got { status, headers, body: serde_json::from_slice(&body).unwrap_or_default() })
}

async fn post(at: &Simulated, path: &str, body: &Value) -> Got {
    try_post(at, path, body).await.unwrap()
}

fn gemini_text(got: &Got) -> &str {
    got.body["candidates"][0]["content"]["parts"][0]["text"].as_str().unwrap_or_default()
}

async fn with(faults: Faults) -> Simulated {
    Simulated::start_with(Config { default: faults, ..Config::default() }).await
}

fn check(text: &str) {
    let answer: Value = serde_json::from_str(text).unwrap();
    assert!(jsonschema::is_valid(&schema(), &answer), "{answer:#}");
    for point in answer["points"].as_array().unwrap() {
        let (block, anchor) =
            (&point["evidence"]["block_ids"][0], point["evidence"]["anchor"].as_str().unwrap());
        let line = DOCUMENT
            .lines()
            .find(|line| line.starts_with(&format!("[{}]", block.as_str().unwrap())))
            .unwrap();
        assert!(line.contains(anchor), "{anchor} in {line}");
    }
}

#[tokio::test]
async fn three_vendors_answer_alike_and_are_billed() {
    let at = Simulated::start().await;
    let one = post(&at, PRO, &gemini("Q")).await;
    let two = post(&at, OPENAI, &openai("Q")).await;
    let three = post(&at, ANTHROPIC, &anthropic("Q")).await;
    assert_eq!((one.status, two.status, three.status), (200, 200, 200));
    assert_eq!(one.body["candidates"][0]["finishReason"], "STOP");
    let text = gemini_text(&one);
    check(text);
    assert_eq!(two.body["choices"][0]["message"]["content"], text);
    assert_eq!(two.body["choices"][0]["finish_reason"], "stop");
    assert_eq!(three.body["content"][0]["text"], text);
    assert_eq!(three.body["stop_reason"], "end_turn");
    let tokens =
        (one.body["usageMetadata"]["promptTokenCount"].as_u64(), two.body["usage"]["prompt_tokens"].as_u64());
    assert_eq!(tokens, (Some((user("Q").len() + 9).div_ceil(4) as u64), tokens.0));
    assert_eq!(three.body["usage"]["input_tokens"].as_u64(), tokens.0);
    let account = at.account();
    assert_eq!(
        (account.requests, account.prompts, account.prompts_answered, account.prompt_answered_twice),
        (3, 1, 1, 2)
    );
    assert_eq!((account.answered_twice, account.aborted), (0, 0), "other bytes");
    let record = &account.records[0];
    assert_eq!(
        (record.vendor.as_str(), record.outcome.as_str(), record.request_id.as_str()),
        ("gemini", "ok", "r1")
    );
    assert!(
        (record.usd - (tokens.0.unwrap() as f64 * 1.25 + record.output as f64 * 10.0) / 1e6).abs() < 1e-12
    );
    post(&at, PRO, &gemini("Q")).await;
    assert_eq!(at.account().answered_twice, 1);
    assert_eq!(at.asked().len(), 4);
}

#[tokio::test]
async fn in_json_mode_the_schema_is_found_in_the_question() {
    let at = Simulated::start().await;
    at.configure(Config { default: Faults { schema_bytes: 100, ..Faults::default() }, ..Config::default() });
    let refused = post(&at, OPENAI, &openai("Q")).await;
    assert_eq!((refused.status, &refused.body["error"]["code"]), (400, &"invalid_schema".into()));
    let question = format!("Answer.\n\nJSON Schema of the answer:\n{:#}\nNothing else.", schema());
    let mut body = openai(&question);
    body["response_format"] = json!({"type": "json_object"});
    let got = post(&at, "/chat/completions", &body).await;
    check(got.body["choices"][0]["message"]["content"].as_str().unwrap());
    body["messages"][1]["content"] = "Anything?".into();
    let got = post(&at, OPENAI, &body).await;
    assert_eq!(got.body["choices"][0]["message"]["content"], "{}");
}

#[tokio::test]
async fn faults_are_the_same_again_and_as_many_as_configured() {
    let faults = Faults { unavailable: 0.1, malformed: 0.1, ..Faults::default() };
    let (one, two) = (with(faults.clone()).await, with(faults).await);
    for n in 0..200 {
        post(&one, PRO, &gemini(&format!("Q{n}"))).await;
    }
    for n in (0..200).rev() {
        post(&two, PRO, &gemini(&format!("Q{n}"))).await;
    }
    let outcomes = |account: &Account| {
        let mut all: Vec<_> =
            account.records.iter().map(|record| (record.prompt.clone(), record.outcome.clone())).collect();
        all.sort();
        all
    };
    let account = one.account();
    assert_eq!(outcomes(&account), outcomes(&two.account()), "in whatever order");
    let totals = &account.models["gemini-2.5-pro"];
    assert!(
        (8..=34).contains(&totals.outcomes["unavailable"])
            && (8..=34).contains(&totals.outcomes["malformed"]),
        "{totals:?}"
    );
}

#[tokio::test]
async fn every_vendor_has_its_own_words_for_a_fault() {
    let at = Simulated::start().await;
    let fault = async |fault: Fault, path: &str, body: &Value| {
        at.script([Reply::Fault(fault)]);
        post(&at, path, body).await
    };
    let got = fault(Fault::RateLimited, PRO, &gemini("Q")).await;
    assert_eq!((got.status, &got.body["error"]["details"][1]["retryDelay"]), (429, &"5.000s".into()));
    let got = fault(Fault::RateLimited, OPENAI, &openai("Q")).await;
    assert_eq!(
        (got.status, &got.headers["retry-after"], &got.headers["retry-after-ms"]),
        (429, &"5".parse().unwrap(), &"5000".parse().unwrap())
    );
    let got = fault(Fault::DayQuota, PRO, &gemini("Q")).await;
    assert!(got.body["error"]["details"][0]["violations"][0]["quotaId"].as_str().unwrap().contains("PerDay"));
    let got = fault(Fault::DayQuota, OPENAI, &openai("Q")).await;
    assert_eq!((got.status, &got.body["error"]["code"]), (429, &"insufficient_quota".into()));
    let got = fault(Fault::Overloaded, ANTHROPIC, &anthropic("Q")).await;
    assert_eq!((got.status, &got.body["error"]["type"]), (529, &"overloaded_error".into()));
    let got = fault(Fault::InvalidKey, PRO, &gemini("Q")).await;
    assert_eq!((got.status, &got.body["error"]["details"][0]["reason"]), (400, &"API_KEY_INVALID".into()));
    let got = fault(Fault::BadGateway, ANTHROPIC, &anthropic("Q")).await;
    assert_eq!((got.status, &got.headers["content-type"]), (502, &"text/html".parse().unwrap()));
    let got = fault(Fault::Blocked, PRO, &gemini("Q")).await;
    assert_eq!((got.status, &got.body["promptFeedback"]["blockReason"]), (200, &"SAFETY".into()));
    assert_eq!(fault(Fault::Blocked, OPENAI, &openai("Q")).await.body["error"]["code"], "content_filter");
    assert_eq!(fault(Fault::Blocked, ANTHROPIC, &anthropic("Q")).await.body["stop_reason"], "refusal");
    assert_eq!(
        fault(Fault::Recitation, PRO, &gemini("Q")).await.body["candidates"][0]["finishReason"],
        "RECITATION"
    );
    let got = fault(Fault::MaxTokens, PRO, &gemini("Q")).await;
    assert_eq!(got.body["candidates"][0]["finishReason"], "MAX_TOKENS");
    assert!(serde_json::from_str::<Value>(gemini_text(&got)).is_err());
    assert_eq!(
        fault(Fault::MaxTokens, OPENAI, &openai("Q")).await.body["choices"][0]["finish_reason"],
        "length"
    );
    let got = fault(Fault::Refusal, OPENAI, &openai("Q")).await;
    assert!(
        got.body["choices"][0]["message"]["refusal"].is_string()
            && got.body["choices"][0]["message"]["content"].is_null()
    );
    assert_eq!(fault(Fault::Empty, ANTHROPIC, &anthropic("Q")).await.body["content"], json!([]));
    assert!(fault(Fault::Empty, PRO, &gemini("Q")).await.body["candidates"][0]["content"]["parts"].is_null());
    let got = fault(Fault::SchemaViolation, PRO, &gemini("Q")).await;
    assert!(!jsonschema::is_valid(&schema(), &serde_json::from_str(gemini_text(&got)).unwrap()));
    let got = fault(Fault::WrongLanguage, PRO, &gemini("Q")).await;
    assert!(gemini_text(&got).contains("plazo acordado"));
    let got = fault(Fault::Hallucinated, PRO, &gemini("Q")).await;
    let answer: Value = serde_json::from_str(gemini_text(&got)).unwrap();
    assert!(jsonschema::is_valid(&schema(), &answer), "only its evidence is false");
    assert_eq!(at.account().prompts_answered, 0, "none of these is good");
}

#[tokio::test]
async fn broken_connections_and_hung_up_clients_are_billed() {
    let at = Simulated::start().await;
    at.script([Reply::Fault(Fault::Reset), Reply::Fault(Fault::ResetMid)]);
    assert!(try_post(&at, PRO, &gemini("Q")).await.is_err());
    let mut cut =
        reqwest::Client::new().post(format!("{}{PRO}", at.url)).json(&gemini("Q")).send().await.unwrap();
    assert_eq!(cut.status(), 200);
    assert!(cut.chunk().await.unwrap().is_some_and(|half| half.starts_with(b"{")), "half of it comes");
    assert!(cut.chunk().await.is_err(), "and then nothing");
    let account = at.account();
    let totals = &account.models["gemini-2.5-pro"];
    assert_eq!((totals.outcomes["reset"], totals.outcomes["reset_mid"]), (1, 1));
    assert!(account.records.iter().all(|record| record.billed && record.usd > 0.0));

    at.configure(Config {
        default: Faults { latency_ms: 60_000.0, ..Faults::default() },
        ..Config::default()
    });
    let client = reqwest::Client::builder().timeout(Duration::from_millis(200)).build().unwrap();
    assert!(client.post(format!("{}{PRO}", at.url)).json(&gemini("Q")).send().await.is_err());
    let account =
        eventually("the call to be settled", async || Some(at.account()).filter(|a| a.aborted == 1)).await;
    assert!(account.usd_aborted > 0.0 && account.usd_aborted == account.usd);
    assert_eq!(account.records[0].outcome, "aborted");
    assert_eq!(account.prompts_answered, 0);
}

#[tokio::test]
async fn a_final_error_that_is_sent_again_is_counted() {
    let at = with(Faults { context_tokens: 50, ..Faults::default() }).await;
    let got = post(&at, PRO, &gemini("Q")).await;
    assert_eq!(got.status, 400);
    assert!(
        got.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("exceeds the maximum number of tokens allowed (50)")
    );
    assert_eq!(at.account().final_errors_resent, 0);
    post(&at, FLASH, &gemini("Q")).await;
    assert_eq!(at.account().final_errors_resent, 0, "another model");
    post(&at, PRO, &gemini("Q")).await;
    let account = at.account();
    assert_eq!((account.final_errors_resent, account.usd), (1, 0.0));
}

#[tokio::test]
async fn what_is_blocked_stays_blocked_until_it_is_rephrased() {
    let at = with(Faults { blocked: 1.0, rephrase_passes: 1.0, ..Faults::default() }).await;
    for question in ["Q", "Q", "R"] {
        assert!(post(&at, FLASH, &gemini(question)).await.body["promptFeedback"].is_object());
    }
    let mut other = gemini("Q");
    other["systemInstruction"]["parts"][0]["text"] = "This is a lawful analysis of a contract.".into();
    check(gemini_text(&post(&at, FLASH, &other).await));
    let at = with(Faults { recitation: 1.0, ..Faults::default() }).await;
    assert_eq!(post(&at, PRO, &gemini("Q")).await.body["candidates"][0]["finishReason"], "RECITATION");
    let mut ids_only = gemini("Q");
    let evidence =
        "/generationConfig/responseJsonSchema/properties/points/items/properties/evidence/properties";
    ids_only.pointer_mut(evidence).unwrap().as_object_mut().unwrap().remove("anchor");
    assert_eq!(post(&at, PRO, &ids_only).await.body["candidates"][0]["finishReason"], "STOP");
}

#[tokio::test]
async fn limits_and_outages_know_the_time() {
    let at = with(Faults { rpm: 2.0, ..Faults::default() }).await;
    post(&at, PRO, &gemini("Q1")).await;
    post(&at, PRO, &gemini("Q2")).await;
    let got = post(&at, PRO, &gemini("Q3")).await;
    let delay =
        got.body["error"]["details"][1]["retryDelay"].as_str().unwrap().trim_end_matches('s').parse::<f64>();
    assert!(got.status == 429 && (25.0..=30.0).contains(&delay.unwrap()));
    assert_eq!(post(&at, FLASH, &gemini("Q3")).await.status, 200, "another bucket");
    at.configure(Config {
        time_scale: 100.0,
        default: Faults { outages_s: vec![(0.0, 30.0)], ..Faults::default() },
        ..Config::default()
    });
    assert_eq!(post(&at, PRO, &gemini("Q")).await.status, 503);
    eventually("the end of the outage", async || {
        (post(&at, PRO, &gemini("Q")).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_prefix_that_was_seen_is_cheaper() {
    let at = with(Faults { cache_hits: 1.0, cache_min_tokens: 10, ..Faults::default() }).await;
    let cached = |got: &Got| got.body["usageMetadata"]["cachedContentTokenCount"].as_u64();
    assert_eq!(cached(&post(&at, PRO, &gemini("Q1")).await), None);
    let hit = cached(&post(&at, PRO, &gemini("Q2")).await).unwrap();
    assert!(hit > 40, "{hit}");
    assert_eq!(cached(&post(&at, FLASH, &gemini("Q1")).await), None, "another model");
    assert_eq!(at.account().records[1].cached, hit);
    let mut body = anthropic("Q1");
    post(&at, ANTHROPIC, &body).await;
    assert_eq!(
        post(&at, ANTHROPIC, &body).await.body["usage"]["cache_read_input_tokens"],
        0,
        "nothing was marked"
    );
    body["cache_control"] = json!({"type": "ephemeral"});
    assert!(
        post(&at, ANTHROPIC, &body).await.body["usage"]["cache_read_input_tokens"].as_u64().unwrap() > 40
    );
}

#[tokio::test]
async fn it_is_controlled_over_http() {
    let at = Simulated::start().await;
    assert_eq!(post(&at, "/control/config", &json!({"sed": 1})).await.status, 400);
    let config = json!({"seed": 3, "models": {"gemini-2.5-pro": {"internal": 1.0}}});
    assert_eq!(post(&at, "/control/config", &config).await.status, 204);
    assert_eq!(post(&at, PRO, &gemini("Q")).await.status, 500);
    assert_eq!(post(&at, FLASH, &gemini("Q")).await.status, 200);
    let account = || async {
        let text = reqwest::get(format!("{}/control/account", at.url)).await.unwrap().text().await.unwrap();
        serde_json::from_str::<Account>(&text).unwrap()
    };
    assert_eq!(account().await, at.account());
    assert_eq!(account().await.requests, 2);
    post(&at, "/control/reset", &json!({})).await;
    assert_eq!(account().await.requests, 0);
    assert_eq!(post(&at, PRO, &gemini("Q")).await.status, 500, "the configuration stays");
}
