//! Checks and canonical forms. A check gets the text of a shape and says how many bytes at its start are
//! the value, or that it is none.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whatever has the shape is the value.
pub(crate) fn whole(text: &str) -> Option<usize> {
    Some(text.len())
}

/// At least four digits: the shape of a labelled IBAN would also fit a heading in capitals.
pub(crate) fn some_digits(text: &str) -> Option<usize> {
    (digits(text).count() >= 4).then_some(text.len())
}

fn digits(text: &str) -> impl DoubleEndedIterator<Item = u8> + '_ {
    text.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0')
}

/// The check digit of cards (ISO/IEC 7812).
pub(crate) fn luhn(text: &str) -> Option<usize> {
    let mut sum = 0u32;
    let mut seen = false;
    for (i, digit) in digits(text).rev().enumerate() {
        let digit = u32::from(digit);
        seen |= digit != 0;
        sum += if i % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 };
    }
    (seen && sum.is_multiple_of(10)).then_some(text.len())
}

/// [`luhn`], and a prefix and length that a card scheme issues.
pub(crate) fn issued_card(text: &str) -> Option<usize> {
    let number: Vec<u8> = digits(text).collect();
    let prefix = |n: usize| number.iter().take(n).fold(0u32, |sum, d| sum * 10 + u32::from(*d));
    let (p2, p3, p4) = (prefix(2), prefix(3), prefix(4));
    let issued = match number.len() {
        14 => matches!(p3, 300..=305 | 309) || matches!(p2, 36 | 38 | 39),
        15 => matches!(p2, 34 | 37) || matches!(p4, 1800 | 2131),
        13 => p2 / 10 == 4,
        16 => {
            p2 / 10 == 4
                || matches!(p2, 51..=55 | 62 | 65)
                || matches!(p3, 644..=649)
                || matches!(p4, 2221..=2720 | 3528..=3589 | 6011)
        }
        17..=19 => matches!(p2, 62 | 65) || number.len() == 19 && p2 / 10 == 4,
        _ => false,
    };
    if issued { luhn(text) } else { None }
}

/// Lengths of the IBAN registry (SWIFT, ISO 13616).
#[rustfmt::skip]
const IBAN_LENGTHS: &[(&str, usize)] = &[
    ("AD", 24), ("AE", 23), ("AL", 28), ("AT", 20), ("AZ", 28), ("BA", 20), ("BE", 16), ("BG", 22), ("BH", 22),
    ("BI", 27), ("BR", 29), ("BY", 28), ("CH", 21), ("CR", 22), ("CY", 28), ("CZ", 24), ("DE", 22), ("DJ", 27),
    ("DK", 18), ("DO", 28), ("EE", 20), ("EG", 29), ("ES", 24), ("FI", 18), ("FK", 18), ("FO", 18), ("FR", 27),
    ("GB", 22), ("GE", 22), ("GI", 23), ("GL", 18), ("GR", 27), ("GT", 28), ("HN", 28), ("HR", 21), ("HU", 28),
    ("IE", 22), ("IL", 23), ("IQ", 23), ("IS", 26), ("IT", 27), ("JO", 30), ("KW", 30), ("KZ", 20), ("LB", 28),
    ("LC", 32), ("LI", 21), ("LT", 20), ("LU", 20), ("LV", 21), ("LY", 25), ("MC", 27), ("MD", 24), ("ME", 22),
    ("MK", 19), ("MN", 20), ("MR", 27), ("MT", 31), ("MU", 30), ("NI", 28), ("NL", 18), ("NO", 15), ("OM", 23),
    ("PK", 24), ("PL", 28), ("PS", 29), ("PT", 25), ("QA", 29), ("RO", 24), ("RS", 22), ("RU", 33), ("SA", 24),
    ("SC", 31), ("SD", 18), ("SE", 24), ("SI", 19), ("SK", 24), ("SM", 27), ("SO", 23), ("ST", 25), ("SV", 28),
    ("TL", 23), ("TN", 24), ("TR", 26), ("UA", 29), ("VA", 22), ("VG", 24), ("XK", 20), ("YE", 30),
];

/// Country, length and the two check digits (mod 97). Cuts off what follows on the same line.
pub(crate) fn iban(text: &str) -> Option<usize> {
    let country = text.get(..2)?.to_ascii_uppercase();
    let &(_, length) = IBAN_LENGTHS.iter().find(|(code, _)| *code == country)?;
    let mut kept = text.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric());
    let compact: Vec<u8> = kept.by_ref().take(length).map(|(_, c)| c.to_ascii_uppercase() as u8).collect();
    if compact.len() < length {
        return None;
    }
    let end = kept.next().map_or(text.len(), |(i, _)| i);
    let value = text[..end].trim_end_matches([' ', '-']);
    // The cut must fall between words.
    if value.len() == end && end < text.len() {
        return None;
    }
    let (head, tail) = compact.split_at(4);
    let remainder = tail.iter().chain(head).fold(0u32, |rest, &b| match b {
        b'0'..=b'9' => (rest * 10 + u32::from(b - b'0')) % 97,
        _ => (rest * 100 + u32::from(b - b'A') + 10) % 97,
    });
    (remainder == 1).then_some(value.len())
}

