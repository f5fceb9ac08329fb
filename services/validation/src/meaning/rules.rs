//! Each rule on its own: where it is broken, and what to say about it.

use super::places::{self, Spot, lists, spots};
use super::{codes, names};
use crate::grounding::{self, Index};
use crate::written::dates::{self, Date};
use crate::written::numbers;
use millrace_profile::checks::{Place, Rule};
use serde_json::{Map, Value};

/// Where a rule is broken.
#[derive(Debug)]
pub struct Broken {
    /// The value at fault, or the first of several: prompt, names, indices.
    pub path: Vec<String>,
    /// For readers of the report, so it may name what stands there.
    pub message: String,
}

/// The name of a rule, as profiles write it.
pub fn name(rule: &Rule) -> &'static str {
    match rule {
        Rule::DatesInOrder { .. } => "dates_in_order",
        Rule::DateBetween { .. } => "date_between",
        Rule::AddsUp { .. } => "adds_up",
        Rule::NumberInQuote { .. } => "number_in_quote",
        Rule::DateInQuote { .. } => "date_in_quote",
        Rule::InDocument { .. } => "in_document",
        Rule::Among { .. } => "among",
        Rule::Currency { .. } => "currency",
        Rule::Iban { .. } => "iban",
    }
}

/// Where a rule does not hold. Null and missing values satisfy every rule.
pub fn broken(rule: &Rule, sections: &Map<String, Value>, index: &Index) -> Vec<Broken> {
    match rule {
        Rule::DatesInOrder { first, then } => dates_in_order(sections, first, then),
        Rule::AddsUp { parts, minus, total, tolerance } => adds_up(sections, parts, minus, total, *tolerance),
        Rule::DateBetween { field, from, to } => each(sections, field, |spot| {
            let date = date(spot)?;
            let message = || format!("{date} is not between the years {from} and {to}");
            (!(*from..=*to).contains(&date.year)).then(message)
        }),
        Rule::NumberInQuote { field } => each(sections, field, |spot| {
            let number = number(spot.value)?;
            let proof = proof(sections, spot, index)?;
            let near = |other: f64| (other - number.abs()).abs() <= 0.005_f64.max(number.abs() * 1e-9);
            let message = || format!("{number} is not in the quote of the same item");
            (!numbers::in_text(&proof).into_iter().any(near)).then(message)
        }),
        Rule::DateInQuote { field } => each(sections, field, |spot| {
            let date = date(spot)?;
            let proof = proof(sections, spot, index)?;
            let message = || format!("{date} is not in the quote of the same item");
            (!dates::in_text(&proof).contains(&date)).then(message)
        }),
        Rule::InDocument { field } => each(sections, field, |spot| {
            let text = spot.value.as_str()?;
            let found = index.mentions(text) || index.mentions(&names::core(text).join(" "));
            (!found).then(|| format!("{text:?} is not in the document"))
        }),
        Rule::Among { field, among } => {
            let known: Vec<&str> =
                spots(sections, among).iter().filter_map(|spot| spot.value.as_str()).collect();
            // Nothing to compare with: that is for the schema, or another prompt's fault, to say.
            if known.is_empty() {
                return Vec::new();
            }
            each(sections, field, |spot| {
                let text = spot.value.as_str()?;
                let found = names::everybody(text) || known.iter().any(|known| names::same(text, known));
                (!found).then(|| format!("{text:?} is none of those at {}", written(among)))
            })
        }
        Rule::Currency { field } => each(sections, field, |spot| {
            let code = spot.value.as_str()?;
            (!codes::is_currency(code)).then(|| format!("{code:?} is not a currency of ISO 4217"))
        }),
        Rule::Iban { field } => each(sections, field, |spot| {
            let text = spot.value.as_str()?;
            (!codes::is_iban(text)).then(|| "the check digits of this IBAN are wrong".to_owned())
        }),
    }
}

