//! The ledger of money: a fold of the journal of calls. Each entry of the journal shows what was paid for it in its
//! headers, one line an attempt, so that the fold never reads an answer.

use crate::wire::{Attempt, Spent};
use std::collections::BTreeMap;

/// What one attempt of a call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Day on which it began (UTC), since 1970.
    pub day: u32,
    /// Whose job, and which run of it.
    pub job: String,
    /// See `job`.
    pub run: u32,
    /// The profile's name for the question.
    pub prompt: String,
    /// Who was asked.
    pub provider: String,
    /// The provider's name of the model.
    pub model: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What was paid; while it is open, the estimate that is set aside.
    pub spent: Spent,
    /// As sent to the provider.
    pub id: String,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It went out, or was about to, and nothing came back: it may have been paid for.
    Open,
    /// With an answer.
    Answered,
    /// With this error code.
    Failed(String),
}

const MILLISECONDS_A_DAY: u64 = 24 * 3600 * 1000;

/// The day of a time.
pub fn day(at_ms: u64) -> u32 {
    u32::try_from(at_ms / MILLISECONDS_A_DAY).unwrap_or(u32::MAX)
}

impl Line {
    /// The line of an attempt.
    pub fn of(attempt: &Attempt) -> Line {
        Line {
            day: day(attempt.begun_ms),
            job: attempt.job.clone(),
            run: attempt.run,
            prompt: attempt.prompt.clone(),
            provider: attempt.provider.clone(),
            model: attempt.model.clone(),
            outcome: match (attempt.ended_ms, attempt.code.as_str()) {
                (0, _) => Outcome::Open,
                (_, "") => Outcome::Answered,
                (_, code) => Outcome::Failed(code.to_owned()),
            },
            spent: attempt.spent.unwrap_or_default(),
            id: attempt.id.clone(),
        }
    }

    /// As a header's value.
    pub fn encode(&self) -> String {
        let outcome = match &self.outcome {
            Outcome::Open => "open",
            Outcome::Answered => "ok",
            Outcome::Failed(code) => code,
        };
        let Spent { calls, input_tokens, output_tokens, cached_tokens, cost_microusd } = self.spent;
        // None of these has a space in it: ids, tokens of the profile and names that providers give.
        let word = |text: &str| if text.is_empty() { "-".to_owned() } else { text.replace(' ', "_") };
        format!(
            "{} {} {} {} {} {} {outcome} {calls} {input_tokens} {cached_tokens} {output_tokens} {cost_microusd} {}",
            self.day,
            word(&self.job),
            self.run,
            word(&self.prompt),
            word(&self.provider),
            word(&self.model),
            word(&self.id)
        )
    }

    /// Reads a header's value back.
    pub fn decode(text: &str) -> Option<Line> {
        let mut words = text.split(' ');
        let mut next = || words.next().map(|word| if word == "-" { "" } else { word });
        let line = Line {
            day: next()?.parse().ok()?,
            job: next()?.to_owned(),
            run: next()?.parse().ok()?,
            prompt: next()?.to_owned(),
            provider: next()?.to_owned(),
            model: next()?.to_owned(),
            outcome: match next()? {
                "open" => Outcome::Open,
                "ok" => Outcome::Answered,
                code => Outcome::Failed(code.to_owned()),
            },
            spent: Spent {
                calls: next()?.parse().ok()?,
                input_tokens: next()?.parse().ok()?,
                cached_tokens: next()?.parse().ok()?,
                output_tokens: next()?.parse().ok()?,
                cost_microusd: next()?.parse().ok()?,
            },
            id: next()?.to_owned(),
        };
        Some(line)
    }
}

/// Adds what was spent.
pub fn add(to: &mut Spent, more: &Spent) {
    to.calls += more.calls;
    to.input_tokens += more.input_tokens;
    to.output_tokens += more.output_tokens;
    to.cached_tokens += more.cached_tokens;
    to.cost_microusd += more.cost_microusd;
}

