//! The file `models.toml`: what may stand in it, and what its mistakes are called.

use super::{LimitField, MILLION, Model, Price, Rates, SchemaMode, Thinking};
use crate::Vendor;
use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::value::Datetime;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    aliases: BTreeMap<String, Spanned<String>>,
    model: Vec<ModelRow>,
    #[serde(default)]
    price: Vec<PriceRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelRow {
    name: Spanned<String>,
    vendor: Spanned<String>,
    window: u64,
    max_output: u32,
    #[serde(default)]
    schema: SchemaMode,
    #[serde(default)]
    thinking: Thinking,
    #[serde(default)]
    flex: bool,
    #[serde(default)]
    limit: LimitField,
    /// Only ever "unknown": prices have their own rows.
    price: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceRow {
    model: Spanned<String>,
    valid_from: Spanned<Datetime>,
    valid_until: Option<Spanned<Datetime>>,
    input: Spanned<f64>,
    output: Spanned<f64>,
    cached_input: Spanned<f64>,
    above: Option<AboveRow>,
    flex: Option<Spanned<f64>>,
    storage: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AboveRow {
    tokens: u64,
    input: Spanned<f64>,
    output: Spanned<f64>,
    cached_input: Spanned<f64>,
}

/// Models by alias.
pub(super) fn read(text: &str) -> anyhow::Result<BTreeMap<String, Model>> {
    let file: File = toml::from_str(text)?;
    let line = |at: std::ops::Range<usize>| {
        let before = text.get(..at.start).unwrap_or_default();
        format!("line {}", before.matches('\n').count() + 1)
    };
    let mut models: BTreeMap<String, Model> = BTreeMap::new();
    for row in file.model {
        let at = line(row.name.span());
        let model = model(row).with_context(|| at.clone())?;
        let twice = models.insert(model.name.clone(), model);
        ensure!(twice.is_none(), "{at}: a second model of that name");
    }
    for row in &file.price {
        let at = line(row.model.span());
        let Some(model) = models.get_mut(row.model.get_ref()) else {
            bail!("{at}: there is no [[model]] {:?}", row.model.get_ref());
        };
        let Some(prices) = &mut model.prices else {
            bail!("{at}: the price of {:?} is said to be unknown", row.model.get_ref());
        };
        let price = price(row).with_context(|| at.clone())?;
        let last = |price: &Price| price.until.unwrap_or(u64::MAX);
        let overlaps = |other: &Price| other.from <= last(&price) && price.from <= last(other);
        ensure!(!prices.iter().any(overlaps), "{at}: two prices of {:?} on the same day", model.name);
        prices.push(price);
    }
    let mut aliases = BTreeMap::new();
    for (alias, name) in file.aliases {
        let Some(model) = models.get(name.get_ref()) else {
            bail!("{}: there is no [[model]] {:?}", line(name.span()), name.get_ref());
        };
        aliases.insert(alias.clone(), Model { alias, ..model.clone() });
    }
    Ok(aliases)
}

fn model(row: ModelRow) -> anyhow::Result<Model> {
    let name = row.name.into_inner();
    // It becomes part of a path.
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:/@".contains(c);
    ensure!(
        !name.is_empty() && name.chars().all(plain) && !name.contains(".."),
        "{name:?} is not the name of a model"
    );
    let vendor = row.vendor.get_ref();
    let vendor = Vendor::named(vendor).with_context(|| {
        let known = Vendor::ALL.iter().map(|vendor| vendor.name()).collect::<Vec<_>>().join(", ");
        format!("there is no vendor {vendor:?}; known: {known}")
    })?;
    ensure!(row.window > 0 && row.max_output > 0, "window and max_output are at least 1");
    let prices = match row.price.as_ref().map(|price| price.get_ref().as_str()) {
        None => Some(Vec::new()),
        Some("unknown") => None,
        Some(_) => bail!("price can only be \"unknown\"; what is known stands in [[price]]"),
    };
    let takes = match (&row.thinking, vendor) {
        (Thinking::None, _) => true,
        (Thinking::Budget(_), Vendor::Gemini) | (Thinking::Level(_), Vendor::Gemini) => true,
        (Thinking::Budget(least), Vendor::Anthropic) => *least == 0,
        (Thinking::Effort(_), Vendor::OpenAi | Vendor::Anthropic) => true,
        _ => false,
    };
    ensure!(takes, "{vendor} cannot be told about thinking in that way");
    Ok(Model {
        alias: String::new(),
        name,
        vendor,
        window: row.window,
        max_output: row.max_output,
        schema: row.schema,
        thinking: row.thinking,
        flex: row.flex,
        limit: row.limit,
        prices,
    })
}

fn price(row: &PriceRow) -> anyhow::Result<Price> {
    let price = Price {
        from: day(row.valid_from.get_ref())?,
        until: row.valid_until.as_ref().map(|until| day(until.get_ref())).transpose()?,
        rates: rates(&row.input, &row.output, &row.cached_input)?,
        above: match &row.above {
            None => None,
            Some(above) => Some((above.tokens, rates(&above.input, &above.output, &above.cached_input)?)),
        },
        flex: row.flex.as_ref().map_or(Ok(MILLION), millionths)?,
        storage: row.storage.as_ref().map(millionths).transpose()?,
    };
    ensure!(price.until.is_none_or(|until| until >= price.from), "valid_until lies before valid_from");
    Ok(price)
}

fn rates(input: &Spanned<f64>, output: &Spanned<f64>, cached: &Spanned<f64>) -> anyhow::Result<Rates> {
    Ok(Rates { input: millionths(input)?, output: millionths(output)?, cached_input: millionths(cached)? })
}

fn millionths(number: &Spanned<f64>) -> anyhow::Result<u64> {
    let number = *number.get_ref();
    // More than any model costs, and far from where whole numbers get inexact.
    ensure!((0.0..=1e6).contains(&number), "{number} is not a price");
    Ok((number * MILLION as f64).round() as u64)
}

/// Days since 1970-01-01.
fn day(date: &Datetime) -> anyhow::Result<u64> {
    ensure!(date.time.is_none(), "{date} has a time; prices are valid for whole days in UTC");
    let date = date.date.with_context(|| format!("{date} is not a date"))?;
    let midnight = humantime::parse_rfc3339(&format!("{date}T00:00:00Z"))?;
    Ok(midnight.duration_since(std::time::SystemTime::UNIX_EPOCH)?.as_secs() / (24 * 3600))
}
