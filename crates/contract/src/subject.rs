//! Subjects and streams, derived from the table: `millrace.v1.<event>.<lane>.<tenant>.<job>`.

use crate::{EventKind, Hop, Service};

/// Where other systems publish upload events: `millrace.inbox.<tenant>`.
pub const INBOX: &str = "millrace.inbox";
/// The work-queue stream behind it.
pub const INBOX_STREAM: &str = "MILLRACE_INBOX";
/// Where the broker's own alarms are kept: deliveries that ran out.
pub const ADVISORY_STREAM: &str = "MILLRACE_ADVISORIES";
/// Artifacts behind claim checks.
pub const ARTIFACT_STREAM: &str = "MILLRACE_ARTIFACTS";
/// The journal of calls to providers: a key-value bucket, so that the broker's own tools can read it.
pub const JOURNAL_STREAM: &str = "KV_MILLRACE_JOURNAL";
/// What its keys stand under: `<prefix>.<tenant>.<key>`.
pub const JOURNAL: &str = "$KV.MILLRACE_JOURNAL";
/// Data keys of documents, wrapped: what opens the values behind placeholders, for those who hold the right key.
pub const VAULT_STREAM: &str = "KV_MILLRACE_VAULT";
/// What its keys stand under: `<prefix>.<tenant>.<key>`.
pub const VAULT: &str = "$KV.MILLRACE_VAULT";
/// The lane of a job that nobody put on another.
pub const DEFAULT_LANE: &str = "default";

/// Where one event goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject<'a> {
    /// What happened.
    pub event: EventKind,
    /// A lane that can be deployed by itself.
    pub lane: &'a str,
    /// Whose job.
    pub tenant: &'a str,
    /// Which job.
    pub job: &'a str,
}

impl std::fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "millrace.v1.{}.{}.{}.{}", self.event.token(), self.lane, self.tenant, self.job)
    }
}

/// Reads a subject back, be it of an event, of a parked one, of one that is due again or was handed over.
pub fn parse(subject: &str) -> Option<Subject<'_>> {
    let mut tokens = subject.strip_prefix("millrace.v1.")?.split('.');
    let mut event = tokens.next()?;
    let parked = event == "parked";
    if parked || matches!(event, "due" | HANDED) {
        event = tokens.next()?;
    }
    let found = Subject {
        event: EventKind::with_token(event)?,
        lane: tokens.next()?,
        tenant: tokens.next()?,
        job: tokens.next()?,
    };
    // See `parked`.
    if parked {
        tokens.next()?;
    }
    tokens.next().is_none().then_some(found)
}

/// Everything ever said of one job, in every stream. Parked and due copies have a token more, so they are not in it.
pub fn history(tenant: &str, job: &str) -> String {
    format!("millrace.v1.*.*.{tenant}.{job}")
}

/// Where an event waits for its schedule: in its own stream, because the server fires a schedule only there. A schedule
/// replaces the one on the same subject, so the subject ends in the verdict that waits: else a job's earlier round or
/// run, or another upload of the tenant, could put out what is waiting and leave a job with nothing behind it.
pub fn parked(subject: &str, verdict: &str) -> String {
    let token = verdict.replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "-");
    format!("{}.{token}", twin("parked", subject))
}

/// Where an event comes back that has waited. It may be the subject of one that has come back before. What was handed
/// over comes back to whom it was handed.
pub fn due(subject: &str) -> String {
    if is_handed(subject) { subject.to_owned() } else { twin("due", subject) }
}

/// What stands before an event that a service hands to its own deployment for one lane.
const HANDED: &str = "handed";

/// Where an event goes that a service hands to its own deployment for a side lane: in the event's stream, with a token
/// more, so that it is in no history and nobody hears it who does not name the lane. `None` for what is no event.
pub fn handed(subject: &str, lane: &str) -> Option<String> {
    let of = parse(subject)?;
    Some(format!("millrace.v1.{HANDED}.{}.{lane}.{}.{}", of.event.token(), of.tenant, of.job))
}

/// Whether an event was handed over.
pub fn is_handed(subject: &str) -> bool {
    subject.strip_prefix("millrace.v1.").is_some_and(|event| event.starts_with("handed."))
}

fn twin(state: &str, subject: &str) -> String {
    match subject.strip_prefix("millrace.v1.") {
        Some(event) => {
            let plain = event.strip_prefix("due.").or_else(|| event.strip_prefix("handed.")).unwrap_or(event);
            format!("millrace.v1.{state}.{plain}")
        }
        None => format!("{INBOX}-{state}.{}", subject.rsplit('.').next().unwrap_or_default()),
    }
}

/// Subjects of the stream in which a service speaks; empty if it says nothing.
pub fn stream_subjects(service: Service) -> Vec<String> {
    service
        .hop()
        .says
        .iter()
        .flat_map(|kind| {
            let token = kind.token();
            let shared = kind.listener().is_some_and(|hop| !hop.side_lanes.is_empty());
            let mut subjects = vec![
                format!("millrace.v1.{token}.>"),
                format!("millrace.v1.parked.{token}.>"),
                format!("millrace.v1.due.{token}.>"),
            ];
            subjects.extend(shared.then(|| format!("millrace.v1.{HANDED}.{token}.>")));
            subjects
        })
        .collect()
}

