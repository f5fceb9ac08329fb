//! Everything the sanitization stage does to a text, as pure functions: clean it up, replace personal
//! data by stable placeholders, name its language, estimate its tokens.

pub mod clean;
pub mod language;
pub mod pii;
pub mod sanitize;
pub mod tokens;
