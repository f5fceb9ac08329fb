//! From the files of a folder to a profile, or to all mistakes in them.

use crate::checks::Check;
use crate::fields::{FILE, Fields, Lined, parse};
use crate::mistakes::{Mistake, Mistakes};
use crate::{Localized, Profile, Prompt, places, schema, templates};
use millrace_contract::artifact::sha256_hex;
use minijinja::Environment;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What `[[prompts]]` says.
struct Question {
    id: Option<Lined<String>>,
    doing: Option<Lined<String>>,
    think_less: bool,
    schema: Option<Lined<String>>,
    template: Option<Lined<String>>,
    languages: BTreeMap<String, Lined<String>>,
}

struct Reader<'f> {
    files: &'f BTreeMap<String, String>,
    templates: Environment<'static>,
    mistakes: Vec<Mistake>,
}

/// Reads a profile from the files of the folder with that name.
pub(crate) fn profile(folder: &str, files: &BTreeMap<String, String>) -> Result<Profile, Mistakes> {
    let mut reader = Reader { files, templates: templates::environment(), mistakes: Vec::new() };
    let profile = reader.profile(folder);
    let mut mistakes = reader.mistakes;
    mistakes.sort();
    mistakes.dedup();
    match profile {
        Some(profile) if mistakes.is_empty() => Ok(Profile { templates: reader.templates, ..profile }),
        _ => Err(Mistakes(mistakes)),
    }
}

impl Reader<'_> {
    fn say(&mut self, line: impl Into<Option<usize>>, text: impl Into<String>) {
        self.mistakes.push(Mistake::new(FILE, line, text));
    }

    fn profile(&mut self, folder: &str) -> Option<Profile> {
        let Some(text) = self.files.get(FILE) else {
            self.say(None, "there is no such file in the folder");
            return None;
        };
        let table = match parse(text) {
            Ok(table) => table,
            Err(mistakes) => {
                self.mistakes.extend(mistakes);
                return None;
            }
        };
        let mut fields = Fields::of(text, "the profile", 0, table.get_ref());
        let wrong = &mut self.mistakes;
        let name = fields.text("name", wrong);
        let version = fields.number("version", 1, None, wrong);
        let title = fields.text("title", wrong);
        let models = fields.texts("models", wrong);
        let max_output_tokens = fields.number("max_output_tokens", 1, None, wrong);
        let max_input_tokens = fields.number("max_input_tokens", 0, Some(0), wrong);
        let system = fields.text("system", wrong);
        let system_languages = fields.languages("system_languages", wrong);
        let prompts = fields.tables("prompts", "[[prompts]]", wrong);
        let checks = fields.tables("checks", "[[checks]]", wrong);
        fields.finish(wrong);
        let questions: Vec<Question> = prompts.into_iter().map(|prompt| question(prompt, wrong)).collect();

        if let Some(name) = name.as_ref().filter(|name| name.value != folder) {
            self.say(
                name.line,
                format!("the name is {:?}; name it {folder:?}, after its folder", name.value),
            );
        }
        if questions.is_empty() {
            self.say(None, "there is no [[prompts]]");
        }
        let system = self.localized(system, system_languages, false);
        let (prompts, schemas) = self.prompts(questions);
        let checks: Vec<Check> =
            checks.iter().filter_map(|check| places::read(check, &schemas, &mut self.mistakes)).collect();
        Some(Profile {
            name: name?.value,
            version: version?,
            title: title?.value,
            models,
            max_output_tokens: max_output_tokens?,
            prompts,
            checks,
            max_input_tokens: max_input_tokens?,
            digest: digest(self.files),
            templates: templates::environment(),
            system: system?,
        })
    }

    /// The prompts, and the schemas by prompt: null where there is none.
    fn prompts(&mut self, questions: Vec<Question>) -> (Vec<Prompt>, Vec<(String, Value)>) {
        let (mut prompts, mut schemas): (Vec<Prompt>, Vec<(String, Value)>) = (Vec::new(), Vec::new());
        let mut texts: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for question in questions {
            if let Some(id) = &question.id {
                if !id.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
                {
                    self.say(id.line, format!("{:?}: an id has letters, digits, - and _ only", id.value));
                }
                if schemas.iter().any(|(other, _)| *other == id.value) {
                    self.say(id.line, format!("two prompts are called {:?}", id.value));
                }
            }
            let schema = question.schema.and_then(|file| self.schema(&file));
            for (code, file) in std::iter::once(("", question.template.as_ref()))
                .chain(question.languages.iter().map(|(code, file)| (code.as_str(), Some(file))))
            {
                if let Some((file, text)) = file.and_then(|file| Some((file, self.files.get(&file.value)?))) {
                    texts.entry(code.to_owned()).or_default().insert(file.value.clone(), text.clone());
                }
            }
            let template = self.localized(question.template, question.languages, true);
            let Some(id) = question.id else { continue };
            schemas.push((id.value.clone(), schema.clone().unwrap_or_default()));
            if let (Some(doing), Some(schema), Some(template)) = (question.doing, schema, template) {
                let think_less = question.think_less;
                prompts.push(Prompt { id: id.value, doing: doing.value, think_less, schema, template });
            }
        }
        for texts in texts.values() {
            templates::alike(texts, &mut self.mistakes);
        }
        (prompts, schemas)
    }

    fn file(&mut self, file: &Lined<String>) -> Option<String> {
        let text = self.files.get(&file.value).cloned();
        if text.is_none() {
            self.say(file.line, format!("{}: there is no such file in the folder", file.value));
        }
        text
    }

    fn schema(&mut self, file: &Lined<String>) -> Option<Value> {
        let text = self.file(file)?;
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => {
                self.mistakes.extend(schema::check(&file.value, &text, &value));
                Some(value)
            }
            Err(error) => {
                let text = format!("is not JSON: {error}");
                self.mistakes.push(Mistake::new(&file.value, error.line(), text));
                None
            }
        }
    }

    fn localized(
        &mut self,
        default: Option<Lined<String>>,
        languages: BTreeMap<String, Lined<String>>,
        prompt: bool,
    ) -> Option<Localized> {
        for file in default.iter().chain(languages.values()) {
            if let Some(text) = self.file(file) {
                templates::add(&mut self.templates, &file.value, &text, prompt, &mut self.mistakes);
            }
        }
        let languages = languages.into_iter().map(|(code, file)| (code, file.value)).collect();
        Some(Localized { default: default?.value, languages })
    }
}

fn question(mut fields: Fields<'_>, mistakes: &mut Vec<Mistake>) -> Question {
    let question = Question {
        id: fields.text("id", mistakes),
        doing: fields.text("doing", mistakes),
        think_less: fields.choice("thinking", &["free", "least"], mistakes) == "least",
        schema: fields.text("schema", mistakes),
        template: fields.text("template", mistakes),
        languages: fields.languages("languages", mistakes),
    };
    fields.finish(mistakes);
    question
}

/// SHA-256 over names and texts of all files.
fn digest(files: &BTreeMap<String, String>) -> String {
    let mut all = String::new();
    for (name, text) in files {
        let _ = write!(all, "{name}\0{}\0{text}", text.len());
    }
    sha256_hex(all.as_bytes())
}
