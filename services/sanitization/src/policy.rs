//! What is done with each kind of personal data, by tenant and profile.
//!
//! Layers, each before the one above it: built in, built in for the profile, the operator's file, the file for the
//! profile, for the tenant, for the tenant and the profile. What a layer does not mention stays as it was.

mod read;

use millrace_pii::{KINDS, Options};
use millrace_profile::Mistakes;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The kind of what an operator's `deny` list names.
pub const DENIED: &str = "DENIED";

/// Kinds that no pattern finds: a policy may speak of them all the same. `NRP` is nationality, religion and politics;
/// `OTHER` is whatever a plug-in finds and nobody here has a name for.
pub(crate) const BY_MODEL: [&str; 6] = ["ORGANIZATION", "LOCATION", "DATE_TIME", "MONEY", "NRP", "OTHER"];

const BUILT_IN: &str = include_str!("policy/built_in.toml");

/// What is done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// A placeholder stands in its place, numbered within the document; the vault can give the value back.
    Replace,
    /// It stays.
    Keep,
    /// A placeholder whose number is a keyed hash: the same in every document, so that documents can be compared.
    Hash,
    /// All but its last four characters are starred out; nothing gives them back.
    Mask,
}

/// Whether names of people are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// No.
    Off,
    /// By titles, phrases and lists of names: best effort.
    Lists,
    /// By these, and by the plug-in ([`crate::ner`]).
    Model,
}

impl Names {
    /// As it is written in policies and events.
    pub const fn name(self) -> &'static str {
        match self {
            Names::Off => "off",
            Names::Lists => "lists",
            Names::Model => "model",
        }
    }
}

/// What holds for one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    actions: BTreeMap<&'static str, Action>,
    /// Whether names of people are looked for.
    pub names: Names,
    /// Whether a document goes on where the plug-in that finds names does not answer.
    pub ner_open: bool,
    /// Whether text that no reader sees is shown to the model.
    pub shows_hidden: bool,
    /// Values that stay, whatever they are.
    pub allow: BTreeSet<String>,
    /// Words that never stay.
    pub deny: BTreeSet<String>,
    /// The last layer that had a say: `contract (policy.toml line 12)`.
    pub origin: String,
}

/// All that was laid down, for every tenant and profile.
#[derive(Debug, Clone)]
pub struct Policies {
    built_in: File,
    own: Option<File>,
}

/// One file.
#[derive(Debug, Clone, Default)]
struct File {
    /// As people call it.
    name: String,
    default: Layer,
    profiles: BTreeMap<String, Layer>,
    tenants: BTreeMap<String, (Layer, BTreeMap<String, Layer>)>,
}

/// What one table says.
#[derive(Debug, Clone, Default)]
struct Layer {
    /// The line in which it begins; 0 where it is not there.
    line: usize,
    actions: BTreeMap<&'static str, Action>,
    names: Option<Names>,
    ner_open: Option<bool>,
    shows_hidden: Option<bool>,
    allow: BTreeSet<String>,
    deny: BTreeSet<String>,
}

impl Default for Policies {
    fn default() -> Self {
        let built_in = read::file("built in", BUILT_IN).unwrap_or_default();
        Self { built_in, own: None }
    }
}

impl Policies {
    /// The built-in policies, and before them those of a file.
    ///
    /// # Errors
    /// All mistakes in it, by line.
    pub fn read(name: &str, text: &str) -> Result<Self, Mistakes> {
        Ok(Self { own: Some(read::file(name, text)?), ..Self::default() })
    }

    /// What holds for a tenant's document under a profile, which may not be chosen yet.
    pub fn of(&self, tenant: &str, profile: &str) -> Policy {
        let mut policy = Policy {
            actions: BTreeMap::new(),
            names: Names::Off,
            ner_open: false,
            shows_hidden: false,
            allow: BTreeSet::new(),
            deny: BTreeSet::new(),
            origin: String::new(),
        };
        for file in std::iter::once(&self.built_in).chain(&self.own) {
            policy.take(&file.default, "default", &file.name);
            if let Some(layer) = file.profiles.get(profile) {
                policy.take(layer, profile, &file.name);
            }
            if let Some((layer, profiles)) = file.tenants.get(tenant) {
                policy.take(layer, tenant, &file.name);
                if let Some(layer) = profiles.get(profile) {
                    policy.take(layer, &format!("{tenant} {profile}"), &file.name);
                }
            }
        }
        policy
    }

