//! Routing rules: one TOML file, checked when it is read, mistakes named by line.

use anyhow::{Context as _, bail};
use millrace_contract::ids;
use millrace_contract::wire::{Job, Routed};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

const BUILT_IN: &str = include_str!("../rules.toml");

/// What sanitization may have found in a document that may be meant to mislead a model.
const SIGNALS: [&str; 4] = ["hidden_text", "invisible_characters", "instruction", "role_marker"];

/// Checked rules.
#[derive(Debug)]
pub struct Rules(Vec<(Rule, usize)>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule: Vec<Spanned<Rule>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    name: String,
    // Conditions.
    #[serde(default)]
    language: Vec<String>,
    #[serde(default)]
    media_type: Vec<String>,
    #[serde(default)]
    tenant: Vec<String>,
    #[serde(default)]
    profile: Vec<String>,
    #[serde(default)]
    lanes: Vec<String>,
    min_tokens: Option<u64>,
    max_tokens: Option<u64>,
    min_pages: Option<u64>,
    max_pages: Option<u64>,
    min_bytes: Option<u64>,
    max_bytes: Option<u64>,
    #[serde(default)]
    signals: Vec<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    // Outcomes.
    set_profile: Option<String>,
    models: Option<Vec<String>>,
    long_models: Option<Vec<String>>,
    policy_models: Option<Vec<String>>,
    tier: Option<String>,
    lane: Option<String>,
    prompt_language: Option<String>,
}

impl Rules {
    /// The rules that are used when no file is named.
    ///
    /// # Errors
    /// Never, unless the built-in file is wrong, which a test rules out.
    pub fn built_in() -> anyhow::Result<Rules> {
        Rules::parse(BUILT_IN).context("the built-in rules")
    }

    /// Reads and checks rules.
    ///
    /// # Errors
    /// Names the line of the first mistake and what to do about it.
    pub fn parse(text: &str) -> anyhow::Result<Rules> {
        let file: File = toml::from_str(text)?;
        let mut rules: Vec<(Rule, usize)> = Vec::new();
        for rule in file.rule {
            let line = text[..rule.span().start].matches('\n').count() + 1;
            let rule = rule.into_inner();
            rule.check().with_context(|| format!("line {line}: rule {:?}", rule.name))?;
            if let Some((_, first)) = rules.iter().find(|(other, _)| other.name == rule.name) {
                bail!("line {line}: rule {:?} has the name of the rule in line {first}", rule.name);
            }
            rules.push((rule, line));
        }
        let whole = |rule: &Rule| rule.unconditional() && rule.set_profile.is_some() && rule.models.is_some();
        if !rules.iter().any(|(rule, _)| whole(rule)) {
            bail!(
                "no rule without conditions sets set_profile and models: some jobs would have no way; add a default rule"
            );
        }
        Ok(Rules(rules))
    }

    /// Decides where a job goes.
    pub fn route(&self, job: &Job) -> Routed {
        let mut routed = Routed { profile: job.profile.clone(), ..Routed::default() };
        if job.lane != millrace_contract::subject::DEFAULT_LANE {
            routed.lane.clone_from(&job.lane);
        }
        let mut used: Vec<String> = Vec::new();
        for (rule, line) in &self.0 {
            if !rule.applies(job, &routed.profile) {
                continue;
            }
            let mut decided = false;
            let mut decide = |slot: &mut String, value: &Option<String>| {
                if let (true, Some(value)) = (slot.is_empty(), value) {
                    slot.clone_from(value);
                    decided = true;
                }
            };
            decide(&mut routed.profile, &rule.set_profile);
            decide(&mut routed.lane, &rule.lane);
            decide(&mut routed.prompt_language, &rule.prompt_language);
            decide(&mut routed.tier, &rule.tier);
            for (list, ruled) in [
                (&mut routed.models, &rule.models),
                (&mut routed.long_models, &rule.long_models),
                (&mut routed.policy_models, &rule.policy_models),
            ] {
                if let (true, Some(models)) = (list.is_empty(), ruled) {
                    list.clone_from(models);
                    decided = true;
                }
            }
            if decided {
                used.push(format!("{} (line {line})", rule.name));
            }
        }
        if routed.lane.is_empty() {
            millrace_contract::subject::DEFAULT_LANE.clone_into(&mut routed.lane);
        }
        if routed.tier == "standard" {
            routed.tier.clear();
        }
        routed.rule = used.join(", ");
        routed
    }
}

