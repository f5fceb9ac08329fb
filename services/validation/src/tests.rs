//! The stage on whole answers: what gets into a report, and what goes back.

use super::*;
use millrace_contract::wire::{Block, Document, DocumentText, Page, Remedy};
use serde_json::{Value, json};

const SUMMARY: &str = "summary";

fn stage() -> Validation {
    Validation::new(Settings { profiles: None, repair: Repairing::On }).unwrap()
}

fn text() -> DocumentText {
    let block =
        Block { number: 1, text: "The fee is EUR 100 a month. It is paid late.".into(), ..Block::default() };
    DocumentText {
        pages: vec![Page { number: 1, blocks: vec![block], ..Page::default() }],
        ..DocumentText::default()
    }
}

fn answer(prompt: &str, json: &str) -> Answer {
    Answer {
        prompt: prompt.into(),
        json: json.into(),
        provider: "gemini".into(),
        model: "m".into(),
        ..Answer::default()
    }
}

/// An answer to the summary's prompt, whatever else the profile asks there.
fn summary(anchor: &str) -> String {
    let stage = stage();
    let schema = &stage.profiles.get(SUMMARY).unwrap().prompts[0].schema;
    let all = schema::properties(schema).unwrap().iter();
    let empty = |schema: &Value| if schema["type"] == "array" { json!([]) } else { Value::Null };
    let mut answer: Map<String, Value> = all.map(|(name, schema)| (name.clone(), empty(schema))).collect();
    let evidence = json!({"block_ids": ["p1.b1"], "anchor": anchor});
    answer.insert("document_type".into(), json!("contract"));
    answer.insert("language".into(), json!("en"));
    answer.insert("summary".into(), json!("A fee."));
    answer.insert("key_points".into(), json!([{"point": "A fee.", "evidence": evidence}]));
    Value::Object(answer).to_string()
}

fn made(profile: &str, answers: &[Answer], known: &wire::Job) -> std::result::Result<Value, StageError> {
    let stage = stage();
    let profile = stage.profiles.get(profile).unwrap();
    stage.assemble(profile, known, answers, &text()).map(|made| made.json()).map_err(failed)
}

#[test]
fn a_report_says_what_it_is_made_of() {
    let document = Document { name: "a.pdf".into(), sha256: "ab".into(), ..Document::default() };
    let remedy =
        Remedy { prompt: SUMMARY.into(), action: "split".into(), argument: "2".into(), ..Remedy::default() };
    let known = wire::Job {
        document: Some(document),
        remedies: vec![remedy],
        cost_microusd: 7,
        ..wire::Job::default()
    };
    let fenced = answer(SUMMARY, &format!("```json\n{}\n```", summary("the fee is EUR 100")));
    let report = made(SUMMARY, &[fenced], &known).unwrap();
    assert_eq!(report["document"], json!({"name": "a.pdf", "sha256": "ab"}));
    assert_eq!(
        report["remedies"],
        json!([{"prompt": SUMMARY, "action": "split", "argument": "2", "code": ""}])
    );
    assert_eq!(report["repairs"], json!([{"prompt": SUMMARY, "what": "fence", "at": ""}]));
    assert_eq!((&report["models"], &report["degraded"]), (&json!(["m"]), &json!(false)));
    assert_eq!(report["evidence"], json!({"found": 1, "withheld": 0}));
    let point = &report["sections"][SUMMARY]["key_points"][0];
    assert_eq!(point["evidence"]["quote"], "The fee is EUR 100 a month.");
    assert!(
        report.get("cost_usd").is_none() && report.get("job_id").is_none(),
        "another job may get this report"
    );
}

#[test]
fn what_is_not_in_the_text_is_withheld_and_counted() {
    let report =
        made(SUMMARY, &[answer(SUMMARY, &summary("the fee is EUR 1000 a month"))], &wire::Job::default());
    let report = report.unwrap();
    assert_eq!(report["evidence"], json!({"found": 0, "withheld": 1}));
    assert_eq!(report["sections"][SUMMARY]["key_points"][0]["evidence"]["grounded"], false);
}

