//! Cards, accounts and wallets.

use super::digits;
use sha2::{Digest, Sha256};

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

/// A Bitcoin address in base 58 (pay to public key or script hash): version, 20 bytes, four of their double hash.
pub(crate) fn base58_address(text: &str) -> Option<usize> {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = [0u8; 25];
    for c in text.bytes() {
        let mut carry = ALPHABET.iter().position(|a| *a == c)?;
        for byte in bytes.iter_mut().rev() {
            carry += usize::from(*byte) * 58;
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
        if carry != 0 {
            return None;
        }
    }
    let (payload, checksum) = bytes.split_at(21);
    let hash = Sha256::digest(Sha256::digest(payload));
    (hash[..4] == *checksum).then_some(text.len())
}

/// An address in Bech32 or Bech32m (BIP 173, BIP 350).
pub(crate) fn bech32_address(text: &str) -> Option<usize> {
    const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let lower = text.to_ascii_lowercase();
    if lower != text && text.to_ascii_uppercase() != text {
        return None;
    }
    let (prefix, data) = lower.split_once('1')?;
    let step = |sum: u32, value: u32| {
        let generators = [0x3b6a_57b2_u32, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
        let top = sum >> 25;
        let sum = (sum & 0x01ff_ffff) << 5 ^ value;
        generators.iter().enumerate().fold(sum, |sum, (i, g)| if top >> i & 1 == 1 { sum ^ g } else { sum })
    };
    let mut sum = prefix.bytes().fold(1, |sum, b| step(sum, u32::from(b >> 5)));
    sum = step(sum, 0);
    sum = prefix.bytes().fold(sum, |sum, b| step(sum, u32::from(b & 31)));
    for b in data.bytes() {
        sum = step(sum, u32::try_from(ALPHABET.iter().position(|a| *a == b)?).ok()?);
    }
    matches!(sum, 1 | 0x2bc8_30a3).then_some(text.len())
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
    fn wallets() {
        // From the Bitcoin wiki and BIP 173/350.
        for good in ["1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"] {
            assert!(base58_address(good).is_some(), "{good}");
            assert!(base58_address(&good.replace('v', "w").replace('J', "K")).is_none(), "{good}");
        }
        for good in [
            "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        ] {
            assert!(bech32_address(good).is_some(), "{good}");
        }
        assert!(bech32_address("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdr").is_none());
    }
}
