//! Meaning checks: what must hold between the findings of a report, as the profile declares it. Validation carries
//! them out.

use serde::Deserialize;

/// A place in the report's sections: `terms.amounts.*.amount`. The first step is a prompt's id, `*` is every item.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Place(pub Vec<Step>);

/// One step of a [`Place`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A property.
    Field(String),
    /// Every item of a list.
    Each,
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let steps: Vec<Step> = text
            .split('.')
            .map(|step| if step == "*" { Step::Each } else { Step::Field(step.to_owned()) })
            .collect();
        let empty = steps.iter().any(|step| matches!(step, Step::Field(name) if name.is_empty()));
        if empty || steps.first() == Some(&Step::Each) {
            return Err(format!(
                "{text:?} is not a place in the report: begin with a prompt's id, as in terms.amounts.*.amount"
            ));
        }
        Ok(Self(steps))
    }
}

/// What is done when a check fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// The report says so.
    #[default]
    Warn,
    /// The model is asked once for the failing fields; if they fail again, the report says so.
    ReAsk,
    /// What fails is left out, and the report says so: the item of a list, or what may be null. Not for sums.
    Drop,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Check {
    /// What must hold.
    #[serde(flatten)]
    pub rule: Rule,
    /// What is done otherwise.
    #[serde(default)]
    pub otherwise: Otherwise,
}

/// What must hold. Null and missing values satisfy every rule: whether they may be missing is the schema's business.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "check", rename_all = "snake_case")]
pub enum Rule {
    /// Dates (`YYYY-MM-DD`): none at `first` is later than one at `then`. With `*` in both, item by item.
    DatesInOrder {
        /// Earlier.
        first: Place,
        /// Later.
        then: Place,
    },
    /// A date between two years.
    DateBetween {
        /// The date.
        field: Place,
        /// First year.
        from: i32,
        /// Last year.
        to: i32,
    },
    /// Numbers: all at `parts`, less all at `minus`, are the one at `total`.
    AddsUp {
        /// Added.
        parts: Vec<Place>,
        /// Taken away.
        #[serde(default)]
        minus: Vec<Place>,
        /// The sum.
        total: Place,
        /// Largest difference that is put down to rounding.
        #[serde(default = "cent")]
        tolerance: f64,
    },
    /// A number occurs, written in any common way, in the quote of the same item.
    NumberInQuote {
        /// The number; its item is the object around it that has `evidence`.
        field: Place,
    },
    /// A date occurs, written in any common way, in the quote of the same item.
    DateInQuote {
        /// The date.
        field: Place,
    },
    /// Text occurs in the document.
    InDocument {
        /// The text.
        field: Place,
    },
    /// A value is one of those at another place, as names are compared: without case, marks and legal forms.
    Among {
        /// The value.
        field: Place,
        /// Where it must occur.
        among: Place,
    },
    /// A currency code of ISO 4217.
    Currency {
        /// The code.
        field: Place,
    },
    /// An IBAN with its check digits (mod 97), or a placeholder for one.
    Iban {
        /// The number.
        field: Place,
    },
}

fn cent() -> f64 {
    0.02
}
