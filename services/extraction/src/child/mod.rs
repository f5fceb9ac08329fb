//! Reading a document in a process of its own, which may run out of memory, overflow its stack or never end
//! without harm to anyone else: on crafted documents every engine does one of these.

mod inside;
mod looking;
mod outside;
mod process;
mod recognising;

pub use inside::child_entry;
pub use looking::{Picture, overlooked, picture};
pub use outside::{Unfinished, overheard, run};
pub use recognising::{Recognition, recognise};

/// The hidden first argument that turns this program into a child.
pub const CHILD_ARGUMENT: &str = "extract-child";

/// The hidden first argument that has this program confine itself and then become the one that recognises text.
pub const RECOGNISE_ARGUMENT: &str = "recognise-child";
