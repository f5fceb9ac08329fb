//! Fault mixes. Shares of naive failure, as assumed for the origin's batch: outages 15 %, passing errors 50 %,
//! malformed answers 20 %, size 9 %, blocks 6 %. Siblings have half of the passing errors, half as many malformed
//! answers again, and are away for a third of the same documents.

use anyhow::{Result, bail};
use millrace_testkit::provider::{Config, Faults};

/// How hard a mix is, as a multiple of the one that leaves 64 %.
fn hardness(name: &str) -> Result<f64> {
    Ok(match name {
        "64" => 1.0,
        "82" => 0.45,
        other => bail!("there is no mix {other:?}; there are 64 and 82"),
    })
}

/// Share of documents that no small window holds.
pub fn oversized(name: &str) -> f64 {
    0.039 * hardness(name).unwrap_or(1.0)
}

/// The simulated provider's configuration.
pub fn config(name: &str, seed: u64, cache_hits: f64, thought_tokens: u64) -> Result<Config> {
    let hard = hardness(name)?;
    let model = |passing: f64, malformed: f64, away: f64| Faults {
        rate_limited: 0.018 * passing * hard,
        rate_limited_s: 0.2,
        rate_limited_plain: 0.004 * passing * hard,
        unavailable: 0.016 * passing * hard,
        internal: 0.006 * passing * hard,
        bad_gateway: 0.003 * passing * hard,
        reset: 0.003 * passing * hard,
        reset_mid: 0.002 * passing * hard,
        stall: 0.002 * passing * hard,
        stall_ms: 20_000.0,
        malformed: 0.015 * malformed * hard,
        max_tokens: 0.003 * malformed * hard,
        schema_violation: 0.003 * malformed * hard,
        empty: 0.001 * malformed * hard,
        refusal: 0.001 * malformed * hard,
        // What a naive client does not notice.
        hallucinated: 0.02,
        away: 0.065 * away * hard,
        away_asks: 6,
        blocked: 0.026 * hard,
        rephrase_passes: 0.5,
        recitation: 0.004 * hard,
        context_tokens: 70_000,
        cache_hits,
        thought_tokens,
        ..Faults::default()
    };
    let mut config = Config { seed, ..Config::default() };
    config.models.insert("gemini-2.5-pro".to_owned(), model(1.0, 1.0, 1.0));
    config.models.insert("gemini-2.5-flash".to_owned(), model(0.5, 1.5, 0.3));
    let other = Faults { blocked: 0.026 * hard * 0.15, recitation: 0.0, ..model(0.5, 1.5, 0.0) };
    config.default = other;
    Ok(config)
}

/// A line for people.
pub fn told(config: &Config) -> String {
    let Some(pro) = config.models.get("gemini-2.5-pro") else { return String::new() };
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    format!(
        "of calls to the first model {} are refused or break, {} are malformed or cut off; of documents {} come in an \
         outage, {} are blocked, and those above {} tokens do not fit; prefixes are cached {}; models think {} tokens",
        percent(
            pro.rate_limited
                + pro.rate_limited_plain
                + pro.unavailable
                + pro.internal
                + pro.bad_gateway
                + pro.reset
                + pro.reset_mid
                + pro.stall
        ),
        percent(pro.malformed + pro.max_tokens + pro.schema_violation + pro.empty + pro.refusal),
        percent(pro.away),
        percent(pro.blocked),
        pro.context_tokens,
        percent(pro.cache_hits),
        pro.thought_tokens
    )
}
