//! What a plug-in calls its entities, and what we call them.

/// Presidio's names and those of the models under it.
#[rustfmt::skip]
const KINDS: &[(&str, &str)] = &[
    ("PERSON", "PERSON"), ("PER", "PERSON"), ("NAME", "PERSON"),
    ("LOCATION", "LOCATION"), ("LOC", "LOCATION"), ("GPE", "LOCATION"), ("FAC", "LOCATION"), ("CITY", "LOCATION"),
    ("STREET_ADDRESS", "ADDRESS"), ("ADDRESS", "ADDRESS"),
    ("ORGANIZATION", "ORGANIZATION"), ("ORG", "ORGANIZATION"), ("COMPANY", "ORGANIZATION"),
    ("NRP", "NRP"), ("NORP", "NRP"),
    ("DATE_TIME", "DATE_TIME"), ("DATE", "DATE_TIME"), ("TIME", "DATE_TIME"), ("DATE_OF_BIRTH", "DATE_OF_BIRTH"),
    ("MONEY", "MONEY"),
    ("EMAIL_ADDRESS", "EMAIL"), ("EMAIL", "EMAIL"), ("PHONE_NUMBER", "PHONE"), ("PHONE", "PHONE"), ("URL", "URL"),
    ("CREDIT_CARD", "CARD"), ("IBAN_CODE", "IBAN"), ("CRYPTO", "CRYPTO"),
    ("IP_ADDRESS", "IP"), ("MAC_ADDRESS", "MAC"),
    ("US_SSN", "SSN"), ("US_ITIN", "ITIN"), ("UK_NHS", "UK_NHS"), ("UK_NINO", "UK_NINO"),
    ("ES_NIF", "ES_NIF"), ("ES_NIE", "ES_NIE"), ("IT_FISCAL_CODE", "IT_FISCAL_CODE"), ("FR_NIR", "FR_NIR"),
    ("DE_TAX_ID", "DE_TAX_ID"), ("PL_PESEL", "PL_PESEL"), ("SE_PERSONNUMMER", "SE_PERSONNUMMER"),
    ("IN_PAN", "IN_PAN"), ("IN_AADHAAR", "IN_AADHAAR"), ("BR_CPF", "BR_CPF"), ("BR_CNPJ", "BR_CNPJ"),
    ("IT_VAT_CODE", "VAT"), ("DE_VAT_ID", "VAT"), ("EU_VAT", "VAT"),
    ("US_PASSPORT", "PASSPORT"), ("UK_PASSPORT", "PASSPORT"), ("IN_PASSPORT", "PASSPORT"), ("IT_PASSPORT", "PASSPORT"),
    ("DE_PASSPORT", "PASSPORT"), ("ES_PASSPORT", "PASSPORT"),
];

/// Our kind for it; `OTHER` for what the table does not have.
pub(super) fn kind(entity: &str) -> &'static str {
    KINDS.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(entity)).map_or("OTHER", |(_, ours)| ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::BY_MODEL;

    #[test]
    fn every_kind_is_one_that_a_policy_can_speak_of() {
        for (_, ours) in KINDS {
            assert!(BY_MODEL.contains(ours) || millrace_pii::kind(ours).is_some(), "{ours}");
        }
        assert_eq!([kind("person"), kind("US_BANK_NUMBER")], ["PERSON", "OTHER"]);
        assert!(BY_MODEL.contains(&"OTHER"));
    }
}
