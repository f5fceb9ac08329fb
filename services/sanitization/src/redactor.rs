//! Values to placeholders, and the memory that keeps them stable over a document.

mod merge;

use crate::hasher::Hasher;
use crate::policy::{Action, BY_MODEL, DENIED, Policies, Policy};
use aho_corasick::{AhoCorasick, MatchKind};
use millrace_contract::wire::{Line, VaultValue, VaultValues};
use millrace_pii::{LITERAL, Options, Span, Why, scan};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

pub use merge::Found;

/// A placeholder that was given out, without the value behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// As it stands in the text, brackets included.
    pub token: String,
    /// The kind of value behind it.
    pub kind: &'static str,
    /// How often it stands in the text.
    pub count: u32,
}

/// Replaces personal data over one document. One redactor a document: numbers start at 1.
pub struct Redactor {
    policy: Policy,
    options: Options,
    denied: Option<AhoCorasick>,
    hasher: Option<Hasher>,
    entries: Vec<Entry>,
    /// Kind and canonical value, to the entry.
    known: HashMap<(&'static str, String), usize>,
    /// The last number given out, by kind.
    numbers: HashMap<&'static str, u64>,
    /// Kinds and values of which only a part was left.
    masked: BTreeSet<(&'static str, String)>,
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new()
    }
}

struct Entry {
    placeholder: Placeholder,
    /// The value as the document writes it, in order of appearance.
    forms: Vec<String>,
    /// Which form stands at each occurrence.
    order: Vec<u32>,
}

/// Values must not reach a log through `{:?}`.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("placeholders", &self.entries.len()).finish_non_exhaustive()
    }
}

impl Redactor {
    /// A redactor for a new document that nobody has laid down anything for.
    pub fn new() -> Self {
        Self::with(Policies::default().of("", ""), None)
    }

    /// A redactor for a new document, under a policy. Without a hasher, what is to be hashed is replaced.
    pub fn with(policy: Policy, hasher: Option<Hasher>) -> Self {
        let denied = (!policy.deny.is_empty())
            .then(|| {
                AhoCorasick::builder()
                    .ascii_case_insensitive(true)
                    .match_kind(MatchKind::LeftmostLongest)
                    .build(&policy.deny)
            })
            .and_then(Result::ok);
        Self {
            options: policy.options(),
            policy,
            denied,
            hasher,
            entries: Vec::new(),
            known: HashMap::new(),
            numbers: HashMap::new(),
            masked: BTreeSet::new(),
        }
    }

    /// Replaces the values in the document's next piece of text. Pieces must come in document order: that is
    /// what the numbers follow.
    pub fn redact(&mut self, text: &str) -> String {
        self.redact_lines(text, &mut [])
    }

    /// [`Redactor::redact`], and the text's lines, in order, begin where they begin afterwards. One that begins inside
    /// a value begins behind its placeholder, which stands on the line before.
    pub fn redact_lines(&mut self, text: &str, lines: &mut [Line]) -> String {
        self.redact_named(text, lines, &[])
    }

    /// [`Redactor::redact_lines`], with what a plug-in has found in this piece of text.
    pub fn redact_named(&mut self, text: &str, lines: &mut [Line], named: &[Found]) -> String {
        let mut out = String::with_capacity(text.len());
        let (mut at, mut lines) = (0, lines.iter_mut().peekable());
        let to_start = |byte: usize| u32::try_from(byte).unwrap_or(u32::MAX);
        for finding in self.find(text, named) {
            while let Some(line) = lines.next_if(|line| line.start as usize <= finding.range.start) {
                line.start = to_start(out.len() + line.start as usize - at);
            }
            out.push_str(&text[at..finding.range.start]);
            at = finding.range.end;
            let value = &text[finding.range.clone()];
            if self.policy.action(finding.kind) == Action::Mask {
                out.push_str(&mask(value));
                self.masked.insert((finding.kind, canonical(finding.kind, value)));
            } else {
                out.push_str(self.placeholder_for(finding.kind, value));
            }
            while let Some(line) = lines.next_if(|line| (line.start as usize) < finding.range.end) {
                line.start = to_start(out.len());
            }
        }
        for line in lines {
            line.start = to_start(out.len() + (line.start as usize).min(text.len()) - at);
        }
        out.push_str(&text[at..]);
        out
    }

