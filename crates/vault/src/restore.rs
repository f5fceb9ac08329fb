//! Values back into the place of their placeholders: one pass from left to right, so that a restored value is never
//! searched itself; exact placeholders only, so that nobody gets another person's value for a resemblance.

use millrace_contract::wire::{VaultValue, VaultValues};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// No kind's name is longer.
const LONGEST: usize = 64;

/// What came of restoring.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// Places that got their value back.
    pub values: u64,
    /// Placeholders that this document never had; they stay as they are.
    pub refused: BTreeSet<String>,
}

/// Restores all strings inside a parsed JSON value. Names of fields are never values, and stay.
pub fn restore(json: &mut Value, values: &VaultValues) -> Restored {
    let forms = forms(values);
    let mut restored = Restored::default();
    // A stack of our own: reports may be nested as deeply as their writer liked.
    let mut open = vec![json];
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => {
                if let Some(new) = replaced(text, |token| forms.get(token).copied(), &mut restored) {
                    *text = new;
                }
            }
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => open.extend(fields.values_mut()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    restored
}

/// Restores one text.
pub fn restore_text(text: &str, values: &VaultValues) -> String {
    let forms = forms(values);
    replaced(text, |token| forms.get(token).copied(), &mut Restored::default())
        .unwrap_or_else(|| text.to_owned())
}

/// Of a value that is written in several ways, the first.
fn forms(values: &VaultValues) -> BTreeMap<&str, &str> {
    let values = values.values.iter();
    values.filter_map(|value| Some((value.placeholder.as_str(), value.forms.first()?.as_str()))).collect()
}

fn replaced<'v>(
    text: &str,
    mut form: impl FnMut(&str) -> Option<&'v str>,
    restored: &mut Restored,
) -> Option<String> {
    let mut out = String::new();
    let (mut at, mut from) = (0, 0);
    while let Some(open) = text[from..].find('[').map(|found| from + found) {
        let Some(token) = placeholder(&text[open..]) else {
            from = open + 1;
            continue;
        };
        from = open + token.len();
        match form(token) {
            Some(value) => {
                out.push_str(&text[at..open]);
                out.push_str(value);
                at = from;
                restored.values += 1;
            }
            None => drop(restored.refused.insert(token.to_owned())),
        }
    }
    (at > 0).then(|| out + &text[at..])
}

/// The placeholder with which a text begins: `[KIND_1]`.
fn placeholder(text: &str) -> Option<&str> {
    let end = text.bytes().take(LONGEST).position(|byte| byte == b']')?;
    let (kind, number) = text[1..end].rsplit_once('_')?;
    let named = kind.starts_with(|c: char| c.is_ascii_uppercase())
        && kind.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let numbered =
        !number.is_empty() && !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    (named && numbered).then(|| &text[..=end])
}

/// Gives a document's own text back as it was, also where it writes one value in several ways.
pub struct Original<'v> {
    /// For each placeholder its forms, which of them stands where, and how many were passed.
    values: BTreeMap<&'v str, (&'v VaultValue, usize)>,
}

impl<'v> Original<'v> {
    /// Begins at the beginning of the document.
    pub fn new(values: &'v VaultValues) -> Self {
        Self { values: values.values.iter().map(|value| (value.placeholder.as_str(), (value, 0))).collect() }
    }

    /// The document's next piece of text, in the order in which it was redacted.
    pub fn text(&mut self, redacted: &str) -> String {
        let values = &mut self.values;
        let next = |token: &str| {
            let (value, passed) = values.get_mut(token)?;
            let form = value.order.get(*passed).copied().unwrap_or(0);
            *passed += 1;
            value.forms.get(form as usize).map(String::as_str)
        };
        replaced(redacted, next, &mut Restored::default()).unwrap_or_else(|| redacted.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn values(pairs: &[(&str, &str)]) -> VaultValues {
        let value = |(placeholder, form): &(&str, &str)| VaultValue {
            placeholder: (*placeholder).to_owned(),
            forms: vec![(*form).to_owned(), "another form".to_owned()],
            order: vec![],
        };
        VaultValues { values: pairs.iter().map(value).collect() }
    }

    #[test]
    fn strings_get_their_values_and_nothing_else_does() {
        let vault =
            values(&[("[EMAIL_1]", "\"quoted\"@b.com"), ("[IBAN_12]", "[EMAIL_1]"), ("[ES_NIF_1]", "1Z")]);
        let mut json = json!({
            "[EMAIL_1]": ["to [EMAIL_1] and [IBAN_12].", 1, null, true],
            "deep": {"text": "[[ES_NIF_1]] [EMAIL_2] [email_1] [EMAIL_01] [EMAIL 1] [EMAIL_1"},
        });
        let restored = restore(&mut json, &vault);
        assert_eq!(
            json,
            json!({
                "[EMAIL_1]": ["to \"quoted\"@b.com and [EMAIL_1].", 1, null, true],
                "deep": {"text": "[1Z] [EMAIL_2] [email_1] [EMAIL_01] [EMAIL 1] [EMAIL_1"},
            })
        );
        assert_eq!(restored.values, 3);
        assert_eq!(restored.refused, BTreeSet::from(["[EMAIL_2]".to_owned()]));
    }

    proptest! {
        #[test]
        fn nothing_is_restored_from_nothing(text in r"([\[\]A-Z_0-9é]|.){0,40}") {
            let mut json = Value::String(text.clone());
            prop_assert_eq!(restore(&mut json, &VaultValues::default()).values, 0);
            prop_assert_eq!(json, Value::String(text));
        }

        /// A model that changes a placeholder in any way gets nothing, least of all the neighbour's value.
        #[test]
        fn a_changed_placeholder_restores_nothing(at in 0usize..8, new in "[ -~]") {
            let vault = values(&[("[NAME_11]", "ann"), ("[NAME_1]", "ben"), ("[NAME_12]", "cid")]);
            let mut token = "[NAME_1]".to_owned();
            token.replace_range(at..=at, &new);
            prop_assume!(token != "[NAME_1]");
            prop_assert_eq!(restore_text(&token, &vault), token);
        }
    }

    #[test]
    fn brackets_without_end_take_no_time() {
        let text = "[".repeat(1 << 20);
        assert_eq!(restore_text(&text, &values(&[("[A_1]", "x")])), text);
    }
}
