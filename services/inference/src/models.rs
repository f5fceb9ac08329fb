//! Model aliases and prices.

use anyhow::Context as _;
use millrace_contract::ErrorCode;
use millrace_stage::{Result, StageError};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// What an alias stands for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The provider's name for it.
    pub name: String,
    /// USD per million input tokens.
    pub input: f64,
    /// USD per million output tokens, thoughts included.
    pub output: f64,
}

/// All aliases.
#[derive(Debug)]
pub struct Models(BTreeMap<String, Model>);

impl Models {
    /// Reads a list, or the built-in one.
    ///
    /// # Errors
    /// Names the line of the first mistake.
    pub fn load(path: Option<&Path>) -> anyhow::Result<Models> {
        let models = match path {
            None => toml::from_str(include_str!("../models.toml"))?,
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                toml::from_str(&text).with_context(|| path.display().to_string())?
            }
        };
        Ok(Models(models))
    }

    /// The model behind an alias.
    ///
    /// # Errors
    /// If nobody has said what it stands for; a name without a price is never used.
    pub fn resolve(&self, alias: &str) -> Result<&Model> {
        self.0.get(alias).ok_or_else(|| {
            let known = self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let message = format!("there is no model alias {alias:?}; known: {known} (MILLRACE_MODELS)");
            StageError::new(ErrorCode::ModelUnknown, message)
        })
    }
}

impl Model {
    /// Millionths of a dollar, rounded up.
    pub fn cost(&self, input_tokens: u64, output_tokens: u64) -> u64 {
        let micro = input_tokens as f64 * self.input + output_tokens as f64 * self.output;
        micro.max(0.0).ceil() as u64
    }
}