/// Rules of the US Social Security Administration: no area 000, 666 or 9xx, no group 00, no serial 0000.
pub(crate) fn ssn(text: &str) -> Option<usize> {
    let number = digits(text).fold(0u32, |n, d| n * 10 + u32::from(d));
    let (area, group, serial) = (number / 1_000_000, number / 10_000 % 100, number % 10_000);
    let same_separator = text.as_bytes().get(3) == text.as_bytes().get(6);
    let valid = same_separator && !matches!(area, 0 | 666 | 900..) && group != 0 && serial != 0;
    valid.then_some(text.len())
}

/// US taxpayer numbers: 9xx, with the fourth and fifth digit in 50-65, 70-88, 90-92 or 94-99.
pub(crate) fn itin(text: &str) -> Option<usize> {
    let number = digits(text).fold(0u32, |n, d| n * 10 + u32::from(d));
    matches!(number / 10_000 % 100, 50..=65 | 70..=88 | 90..=92 | 94..=99).then_some(text.len())
}

/// Spanish DNI/NIF: eight digits and the letter they give.
pub(crate) fn nif(text: &str) -> Option<usize> {
    let number = digits(text).fold(0u32, |n, d| n * 10 + u32::from(d));
    has_letter(number, text)
}

/// Spanish NIE: X, Y or Z stands for 0, 1 or 2 in front of seven digits.
pub(crate) fn nie(text: &str) -> Option<usize> {
    let first = match text.bytes().next()?.to_ascii_uppercase() {
        b'X' => 0,
        b'Y' => 1,
        _ => 2,
    };
    has_letter(digits(text).fold(first, |n, d| n * 10 + u32::from(d)), text)
}

fn has_letter(number: u32, text: &str) -> Option<usize> {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let expected = LETTERS[(number % 23) as usize];
    (text.bytes().next_back()?.to_ascii_uppercase() == expected).then_some(text.len())
}

/// Four octets without leading zeros.
pub(crate) fn ipv4(text: &str) -> Option<usize> {
    let address: Ipv4Addr = text.parse().ok()?;
    (!address.is_loopback() && !address.is_unspecified() && !address.is_broadcast()).then_some(text.len())
}

/// [`ipv4`] with a number that no numbering of sections reaches.
pub(crate) fn ipv4_beyond_sections(text: &str) -> Option<usize> {
    let beyond = text.split('.').any(|octet| octet.parse::<u8>().is_ok_and(|n| n > 31));
    if beyond { ipv4(text) } else { None }
}

/// An address as the standard library reads it, and not one that code or a clock could mean.
pub(crate) fn ipv6(text: &str) -> Option<usize> {
    // The shape may take a colon of the sentence with it.
    for value in [text, text.strip_suffix(':').unwrap_or(text)] {
        let address = value.split_once('%').map_or(value, |(address, _)| address);
        if address.parse::<Ipv6Addr>().is_ok() {
            let groups = address.split([':', '.']).filter(|g| !g.is_empty());
            let telling = groups.clone().any(|g| g.len() >= 3);
            let numeric = address.bytes().any(|b| b.is_ascii_digit());
            return (groups.count() >= 2 && telling && numeric).then_some(value.len());
        }
    }
    None
}

/// Seven to fifteen digits that look like no date, time, amount or section. Groups that would make it too
/// long are cut off, at a zero that begins the next number where there is one.
pub(crate) fn phone(text: &str) -> Option<usize> {
    let mut value = text;
    let main = |t: &str| t.find(['x', 'e', 'X', 'E']).map_or(t.len(), |i| i);
    if digits(&value[..main(value)]).count() > 15
        && let Some(next) =
            value.match_indices(" 0").map(|(i, _)| i).find(|&i| digits(&value[..i]).count() >= 7)
    {
        value = value[..next].trim_end_matches([' ', '.', '/', '-', '(']);
    }
    while digits(&value[..main(value)]).count() > 15 {
        let cut = value[..main(value)].trim_end().rfind([' ', '.', '/', '-'])?;
        value = value[..cut].trim_end_matches([' ', '.', '/', '-', '(']);
    }
    let number = &value[..main(value)];
    let count = digits(number).count();
    let plausible = count >= 7 || count == 6 && number.contains([' ', '-', '/']);
    (plausible && !looks_like_date(number) && balanced(number)).then_some(value.len())
}