    /// Whether any policy hashes: then there must be a key to do it with.
    pub fn hashes(&self) -> bool {
        self.layers().any(|layer| layer.actions.values().any(|action| *action == Action::Hash))
    }

    /// Whether any policy has a model look for names: then there must be one.
    pub fn asks_a_model(&self) -> bool {
        self.layers().any(|layer| layer.names == Some(Names::Model))
    }

    fn layers(&self) -> impl Iterator<Item = &Layer> {
        let files = std::iter::once(&self.built_in).chain(&self.own);
        files.flat_map(|file| {
            let tenants = file
                .tenants
                .values()
                .flat_map(|(layer, profiles)| std::iter::once(layer).chain(profiles.values()));
            std::iter::once(&file.default).chain(file.profiles.values()).chain(tenants)
        })
    }
}

impl Policy {
    fn take(&mut self, layer: &Layer, name: &str, file: &str) {
        if layer.line == 0 {
            return;
        }
        self.actions.extend(&layer.actions);
        self.names = layer.names.unwrap_or(self.names);
        self.ner_open = layer.ner_open.unwrap_or(self.ner_open);
        self.shows_hidden = layer.shows_hidden.unwrap_or(self.shows_hidden);
        self.allow.extend(layer.allow.iter().cloned());
        self.deny.extend(layer.deny.iter().cloned());
        self.origin = format!("{name} ({file} line {})", layer.line);
    }

    /// What is done with values of a kind.
    pub fn action(&self, kind: &str) -> Action {
        let built_in = || {
            let kept = millrace_pii::kind(kind).is_some_and(|kind| kind.action == millrace_pii::Action::Keep);
            if kept { Action::Keep } else { Action::Replace }
        };
        self.actions.get(kind).copied().unwrap_or_else(built_in)
    }

    /// What is looked for.
    pub fn options(&self) -> Options {
        let names = self.names != Names::Off && self.action("PERSON") != Action::Keep;
        let options = if names { Options::default().with_names() } else { Options::default() };
        let kept = KINDS.iter().filter(|kind| self.action(kind.name) == Action::Keep);
        kept.fold(options, |options, kind| options.without(kind.name))
    }

    /// All that shapes a redacted text, in one line: another line, another text. Where it was written down does not, nor
    /// what is done while the plug-in is away: what went on without it stays as it is, and work done is not done again.
    pub fn shape(&self) -> String {
        let mut shape = format!("{} {}", self.names.name(), self.shows_hidden);
        for (kind, action) in &self.actions {
            let _ = write!(shape, " {kind}:{action:?}");
        }
        for (list, values) in [("allow", &self.allow), ("deny", &self.deny)] {
            for value in values {
                let _ = write!(shape, " {list}:{}:{value}", value.len());
            }
        }
        shape
    }

