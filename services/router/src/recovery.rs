//! What happens after a failed verdict: one table.

use millrace_contract::wire::Job;
use millrace_contract::{Disposition, ErrorCode, Service};

/// Recoveries in one run.
pub const MAX_ROUNDS: u32 = 2;

/// What the router does about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// Another round, with these models.
    Again {
        /// Preferred first.
        models: Vec<String>,
    },
    /// The document is at fault.
    Reject,
    /// We or a provider are; an operator can redrive it.
    GiveUp,
}

/// Whether another model may do better where one has failed with this code.
const fn another_model_may_help(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::ProviderOverloaded
            | ErrorCode::ProviderRateLimited
            | ErrorCode::ProviderTimeout
            | ErrorCode::ProviderUnreachable
            | ErrorCode::ModelUnknown
            | ErrorCode::ContentBlocked
            | ErrorCode::AnswerTruncated
            | ErrorCode::AnswerMalformed
            | ErrorCode::AnswerInvalid
    )
}

/// Decides what happens after this failure.
pub fn recover(stage: Service, code: ErrorCode, job: &Job) -> Recovery {
    if code.disposition() == Disposition::Reject {
        return Recovery::Reject;
    }
    let asked_a_model = matches!(stage, Service::Inference | Service::Validation);
    if asked_a_model && another_model_may_help(code) && job.round < MAX_ROUNDS && job.models.len() > 1 {
        return Recovery::Again { models: job.models[1..].to_vec() };
    }
    Recovery::GiveUp
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(round: u32, models: &[&str]) -> Job {
        Job { round, models: models.iter().map(|&model| model.to_owned()).collect(), ..Job::default() }
    }

    #[test]
    fn recovery_table() {
        use ErrorCode as E;
        use Service as S;
        let flash = || Recovery::Again { models: vec!["flash".into()] };
        for (stage, code, round, models, expected) in [
            (S::Extraction, E::DocumentEncrypted, 0, &["pro", "flash"][..], Recovery::Reject),
            (S::Intake, E::EventInvalid, 0, &[][..], Recovery::Reject),
            (S::Extraction, E::ExtractorDied, 0, &["pro", "flash"][..], Recovery::GiveUp),
            (S::Extraction, E::DeliveriesExhausted, 0, &[][..], Recovery::GiveUp),
            (S::Inference, E::ProviderOverloaded, 0, &["pro", "flash"][..], flash()),
            (S::Inference, E::ProviderOverloaded, 1, &["flash"][..], Recovery::GiveUp),
            (S::Inference, E::ProviderOverloaded, 2, &["pro", "flash"][..], Recovery::GiveUp),
            (S::Inference, E::ContentBlocked, 0, &["pro", "flash"][..], flash()),
            (S::Inference, E::ProviderRefused, 0, &["pro", "flash"][..], Recovery::GiveUp),
            (S::Inference, E::ProviderAuth, 0, &["pro", "flash"][..], Recovery::GiveUp),
            (S::Inference, E::StagePanicked, 0, &["pro", "flash"][..], Recovery::GiveUp),
            (S::Validation, E::AnswerInvalid, 0, &["pro", "flash"][..], flash()),
            (S::Validation, E::AnswerMalformed, 1, &["flash"][..], Recovery::GiveUp),
            (S::Sanitization, E::StorageUnavailable, 0, &["pro", "flash"][..], Recovery::GiveUp),
        ] {
            assert_eq!(recover(stage, code, &job(round, models)), expected, "{stage:?} {code} round {round}");
        }
    }

    #[test]
    fn every_code_has_an_answer_in_every_stage() {
        for &code in ErrorCode::ALL {
            for &stage in Service::ALL {
                let after = recover(stage, code, &job(0, &["pro", "flash"]));
                assert_eq!(after == Recovery::Reject, code.disposition() == Disposition::Reject);
            }
        }
    }
}
