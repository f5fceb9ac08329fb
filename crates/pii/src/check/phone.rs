//! Telephone numbers.

use super::digits;

/// Seven to fifteen digits that look like no date, time, amount or section. Groups that would make it too
/// long are cut off, at a zero that begins the next number where there is one.
pub(crate) fn number(text: &str) -> Option<usize> {
    let mut value = text;
    // A line that has a whole number ends it; shorter ones go on in the next.
    if let Some((line, _)) = text.split_once('\n')
        && digits(line).count() >= 7
    {
        value = line.trim_end_matches([' ', '.', '/', '-', '(']);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones() {
        assert!(number("+44 (0)20 7946 0958").is_some() && number("2000-04-16 11").is_none());
        assert_eq!(number("+55 83 1964-5788"), Some(16));
        assert!(number("12345").is_none() && number("05.11.2026").is_none());
        assert_eq!(number("030 1234567 0171 7654321"), Some("030 1234567".len()));
        assert_eq!(
            super::super::phone_digits("+44 (0)20 7946 0958"),
            super::super::phone_digits("0044 20 79460958")
        );
    }
}
