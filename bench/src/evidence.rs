//! An independent check of published evidence: every quote in a report stands in the document as it was uploaded, once
//! white space is folded. It shares no code with validation.

use serde_json::Value;

/// How many quotes of a report are not in the text.
pub fn not_in(report: &Value, text: &str) -> usize {
    let folded = fold(text);
    let mut missing = 0;
    visit(report, &mut |quote| {
        if !folded.contains(&fold(quote)) {
            missing += 1;
        }
    });
    missing
}

fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn visit(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            if let Some(quote) = fields.get("quote").and_then(Value::as_str) {
                see(quote);
            }
            fields.values().for_each(|field| visit(field, see));
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        _ => {}
    }
}
