//! What goes wrong, how often, and when. A fault is a pure function of the seed, the model, the prompt and how often
//! this model has seen this prompt: whoever asks the same things meets the same faults, in whatever order.

use super::hash::Dice;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the simulated provider behaves. Everything may be left out; a name that does not exist is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Another seed, other prompts that fail.
    pub seed: u64,
    /// 10 makes everything ten times faster: latencies and told waits a tenth, buckets refill ten times as fast,
    /// outages begin and end ten times as early.
    pub time_scale: f64,
    /// For models that are not in `models`.
    pub default: Faults,
    /// By the provider's name of the model. An entry stands for all of `default`; nothing is merged.
    pub models: BTreeMap<String, Faults>,
    /// Input and output tokens that every answer reports, for tests that compute a bill by hand. Without: counted.
    pub tokens: Option<(u64, u64)>,
    /// A system text with these words in it is a rephrased one, whatever was seen before.
    pub rephrase_marker: Option<String>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            seed: 1,
            time_scale: 1.0,
            default: Faults::default(),
            models: BTreeMap::new(),
            tokens: None,
            rephrase_marker: None,
        }
    }
}

impl Config {
    pub(super) fn faults(&self, model: &str) -> &Faults {
        self.models.get(model).unwrap_or(&self.default)
    }
}

/// The behaviour of one model. What has no unit is a share of calls from 0 to 1; shares of faults that exclude each
/// other add up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Mean time to an answer, milliseconds; lognormal.
    pub latency_ms: f64,
    /// Shape of the lognormal; 0 is always the mean.
    pub latency_sigma: f64,
    /// Added for every 1,000 input tokens, milliseconds.
    pub ms_per_1k_input: f64,
    /// Thoughts that every answer is billed for, tokens; fewer if the request has a budget for them.
    pub thought_tokens: u64,

    /// 429 that says how long to wait.
    pub rate_limited: f64,
    /// How long, seconds.
    pub rate_limited_s: f64,
    /// 429 without a word about waiting.
    pub rate_limited_plain: f64,
    /// The quota of the day is used up, or the account is empty.
    pub day_quota: f64,
    /// 500.
    pub internal: f64,
    /// 502 with a proxy's HTML.
    pub bad_gateway: f64,
    /// 503.
    pub unavailable: f64,
    /// 529.
    pub overloaded: f64,
    /// 503 for the flex tier, on top of the others.
    pub flex_shed: f64,
    /// A good answer, `stall_ms` late.
    pub stall: f64,
    /// How late, milliseconds.
    pub stall_ms: f64,
    /// The connection closes before the answer. Billed: the work was done.
    pub reset: f64,
    /// The connection closes in the middle of the answer. Billed.
    pub reset_mid: f64,

    /// The answer is no JSON.
    pub malformed: f64,
    /// In which ways; none named is all.
    pub malformed_kinds: Vec<Malformed>,
    /// The answer is cut off, and the provider says so.
    pub max_tokens: f64,
    /// The provider stops an answer because of what it says.
    pub output_safety: f64,
    /// No text.
    pub empty: f64,
    /// An apology for an answer.
    pub refusal: f64,
    /// Sentences in another language than the document's.
    pub wrong_language: f64,
    /// Evidence that is not in the document: other words, another number, or a block that does not exist.
    pub hallucinated: f64,
    /// A required field is missing or has the wrong type.
    pub schema_violation: f64,

    /// Share of documents that this vendor does not read; a blocked one stays blocked.
    pub blocked: f64,
    /// Share of blocked documents that pass with another system text than the first one seen.
    pub rephrase_passes: f64,
    /// Share of documents for which Gemini stops with RECITATION as long as the schema asks for words of the document.
    pub recitation: f64,
    /// Share of prompts that get a 400 however often they are sent.
    pub invalid: f64,
    /// Schemas longer than this get a 400, bytes as compact JSON. 0 is no limit.
    pub schema_bytes: u64,
    /// Prompts longer than this get a 400, tokens. 0 is no limit.
    pub context_tokens: u64,
    /// The key is wrong.
    pub invalid_key: bool,
    /// There is no such model.
    pub no_model: bool,

    /// Share of documents that come in an outage: 503 for the first `away_asks` asks of each of their prompts. Models of
    /// one vendor are away for the same documents, as far as their shares go.
    pub away: f64,
    /// How long such an outage lasts, in asks.
    pub away_asks: u32,
    /// When everything answers 503: from and to, seconds since the configuration.
    pub outages_s: Vec<(f64, f64)>,
    /// Requests a minute; the bucket is a minute deep. 0 is no limit.
    pub rpm: f64,
    /// Input tokens a minute. 0 is no limit.
    pub tpm: f64,

    /// How often a prefix that this model has answered before is read from the cache. Anthropic caches only what the
    /// request marks with `cache_control`.
    pub cache_hits: f64,
    /// The shortest prefix that is cached, tokens.
    pub cache_min_tokens: u64,
}

