//! E-mail addresses, from their `@`.

use std::ops::Range;

/// The address around the `@` at `at`, which reaches no further back than `floor`.
pub(crate) fn around(text: &str, at: usize, floor: usize) -> Option<Range<usize>> {
    // A line may break on either side of the sign.
    let before = &text[floor..at];
    let before = before.strip_suffix('\n').unwrap_or(before);
    let is_local = |c: char| c.is_alphanumeric() || "._%+'-&=~".contains(c);
    let length: usize = before.chars().rev().take_while(|c| is_local(*c)).map(char::len_utf8).sum();
    let local = &before[before.len() - length..];
    let local = local.trim_start_matches(['.', '\'', '-', '&', '=', '~']);
    if local.is_empty() || local.ends_with('.') {
        return None;
    }
    let after = at + 1 + usize::from(text[at + 1..].starts_with('\n'));
    let end = after + domain(&text[after..])?;
    Some(floor + before.len() - local.len()..end)
}

/// Length of the domain that a text begins with.
pub(crate) fn domain(text: &str) -> Option<usize> {
    let is_label = |c: char| c.is_alphanumeric() || c == '-';
    let mut end = None;
    let mut at = 0;
    for labels in 0.. {
        let length: usize = text[at..].chars().take_while(|c| is_label(*c)).map(char::len_utf8).sum();
        let label = &text[at..at + length];
        if label.is_empty() || label.starts_with('-') {
            break;
        }
        if labels > 0 {
            // The last label that can be a top-level domain ends it.
            let letters: usize = label.chars().take_while(|c| c.is_alphabetic()).map(char::len_utf8).sum();
            let count = label[..letters].chars().count();
            let whole = !label[letters..].starts_with(|c: char| c.is_alphanumeric());
            if label.starts_with("xn--") {
                end = Some(at + length);
            } else if whole && (2..=24).contains(&count) {
                end = Some(at + letters);
            }
        }
        at += length;
        let rest = &text[at..];
        at += match end {
            _ if rest.starts_with('.') && !rest.starts_with(".\n") => 1,
            // Broken behind a dot, with no whole domain before.
            None if rest.starts_with(".\n") && rest[2..].starts_with(|c: char| c.is_lowercase()) => 2,
            _ => break,
        };
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        around(text, text.find('@').expect("a sign"), 0).map(|range| &text[range])
    }

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("write to jane.doe+x@mail.example.co.uk.", Some("jane.doe+x@mail.example.co.uk")),
            ("'jane@example.com'", Some("jane@example.com")),
            ("jane@\nexample.com", Some("jane@\nexample.com")),
            ("jane@example.\ncom", Some("jane@example.\ncom")),
            ("jane@example.com.\nThen", Some("jane@example.com")),
            ("much@home.\nThen", None),
            ("x@y.de-Mail", Some("x@y.de")),
            ("jürgen@müller.de", Some("jürgen@müller.de")),
            ("a@xn--mller-kva.xn--p1ai", Some("a@xn--mller-kva.xn--p1ai")),
            ("@example.com", None),
            ("a@b", None),
            ("meet @ noon.ok", None),
            ("a@b.c1", None),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }
}
