//! Who hears what, does what and says what: the one place where the choreography is written. Streams, consumers,
//! progress, autoscaling objects and the diagram in `ARCHITECTURE.md` are derived from [`CHOREOGRAPHY`].

use std::time::Duration;

/// A service of the choreography.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Checks and stores uploads, mints jobs.
    Intake,
    /// Bytes to text by page.
    Extraction,
    /// Cleans the text, redacts personal data, detects the language.
    Sanitization,
    /// Decides every branch and every recovery.
    Router,
    /// Runs the profile's prompts against a model.
    Inference,
    /// Checks answers and evidence, assembles the report.
    Validation,
    /// Folds the log into the status that is served.
    Status,
}

/// A kind of event: one subject token, one field of `Fact` in `proto/events.proto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// A document was accepted and stored.
    Uploaded,
    /// An upload could not be accepted.
    IntakeFailed,
    /// The document's text is there.
    Extracted,
    /// The text could not be read.
    ExtractionFailed,
    /// The text is clean and redacted.
    Sanitized,
    /// The text could not be cleaned.
    SanitizationFailed,
    /// Profile, models and lane are chosen.
    Routed,
    /// Every prompt has its answer.
    Inferred,
    /// A prompt got no answer.
    InferenceFailed,
    /// The report is there: an end.
    Completed,
    /// The answers do not hold.
    ValidationFailed,
    /// The document is at fault: an end.
    Rejected,
    /// We or a provider are at fault, can be redriven: an end.
    Dead,
    /// The document was an archive; what was inside are jobs of their own: an end.
    Unpacked,
}

/// One service's row.
#[derive(Debug)]
pub struct Hop {
    /// Whose row it is.
    pub service: Service,
    /// Events it consumes.
    pub hears: &'static [EventKind],
    /// Events it may say, success first. They share one stream.
    pub says: &'static [EventKind],
    /// What it does, for people: "reading the text".
    pub doing: &'static str,
    /// The lease on a delivery; a heartbeat prolongs it while the work goes on.
    pub ack_wait: Duration,
    /// How long one run of the stage may take before it is given up.
    pub deadline: Duration,
    /// Deliveries before the message counts as poison; 0 is without end.
    pub max_deliver: u32,
    /// Jobs at work at once in one replica.
    pub in_flight: usize,
    /// Jobs at work at once over all replicas.
    pub max_ack_pending: u32,
    /// Share of a job's progress, percent. The rows add up to 100.
    pub share: u8,
    /// Whether people count it: "Stage 2 of 4".
    pub stage: bool,
    /// Lanes in which deployments of their own do a part of its work: each hears nothing but what the others hand
    /// over to it.
    pub side_lanes: &'static [&'static str],
}

/// The choreography.
pub const CHOREOGRAPHY: &[Hop] = &[
    Hop {
        service: Service::Intake,
        hears: &[], // the inbox, whose messages are not events yet: see `subject::INBOX`
        says: &[EventKind::Uploaded, EventKind::IntakeFailed],
        doing: "accepting the upload",
        ack_wait: Duration::from_secs(20),
        deadline: Duration::from_secs(300),
        max_deliver: 5,
        in_flight: 32,
        max_ack_pending: 1024,
        share: 5,
        stage: false,
        side_lanes: &[],
    },
    Hop {
        service: Service::Extraction,
        hears: &[EventKind::Uploaded],
        says: &[EventKind::Extracted, EventKind::ExtractionFailed],
        doing: "reading the text",
        ack_wait: Duration::from_secs(15),
        // Pages that are pictures take two seconds each; its own limits end everything else sooner.
        deadline: Duration::from_secs(1800),
        max_deliver: 5,
        in_flight: 8,
        max_ack_pending: 512,
        share: 25,
        stage: true,
        side_lanes: &["ocr"],
    },
    Hop {
        service: Service::Sanitization,
        hears: &[EventKind::Extracted],
        says: &[EventKind::Sanitized, EventKind::SanitizationFailed],
        doing: "cleaning and redacting",
        ack_wait: Duration::from_secs(15),
        deadline: Duration::from_secs(120),
        max_deliver: 5,
        in_flight: 8,
        max_ack_pending: 512,
        share: 10,
        stage: true,
        side_lanes: &[],
    },
    Hop {
        service: Service::Router,
        hears: &[
            EventKind::Sanitized,
            EventKind::IntakeFailed,
            EventKind::ExtractionFailed,
            EventKind::SanitizationFailed,
            EventKind::InferenceFailed,
            EventKind::ValidationFailed,
        ],
        says: &[EventKind::Routed, EventKind::Rejected, EventKind::Dead, EventKind::Unpacked],
        doing: "choosing profile and model",
        ack_wait: Duration::from_secs(10),
        deadline: Duration::from_secs(10),
        max_deliver: 8,
        in_flight: 32,
        max_ack_pending: 1024,
        share: 5,
        stage: false,
        side_lanes: &[],
    },
    Hop {
        service: Service::Inference,
        hears: &[EventKind::Routed],
        says: &[EventKind::Inferred, EventKind::InferenceFailed],
        doing: "asking the model",
        ack_wait: Duration::from_secs(15),
        deadline: Duration::from_secs(900),
        // A model's answer hardly kills a process; a rollout or a full node does, and coming again costs nothing.
        max_deliver: 20,
        in_flight: 16,
        max_ack_pending: 512,
        share: 45,
        stage: true,
        side_lanes: &[],
    },
    Hop {
        service: Service::Validation,
        hears: &[EventKind::Inferred],
        says: &[EventKind::Completed, EventKind::ValidationFailed],
        doing: "checking the answers",
        ack_wait: Duration::from_secs(15),
        deadline: Duration::from_secs(120),
        max_deliver: 5,
        in_flight: 8,
        max_ack_pending: 512,
        share: 10,
        stage: true,
        side_lanes: &[],
    },
    Hop {
        service: Service::Status,
        hears: EventKind::ALL,
        says: &[],
        doing: "",
        ack_wait: Duration::from_secs(15),
        deadline: Duration::from_secs(60),
        max_deliver: 0, // the fold never refuses an event; Redis may be away for long
        in_flight: 256,
        max_ack_pending: 4096,
        share: 0,
        stage: false,
        side_lanes: &[],
    },
];