/// Subjects of the inbox stream.
pub fn inbox_subjects() -> Vec<String> {
    vec![format!("{INBOX}.*"), format!("{INBOX}-parked.>"), format!("{INBOX}-due.*")]
}

/// What a service's consumer of one stream filters on, for all lanes or for some.
pub fn filters(hop: &Hop, hears: &[EventKind], lanes: &[String]) -> Vec<String> {
    let any = [String::from("*")];
    let lanes = if lanes.is_empty() { &any } else { lanes };
    let mut filters = Vec::new();
    for kind in hears {
        for lane in lanes {
            if hop.side_lanes.contains(&lane.as_str()) {
                filters.push(format!("millrace.v1.{HANDED}.{}.{lane}.>", kind.token()));
                continue;
            }
            filters.push(format!("millrace.v1.{}.{lane}.>", kind.token()));
            // Nobody parks what only the status hears: it retries in place.
            if hop.service != Service::Status {
                filters.push(format!("millrace.v1.due.{}.{lane}.>", kind.token()));
            }
        }
    }
    filters
}

/// Where a stage shows its progress. Core NATS, not stored.
pub fn progress(tenant: &str, job: &str) -> String {
    format!("millrace.progress.{tenant}.{job}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Position, verdict_id};

    #[test]
    fn subjects_read_back() {
        let subject = Subject { event: EventKind::Extracted, lane: "default", tenant: "acme", job: "j1" };
        assert_eq!(subject.to_string(), "millrace.v1.extracted.default.acme.j1");
        assert_eq!(parse(&subject.to_string()), Some(subject.clone()));
        let on = due(&subject.to_string());
        assert_eq!(on, "millrace.v1.due.extracted.default.acme.j1");
        assert_eq!(parse(&on), Some(subject.clone()));
        assert_eq!(due(&on), on);
        for from in [subject.to_string(), on] {
            let waits = parked(&from, "j1:sanitization:1.0");
            assert_eq!(waits, "millrace.v1.parked.extracted.default.acme.j1.j1-sanitization-1-0");
            assert_eq!(parse(&waits), Some(subject.clone()));
        }
        for from in ["millrace.inbox.acme", "millrace.inbox-due.acme"] {
            assert_eq!(due(from), "millrace.inbox-due.acme");
            assert_eq!(parked(from, "j1:intake:1.0"), "millrace.inbox-parked.acme.j1-intake-1-0");
        }
        for bad in
            ["millrace.v1.nope.l.t.j", "millrace.v1.extracted.l.t", "millrace.v1.extracted.l.t.j.k", "x"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_handed_over_is_heard_by_one_deployment_alone() {
        let subject = "millrace.v1.uploaded.default.acme.j1";
        let handed = handed(subject, "ocr").unwrap();
        assert_eq!(handed, "millrace.v1.handed.uploaded.ocr.acme.j1");
        assert_eq!(super::handed(&due(subject), "ocr").as_ref(), Some(&handed), "also what has waited");
        assert!(is_handed(&handed) && !is_handed(subject));
        let read = parse(&handed).unwrap();
        assert_eq!((read.event, read.lane, read.job), (EventKind::Uploaded, "ocr", "j1"));
        assert_eq!(due(&handed), handed, "it comes back to whom it was handed");
        assert_eq!(
            parked(&handed, "j1:extraction:1.0"),
            "millrace.v1.parked.uploaded.ocr.acme.j1.j1-extraction-1-0"
        );
        let hop = Service::Extraction.hop();
        let side = filters(hop, hop.hears, &["ocr".to_owned()]);
        assert_eq!(side, ["millrace.v1.handed.uploaded.ocr.>"]);
        let all = filters(hop, hop.hears, &[]);
        assert_eq!(all, ["millrace.v1.uploaded.*.>", "millrace.v1.due.uploaded.*.>"]);
        let streams = stream_subjects(Service::Intake);
        assert!(streams.contains(&"millrace.v1.handed.uploaded.>".to_owned()), "{streams:?}");
        assert!(!streams.iter().any(|subject| subject.contains("handed.intake_failed")), "{streams:?}");
    }

    #[test]
    fn nothing_that_waits_is_put_out_by_another() {
        let at = |run, round| Position { run, round };
        let all = [(1, 0), (1, 1), (11, 0), (2, 0)];
        let routed = "millrace.v1.routed.default.acme.j1";
        let inference = all
            .map(|(run, round)| parked(routed, &verdict_id("j1", Service::Inference, at(run, round), None)));
        let uploads = ["j1", "j2"]
            .map(|job| parked("millrace.inbox.acme", &verdict_id(job, Service::Intake, at(1, 0), None)));
        let subjects: std::collections::HashSet<_> = inference.iter().chain(&uploads).collect();
        assert_eq!(subjects.len(), inference.len() + uploads.len());
    }

    #[test]
    fn no_subject_lies_in_two_streams() {
        let mut seen = std::collections::HashSet::new();
        for &service in Service::ALL {
            for subject in stream_subjects(service) {
                assert!(seen.insert(subject.clone()), "{subject}");
            }
        }
    }
}