#[test]
fn all_that_is_wrong_is_said_at_once_and_by_place_only() {
    let error = made("contract", &[], &wire::Job::default()).unwrap_err();
    assert_eq!(error.code, ErrorCode::AnswerMalformed);
    let stage = stage();
    let prompts: Vec<&str> =
        stage.profiles.get("contract").unwrap().prompts.iter().map(|prompt| prompt.id.as_str()).collect();
    let faults: Vec<&str> = error.faults.iter().map(|fault| fault.prompt.as_str()).collect();
    assert_eq!(faults, prompts);
    let wrong = summary("the fee").replace("\"contract\"", "\"secret\", \"secret\": 1");
    let error = made(SUMMARY, &[answer(SUMMARY, &wrong)], &wire::Job::default()).unwrap_err();
    assert_eq!(error.code, ErrorCode::AnswerInvalid);
    assert_eq!(error.faults[0].at, ["/document_type: enum"]);
    assert!(
        !error.message.contains("secret") && error.message.contains("/document_type"),
        "{}",
        error.message
    );
    let sorry = made(SUMMARY, &[answer(SUMMARY, "I am sorry")], &wire::Job::default()).unwrap_err();
    assert_eq!(sorry.code, ErrorCode::AnswerMalformed);
}

/// The built-in profile with one more check.
fn checked() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/summary");
    let to = folder.path().join(SUMMARY);
    std::fs::create_dir(&to).unwrap();
    for file in from.read_dir().unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    let path = to.join("profile.toml");
    let check = "\n[[checks]]\ncheck = \"in_document\"\nfield = \"summary.title\"\notherwise = \"re_ask\"\n";
    let profile = std::fs::read_to_string(&path).unwrap() + check;
    std::fs::write(path, profile).unwrap();
    folder
}

#[test]
fn findings_that_contradict_are_asked_about_once_and_then_published_with_a_warning() {
    let folder = checked();
    let stage = Validation::new(Settings { profiles: Some(folder.path().to_owned()), repair: Repairing::On })
        .unwrap();
    let profile = stage.profiles.get(SUMMARY).unwrap();
    let answers = [answer(SUMMARY, &summary("the fee").replace("\"title\":null", "\"title\":\"Lease\""))];
    let faults = stage.assemble(profile, &wire::Job::default(), &answers, &text()).map(|_| ()).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].code, ErrorCode::AnswerInconsistent.name());
    assert!(faults[0].at.contains(&"/title: in_document".to_owned()));
    let remedy = Remedy {
        prompt: SUMMARY.into(),
        action: Action::ReAsk.name().into(),
        code: ErrorCode::AnswerInconsistent.name().into(),
        ..Remedy::default()
    };
    let known = wire::Job { remedies: vec![remedy], ..wire::Job::default() };
    let report = stage.assemble(profile, &known, &answers, &text()).map(|made| made.json()).unwrap();
    let warnings = report["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|warning| warning["at"] == "/summary/title"), "{warnings:?}");
}

#[test]
fn a_report_shows_where_its_evidence_stands_and_which_pages_nobody_read() {
    let mut text = text();
    let line = |start, y0| wire::Line { start, x0: 50.0, y0, x1: 300.25, y1: y0 + 12.0 };
    text.pages[0].blocks[0].lines = vec![line(0, 100.0), line(17, 114.0), line(28, 128.0)];
    (text.pages[0].width, text.pages[0].height) = (595.0, 842.0);
    text.pages.push(Page { number: 7, reader: UNREAD.to_owned(), ..Page::default() });
    let stage = stage();
    let profile = stage.profiles.get(SUMMARY).unwrap();
    let answers = [answer(SUMMARY, &summary("EUR 100 a month"))];
    let report =
        stage.assemble(profile, &wire::Job::default(), &answers, &text).map(|made| made.json()).unwrap();
    let evidence = &report["sections"][SUMMARY]["key_points"][0]["evidence"];
    // "The fee is EUR 100 a month.": the quote begins on the first line and ends on the second.
    assert_eq!(evidence["boxes"], json!([[50.0, 100.0, 300.3, 112.0], [50.0, 114.0, 300.3, 126.0]]));
    assert_eq!(evidence["page_size"], json!([595.0, 842.0]));
    assert_eq!((&report["unread_pages"], &report["degraded"]), (&json!([7]), &json!(true)));
}
