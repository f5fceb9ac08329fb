//! Model providers as thin adapters. An adapter is two pure functions: it makes the bytes of a request, and it makes
//! sense of the bytes of a reply. So the journal can hold both, a reply can be read again without being paid for
//! again, and every row of the error taxonomy has its test. [`http`] carries the bytes, and retries nothing.

mod anthropic;
mod gemini;
pub mod http;
pub mod models;
mod openai;
mod refused;
pub mod schema;
pub mod taxonomy;
mod told;
mod wire;

use millrace_contract::ErrorCode;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Whose wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Vendor {
    /// Google's `generateContent`.
    Gemini,
    /// OpenAI's chat completions, and the many servers that speak it: vLLM, Ollama, llama.cpp, gateways.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
}

impl Vendor {
    /// All of them.
    pub const ALL: &'static [Vendor] = &[Vendor::Gemini, Vendor::OpenAi, Vendor::Anthropic];

    /// Its name in files, metrics and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Vendor::Gemini => "gemini",
            Vendor::OpenAi => "openai",
            Vendor::Anthropic => "anthropic",
        }
    }

    /// The vendor of that name.
    pub fn named(name: &str) -> Option<Vendor> {
        Vendor::ALL.iter().copied().find(|vendor| vendor.name() == name)
    }

    /// Puts a question into the provider's words. The same question gives the same bytes: the journal finds a call by
    /// their hash.
    pub fn request(ask: &Ask<'_>) -> Request {
        match ask.model.vendor {
            Vendor::Gemini => gemini::request(ask),
            Vendor::OpenAi => openai::request(ask),
            Vendor::Anthropic => anthropic::request(ask),
        }
    }

    /// The request that has the provider keep what several questions have in common: the instructions and the first
    /// `bytes` bytes of the user's text, for [`KEPT_FOR`]. Its reply is read like every other, and its text is the
    /// name for [`Ask::kept`]. `None` where the vendor keeps nothing by name.
    pub fn keep(ask: &Ask<'_>, bytes: usize) -> Option<Request> {
        match ask.model.vendor {
            Vendor::Gemini => gemini::keep(ask, bytes),
            Vendor::OpenAi | Vendor::Anthropic => None,
        }
    }

    /// Whether a request was refused only because what it names is no longer kept. Nothing was done for it then.
    pub fn lost(self, exchange: &Exchange) -> bool {
        match self {
            Vendor::Gemini => gemini::lost(exchange),
            Vendor::OpenAi | Vendor::Anthropic => false,
        }
    }

    /// Makes sense of a reply. HTTP 200 is not yet an answer, and an error is what its body says before what its
    /// status says.
    ///
    /// # Errors
    /// If there is no answer in it; what was billed all the same is in the failure.
    pub fn read(model: &models::Model, exchange: &Exchange) -> Result<Reply, Failure> {
        match model.vendor {
            Vendor::Gemini => gemini::read(model, exchange),
            Vendor::OpenAi => openai::read(model, exchange),
            Vendor::Anthropic => anthropic::read(model, exchange),
        }
    }
}

impl std::fmt::Display for Vendor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How the answer's shape is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// The schema in the provider's own structured output.
    #[default]
    Schema,
    /// The same without what makes schemas hard to serve: long enums, nesting below the third level, descriptions.
    Simple,
    /// JSON mode; the schema stands in the question.
    Json,
}

/// Which service of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tier {
    /// The ordinary one.
    #[default]
    Standard,
    /// Cheaper, slower, and first to be shed.
    Flex,
}

/// How long a provider is asked to keep what [`Vendor::keep`] gives it. The prompts of a document take one to two
/// minutes; storage is paid for the whole time.
pub const KEPT_FOR: Duration = Duration::from_secs(180);

/// See [`Ask::kept`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept<'a> {
    /// The provider's name for it.
    pub name: &'a str,
    /// How much of the user's text it holds, bytes from the beginning.
    pub bytes: usize,
}

/// One question, ready to be put into a provider's words.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// Who is asked.
    pub model: &'a models::Model,
    /// Instructions, the same for all prompts of a document.
    pub system: &'a str,
    /// Document first, question last.
    pub user: &'a str,
    /// An earlier answer and what is wrong with it: the question is then to correct it.
    pub correction: Option<Correction<'a>>,
    /// The profile's schema of the answer, with all constraints and annotations; adapters lower it.
    pub schema: &'a Value,
    /// How to ask for it.
    pub shape: Shape,
    /// Limit on the answer, tokens.
    pub max_output_tokens: u32,
    /// Think as little as the model allows.
    pub think_less: bool,
    /// Which service.
    pub tier: Tier,
    /// What the provider keeps of it already, the instructions included: that is named instead of being sent.
    pub kept: Option<Kept<'a>>,
}

/// See [`Ask::correction`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correction<'a> {
    /// What the model had answered.
    pub answer: &'a str,
    /// What is wrong, and what is asked for now.
    pub complaint: &'a str,
}

/// A request as bytes, without the key. The journal's name for a call is a hash of vendor, path and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whose.
    pub vendor: Vendor,
    /// Below the base URL: `/v1beta/models/gemini-2.5-pro:generateContent`.
    pub path: String,
    /// Headers besides key and content type.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: Vec<u8>,
}

/// A reply as it came, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exchange {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// At most [`http::LARGEST`] bytes.
    pub body: Vec<u8>,
}

/// Tokens as billed, in one convention for all vendors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// All input tokens, cached ones included.
    pub input: u64,
    /// Input tokens that were read from the provider's cache.
    pub cached: u64,
    /// All output tokens, thoughts included.
    pub output: u64,
    /// What the provider keeps for us: tokens times seconds.
    pub stored: u64,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Should be JSON; validation finds out.
    pub text: String,
    /// Who answered, as the provider says.
    pub model: String,
    /// What it used.
    pub usage: Usage,
    /// The provider stopped for a reason that we do not know. Paid for, so looked at.
    pub unfinished: bool,
}

/// No answer, classified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it is.
    pub code: ErrorCode,
    /// For people; never document text, never the key.
    pub message: String,
    /// How long the provider told us to wait.
    pub retry_after: Option<Duration>,
    /// What it used all the same.
    pub usage: Usage,
    /// The request went out and no word came back: it may have been billed in full.
    pub maybe_billed: bool,
}

impl Failure {
    /// A failure that cost nothing and says nothing about waiting.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Failure {
        Failure {
            code,
            message: message.into(),
            retry_after: None,
            usage: Usage::default(),
            maybe_billed: false,
        }
    }

    /// The same, paid for: the provider says what it used.
    pub fn used(self, usage: Usage) -> Failure {
        Failure { usage, ..self }
    }

    /// The same, and nobody knows whether it was billed.
    pub fn maybe_billed(self) -> Failure {
        Failure { maybe_billed: true, ..self }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}
