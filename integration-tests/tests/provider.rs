//! Inference against a provider with Gemini's real wire format.

use integration_tests::{World, contract};
use millrace_testkit::gemini::{Gemini, Reply};
use millrace_testkit::hostile::{pdf, says};
use serde_json::json;

async fn world(gemini: &Gemini) -> World {
    World::start_with(&[
        ("GEMINI_BASE_URL", &gemini.url),
        ("GEMINI_API_KEY", "the-key"),
        ("MILLRACE_PROVIDER_TIMEOUT", "2s"),
    ])
    .await
}

fn overloaded() -> Reply {
    Reply::Error(503, json!({"error": {"code": 503, "status": "UNAVAILABLE"}}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_prompts_in_the_real_wire_format() {
    let gemini = Gemini::start().await;
    let world = world(&gemini).await;
    let job = world.ended(&world.upload("d.txt", contract(1), "").await).await;
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!((&job["provider"], &job["model"]), (&"gemini".into(), &"gemini-2.5-pro".into()));
    assert_eq!((&job["input_tokens"], &job["output_tokens"]), (&4000.into(), &400.into()));
    assert_eq!(job["cost_usd"], 0.009, "4 x (1000 x 1.25 + 100 x 10) millionths of a dollar");
    let asked = gemini.asked();
    assert_eq!(asked.len(), 4);
    let prefix = |index: usize| {
        let text = asked[index].body["contents"][0]["parts"][0]["text"].as_str().unwrap().to_owned();
        text.split("[p1.b1]").next().unwrap().to_owned()
    };
    for (index, ask) in asked.iter().enumerate() {
        assert_eq!((ask.key.as_str(), ask.model.as_str()), ("the-key", "gemini-2.5-pro"));
        let schema = ask.body["generationConfig"]["responseJsonSchema"].to_string();
        assert!(schema.len() > 50 && !schema.contains("x-offline"), "{schema}");
        assert_eq!(ask.body["systemInstruction"], asked[0].body["systemInstruction"]);
        assert_eq!(prefix(index), prefix(0), "what a provider can cache");
        let text = ask.body.to_string();
        assert!(text.contains("[EMAIL_1]") && !text.contains("jane.roe"), "redacted before it leaves");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_that_pass_cost_no_answer_twice() {
    let gemini = Gemini::start().await;
    let world = world(&gemini).await;
    // One prompt is answered; then it fails in three ways, one of which says how long to wait.
    gemini.script([
        Reply::Good,
        overloaded(),
        Reply::After(429, 1),
        Reply::Error(500, json!([{"error": {"code": 500}}])),
    ]);
    let job = world.ended(&world.upload("d.txt", contract(1), "").await).await;
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!(gemini.asked().len(), 7, "four prompts and three failures");
}

/// Bodies of the requests so far; the same bytes twice are the same call twice.
fn bodies(gemini: &Gemini) -> Vec<String> {
    gemini.asked().iter().map(|asked| format!("{} {}", asked.model, asked.body)).collect()
}

fn repeated(gemini: &Gemini) -> usize {
    let bodies = bodies(gemini);
    let distinct: std::collections::BTreeSet<&String> = bodies.iter().collect();
    bodies.len() - distinct.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_400_is_never_sent_again() {
    let gemini = Gemini::start().await;
    let world = world(&gemini).await;
    gemini.script([Reply::Error(400, json!({"error": {"code": 400, "status": "INVALID_ARGUMENT"}}))]);
    let id = world.upload("d.txt", contract(1), "").await;
    let job = world.ended(&id).await;
    assert_eq!(job["status"], "completed", "{job}");
    assert!(job["rule"].as_str().unwrap().contains("provider_refused in inference"), "{job}");
    assert_eq!(repeated(&gemini), 0, "asked differently, never the same again");

    // A key that is not accepted: every model of the chain is asked once, and the next job is not sent into it.
    let before = gemini.asked().len();
    let refused =
        || Reply::Error(400, json!({"error": {"code": 400, "details": [{"reason": "API_KEY_INVALID"}]}}));
    gemini.script(std::iter::repeat_with(refused).take(20));
    let job = world.ended(&world.upload("d.txt", contract(2), "").await).await;
    assert_eq!((&job["status"], &job["last_error"]), (&"dead".into(), &"provider_auth".into()), "{job}");
    assert_eq!(repeated(&gemini), 0);
    assert!(gemini.asked().len() - before <= 8, "four prompts, two models");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_pro_stays_away_the_router_goes_on_with_flash() {
    let gemini = Gemini::start().await;
    let world = world(&gemini).await;
    gemini.script([overloaded(), overloaded(), overloaded(), overloaded()]);
    let id = world.upload("d.txt", contract(1), "").await;
    let job = world.ended(&id).await;
    assert_eq!((&job["status"], &job["round"]), (&"completed".into(), &1.into()));
    let models: Vec<String> = gemini.asked().into_iter().map(|asked| asked.model).collect();
    assert_eq!(models.iter().filter(|model| *model == "gemini-2.5-flash").count(), 1, "{models:?}");
    assert_eq!(models.len(), 8, "four tries, then flash for this prompt; pro for the others: {models:?}");
    let rule = job["rule"].as_str().unwrap();
    assert!(
        rule.starts_with("recovery: provider_overloaded in inference: parties switch_model flash"),
        "{job}"
    );
    let events: Vec<String> = world.log(&id).await.into_iter().map(|(event, _)| event).collect();
    assert_eq!(events.iter().filter(|event| *event == "routed").count(), 2);
    assert_eq!(events.iter().filter(|event| *event == "inference_failed").count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_does_not_hold_is_corrected_once_and_then_asked_of_another_model() {
    let gemini = Gemini::start().await;
    let world = world(&gemini).await;
    gemini.script([Reply::Text("I am sorry, I cannot".into())]);
    let job = world.ended(&world.upload("d.txt", contract(1), "").await).await;
    assert_eq!((&job["status"], &job["model"]), (&"completed".into(), &"gemini-2.5-pro".into()), "{job}");
    assert!(
        job["rule"].as_str().unwrap().ends_with("answer_malformed in validation: parties re_ask"),
        "{job}"
    );
    let asked = gemini.asked();
    assert_eq!(asked.len(), 5);
    let turns = asked[4].body["contents"].as_array().unwrap();
    assert_eq!(turns.len(), 3, "document and question, the answer, the complaint");
    assert_eq!(turns[0], asked[0].body["contents"][0], "what a provider can cache is the same");

    let sorry = || Reply::Text("I am sorry, I cannot".into());
    gemini.script([sorry(), Reply::Good, Reply::Good, Reply::Good, sorry()]);
    let job = world.ended(&world.upload("d.txt", contract(2), "").await).await;
    assert_eq!(job["status"], "completed", "{job}");
    assert!(job["rule"].as_str().unwrap().ends_with("parties switch_model flash"), "{job}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invented_evidence_is_withheld() {
    let gemini = Gemini::start().await;
    let world = world(&gemini).await;
    let point =
        |anchor: &str| json!({"point": "text", "evidence": {"block_ids": ["p1.b3"], "anchor": anchor}});
    let answer = json!({
        "title": null, "document_type": "contract", "language": "en", "summary": "A contract.",
        "key_points": [point("The Client shall pay a monthly fee"), point("The Client shall pay a weekly fee in gold")],
        "entities": [], "dates": [], "figures": [], "actions": [],
    });
    gemini.script([Reply::Text(answer.to_string())]);
    let id = world.upload("d.txt", contract(1), "&profile=summary").await;
    let job = world.ended(&id).await;
    assert_eq!(job["status"], "completed", "{job}");
    let report = world.report(&id).await;
    assert_eq!(report["evidence"], json!({"found": 1, "withheld": 1}), "{report:#}");
    assert!(!report.to_string().contains("gold"), "what is not in the text is not published");
    let evidence = &report["sections"]["summary"]["key_points"][0]["evidence"];
    assert!(evidence["quote"].as_str().unwrap().contains("GBP 1,500.00"), "the whole sentence: {evidence}");
}

/// The schema that this provider takes does not say how long a figure may be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_too_long_is_asked_for_again_with_its_limit() {
    let gemini = Gemini::start().await;
    let world = world(&gemini).await;
    let answer = |figure: &str| {
        let evidence = json!({"block_ids": ["p1.b3"], "anchor": null});
        let figure = json!({"text": figure, "value": 1500, "meaning": "A fee.", "evidence": evidence});
        let answer = json!({
            "title": null, "document_type": "contract", "language": "en", "summary": "A contract.",
            "key_points": [], "entities": [], "dates": [], "figures": [figure], "actions": [],
        });
        Reply::Text(answer.to_string())
    };
    gemini.script([answer(&"GBP 1,500.00 ".repeat(9)), answer("GBP 1,500.00")]);
    let id = world.upload("d.txt", contract(1), "&profile=summary").await;
    world.completed(&id).await;
    assert_eq!(world.recoveries(&id).await, ["answer_invalid in validation: summary re_ask"]);
    let asked = gemini.asked();
    assert_eq!(asked.len(), 2);
    assert!(!asked[0].body.to_string().contains("maxLength"));
    let again = asked[1].body.to_string();
    assert!(again.contains("- /figures/0/text: maxLength 80"), "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_s_note_is_shown_as_one_and_is_evidence_all_the_same() {
    let gemini = Gemini::start().await;
    let world = world(&gemini).await;
    let objects: Vec<Vec<u8>> = vec![
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>".to_vec(),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>/Annots[6 0 R]>>".to_vec(),
        says("The Client shall pay a monthly fee of GBP 18,500.00"),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_vec(),
        b"<</Type/Annot/Subtype/Text/Contents(We never agreed to this fee)/Rect[20 700 40 720]>>".to_vec(),
    ];
    let evidence = json!({"block_ids": ["p1.b2"], "anchor": "We never agreed"});
    let answer = json!({
        "title": null, "document_type": "contract", "language": "en", "summary": "A contract.",
        "key_points": [{"point": "A reader disputes the fee.", "evidence": evidence}],
        "entities": [], "dates": [], "figures": [], "actions": [],
    });
    gemini.script([Reply::Text(answer.to_string())]);
    let id = world.upload("noted.pdf", pdf(&objects), "&profile=summary").await;
    world.completed(&id).await;
    let asked = gemini.asked();
    let shown = asked[0].body["contents"][0]["parts"][0]["text"].as_str().unwrap();
    let document = "[p1.b1] The Client shall pay a monthly fee of GBP 18,500.00\n\
                    (noted on the page by a reader:)\n[p1.b2] We never agreed to this fee\n";
    assert!(shown.contains(document), "{shown}");
    let report = world.report(&id).await;
    let evidence = &report["sections"]["summary"]["key_points"][0]["evidence"];
    assert_eq!(evidence["quote"], "We never agreed to this fee", "{report:#}");
}