    /// For people: what is done with each kind.
    pub fn summary(&self) -> String {
        let mut by: BTreeMap<Action, Vec<&str>> = BTreeMap::new();
        for kind in KINDS.iter().map(|kind| kind.name).chain(BY_MODEL) {
            by.entry(self.action(kind)).or_default().push(kind);
        }
        let mut told = format!("policy   {}\n", self.origin);
        for (action, kinds) in by {
            let _ = writeln!(told, "{:<8} {}", format!("{action:?}").to_lowercase(), kinds.join(", "));
        }
        let hidden = if self.shows_hidden { "shown to the model" } else { "withheld from the model" };
        let closed = if self.ner_open {
            ", or by lists while it is away"
        } else {
            "; while it is away, documents wait"
        };
        let names =
            if self.names == Names::Model { format!("model{closed}") } else { self.names.name().into() };
        let _ = writeln!(told, "names    {names}\nhidden   {hidden}");
        let _ = writeln!(told, "lists    {} allowed, {} denied", self.allow.len(), self.deny.len());
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_has_no_mistake_and_does_what_it_says() {
        read::file("built in", BUILT_IN).unwrap();
        let policies = Policies::default();
        let contract = policies.of("acme", "contract");
        for kind in ["DATE_TIME", "MONEY", "ORGANIZATION", "LOCATION"] {
            assert_eq!(contract.action(kind), Action::Keep);
        }
        assert_eq!((contract.action("EMAIL"), contract.action("PERSON")), (Action::Replace, Action::Replace));
        assert_eq!(contract.origin, "contract (built in line 15)");
        assert_eq!(policies.of("acme", "resume").action("PERSON"), Action::Keep);
        let unknown = policies.of("acme", "");
        assert_eq!(
            (unknown.action("VAT"), unknown.origin.as_str()),
            (Action::Replace, "default (built in line 6)")
        );
        assert!(!policies.hashes() && !policies.asks_a_model());
    }

    #[test]
    fn the_nearer_layer_decides() {
        let policies = Policies::read(
            "policy.toml",
            r#"
            [default]
            mask = ["CARD"]
            allow = ["info@acme.com"]
            [profiles.contract]
            replace = ["VAT"]
            [tenants.acme]
            hash = ["EMAIL"]
            names = "model"
            ner_fails = "open"
            [tenants.acme.profiles.contract]
            keep = ["EMAIL"]
            hidden = "show"
            deny = ["Project Falcon"]
            "#,
        )
        .unwrap();
        let both = policies.of("acme", "contract");
        assert_eq!(
            [both.action("CARD"), both.action("VAT"), both.action("EMAIL")],
            [Action::Mask, Action::Replace, Action::Keep]
        );
        assert!(both.shows_hidden && both.names == Names::Model && both.ner_open);
        assert_eq!((both.allow.len(), both.deny.len()), (1, 1));
        assert_eq!(both.origin, "acme contract (policy.toml line 11)");
        let tenant = policies.of("acme", "summary");
        assert_eq!((tenant.action("EMAIL"), tenant.shows_hidden), (Action::Hash, false));
        let other = policies.of("other", "contract");
        assert_eq!((other.action("EMAIL"), other.names), (Action::Replace, Names::Off));
        assert!(policies.hashes() && policies.asks_a_model() && !other.ner_open);
        assert_ne!(both.shape(), tenant.shape());
        assert_eq!(other.shape(), policies.of("third", "contract").shape());
    }

    #[test]
    fn every_mistake_is_told_by_line() {
        let mistakes = Policies::read(
            "p.toml",
            r#"
[default]
keep = ["EMIAL", 3]
mask = ["CARD"]
hash = ["CARD"]
names = "sometimes"
deny = ["", "ok"]
kept = []
[profile.contract]
[tenants."a.b"]
[profiles.contract]
hidden = true
"#,
        )
        .unwrap_err();
        let told: Vec<String> = mistakes.0.iter().map(ToString::to_string).collect();
        for (line, part) in [
            (3, "\"EMIAL\" is no kind"),
            (3, "must be a list of texts"),
            (5, "CARD is to be masked already"),
            (6, "\"names\" must be \"off\", \"lists\" or \"model\""),
            (7, "is empty"),
            (8, "\"kept\" is no field"),
            (9, "\"profile\" is no table"),
            (10, "a.b"),
            (12, "\"hidden\" must be \"withhold\" or \"show\""),
        ] {
            let start = format!("p.toml:{line}: ");
            assert!(
                told.iter().any(|told| told.starts_with(&start) && told.contains(part)),
                "{line} {part}: {told:#?}"
            );
        }
        assert_eq!(told.len(), 9, "{told:#?}");
        let broken = Policies::read("p.toml", "[default\n").unwrap_err();
        assert_eq!(broken.0[0].line, Some(1));
    }
}
