//! The kinds of values, and what is done with each where nobody says otherwise.

use crate::validate as v;

/// The kind of text that looks like one of our placeholders itself. Left as it is, a document could say
/// `[IBAN_1]` and have somebody else's IBAN restored in that place.
pub const LITERAL: &str = "LITERAL";

/// What is done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A placeholder stands in its place.
    Replace,
    /// It stays.
    Keep,
}

/// A kind of value.
#[derive(Debug)]
pub struct Kind {
    /// As it stands in placeholders: `A-Z_`.
    pub name: &'static str,
    /// What is done with it by default.
    pub action: Action,
    /// What all spellings of one value share.
    pub canonical: fn(&str) -> String,
}

const fn replace(name: &'static str, canonical: fn(&str) -> String) -> Kind {
    Kind { name, action: Action::Replace, canonical }
}

/// Every kind that is looked for.
pub static KINDS: &[Kind] = &[
    replace("EMAIL", v::lower),
    replace("IBAN", v::alphanumeric_upper),
    replace("SSN", v::alphanumeric_upper),
    replace("ITIN", v::alphanumeric_upper),
    replace("ES_NIF", v::alphanumeric_upper),
    replace("ES_NIE", v::alphanumeric_upper),
    replace("CARD", v::alphanumeric_upper),
    replace("IP", v::ip_text),
    replace("PHONE", v::phone_digits),
    replace("DATE_OF_BIRTH", v::alphanumeric_upper),
];

/// The kind of that name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
