//! The status of a job as a fold over its events: a maximum, so that duplicates and reordering change nothing.

use crate::wire::{self, fact::Kind};
use crate::{EventKind, Hop, event};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the fold takes the maximum over: run, then whether the run has ended, then round, then how far the event is
/// along its round, then its id (which decides nothing that can happen, but makes the order total; see [`Status::fold`]).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    run: u32,
    ended: bool,
    round: u32,
    rank: u8,
    id: String,
}

/// Where a job stands in the eyes of its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Accepted; no stage has finished.
    Queued,
    /// On its way.
    Processing,
    /// The report is there.
    Completed,
    /// The document is at fault.
    Rejected,
    /// We or a provider are at fault; an operator can redrive it.
    Dead,
    /// The document was an archive: what was inside are jobs of their own.
    Unpacked,
}

/// The status of one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Which fact the fields are taken from.
    pub version: Version,
    /// Where it stands.
    pub state: State,
    /// Who has it now; the service that ended it, for an end.
    pub current_stage: String,
    /// Percent. Never falls within a run.
    pub progress: u8,
    /// "Stage 3 of 4: asking the model".
    pub substage: String,
    /// Code of the last error; empty if there is none.
    pub last_error: String,
    /// The error in words.
    pub error_message: String,
    /// Key of the report; empty until there is one.
    pub report: String,
    /// What is known of the job.
    pub job: BTreeMap<String, String>,
    /// Time of the latest event of the run, milliseconds since 1970.
    pub updated_at_ms: u64,
}

impl Status {
    /// The status that one event alone shows; `None` if the event is not whole.
    pub fn of(id: &str, event: &wire::Event) -> Option<Status> {
        let job = event.job.as_ref()?;
        let fact = event.fact.as_ref()?.kind.as_ref()?;
        let kind = event::kind_of(fact);
        let next = kind.listener();
        let (last_error, error_message) = match event::error_of(fact) {
            Some((code, message, _)) => (code.name().to_owned(), message.to_owned()),
            None => Default::default(),
        };
        let report = match fact {
            Kind::Completed(_) => {
                event.claims.get(kind.speaker().name()).map(|claim| claim.key.clone()).unwrap_or_default()
            }
            _ => String::new(),
        };
        Some(Status {
            version: Version {
                run: job.run,
                ended: kind.is_end(),
                round: job.round,
                rank: kind.rank(),
                id: id.to_owned(),
            },
            state: match kind {
                EventKind::Uploaded => State::Queued,
                EventKind::Completed => State::Completed,
                EventKind::Rejected => State::Rejected,
                EventKind::Dead => State::Dead,
                EventKind::Unpacked => State::Unpacked,
                _ => State::Processing,
            },
            current_stage: match (next, fact) {
                (Some(hop), _) => hop.service.name().to_owned(),
                (
                    None,
                    Kind::Rejected(wire::Rejected { stage, .. }) | Kind::Dead(wire::Dead { stage, .. }),
                ) => stage.clone(),
                (None, _) => kind.speaker().name().to_owned(),
            },
            progress: progress(kind),
            substage: substage(kind, next),
            last_error,
            error_message,
            report,
            job: describe(job),
            updated_at_ms: event.at_ms,
        })
    }

    /// The status after both. Commutative, associative, idempotent, whatever the events say: the fields are those of
    /// the greatest version, progress and time each a maximum of their own over that version's run.
    #[must_use]
    pub fn fold(self, other: Status) -> Status {
        let (mut last, earlier) = if other.place() > self.place() { (other, self) } else { (self, other) };
        if last.version.run == earlier.version.run {
            last.progress = last.progress.max(earlier.progress);
            last.updated_at_ms = last.updated_at_ms.max(earlier.updated_at_ms);
        }
        last
    }

    /// What the maximum is over. One verdict has one version, so that the version alone decides; but should two ever
    /// share one, the words decide, not the order in which they came. Progress and time are left out, because the
    /// fold changes them.
    fn place(&self) -> impl Ord + '_ {
        let Status {
            version, state, current_stage, substage, last_error, error_message, report, job, ..
        } = self;
        (version, state, current_stage, substage, last_error, error_message, report, job)
    }

    /// Which run the fields tell of.
    pub fn run(&self) -> u32 {
        self.version.run
    }

    /// Whether the run has ended.
    pub fn is_end(&self) -> bool {
        self.version.ended
    }
}

fn progress(kind: EventKind) -> u8 {
    if kind.is_end() {
        return 100;
    }
    let after = kind.speaker().hop().progress_after();
    if kind.is_failure() { after.saturating_sub(kind.speaker().hop().share) } else { after }
}

fn substage(kind: EventKind, next: Option<&Hop>) -> String {
    match (kind, next) {
        (EventKind::Completed, _) => "Report ready".to_owned(),
        (EventKind::Rejected, _) => "Refused".to_owned(),
        (EventKind::Dead, _) => "Given up".to_owned(),
        (EventKind::Unpacked, _) => "Unpacked: what was inside are jobs of their own".to_owned(),
        (_, Some(hop)) => stage_line(hop, hop.doing, None),
        (_, None) => String::new(),
    }
}

/// "Stage 3 of 4: analysing obligations, 2 of 4"; a hop that people do not count is told without a number.
pub fn stage_line(hop: &Hop, doing: &str, step: Option<(u32, u32)>) -> String {
    let mut line = match hop.place() {
        Some((place, of)) => format!("Stage {place} of {of}: {doing}"),
        None => doing.to_owned(),
    };
    if let Some((done, of)) = step {
        line.push_str(&format!(", {done} of {of}"));
    }
    line
}

/// Percent of a job whose stage is `done` of `of` steps into its share.
pub fn progress_within(hop: &Hop, done: u32, of: u32) -> u8 {
    let before = u32::from(hop.progress_after() - hop.share);
    let within = (u32::from(hop.share) * done.min(of)).checked_div(of).unwrap_or(0);
    u8::try_from(before + within).unwrap_or(100)
}

/// The job's fields by name, empty ones left out.
fn describe(job: &wire::Job) -> BTreeMap<String, String> {
    let document = job.document.clone().unwrap_or_default();
    let number = |value: u64| if value == 0 { String::new() } else { value.to_string() };
    let fields = [
        ("job_id", job.id.clone()),
        ("tenant", job.tenant.clone()),
        ("run", job.run.to_string()),
        ("round", job.round.to_string()),
        ("lane", job.lane.clone()),
        ("document", document.name),
        ("media_type", document.media_type),
        ("size", number(document.size)),
        ("profile", job.profile.clone()),
        ("language", job.language.clone()),
        ("pages", number(job.pages.into())),
        ("tokens", number(job.tokens)),
        ("signals", job.signals.join(" ")),
        ("ner_fault", job.ner_fault.clone()),
        ("provider", job.provider.clone()),
        ("model", job.model.clone()),
        ("rule", job.rule.clone()),
        ("input_tokens", number(job.input_tokens)),
        ("output_tokens", number(job.output_tokens)),
        ("cached_tokens", number(job.cached_tokens)),
        ("tier", job.tier.clone()),
        ("cost_microusd", number(job.cost_microusd)),
        ("trace_id", job.trace_id.clone()),
        ("parent", job.parent.clone()),
        ("children", job.children.join(" ")),
        ("created_at_ms", number(job.created_at_ms)),
    ];
    fields
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
