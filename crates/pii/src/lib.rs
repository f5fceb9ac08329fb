//! Finds personal data in text: text in, [`Span`]s out. Pure: the same text and options give the same spans.
//!
//! # How to add a detector
//!
//! 1. Add one entry to the table in `detectors.rs`:
//!    - `pattern`: the shape, with ASCII word boundaries `(?-u:\b)`. Unicode's `\b` throws the engine off its
//!      fast path on every line that is not ASCII. Repetitions need bounds unless a mismatch cannot be followed
//!      by another try inside the same characters: otherwise a long line costs quadratic time;
//!    - `check`: how many bytes of the shape are the value (`None`: it is not one), from `validate.rs`;
//!    - `alone`: the score of a checked value with nothing around it. [`THRESHOLD`] is what it takes to be
//!      masked; a label right before adds, a word of the negative list takes away, the nearer one decides;
//!    - `labels` and `negatives`: whole words, lower case, in every language that matters;
//!    - `labelled`: the looser shape that is masked straight after a label even when the check fails. People
//!      mistype their IBAN, and a mistyped IBAN is still theirs;
//!    - `canonical`: what two spellings of the same value have in common.
//! 2. Run `cargo test -p millrace-pii --test labelled -- --nocapture`, read precision and recall of
//!    the new kind *and of its neighbours*, add the kind to that test's table.
//!
//! Several entries may share a `kind`: they then share its numbering.

mod context;
mod detectors;
mod kinds;
mod scan;
mod validate;

pub use context::placeholders;
pub use kinds::{Action, KINDS, Kind, LITERAL, kind};
pub use scan::{Options, Span, THRESHOLD, Why, scan};
