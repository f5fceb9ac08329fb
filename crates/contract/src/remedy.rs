//! What may be done about an answer that did not come or does not hold: a closed list. The router chooses, inference
//! carries out, and the history shows both.

use crate::wire;
use serde::{Deserialize, Serialize};

macro_rules! actions {
    ($($variant:ident, $name:literal, $meaning:literal;)*) => {
        /// One thing that a prompt is asked differently.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Action {
            $(#[doc = $meaning] $variant,)*
        }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Action] = &[$(Action::$variant,)*];

            /// Its name on the wire and in the history.
            pub const fn name(self) -> &'static str {
                match self { $(Action::$variant => $name,)* }
            }

            /// One line for people.
            pub const fn meaning(self) -> &'static str {
                match self { $(Action::$variant => $meaning,)* }
            }
        }
    };
}

actions! {
    Again, "again", "Asks the same once more: the provider gave nothing, and nothing says why.";
    ReAsk, "re_ask", "Asks for the failing fields only, and says what was wrong with them.";
    SwitchModel, "switch_model", "Asks another model; the argument is its alias.";
    StandardTier, "standard_tier", "Leaves the cheaper tier, which sheds work when it is busy.";
    Shorten, "shorten", "Leaves out boilerplate: repeated blocks, tables of contents, signature pages.";
    Split, "split", "Asks about parts of the document; the argument is how many.";
    RaiseOutputLimit, "raise_output_limit", "Allows a longer answer; the argument is the factor.";
    LowerThinking, "lower_thinking", "Lets the model think less before it answers.";
    SimplifySchema, "simplify_schema", "Sends the schema without what makes it hard to serve.";
    JsonMode, "json_mode", "Asks for plain JSON, with the schema in the question.";
    EvidenceIdsOnly, "evidence_ids_only", "Asks for block ids without quoted words.";
    Rephrase, "rephrase", "Says what the document is and why it is read, for a filter that misread it.";
    RedactMore, "redact_more", "Takes more personal data out before asking.";
    Wait, "wait", "Waits for the provider, parked; the argument is how many seconds.";
}

impl Action {
    /// The action of that name.
    pub fn named(name: &str) -> Option<Action> {
        Action::ALL.iter().copied().find(|action| action.name() == name)
    }

    /// Whether it changes what is asked, and so counts against the recoveries that a prompt has. Going to another
    /// model or tier and waiting are not recoveries: they say nothing about the question.
    pub const fn counts(self) -> bool {
        !matches!(
            self,
            Action::SwitchModel | Action::StandardTier | Action::Wait | Action::ReAsk | Action::Again
        )
    }

    /// Whether it makes up for what one model cannot do: with another, the question is as it was.
    pub const fn suits_a_model(self) -> bool {
        matches!(self, Action::SimplifySchema | Action::JsonMode)
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What was ordered for one part of the document a prompt asks about, oldest first; a document that is asked about as a
/// whole is part 0. The other parts have their answers: asking them differently would mean to pay for them again. What
/// was ordered before a split was ordered of what all new parts were made of.
pub fn concerning<'a>(job: &'a wire::Job, prompt: &str, part: u32) -> Vec<&'a wire::Remedy> {
    let all: Vec<&wire::Remedy> = job.remedies.iter().filter(|remedy| remedy.prompt == prompt).collect();
    let split = all.iter().rposition(|remedy| remedy.action == Action::Split.name());
    let concerns = |at: usize, remedy: &wire::Remedy| {
        let everybody = matches!(Action::named(&remedy.action), Some(Action::Split | Action::Shorten));
        everybody || remedy.whole || remedy.part == part || split.is_some_and(|split| at < split)
    };
    let ours = all.iter().enumerate().filter(|(at, remedy)| concerns(*at, remedy));
    ours.map(|(_, remedy)| *remedy).collect()
}

/// How one part of one prompt of a job is asked, after all that was ordered for it. The router reads it to choose what
/// is next, inference to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Treatment<'a> {
    /// Alias of the model.
    pub model: &'a str,
    /// Whether the cheaper tier is left.
    pub standard_tier: bool,
    /// Times that the same is asked anew.
    pub again: u32,
    /// Corrections that were asked for, oldest first.
    pub corrections: Vec<&'a wire::Remedy>,
    /// Parts that the document is asked about in; 0: as few as fit.
    pub parts: u32,
    /// Factor on the limit of the answer.
    pub output_factor: u32,
    /// The rest, in the order of the list.
    pub also: Vec<Action>,
}

