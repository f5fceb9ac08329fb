//! The report as it is served: sections, where they come from, and what was done to get them.
//!
//! A report is kept under what went into it, and served again to whoever asks the same. So it says nothing that is
//! only true of one job: its id, what it cost, how many tokens. The status adds that when it serves the report.

use crate::grounding::Count;
use crate::meaning::Warning;
use crate::repair::Note;
use millrace_contract::remedy::Action;
use millrace_contract::wire::{Answer, Job, Remedy, Signal};
use millrace_profile::Profile;
use serde_json::{Map, Value, json};

/// What goes into a report.
pub struct Made<'a> {
    /// The profile.
    pub profile: &'a Profile,
    /// What is known of the job.
    pub job: &'a Job,
    /// Pages of the document that were looked at.
    pub pages: usize,
    /// Those of them, by number, that nothing could be made of.
    pub unread: Vec<u32>,
    /// All answers.
    pub answers: &'a [Answer],
    /// By prompt, in the order of the profile.
    pub sections: Map<String, Value>,
    /// By prompt.
    pub repairs: Vec<Repair>,
    /// What the checks found.
    pub warnings: Vec<Warning>,
    /// Evidence in the sections.
    pub evidence: Count,
    /// What in the document may be meant to mislead a model.
    pub signals: &'a [Signal],
    /// An answer ended too early, and what was incomplete is left out.
    pub cut: bool,
}

/// One repair, as the report has it.
pub struct Repair {
    /// The prompt whose answer it was.
    pub prompt: String,
    /// The part of the document, if there were several.
    pub part: Option<u32>,
    /// What was put right.
    pub note: Note,
}

/// Everything in a job that shows in its report, besides the artifacts that it is made of: other words, another
/// report.
pub fn shaped_by(job: &Job) -> Value {
    json!([job.language, job.ner_fault, document(job), job.remedies.iter().map(remedy).collect::<Vec<_>>()])
}

impl Made<'_> {
    /// The report as JSON.
    pub fn json(&self) -> Value {
        let first = self.answers.first();
        let mut models: Vec<&str> = Vec::new();
        for answer in self.answers {
            if !answer.model.is_empty() && !models.contains(&answer.model.as_str()) {
                models.push(&answer.model);
            }
        }
        let mut report = json!({
            "profile": self.profile.name,
            "profile_version": self.profile.version,
            "document": document(self.job),
            "language": self.job.language,
            "pages": self.pages,
            "unread_pages": self.unread,
            "provider": first.map(|answer| answer.provider.as_str()),
            "model": first.map(|answer| answer.model.as_str()),
            "models": models,
            "degraded": self.cut || !self.unread.is_empty() || self.answers.iter().any(is_degraded),
            "sections": self.sections,
            "evidence": { "found": self.evidence.found, "withheld": self.evidence.withheld },
            "signals": self.signals.iter().map(signal).collect::<Vec<_>>(),
            "warnings": self.warnings.iter().map(Warning::shown).collect::<Vec<_>>(),
            "repairs": self.repairs.iter().map(Repair::shown).collect::<Vec<_>>(),
            "remedies": self.job.remedies.iter().map(remedy).collect::<Vec<_>>(),
        });
        if !self.job.ner_fault.is_empty() {
            report["ner_fault"] = self.job.ner_fault.as_str().into();
        }
        report
    }
}

impl Repair {
    fn shown(&self) -> Value {
        let mut shown = json!({ "prompt": self.prompt, "what": self.note.what, "at": self.note.at });
        if let Some(part) = self.part {
            shown["part"] = part.into();
        }
        shown
    }
}

fn document(job: &Job) -> Value {
    let document = job.document.as_ref();
    json!({
        "name": document.map_or("", |document| document.name.as_str()),
        "sha256": document.map_or("", |document| document.sha256.as_str()),
    })
}

fn signal(signal: &Signal) -> Value {
    json!({
        "kind": signal.kind, "page": signal.page, "block": signal.block, "count": signal.count,
        "hidden": signal.hidden,
    })
}

fn remedy(remedy: &Remedy) -> Value {
    json!({
        "prompt": remedy.prompt, "action": remedy.action, "argument": remedy.argument, "code": remedy.code,
    })
}

/// Whether an answer is less than what the profile asks for: found by rules, without words as proof, without the
/// provider's help to keep to the schema, or stopped for a reason that nobody knows.
fn is_degraded(answer: &Answer) -> bool {
    let less = [Action::JsonMode, Action::EvidenceIdsOnly];
    let action = |remedy: &String| remedy.split(' ').next().and_then(Action::named);
    answer.provider == "offline"
        || answer.unfinished
        || answer.remedies.iter().filter_map(action).any(|action| less.contains(&action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lesser_answers_degrade_a_report() {
        let of = |provider: &str, remedy: &str, unfinished| Answer {
            provider: provider.into(),
            remedies: vec![remedy.into()],
            unfinished,
            ..Answer::default()
        };
        assert!(!is_degraded(&of("gemini", "switch_model flash", false)));
        assert!(is_degraded(&of("gemini", "json_mode", false)));
        assert!(is_degraded(&of("gemini", "evidence_ids_only", false)));
        assert!(is_degraded(&of("gemini", "", true)));
        assert!(is_degraded(&of("offline", "", false)));
    }

    #[test]
    fn what_a_report_shows_of_its_job_shapes_it_and_what_it_cost_does_not() {
        let job = Job::default();
        let dear = Job { cost_microusd: 9, id: "x".into(), input_tokens: 7, ..Job::default() };
        assert_eq!(shaped_by(&job), shaped_by(&dear));
        let remedied =
            Job { remedies: vec![Remedy { action: "split".into(), ..Remedy::default() }], ..Job::default() };
        assert_ne!(shaped_by(&job), shaped_by(&remedied));
    }
}
