//! Reading a policy so that every mistake is told, with its line.

use super::{Action, BY_MODEL, File, Layer, Names};
use millrace_contract::ids::token;
use millrace_pii::KINDS;
use millrace_profile::{Mistake, Mistakes};
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

type Entry<'t> = (&'t Spanned<std::borrow::Cow<'t, str>>, &'t Spanned<DeValue<'t>>);

struct Reader<'t> {
    name: &'t str,
    text: &'t str,
    mistakes: Vec<Mistake>,
}

pub(super) fn file(name: &str, text: &str) -> Result<File, Mistakes> {
    let mut reader = Reader { name, text, mistakes: Vec::new() };
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        reader.wrong(error.span().map_or(0, |span| span.start), error.message().to_owned());
    }
    let mut file = File { name: name.to_owned(), ..File::default() };
    if reader.mistakes.is_empty() {
        for entry in root.get_ref() {
            match entry.0.get_ref().as_ref() {
                "default" => file.default = reader.layer(entry, "[default]", false),
                "profiles" => file.profiles = reader.layers(entry, "[profiles.<name>]"),
                "tenants" => {
                    for (tenant, value) in reader.tables(entry, "[tenants.<name>]") {
                        let layer = reader.layer((tenant, value), "[tenants.<name>]", true);
                        let profiles = value.get_ref().get("profiles");
                        let named =
                            value.get_ref().as_table().and_then(|table| table.get_key_value("profiles"));
                        let profiles = profiles
                            .and(named)
                            .map(|entry| reader.layers(entry, "[tenants.<name>.profiles.<name>]"));
                        file.tenants
                            .insert(tenant.get_ref().to_string(), (layer, profiles.unwrap_or_default()));
                    }
                }
                other => {
                    let text =
                        format!("{other:?} is no table of a policy; there may be default, profiles, tenants");
                    reader.wrong(entry.0.span().start, text);
                }
            }
        }
    }
    reader.mistakes.sort();
    if reader.mistakes.is_empty() { Ok(file) } else { Err(Mistakes(reader.mistakes)) }
}

impl<'t> Reader<'t> {
    fn line(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
    }

    fn wrong(&mut self, offset: usize, text: String) {
        let line = Some(self.line(offset));
        self.mistakes.push(Mistake { file: self.name.to_owned(), line, text });
    }

    /// The tables in a table, by names that may be a tenant's or a profile's.
    fn tables(&mut self, (key, value): Entry<'t>, called: &str) -> Vec<Entry<'t>> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(key.span().start, format!("{:?} must be tables, each under {called}", key.get_ref()));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (name, value) in table {
            match token("name", name.get_ref()) {
                Ok(_) => tables.push((name, value)),
                Err(error) => self.wrong(name.span().start, error.to_string()),
            }
        }
        tables
    }

    fn layers(&mut self, entry: Entry<'t>, called: &str) -> BTreeMap<String, Layer> {
        let tables = self.tables(entry, called);
        tables
            .into_iter()
            .map(|table| (table.0.get_ref().to_string(), self.layer(table, called, false)))
            .collect()
    }

    fn layer(&mut self, (key, value): Entry<'t>, called: &str, of_tenant: bool) -> Layer {
        let mut layer = Layer { line: self.line(key.span().start), ..Layer::default() };
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(key.span().start, format!("{:?} must be a table", key.get_ref()));
            return layer;
        };
        // In the order of the file, so that of two mentions of a kind the second is the mistake.
        let mut entries: Vec<Entry<'t>> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let at = key.span().start;
            match key.get_ref().as_ref() {
                "replace" => self.kinds(&mut layer, Action::Replace, at, value),
                "keep" => self.kinds(&mut layer, Action::Keep, at, value),
                "hash" => self.kinds(&mut layer, Action::Hash, at, value),
                "mask" => self.kinds(&mut layer, Action::Mask, at, value),
                "allow" => layer.allow = self.values("allow", at, value),
                "deny" => layer.deny = self.values("deny", at, value),
                "names" => {
                    let names = [Names::Off, Names::Lists, Names::Model].map(|names| (names.name(), names));
                    layer.names = self.one_of("names", at, value, names);
                }
                "ner_fails" => layer.ner_open = self.one_of("ner_fails", at, value, [("closed", false), ("open", true)]),
                "hidden" => layer.shows_hidden = self.one_of("hidden", at, value, [("withhold", false), ("show", true)]),
                "profiles" if of_tenant => {}
                other => self.wrong(
                    at,
                    format!(
                        "{other:?} is no field of {called}; there may be replace, keep, hash, mask, allow, deny, \
                         names, ner_fails, hidden"
                    ),
                ),
            }
        }
        layer
    }

    fn texts(&mut self, key: &str, at: usize, value: &'t Spanned<DeValue<'t>>) -> Vec<(usize, &'t str)> {
        let items = value.get_ref().as_array().map(|items| items.iter()).into_iter().flatten();
        let texts: Vec<_> =
            items.clone().filter_map(|item| Some((item.span().start, item.get_ref().as_str()?))).collect();
        if !value.get_ref().is_array() || texts.len() < items.count() {
            self.wrong(at, format!("{key:?} must be a list of texts"));
        }
        texts
    }

    fn values(&mut self, key: &str, at: usize, value: &'t Spanned<DeValue<'t>>) -> BTreeSet<String> {
        let mut values = BTreeSet::new();
        for (at, text) in self.texts(key, at, value) {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if text.is_empty() {
                self.wrong(at, format!("a text in {key:?} is empty"));
            } else {
                values.insert(text);
            }
        }
        values
    }

    fn kinds(&mut self, layer: &mut Layer, action: Action, at: usize, value: &'t Spanned<DeValue<'t>>) {
        let key = format!("{action:?}").to_lowercase();
        for (at, name) in self.texts(&key, at, value) {
            let known = KINDS.iter().map(|kind| kind.name).chain(BY_MODEL).find(|kind| *kind == name);
            let Some(kind) = known else {
                let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.name).chain(BY_MODEL).collect();
                self.wrong(
                    at,
                    format!("{name:?} is no kind of personal data; there are {}", kinds.join(", ")),
                );
                continue;
            };
            if let Some(before) = layer.actions.insert(kind, action).filter(|before| *before != action) {
                let done = match before {
                    Action::Replace => "replaced",
                    Action::Keep => "kept",
                    Action::Hash => "hashed",
                    Action::Mask => "masked",
                };
                self.wrong(at, format!("{kind} is to be {done} already"));
            }
        }
    }

    fn one_of<T, const N: usize>(
        &mut self,
        key: &str,
        at: usize,
        value: &'t Spanned<DeValue<'t>>,
        of: [(&str, T); N],
    ) -> Option<T> {
        let names: Vec<String> = of.iter().map(|(name, _)| format!("{name:?}")).collect();
        let found = value.get_ref().as_str().and_then(|text| of.into_iter().find(|(name, _)| *name == text));
        if found.is_none() {
            let names = names.join(", ");
            let names =
                names.rsplit_once(", ").map_or(names.clone(), |(head, last)| format!("{head} or {last}"));
            self.wrong(at, format!("{key:?} must be {names}"));
        }
        found.map(|(_, value)| value)
    }
}
