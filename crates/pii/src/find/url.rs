//! Web addresses, from their `://` or `www.`, and those without either that have a path.

use super::email::domain;
use std::ops::Range;

/// The address around the `://` at `at`, and whether it holds a password.
pub(crate) fn around(text: &str, at: usize, floor: usize) -> Option<(Range<usize>, bool)> {
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+.-".contains(c);
    let length = text[floor..at].bytes().rev().take(24).take_while(|b| is_scheme(char::from(*b))).count();
    let scheme = text[at - length..at].trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    // Before the tail is looked at: that may be long, and without a scheme the next sign looks at it again.
    if scheme.len() < 2 {
        return None;
    }
    let rest = at + 3;
    let length = tail(&text[rest..]);
    if length < 3 {
        return None;
    }
    let authority = text[rest..rest + length].split(['/', '?', '#']).next().unwrap_or_default();
    let has_password = authority.split_once('@').is_some_and(|(user, _)| user.contains(':'));
    Some((at - scheme.len()..rest + length, has_password))
}

/// The address that begins with the `www.` at `at`.
pub(crate) fn after_www(text: &str, at: usize) -> Option<Range<usize>> {
    if text[..at].ends_with(|c: char| c.is_alphanumeric() || "./@-".contains(c)) {
        return None;
    }
    let host = domain(&text[at..])?;
    // `www.com` is no site of anybody's.
    if host < 8 {
        return None;
    }
    let rest = at + host;
    let path = if text[rest..].starts_with(['/', '?', '#', ':']) { tail(&text[rest..]) } else { 0 };
    Some(at..rest + path)
}

/// Length of what belongs to the address, without the punctuation of the sentence.
fn tail(text: &str) -> usize {
    let mut end = 0;
    let mut open = 0i32;
    for (i, c) in text.char_indices() {
        if c.is_whitespace() || c.is_control() || "<>\"{}|^`«»“”„[]".contains(c) {
            break;
        }
        open += i32::from(c == '(') - i32::from(c == ')');
        if open < 0 {
            break;
        }
        end = i + c.len_utf8();
    }
    text[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '’', '*', '(']).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let found = |text: &str| {
            let at = text.find("://").expect("a scheme");
            around(text, at, 0).map(|(range, password)| (text[range].to_owned(), password))
        };
        let plain = |text: &str| Some((text.to_owned(), false));
        assert_eq!(found("see https://a.example/x?y=1#z."), plain("https://a.example/x?y=1#z"));
        assert_eq!(found("(see http://a.b/c_(d))"), plain("http://a.b/c_(d)"));
        assert_eq!(found("<https://a.example>"), plain("https://a.example"));
        assert_eq!(found("1https://a.example"), plain("https://a.example"));
        assert_eq!(found("x :// y"), None);
        let secret = found("postgres://app:s3cret@db.internal:5432/x,").expect("an address");
        assert_eq!(secret, ("postgres://app:s3cret@db.internal:5432/x".to_owned(), true));
    }

    #[test]
    fn without_a_scheme() {
        let found =
            |text: &str| after_www(text, text.find("www.").expect("it")).map(|range| text[range].to_owned());
        assert_eq!(found("at www.example.com, or"), Some("www.example.com".to_owned()));
        assert_eq!(found("www.example.com/a?b=c."), Some("www.example.com/a?b=c".to_owned()));
        assert_eq!(found("awww.example.com"), None);
        assert_eq!(found("www.com"), None);
    }
}