impl Default for Faults {
    fn default() -> Faults {
        Faults {
            latency_ms: 0.0,
            latency_sigma: 0.0,
            ms_per_1k_input: 0.0,
            thought_tokens: 0,
            rate_limited: 0.0,
            rate_limited_s: 5.0,
            rate_limited_plain: 0.0,
            day_quota: 0.0,
            internal: 0.0,
            bad_gateway: 0.0,
            unavailable: 0.0,
            overloaded: 0.0,
            flex_shed: 0.0,
            stall: 0.0,
            stall_ms: 0.0,
            reset: 0.0,
            reset_mid: 0.0,
            malformed: 0.0,
            malformed_kinds: Vec::new(),
            max_tokens: 0.0,
            output_safety: 0.0,
            empty: 0.0,
            refusal: 0.0,
            wrong_language: 0.0,
            hallucinated: 0.0,
            schema_violation: 0.0,
            blocked: 0.0,
            rephrase_passes: 0.0,
            recitation: 0.0,
            invalid: 0.0,
            schema_bytes: 0,
            context_tokens: 0,
            invalid_key: false,
            no_model: false,
            away: 0.0,
            away_asks: 0,
            outages_s: Vec::new(),
            rpm: 0.0,
            tpm: 0.0,
            cache_hits: 0.0,
            cache_min_tokens: 2048,
        }
    }
}

/// Ways for an answer to be no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Malformed {
    /// In a Markdown fence, and cut off at two thirds.
    FenceCut,
    /// A comma before the last brace.
    TrailingComma,
    /// Keys without quotes.
    UnquotedKeys,
    /// Whole, between sentences.
    Prose,
    /// Single quotes instead of double ones.
    SingleQuotes,
    /// Cut off, and the provider says that it is whole.
    Truncated,
}

impl Malformed {
    const ALL: [Malformed; 6] = [
        Malformed::FenceCut,
        Malformed::TrailingComma,
        Malformed::UnquotedKeys,
        Malformed::Prose,
        Malformed::SingleQuotes,
        Malformed::Truncated,
    ];
}

/// What goes wrong with one call. Each is described at the field of [`Faults`] with the same name.
#[expect(missing_docs, reason = "described at the fields of Faults")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    RateLimited,
    RateLimitedPlain,
    DayQuota,
    Internal,
    BadGateway,
    Unavailable,
    Overloaded,
    Stall,
    Reset,
    ResetMid,
    Malformed(Malformed),
    MaxTokens,
    OutputSafety,
    Empty,
    Refusal,
    WrongLanguage,
    Hallucinated,
    SchemaViolation,
    Blocked,
    Recitation,
    Invalid,
    SchemaTooComplex,
    ContextTooLong,
    InvalidKey,
    NoModel,
    NotKept,
}

impl Fault {
    /// Whether nothing is done for the request: it is refused.
    pub(super) fn refuses(self) -> bool {
        matches!(
            self,
            Fault::RateLimited
                | Fault::RateLimitedPlain
                | Fault::DayQuota
                | Fault::Internal
                | Fault::BadGateway
                | Fault::Unavailable
                | Fault::Overloaded
                | Fault::Invalid
                | Fault::ContextTooLong
                | Fault::InvalidKey
                | Fault::NoModel
                | Fault::NotKept
        )
    }
}

/// What a fault depends on.
pub(super) struct Circumstances<'a> {
    pub seed: u64,
    pub vendor: &'a str,
    pub model: &'a str,
    pub document: u64,
    pub prompt: u64,
    /// From 1.
    pub nth: u32,
    pub rephrased: bool,
    /// The schema asks for words of the document.
    pub quotes: bool,
    pub flex: bool,
}

impl Faults {
    /// The fault of a call, leaving aside limits and outages, which depend on the time.
    pub(super) fn draw(&self, of: &Circumstances<'_>) -> Option<Fault> {
        let sticky =
            |salt: &str, who: &str, what: u64| Dice::new(of.seed).with(salt).with(who).and(what).share();
        if self.no_model {
            return Some(Fault::NoModel);
        }
        if self.invalid_key {
            return Some(Fault::InvalidKey);
        }
        let passing = self.passing(of);
        // What the transport does comes before what the model thinks of the prompt.
        if passing.is_some_and(|(_, before)| before) {
            return passing.map(|(fault, _)| fault);
        }
        if of.nth <= self.away_asks && sticky("away", of.vendor, of.document) < self.away {
            return Some(Fault::Unavailable);
        }
        if sticky("invalid", of.model, of.prompt) < self.invalid {
            return Some(Fault::Invalid);
        }
        let passes = || of.rephrased && sticky("rephrase", of.vendor, of.document) < self.rephrase_passes;
        if sticky("blocked", of.vendor, of.document) < self.blocked && !passes() {
            return Some(Fault::Blocked);
        }
        if of.vendor == "gemini" && of.quotes && sticky("recitation", of.model, of.document) < self.recitation
        {
            return Some(Fault::Recitation);
        }
        passing.map(|(fault, _)| fault)
    }

