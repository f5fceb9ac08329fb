//! What each failure of a provider means for money, for the circuit breaker and for trying again: one table.

use millrace_contract::ErrorCode;

/// Whether a failure of this kind costs money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billed {
    /// The provider did no work, or does not charge for it.
    No,
    /// The request went out, and nobody knows what came of it.
    Maybe,
    /// The provider worked and charges; the failure says how much it used.
    Yes,
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// Which failure.
    pub code: ErrorCode,
    /// What it costs.
    pub billed: Billed,
    /// Whether it speaks against the provider, and so counts for the circuit breaker.
    pub counts: bool,
    /// Whether these very bytes can never succeed, so that they must never be sent again.
    pub is_final: bool,
    /// Tries that it is worth in one round of a job; 0: as often as the provider says when to come back.
    pub tries: usize,
}

const fn row(code: ErrorCode, billed: Billed, counts: bool, is_final: bool, tries: usize) -> Meaning {
    Meaning { code, billed, counts, is_final, tries }
}

/// All failures of providers. What may have been billed in full is tried once more and not oftener.
#[rustfmt::skip]
pub const TABLE: &[Meaning] = &[
    //  code                               billed         counts  final  tries
    row(ErrorCode::ProviderUnreachable,    Billed::No,    true,   false, 3),
    row(ErrorCode::ProviderTimeout,        Billed::Maybe, true,   false, 2),
    row(ErrorCode::ProviderOverloaded,     Billed::No,    true,   false, 4),
    row(ErrorCode::ProviderForeign,        Billed::Maybe, true,   false, 2),
    // The limiter's business: a provider that asks to slow down is well.
    row(ErrorCode::ProviderRateLimited,    Billed::No,    false,  false, 0),
    row(ErrorCode::ProviderQuota,          Billed::No,    true,   false, 1),
    row(ErrorCode::ProviderAuth,           Billed::No,    true,   false, 1),
    // Our own settings; no request was made that could speak against the provider.
    row(ErrorCode::ProviderNotConfigured,  Billed::No,    false,  false, 1),
    row(ErrorCode::ModelUnknown,           Billed::No,    true,   false, 1),
    row(ErrorCode::ProviderRefused,        Billed::No,    false,  true,  1),
    row(ErrorCode::SchemaTooComplex,       Billed::No,    false,  true,  1),
    // Refused beforehand it costs nothing; Anthropic may notice while it answers, and then says what it used.
    row(ErrorCode::ContextTooLong,         Billed::No,    false,  true,  1),
    row(ErrorCode::ContentBlocked,         Billed::Yes,   false,  false, 1),
    row(ErrorCode::AnswerBlocked,          Billed::Yes,   false,  false, 1),
    row(ErrorCode::AnswerRecited,          Billed::Yes,   false,  false, 1),
    row(ErrorCode::AnswerEmpty,            Billed::Yes,   false,  false, 1),
    row(ErrorCode::AnswerTruncated,        Billed::Yes,   false,  false, 1),
];

/// What a failure means; `None` if it is not one of a provider's.
pub fn meaning(code: ErrorCode) -> Option<&'static Meaning> {
    TABLE.iter().find(|meaning| meaning.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_contract::error_code::Disposition;

    #[test]
    fn every_code_of_a_provider_has_one_row() {
        // Found by validation, in answers that a provider gave as it should.
        let validation =
            [ErrorCode::AnswerMalformed, ErrorCode::AnswerInvalid, ErrorCode::AnswerInconsistent];
        let more = [
            ErrorCode::ModelUnknown,
            ErrorCode::SchemaTooComplex,
            ErrorCode::ContentBlocked,
            ErrorCode::ContextTooLong,
        ];
        for &code in ErrorCode::ALL {
            let ours = more.contains(&code)
                || code.name().starts_with("provider_")
                || (code.name().starts_with("answer_") && !validation.contains(&code));
            let rows = TABLE.iter().filter(|row| row.code == code).count();
            assert_eq!(rows, usize::from(ours), "{code}");
        }
    }

    #[test]
    fn the_table_agrees_with_itself() {
        for row in TABLE {
            let code = row.code;
            assert!(!(row.is_final && row.tries != 1), "{code} is final and yet tried again");
            assert!(!(row.is_final && code.disposition() == Disposition::Retry), "{code}");
            assert!(row.tries <= 2 || row.billed == Billed::No, "{code} may be paid for again and again");
            assert!(row.tries == 1 || code.disposition() == Disposition::Retry, "{code}");
        }
        assert_eq!(meaning(ErrorCode::Internal), None);
    }
}
