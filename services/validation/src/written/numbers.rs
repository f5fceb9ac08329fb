//! Numbers as people write them: 1,250.00 and 1.250,00 and 1 250.

use serde_json::{Number, Value};

/// What may stand before or behind a number without being part of it.
const CURRENCIES: &[&str] = &["eur", "usd", "gbp", "chf", "mxn", "us$", "€", "$", "£", "¥"];

/// Words that multiply the number before them.
const SCALES: &[(&str, f64)] = &[
    ("million", 1e6),
    ("millions", 1e6),
    ("millón", 1e6),
    ("millones", 1e6),
    ("m", 1e6),
    ("mn", 1e6),
    ("mm", 1e6),
    ("thousand", 1e3),
    ("mil", 1e3),
    ("k", 1e3),
    ("billion", 1e9),
    ("bn", 1e9),
];

/// Small numbers in words: "twelve months" states a number, too.
const WORDS: &[(&str, f64)] = &[
    ("one", 1.0),
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("eleven", 11.0),
    ("twelve", 12.0),
    ("fourteen", 14.0),
    ("fifteen", 15.0),
    ("eighteen", 18.0),
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("forty", 40.0),
    ("fifty", 50.0),
    ("sixty", 60.0),
    ("ninety", 90.0),
    ("hundred", 100.0),
    ("un", 1.0),
    ("una", 1.0),
    ("uno", 1.0),
    ("dos", 2.0),
    ("tres", 3.0),
    ("cuatro", 4.0),
    ("cinco", 5.0),
    ("seis", 6.0),
    ("siete", 7.0),
    ("ocho", 8.0),
    ("nueve", 9.0),
    ("diez", 10.0),
    ("once", 11.0),
    ("doce", 12.0),
    ("quince", 15.0),
    ("dieciocho", 18.0),
    ("veinte", 20.0),
    ("treinta", 30.0),
    ("cuarenta", 40.0),
    ("cincuenta", 50.0),
    ("sesenta", 60.0),
    ("noventa", 90.0),
    ("cien", 100.0),
    ("ciento", 100.0),
];

/// Whether a word is a number, or multiplies one.
pub fn is_word(word: &str) -> bool {
    WORDS.iter().any(|(name, _)| *name == word)
        || SCALES.iter().any(|(name, _)| name.len() > 2 && *name == word)
}

