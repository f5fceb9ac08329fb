//! The checks of countries whose numbers have several forms: firms and people, by length or by the first digit.

fn sum(d: &[u8], weights: &[u32]) -> u32 {
    d.iter().zip(weights).map(|(d, w)| u32::from(*d) * w).sum()
}

/// Two digits, as a number.
fn two(d: &[u8], at: usize) -> u8 {
    d[at] * 10 + d[at + 1]
}

/// Firms have nine digits; people ten, by their personal number, as foreigners, or as others.
pub(super) fn bulgarian(d: &[u8]) -> bool {
    let last = u32::from(d[d.len() - 1]);
    if d.len() == 9 {
        let mut rest = sum(d, &[1, 2, 3, 4, 5, 6, 7, 8]) % 11;
        if rest == 10 {
            rest = sum(d, &[3, 4, 5, 6, 7, 8, 9, 10]) % 11;
        }
        return rest % 10 == last;
    }
    // The month says the century.
    let dated = matches!(two(d, 2), 1..=12 | 21..=32 | 41..=52) && (1..=31).contains(&two(d, 4));
    let person = dated && sum(d, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == last;
    let foreigner = sum(d, &[21, 19, 17, 13, 11, 9, 7, 3, 1]) % 10 == last;
    let rest = 11 - sum(d, &[4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    person || foreigner || rest != 10 && rest % 11 == last
}

/// Eight digits and the letter that they give.
pub(super) fn cypriot(d: &[u8], number: &str) -> bool {
    const EVEN: [u32; 10] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
    let total: u32 = d
        .iter()
        .enumerate()
        .map(|(i, d)| if i % 2 == 0 { EVEN[usize::from(*d)] } else { u32::from(*d) })
        .sum();
    d.len() == 8
        && two(d, 0) != 12
        && number.bytes().last().is_some_and(|c| u32::from(c) == u32::from(b'A') + total % 26)
}

/// Firms have eight digits; people their birth number (ten digits; nine, without a check digit, until 1953), or nine
/// digits that begin with a six.
pub(super) fn czech(d: &[u8]) -> bool {
    let last = u32::from(d[d.len() - 1]);
    match d.len() {
        8 => {
            let rest = (11 - sum(d, &[8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
            d[0] != 9 && if rest == 0 { last == 1 } else { rest % 10 == last }
        }
        9 => {
            let rest = sum(&d[1..], &[8, 7, 6, 5, 4, 3, 2]) % 11;
            let check = match (21 - rest) % 11 {
                9 => 9,
                10 => 8,
                n => 8 - n,
            };
            d[0] == 6 && check == last
        }
        _ => {
            let n = d.iter().fold(0u64, |n, d| n * 10 + u64::from(*d));
            // Women's months have 50 added, and more where a day ran out of numbers.
            let month = two(d, 2) % 50 % 20;
            let dated = (1..=12).contains(&month) && (1..=31).contains(&two(d, 4));
            dated && (n.is_multiple_of(11) || n / 10 % 11 == 10 && last == 0)
        }
    }
}

/// The last digit but one is a one.
pub(super) fn lithuanian(d: &[u8]) -> bool {
    let (last, body) = (u32::from(d[d.len() - 1]), &d[..d.len() - 1]);
    let weighted = |shift: usize| -> u32 {
        body.iter().zip(0..).map(|(d, i): (&u8, usize)| u32::from(*d) * ((i + shift) % 9 + 1) as u32).sum()
    };
    let mut rest = weighted(0) % 11;
    if rest == 10 {
        rest = weighted(2) % 11;
    }
    body[body.len() - 1] == 1 && rest % 10 == last
}

/// Firms begin with a four or more; people with the day of their birth. (Since 2017 with 32, and without a check digit.)
pub(super) fn latvian(d: &[u8]) -> bool {
    if d[0] > 3 {
        return sum(d, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1]) % 11 == 3;
    }
    let dated = (1..=31).contains(&two(d, 0)) && (1..=12).contains(&two(d, 2));
    dated && (1 + sum(d, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9])) % 11 % 10 == u32::from(d[10])
}

/// Two to ten digits, of which few are too common to be told by one check digit.
pub(super) fn romanian(d: &[u8]) -> bool {
    const WEIGHTS: [u32; 9] = [7, 5, 3, 2, 1, 7, 5, 3, 2];
    const LEAST: usize = 7;
    let body = &d[..d.len() - 1];
    d.len() >= LEAST
        && sum(body, &WEIGHTS[WEIGHTS.len() - body.len()..]) * 10 % 11 % 10 == u32::from(d[d.len() - 1])
}
