//! Numbers that states give out.

use super::digits;

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

/// The number that the digits of a text make, as far as it fits.
fn number(text: &str) -> u64 {
    digits(text).fold(0u64, |n, d| n.wrapping_mul(10).wrapping_add(u64::from(d)))
}

/// Digits times weights, added up.
fn weighted(text: &str, weights: &[u32]) -> u32 {
    digits(text).zip(weights).map(|(d, w)| u32::from(d) * w).sum()
}

/// Whether there are exactly `n` digits, and not all the same.
fn has_digits(text: &str, n: usize) -> bool {
    let mut all = digits(text);
    let first = all.next();
    let mut same = true;
    let mut count = usize::from(first.is_some());
    for digit in all {
        same &= Some(digit) == first;
        count += 1;
    }
    count == n && !same
}

fn if_valid(valid: bool, text: &str) -> Option<usize> {
    valid.then_some(text.len())
}

/// Italian codice fiscale: a check letter over letters and digits, each with one value for odd and one for
/// even places. Letters may stand for digits where two people would have the same code.
pub(crate) fn codice_fiscale(text: &str) -> Option<usize> {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let code: Vec<u32> = text
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|b| u32::from(if b.is_ascii_digit() { b - b'0' } else { b.to_ascii_uppercase() - b'A' }))
        .collect();
    let (last, rest) = code.split_last()?;
    let sum: u32 = rest
        .iter()
        .zip(text.bytes().filter(u8::is_ascii_alphanumeric))
        .enumerate()
        .map(|(i, (value, _))| if i % 2 == 0 { ODD[*value as usize] } else { *value })
        .sum();
    if_valid(code.len() == 16 && sum % 26 == *last, text)
}

/// French NIR: sex, year, month, department (2A and 2B in Corsica), commune, order, and 97 minus the rest.
pub(crate) fn nir(text: &str) -> Option<usize> {
    let compact: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let (body, key) = (compact.get(..13)?, compact.get(13..15)?);
    let month: u8 = body.get(3..5)?.parse().ok()?;
    let (body, less) = match body.get(5..7)? {
        "2A" => (body.replacen('A', "0", 1), 1_000_000),
        "2B" => (body.replacen('B', "0", 1), 2_000_000),
        _ => (body.to_owned(), 0),
    };
    let body: u64 = body.parse().ok()?;
    let key: u64 = key.parse().ok()?;
    let real_month = matches!(month, 1..=12 | 20..=42 | 50..=99);
    if_valid(real_month && key == 97 - (body - less) % 97, text)
}

/// UK national insurance number: pairs of letters that were never given out.
pub(crate) fn nino(text: &str) -> Option<usize> {
    let prefix = text.get(..2)?.to_ascii_uppercase();
    if_valid(!matches!(prefix.as_str(), "BG" | "GB" | "KN" | "NK" | "NT" | "TN" | "ZZ"), text)
}

/// NHS number: ten digits, the last one 11 minus the weighted sum of the others modulo 11.
pub(crate) fn nhs(text: &str) -> Option<usize> {
    let sum = weighted(text, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    if_valid(has_digits(text, 10) && sum.is_multiple_of(11), text)
}

/// Indian Aadhaar number: Verhoeff's check digit, in the dihedral group of the pentagon.
pub(crate) fn aadhaar(text: &str) -> Option<usize> {
    let times = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a - 5 + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    const PERMUTATION: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let sum = digits(text).rev().enumerate().fold(0, |sum, (place, digit)| {
        let permuted = (0..place % 8).fold(digit, |d, _| PERMUTATION[usize::from(d)]);
        times(sum, permuted)
    });
    let first = digits(text).next()?;
    if_valid(has_digits(text, 12) && first >= 2 && sum == 0, text)
}

/// Brazilian CPF: nine digits and two check digits.
pub(crate) fn cpf(text: &str) -> Option<usize> {
    let all: Vec<u32> = digits(text).map(u32::from).collect();
    let check = |n: usize| {
        let sum: u32 = all[..n].iter().enumerate().map(|(i, d)| d * (n as u32 + 1 - i as u32)).sum();
        sum * 10 % 11 % 10
    };
    if_valid(has_digits(text, 11) && check(9) == all[9] && check(10) == all[10], text)
}

/// Brazilian CNPJ: twelve characters (letters since 2026; each counts as its code minus 48) and two check digits.
pub(crate) fn cnpj(text: &str) -> Option<usize> {
    let all: Vec<u32> = text
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|b| u32::from(b.to_ascii_uppercase() - b'0'))
        .collect();
    let check = |n: usize| {
        let sum: u32 = all[..n].iter().rev().enumerate().map(|(i, d)| d * (i as u32 % 8 + 2)).sum();
        let rest = sum % 11;
        if rest < 2 { 0 } else { 11 - rest }
    };
    let varied = all.iter().any(|d| *d != all[0]);
    if_valid(all.len() == 14 && varied && check(12) == all[12] && check(13) == all[13], text)
}

/// German tax id: eleven digits, one of the first ten twice or thrice, and a check digit (ISO/IEC 7064, 11,10).
pub(crate) fn german_tax_id(text: &str) -> Option<usize> {
    let all: Vec<u8> = digits(text).collect();
    let mut counts = [0u8; 10];
    all.iter().take(10).for_each(|d| counts[usize::from(*d)] += 1);
    let repeated = counts.iter().filter(|n| **n > 1).count();
    let fits = repeated == 1 && counts.iter().all(|n| *n <= 3);
    if_valid(all.len() == 11 && fits && mod_11_10(&all), text)
}

