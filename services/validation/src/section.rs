//! One section of the report: the answers to one prompt, read, put together and held against the profile's schema.

use crate::repair::{self, Form, Note, Refused};
use crate::{merge, schema};
use jsonschema::Validator;
use millrace_contract::ErrorCode;
use millrace_contract::wire::{Answer, Fault};
use serde_json::Value;
use std::collections::BTreeMap;

/// A prompt's schema, as answers are held against it.
pub struct Question {
    schema: Value,
    validator: Validator,
    /// For a document that was read in parts.
    roomy: Validator,
}

/// A section before its evidence is looked up.
#[derive(Debug)]
pub struct Section {
    /// It fits the schema.
    pub value: Value,
    /// What was put right, each with the part of the document it belongs to, if there were several.
    pub notes: Vec<(Option<u32>, Note)>,
    /// An answer ended too early; what was incomplete is left out.
    pub cut: bool,
}

impl Question {
    /// Prepares a profile's schema.
    ///
    /// # Errors
    /// If it is not a schema.
    pub fn new(profile: &Value) -> anyhow::Result<Question> {
        // Evidence is taken out of the schema below; what the profile itself says must be a schema all the same.
        jsonschema::validator_for(profile).map_err(|error| anyhow::anyhow!("{error}"))?;
        let schema = schema::adapted(profile);
        let compile =
            |schema: &Value| jsonschema::validator_for(schema).map_err(|error| anyhow::anyhow!("{error}"));
        Ok(Question { validator: compile(&schema)?, roomy: compile(&schema::roomy(&schema))?, schema })
    }

    /// The schema, with evidence in its one form.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// Makes one section of all answers to a prompt, in the order in which they came.
    ///
    /// # Errors
    /// What is wrong, for the next question: places and keywords, nothing of what stands there.
    pub fn section(&self, prompt: &str, answers: &[&Answer]) -> Result<Section, Box<Fault>> {
        let mut section = Section { value: Value::Null, notes: Vec::new(), cut: false };
        let whole = |answer: &Answer| answer.parts.max(1);
        let own = |answer: &&Answer| answer.corrects.is_empty();
        let Some(parts) = answers.iter().copied().rfind(own).map(whole) else {
            let message = format!("there is no answer to {prompt}");
            return Err(fault(prompt, ErrorCode::AnswerMalformed, message, Vec::new()));
        };
        // The last answer to each part; an older one was asked again.
        let mut bases: BTreeMap<u32, usize> = BTreeMap::new();
        for (index, answer) in answers.iter().enumerate() {
            if own(answer) && whole(answer) == parts {
                bases.insert(answer.part, index);
            }
        }
        if bases.len() != parts as usize {
            let message = format!(
                "{} of {parts} answers to {prompt} are missing",
                parts as usize - bases.len().min(parts as usize)
            );
            return Err(fault(prompt, ErrorCode::AnswerMalformed, message, Vec::new()));
        }
        let mut values = Vec::new();
        for (part, base) in &bases {
            let shown = (parts > 1).then_some(*part);
            let same = |later: &&Answer| whole(later) == parts && (parts == 1 || later.part == *part);
            let corrections: Vec<&Answer> =
                answers[base + 1..].iter().copied().filter(|later| same(later) && !own(later)).collect();
            let value = self.part(&mut section, answers[*base], &corrections, shown);
            values.push(value.map_err(|why| Box::new(Fault { part: *part, ..*refused(prompt, why) }))?);
        }
        let mut value = merge::parts(values, &self.schema);
        let newest = bases.values().max().copied().unwrap_or_default();
        for later in &answers[newest + 1..] {
            if parts > 1 && whole(later) == 1 {
                self.correct(&mut section, &mut value, later, None).map_err(|why| refused(prompt, why))?;
            }
        }
        let validator = if parts > 1 { &self.roomy } else { &self.validator };
        let at = schema::misfits(validator, &self.schema, &value);
        if !at.is_empty() {
            return Err(Box::new(Fault { whole: parts > 1, ..*refused(prompt, Refused::Invalid(at)) }));
        }
        section.value = value;
        Ok(section)
    }

    /// One part's answer, as it was corrected. Of the fields that were asked for again the first answer is not looked
    /// at: that they did not hold is why.
    fn part(
        &self,
        section: &mut Section,
        base: &Answer,
        corrections: &[&Answer],
        part: Option<u32>,
    ) -> Result<Value, Refused> {
        let mut value = if corrections.is_empty() {
            section.read(&base.json, &Form { schema: &self.schema, validator: &self.validator }, part)?
        } else {
            let again: Vec<String> = corrections.iter().flat_map(|later| later.corrects.clone()).collect();
            let sparing = schema::sparing(&self.schema, &again);
            let Ok(validator) = jsonschema::validator_for(&sparing) else { return Err(Refused::Malformed) };
            section.read(&base.json, &Form { schema: &sparing, validator: &validator }, part)?
        };
        for later in corrections {
            self.correct(section, &mut value, later, part)?;
        }
        Ok(value)
    }

    fn correct(
        &self,
        section: &mut Section,
        value: &mut Value,
        answer: &Answer,
        part: Option<u32>,
    ) -> Result<(), Refused> {
        let narrow = schema::only(&self.schema, &answer.corrects);
        let narrow = if part.is_none() && answer.parts <= 1 { schema::roomy(&narrow) } else { narrow };
        let Ok(validator) = jsonschema::validator_for(&narrow) else { return Err(Refused::Malformed) };
        let form = Form { schema: &narrow, validator: &validator };
        let correction = section.read(&answer.json, &form, part)?;
        merge::correct(value, correction, &answer.corrects);
        Ok(())
    }
}