    /// A fault that may be gone the next time, and whether it comes before the model has read anything.
    fn passing(&self, of: &Circumstances<'_>) -> Option<(Fault, bool)> {
        let mut dice = Dice::new(of.seed).with("passing").with(of.model).and(of.prompt).and(of.nth.into());
        let pick = dice.share();
        let kinds = if self.malformed_kinds.is_empty() { &Malformed::ALL[..] } else { &self.malformed_kinds };
        let kind = kinds[dice.below(kinds.len())];
        let shares = [
            (self.rate_limited, Fault::RateLimited, true),
            (self.rate_limited_plain, Fault::RateLimitedPlain, true),
            (self.day_quota, Fault::DayQuota, true),
            (self.internal, Fault::Internal, true),
            (self.bad_gateway, Fault::BadGateway, true),
            (self.unavailable, Fault::Unavailable, true),
            (if of.flex { self.flex_shed } else { 0.0 }, Fault::Unavailable, true),
            (self.overloaded, Fault::Overloaded, true),
            (self.reset, Fault::Reset, true),
            (self.stall, Fault::Stall, false),
            (self.reset_mid, Fault::ResetMid, false),
            (self.malformed, Fault::Malformed(kind), false),
            (self.max_tokens, Fault::MaxTokens, false),
            (self.output_safety, Fault::OutputSafety, false),
            (self.empty, Fault::Empty, false),
            (self.refusal, Fault::Refusal, false),
            (self.wrong_language, Fault::WrongLanguage, false),
            (self.hallucinated, Fault::Hallucinated, false),
            (self.schema_violation, Fault::SchemaViolation, false),
        ];
        let mut edge = 0.0;
        shares.into_iter().find_map(|(share, fault, before)| {
            edge += share;
            (pick < edge).then_some((fault, before))
        })
    }

    /// How long this call takes, milliseconds before scaling.
    pub(super) fn latency(&self, of: &Circumstances<'_>, input_tokens: u64) -> f64 {
        let mut dice = Dice::new(of.seed).with("latency").with(of.model).and(of.prompt).and(of.nth.into());
        let sigma = self.latency_sigma;
        let lognormal = self.latency_ms * (sigma * dice.normal() - sigma * sigma / 2.0).exp();
        lognormal + self.ms_per_1k_input * tokens(input_tokens) / 1000.0
    }

    /// Whether there is an outage so many scaled seconds after the configuration.
    pub(super) fn out(&self, at: f64) -> bool {
        self.outages_s.iter().any(|(from, to)| at >= *from && at < *to)
    }
}

#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
pub(super) fn tokens(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_an_attempt_draws_anew() {
        let mix = r#"{"seed": 7, "models": {"gemini-2.5-pro": {"rate_limited": 0.08, "unavailable": 0.05, "internal": 0.01,
            "reset": 0.005, "malformed": 0.02, "max_tokens": 0.01, "blocked": 0.005}}}"#;
        let config: Config = serde_json::from_str(mix).unwrap();
        let draw = |model: &'static str, prompt: u64, nth: u32| {
            config.faults(model).draw(&Circumstances {
                seed: config.seed,
                vendor: "gemini",
                model,
                document: prompt / 4,
                prompt,
                nth,
                rephrased: false,
                quotes: true,
                flex: false,
            })
        };
        let failing: Vec<u64> =
            (0..20_000).filter(|prompt| draw("gemini-2.5-pro", *prompt, 1).is_some()).collect();
        assert!((3_400..3_800).contains(&failing.len()), "18 % of 20,000, not {}", failing.len());
        let again = failing.iter().filter(|prompt| draw("gemini-2.5-pro", **prompt, 2).is_some()).count();
        assert!((500..900).contains(&again), "18 % of those, and what is blocked: {again}");
        assert!(
            (0..1_000).all(|prompt| draw("gemini-2.5-flash", prompt, 1).is_none()),
            "the others have no faults"
        );
        assert!(serde_json::from_str::<Config>(r#"{"default": {"p503": 0.1}}"#).is_err(), "no such name");
    }
}
