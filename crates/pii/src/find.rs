//! Kinds whose values are found by code of their own: where patterns would be slow, or would not do.

pub(crate) mod address;
pub(crate) mod email;
pub(crate) mod person;
pub(crate) mod secret;
mod streets;
pub(crate) mod url;

use crate::scan::{Candidate, Why};
use std::ops::Range;

pub(crate) fn candidate(kind: usize, range: Range<usize>, score: u8, why: Why) -> Candidate {
    Candidate { kind, range, score, why }
}
