//! Reading a document in a process of its own, which may run out of memory, overflow its stack or never end
//! without harm to anyone else: on crafted documents every engine does one of these.

mod inside;
mod outside;

pub use inside::child_entry;
pub use outside::run;

/// The hidden first argument that turns this program into a child.
pub const CHILD_ARGUMENT: &str = "extract-child";
