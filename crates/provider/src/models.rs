//! Models: what an alias stands for, what a model can do, and what it costs when.

use crate::Vendor;

/// One model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// What profiles and rules call it.
    pub alias: String,
    /// The provider's name for it.
    pub name: String,
    /// Whose it is.
    pub vendor: Vendor,
    /// Context window, tokens.
    pub window: u64,
    /// The longest answer it gives, tokens.
    pub max_output: u32,
}
