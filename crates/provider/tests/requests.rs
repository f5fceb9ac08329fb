//! What goes out, byte for byte: the journal finds a call by the hash of these bytes, so a change here means that
//! answers already paid for are not found.

#![expect(clippy::unwrap_used, reason = "tests")]

use millrace_provider::models::{LimitField, Model, Models, SchemaMode};
use millrace_provider::{Ask, Correction, Exchange, Kept, Shape, Tier, Vendor};
use serde_json::{Value, json};

fn model(alias: &str) -> Model {
    Models::load(None).unwrap().get(alias).unwrap().clone()
}

fn schema() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["z", "a"], "x-offline": {},
        "properties": { "z": { "type": "string", "maxLength": 9 }, "a": { "type": ["integer", "null"] } }
    })
}

fn ask<'a>(model: &'a Model, schema: &'a Value) -> Ask<'a> {
    Ask {
        model,
        system: "S",
        user: "DOCUMENT question",
        correction: None,
        schema,
        shape: Shape::Schema,
        max_output_tokens: 1000,
        think_less: false,
        tier: Tier::Standard,
        kept: None,
    }
}

fn body(ask: &Ask<'_>) -> String {
    let request = Vendor::request(ask);
    assert_eq!(request, Vendor::request(ask));
    String::from_utf8(request.body).unwrap()
}

fn parsed(ask: &Ask<'_>) -> Value {
    serde_json::from_str(&body(ask)).unwrap()
}