impl<'a> Treatment<'a> {
    /// Folds a job's remedies for one part of a prompt. After a wait, the first model of the chain has another chance.
    pub fn of(job: &'a wire::Job, prompt: &str, part: u32) -> Treatment<'a> {
        let first = job.models.first().map_or("", String::as_str);
        let mut treatment = Treatment {
            model: first,
            standard_tier: false,
            again: 0,
            corrections: Vec::new(),
            parts: 0,
            output_factor: 1,
            also: Vec::new(),
        };
        for remedy in concerning(job, prompt, part) {
            let number = remedy.argument.parse().unwrap_or(0);
            match Action::named(&remedy.action) {
                Some(Action::SwitchModel) => {
                    treatment.model = &remedy.argument;
                    // What another model had answered is not what this one is asked to correct.
                    treatment.corrections.clear();
                    treatment.again = 0;
                    // What one could not be asked says nothing of another.
                    treatment.also.retain(|action| !action.suits_a_model());
                }
                Some(Action::Wait) => treatment.model = first,
                Some(Action::StandardTier) => treatment.standard_tier = true,
                Some(Action::Again) => treatment.again += 1,
                Some(Action::ReAsk) => treatment.corrections.push(remedy),
                Some(Action::Split) => {
                    treatment.parts = treatment.parts.max(number);
                    treatment.corrections.clear();
                    treatment.again = 0;
                }
                Some(Action::RaiseOutputLimit) => {
                    treatment.output_factor = treatment.output_factor.max(number);
                    treatment.corrections.clear();
                }
                Some(action) => {
                    treatment.corrections.clear();
                    if !treatment.also.contains(&action) {
                        treatment.also.push(action);
                    }
                }
                None => {}
            }
        }
        treatment
    }

    /// Whether this was ordered.
    pub fn has(&self, action: Action) -> bool {
        self.also.contains(&action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remedies_add_up_and_a_wait_goes_back_to_the_first_model() {
        let remedy = |prompt: &str, action: Action, argument: &str| wire::Remedy {
            prompt: prompt.into(),
            action: action.name().into(),
            argument: argument.into(),
            ..wire::Remedy::default()
        };
        let mut job = wire::Job {
            models: vec!["pro".into(), "flash".into()],
            remedies: vec![
                remedy("a", Action::ReAsk, ""),
                remedy("b", Action::JsonMode, ""),
                remedy("a", Action::SwitchModel, "flash"),
                remedy("a", Action::Split, "3"),
            ],
            ..wire::Job::default()
        };
        let treated = Treatment::of(&job, "a", 0);
        assert_eq!((treated.model, treated.parts, treated.corrections.len()), ("flash", 3, 0));
        assert!(Treatment::of(&job, "b", 0).has(Action::JsonMode));
        assert_eq!(Treatment::of(&job, "c", 0).model, "pro");
        job.remedies.push(remedy("a", Action::Wait, "30"));
        let treated = Treatment::of(&job, "a", 0);
        assert_eq!((treated.model, treated.parts), ("pro", 3));
    }

    #[test]
    fn a_remedy_is_for_the_part_that_failed_until_the_document_is_split_again() {
        let remedy = |part, action: Action, argument: &str| wire::Remedy {
            prompt: "a".into(),
            part,
            action: action.name().into(),
            argument: argument.into(),
            ..wire::Remedy::default()
        };
        let mut job = wire::Job {
            models: vec!["pro".into(), "flash".into()],
            remedies: vec![
                remedy(2, Action::RaiseOutputLimit, "2"),
                remedy(1, Action::JsonMode, ""),
                remedy(1, Action::SwitchModel, "flash"),
                remedy(1, Action::Rephrase, ""),
            ],
            ..wire::Job::default()
        };
        let of = |job: &wire::Job, part| {
            let treated = Treatment::of(job, "a", part);
            (treated.model.to_owned(), treated.output_factor, treated.also)
        };
        assert_eq!(of(&job, 0), ("pro".into(), 1, vec![]), "it has its answer");
        assert_eq!(of(&job, 1), ("flash".into(), 1, vec![Action::Rephrase]), "JSON mode was for pro");
        assert_eq!(of(&job, 2), ("pro".into(), 2, vec![]));
        job.remedies.push(remedy(0, Action::Split, "6"));
        assert_eq!(of(&job, 5), ("flash".into(), 2, vec![Action::Rephrase]));
        job.remedies.push(wire::Remedy { whole: true, ..remedy(0, Action::EvidenceIdsOnly, "") });
        assert!(Treatment::of(&job, "a", 3).has(Action::EvidenceIdsOnly));
    }

    #[test]
    fn names_lead_back() {
        for &action in Action::ALL {
            assert_eq!(Action::named(action.name()), Some(action));
        }
        assert_eq!(Action::named("pray"), None);
    }
}
