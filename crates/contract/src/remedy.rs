//! What may be done about an answer that did not come or does not hold: a closed list. The router chooses, inference
//! carries out, and the history shows both.

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
        !matches!(self, Action::SwitchModel | Action::StandardTier | Action::Wait | Action::ReAsk | Action::Again)
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for &action in Action::ALL {
            assert_eq!(Action::named(action.name()), Some(action));
        }
        assert_eq!(Action::named("pray"), None);
    }
}