impl Section {
    fn read(&mut self, text: &str, form: &Form<'_>, part: Option<u32>) -> Result<Value, Refused> {
        let reading = repair::read(text, form)?;
        self.notes.extend(reading.notes.into_iter().map(|note| (part, note)));
        self.cut |= reading.cut;
        Ok(reading.value)
    }
}

fn refused(prompt: &str, why: Refused) -> Box<Fault> {
    let (code, what, at) = match why {
        Refused::Malformed => (ErrorCode::AnswerMalformed, "is not JSON", Vec::new()),
        Refused::Invalid(at) => (ErrorCode::AnswerInvalid, "does not fit its schema", at),
        Refused::Cut(at) => (ErrorCode::AnswerTruncated, "ends too early", at),
    };
    fault(prompt, code, format!("the answer to {prompt} {what}"), at)
}

/// A fault, as the next round needs it. Which model was asked is for inference to know.
pub fn fault(prompt: &str, code: ErrorCode, message: String, at: Vec<String>) -> Box<Fault> {
    Box::new(Fault {
        prompt: prompt.to_owned(),
        code: code.name().to_owned(),
        message,
        at,
        ..Fault::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn question() -> Question {
        Question::new(&json!({
            "type": "object", "additionalProperties": false, "required": ["title", "points"],
            "properties": {
                "title": {"type": "string"},
                "points": {"type": "array", "maxItems": 2, "items": {"type": "string"}},
            },
        }))
        .unwrap()
    }

    fn answer(json: &str, part: u32, parts: u32, corrects: &[&str]) -> Answer {
        let corrects = corrects.iter().map(|field| (*field).to_owned()).collect();
        Answer { json: json.to_owned(), part, parts, corrects, ..Answer::default() }
    }

    fn value(answers: &[Answer]) -> Result<Value, (String, Vec<String>)> {
        let answers: Vec<&Answer> = answers.iter().collect();
        let made = question().section("p", &answers);
        made.map(|section| section.value).map_err(|fault| (fault.code, fault.at))
    }

    #[test]
    fn parts_and_corrections_become_one_section() {
        let whole = answer(r#"{"title": "A", "points": ["a"]}"#, 0, 0, &[]);
        let better = answer(r#"{"points": ["b"], "title": "no"}"#, 0, 0, &["points"]);
        assert_eq!(value(std::slice::from_ref(&whole)), Ok(json!({"title": "A", "points": ["a"]})));
        assert_eq!(value(&[whole.clone(), better.clone()]), Ok(json!({"title": "A", "points": ["b"]})));
        assert_eq!(
            value(&[whole.clone(), better, whole.clone()]),
            Ok(json!({"title": "A", "points": ["a"]}))
        );
        let one = answer(r#"{"title": "A", "points": ["a", "b"]}"#, 0, 2, &[]);
        let two = answer(r#"{"title": "B", "points": ["c", "A."]}"#, 1, 2, &[]);
        let fixed = answer(r#"{"points": ["d"]}"#, 1, 2, &["points"]);
        let over_all = answer(r#"{"title": "C"}"#, 0, 0, &["title"]);
        assert_eq!(value(&[two.clone(), one.clone()]), Ok(json!({"title": "A", "points": ["a", "b", "c"]})));
        assert_eq!(
            value(&[one.clone(), two.clone(), fixed, over_all]),
            Ok(json!({"title": "C", "points": ["a", "b", "d"]}))
        );
        assert_eq!(value(&[whole, one, two]), Ok(json!({"title": "A", "points": ["a", "b", "c"]})));
    }

    #[test]
    fn a_correction_mends_what_did_not_fit() {
        for base in [r#"{"title": "A", "points": [[]]}"#, r#"{"title": "A", "points": "#] {
            let base = answer(base, 1, 2, &[]);
            let first = answer(r#"{"title": "A", "points": ["a"]}"#, 0, 2, &[]);
            let better = answer(r#"{"points": ["b"]}"#, 1, 2, &["points"]);
            assert_eq!(
                value(&[first.clone(), base.clone(), better]),
                Ok(json!({"title": "A", "points": ["a", "b"]}))
            );
            let worse = answer(r#"{"points": [[]]}"#, 1, 2, &["points"]);
            assert!(value(&[first.clone(), base.clone(), worse]).is_err());
            let other = answer(r#"{"title": "B"}"#, 1, 2, &["title"]);
            assert!(value(&[first.clone(), base.clone(), other]).is_err(), "what nobody corrected");
            let fault = question().section("p", &[&first, &base]).unwrap_err();
            assert_eq!(fault.part, 1, "whoever asks again asks about this part");
        }
    }

    #[test]
    fn what_is_wrong_is_said_by_place() {
        let code = |code: ErrorCode| code.name().to_owned();
        let long = answer(r#"{"title": "A", "points": ["a", "b", "c"]}"#, 0, 1, &[]);
        assert_eq!(
            value(&[long]),
            Err((code(ErrorCode::AnswerInvalid), vec!["/points: maxItems".to_owned()]))
        );
        assert_eq!(value(&[]), Err((code(ErrorCode::AnswerMalformed), vec![])));
        let half = answer(r#"{"title": "A", "points": []}"#, 1, 2, &[]);
        assert_eq!(value(&[half]), Err((code(ErrorCode::AnswerMalformed), vec![])));
        let sorry = answer("I am sorry", 0, 1, &[]);
        assert_eq!(value(&[sorry]), Err((code(ErrorCode::AnswerMalformed), vec![])));
        let cut = answer(r#"{"title": "A", "poi"#, 0, 1, &[]);
        assert_eq!(
            value(&[cut]),
            Err((code(ErrorCode::AnswerTruncated), vec!["/points: required".to_owned()]))
        );
    }
}
