//! Reading documents: bytes in, text by page and paragraph out, hostile documents included.
//!
//! [`reading::read`] is the one entry. PDF and HTML are parsed in a child process that may die ([`child`]);
//! the formats that cannot hurt are read in process ([`formats`]).

pub mod child;
pub mod document;
pub mod formats;
pub mod frames;
pub mod limits;
pub mod pdf;
pub mod reading;
pub mod sniff;

pub use child::child_entry;
pub use document::{Block, Limit, Page, ReadError, Text};
pub use reading::{Options, Source, read};
pub use sniff::{MediaType, media_type};
