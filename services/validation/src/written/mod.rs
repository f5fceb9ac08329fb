//! Numbers and dates as people write them, in English and Spanish.

pub mod dates;
pub mod numbers;
pub mod words;