/// Whether the last digit is the check digit of ISO/IEC 7064, MOD 11,10.
pub(crate) fn mod_11_10(all: &[u8]) -> bool {
    let Some((last, rest)) = all.split_last() else { return false };
    let product = rest.iter().fold(10u32, |product, digit| {
        let sum = (u32::from(*digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == u32::from(*last)
}

/// Polish PESEL: date of birth with the century in its month, and a check digit.
pub(crate) fn pesel(text: &str) -> Option<usize> {
    let sum = weighted(text, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    let n = number(text);
    let (month, day) = (n / 10_000_000 % 100 % 20, n / 100_000 % 100);
    if_valid(
        has_digits(text, 11)
            && sum.is_multiple_of(10)
            && (1..=12).contains(&month)
            && (1..=31).contains(&day),
        text,
    )
}

/// Swedish personnummer (or coordination number, with 60 added to the day): date of birth, and a Luhn digit
/// over the last ten digits.
pub(crate) fn personnummer(text: &str) -> Option<usize> {
    let count = digits(text).count();
    let short: String = digits(text).skip(count.checked_sub(10)?).map(|d| char::from(b'0' + d)).collect();
    let n = number(&short);
    let (month, day) = (n / 1_000_000 % 100, n / 10_000 % 100 % 60);
    let dated = (1..=12).contains(&month) && (1..=31).contains(&day);
    if_valid(dated && super::payment::luhn(&short).is_some(), text)
}

/// Dutch BSN: nine digits, whose weighted sum (the last one counted negatively) divides by 11.
pub(crate) fn bsn(text: &str) -> Option<usize> {
    let (sum, last) = (weighted(text, &[9, 8, 7, 6, 5, 4, 3, 2]), digits(text).next_back()?);
    if_valid(has_digits(text, 9) && sum % 11 == u32::from(last), text)
}

/// Portuguese NIF: nine digits, the last one from the weighted sum of the others.
pub(crate) fn portuguese_nif(text: &str) -> Option<usize> {
    let rest = weighted(text, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    let check = if rest < 2 { 0 } else { 11 - rest };
    if_valid(has_digits(text, 9) && digits(text).next_back().map(u32::from) == Some(check), text)
}

/// Second line of a passport's machine-readable zone (ICAO 9303, TD3): number, birth, expiry, and a check
/// digit for each and for all together.
pub(crate) fn machine_readable(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let value = |b: u8| match b {
        b'0'..=b'9' => u32::from(b - b'0'),
        b'A'..=b'Z' => u32::from(b - b'A') + 10,
        _ => 0,
    };
    let check = |part: &[u8]| {
        part.iter().zip([7, 3, 1].into_iter().cycle()).map(|(b, w)| value(*b) * w).sum::<u32>() % 10
    };
    let is = |range: std::ops::Range<usize>, at: usize| {
        bytes.get(range).zip(bytes.get(at)).is_some_and(|(part, digit)| check(part) == value(*digit))
    };
    if_valid(bytes.len() == 44 && is(0..9, 9) && is(13..19, 19) && is(21..27, 27), text)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    /// Published examples of the issuing offices, or of the pages that explain the check.
    #[test]
    fn good_ones_pass_and_no_neighbour_does() {
        let checks: [(super::super::Check, &[&str]); 14] = [
            (codice_fiscale, &["RSSMRA85T10A562S", "RSS MRA 85T10 A562S"]),
            (nir, &["255081416802538", "1 54 11 06 641 372 26"]),
            (nhs, &["943 476 5919", "4010232137"]),
            (aadhaar, &["2341 2341 2346"]),
            (cpf, &["111.444.777-35", "52998224725"]),
            (cnpj, &["11.222.333/0001-81", "12.ABC.345/01DE-35"]),
            (german_tax_id, &["86 095 742 719", "47036892816"]),
            (pesel, &["44051401359"]),
            (personnummer, &["811218-9876", "19811218-9876"]),
            (bsn, &["111222333", "1234.56.782"]),
            (portuguese_nif, &["123456789", "501 442 600"]),
            (machine_readable, &["L898902C36UTO7408122F1204159ZE184226B<<<<<10"]),
            (nif, &["12345678Z"]),
            (nie, &["X1234567L"]),
        ];
        for (check, values) in checks {
            for value in values {
                assert_eq!(check(value), Some(value.len()), "{value}");
                // Another last digit (or check letter) is wrong.
                let last = if value.ends_with("10") { 9 } else { value.len() - 1 };
                let other = if value.as_bytes()[last].is_ascii_digit() {
                    char::from((value.as_bytes()[last] - b'0' + 1) % 10 + b'0')
                } else if value.as_bytes()[last] == b'A' {
                    'B'
                } else {
                    'A'
                };
                let wrong = format!("{}{other}{}", &value[..last], &value[last + 1..]);
                assert_eq!(check(&wrong), None, "{wrong}");
            }
        }
        assert!(nino("AB123456C").is_some() && nino("BG123456C").is_none());
    }
}
