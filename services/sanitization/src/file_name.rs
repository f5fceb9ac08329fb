//! The name under which a sender uploaded a document, treated as one more line of it: `CV_Jane_Doe.pdf`.
//!
//! Names are written without spaces, so they are also looked at with `_`, `-`, `+` and `.` read as spaces.

use crate::clean;
use crate::redactor::Found;
use millrace_pii::{LITERAL, Options, scan};

/// Longer endings are words.
const LONGEST_EXTENSION: usize = 5;

/// A file name in two parts.
#[derive(Debug, Clone, Default)]
pub struct FileName {
    /// What people made up.
    pub stem: String,
    /// The ending with its dot; empty if there is none.
    pub extension: String,
    /// The stem with spaces where it has none, byte for byte.
    pub spaced: String,
}

impl FileName {
    /// Takes a name apart.
    pub fn of(name: &str) -> Self {
        let name = clean::clean_line(name, &mut clean::CleanCounts::default());
        let (stem, extension) = match name.rsplit_once('.') {
            // `Jane.Doe` has no ending: those are in one case.
            Some((stem, ending)) if !stem.is_empty() && is_extension(ending) => (stem, &name[stem.len()..]),
            _ => (name.as_str(), ""),
        };
        Self {
            stem: stem.to_owned(),
            extension: extension.to_owned(),
            spaced: stem.replace(['_', '-', '+', '.'], " "),
        }
    }

    /// What is found in the stem with its separators read as spaces. A person's name is looked for at every word, because
    /// those before it are no sentence: `CV Jane Doe`.
    pub fn found(&self, options: &Options) -> Vec<Found> {
        let mut found = Vec::new();
        let mut look = |text: &str, from: usize, kind: Option<&str>| {
            let spans = scan(&text[from..], options).into_iter();
            let wanted =
                spans.filter(|span| span.kind != LITERAL && kind.is_none_or(|kind| kind == span.kind));
            found.extend(wanted.map(|span| Found {
                kind: span.kind,
                range: from + span.range.start..from + span.range.end,
            }));
        };
        // A number keeps its hyphens and dots.
        look(&self.stem.replace('_', " "), 0, None);
        look(&self.spaced, 0, None);
        if options.names {
            let words = self.spaced.match_indices(' ').map(|(at, _)| at + 1);
            words.for_each(|at| look(&self.spaced, at, Some("PERSON")));
        }
        found
    }
}

fn is_extension(text: &str) -> bool {
    let one_case = |of: fn(&u8) -> bool| text.bytes().all(|byte| byte.is_ascii_digit() || of(&byte));
    (1..=LONGEST_EXTENSION).contains(&text.len())
        && (one_case(u8::is_ascii_lowercase) || one_case(u8::is_ascii_uppercase))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policies;
    use crate::redactor::Redactor;

    fn redacted(names: &str, name: &str) -> String {
        let policies = Policies::read("p.toml", &format!("[default]\nnames = \"{names}\"")).unwrap();
        let policy = policies.of("", "");
        let name = FileName::of(name);
        let found = name.found(&policy.options());
        let mut redactor = Redactor::with(policy, None);
        redactor.redact_named(&name.stem, &mut [], &found) + &name.extension
    }

    #[test]
    fn names_are_redacted_as_text_is() {
        for (name, expected) in [
            ("CV_Jane_Doe.pdf", "CV_[PERSON_1].pdf"),
            ("Resume-John.Smith-2026.PDF", "Resume-[PERSON_1]-2026.PDF"),
            ("Jane.Doe", "[PERSON_1]"),
            ("offer for Dr. Meier.docx", "offer for Dr. [PERSON_1].docx"),
            ("jane.roe@example.com.pdf", "[EMAIL_1].pdf"),
            ("SSN_078-05-1120.pdf", "SSN_[SSN_1].pdf"),
            ("IBAN_DE89370400440532013000.tar", "IBAN_[IBAN_1].tar"),
            ("[EMAIL_1].txt", "[LITERAL_1].txt"),
        ] {
            assert_eq!(redacted("lists", name), expected, "{name}");
        }
    }

    #[test]
    fn other_names_stay() {
        for name in [
            "contract-en.pdf",
            "Services_Agreement_2026-05-03_v2.docx",
            "d.txt",
            "",
            ".env",
            "scan 0001.tiff",
            "契約書.pdf",
        ] {
            assert_eq!(redacted("lists", name), name);
        }
        assert_eq!(redacted("off", "CV_Jane_Doe.pdf"), "CV_Jane_Doe.pdf");
    }
}
