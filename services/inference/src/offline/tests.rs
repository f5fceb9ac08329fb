use super::*;
use millrace_contract::wire::{Block, Page};
use millrace_profile::{Profiles, Source};

fn document(text: &str) -> DocumentText {
    let blocks = (1..)
        .zip(text.split("\n\n"))
        .map(|(number, text)| Block { number, text: text.to_owned(), ..Block::default() })
        .collect();
    DocumentText { pages: vec![Page { number: 1, blocks, ..Page::default() }], ..DocumentText::default() }
}

fn offline() -> Offline {
    Offline::new(Settings { offline_latency: Duration::ZERO })
}

#[test]
fn sentences_end_where_people_end_them() {
    assert_eq!(
        split("4.2 The fee is GBP 1,200.50 a month. Mr. Hall pays it. (a) Or not!"),
        ["4.2 The fee is GBP 1,200.50 a month.", "Mr. Hall pays it.", "(a) Or not!"]
    );
    assert_eq!(split("As in clause 6. 9.5 J. Hall pays."), ["As in clause 6.", "9.5 J. Hall pays."]);
    assert_eq!(split("between: (1) A; and (2) B; C."), ["between:", "(1) A;", "and (2) B; C."]);
}

#[test]
fn numbers_in_both_writings() {
    for (text, expected) in
        [("18,500.00", 18500.0), ("18.500,00", 18500.0), ("1.234.567", 1_234_567.0), ("7", 7.0)]
    {
        assert_eq!(number(text, false), Some(json!(expected)), "{text}");
    }
}

#[test]
fn answers_fit_the_built_in_schemas() {
    let text = "This Services Agreement is made on 1 March 2026 between Larkfield Data Ltd, a company \
                registered in England (the \"Supplier\").\n\nThe Client shall pay a monthly fee of GBP 18,500.00. \
                The Supplier shall keep the data secret.\n\nThe liability of the Supplier shall not exceed GBP \
                450,000.00.\n\nThis Agreement is governed by the laws of England.";
    let profiles = Profiles::load(&Source(None)).unwrap();
    // One for all: it compiles each rule once.
    let provider = offline();
    for name in profiles.names() {
        for prompt in &profiles.get(name).unwrap().prompts {
            for text in [text, "", "x"] {
                let answer = provider.answer(&prompt.schema, &document(text), "en").unwrap();
                assert_eq!(answer, provider.answer(&prompt.schema, &document(text), "en").unwrap());
                if text.len() > 1 {
                    let validator = jsonschema::validator_for(&prompt.schema).unwrap();
                    let errors: Vec<_> =
                        validator.iter_errors(&answer).map(|error| error.to_string()).collect();
                    assert!(errors.is_empty(), "{name}/{}: {errors:?} in {answer}", prompt.id);
                }
            }
        }
    }
}

