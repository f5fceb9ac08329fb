//! Words and numbers of a folded text, for comparing what is not the same to the letter.

use crate::written::numbers;

/// A word, a number with its separators, or the sign of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// First byte in the folded text.
    pub start: usize,
    /// Behind the last byte.
    pub end: usize,
}

/// Cuts a folded text into tokens.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut all = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((start, first)) = characters.next() {
        if "€$£%".contains(first) {
            all.push(Token { start, end: start + first.len_utf8() });
            continue;
        }
        if !first.is_alphanumeric() {
            continue;
        }
        let (mut end, mut last) = (start + first.len_utf8(), first);
        while let Some(&(at, next)) = characters.peek() {
            let behind = text[at + next.len_utf8()..].chars().next();
            let both = |of: fn(&char) -> bool| of(&last) && behind.as_ref().is_some_and(of);
            let inside = next.is_alphanumeric()
                || (matches!(next, '.' | ',' | '\'') && both(char::is_ascii_digit))
                || (next == '\'' && both(|character| character.is_alphabetic()));
            if !inside {
                break;
            }
            end = at + next.len_utf8();
            last = next;
            characters.next();
        }
        all.push(Token { start, end });
    }
    all
}

/// A token as it is compared: a number by its value, so that 1,250.00 is 1250.
pub fn plain(token: &str) -> String {
    if !token.starts_with(|first: char| first.is_ascii_digit()) {
        return match token {
            "€" => "eur".to_owned(),
            "£" => "gbp".to_owned(),
            other => other.to_owned(),
        };
    }
    match numbers::certain(token) {
        Some(number) => number.to_string(),
        None => token.chars().filter(|character| character.is_alphanumeric()).collect(),
    }
}

/// How alike two words are, 0 to 1, by the letters that have to be changed. Numbers are the same or they are not.
pub fn likeness(one: &str, other: &str) -> f64 {
    if one == other {
        return 1.0;
    }
    if one.bytes().chain(other.bytes()).any(|byte| byte.is_ascii_digit()) {
        return 0.0;
    }
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let longest = one.len().max(other.len());
    if longest < 3 || one.len().abs_diff(other.len()) * 5 > longest * 2 {
        return 0.0;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, left) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in other.iter().enumerate() {
            let changed = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    let alike = 1.0 - row[other.len()] as f64 / longest as f64;
    if alike < 0.6 { 0.0 } else { alike }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_contractions_are_one_token() {
        let text = "don't pay €1,250.00, or 1.250,00; 5,a";
        let all: Vec<String> =
            tokens(text).iter().map(|token| plain(&text[token.start..token.end])).collect();
        assert_eq!(all, ["don't", "pay", "eur", "1250", "or", "1250", "5", "a"]);
    }

    #[test]
    fn typos_are_alike_and_numbers_are_not() {
        assert!(likeness("supplier", "suplier") > 0.8);
        assert!(likeness("supplier", "customer") < 0.1);
        assert!(likeness("1000", "1001") < 0.1);
    }
}