fn each(
    sections: &Map<String, Value>,
    field: &Place,
    wrong: impl Fn(&Spot<'_>) -> Option<String>,
) -> Vec<Broken> {
    let all = spots(sections, field);
    let one = |spot: &Spot<'_>| Some(Broken { path: spot.path.clone(), message: wrong(spot)? });
    all.iter().filter_map(one).collect()
}

fn dates_in_order(sections: &Map<String, Value>, first: &Place, then: &Place) -> Vec<Broken> {
    let pairwise = lists(first) > 0 && lists(first) == lists(then);
    let later = spots(sections, then);
    let mut all = Vec::new();
    for one in spots(sections, first) {
        let Some(earlier) = date(&one) else { continue };
        let mut others = later.iter().filter(|other| !pairwise || other.indices == one.indices);
        let wrong = others.find_map(|other| Some((other, date(other).filter(|date| *date < earlier)?)));
        if let Some((other, date)) = wrong {
            let message = format!("{earlier} is later than {date} at {}", other.pointer());
            all.push(Broken { path: one.path, message });
        }
    }
    all
}

/// For each total, what belongs to the same items. A part that is null on its own is no part; a list with no items, or
/// with one whose number is null, was not read in full, and then nothing can be said.
fn adds_up(
    sections: &Map<String, Value>,
    parts: &[Place],
    minus: &[Place],
    total: &Place,
    tolerance: f64,
) -> Vec<Broken> {
    let mut all = Vec::new();
    for spot in spots(sections, total) {
        let Some(expected) = number(spot.value) else { continue };
        let (mut sum, mut any, mut known) = (0.0, false, true);
        for (place, sign) in parts.iter().map(|part| (part, 1.0)).chain(minus.iter().map(|less| (less, -1.0)))
        {
            let belongs = |part: &Spot<'_>| {
                let shared = part.indices.len().min(spot.indices.len());
                part.indices[..shared] == spot.indices[..shared]
            };
            let found: Vec<f64> = spots(sections, place)
                .into_iter()
                .filter(belongs)
                .filter_map(|part| number(part.value))
                .collect();
            if lists(place) > lists(total) {
                known &= !found.is_empty() && found.len() == items(sections, place, &spot.indices);
            }
            any |= !found.is_empty();
            sum += sign * found.iter().sum::<f64>();
        }
        if any && known && (sum - expected).abs() > tolerance + 1e-9 {
            let message =
                format!("the parts come to {}, the total is {expected}", (sum * 100.0).round() / 100.0);
            all.push(Broken { path: spot.path, message });
        }
    }
    all
}

/// How many values there would be at a place if none were null.
fn items(sections: &Map<String, Value>, place: &Place, indices: &[usize]) -> usize {
    let last = place.0.iter().rposition(|step| *step == millrace_profile::checks::Step::Each);
    let list = Place(place.0[..last.map_or(0, |last| last + 1)].to_vec());
    let shared = |spot: &Spot<'_>| {
        let shared = spot.indices.len().min(indices.len());
        spot.indices[..shared] == indices[..shared]
    };
    spots(sections, &list).into_iter().filter(shared).count()
}

fn date(spot: &Spot<'_>) -> Option<Date> {
    Date::iso(spot.value.as_str()?)
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| numbers::certain(value.as_str()?))
}

/// The text that proves the item around a value. None if it has no proof, which the report says at that place.
fn proof(sections: &Map<String, Value>, spot: &Spot<'_>, index: &Index) -> Option<String> {
    let around = (1..spot.path.len()).rev().filter_map(|length| places::at(sections, &spot.path[..length]));
    let evidence = around.filter_map(|value| value.get("evidence")).next()?;
    grounding::proof(evidence, index)
}

fn written(place: &Place) -> String {
    use millrace_profile::checks::Step;
    let steps = place.0.iter().map(|step| match step {
        Step::Field(name) => name.as_str(),
        Step::Each => "*",
    });
    steps.collect::<Vec<_>>().join(".")
}