impl Rule {
    fn unconditional(&self) -> bool {
        self.language.is_empty()
            && self.media_type.is_empty()
            && self.tenant.is_empty()
            && self.profile.is_empty()
            && self.lanes.is_empty()
            && self.signals.is_empty()
            && self.metadata.is_empty()
            && [
                self.min_tokens,
                self.max_tokens,
                self.min_pages,
                self.max_pages,
                self.min_bytes,
                self.max_bytes,
            ]
            .iter()
            .all(Option::is_none)
    }

    fn check(&self) -> anyhow::Result<()> {
        if self.set_profile.is_none()
            && self.models.is_none()
            && self.long_models.is_none()
            && self.policy_models.is_none()
            && self.tier.is_none()
            && self.lane.is_none()
            && self.prompt_language.is_none()
        {
            bail!("it decides nothing: give it set_profile, models, tier, lane or prompt_language");
        }
        if let Some(lane) = &self.lane {
            ids::token("lane", lane)?;
        }
        if let Some(tier) = self.tier.as_deref().filter(|tier| !["standard", "flex"].contains(tier)) {
            bail!("tier is {tier:?}: it may be \"standard\" or \"flex\"");
        }
        for (what, list) in [
            ("models", &self.models),
            ("long_models", &self.long_models),
            ("policy_models", &self.policy_models),
        ] {
            if list.as_ref().is_some_and(Vec::is_empty) {
                bail!("{what} is empty: name at least one alias, or leave it out");
            }
        }
        if let Some(kind) = self.signals.iter().find(|kind| !SIGNALS.contains(&kind.as_str())) {
            bail!("signals names {kind:?}: there are {}", SIGNALS.join(", "));
        }
        for (what, min, max) in [
            ("tokens", self.min_tokens, self.max_tokens),
            ("pages", self.min_pages, self.max_pages),
            ("bytes", self.min_bytes, self.max_bytes),
        ] {
            if let (Some(min), Some(max)) = (min, max)
                && min > max
            {
                bail!("min_{what} is larger than max_{what}: it can never apply");
            }
        }
        Ok(())
    }

