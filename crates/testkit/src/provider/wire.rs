//! What the three wire formats have in common: a question, an answer, a refusal.

use super::account::Usage;
use super::faults::Fault;
use super::{anthropic, gemini, openai};
use serde::Deserialize;
use serde_json::Value;

/// Whose wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vendor {
    Gemini,
    OpenAi,
    Anthropic,
}

/// What is asked, whatever the format.
#[derive(Debug, Default)]
pub(super) struct Question {
    pub model: String,
    pub system: String,
    /// What user and model have said, in order.
    pub turns: Vec<String>,
    pub schema: Option<Value>,
    pub max_output: Option<u64>,
    /// The most that it may think.
    pub max_thoughts: Option<u64>,
    pub flex: bool,
    /// Whether a prefix may be read from the cache.
    pub cacheable: bool,
    /// Name of what comes before the first turn, and is not sent again.
    pub kept: Option<String>,
    /// This is no question but something to be kept for so many seconds.
    pub keep_s: Option<u64>,
}

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    End,
    MaxTokens,
    Safety,
    Recitation,
    Refusal,
    /// The prompt was not read at all.
    Blocked,
}

/// An answer, to be put into a format.
pub(super) struct Answer<'a> {
    pub model: &'a str,
    pub id: String,
    /// Empty: no text at all.
    pub text: &'a str,
    pub stop: Stop,
    pub usage: Usage,
    pub flex: bool,
}

/// An error, to be put into a format.
pub(super) struct Refusal<'a> {
    pub fault: Fault,
    pub model: &'a str,
    /// Seconds to wait.
    pub wait: Option<f64>,
    /// Tokens that were sent, and how many may be.
    pub tokens: (u64, u64),
    pub rpm: f64,
}

/// Status, headers and body.
pub(super) type Sent = (u16, Vec<(&'static str, String)>, Value);

impl Vendor {
    pub fn name(self) -> &'static str {
        match self {
            Vendor::Gemini => "gemini",
            Vendor::OpenAi => "openai",
            Vendor::Anthropic => "anthropic",
        }
    }

    /// Reads a request. The model is in the path with Gemini, in the body with the others.
    pub fn read(self, model: &str, body: &[u8]) -> Result<Question, String> {
        let question = match self {
            Vendor::Gemini => gemini::read(model, body),
            Vendor::OpenAi => openai::read(body),
            Vendor::Anthropic => anthropic::read(body),
        };
        question.map_err(|error| error.to_string())
    }

    /// Puts an answer into the format. Some vendors answer a blocked prompt with an error.
    pub fn answer(self, answer: &Answer<'_>) -> Sent {
        match self {
            Vendor::Gemini => (200, Vec::new(), gemini::answer(answer)),
            Vendor::OpenAi => openai::answer(answer),
            Vendor::Anthropic => (200, Vec::new(), anthropic::answer(answer)),
        }
    }

    /// Puts an error into the format.
    pub fn refuse(self, refusal: &Refusal<'_>) -> Sent {
        match self {
            Vendor::Gemini => gemini::refuse(refusal),
            Vendor::OpenAi => openai::refuse(refusal),
            Vendor::Anthropic => anthropic::refuse(refusal),
        }
    }
}

/// A text, or a list of parts with texts.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Content {
    Text(String),
    Parts(Vec<Part>),
}

/// A part of a content. What is no text is not looked at.
#[derive(Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    pub text: String,
    pub cache_control: Option<Value>,
}

impl Content {
    pub fn marked(&self) -> bool {
        matches!(self, Content::Parts(parts) if parts.iter().any(|part| part.cache_control.is_some()))
    }

    pub fn text(self) -> String {
        match self {
            Content::Text(text) => text,
            Content::Parts(mut parts) if parts.len() == 1 => {
                parts.pop().map(|part| part.text).unwrap_or_default()
            }
            Content::Parts(parts) => parts.into_iter().map(|part| part.text).collect(),
        }
    }
}

/// In JSON mode the schema stands in the text, after a line that says so.
pub(super) fn schema_in_text(question: &Question) -> Option<Value> {
    let texts = question.turns.iter().rev().chain([&question.system]);
    texts.filter_map(|text| Some(&text[text.rfind("JSON Schema")?..])).find_map(|text| {
        let begin = text.find('{')?;
        serde_json::Deserializer::from_str(&text[begin..]).into_iter::<Value>().next()?.ok()
    })
}

/// Whole seconds, as most `Retry-After` headers are. Never too few.
pub(super) fn seconds(wait: f64) -> String {
    format!("{:.0}", wait.ceil())
}