/// A number as JSON: whole ones without a point.
pub fn json(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// The number that a text is, if it can be read in one way only. "1.250" can be read in two.
pub fn certain(text: &str) -> Option<f64> {
    let mut text = text.trim();
    for currency in CURRENCIES {
        let same = |part: Option<&str>| part.is_some_and(|part| part.eq_ignore_ascii_case(currency));
        if same(text.get(..currency.len())) {
            text = text[currency.len()..].trim_start();
        }
        if text.len() > currency.len() && same(text.get(text.len() - currency.len()..)) {
            text = text[..text.len() - currency.len()].trim_end();
        }
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut readings = readings(digits)?;
    readings.dedup();
    match readings.as_slice() {
        [one] => Some(sign * one),
        // A comma that three digits follow separates thousands: JSON's own decimal mark is the point.
        [_, thousands] if digits.contains(',') => Some(sign * thousands),
        _ => None,
    }
}

/// All ways to read digits with separators; the decimal mark before the separator of thousands. None if it is not a
/// number.
fn readings(token: &str) -> Option<Vec<f64>> {
    let plain = |text: &str| text.parse::<f64>().ok();
    let marks: Vec<(usize, char)> = token.char_indices().filter(|(_, mark)| !mark.is_ascii_digit()).collect();
    let starts = token.starts_with(|first: char| first.is_ascii_digit());
    let ends = token.ends_with(|last: char| last.is_ascii_digit());
    if !starts || !ends || token.chars().filter(char::is_ascii_digit).count() > 18 {
        return None;
    }
    let Some(&(last_at, last)) = marks.last() else { return Some(vec![plain(token)?]) };
    if marks.iter().any(|(_, mark)| !is_separator(*mark)) {
        return None;
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (whole, fraction) = (&token[..last_at], &token[last_at + last.len_utf8()..]);
    let first = marks[0].1;
    let grouped = |text: &str| {
        let mut groups = text.split(is_separator);
        let head = groups.next().unwrap_or_default().len();
        (1..=3).contains(&head) && groups.all(|group| group.len() == 3)
    };
    let decimal = matches!(last, '.' | ',')
        && marks.iter().filter(|(_, mark)| *mark == last).count() == 1
        && (marks.len() == 1 || grouped(whole))
        && marks[..marks.len() - 1].iter().all(|(_, mark)| *mark == first);
    let thousands = grouped(token) && marks.iter().all(|(_, mark)| *mark == first) && !token.starts_with('0');
    let mut all = Vec::new();
    if decimal {
        all.push(plain(&format!("{}.{fraction}", digits(whole)))?);
    }
    if thousands {
        all.push(plain(&digits(token))?);
    }
    if all.is_empty() { None } else { Some(all) }
}

fn is_separator(mark: char) -> bool {
    matches!(mark, '.' | ',' | ' ' | '\'' | '’' | '\u{a0}' | '\u{202f}' | '\u{2009}')
}

/// Every number in a text, in every way that it can be read: with the word for millions behind it, or as a percentage.
pub fn in_text(text: &str) -> Vec<f64> {
    let text = text.to_lowercase();
    let characters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        if characters[at].is_ascii_digit() {
            let end = number_end(&characters, at);
            let token: String = characters[at..end].iter().collect();
            let mut read = readings(&token).unwrap_or_default();
            // "on 1 000 shares" and "clause 4 100 shares" look the same: the parts are numbers as well.
            read.extend(
                token
                    .split(is_separator)
                    .filter_map(|part| part.parse::<f64>().ok())
                    .filter(|_| token.contains([' ', '\u{a0}', '\u{202f}'])),
            );
            let behind: String = characters[end..].iter().take(12).collect();
            let behind = behind.trim_start();
            let word = behind.split(|character: char| !character.is_alphabetic()).next().unwrap_or_default();
            let scale = SCALES.iter().find(|(name, _)| *name == word).map(|(_, scale)| *scale);
            let percent = behind.starts_with('%').then_some(0.01);
            for factor in [scale, percent].into_iter().flatten() {
                read.extend(read.clone().into_iter().map(|number| number * factor));
            }
            found.extend(read);
            at = end;
        } else if characters[at].is_alphabetic() {
            let word: String = characters[at..].iter().take_while(|next| next.is_alphabetic()).collect();
            found.extend(WORDS.iter().filter(|(name, _)| *name == word).map(|(_, number)| *number));
            at += word.chars().count();
        } else {
            at += 1;
        }
    }
    found
}

/// Where a number ends: a separator belongs to it only between digits, and a space only before three of them.
pub fn number_end(text: &[char], start: usize) -> usize {
    let mut at = start;
    while at < text.len() {
        let digits = text[at + 1..].iter().take(4).take_while(|next| next.is_ascii_digit()).count();
        let goes_on = match text[at] {
            '0'..='9' => true,
            '.' | ',' => digits > 0,
            '\'' | '’' | ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' => digits == 3,
            _ => false,
        };
        if !goes_on {
            break;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_if_there_is_one_way_to_read_them() {
        for (text, number) in [
            ("12", Some(12.0)),
            ("1,250.00", Some(1250.0)),
            ("1.250,00", Some(1250.0)),
            ("1 250", Some(1250.0)),
            ("1,250", Some(1250.0)),
            ("1.250.000", Some(1_250_000.0)),
            ("1,250,000.00", Some(1_250_000.0)),
            ("0.125", Some(0.125)),
            ("12,5", Some(12.5)),
            ("-3", Some(-3.0)),
            ("EUR 1,250.00", Some(1250.0)),
            ("1.250,00 €", Some(1250.0)),
            ("1.250", None),
            ("12 months", None),
            ("1,25,000", None),
            ("1-2", None),
            ("", None),
            ("3.4.2026", None),
        ] {
            assert_eq!(certain(text), number, "{text}");
        }
    }

    #[test]
    fn a_text_states_its_numbers_in_every_way() {
        for (text, number) in [
            ("a fee of GBP 18,500.00, payable", 18_500.0),
            ("una renta de 4.350,00 euros", 4350.0),
            ("a cap of EUR 2.5 million", 2_500_000.0),
            ("interest of 4% a year", 0.04),
            ("interest of 4% a year", 4.0),
            ("within twelve months", 12.0),
            ("dentro de treinta (30) días.", 30.0),
            ("a sum of 1 250 000 pesos", 1_250_000.0),
            ("1.250 euros", 1250.0),
        ] {
            assert!(in_text(text).contains(&number), "{text}: {:?}", in_text(text));
        }
        assert!(!in_text("a fee of GBP 18,500.00").contains(&1850.0));
    }
}
