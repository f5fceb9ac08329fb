//! Finds personal data in text: text in, [`Span`]s out. Pure: the same text and options give the same spans.
//!
//! Values are found by one pass over the text: where a digit, an `@` or one of a few words stands, the shapes of
//! a table are tried ([`KINDS`]), checked by their check digits, and judged by the words before them. Line
//! breaks, hard spaces, soft hyphens and full-width digits inside a value do not hide it.
//!
//! How to add a kind: see `kinds.rs`.

mod check;
mod context;
mod find;
mod kinds;
mod placeholder;
mod scan;
mod shapes;
mod triggers;
mod view;

pub use kinds::{Action, KINDS, Kind, LITERAL, kind};
pub use placeholder::placeholders;
pub use scan::{Options, Span, THRESHOLD, Why, scan};