/// A durable consumer, as derived from the table: a service hears some subjects of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// Who reads.
    pub service: Service,
    /// Stream it reads from.
    pub stream: String,
    /// Events it hears of that stream.
    pub hears: Vec<EventKind>,
}

impl Service {
    /// All of them, in the order a job meets them.
    pub const ALL: &'static [Service] = &[
        Service::Intake,
        Service::Extraction,
        Service::Sanitization,
        Service::Router,
        Service::Inference,
        Service::Validation,
        Service::Status,
    ];

    /// Its name, everywhere: binary, consumer, claim, metric label.
    pub const fn name(self) -> &'static str {
        match self {
            Service::Intake => "intake",
            Service::Extraction => "extraction",
            Service::Sanitization => "sanitization",
            Service::Router => "router",
            Service::Inference => "inference",
            Service::Validation => "validation",
            Service::Status => "status",
        }
    }

    /// The service of that name.
    pub fn named(name: &str) -> Option<Service> {
        Service::ALL.iter().copied().find(|service| service.name() == name)
    }

    /// The stream that holds all it may say.
    pub fn stream(self) -> String {
        format!("MILLRACE_{}", self.name().to_uppercase())
    }

    /// Its row.
    pub const fn hop(self) -> &'static Hop {
        let mut at = 0;
        while at < CHOREOGRAPHY.len() {
            if CHOREOGRAPHY[at].service as u8 == self as u8 {
                return &CHOREOGRAPHY[at];
            }
            at += 1;
        }
        panic!("every service has a row")
    }
}