    fn applies(&self, job: &Job, profile: &str) -> bool {
        let any = |wanted: &[String], is: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == is);
        let within = |min: Option<u64>, max: Option<u64>, is: u64| {
            min.is_none_or(|min| is >= min) && max.is_none_or(|max| is <= max)
        };
        let document = job.document.clone().unwrap_or_default();
        any(&self.language, &job.language)
            && any(&self.media_type, &document.media_type)
            && any(&self.tenant, &job.tenant)
            && any(&self.profile, profile)
            && any(&self.lanes, &job.lane)
            && (self.signals.is_empty() || self.signals.iter().any(|kind| job.signals.contains(kind)))
            && within(self.min_tokens, self.max_tokens, job.tokens)
            && within(self.min_pages, self.max_pages, job.pages.into())
            && within(self.min_bytes, self.max_bytes, document.size)
            && self.metadata.iter().all(|(key, value)| job.metadata.get(key) == Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(language: &str, profile: &str, tokens: u64) -> Job {
        Job {
            language: language.into(),
            profile: profile.into(),
            tokens,
            pages: if tokens < 1000 { 1 } else { 9 },
            lane: "default".into(),
            ..Job::default()
        }
    }

    #[test]
    fn built_in_rules() {
        let rules = Rules::built_in().unwrap();
        for (language, profile, tokens, expected) in [
            ("en", "", 9000, ("contract", "pro", "default", "en")),
            ("es", "", 9000, ("contract", "pro", "spanish", "es")),
            ("en", "", 100, ("summary", "flash", "default", "en")),
            ("en", "contract", 100, ("contract", "pro", "default", "en")),
            ("es", "summary", 100, ("summary", "flash", "spanish", "es")),
            ("en", "summary", 100, ("summary", "flash", "default", "en")),
            ("de", "summary", 5000, ("summary", "pro", "default", "en")),
        ] {
            let routed = rules.route(&job(language, profile, tokens));
            let got = (
                routed.profile.as_str(),
                routed.models[0].as_str(),
                routed.lane.as_str(),
                routed.prompt_language.as_str(),
            );
            assert_eq!(got, expected, "{language} {profile:?} {tokens}: {}", routed.rule);
            assert!(routed.rule.contains("line "), "{}", routed.rule);
        }
    }

    #[test]
    fn bulk_goes_the_cheaper_way() {
        let rules = Rules::built_in().unwrap();
        let bulk = Job { lane: "bulk".into(), ..job("en", "contract", 9000) };
        assert_eq!(rules.route(&bulk).tier, "flex");
        let other = rules.route(&job("en", "contract", 9000));
        assert_eq!((other.tier.as_str(), other.models.last().map(String::as_str)), ("", Some("other")));
        assert_eq!(other.policy_models, ["claude", "other"]);
    }

    #[test]
    fn what_may_mislead_a_model_goes_its_own_way() {
        let rules = "[[rule]]\nname = \"odd\"\nsignals = [\"instruction\", \"role_marker\"]\nlane = \"looked_at\"\n\
                     [[rule]]\nname = \"d\"\nset_profile = \"contract\"\nmodels = [\"pro\"]\n";
        let rules = Rules::parse(rules).unwrap();
        let with = |kind: &str| Job { signals: vec![kind.to_owned()], ..job("en", "", 10) };
        assert_eq!(rules.route(&with("role_marker")).lane, "looked_at");
        assert_eq!(rules.route(&with("hidden_text")).lane, "default");
        assert_eq!(rules.route(&job("en", "", 10)).lane, "default");
    }

    #[test]
    fn the_sender_s_lane_stays() {
        let rules = Rules::built_in().unwrap();
        let asked = Job { lane: "bulk".into(), ..job("es", "", 10) };
        assert_eq!(rules.route(&asked).lane, "bulk");
    }

    #[test]
    fn mistakes_are_named_by_line() {
        let default = "[[rule]]\nname = \"d\"\nset_profile = \"contract\"\nmodels = [\"pro\"]\n";
        for (text, expected) in [
            ("[[rule]]\nname = \"x\"\nlanguage = [\"es\"]\n", "line 1"),
            ("\n\n[[rule]]\nname = \"x\"\nlane = \"a b\"\n", "line 3"),
            ("[[rule]]\nname = \"x\"\nlane = \"a\"\nmin_pages = 9\nmax_pages = 1\n", "can never apply"),
            ("[[rule]]\nname = \"x\"\nlanguages = [\"es\"]\nlane = \"a\"\n", "line 3"),
            ("[[rule]]\nname = \"d\"\nlane = \"a\"\n", "has the name of the rule in line 1"),
            ("[[rule]]\nname = \"x\"\nsignals = [\"odd\"]\nlane = \"a\"\n", "signals names \"odd\""),
            ("[[rule]]\nname = \"x\"\nmodels = []\n", "models is empty"),
            ("[[rule]]\nname = \"x\"\ntier = \"cheap\"\n", "line 1"),
        ] {
            let error = format!("{:#}", Rules::parse(&format!("{text}{default}")).unwrap_err());
            assert!(error.contains(expected), "{text:?} gave: {error}");
        }
        let error = format!("{:#}", Rules::parse("[[rule]]\nname = \"x\"\nlane = \"a\"\n").unwrap_err());
        assert!(error.contains("add a default rule"), "{error}");
    }
}
