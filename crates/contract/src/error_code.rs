//! The closed set of errors. A stage names a code; the runtime, the router, the status, the metrics and the page
//! under `docs/errors/` all read this one table.

use serde::{Deserialize, Serialize};

/// Where a failure with this code goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// It may pass: try again after 2, 4, 8 s, or when the other side said.
    Retry,
    /// Say so: the router decides what happens next.
    Recover,
    /// The document or the request is at fault: trying again would give the same.
    Reject,
}

macro_rules! codes {
    ($($variant:ident, $name:literal, $disposition:ident, $title:literal;)*) => {
        /// What went wrong. Its page is `docs/errors/<name>.md`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ErrorCode {
            $(#[doc = $title] $variant,)*
        }

        impl ErrorCode {
            /// All of them.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant,)*];

            /// Its name on the wire, in the status and in `docs/errors/`.
            pub const fn name(self) -> &'static str {
                match self { $(ErrorCode::$variant => $name,)* }
            }

            /// One line for people.
            pub const fn title(self) -> &'static str {
                match self { $(ErrorCode::$variant => $title,)* }
            }

            /// What the runtime does with it.
            pub const fn disposition(self) -> Disposition {
                match self { $(ErrorCode::$variant => Disposition::$disposition,)* }
            }
        }
    };
}

codes! {
    EventInvalid, "event_invalid", Reject, "The message is not an event that Millrace understands.";
    RequestInvalid, "request_invalid", Reject, "The request is malformed.";
    ProfileUnknown, "profile_unknown", Reject, "No profile of that name is installed.";
    SourceInvalid, "source_invalid", Reject, "The source URL is malformed or of an unknown scheme.";
    SourceForbidden, "source_forbidden", Reject, "The source lies outside what this deployment may read.";
    SourceNotFound, "source_not_found", Reject, "There is no object at the source.";
    SourceUnavailable, "source_unavailable", Retry, "The source's store did not answer.";
    DocumentEmpty, "document_empty", Reject, "The document has no content.";
    DocumentTooLarge, "document_too_large", Reject, "The document is larger than the upload limit.";
    DocumentTypeUnsupported, "document_type_unsupported", Reject, "The document is of a type that cannot be read.";
    DocumentEncrypted, "document_encrypted", Reject, "The document needs a password.";
    DocumentPasswordWrong, "document_password_wrong", Reject, "The password that came with the document does not open it.";
    PagesInvalid, "pages_invalid", Reject, "The pages asked for are none, or none that the document has.";
    DocumentBroken, "document_broken", Reject, "The document is damaged beyond reading.";
    DocumentScanned, "document_scanned", Reject, "The document is images without text.";
    DocumentLimitsExceeded, "document_limits_exceeded", Reject, "Reading the document exceeded its limits.";
    ExtractorDied, "extractor_died", Recover, "The process that read the document died.";
    ArtifactMissing, "artifact_missing", Recover, "The artifact behind the claim check is gone.";
    ArtifactCorrupt, "artifact_corrupt", Recover, "The artifact is not the one the claim check means.";
    StorageUnavailable, "storage_unavailable", Retry, "The artifact store did not answer.";
    NerUnavailable, "ner_unavailable", Retry, "The plug-in that finds names did not answer.";
    ProviderUnreachable, "provider_unreachable", Retry, "The model provider could not be reached.";
    ProviderOverloaded, "provider_overloaded", Retry, "The model provider is overloaded or failed.";
    ProviderRateLimited, "provider_rate_limited", Retry, "The model provider asks to slow down.";
    ProviderTimeout, "provider_timeout", Retry, "The model provider did not answer in time.";
    ProviderForeign, "provider_foreign", Retry, "What answered was not the model provider, but a proxy's page or half an answer.";
    CallInProgress, "call_in_progress", Retry, "Another process is making this very call to the provider.";
    ProviderQuota, "provider_quota", Recover, "The quota with the model provider is used up for hours or days.";
    ProviderNotConfigured, "provider_not_configured", Recover, "This deployment has no key for the provider of that model.";
    ProviderRefused, "provider_refused", Recover, "The model provider calls the request invalid.";
    ProviderAuth, "provider_auth", Recover, "The model provider does not accept the key.";
    ModelUnknown, "model_unknown", Recover, "The model provider does not know the model.";
    SchemaTooComplex, "schema_too_complex", Recover, "The model provider cannot serve the profile's schema.";
    ContentBlocked, "content_blocked", Recover, "The model provider blocked the prompt.";
    AnswerBlocked, "answer_blocked", Recover, "The model provider stopped its answer, or the model declined.";
    AnswerRecited, "answer_recited", Recover, "The model provider stopped its answer because it recites a known text.";
    AnswerEmpty, "answer_empty", Recover, "The model provider's answer has no text, and nothing says why.";
    ContextTooLong, "context_too_long", Recover, "The document does not fit into the model's context window.";
    AnswerTruncated, "answer_truncated", Recover, "The model's answer was cut off.";
    AnswerMalformed, "answer_malformed", Recover, "The model's answer is not JSON.";
    AnswerInvalid, "answer_invalid", Recover, "The model's answer does not fit the profile's schema.";
    AnswerInconsistent, "answer_inconsistent", Recover, "The model's answer contradicts the document or itself.";
    JobBudgetExceeded, "job_budget_exceeded", Recover, "The next call would cost more than one job may.";
    TenantBudgetExceeded, "tenant_budget_exceeded", Recover, "The next call would cost more than the tenant may today.";
    DeadlineExceeded, "deadline_exceeded", Recover, "The stage did not finish within its deadline.";
    StagePanicked, "stage_panicked", Recover, "The stage panicked on this document, each time it was delivered.";
    DeliveriesExhausted, "deliveries_exhausted", Recover, "The service died each time this message was delivered.";
    Internal, "internal", Recover, "A fault of our own.";
}

impl ErrorCode {
    /// The code of that name; what nobody knows is our own fault.
    pub fn named(name: &str) -> ErrorCode {
        ErrorCode::ALL.iter().copied().find(|code| code.name() == name).unwrap_or(ErrorCode::Internal)
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_code_has_its_page_and_every_page_its_code() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::named(code.name()), *code);
            let page = folder.join(format!("{code}.md"));
            let text =
                std::fs::read_to_string(&page).unwrap_or_else(|_| panic!("{} is missing", page.display()));
            assert!(text.starts_with(&format!("# {code}\n")), "{} must begin with its code", page.display());
            assert!(text.contains(code.title()), "{} must say: {}", page.display(), code.title());
        }
        for entry in folder.read_dir().unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let code = name.trim_end_matches(".md");
            assert!(
                code == "README" || ErrorCode::named(code).name() == code,
                "{name} is the page of no code"
            );
        }
    }
}