impl EventKind {
    /// All of them.
    pub const ALL: &'static [EventKind] = &[
        EventKind::Uploaded,
        EventKind::IntakeFailed,
        EventKind::Extracted,
        EventKind::ExtractionFailed,
        EventKind::Sanitized,
        EventKind::SanitizationFailed,
        EventKind::Routed,
        EventKind::Inferred,
        EventKind::InferenceFailed,
        EventKind::Completed,
        EventKind::ValidationFailed,
        EventKind::Rejected,
        EventKind::Dead,
        EventKind::Unpacked,
    ];

    /// Its token in a subject.
    pub const fn token(self) -> &'static str {
        match self {
            EventKind::Uploaded => "uploaded",
            EventKind::IntakeFailed => "intake_failed",
            EventKind::Extracted => "extracted",
            EventKind::ExtractionFailed => "extraction_failed",
            EventKind::Sanitized => "sanitized",
            EventKind::SanitizationFailed => "sanitization_failed",
            EventKind::Routed => "routed",
            EventKind::Inferred => "inferred",
            EventKind::InferenceFailed => "inference_failed",
            EventKind::Completed => "completed",
            EventKind::ValidationFailed => "validation_failed",
            EventKind::Rejected => "rejected",
            EventKind::Dead => "dead",
            EventKind::Unpacked => "unpacked",
        }
    }

    /// The kind with that token.
    pub fn with_token(token: &str) -> Option<EventKind> {
        EventKind::ALL.iter().copied().find(|kind| kind.token() == token)
    }

    /// How far along its round a job is that said this. Ends come after everything else; of two ends the better
    /// one wins, which the protocol never needs but the fold must order somehow.
    pub const fn rank(self) -> u8 {
        match self {
            EventKind::Uploaded => 10,
            EventKind::IntakeFailed => 15,
            EventKind::Extracted => 20,
            EventKind::ExtractionFailed => 25,
            EventKind::Sanitized => 30,
            EventKind::SanitizationFailed => 35,
            EventKind::Routed => 40,
            EventKind::InferenceFailed => 45,
            EventKind::Inferred => 50,
            EventKind::ValidationFailed => 55,
            EventKind::Dead => 100,
            EventKind::Rejected => 101,
            EventKind::Completed => 102,
            EventKind::Unpacked => 103,
        }
    }

    /// Whether a run ends with it.
    pub const fn is_end(self) -> bool {
        self.rank() >= 100
    }

    /// Whether it is a stage's failed verdict, which only the router answers.
    pub const fn is_failure(self) -> bool {
        matches!(
            self,
            EventKind::IntakeFailed
                | EventKind::ExtractionFailed
                | EventKind::SanitizationFailed
                | EventKind::InferenceFailed
                | EventKind::ValidationFailed
        )
    }

    /// Who says it.
    pub fn speaker(self) -> Service {
        CHOREOGRAPHY.iter().find(|hop| hop.says.contains(&self)).map_or(Service::Router, |hop| hop.service)
    }

    /// Who acts on it; `None` for an end.
    pub fn listener(self) -> Option<&'static Hop> {
        CHOREOGRAPHY.iter().find(|hop| hop.service != Service::Status && hop.hears.contains(&self))
    }
}

impl Hop {
    /// The failed verdict of this hop, if it may say one.
    pub fn failed(&self) -> Option<EventKind> {
        self.says.iter().copied().find(|kind| kind.is_failure())
    }

    /// Progress of a job that has this hop behind it, percent.
    pub fn progress_after(&self) -> u8 {
        let mut sum = 0;
        for hop in CHOREOGRAPHY {
            sum += hop.share;
            if hop.service == self.service {
                break;
            }
        }
        sum
    }

    /// Its place among the stages that people count, from 1: (2, 4) is "Stage 2 of 4".
    pub fn place(&self) -> Option<(usize, usize)> {
        let stages: Vec<_> = CHOREOGRAPHY.iter().filter(|hop| hop.stage).collect();
        let at = stages.iter().position(|hop| hop.service == self.service)?;
        Some((at + 1, stages.len()))
    }

    /// The durable consumers it reads from, one for each stream that holds something it hears.
    pub fn consumers(&self) -> Vec<Consumer> {
        let mut consumers: Vec<Consumer> = Vec::new();
        for &kind in self.hears {
            let stream = kind.speaker().stream();
            match consumers.iter_mut().find(|consumer| consumer.stream == stream) {
                Some(consumer) => consumer.hears.push(kind),
                None => consumers.push(Consumer { service: self.service, stream, hears: vec![kind] }),
            }
        }
        consumers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_one_row_and_shares_add_up() {
        for &service in Service::ALL {
            assert_eq!(CHOREOGRAPHY.iter().filter(|hop| hop.service == service).count(), 1, "{service:?}");
            assert_eq!(service.hop().service, service);
        }
        assert_eq!(CHOREOGRAPHY.iter().map(|hop| u32::from(hop.share)).sum::<u32>(), 100);
    }

    #[test]
    fn nothing_dangles() {
        for &kind in EventKind::ALL {
            let speakers = CHOREOGRAPHY.iter().filter(|hop| hop.says.contains(&kind)).count();
            assert_eq!(speakers, 1, "{kind:?} must be said by exactly one service");
            assert_eq!(kind.listener().is_none(), kind.is_end(), "{kind:?} is an end or is heard");
            let listeners = CHOREOGRAPHY.iter().filter(|hop| hop.hears.contains(&kind)).count();
            assert!(listeners <= 2, "{kind:?} may be heard by status and one more, or a run would branch");
        }
        for hop in CHOREOGRAPHY.iter().filter(|hop| hop.stage) {
            assert_eq!(
                hop.failed().and_then(EventKind::listener).map(|hop| hop.service),
                Some(Service::Router)
            );
        }
    }

    #[test]
    fn tokens_and_ranks_are_distinct() {
        for &kind in EventKind::ALL {
            assert_eq!(EventKind::with_token(kind.token()), Some(kind));
            assert_eq!(EventKind::ALL.iter().filter(|other| other.rank() == kind.rank()).count(), 1);
        }
    }
}
