//! VAT ids: a country's letters and its own check (VIES, and the countries' published rules).

mod east;

use super::digits;
use super::national::{mod_11_10, nie, nif, portuguese_nif};
use super::payment::luhn;

/// A VAT id whose country's check holds. Cuts off what follows.
pub(crate) fn valid(text: &str) -> Option<usize> {
    let (country, number, end) = parts(text)?;
    let d: Vec<u8> = digits(&number).collect();
    let numeric = d.len() == number.len();
    let sum = |weights: &[u32]| d.iter().zip(weights).map(|(d, w)| u32::from(*d) * w).sum::<u32>();
    let last = u32::from(*d.last()?);
    let is_valid = match country {
        "AT" => {
            numeric && d.len() == 8 && {
                // Every second digit is doubled and its digits added.
                let total: u32 = d[..7]
                    .iter()
                    .enumerate()
                    .map(|(i, d)| {
                        if i % 2 == 0 {
                            u32::from(*d)
                        } else {
                            u32::from(*d) * 2 / 10 + u32::from(*d) * 2 % 10
                        }
                    })
                    .sum();
                (10 - (total + 4) % 10) % 10 == last
            }
        }
        "BE" => {
            numeric && d.len() == 10 && {
                let n = number.parse::<u64>().ok()?;
                97 - n / 100 % 97 == n % 100
            }
        }
        "DE" | "HR" => numeric && mod_11_10(&d),
        "DK" => numeric && sum(&[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11),
        "EE" => numeric && sum(&[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10),
        "EL" => numeric && sum(&[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10 == last,
        "ES" => spanish(&number),
        "FI" => {
            numeric && {
                let rest = sum(&[7, 9, 10, 5, 8, 4, 2]) % 11;
                rest != 1 && (11 - rest) % 11 == last
            }
        }
        "FR" => {
            let siren: u64 = number.get(2..)?.parse().ok()?;
            number[..2].parse::<u64>().is_ok_and(|key| key == (12 + 3 * (siren % 97)) % 97)
        }
        "HU" => numeric && sum(&[9, 7, 3, 1, 9, 7, 3, 1]).is_multiple_of(10),
        "IT" | "SE" => numeric && luhn(if country == "SE" { &number[..10] } else { &number }).is_some(),
        "LU" => numeric && number[..6].parse::<u32>().ok()? % 89 == number[6..].parse::<u32>().ok()?,
        "NL" => {
            let bsn = number.get(..9)?;
            super::national::bsn(bsn).is_some() || mod_97(&format!("NL{number}"))
        }
        "PL" => numeric && sum(&[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == last,
        "PT" => portuguese_nif(&number).is_some(),
        "SI" => {
            let rest = sum(&[8, 7, 6, 5, 4, 3, 2]) % 11;
            numeric && rest != 0 && (11 - rest) % 10 == last
        }
        "SK" => numeric && number.parse::<u64>().ok()?.is_multiple_of(11),
        "MT" => numeric && sum(&[3, 4, 6, 7, 8, 9, 10, 1]) % 37 == 0 || mod_37(&d),
        "GB" | "XI" => {
            numeric && {
                let n = sum(&[8, 7, 6, 5, 4, 3, 2]) + u32::from(d[7]) * 10 + u32::from(d[8]);
                n.is_multiple_of(97) || (n + 55).is_multiple_of(97)
            }
        }
        "CHE" => {
            numeric && {
                let rest = sum(&[5, 4, 3, 2, 7, 6, 5, 4]) % 11;
                rest != 1 && (11 - rest) % 11 == last
            }
        }
        "BG" => numeric && east::bulgarian(&d),
        "CY" => east::cypriot(&d, &number),
        "CZ" => numeric && east::czech(&d),
        "IE" => irish(&number),
        "LT" => numeric && east::lithuanian(&d),
        "LV" => numeric && east::latvian(&d),
        "RO" => numeric && east::romanian(&d),
        _ => false,
    };
    is_valid.then_some(end)
}

/// A number as long as its country's are, whatever its check digit.
pub(crate) fn plausible(text: &str) -> Option<usize> {
    parts(text).map(|(.., end)| end)
}

/// Country, number without separators, and where it ends in the text.
fn parts(text: &str) -> Option<(&str, String, usize)> {
    let letters = if text.starts_with("CHE") { 3 } else { 2 };
    let country = text.get(..letters)?;
    let rest = &text[letters..];
    let rest_at = if country == "AT" { text.find('U')? + 1 } else { text.len() - rest.len() };
    let lengths: &[usize] = match country {
        "AT" | "DK" | "FI" | "HU" | "LU" | "MT" | "SI" => &[8],
        "BE" | "PL" | "SK" => &[10],
        "BG" => &[10, 9],
        "CZ" => &[10, 9, 8],
        "DE" | "EE" | "EL" | "ES" | "PT" | "CY" | "CHE" => &[9],
        "FR" | "HR" | "IT" | "LV" => &[11],
        "GB" | "XI" => &[12, 9],
        "IE" => &[9, 8],
        "LT" | "NL" | "SE" => &[12, 9],
        "RO" => &[10, 9, 8, 7, 6],
        _ => return None,
    };
    let kept: Vec<(usize, char)> =
        text[rest_at..].char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()).collect();
    for &length in lengths {
        if kept.len() < length {
            continue;
        }
        let end = rest_at + kept[length - 1].0 + 1;
        // The cut must fall between words.
        if text[end..].starts_with(|c: char| c.is_ascii_alphanumeric()) {
            continue;
        }
        let number: String = kept[..length].iter().map(|(_, c)| *c).collect();
        let enough = number.bytes().filter(u8::is_ascii_digit).count() + 3 >= length;
        return enough.then_some((country, number, end));
    }
    None
}

/// Irish numbers: seven digits, a check letter, since 2013 one more letter; of old, the second digit was a letter.
fn irish(number: &str) -> bool {
    const LETTERS: &[u8; 23] = b"WABCDEFGHIJKLMNOPQRSTUV";
    let bytes = number.as_bytes();
    let (old, last) = (!bytes[1].is_ascii_digit(), bytes.get(8).copied());
    // `8Z49289F` counts as `0492898F`.
    let mut body = [0; 7];
    for (i, digit) in body.iter_mut().enumerate() {
        let from = if old {
            [b'0', bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[0]][i]
        } else {
            bytes[i]
        };
        if !from.is_ascii_digit() {
            return false;
        }
        *digit = u32::from(from - b'0');
    }
    let extra = match last {
        None | Some(b'W') => 0,
        Some(letter @ b'A'..=b'I') => u32::from(letter - b'A') + 1,
        Some(_) => return false,
    };
    let sum: u32 = body.iter().zip([8, 7, 6, 5, 4, 3, 2]).map(|(d, w)| d * w).sum();
    bytes[7] == LETTERS[((sum + 9 * extra) % 23) as usize]
}

/// Spanish numbers: people's (NIF, NIE), and firms' with a check digit or letter.
fn spanish(number: &str) -> bool {
    if nif(number).is_some() && number.as_bytes()[0].is_ascii_digit() {
        return true;
    }
    let first = number.as_bytes()[0];
    if matches!(first, b'X' | b'Y' | b'Z') {
        return nie(number).is_some();
    }
    let d: Vec<u8> = digits(&number[1..8]).collect();
    if !first.is_ascii_uppercase() || d.len() != 7 {
        return false;
    }
    let total: u32 = d
        .iter()
        .enumerate()
        .map(
            |(i, d)| if i % 2 == 0 { u32::from(*d) * 2 / 10 + u32::from(*d) * 2 % 10 } else { u32::from(*d) },
        )
        .sum();
    let check = (10 - total % 10) % 10;
    let last = number.as_bytes()[8];
    u32::from(last.wrapping_sub(b'0')) == check || b"JABCDEFGHI".get(check as usize) == Some(&last)
}

/// ISO 7064 MOD 97-10 over letters and digits (Dutch numbers since 2020).
fn mod_97(text: &str) -> bool {
    let rest = text.bytes().fold(0u32, |rest, b| match b {
        b'0'..=b'9' => (rest * 10 + u32::from(b - b'0')) % 97,
        b'A'..=b'Z' => (rest * 100 + u32::from(b - b'A') + 10) % 97,
        _ => rest,
    });
    rest == 1
}

/// Malta: the last two digits are 37 minus the weighted rest.
fn mod_37(d: &[u8]) -> bool {
    if d.len() != 8 {
        return false;
    }
    let sum: u32 = d.iter().zip([3, 4, 6, 7, 8, 9]).map(|(d, w)| u32::from(*d) * w).sum();
    37 - sum % 37 == u32::from(d[6]) * 10 + u32::from(d[7])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_firms() {
        // From the firms' own imprints and from the countries' published examples.
        for good in [
            "ATU13585627",
            "BE0428759497",
            "DE136695976",
            "DK13585628",
            "EE100207415",
            "EL094259216",
            "ESA13585625",
            "ES54362315K",
            "FI20774740",
            "FR83404833048",
            "HU12892312",
            "HR33392005961",
            "IT00743110157",
            "LU15027442",
            "NL004495445B01",
            "PL8567346215",
            "PT501964843",
            "SE556188840401",
            "SI50223054",
            "SK2022749619",
            "MT11679112",
            "GB980780684",
            "CHE-107.787.577",
            "BG175074752",
            "BG7523169263",
            "CY10259033P",
            "CZ25123891",
            "CZ7103192745",
            "CZ640903926",
            "IE6433435F",
            "IE6433435OA",
            "IE8D79739I",
            "IE3628739UA",
            "LT119511515",
            "LT100001919017",
            "LV40003521600",
            "LV16117519997",
            "RO18547290",
        ] {
            assert_eq!(valid(good), Some(good.len()), "{good}");
        }
        for wrong in
            ["DE136695977", "IT00743110158", "FR84404833048", "ATU13585626", "PL8567346216", "ZZ123456789"]
        {
            assert_eq!(valid(wrong), None, "{wrong}");
        }
        assert_eq!(plausible("DE 136 695 977 was"), Some("DE 136 695 977".len()));
        assert_eq!(plausible("DE136695"), None);
    }
}
