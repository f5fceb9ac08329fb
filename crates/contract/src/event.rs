//! Typed access to the one payload all events share.

use crate::wire::{self, fact::Kind};
use crate::{ErrorCode, EventKind, Service};

/// A fact that a service hears or says: pairs a generated message with its kind.
pub trait Fact: Into<Kind> + Clone + Send + Sync + 'static {
    /// Which event it is.
    const KIND: EventKind;
    /// The fact inside, if it is this one.
    fn from_kind(kind: Kind) -> Option<Self>;
}

macro_rules! facts {
    ($($kind:ident),*) => {$(
        impl From<wire::$kind> for Kind {
            fn from(fact: wire::$kind) -> Kind { Kind::$kind(fact) }
        }
        impl Fact for wire::$kind {
            const KIND: EventKind = EventKind::$kind;
            fn from_kind(kind: Kind) -> Option<Self> {
                if let Kind::$kind(fact) = kind { Some(fact) } else { None }
            }
        }
    )*};
}
facts!(Uploaded, Extracted, Sanitized, Routed, Inferred, Completed, Rejected, Dead, Unpacked);

/// Which event a fact is.
pub const fn kind_of(fact: &Kind) -> EventKind {
    match fact {
        Kind::Uploaded(_) => EventKind::Uploaded,
        Kind::Extracted(_) => EventKind::Extracted,
        Kind::Sanitized(_) => EventKind::Sanitized,
        Kind::Routed(_) => EventKind::Routed,
        Kind::Inferred(_) => EventKind::Inferred,
        Kind::Completed(_) => EventKind::Completed,
        Kind::Rejected(_) => EventKind::Rejected,
        Kind::Dead(_) => EventKind::Dead,
        Kind::Unpacked(_) => EventKind::Unpacked,
        Kind::IntakeFailed(_) => EventKind::IntakeFailed,
        Kind::ExtractionFailed(_) => EventKind::ExtractionFailed,
        Kind::SanitizationFailed(_) => EventKind::SanitizationFailed,
        Kind::InferenceFailed(_) => EventKind::InferenceFailed,
        Kind::ValidationFailed(_) => EventKind::ValidationFailed,
    }
}

/// A service's failed verdict; `None` for a service that has none.
pub fn failed(service: Service, failure: wire::StageFailed) -> Option<Kind> {
    match service {
        Service::Intake => Some(Kind::IntakeFailed(failure)),
        Service::Extraction => Some(Kind::ExtractionFailed(failure)),
        Service::Sanitization => Some(Kind::SanitizationFailed(failure)),
        Service::Inference => Some(Kind::InferenceFailed(failure)),
        Service::Validation => Some(Kind::ValidationFailed(failure)),
        Service::Router | Service::Status => None,
    }
}

/// The failure inside a failed verdict, and whose it is.
pub fn failure(fact: &Kind) -> Option<(Service, &wire::StageFailed)> {
    match fact {
        Kind::IntakeFailed(failure) => Some((Service::Intake, failure)),
        Kind::ExtractionFailed(failure) => Some((Service::Extraction, failure)),
        Kind::SanitizationFailed(failure) => Some((Service::Sanitization, failure)),
        Kind::InferenceFailed(failure) => Some((Service::Inference, failure)),
        Kind::ValidationFailed(failure) => Some((Service::Validation, failure)),
        Kind::Uploaded(_)
        | Kind::Extracted(_)
        | Kind::Sanitized(_)
        | Kind::Routed(_)
        | Kind::Inferred(_)
        | Kind::Completed(_)
        | Kind::Rejected(_)
        | Kind::Dead(_)
        | Kind::Unpacked(_) => None,
    }
}

/// The error that an event tells of: code, message and the stage it arose in.
pub fn error_of(fact: &Kind) -> Option<(ErrorCode, &str, &str)> {
    match fact {
        Kind::Rejected(end) => Some((ErrorCode::named(&end.code), &end.message, &end.stage)),
        Kind::Dead(end) => Some((ErrorCode::named(&end.code), &end.message, &end.stage)),
        other => failure(other).map(|(service, failure)| {
            (ErrorCode::named(&failure.code), failure.message.as_str(), service.name())
        }),
    }
}

/// Who pays for what a job asks for now: what another job, run or round has paid for costs this one nothing.
pub fn payer(job: &wire::Job) -> String {
    format!("{}:{}.{}", job.id, job.run, job.round)
}

/// What a document's password is sealed together with: for another job, or another tenant's, it does not open.
pub fn password_bound(tenant: &str, job: &str) -> String {
    format!("millrace document password|{tenant}|{job}")
}

/// Adds to what is known of a job what a fact tells, so that the next event carries it on.
pub fn absorb(job: &mut wire::Job, fact: &Kind) {
    match fact {
        Kind::Extracted(extracted) => {
            job.pages = extracted.pages;
            job.characters = extracted.characters;
            job.children.clone_from(&extracted.children);
        }
        Kind::Sanitized(sanitized) => {
            job.language.clone_from(&sanitized.language);
            job.tokens = sanitized.tokens;
            job.signals = sanitized.signals.keys().cloned().collect();
            job.ner_fault.clone_from(&sanitized.ner_fault);
            if let Some(document) = &mut job.document {
                document.name.clone_from(&sanitized.document_name);
            }
        }
        Kind::Routed(routed) => {
            job.rule.clone_from(&routed.rule);
            job.profile.clone_from(&routed.profile);
            job.models.clone_from(&routed.models);
            job.lane.clone_from(&routed.lane);
            job.prompt_language.clone_from(&routed.prompt_language);
            job.long_models.clone_from(&routed.long_models);
            job.policy_models.clone_from(&routed.policy_models);
            job.tier.clone_from(&routed.tier);
            job.remedies.extend(routed.remedies.iter().cloned());
        }
        Kind::Inferred(inferred) => {
            job.provider.clone_from(&inferred.provider);
            job.model.clone_from(&inferred.model);
            if !inferred.paid_by.is_empty() && inferred.paid_by != payer(job) {
                return;
            }
            job.input_tokens += inferred.input_tokens;
            job.output_tokens += inferred.output_tokens;
            job.cached_tokens += inferred.cached_tokens;
            job.cost_microusd += inferred.cost_microusd;
        }
        Kind::InferenceFailed(failure) => {
            let spent = failure.spent.unwrap_or_default();
            job.input_tokens += spent.input_tokens;
            job.output_tokens += spent.output_tokens;
            job.cached_tokens += spent.cached_tokens;
            job.cost_microusd += spent.cost_microusd;
        }
        Kind::Uploaded(_)
        | Kind::Completed(_)
        | Kind::Rejected(_)
        | Kind::Dead(_)
        | Kind::Unpacked(_)
        | Kind::IntakeFailed(_)
        | Kind::ExtractionFailed(_)
        | Kind::SanitizationFailed(_)
        | Kind::ValidationFailed(_) => {}
    }
}
