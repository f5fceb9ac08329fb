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
    /// How many quick tries are worth making before the message goes back. Where the provider says how long to wait,
    /// a wait longer than the caller's patience is not made in place.
    pub in_place: u32,
}

const fn row(code: ErrorCode, billed: Billed, counts: bool, is_final: bool, in_place: u32) -> Meaning {
    Meaning { code, billed, counts, is_final, in_place }
}

/// All failures of providers. What may have been billed is not tried again in place: the second try may be the second
/// bill, and that is for the budget to allow.
#[rustfmt::skip]
pub const TABLE: &[Meaning] = &[
    //  code                               billed         counts  final  in place
    row(ErrorCode::ProviderUnreachable,    Billed::No,    true,   false, 2),
    row(ErrorCode::ProviderTimeout,        Billed::Maybe, true,   false, 0),
    row(ErrorCode::ProviderOverloaded,     Billed::No,    true,   false, 2),
    row(ErrorCode::ProviderForeign,        Billed::Maybe, true,   false, 0),
    // The limiter's business: a provider that asks to slow down is well.
    row(ErrorCode::ProviderRateLimited,    Billed::No,    false,  false, 2),
    row(ErrorCode::ProviderQuota,          Billed::No,    true,   false, 0),
    row(ErrorCode::ProviderAuth,           Billed::No,    true,   false, 0),
    // Our own settings; no request was made that could speak against the provider.
    row(ErrorCode::ProviderNotConfigured,  Billed::No,    false,  false, 0),
    row(ErrorCode::ModelUnknown,           Billed::No,    true,   false, 0),
    row(ErrorCode::ProviderRefused,        Billed::No,    false,  true,  0),
    row(ErrorCode::SchemaTooComplex,       Billed::No,    false,  true,  0),
    // Refused beforehand it costs nothing; Anthropic may notice while it answers, and then says what it used.
    row(ErrorCode::ContextTooLong,         Billed::No,    false,  true,  0),
    row(ErrorCode::ContentBlocked,         Billed::Yes,   false,  false, 0),
    row(ErrorCode::AnswerBlocked,          Billed::Yes,   false,  false, 0),
    row(ErrorCode::AnswerRecited,          Billed::Yes,   false,  false, 0),
    row(ErrorCode::AnswerEmpty,            Billed::Yes,   false,  false, 0),
    row(ErrorCode::AnswerTruncated,        Billed::Yes,   false,  false, 0),
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
            assert!(!(row.is_final && row.in_place > 0), "{code} is final and yet tried again");
            assert!(!(row.is_final && code.disposition() == Disposition::Retry), "{code}");
            assert!(row.in_place == 0 || row.billed == Billed::No, "{code} may be paid for twice");
            assert!(row.in_place == 0 || code.disposition() == Disposition::Retry, "{code}");
        }
        assert_eq!(meaning(ErrorCode::Internal), None);
    }
}