    /// What is to be done away with, in order and without overlaps.
    fn find(&self, text: &str, named: &[Found]) -> Vec<Found> {
        let spans = scan(text, &self.options).into_iter();
        let spans: Vec<Span> = spans
            .filter(|span| span.kind == LITERAL || !self.allowed(span.kind, &text[span.range.clone()]))
            .collect();
        let mut found = self.merged(text, spans, named);
        let word = |c: char| c.is_alphanumeric() || c == '_';
        for denied in self.denied.iter().flat_map(|denied| denied.find_iter(text)) {
            let mut range = denied.range();
            if text[..range.start].ends_with(word) || text[range.end..].starts_with(word) {
                continue;
            }
            let first = found.partition_point(|other| other.range.end <= range.start);
            let met = found[first..].iter().take_while(|other| other.range.start < range.end).count();
            let met = first..first + met;
            // Inside a value it goes with it.
            if let [other] = &found[met.clone()]
                && other.range.start <= range.start
                && range.end <= other.range.end
                && self.policy.action(other.kind) != Action::Mask
            {
                continue;
            }
            for other in &found[met.clone()] {
                range = range.start.min(other.range.start)..range.end.max(other.range.end);
            }
            found.splice(met, [Found { kind: DENIED, range }]);
        }
        found
    }

    /// What a pattern found stands, whatever a plug-in makes of the same place; of a guess by words and lists and what
    /// the plug-in says, the longer one does. What a policy keeps uncovers nothing that we found ourselves.
    fn merged(&self, text: &str, spans: Vec<Span>, named: &[Found]) -> Vec<Found> {
        let guess = |span: &Span| matches!(span.why, Why::Phrase | Why::List);
        let (guesses, sure): (Vec<Span>, Vec<Span>) = spans.into_iter().partition(guess);
        let found = |span: Span| Found { kind: span.kind, range: span.range };
        let named = named.iter().map(|found| {
            let range = merge::trimmed(text, found.range.clone());
            Found { kind: found.kind, range }
        });
        let named = merge::longest(text, named.filter(|found| !found.range.is_empty()).collect());
        let wanted = |found: &Found| {
            self.policy.action(found.kind) != Action::Keep
                && !self.allowed(found.kind, &text[found.range.clone()])
        };
        let mut unsure: Vec<Found> =
            guesses.into_iter().map(found).chain(named.into_iter().filter(wanted)).collect();
        unsure.sort_by_key(|found| (std::cmp::Reverse(found.range.len()), found.range.start));
        merge::over(text, sure.into_iter().map(found).chain(unsure))
    }

    fn allowed(&self, kind: &'static str, value: &str) -> bool {
        !self.policy.allow.is_empty() && {
            let value = canonical(kind, value);
            self.policy.allow.iter().any(|allowed| canonical(kind, allowed) == value)
        }
    }

    fn placeholder_for(&mut self, kind: &'static str, value: &str) -> &str {
        let canonical = canonical(kind, value);
        let hashed = self.hasher.as_ref().filter(|_| self.policy.action(kind) == Action::Hash);
        let hashed = hashed.map(|hasher| hasher.number(kind, &canonical));
        let index = *self.known.entry((kind, canonical)).or_insert_with(|| {
            let number = hashed.unwrap_or_else(|| {
                let number = self.numbers.entry(kind).or_default();
                *number += 1;
                *number
            });
            let placeholder = Placeholder { token: format!("[{kind}_{number}]"), kind, count: 0 };
            self.entries.push(Entry { placeholder, forms: Vec::new(), order: Vec::new() });
            self.entries.len() - 1
        });
        let entry = &mut self.entries[index];
        entry.placeholder.count += 1;
        let form = entry.forms.iter().position(|form| form == value).unwrap_or_else(|| {
            entry.forms.push(value.to_owned());
            entry.forms.len() - 1
        });
        entry.order.push(u32::try_from(form).unwrap_or(0));
        &entry.placeholder.token
    }

    /// The placeholders given out so far, in order of appearance.
    pub fn placeholders(&self) -> Vec<Placeholder> {
        self.entries.iter().map(|entry| entry.placeholder.clone()).collect()
    }

    /// How many distinct values of each kind were done away with, in whatever way.
    pub fn redacted(&self) -> BTreeMap<&'static str, u32> {
        let mut redacted = BTreeMap::new();
        let replaced = self.entries.iter().map(|entry| entry.placeholder.kind);
        for kind in replaced.chain(self.masked.iter().map(|(kind, _)| *kind)) {
            *redacted.entry(kind).or_default() += 1;
        }
        redacted
    }

    /// Gives up the values: each placeholder with every way in which the document writes its value.
    pub fn into_values(self) -> VaultValues {
        let value = |Entry { placeholder, forms, order }: Entry| {
            let order = if forms.len() > 1 { order } else { Vec::new() };
            VaultValue { placeholder: placeholder.token, forms, order }
        };
        VaultValues { values: self.entries.into_iter().map(value).collect() }
    }
}

/// A look-alike is no value of a kind: every spelling is a thing of its own.
fn canonical(kind: &'static str, value: &str) -> String {
    match millrace_pii::kind(kind) {
        Some(kind) => (kind.canonical)(value),
        None if BY_MODEL.contains(&kind) => {
            value.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
        }
        None => value.to_owned(),
    }
}

