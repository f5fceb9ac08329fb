use super::*;

const PROMPT: &str = "FENCE\n[p1.b1] This Agreement is made on 1 March 2026 between Acme Ltd and Roe \"Widgets\" SA.\n\
    [p1.b2] The Client shall pay a monthly service fee of GBP 18,500.00 to the Supplier within 30 days of invoice.\n\
    [p2.b1] Either party may end this Agreement by giving not less than 90 days of written notice to the other party.\n\
    [p2.b2] The liability of the Supplier shall not exceed EUR 450,000 in any contract year whatever the cause may be.\n\
    FENCE\n\nWhat now?";

fn evidence(value: &Value, check: &mut dyn FnMut(&str, &str)) {
    if let Some(block) = value["block"].as_str().or(value["block_ids"][0].as_str()) {
        check(block, value["quote"].as_str().or(value["anchor"].as_str()).unwrap());
    }
    match value {
        Value::Object(members) => members.values().for_each(|value| evidence(value, check)),
        Value::Array(items) => items.iter().for_each(|value| evidence(value, check)),
        _ => {}
    }
}

#[test]
fn shipped_schemas_are_answered_with_evidence_from_the_document() {
    let mut schemas = 0;
    for profile in std::fs::read_dir(crate::root().join("profiles")).unwrap().flatten() {
        for file in std::fs::read_dir(profile.path()).into_iter().flatten().flatten() {
            if !file.path().to_string_lossy().ends_with("schema.json") {
                continue;
            }
            schemas += 1;
            let schema: Value = serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap();
            let document = Document::find(PROMPT);
            let made = answer(&schema, &document);
            assert_eq!(made, answer(&schema, &document), "the same again");
            let valid = jsonschema::validator_for(&schema).unwrap();
            let errors: Vec<String> = valid.iter_errors(&made).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{:?}: {errors:?}\n{made:#}", file.path());
            let mut count = 0;
            evidence(&made, &mut |block, anchor| {
                count += 1;
                let block = document.blocks.iter().find(|known| known.id == block).unwrap();
                assert!(block.text.contains(anchor) && anchor.split_whitespace().count() <= 12, "{anchor}");
            });
            assert!(count >= 2, "{made:#}");
        }
    }
    assert!(schemas >= 5);
}

#[test]
fn values_stand_in_the_anchor_of_the_same_item() {
    let schema = json!({"type": "object", "properties": {"items": {"type": "array", "minItems": 3, "items": {
        "type": "object", "properties": {
            "amount": {"type": ["number", "null"]},
            "currency": {"enum": ["EUR", "GBP", "other"]},
            "name": {"type": "string"},
            "evidence": {"$ref": "#/$defs/evidence"}
        }}}, "signed": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {
            "iso": {"type": ["string", "null"]}, "raw": {"type": "string"}, "evidence": {"$ref": "#/$defs/evidence"}}}]}},
        "$defs": {"evidence": {"type": "object", "properties": {
            "block_ids": {"type": "array", "items": {"type": "string"}}, "anchor": {"type": ["string", "null"]}}}}});
    let made = answer(&schema, &Document::find(PROMPT));
    assert_eq!(made["signed"]["iso"], "2026-03-01", "{made:#}");
    let mut amounts = 0;
    for item in made["items"].as_array().unwrap() {
        let anchor = item["evidence"]["anchor"].as_str().unwrap();
        assert!(anchor.contains(item["name"].as_str().unwrap()));
        if let Some(amount) = item["amount"].as_f64() {
            amounts += 1;
            let (said, code) = if amount == 18500.0 { ("18,500.00", "GBP") } else { ("450,000", "EUR") };
            assert!(anchor.contains(said) && item["currency"] == code, "{item}");
        }
    }
    assert_eq!(amounts, 2, "the document has two: {made:#}");
}

#[test]
fn quotes_are_asked_for_or_not() {
    assert!(asks_for_quotes(&json!({"properties": {"a": {"items": {"properties": {"anchor": {}}}}}})));
    assert!(!asks_for_quotes(&json!({"properties": {"a": {"items": {"properties": {"block_ids": {}}}}}})));
}

#[test]
fn texts_keep_to_their_length_wherever_it_is_said() {
    let long = "本契約は両当事者の間で締結されるものとする".repeat(20);
    let prompt = format!("FENCE\n[p1.b1] {long} {long} {long} {long}\nFENCE\n\nWhat now?");
    let lengths = |schema: Value| {
        let made = answer(&schema, &Document::find(&prompt));
        let length = |name: &str| made[name].as_str().unwrap().chars().count();
        assert!(prompt.contains(made["anchor"].as_str().unwrap()), "still verbatim");
        ["summary", "anchor", "reason"].map(length)
    };
    let fields = |limit: Value| {
        let field = json!({"type": "string"});
        let mut field = field.as_object().unwrap().clone();
        field.extend(limit.as_object().unwrap().clone());
        json!({"type": "object", "properties": {"summary": field, "anchor": field, "reason": field, "name": field}})
    };
    assert_eq!(lengths(fields(json!({"maxLength": 80}))), [80; 3]);
    let said = json!({"description": "As it is written. (minLength: 1; maxLength: 80; pattern: 9)"});
    assert_eq!(lengths(fields(said)), [80; 3]);
    assert!(lengths(fields(json!({}))).iter().all(|length| *length > 80));
    let complaint = "It does not hold:\n- /summary: maxLength 80\n- /anchor: maxLength 60\n- /none/0: maxLength 1\nAgain.";
    let [summary, anchor, reason] = lengths(told(&fields(json!({})), complaint));
    assert!((summary, anchor) == (80, 60) && reason > 80);
    let name = answer(&fields(json!({})), &Document::find(&prompt))["name"].clone();
    assert!(name.as_str().unwrap().chars().count() <= SHORT, "{name}");
}
