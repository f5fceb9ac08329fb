//! Text that anybody may have written, searched for personal data.

use millrace_pii::{KINDS, LITERAL, Options, Span, kind, placeholders, scan};
use std::collections::HashMap;

/// The first byte says whether names are looked for; what is no text is taken as a reader of broken text would.
pub fn run(data: &[u8]) {
    let Some((names, bytes)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(bytes);
    let options = if names % 2 == 1 { Options::default().with_names() } else { Options::default() };
    let spans = scan(&text, &options);
    assert_eq!(spans, scan(&text, &options), "the same text has the same values");
    sound(&text, &spans);

    let (redacted, values) = redact(&text, &spans);
    assert_eq!(restore(&redacted, &values), text, "what was taken out comes back");
    let left: Vec<Span> = scan(&redacted, &options).into_iter().filter(|span| span.kind != LITERAL).collect();
    assert!(left.is_empty(), "{left:?} is found in what was redacted: {redacted:?}");

    for skipped in KINDS.iter().step_by(7) {
        let found = scan(&text, &options.clone().without(skipped.name));
        sound(&text, &found);
        assert!(found.iter().all(|span| span.kind != skipped.name), "{} is not looked for", skipped.name);
    }
}

/// In order, apart, of whole characters, and of kinds that exist.
fn sound(text: &str, spans: &[Span]) {
    let mut at = 0;
    for span in spans {
        assert!(at <= span.range.start && span.range.start < span.range.end, "{spans:?}");
        assert!(text.get(span.range.clone()).is_some(), "a character is split: {spans:?}");
        assert!(span.kind == LITERAL || kind(span.kind).is_some());
        assert!(span.kind == LITERAL || span.score >= millrace_pii::THRESHOLD);
        at = span.range.end;
    }
}

/// Each value by a placeholder of its own.
fn redact(text: &str, spans: &[Span]) -> (String, HashMap<String, String>) {
    let (mut redacted, mut values, mut at) = (String::new(), HashMap::new(), 0);
    for (number, span) in (1..).zip(spans) {
        let placeholder = format!("[{}_{number}]", span.kind);
        redacted.push_str(&text[at..span.range.start]);
        redacted.push_str(&placeholder);
        values.insert(placeholder, text[span.range.clone()].to_owned());
        at = span.range.end;
    }
    redacted.push_str(&text[at..]);
    (redacted, values)
}

/// One pass, as the vault's reader does it.
fn restore(redacted: &str, values: &HashMap<String, String>) -> String {
    let (mut restored, mut at) = (String::new(), 0);
    for token in placeholders(redacted) {
        restored.push_str(&redacted[at..token.start]);
        let placeholder = &redacted[token.clone()];
        restored.push_str(values.get(placeholder).map_or(placeholder, String::as_str));
        at = token.end;
    }
    restored + &redacted[at..]
}
