//! The origin's way: one task a document, four calls one after the other, and when anything goes wrong the whole chain
//! again, three times in all. Same documents, same questions, same provider, same checks of the answers.

use anyhow::{Context as _, Result};
use futures_util::stream::{self, StreamExt as _};
use jsonschema::Validator;
use millrace_contract::wire::DocumentText;
use millrace_profile::{Profile, Profiles, Source};
use millrace_provider::models::{Model, Models};
use millrace_provider::{Ask, Exchange, Shape, Tier, Vendor};
use millrace_sanitization::clean::page;
use millrace_sanitization::sanitize::sanitize;
use std::time::SystemTime;

/// What came of a batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcome {
    /// Documents that the first try finished.
    pub first: usize,
    /// Documents that were finished at all.
    pub good: usize,
}

/// How a prompt is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// As the origin had it: the question, then the document. No two prompts of a document begin alike, so a provider's
    /// cache helps a restart and nothing else.
    QuestionFirst,
    /// As Millrace has it: the document, then the question.
    DocumentFirst,
}

/// The naive client.
pub struct Naive {
    layout: Layout,
    profiles: Profiles,
    models: Models,
    validators: Vec<Validator>,
    http: reqwest::Client,
    url: String,
}

/// As extraction and sanitization leave it.
pub fn read(text: &str) -> Result<DocumentText> {
    let read = millrace_extraction::formats::plain_text(text.as_bytes())
        .map_err(|error| anyhow::anyhow!("the document: {error}"))?;
    let pages = read.pages.into_iter().map(|read| page(read.number, read.blocks.into_iter().map(|b| b.text)));
    Ok(sanitize(DocumentText { pages: pages.collect(), ..DocumentText::default() }).text)
}

/// Puts what stands behind the document, which is the last fence, before it.
fn question_first(prompt: &str) -> String {
    let fence = prompt.lines().find(|line| line.starts_with("DOCUMENT-")).unwrap_or_default();
    match prompt.rsplit_once(fence).filter(|_| !fence.is_empty()) {
        Some((document, question)) => format!("{}\n\n{document}{fence}\n", question.trim()),
        None => prompt.to_owned(),
    }
}

impl Naive {
    /// A client of the provider at that URL.
    pub fn new(url: &str, layout: Layout) -> Result<Naive> {
        let profiles = Profiles::load(&Source(None))?;
        let profile = profiles.get("contract").context("no profile contract")?;
        let compiled = profile.prompts.iter().map(|prompt| jsonschema::validator_for(&prompt.schema));
        let validators = compiled
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| anyhow::anyhow!("a schema of the profile: {error}"))?;
        let http = reqwest::Client::builder().timeout(std::time::Duration::from_secs(60)).build()?;
        let models = Models::load(None)?;
        Ok(Naive { layout, profiles, models, validators, http, url: url.to_owned() })
    }

    /// Takes a batch through, `at_once` documents at once.
    pub async fn run(&self, texts: &[String], tries: usize, at_once: usize) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let mut running =
            stream::iter(texts).map(|text| self.document(text, tries)).buffer_unordered(at_once);
        while let Some(took) = running.next().await {
            match took? {
                Some(1) => (outcome.first, outcome.good) = (outcome.first + 1, outcome.good + 1),
                Some(_) => outcome.good += 1,
                None => {}
            }
        }
        Ok(outcome)
    }

    /// In which try the whole chain was good.
    async fn document(&self, text: &str, tries: usize) -> Result<Option<usize>> {
        let document = read(text)?;
        let profile = self.profiles.get("contract").context("no profile contract")?;
        let model = self.models.resolve("pro", SystemTime::now());
        let model = model.map_err(|failure| anyhow::anyhow!("{}", failure.message))?;
        for number in 1..=tries {
            if self.chain(profile, model, &document).await? {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    async fn chain(&self, profile: &Profile, model: &Model, document: &DocumentText) -> Result<bool> {
        for (prompt, validator) in profile.prompts.iter().zip(&self.validators) {
            let rendered = profile.render(prompt, "en", document)?;
            let user = match self.layout {
                Layout::DocumentFirst => rendered.user,
                Layout::QuestionFirst => question_first(&rendered.user),
            };
            let request = Vendor::request(&Ask {
                model,
                system: &rendered.system,
                user: &user,
                correction: None,
                schema: &prompt.schema,
                shape: Shape::Schema,
                max_output_tokens: profile.max_output_tokens,
                think_less: false,
                tier: Tier::Standard,
                kept: None,
            });
            let url = format!("{}{}", self.url, request.path);
            let sent = self.http.post(url).header("x-goog-api-key", "key").body(request.body).send().await;
            let Ok(response) = sent else { return Ok(false) };
            let status = response.status().as_u16();
            let Ok(body) = response.bytes().await else { return Ok(false) };
            let exchange = Exchange { status, headers: Default::default(), body: body.to_vec() };
            let Ok(reply) = Vendor::read(model, &exchange) else { return Ok(false) };
            let Ok(answer) = serde_json::from_str(&reply.text) else { return Ok(false) };
            if !validator.is_valid(&answer) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
