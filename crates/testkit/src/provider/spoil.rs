//! Answers that are wrong: no JSON, the wrong language, evidence from nowhere, a field that does not fit.

use super::faults::Malformed;
use super::hash::Dice;
use regex::Regex;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// What is left of an answer.
pub(super) fn malformed(answer: &str, how: Malformed) -> String {
    static KEY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""(\w+)":"#).ok());
    let cut = |share: usize| &answer[..answer.floor_char_boundary(answer.len() * share / 100)];
    match how {
        Malformed::FenceCut => format!("Here is the JSON you asked for:\n```json\n{}", cut(66)),
        Malformed::TrailingComma => format!("{},}}", answer.strip_suffix('}').unwrap_or(answer)),
        Malformed::UnquotedKeys => {
            KEY.as_ref().map_or(String::new(), |key| key.replace_all(answer, "$1:").into_owned())
        }
        Malformed::Prose => {
            format!("Sure. This is what the document says:\n\n{answer}\n\nLet me know if you need more.")
        }
        Malformed::SingleQuotes => single_quotes(answer),
        Malformed::Truncated => cut(60).to_owned(),
    }
}

fn single_quotes(answer: &str) -> String {
    let mut made = String::with_capacity(answer.len());
    let mut escaped = false;
    for c in answer.chars() {
        match c {
            '"' if !escaped => made.push('\''),
            '\'' => made.push_str("\\'"),
            c => made.push(c),
        }
        escaped = c == '\\' && !escaped;
    }
    made
}

/// Sentences in another language. What is not a sentence, and what stands in evidence, stays.
pub(super) fn other_language(answer: &mut Value, language: &str) {
    let sentence = if language == "es" {
        "The party that delivers has to do this within the time that was agreed, and nobody else does."
    } else {
        "La parte que entrega tiene que hacerlo dentro del plazo acordado, y nadie más lo hace por ella."
    };
    match answer {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text)
                        if text.split_whitespace().count() >= 3 && name != "anchor" && name != "quote" =>
                    {
                        sentence.clone_into(text);
                    }
                    value => other_language(value, language),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| other_language(item, language)),
        _ => {}
    }
}

/// Makes the first evidence false, in one of three ways. Says whether there was any.
pub(super) fn hallucinate(answer: &mut Value, dice: &mut Dice) -> bool {
    if let Value::Object(members) = answer {
        let words =
            ["anchor", "quote"].into_iter().find(|name| members.get(*name).is_some_and(Value::is_string));
        let block = ["block", "block_ids", "block_id"].into_iter().find(|name| members.contains_key(*name));
        if let (Some(words), Some(block)) = (words, block) {
            let said = members[words].as_str().unwrap_or_default().to_owned();
            let digit = said.find(|c: char| c.is_ascii_digit());
            match (dice.below(3), digit) {
                (0, _) => {
                    members[block] =
                        if members[block].is_array() { json!(["p999.b1"]) } else { json!("p999.b1") }
                }
                (1, Some(at)) => {
                    let other = if said[at..].starts_with('9') { "1" } else { "9" };
                    members[words] = format!("{}{other}{}", &said[..at], &said[at + 1..]).into();
                }
                _ => members[words] = "the purple elephants indemnify every lighthouse keeper".into(),
            }
            return true;
        }
    }
    match answer {
        Value::Object(members) => members.values_mut().any(|value| hallucinate(value, dice)),
        Value::Array(items) => items.iter_mut().any(|value| hallucinate(value, dice)),
        _ => false,
    }
}

/// Drops a field of the answer, or gives it another type.
pub(super) fn violate(answer: &mut Value, dice: &mut Dice) {
    let Some(members) = answer.as_object_mut().filter(|members| !members.is_empty()) else {
        *answer = json!([]);
        return;
    };
    let at = dice.below(members.len());
    let Some(name) = members.keys().nth(at).cloned() else { return };
    if dice.below(2) == 0 {
        members.shift_remove(&name);
    } else {
        let wrong = if members[&name].is_array() { json!("none") } else { json!([[]]) };
        members.insert(name, wrong);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_malformed_parses() {
        let answer = json!({"a": "it's \"so\"", "b": [1, {"c": "d"}]}).to_string();
        for how in ["fence_cut", "trailing_comma", "unquoted_keys", "prose", "single_quotes", "truncated"] {
            let how: Malformed = serde_json::from_value(how.into()).unwrap();
            let text = malformed(&answer, how);
            assert!(serde_json::from_str::<Value>(&text).is_err(), "{how:?}: {text}");
        }
        assert_eq!(malformed(&answer, Malformed::SingleQuotes), r#"{'a':'it\'s \"so\"','b':[1,{'c':'d'}]}"#);
    }

    #[test]
    fn evidence_becomes_false_and_the_rest_stays() {
        let good = json!({"items": [{"name": "n", "evidence": {"block_ids": ["p1.b1"], "anchor": "pays 18,500 pounds"}}]});
        for seed in 0..20 {
            let mut answer = good.clone();
            assert!(hallucinate(&mut answer, &mut Dice::new(seed)));
            assert_ne!(answer, good);
            assert_eq!(answer["items"][0]["name"], "n");
        }
        let mut answer = good.clone();
        violate(&mut answer, &mut Dice::new(1));
        assert_ne!(answer, good);
    }
}
