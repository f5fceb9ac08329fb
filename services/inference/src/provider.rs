//! What answers a prompt.

use crate::models::Model;
use millrace_contract::wire::DocumentText;
use millrace_stage::{BoxFuture, Result};
use serde_json::Value;

/// One prompt, ready to be sent.
#[derive(Debug)]
pub struct Ask<'a> {
    /// The provider's name of the model.
    pub model: &'a str,
    /// Instructions, the same for all prompts of a document.
    pub system: &'a str,
    /// Document first, question last.
    pub user: &'a str,
    /// What the answer must look like, as the provider gets it.
    pub schema: Value,
    /// The same with our annotations, for the offline provider.
    pub annotated: &'a Value,
    /// The text itself, for the offline provider.
    pub document: &'a DocumentText,
    /// Its language, ISO 639-1.
    pub language: &'a str,
    /// Limit on the answer.
    pub max_output_tokens: u32,
}

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Should be JSON; validation finds out.
    pub text: String,
    /// Who answered, as the provider says.
    pub model: String,
    /// Billed.
    pub input_tokens: u64,
    /// Billed, thoughts included.
    pub output_tokens: u64,
}

/// A model provider.
pub trait Provider: Send + Sync {
    /// Its name in events, reports and metrics.
    fn name(&self) -> &'static str;

    /// Asks one prompt, once: retries are the runtime's business.
    ///
    /// # Errors
    /// With the code that says what may be done about it.
    fn ask<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Reply>>;

    /// What a call costs, in millionths of a dollar.
    fn cost(&self, model: &Model, input_tokens: u64, output_tokens: u64) -> u64 {
        model.cost(input_tokens, output_tokens)
    }
}
