//! Codes with a rule of their own: currencies and account numbers.

/// ISO 4217, the codes of money in use.
const CURRENCIES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN \
    BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP \
    GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD \
    KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD \
    OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL \
    THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER \
    ZAR ZMW ZWG";

/// Whether this is a currency. "other" and "unknown" say that there is no code, which is for the schema to allow.
pub fn is_currency(code: &str) -> bool {
    matches!(code, "other" | "unknown") || CURRENCIES.split(' ').any(|known| known == code)
}

/// Whether this is an IBAN with right check digits, or the placeholder of one that was taken out.
pub fn is_iban(text: &str) -> bool {
    let text: String =
        text.chars().filter(|character| !character.is_whitespace() && *character != '-').collect();
    if text
        .strip_prefix("[IBAN_")
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
    {
        return true;
    }
    let text = text.to_ascii_uppercase();
    let form = (15..=34).contains(&text.len())
        && text.is_ascii()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().take(2).all(|byte| byte.is_ascii_uppercase());
    if !form {
        return false;
    }
    let (head, tail) = text.split_at(4);
    let remainder = tail.chars().chain(head.chars()).filter_map(|character| character.to_digit(36)).fold(
        0_u32,
        |rest, digit| if digit > 9 { (rest * 100 + digit) % 97 } else { (rest * 10 + digit) % 97 },
    );
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_and_codes_are_checked() {
        for (iban, right) in [
            ("GB82 WEST 1234 5698 7654 32", true),
            ("ES91 2100 0418 4502 0005 1332", true),
            ("ES91 2100 0418 4502 0005 1333", false),
            ("[IBAN_3]", true),
            ("[EMAIL_1]", false),
            ("ES91", false),
            ("", false),
        ] {
            assert_eq!(is_iban(iban), right, "{iban}");
        }
        assert!(is_currency("EUR") && is_currency("other") && !is_currency("EURO") && !is_currency(""));
    }
}