#[test]
fn gemini_to_the_byte() {
    let (model, schema) = (model("pro"), schema());
    let safety: Vec<_> = ["HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT"]
        .iter()
        .map(|name| format!(r#"{{"category":"HARM_CATEGORY_{name}","threshold":"BLOCK_ONLY_HIGH"}}"#))
        .collect();
    let expected = format!(
        concat!(
            r#"{{"systemInstruction":{{"parts":[{{"text":"S"}}]}},"#,
            r#""contents":[{{"role":"user","parts":[{{"text":"DOCUMENT question"}}]}},"#,
            r#"{{"role":"model","parts":[{{"text":"A"}}]}},{{"role":"user","parts":[{{"text":"C"}}]}}],"#,
            r#""safetySettings":[{}],"generationConfig":{{"responseMimeType":"application/json","#,
            r#""responseJsonSchema":{{"type":"object","additionalProperties":false,"required":["z","a"],"#,
            r#""properties":{{"z":{{"type":"string"}},"a":{{"type":["integer","null"]}}}}}},"#,
            r#""maxOutputTokens":1000,"thinkingConfig":{{"thinkingBudget":128}}}},"serviceTier":"flex"}}"#
        ),
        safety.join(",")
    );
    let correction = Some(Correction { answer: "A", complaint: "C" });
    let asked = Ask { correction, think_less: true, tier: Tier::Flex, ..ask(&model, &schema) };
    assert_eq!(body(&asked), expected);
}

#[test]
fn openai_to_the_byte() {
    let (model, schema) = (model("other"), schema());
    let expected = concat!(
        r#"{"model":"gpt-5.4-mini","messages":[{"role":"system","content":"S"},"#,
        r#"{"role":"user","content":"DOCUMENT question"},"#,
        r#"{"role":"assistant","content":"A"},{"role":"user","content":"C"}],"#,
        r#""response_format":{"type":"json_schema","json_schema":{"name":"answer","strict":true,"#,
        r#""schema":{"type":"object","additionalProperties":false,"required":["z","a"],"#,
        r#""properties":{"z":{"type":"string"},"a":{"type":["integer","null"]}}}}},"#,
        r#""max_completion_tokens":1000,"reasoning_effort":"none","service_tier":"flex"}"#
    );
    let correction = Some(Correction { answer: "A", complaint: "C" });
    let asked = Ask { correction, think_less: true, tier: Tier::Flex, ..ask(&model, &schema) };
    assert_eq!(body(&asked), expected);
}

#[test]
fn anthropic_to_the_byte() {
    let (model, schema) = (model("claude-large"), schema());
    let expected = concat!(
        r#"{"model":"claude-sonnet-5","max_tokens":1000,"system":"S","#,
        r#""messages":[{"role":"user","content":"DOCUMENT question"},"#,
        r#"{"role":"assistant","content":"A"},{"role":"user","content":"C"}],"#,
        r#""output_config":{"format":{"type":"json_schema","schema":{"type":"object","#,
        r#""additionalProperties":false,"required":["z","a"],"#,
        r#""properties":{"z":{"type":"string","description":"(maxLength: 9)"},"a":{"type":["integer","null"]}}}},"#,
        r#""effort":"low"}}"#
    );
    let correction = Some(Correction { answer: "A", complaint: "C" });
    // Anthropic has no cheaper tier: asked for, it is not sent.
    let asked = Ask { correction, think_less: true, tier: Tier::Flex, ..ask(&model, &schema) };
    assert_eq!(body(&asked), expected);
}

#[test]
fn thinking_levels_and_the_ordinary_tier() {
    let schema = schema();
    let next = model("pro-next");
    let asked = parsed(&Ask { think_less: true, ..ask(&next, &schema) });
    assert_eq!(asked["generationConfig"]["thinkingConfig"], json!({ "thinkingLevel": "LOW" }));
    let asked = parsed(&ask(&next, &schema));
    assert_eq!(asked["generationConfig"].get("thinkingConfig"), None);
    assert_eq!(asked.get("serviceTier"), None);
    assert_eq!(asked["generationConfig"].get("temperature"), None);
    let claude = model("claude");
    assert_eq!(
        parsed(&Ask { think_less: true, ..ask(&claude, &schema) })["output_config"].get("effort"),
        None
    );
}

#[test]
fn json_mode_has_the_schema_below_the_question() {
    let schema = schema();
    let correction = Some(Correction { answer: "A", complaint: "C" });
    for (alias, format, question) in [
        ("pro", "/generationConfig/responseJsonSchema", "/contents/0/parts/0/text"),
        ("other", "/response_format/json_schema", "/messages/1/content"),
        ("claude", "/output_config", "/messages/0/content"),
    ] {
        let model = model(alias);
        let plain = parsed(&ask(&model, &schema));
        assert!(plain.pointer(format).is_some());
        let asked = parsed(&Ask { shape: Shape::Json, ..ask(&model, &schema) });
        assert_eq!(asked.pointer(format), None, "{alias}");
        let text = asked.pointer(question).unwrap().as_str().unwrap();
        assert!(text.starts_with("DOCUMENT question\n\n") && text.contains(r#""maxLength":9"#), "{text}");
        assert!(!text.contains("x-offline"));
        // A correction begins with the very same turn.
        let corrected = parsed(&Ask { shape: Shape::Json, correction, ..ask(&model, &schema) });
        assert_eq!(corrected.pointer(question), asked.pointer(question));
    }
}

#[test]
fn compatible_servers_get_what_they_can() {
    let schema = schema();
    let mut local = Model { limit: LimitField::MaxTokens, max_output: 500, ..model("other") };
    local.schema = SchemaMode::Json;
    let asked = parsed(&Ask { tier: Tier::Flex, ..ask(&local, &schema) });
    assert_eq!(asked["response_format"], json!({ "type": "json_object" }));
    assert_eq!(asked["max_tokens"], 500, "no more than the model can");
    assert_eq!(asked.get("max_completion_tokens"), None);
    local.schema = SchemaMode::None;
    local.flex = false;
    let asked = parsed(&Ask { tier: Tier::Flex, ..ask(&local, &schema) });
    assert_eq!((asked.get("response_format"), asked.get("service_tier")), (None, None));
    assert!(asked["messages"][1]["content"].as_str().unwrap().contains("JSON Schema"));
    local.schema = SchemaMode::Strict;
    let asked = parsed(&Ask { shape: Shape::Simple, ..ask(&local, &schema) });
    assert_eq!(asked["response_format"]["json_schema"]["strict"], false);
}

#[test]
fn what_is_kept_is_named_instead_of_sent() {
    let (model, schema) = (model("pro"), schema());
    let plain = ask(&model, &schema);
    let bytes = "DOCUMENT ".len();
    let keep = Vendor::keep(&plain, bytes).unwrap();
    assert_eq!(keep.path, "/v1beta/cachedContents");
    assert_eq!(
        serde_json::from_slice::<Value>(&keep.body).unwrap(),
        json!({
            "model": "models/gemini-2.5-pro",
            "systemInstruction": { "parts": [{ "text": "S" }] },
            "contents": [{ "role": "user", "parts": [{ "text": "DOCUMENT " }] }],
            "ttl": "180s",
        })
    );
    let correction = Some(Correction { answer: "A", complaint: "C" });
    let kept = Some(Kept { name: "cachedContents/x1", bytes });
    let (long, short) =
        (parsed(&Ask { correction, ..plain.clone() }), parsed(&Ask { correction, kept, ..plain.clone() }));
    assert_eq!(short["cachedContent"], "cachedContents/x1");
    assert_eq!(short.get("systemInstruction"), None, "it is kept too, and may not be given twice");
    assert_eq!(short["contents"][0]["parts"][0]["text"], "question");
    assert_eq!(short["contents"][1], long["contents"][1]);
    assert_eq!(short["generationConfig"], long["generationConfig"]);
    for alias in ["other", "claude"] {
        let model = self::model(alias);
        let asked = ask(&model, &schema);
        assert_eq!(Vendor::keep(&asked, bytes), None, "{alias}");
        assert_eq!(body(&Ask { kept, ..asked.clone() }), body(&asked), "{alias} is sent all of it");
    }
}

#[test]
fn a_reply_to_keeping_is_its_name_and_its_price() {
    let model = model("pro");
    let exchange =
        |status: u16, body: Value| Exchange { status, body: body.to_string().into(), ..Exchange::default() };
    let made = exchange(
        200,
        json!({ "name": "cachedContents/x1", "model": "models/gemini-2.5-pro", "expireTime": "2026-11-26T12:03:00Z",
            "usageMetadata": { "totalTokenCount": 20_000 } }),
    );
    let reply = Vendor::read(&model, &made).unwrap();
    assert_eq!(reply.text, "cachedContents/x1");
    let day = humantime::parse_rfc3339("2026-11-26T12:00:00Z").unwrap();
    // 20,000 x 1.25, and 20,000 x 4.50 for a twentieth of an hour.
    assert_eq!(model.cost(reply.usage, Tier::Standard, day), Some(25_000 + 4_500));
    assert!(model.keeps(day) && !self::model("other").keeps(day));
    let odd = exchange(200, json!({ "name": "cachedContents/../x" }));
    assert!(Vendor::read(&model, &odd).is_err());

    let gone = json!({ "error": { "code": 403, "status": "PERMISSION_DENIED",
        "message": "CachedContent not found (or permission denied)" } });
    assert!(Vendor::Gemini.lost(&exchange(403, gone.clone())));
    assert!(!Vendor::Gemini.lost(&exchange(500, gone)));
    let key = json!({ "error": { "code": 403, "message": "no permission", "status": "PERMISSION_DENIED" } });
    assert!(!Vendor::Gemini.lost(&exchange(403, key)), "a bad key is something else");
}
