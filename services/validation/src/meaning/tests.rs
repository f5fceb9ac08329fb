//! Each rule, kept and broken, and what is done about it.

use super::*;
use millrace_contract::wire::{Block, DocumentText, Page};

fn index() -> Index {
    let text = "The fee of GBP 18,500.00 is due on 1 March 2026. Acme Trading, S.L. signs.";
    let block = Block { number: 1, text: text.to_owned(), ..Block::default() };
    Index::new(&DocumentText {
        pages: vec![Page { number: 1, blocks: vec![block], ..Page::default() }],
        ..DocumentText::default()
    })
}

fn sections() -> Map<String, Value> {
    let quote = |quote: &str| json!({"quote": quote, "match": "exact", "block": "p1.b1", "start": 0, "end": 48, "grounded": true});
    let fee = "The fee of GBP 18,500.00 is due on 1 March 2026.";
    let sections = json!({
        "parties": {"parties": [{"name": "Acme Trading, S.L.", "role": "Supplier"}, {"name": "Apex Ltd", "role": "Client"}]},
        "terms": {
            "effective": {"date": "2026-03-01", "evidence": quote(fee)},
            "expires": {"date": "2025-03-01", "evidence": {"grounded": false, "reason": "x"}},
            "renewed": null,
            "amounts": [
                {"amount": 18500.0, "currency": "GBP", "iban": "[IBAN_1]", "evidence": quote(fee)},
                {"amount": 1850.0, "currency": "pounds", "iban": "GB00", "evidence": quote(fee)},
                {"amount": null, "currency": "other", "iban": null, "evidence": quote(fee)},
                {"amount": 18500.0, "currency": "EUR", "iban": null, "evidence": {"match": "block", "block": "p1.b1", "quote": "The fee"}},
                {"amount": 7.0, "currency": "EUR", "iban": null, "evidence": {"grounded": false, "reason": "x"}},
            ],
        },
        "invoice": {
            "lines": [{"net": 10.0, "tax": 2.0, "gross": 12.0, "from": "2026-01-01", "to": "2026-02-01"},
                {"net": 20.0, "tax": 4.0, "gross": 25.0, "from": "2026-03-01", "to": "2026-02-01"}],
            "empty": [], "shipping": null, "discount": 1.0, "total": 35.0, "open": null,
        },
        "obligations": {"obligations": [{"party": "the supplier"}, {"party": "Each party"}, {"party": "Tenant"}]},
    });
    match sections {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn schema() -> Value {
    json!({"properties": {
        "effective": {"type": ["object", "null"], "properties": {"date": {"type": "string"}}},
        "expires": {"type": "object", "properties": {"date": {"type": "string"}}},
        "amounts": {"type": "array", "items": {"properties": {"amount": {}, "currency": {}}}},
    }})
}

fn rule(rule: Value) -> Check {
    serde_json::from_value(rule).unwrap()
}

fn at(check: Value) -> Vec<String> {
    let findings = check_all(&mut sections(), &[rule(check)], false);
    findings.warnings.into_iter().map(|warning| warning.at).collect()
}

fn check_all(sections: &mut Map<String, Value>, checks: &[Check], asked: bool) -> Findings {
    let schema = schema();
    check(checks, sections, &index(), |_| Some(&schema), |_| asked)
}

#[test]
fn rules_say_where_they_are_broken() {
    for (check, broken) in [
        (
            json!({"check": "dates_in_order", "first": "terms.effective.date", "then": "terms.expires.date"}),
            &["/terms/effective/date"][..],
        ),
        (
            json!({"check": "dates_in_order", "first": "terms.expires.date", "then": "terms.effective.date"}),
            &[],
        ),
        (
            json!({"check": "dates_in_order", "first": "terms.effective.date", "then": "terms.renewed.date"}),
            &[],
        ),
        (
            json!({"check": "dates_in_order", "first": "invoice.lines.*.from", "then": "invoice.lines.*.to"}),
            &["/invoice/lines/1/from"],
        ),
        (
            json!({"check": "date_between", "field": "terms.effective.date", "from": 1900, "to": 2025}),
            &["/terms/effective/date"],
        ),
        (json!({"check": "date_between", "field": "terms.effective.date", "from": 1900, "to": 2026}), &[]),
        (
            json!({"check": "adds_up", "parts": ["invoice.lines.*.net", "invoice.lines.*.tax", "invoice.shipping"],
            "minus": ["invoice.discount"], "total": "invoice.total"}),
            &[],
        ),
        (
            json!({"check": "adds_up", "parts": ["invoice.lines.*.gross"], "minus": ["invoice.discount"],
            "total": "invoice.total"}),
            &["/invoice/total"],
        ),
        (
            json!({"check": "adds_up", "parts": ["invoice.lines.*.gross"], "total": "invoice.total", "tolerance": 2.5}),
            &[],
        ),
        (
            json!({"check": "adds_up", "parts": ["invoice.lines.*.net", "invoice.lines.*.tax"],
            "total": "invoice.lines.*.gross"}),
            &["/invoice/lines/1/gross"],
        ),
        (json!({"check": "adds_up", "parts": ["invoice.total"], "total": "invoice.open"}), &[]),
        (json!({"check": "adds_up", "parts": ["terms.amounts.*.amount"], "total": "invoice.total"}), &[]),
        (
            json!({"check": "number_in_quote", "field": "terms.amounts.*.amount"}),
            &["/terms/amounts/1/amount"],
        ),
        (json!({"check": "date_in_quote", "field": "terms.effective.date"}), &[]),
        (json!({"check": "date_in_quote", "field": "terms.expires.date"}), &[]),
        (json!({"check": "in_document", "field": "parties.parties.*.name"}), &["/parties/parties/1/name"]),
        (
            json!({"check": "among", "field": "obligations.obligations.*.party", "among": "parties.parties.*.role"}),
            &["/obligations/obligations/2/party"],
        ),
        (
            json!({"check": "among", "field": "obligations.obligations.*.party", "among": "parties.nothing.*.role"}),
            &[],
        ),
        (json!({"check": "currency", "field": "terms.amounts.*.currency"}), &["/terms/amounts/1/currency"]),
        (json!({"check": "iban", "field": "terms.amounts.*.iban"}), &["/terms/amounts/1/iban"]),
        (
            json!({"check": "adds_up", "parts": ["invoice.total", "invoice.nothing"], "total": "invoice.total"}),
            &[],
        ),
        (
            json!({"check": "adds_up", "parts": ["invoice.discount", "invoice.empty.*.net"], "total": "invoice.total"}),
            &[],
        ),
        (json!({"check": "iban", "field": "nobody.asked.this"}), &[]),
    ] {
        assert_eq!(at(check.clone()), broken, "{check}");
    }
}

#[test]
fn what_is_dropped_is_gone_and_the_report_says_so() {
    let mut sections = sections();
    let checks = [
        rule(json!({"check": "currency", "field": "terms.amounts.*.currency"})),
        rule(json!({"check": "number_in_quote", "field": "terms.amounts.*.amount", "otherwise": "drop"})),
        rule(
            json!({"check": "date_between", "field": "terms.effective.date", "from": 1, "to": 2, "otherwise": "drop"}),
        ),
        rule(
            json!({"check": "date_between", "field": "terms.expires.date", "from": 1, "to": 2, "otherwise": "drop"}),
        ),
    ];
    let findings = check_all(&mut sections, &checks, false);
    let at: Vec<&str> = findings.warnings.iter().map(|warning| warning.at.as_str()).collect();
    assert_eq!(at, ["/terms/amounts", "/terms/effective", "/terms/expires/date"]);
    assert_eq!(sections["terms"]["amounts"].as_array().unwrap().len(), 4);
    assert!(sections["terms"]["effective"].is_null(), "null is allowed here");
    assert!(sections["terms"]["expires"].is_object(), "and not here");
    assert!(findings.warnings[0].message.contains("1850"), "the report may say what");
}

#[test]
fn doubts_are_asked_about_once() {
    let check =
        rule(json!({"check": "number_in_quote", "field": "terms.amounts.*.amount", "otherwise": "re_ask"}));
    let findings = check_all(&mut sections(), std::slice::from_ref(&check), false);
    let doubt = Doubt { prompt: "terms".into(), at: "/amounts/1/amount: number_in_quote".into() };
    assert_eq!((findings.doubts, findings.warnings), (vec![doubt], vec![]));
    let findings = check_all(&mut sections(), &[check], true);
    assert_eq!(findings.doubts, []);
    assert_eq!(findings.warnings[0].at, "/terms/amounts/1/amount");
}
