//! Templates: they compile, use only what there is, and begin alike so that providers can cache the beginning.

use crate::mistakes::{Mistake, line_at};
use minijinja::Environment;
use regex::Regex;
use std::collections::BTreeMap;

/// What a template is given.
pub(crate) const VARIABLES: &[&str] = &["document", "language", "pages", "fence"];

/// An environment in which an unknown variable is an error.
pub(crate) fn environment() -> Environment<'static> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    templates
}

/// Adds a template. `prompt`: it asks a question, and so shows the document.
pub(crate) fn add(
    templates: &mut Environment<'static>,
    name: &str,
    text: &str,
    prompt: bool,
    mistakes: &mut Vec<Mistake>,
) {
    if let Err(error) = templates.add_template_owned(name.to_owned(), text.to_owned()) {
        let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        mistakes.push(Mistake::new(name, error.line(), format!("is not a template: {detail}")));
        return;
    }
    let Ok(template) = templates.get_template(name) else { return };
    let used = template.undeclared_variables(false);
    let mut unknown: Vec<&String> = used.iter().filter(|used| !VARIABLES.contains(&used.as_str())).collect();
    unknown.sort();
    for variable in unknown {
        let text = format!("{variable:?} is no variable; there are {}", VARIABLES.join(", "));
        mistakes.push(Mistake::new(name, line_of_variable(template.source(), variable), text));
    }
    if prompt {
        if !used.contains("document") {
            let text =
                "the document is not in the prompt: write {{ document }} between two lines of {{ fence }}";
            mistakes.push(Mistake::new(name, None, text));
        } else if shared(text).is_none() {
            let line = line_of_variable(text, "document");
            let text = "{{ document }} must stand between two {{ fence }}, so that it is read as data";
            mistakes.push(Mistake::new(name, line, text));
        }
    } else if let Some(variable) = ["document", "fence"].into_iter().find(|variable| used.contains(*variable))
    {
        let text =
            format!("a system text is instructions only: {{{{ {variable} }}}} belongs into the prompts");
        mistakes.push(Mistake::new(name, line_of_variable(template.source(), variable), text));
    }
}

/// Says where templates of one language differ before the end of the document. `templates`: names and texts.
pub(crate) fn alike(templates: &BTreeMap<String, String>, mistakes: &mut Vec<Mistake>) {
    let mut shared = templates.iter().filter_map(|(name, text)| Some((name, shared(text)?)));
    let Some((model, expected)) = shared.next() else { return };
    for (name, text) in shared {
        if text != expected {
            let line = 1 + text.lines().zip(expected.lines()).take_while(|(one, other)| one == other).count();
            let why = format!(
                "differs from {model} before the end of the document; all prompts must begin alike, or nothing of it is cached"
            );
            mistakes.push(Mistake::new(name, line, why));
        }
    }
}

/// A template up to the fence after the document.
fn shared(text: &str) -> Option<&str> {
    let document = places(text, "document").next()?;
    let after = places(text, "fence").find(|place| place.start > document.end)?;
    let before = places(text, "fence").any(|place| place.end <= document.start);
    before.then(|| &text[..after.end])
}

fn places<'t>(text: &'t str, variable: &str) -> impl Iterator<Item = std::ops::Range<usize>> + 't {
    // The names are our own: they need no escaping.
    let found: Vec<_> = Regex::new(&format!(r"\{{\{{-?\s*{variable}\s*-?\}}\}}"))
        .map(|pattern| pattern.find_iter(text).map(|found| found.range()).collect())
        .unwrap_or_default();
    found.into_iter()
}

fn line_of_variable(text: &str, variable: &str) -> Option<usize> {
    let pattern = Regex::new(&format!(r"\{{[\{{%][^}}]*\b{}\b", regex::escape(variable))).ok()?;
    Some(line_at(text, pattern.find(text)?.end()))
}
