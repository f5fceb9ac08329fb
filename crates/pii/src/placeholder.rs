//! What looks like one of our placeholders.

use crate::kinds::{KINDS, LITERAL};
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// Any name in capitals, and those of our kinds in any case.
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).chain([LITERAL]).collect();
    let names = names.join("|");
    Regex::new(&format!(r"\[(?:[A-Z][A-Z_]{{0,30}}_[0-9]{{1,9}}|(?i:{names})_[0-9]{{1,9}})\]"))
        .expect("names are letters and underscores")
});

/// Where a text has something that looks like one of our placeholders (`[EMAIL_1]`), in order.
pub fn placeholders(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    TOKEN.find_iter(text).map(|token| token.range())
}
