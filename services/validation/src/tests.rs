//! The stage on whole answers: what gets into a report, and what goes back.

use super::*;
use millrace_contract::wire::{Block, Document, DocumentText, Page, Remedy};
use serde_json::{Value, json};

const SUMMARY: &str = "summary";

fn stage() -> Validation {
    Validation::new(Settings { profiles: None }).unwrap()
}

fn text() -> DocumentText {
    let block = Block { number: 1, text: "The fee is EUR 100 a month. It is paid late.".into() };
    DocumentText { pages: vec![Page { number: 1, blocks: vec![block] }], ..DocumentText::default() }
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

fn summary(anchor: &str) -> String {
    json!({
        "title": null, "document_type": "contract", "language": "en", "summary": "A fee.",
        "key_points": [{"point": "A fee.", "evidence": {"block_ids": ["p1.b1"], "anchor": anchor}}],
    })
    .to_string()
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
    let obligations = r#"{"obligations": [{"party": "secret", "duty": 5, "kind": "secret", "secret": 1, "deadline": null,
        "evidence": {"block": "p1.b1", "quote": "The fee"}}]}"#;
    let answers = [answer("parties", "I am sorry"), answer("obligations", obligations)];
    let error = made("contract", &answers, &wire::Job::default()).unwrap_err();
    assert_eq!(error.code, ErrorCode::AnswerMalformed);
    let faults: Vec<(&str, &str)> =
        error.faults.iter().map(|fault| (fault.prompt.as_str(), fault.code.as_str())).collect();
    let malformed = ErrorCode::AnswerMalformed.name();
    let expected = [
        ("parties", malformed),
        ("terms", malformed),
        ("obligations", ErrorCode::AnswerInvalid.name()),
        ("risks", malformed),
    ];
    assert_eq!(faults, expected);
    assert_eq!(error.faults[2].at, ["/obligations/0/kind: enum"]);
    assert!(
        !error.message.contains("secret") && error.message.contains("/obligations/0/kind"),
        "{}",
        error.message
    );
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
    let stage = Validation::new(Settings { profiles: Some(folder.path().to_owned()) }).unwrap();
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
    assert_eq!(report["warnings"][0]["at"], "/summary/title");
}