#[test]
fn samples_show_what_people_look_for() {
    let profiles = Profiles::load(&Source(None)).unwrap();
    // One for all: it compiles each rule once.
    let provider = offline();
    let ask = |profile: &str, prompt: &str, text: &str| {
        let prompts = &profiles.get(profile).unwrap().prompts;
        let prompt = prompts.iter().find(|one| one.id == prompt).unwrap();
        provider.answer(&prompt.schema, &document(text), "en").unwrap()
    };
    let english = include_str!("../../../../samples/text/contract-en.txt");
    let spanish = include_str!("../../../../samples/text/contrato-es.txt");
    let invoice = "INVOICE\n\nInvoice number OD-2026-00418\n\nOstrevane Data Services Ltd, Unit 3, Lower Dunmere LD2 \
                   7ZN.\n\nIssue date Due date Period 30 April 2026 30 May 2026 1 to 30 April 2026\n\nGate \
                   register, extra extracts 2 385.50 771.00\n\nNet total 771.00 Value added tax at 20% 154.20 Total \
                   due 925.20\n\nIt is payable by 30 May 2026. IBAN [IBAN_1].";
    let resume = "Marguerite Holloway-Anand\n\nLead Data Engineer, Pellworth Freight Systems, Wexcombe March 2021 to \
                  present\n\nSkills: Rust, Python, SQL\n\nMSc in Computer Science, University of Greywater, 2014.";
    for (profile, prompt, text, pointer, expected) in [
        ("contract", "parties", english, "/parties/0/name", json!("Tarnwick Harbour Logistics Ltd")),
        ("contract", "parties", english, "/parties/1/role", json!("Supplier")),
        ("contract", "parties", english, "/effective/date_text", json!("1 March 2026")),
        ("contract", "parties", english, "/initial_term/length", json!(24)),
        ("contract", "terms", english, "/amounts/1/amount", json!(18500.0)),
        ("contract", "terms", english, "/obligations/0/party", json!("Supplier")),
        ("contract", "clauses", english, "/governing_law/law", json!("the laws of England and Wales")),
        ("contract", "clauses", english, "/liability_cap/amount", json!(450_000.0)),
        ("contract", "clauses", english, "/termination/0/ground", json!("convenience")),
        ("contract", "clauses", english, "/clauses/0/kind", json!("renewal_term")),
        ("contract", "risks", english, "/risks/0/kind", json!("automatic_renewal")),
        ("contract", "parties", spanish, "/parties/1/name", json!("Talleres Quirovento, S.A.")),
        ("contract", "parties", spanish, "/expires/date_text", json!("28 de febrero de 2031")),
        ("contract", "terms", spanish, "/amounts/0/amount", json!(4350.0)),
        ("contract", "clauses", spanish, "/governing_law/law", json!("ley española")),
        ("contract", "clauses", spanish, "/liability_cap/amount", json!(90_000.0)),
        ("invoice", "invoice", invoice, "/number/text", json!("OD-2026-00418")),
        ("invoice", "invoice", invoice, "/issue_date/date_text", json!("30 April 2026")),
        ("invoice", "invoice", invoice, "/due_date/date_text", json!("30 May 2026")),
        ("invoice", "invoice", invoice, "/seller/name", json!("Ostrevane Data Services Ltd")),
        ("invoice", "invoice", invoice, "/lines/0/amount", json!(771.0)),
        ("invoice", "invoice", invoice, "/taxes/0/amount", json!(154.2)),
        ("invoice", "invoice", invoice, "/total/amount", json!(925.2)),
        ("invoice", "invoice", invoice, "/payment/iban", json!("[IBAN_1]")),
        ("resume", "resume", resume, "/person/name", json!("Marguerite Holloway-Anand")),
        ("resume", "resume", resume, "/experience/0/employer", json!("Pellworth Freight Systems")),
        ("resume", "resume", resume, "/experience/0/start_text", json!("March 2021")),
        ("resume", "resume", resume, "/skills/0/name", json!("Rust, Python, SQL")),
        ("resume", "resume", resume, "/education/0/degree", json!("MSc in Computer Science")),
    ] {
        let answer = ask(profile, prompt, text);
        assert_eq!(answer.pointer(pointer), Some(&expected), "{pointer} of {profile}/{prompt}: {answer:#}");
    }
}

#[test]
fn evidence_is_verbatim() {
    let schema = json!({"type": "object", "properties": {"fees": {
        "type": "array", "x-offline": {"match": "GBP", "limit": 2},
        "items": {"type": "object", "properties": {
            "amount": {"type": ["number", "null"], "x-offline": {"match": "GBP ([0-9.,]*[0-9])"}},
            "kind": {"type": "string", "enum": ["fee", "other"],
                     "x-offline": {"cases": {"fee": "fee"}, "otherwise": "other"}},
            "evidence": {"type": "object"}}}}}});
    let answer =
        offline().answer(&schema, &document("Nothing.\n\nA fee of GBP 1,200.50. Cap: GBP 9."), "en").unwrap();
    assert_eq!(
        answer,
        json!({"fees": [
            {"amount": 1200.5, "kind": "fee",
             "evidence": {"block_ids": ["p1.b2"], "anchor": "A fee of GBP 1,200.50."}},
            {"amount": 9.0, "kind": "other", "evidence": {"block_ids": ["p1.b2"], "anchor": "Cap: GBP 9."}}]})
    );
}

#[test]
fn anchors_are_verbatim_beginnings_of_whole_words() {
    let long = "One two  three four five six seven eight nine ten eleven twelve thirteen.";
    assert_eq!(anchor(long), Some("One two  three four five six seven eight nine ten eleven twelve"));
    let wide = format!("Ñandú {} end", "é".repeat(170));
    assert_eq!(anchor(&wide), Some("Ñandú"));
    assert_eq!(anchor(&"x".repeat(161)), None);
    assert_eq!(anchor(&"x".repeat(160)).map(str::len), Some(160));
    assert_eq!(anchor(""), None);
}

#[test]
fn what_is_copied_is_no_longer_than_the_schema_allows() {
    let schema = json!({"type": "string", "maxLength": 12});
    assert_eq!(cut(&schema, "ñandú, perrazo y gato"), "ñandú,");
    assert_eq!(cut(&schema, "short"), "short");
    assert_eq!(cut(&json!({}), "ñandú, perro y gato"), "ñandú, perro y gato");
}
