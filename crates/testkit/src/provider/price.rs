//! What the models cost, in dollars for a million tokens.

use super::account::Usage;
use super::faults::tokens;

/// Part of the name, input, output, factor for input and output of prompts above 200,000 tokens. The first part that
/// is in the name counts. Public price lists as of November 2026.
const PRICES: [(&str, f64, f64, f64, f64); 15] = [
    ("gemini-2.5-pro", 1.25, 10.0, 2.0, 1.5),
    ("gemini-2.5-flash-lite", 0.10, 0.40, 1.0, 1.0),
    ("gemini-2.5-flash", 0.30, 2.50, 1.0, 1.0),
    ("gemini-3.1-pro", 2.0, 12.0, 2.0, 1.5),
    ("gemini-pro-latest", 2.0, 12.0, 2.0, 1.5),
    ("gemini-3.8-flash", 0.75, 3.75, 1.0, 1.0),
    ("gemini-flash-latest", 0.75, 3.75, 1.0, 1.0),
    ("gemini-3.5-flash-lite", 0.30, 2.50, 1.0, 1.0),
    ("gemini-3.5-flash", 1.50, 9.0, 1.0, 1.0),
    ("gemini-3.1-flash-lite", 0.25, 1.50, 1.0, 1.0),
    ("gpt-5.4-mini", 0.75, 4.50, 1.0, 1.0),
    ("gpt-5.4-nano", 0.20, 1.25, 1.0, 1.0),
    ("gpt-5.4", 2.50, 15.0, 1.0, 1.0),
    ("claude-sonnet-5", 2.0, 10.0, 1.0, 1.0),
    ("claude-haiku-4-5", 1.0, 5.0, 1.0, 1.0),
];

/// What an answer costs. Cached input costs a tenth, flex half. A model that is not in the list costs as much as
/// Gemini 2.5 Pro, so that no bill is too small.
pub(super) fn dollars(model: &str, usage: Usage, flex: bool) -> f64 {
    let price = PRICES.iter().find(|price| model.contains(price.0)).unwrap_or(&PRICES[0]);
    let long = usage.input > 200_000;
    let factor = |factor: f64| if long { factor } else { 1.0 };
    let fresh = tokens(usage.input - usage.cached.min(usage.input)) + tokens(usage.cached) * 0.1;
    let input = fresh * price.1 * factor(price.3);
    // An hour of a million tokens.
    let storage = tokens(usage.stored) / 3600.0 * if model.contains("flash") { 1.0 } else { 4.5 };
    let output = tokens(usage.output + usage.thoughts) * price.2 * factor(price.4);
    (input + output + storage) / 1e6 * if flex { 0.5 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bills() {
        let usage = |input, cached, output| Usage { input, cached, output, ..Usage::default() };
        let is = |made: f64, right: f64| assert!((made - right).abs() < 1e-9, "{made} is not {right}");
        is(dollars("gemini-2.5-pro", usage(1000, 0, 100), false), 0.00225);
        is(dollars("gemini-2.5-pro", usage(1000, 1000, 100), true), 0.000_562_5);
        is(dollars("gemini-2.5-pro", usage(300_000, 0, 1000), false), 0.765);
        is(dollars("gemini-2.5-flash", usage(1000, 0, 1000), false), 0.0028);
        let kept = Usage { input: 1000, stored: 180_000, ..Usage::default() };
        is(dollars("gemini-2.5-pro", kept, false), 0.001_25 + 0.000_225);
        is(dollars("gpt-5.4-mini-2026", usage(1000, 0, 1000), false), 0.00525);
    }
}
