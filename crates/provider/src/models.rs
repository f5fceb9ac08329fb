//! Models: what an alias stands for, what a model can do, and what it costs when.

use crate::{Failure, Tier, Usage, Vendor};
use anyhow::Context as _;
use millrace_contract::ErrorCode;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

mod file;

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
    /// How it can be held to a schema.
    pub schema: SchemaMode,
    /// How it can be told to think less.
    pub thinking: Thinking,
    /// Whether it is served in the cheaper tier.
    pub flex: bool,
    /// What the limit on the answer is called. OpenAI's own models and some compatible servers differ.
    pub limit: LimitField,
    /// What it costs when; `None`: nobody knows, and the list says so.
    pub prices: Option<Vec<Price>>,
}

/// How a model can be held to a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaMode {
    /// Its answer fits the schema.
    #[default]
    Strict,
    /// Its answer is JSON; the schema stands in the question.
    Json,
    /// It is asked kindly.
    None,
}

/// How a model can be told to think less, and the least that it takes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thinking {
    /// It does not think, or cannot be told.
    #[default]
    None,
    /// Tokens: Gemini's `thinkingBudget`; with Anthropic 0 switches thinking off.
    Budget(u32),
    /// Gemini's `thinkingLevel`.
    Level(String),
    /// OpenAI's `reasoning_effort`, Anthropic's `effort`.
    Effort(String),
}

/// The field that limits the answer in OpenAI's chat completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitField {
    /// OpenAI itself, and what keeps up with it.
    #[default]
    MaxCompletionTokens,
    /// Older and smaller servers.
    MaxTokens,
}

/// What a model costs in some days. Rates are in billionths of a dollar per thousand tokens, which is the same as
/// millionths of a micro-dollar per token: whole numbers, so that sums are exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// First day, counted from 1970-01-01 in UTC.
    pub from: u64,
    /// Last day, if there is one.
    pub until: Option<u64>,
    /// The ordinary rates.
    pub rates: Rates,
    /// Rates of a call whose input is longer than so many tokens.
    pub above: Option<(u64, Rates)>,
    /// What input and output cost in the cheaper tier, in millionths. Cached input costs the same in both tiers with
    /// some providers, so we count on no discount there.
    pub flex: u64,
    /// What it costs to have input kept by name; `None`: it is not done, or nobody knows the price.
    pub storage: Option<Storage>,
}

/// See [`Price`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Input that was not cached.
    pub input: u64,
    /// Output, thoughts included.
    pub output: u64,
    /// Input out of the provider's cache.
    pub cached_input: u64,
}

/// What it costs to have a provider keep tokens: the same unit as in [`Rates`], for an hour.
pub type Storage = u64;

/// All aliases.
#[derive(Debug, Clone, PartialEq)]
pub struct Models {
    models: BTreeMap<String, Model>,
    /// For messages: where a price has to be written down.
    file: String,
}

impl Models {
    /// Reads a list, or the built-in one.
    ///
    /// # Errors
    /// Names the line of the first mistake.
    pub fn load(path: Option<&Path>) -> anyhow::Result<Models> {
        let Some(path) = path else {
            return Models::parse(include_str!("../models.toml"), "the built-in models.toml");
        };
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Models::parse(&text, &path.display().to_string())
    }

    /// A list from its text; `file` is what messages call it.
    ///
    /// # Errors
    /// Names the line of the first mistake.
    pub fn parse(text: &str, file: &str) -> anyhow::Result<Models> {
        let models = file::read(text).with_context(|| file.to_owned())?;
        Ok(Models { models, file: file.to_owned() })
    }

    /// The model behind an alias, if it may be used on that day.
    ///
    /// # Errors
    /// If nobody has said what the alias stands for, or what the model costs on that day: a call without a price
    /// would pass every budget.
    pub fn resolve(&self, alias: &str, at: SystemTime) -> Result<&Model, Failure> {
        let unknown = |message| Failure::new(ErrorCode::ModelUnknown, message);
        let model = self.models.get(alias).ok_or_else(|| {
            let known = self.aliases().collect::<Vec<_>>().join(", ");
            unknown(format!("there is no model alias {alias:?} in {}; known: {known}", self.file))
        })?;
        if model.prices.is_some() && model.price(at).is_none() {
            let name = &model.name;
            return Err(unknown(format!(
                "{} has no price for {name} on this day; add a row, or say price = \"unknown\"",
                self.file
            )));
        }
        Ok(model)
    }

    /// The model of that alias whatever the day, to read what it has answered before.
    pub fn get(&self, alias: &str) -> Option<&Model> {
        self.models.get(alias)
    }

    /// All aliases.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.models.keys().map(String::as_str)
    }
}

impl Model {
    /// Micro-dollars, rounded up; `None` if the price is not known, or there was none on that day.
    pub fn cost(&self, usage: Usage, tier: Tier, at: SystemTime) -> Option<u64> {
        let price = self.price(at)?;
        let rates = match price.above {
            Some((tokens, rates)) if usage.input > tokens => rates,
            _ => price.rates,
        };
        let factor = if tier == Tier::Flex && self.flex { price.flex } else { MILLION };
        let cached = usage.cached.min(usage.input);
        let times = |tokens: u64, rate: u64| u128::from(tokens) * u128::from(rate);
        let kept = times(usage.stored, price.storage.unwrap_or_default()).div_ceil(HOUR);
        let sum = (times(usage.input - cached, rates.input) + times(usage.output, rates.output))
            * u128::from(factor)
            + (times(cached, rates.cached_input) + kept) * u128::from(MILLION);
        u64::try_from(sum.div_ceil(u128::from(MILLION) * u128::from(MILLION))).ok()
    }

    /// Whether it keeps input by name, at a price that is known on that day.
    pub fn keeps(&self, at: SystemTime) -> bool {
        self.price(at).is_some_and(|price| price.storage.is_some())
    }

    fn price(&self, at: SystemTime) -> Option<&Price> {
        let day = at.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs() / (24 * 3600);
        let prices = self.prices.as_ref()?;
        prices.iter().find(|price| price.from <= day && price.until.is_none_or(|until| day <= until))
    }
}

const MILLION: u64 = 1_000_000;
/// Seconds.
const HOUR: u128 = 3600;

#[cfg(test)]
mod tests;
