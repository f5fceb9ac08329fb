//! Names as they are compared: without case, marks and legal forms.

use crate::written::words::words;

/// Legal forms, without points.
const FORMS: &[&str] = &[
    "ltd",
    "limited",
    "plc",
    "inc",
    "incorporated",
    "llc",
    "llp",
    "lp",
    "corp",
    "corporation",
    "co",
    "company",
    "gmbh",
    "ag",
    "kg",
    "sa",
    "sau",
    "sl",
    "slu",
    "slp",
    "sas",
    "srl",
    "bv",
    "nv",
    "sociedad",
    "anonima",
    "limitada",
    "pty",
    "cv",
    "sapi",
    "de",
];

/// Words around a name that are not part of it.
const ARTICLES: &[&str] = &["the", "el", "la", "los", "las", "a", "an"];

/// Words that mean all that there are.
const EVERYBODY: &[&str] = &[
    "each",
    "both",
    "all",
    "either",
    "neither",
    "any",
    "party",
    "parties",
    "of",
    "cada",
    "una",
    "ambas",
    "todas",
    "parte",
    "partes",
    "cualquiera",
];

/// The words of a name without its legal form; all of them if there are no others.
pub fn core(name: &str) -> Vec<String> {
    let all = words(name);
    let core: Vec<String> = all
        .iter()
        .filter(|word| !FORMS.contains(&word.as_str()) && !ARTICLES.contains(&word.as_str()))
        .cloned()
        .collect();
    if core.is_empty() { all } else { core }
}

/// Whether two texts name the same: one may say less than the other, as "Acme" for "Acme Trading, S.L.".
pub fn same(one: &str, other: &str) -> bool {
    let (one, other) = (core(one), core(other));
    let within = |part: &[String], whole: &[String]| {
        !part.is_empty() && whole.windows(part.len()).any(|window| window == part)
    };
    within(&one, &other) || within(&other, &one)
}

/// Whether a text means all parties, whoever they are.
pub fn everybody(text: &str) -> bool {
    let words = core(text);
    !words.is_empty() && words.iter().all(|word| EVERYBODY.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_without_case_marks_and_legal_forms() {
        for (one, other, alike) in [
            ("Acme Trading, S.L.", "ACME TRADING SL", true),
            ("the Supplier", "Supplier", true),
            ("Construcción Pérez S.A.", "construccion perez", true),
            ("Acme", "Acme Trading Ltd", true),
            ("Acme Ltd", "Apex Ltd", false),
            ("Supplier", "Client", false),
            ("Limited", "Acme Limited", false),
        ] {
            assert_eq!(same(one, other), alike, "{one} / {other}");
        }
        assert!(everybody("Each party") && everybody("las partes") && !everybody("the Client"));
    }
}
