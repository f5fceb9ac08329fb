//! The table of kinds. One entry says all that there is to know of a kind: what it looks like, how it is
//! checked, what announces it, what speaks against it, what is done with it.
//!
//! # How to add a kind
//!
//! Add one entry to the file of its family:
//! - `rules`: the shape, as a pattern that begins at the value's first character and is tried wherever a word
//!   with a digit begins. ASCII only (patterns run on bytes), with bounded repetitions. A space in it also
//!   stands for a line break. `check` (from [`check`](crate::check)) says how many bytes of the shape are the
//!   value, or that it is none. `alone` is the score of a checked value with nothing around it:
//!   [`THRESHOLD`](crate::THRESHOLD) is what it takes to be found;
//! - `labels`: words that, right before, make it more likely, by language; whole words, lower case;
//! - `negatives`: words that make it less likely. The labels of other kinds do so by themselves; of all words
//!   before a value the nearest decides;
//! - `labelled`: looser shapes that are found straight after a label even where the check fails. People mistype
//!   their IBAN, and a mistyped IBAN is still theirs.
//!
//! Then add sentences to `tests/samples/`, in the kind's languages, with what only looks like it: `tests/samples.rs` asks
//! for some of every kind.

mod contact;
mod money;
mod national;
mod network;
mod personal;
mod vat;

pub(crate) mod words;

use crate::check::Check;

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
    /// Words that announce it: language (ISO 639-1) and words.
    pub(crate) labels: &'static [(&'static str, &'static [&'static str])],
    /// Sets of words that speak against it.
    pub(crate) negatives: &'static [Negative],
    /// What it looks like. None where code of its own finds it (`crates/pii/src/find`).
    pub(crate) rules: &'static [Rule],
    /// What it looks like straight after a label.
    pub(crate) labelled: &'static [Labelled],
}

/// Words that speak against a value: see [`words`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Negative {
    /// Numbers of things: orders, invoices, parts.
    Things,
    /// Amounts, accounts and registers.
    Registers,
}

/// A shape that stands on its own.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) pattern: &'static str,
    /// Tells values from what only has their shape.
    pub(crate) check: Check,
    /// Score of a checked value without context.
    pub(crate) alone: u8,
    /// Characters that tie the value to a longer one when a letter or digit follows beyond them.
    pub(crate) glue: &'static str,
}

/// A shape that only a label makes a value.
#[derive(Debug)]
pub(crate) struct Labelled {
    pub(crate) pattern: &'static str,
    pub(crate) check: Check,
}

const fn rule(pattern: &'static str, check: Check, alone: u8) -> Rule {
    Rule { pattern, check, alone, glue: "-./_#" }
}

const fn labelled(pattern: &'static str, check: Check) -> Labelled {
    Labelled { pattern, check }
}

const BASE: Kind = Kind {
    name: "",
    action: Action::Replace,
    canonical: crate::check::alphanumeric_upper,
    labels: &[],
    negatives: &[],
    rules: &[],
    labelled: &[],
};

/// Every kind that is looked for. The order breaks ties between equal spans.
pub static KINDS: [&Kind; 31] = [
    &contact::EMAIL,
    &network::URL,
    &network::SECRET,
    &money::IBAN,
    &money::CRYPTO,
    &national::SSN,
    &national::ITIN,
    &national::ES_NIF,
    &national::ES_NIE,
    &national::IT_FISCAL_CODE,
    &national::FR_NIR,
    &national::UK_NINO,
    &national::UK_NHS,
    &national::IN_PAN,
    &national::IN_AADHAAR,
    &national::BR_CPF,
    &national::BR_CNPJ,
    &national::DE_TAX_ID,
    &national::PL_PESEL,
    &national::SE_PERSONNUMMER,
    &national::NL_BSN,
    &national::PT_NIF,
    &vat::VAT,
    &money::CARD,
    &network::MAC,
    &network::IP,
    &personal::PASSPORT,
    &personal::DATE_OF_BIRTH,
    &contact::PHONE,
    &contact::ADDRESS,
    &personal::PERSON,
];

/// The kind of that name.
#[must_use]
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}

/// A kind's place in [`KINDS`].
pub(crate) fn index(name: &str) -> usize {
    KINDS.iter().position(|kind| kind.name == name).expect("asked of names in the table")
}