/// Money by job, tenant, day and model. An entry that is folded again replaces what it told before, so the order of
/// entries does not matter and duplicates change nothing.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// By tenant and key.
    entries: BTreeMap<(String, String), (u64, Vec<Line>)>,
    /// By tenant and day: asked before every call, so kept rather than added up.
    spent: BTreeMap<(String, u32), u64>,
}

impl Ledger {
    /// Takes an entry of the journal in: whose it is, its key, its revision, its lines.
    pub fn fold(&mut self, tenant: &str, key: &str, revision: u64, lines: Vec<Line>) {
        let entry = self.entries.entry((tenant.to_owned(), key.to_owned())).or_default();
        if revision < entry.0 {
            return;
        }
        for (line, sign) in entry.1.iter().map(|line| (line, -1i64)).chain(lines.iter().map(|line| (line, 1)))
        {
            let spent = self.spent.entry((tenant.to_owned(), line.day)).or_default();
            let cost = i64::try_from(line.spent.cost_microusd).unwrap_or(i64::MAX);
            *spent = spent.saturating_add_signed(cost.saturating_mul(sign));
        }
        *entry = (revision, lines);
    }

    /// All lines, with their tenant.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &Line)> {
        self.entries
            .iter()
            .flat_map(|((tenant, _), (_, lines))| lines.iter().map(|line| (tenant.as_str(), line)))
    }

    /// Totals by what `by` makes of a line.
    pub fn totals<K: Ord>(&self, by: impl Fn(&str, &Line) -> K) -> BTreeMap<K, Spent> {
        let mut totals: BTreeMap<K, Spent> = BTreeMap::new();
        for (tenant, line) in self.lines() {
            add(totals.entry(by(tenant, line)).or_default(), &line.spent);
        }
        totals
    }

    /// What a tenant has spent on a day, what is set aside for open calls included; millionths of a dollar.
    pub fn spent(&self, tenant: &str, day: u32) -> u64 {
        self.spent.get(&(tenant.to_owned(), day)).copied().unwrap_or(0)
    }

    /// Calls of which nobody knows whether they were paid for.
    pub fn maybe_paid(&self) -> impl Iterator<Item = (&str, &Line)> {
        self.lines().filter(|(_, line)| line.outcome == Outcome::Open)
    }

    /// Forgets what is older than a day, to keep a running fold small.
    pub fn forget_before(&mut self, day: u32) {
        self.entries.retain(|_, (_, lines)| lines.iter().any(|line| line.day >= day));
        self.spent.retain(|(_, spent_on), _| *spent_on >= day);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(job: &str, cost: u64, outcome: Outcome) -> Line {
        Line {
            day: 20_000,
            job: job.into(),
            run: 1,
            prompt: "terms".into(),
            provider: "gemini".into(),
            model: "gemini-2.5-pro".into(),
            outcome,
            spent: Spent { calls: 1, input_tokens: 5, cost_microusd: cost, ..Spent::default() },
            id: "abc.1".into(),
        }
    }

    #[test]
    fn lines_survive_the_header() {
        for outcome in [Outcome::Open, Outcome::Answered, Outcome::Failed("provider_timeout".into())] {
            let line = line("j1", 7, outcome);
            assert_eq!(Line::decode(&line.encode()), Some(line));
        }
        assert_eq!(Line::decode("20000 j1"), None);
    }

    #[test]
    fn an_entry_replaces_what_it_told_before_in_any_order() {
        let entries = [
            ("k1", 1, vec![line("j1", 50, Outcome::Open)]),
            ("k1", 3, vec![line("j1", 20, Outcome::Answered)]),
            ("k2", 2, vec![line("j2", 9, Outcome::Open)]),
        ];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 1]] {
            let mut ledger = Ledger::default();
            for at in order.into_iter().chain([2]) {
                let (key, revision, lines) = entries[at].clone();
                ledger.fold("acme", key, revision, lines);
            }
            assert_eq!(ledger.spent("acme", 20_000), 29);
            assert_eq!(ledger.maybe_paid().count(), 1);
            let by_job = ledger.totals(|_, line| line.job.clone());
            assert_eq!(by_job["j1"].cost_microusd, 20);
        }
    }
}