/// Stars out all letters and digits but the last four; all of them where there are fewer than nine.
fn mask(value: &str) -> String {
    let all = value.chars().filter(|c| c.is_alphanumeric()).count();
    let hidden = if all < 9 { all } else { all - 4 };
    let mut passed = 0;
    let star = |c: char| {
        passed += usize::from(c.is_alphanumeric());
        if c.is_alphanumeric() && passed <= hidden { '*' } else { c }
    };
    value.chars().map(star).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(text: &str) -> String {
        Redactor::new().redact(text)
    }

    #[test]
    fn numbers_follow_appearance_and_values_keep_theirs() {
        let mut redactor = Redactor::new();
        let text = redactor
            .redact("IBAN DE89370400440532013000, a@b.com, DE89 3704 0044 0532 0130 00, A@B.com, c@d.org");
        assert_eq!(text, "IBAN [IBAN_1], [EMAIL_1], [IBAN_1], [EMAIL_1], [EMAIL_2]");
        assert_eq!(redactor.redact("again c@d.org"), "again [EMAIL_2]");
        let counts: Vec<_> = redactor.placeholders().into_iter().map(|p| (p.token, p.count)).collect();
        let expected = [("[IBAN_1]", 2), ("[EMAIL_1]", 2), ("[EMAIL_2]", 2)];
        assert_eq!(counts, expected.map(|(t, c)| (t.to_owned(), c)));
        let iban = &redactor.into_values().values[0];
        assert_eq!(iban.forms, ["DE89370400440532013000", "DE89 3704 0044 0532 0130 00"]);
        assert_eq!(iban.order, [0, 1]);
    }

    #[test]
    fn kinds() {
        for (text, expected) in [
            ("Tel.: +49 (0)30 901820, E-Mail: x@y.de", "Tel.: [PHONE_1], E-Mail: [EMAIL_1]"),
            ("card 4111 1111 1111 1111 exp 12/30", "card [CARD_1] exp 12/30"),
            ("SSN 078-05-1120.", "SSN [SSN_1]."),
            ("from 203.0.113.7 and 2001:db8::17", "from [IP_1] and [IP_2]"),
            ("http://203.0.113.7:8080/a", "[URL_1]"),
            ("Faustallee 7,\n26478 Dieburg", "[ADDRESS_1]"),
            ("DNI: 12345678Z, NIE X1234567L", "DNI: [ES_NIF_1], NIE [ES_NIE_1]"),
            ("born on 5 March 1958 in Rome", "born on [DATE_OF_BIRTH_1] in Rome"),
            ("née le 1er mars 1960", "née le [DATE_OF_BIRTH_1]"),
            ("call (212) 555-2368 x12", "call [PHONE_1]"),
        ] {
            assert_eq!(redacted(text), expected);
        }
    }

    #[test]
    fn what_contracts_need_stays() {
        for text in [
            "This Agreement is made on 5 March 2024 for EUR 1,250,000.00 under section 12.4.3.1 and 12.4.3.2",
            "Order 4111 1111 1111 1111, invoice 212-555-2368, serial 4539578763621486",
            "version 10.2.0.13 at 12:34:56, std::vector, INV-358542859050, ISBN 978-3-16-148410-0",
            "between 1990-2024 and 2024-05-06 11:34",
        ] {
            assert_eq!(redacted(text), text);
        }
    }

    #[test]
    fn a_label_masks_what_fails_its_check() {
        for (text, expected) in [
            ("IBAN: DE00 3704 0044 0532 0130 00", "IBAN: [IBAN_1]"),
            ("SSN: 000-12-3456", "SSN: [SSN_1]"),
            ("her SSN is XXX-XX-1234", "her SSN is [SSN_1]"),
            ("Card number: 4111 1111 1111 1112", "Card number: [CARD_1]"),
            ("DNI nº 12345678A", "DNI nº [ES_NIF_1]"),
        ] {
            assert_eq!(redacted(text), expected);
        }
        assert_eq!(redacted("assn: 000-12-3456"), "assn: 000-12-3456");
    }

    #[test]
    fn values_across_a_line_break() {
        assert_eq!(redacted("phone\n212-555-2368"), "phone\n[PHONE_1]");
    }

    #[test]
    fn look_alikes_in_the_source_are_escaped() {
        let mut redactor = Redactor::new();
        let source = "[EMAIL_1] a@b.com [EMAIL_1] [email_7] [LITERAL_1] [note 1]";
        let text = redactor.redact(source);
        assert_eq!(text, "[LITERAL_1] [EMAIL_1] [LITERAL_1] [LITERAL_2] [LITERAL_3] [note 1]");
        assert_eq!(millrace_vault::restore_text(&text, &redactor.into_values()), source);
    }

    fn under(policy: &str) -> Redactor {
        let policies = Policies::read("policy.toml", policy).unwrap();
        Redactor::with(policies.of("acme", ""), Some(Hasher::new(&"k".repeat(32), "acme").unwrap()))
    }

    #[test]
    fn a_policy_decides_what_becomes_of_a_kind() {
        let policy = "[default]\nkeep = [\"IP\"]\nmask = [\"CARD\"]\nhash = [\"EMAIL\"]\nallow = [\"Info@ACME.com\"]\n\
                      deny = [\"Project Falcon\"]";
        let source = "a@b.com, info@acme.com, card 4111 1111 1111 1111, from 203.0.113.7; project falcon, Project Falconry";
        let mut redactor = under(policy);
        let text = redactor.redact(source);
        let (hashed, rest) = text.split_once(", ").unwrap();
        assert_eq!(
            rest,
            "info@acme.com, card **** **** **** 1111, from 203.0.113.7; [DENIED_1], Project Falconry"
        );
        assert!(hashed.starts_with("[EMAIL_") && hashed.len() > 15, "{hashed}");
        // In another document of the tenant, behind another address, it is the same.
        assert!(under(policy).redact("first x@y.org, then A@B.com").ends_with(hashed));
        assert_eq!(redactor.redacted(), BTreeMap::from([("CARD", 1), ("DENIED", 1), ("EMAIL", 1)]));
        let values = redactor.into_values();
        assert!(!values.values.iter().any(|value| value.forms.iter().any(|form| form.starts_with("4111"))));
        assert_eq!(
            millrace_vault::restore_text(&text, &values),
            source.replace("4111 1111 1111 ", "**** **** **** ")
        );
    }

    #[test]
    fn a_denied_word_and_a_value_that_meet_go_together() {
        let mut redactor = under("[default]\ndeny = [\"call 212\", \"example\"]");
        assert_eq!(redactor.redact("jane@example.com, call 212-555-2368."), "[EMAIL_1], [DENIED_1].");
    }

    fn named(text: &str, policy: &str, all: &[(&'static str, &str)]) -> String {
        let found = |(kind, value): &(&'static str, &str)| {
            let start = text.find(value).unwrap();
            Found { kind, range: start..start + value.len() }
        };
        let found: Vec<Found> = all.iter().map(found).collect();
        let mut redactor = under(policy);
        let redacted = redactor.redact_named(text, &mut [], &found);
        let values = redactor.into_values();
        assert_eq!(millrace_vault::Original::new(&values).text(&redacted), text);
        redacted
    }

    #[test]
    fn what_a_plug_in_finds_is_merged() {
        let policy = "[default]\nnames = \"model\"";
        let text =
            "Zblat Qorx <z@qorx.example> of QORX  Ltd in Bath. Qorx Ltd, [PERSON_1], Dear Anna Smith-Jones";
        let found = [
            ("PERSON", "Zblat Qorx <z@q"),
            ("ORGANIZATION", "QORX  Ltd"),
            ("LOCATION", "Bath."),
            ("ORGANIZATION", "Qorx Ltd, [PERSON_1]"),
            ("PERSON", "Anna Smith"),
            ("OTHER", " of "),
        ];
        // Other spellings of a firm are one firm; what our lists know better is left to them.
        assert_eq!(
            named(text, policy, &found),
            "[PERSON_1] <[EMAIL_1]> [OTHER_1] [ORGANIZATION_1] in [LOCATION_1]. [ORGANIZATION_1], [LITERAL_1], \
             Dear [PERSON_2]"
        );
        let keeps = "[default]\nnames = \"model\"\nkeep = [\"ORGANIZATION\", \"OTHER\"]\nallow = [\"bath\"]";
        assert_eq!(
            named(text, keeps, &found),
            "[PERSON_1] <[EMAIL_1]> of QORX  Ltd in Bath. Qorx Ltd, [LITERAL_1], Dear [PERSON_2]"
        );
    }

    #[test]
    fn what_is_kept_uncovers_nothing() {
        let policy = "[default]\nnames = \"model\"\nkeep = [\"ORGANIZATION\"]";
        let text = "Write to Anna Smith Consulting, a@b.com";
        let all = [("ORGANIZATION", "Anna Smith Consulting, a@b.com")];
        assert_eq!(named(text, policy, &all), "Write to [PERSON_1], [EMAIL_1]");
        // But a firm that only the plug-in takes for a person is what the longer answer says it is.
        let all = [("ORGANIZATION", "Qorx Zblat Ltd"), ("PERSON", "Qorx Zblat")];
        assert_eq!(named("of Qorx Zblat Ltd", policy, &all), "of Qorx Zblat Ltd");
    }

    #[test]
    fn debug_shows_no_values() {
        let mut redactor = Redactor::new();
        redactor.redact("a@b.com");
        assert_eq!(format!("{redactor:?}"), "Redactor { placeholders: 1, .. }");
    }
}
