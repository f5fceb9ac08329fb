//! What the questions of a document have in common, kept by the provider while they are asked: explicit context caching.
//! It is sent and paid once; each question then names it and pays a tenth. A provider's own cache may do the same for
//! nothing, or may not: it promises nothing, and is all there is where this does not go.

use crate::calls::Calls;
use crate::plan::Question;
use millrace_contract::ledger;
use millrace_contract::wire::{Routed, Spent};
use millrace_provider::models::Model;
use millrace_provider::{KEPT_FOR, Kept, Shape, Tier, Vendor};
use millrace_stage::Job;
use millrace_tokens::estimate;
use serde_json::Value;
use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// With fewer questions, making and storing it costs as much as it saves.
const WORTH: usize = 3;
/// Providers keep nothing shorter than 1,024 to 4,096 tokens, and our count is an estimate.
const LEAST_TOKENS: u64 = 5000;
/// It is not named so shortly before it ends.
const MARGIN: Duration = Duration::from_secs(20);

/// A beginning that a provider keeps.
#[derive(Debug)]
pub struct Prefix<'q> {
    first: &'q Question<'q>,
    bytes: usize,
    name: String,
    until: SystemTime,
}

impl Prefix<'_> {
    /// What a question names instead of sending it, if it begins like this.
    pub fn of(&self, question: &Question<'_>) -> Option<Kept<'_>> {
        let alike = together(self.first, question)
            && question.user.as_bytes().get(..self.bytes) == self.first.user.as_bytes().get(..self.bytes)
            && SystemTime::now() + MARGIN < self.until;
        alike.then_some(Kept { name: &self.name, bytes: self.bytes })
    }
}

impl Calls {
    /// Has the provider keep what is worth it. Where that fails the questions are asked in full.
    pub async fn keep<'q>(
        &self,
        job: &Job<Routed>,
        questions: &[&'q Question<'q>],
        spent: &mut Spent,
    ) -> Vec<Prefix<'q>> {
        let mut prefixes: Vec<Prefix<'q>> = Vec::new();
        let mut seen: Vec<&Question<'_>> = Vec::new();
        for first in questions.iter().copied() {
            if !self.keeps || !first.model.keeps(SystemTime::now()) || first.tier != Tier::Standard {
                continue;
            }
            if seen.iter().any(|other| together(other, first)) {
                continue;
            }
            seen.push(first);
            let group: Vec<&Question<'_>> =
                questions.iter().copied().filter(|question| together(first, question)).collect();
            let bytes = shared(&group);
            let language = &job.known.language;
            let tokens = estimate(&first.system, language) + estimate(&first.user[..bytes], language);
            if group.len() < WORTH || self.guards.calibration.tokens(&first.model.name, tokens) < LEAST_TOKENS
            {
                continue;
            }
            let Some(request) = Vendor::keep(&first.ask(None), bytes) else { continue };
            // Once made it is used to its end; but it is not made for answers that we have.
            if !self.has_asked(job, first, &request).await && self.unanswered(job, &group).await < WORTH {
                continue;
            }
            match self
                .carry(job, &keeping(first.model, first.part, first.parts), &request, None, spent, 1)
                .await
            {
                Ok(made) => {
                    ledger::add(spent, &made.spent);
                    let until = UNIX_EPOCH + Duration::from_millis(made.asked_ms) + KEPT_FOR;
                    prefixes.push(Prefix { first, bytes, name: made.text, until });
                }
                Err(error) => {
                    tracing::debug!(code = %error.code, "nothing is kept; the questions are asked in full");
                    ledger::add(spent, &error.spent.unwrap_or_default());
                }
            }
        }
        prefixes
    }

    async fn unanswered(&self, job: &Job<Routed>, group: &[&Question<'_>]) -> usize {
        let mut count = 0;
        for question in group {
            let answered = self.has_answer(job, question).await;
            count += usize::from(!answered);
        }
        count
    }
}

/// Whether two questions may share a beginning.
fn together(one: &Question<'_>, other: &Question<'_>) -> bool {
    one.model.name == other.model.name
        && one.tier == other.tier
        && (one.part, one.parts) == (other.part, other.parts)
        && one.system == other.system
}

/// How much of their text questions have in common, bytes, up to the end of a line.
fn shared(group: &[&Question<'_>]) -> usize {
    let Some((first, others)) = group.split_first() else { return 0 };
    let first = first.user.as_bytes();
    let alike = |other: &&Question<'_>| {
        first.iter().zip(other.user.as_bytes()).take_while(|(one, other)| one == other).count()
    };
    let bytes = others.iter().map(alike).min().unwrap_or(0);
    first[..bytes].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
}

/// The call that makes it, as the journal and the guards see it.
fn keeping(model: &Model, part: u32, parts: u32) -> Question<'_> {
    Question {
        prompt: "document",
        model,
        system: String::new(),
        user: String::new(),
        schema: Cow::Owned(Value::Null),
        shape: Shape::Schema,
        max_output_tokens: 0,
        think_less: true,
        tier: Tier::Standard,
        again: 0,
        part,
        parts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_provider::models::Models;

    #[test]
    fn what_is_shared_ends_with_a_line() {
        let models = Models::load(None).unwrap();
        let question = |user: &str| Question { user: user.to_owned(), ..blank(&models) };
        let (one, other) = (question("Text é\nWho signs?"), question("Text é\nWho pays?"));
        assert_eq!(shared(&[&one, &other]), "Text é\n".len());
        assert_eq!(shared(&[&one, &question("other")]), 0);
    }

    #[test]
    fn only_what_begins_alike_is_named() {
        let models = Models::load(None).unwrap();
        let first = Question { user: "Text\nWho?".to_owned(), ..blank(&models) };
        let until = SystemTime::now() + KEPT_FOR;
        let prefix = Prefix { first: &first, bytes: 5, name: "cachedContents/x".to_owned(), until };
        let question = |user: &str| Question { user: user.to_owned(), ..blank(&models) };
        assert_eq!(prefix.of(&question("Text\nWhat?")), Some(Kept { name: "cachedContents/x", bytes: 5 }));
        assert_eq!(prefix.of(&question("Next\nWhat?")), None);
        assert_eq!(prefix.of(&Question { system: "S".to_owned(), ..question("Text\nWhat?") }), None);
        assert_eq!(prefix.of(&Question { part: 1, ..question("Text\nWhat?") }), None);
        let over = Prefix { until: SystemTime::now() + MARGIN / 2, ..prefix };
        assert_eq!(over.of(&question("Text\nWhat?")), None, "it would be gone when it is read");
    }

    fn blank(models: &Models) -> Question<'_> {
        keeping(models.get("pro").unwrap(), 0, 0)
    }
}