fn balanced(text: &str) -> bool {
    text.matches('(').count() == text.matches(')').count()
}

/// `2026-11-05`, `05.11.2026`, `2026/117`: a year as a group of its own among few groups.
fn looks_like_date(text: &str) -> bool {
    let groups: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|g| !g.is_empty()).collect();
    let is_year = |g: &str| g.len() == 4 && (g.starts_with("19") || g.starts_with("20"));
    let small = |g: &str| g.len() <= 2 && g.parse::<u8>().is_ok_and(|n| n <= 31);
    let separated = text.contains(['-', '.', '/']) && !text.starts_with('+');
    match groups.as_slice() {
        [y, m, d, ..] if is_year(y) && small(m) && small(d) => separated,
        [d, m, y, ..] if is_year(y) && small(m) && small(d) => separated,
        [y, _] => is_year(y) && text.contains('/'),
        _ => false,
    }
}

/// Letters and digits in upper case: spacing and hyphens do not make another value.
pub(crate) fn alphanumeric_upper(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// Lower case, for addresses.
pub(crate) fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// Digits without the trunk zero in `+44 (0)20` and without the `00` that stands for a plus.
pub(crate) fn phone_digits(text: &str) -> String {
    let plain: String = text.replace("(0)", "").chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let plain = plain.to_ascii_lowercase().replace("ext", "x");
    plain.strip_prefix("00").map(str::to_owned).unwrap_or(plain)
}

/// The address in its shortest form, or as written where it does not parse.
pub(crate) fn ip_text(text: &str) -> String {
    text.parse::<std::net::IpAddr>().map_or_else(|_| text.to_lowercase(), |address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ibans() {
        assert_eq!(iban("GB29 NWBK 6016 1331 9268 19"), Some(27));
        assert_eq!(iban("gb29nwbk60161331926819"), Some(22));
        assert_eq!(iban("GB29 NWBK 6016 1331 9268 19 before"), Some(27));
        assert_eq!(iban("GB29NWBK60161331926819X"), None);
        assert_eq!(iban("GB30 NWBK 6016 1331 9268 19"), None);
        assert_eq!(iban("ZZ29 NWBK 6016 1331 9268 19"), None);
        let sorted = IBAN_LENGTHS.windows(2).all(|pair| pair[0].0 < pair[1].0);
        assert!(sorted, "a country may stand in the table once");
    }

    #[test]
    fn cards() {
        assert!(luhn("4111 1111 1111 1111").is_some());
        assert!(luhn("4111111111111112").is_none());
        assert!(luhn("0000000000000000").is_none());
        for card in
            ["5500005555555559", "378282246310005", "2223003122003222", "3530111333300000", "30569309025904"]
        {
            assert!(issued_card(card).is_some(), "{card}");
        }
        assert!(issued_card("9999999999999995").is_none());
    }

    #[test]
    fn social_security_numbers() {
        assert!(ssn("078-05-1120").is_some());
        for text in ["000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000", "123-45 6789"]
        {
            assert!(ssn(text).is_none(), "{text}");
        }
        assert!(itin("912-70-1234").is_some() && itin("912-93-1234").is_none());
    }

    #[test]
    fn spanish_ids() {
        assert!(nif("12345678Z").is_some() && nif("12345678-z").is_some() && nif("12345678A").is_none());
        assert!(nie("X1234567L").is_some() && nie("Y1234567X").is_some() && nie("X1234567A").is_none());
    }

    #[test]
    fn addresses() {
        assert!(ipv4("203.0.113.7").is_some() && ipv4("256.1.1.1").is_none() && ipv4("127.0.0.1").is_none());
        for text in
            ["2001:db8::1", "fe80::1%eth0", "::ffff:192.0.2.128", "aea3:768d:1882:675d:b988:8604:2244:eee0"]
        {
            assert_eq!(ipv6(text), Some(text.len()), "{text}");
        }
        assert_eq!(ipv6("2001:db8::1:"), Some(11));
        for text in ["12:34:56", "::", "a::b", "44:32:35:00:05:17", "::1"] {
            assert!(ipv6(text).is_none(), "{text}");
        }
        assert_eq!(ip_text("2001:0DB8:0::1"), ip_text("2001:db8::1"));
    }

    #[test]
    fn phones() {
        assert!(phone("+44 (0)20 7946 0958").is_some() && phone("2000-04-16 11").is_none());
        assert_eq!(phone("+55 83 1964-5788"), Some(16));
        assert!(phone("12345").is_none() && phone("05.11.2026").is_none());
        assert_eq!(phone("030 1234567 0171 7654321"), Some("030 1234567".len()));
        assert_eq!(phone_digits("+44 (0)20 7946 0958"), phone_digits("0044 20 79460958"));
    }
}
