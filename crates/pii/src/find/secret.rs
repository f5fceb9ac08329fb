//! Passwords, tokens and keys: those whose maker gave them a prefix (the list follows what gitleaks looks for),
//! and what a label announces.

use std::ops::Range;

/// What may follow a prefix.
#[derive(Clone, Copy)]
enum Body {
    /// Letters and digits.
    Alphanumeric,
    /// Letters, digits, `_` and `-`.
    UrlSafe,
    /// Capitals and digits.
    Capitals,
    /// Hexadecimal digits in lower case.
    Hex,
}

/// A prefix, and the least and greatest length of what follows it.
pub(crate) struct Prefix(pub(crate) &'static str, Body, usize, usize);

use Body::{Alphanumeric, Capitals, Hex, UrlSafe};

#[rustfmt::skip]
pub(crate) const PREFIXES: &[Prefix] = &[
    // AWS
    Prefix("AKIA", Capitals, 16, 16), Prefix("ASIA", Capitals, 16, 16), Prefix("ABIA", Capitals, 16, 16),
    Prefix("ACCA", Capitals, 16, 16),
    // GitHub, GitLab
    Prefix("ghp_", Alphanumeric, 36, 255), Prefix("gho_", Alphanumeric, 36, 255), Prefix("ghu_", Alphanumeric, 36, 255),
    Prefix("ghs_", Alphanumeric, 36, 255), Prefix("ghr_", Alphanumeric, 36, 255), Prefix("github_pat_", UrlSafe, 22, 255),
    Prefix("glpat-", UrlSafe, 20, 64), Prefix("gldt-", UrlSafe, 20, 64), Prefix("glrt-", UrlSafe, 20, 64),
    // Google
    Prefix("AIza", UrlSafe, 35, 35), Prefix("GOCSPX-", UrlSafe, 28, 28), Prefix("ya29.", UrlSafe, 20, 512),
    // Slack
    Prefix("xoxb-", UrlSafe, 20, 255), Prefix("xoxp-", UrlSafe, 20, 255), Prefix("xoxa-", UrlSafe, 20, 255),
    Prefix("xoxr-", UrlSafe, 20, 255), Prefix("xoxs-", UrlSafe, 20, 255), Prefix("xapp-", UrlSafe, 20, 255),
    // Payments
    Prefix("sk_live_", Alphanumeric, 16, 255), Prefix("sk_test_", Alphanumeric, 16, 255), Prefix("rk_live_", Alphanumeric, 16, 255),
    Prefix("rk_test_", Alphanumeric, 16, 255), Prefix("pk_live_", Alphanumeric, 16, 255), Prefix("whsec_", UrlSafe, 24, 255),
    Prefix("sq0atp-", UrlSafe, 22, 60), Prefix("sq0csp-", UrlSafe, 40, 60), Prefix("EAAA", UrlSafe, 60, 60),
    // Models
    Prefix("sk-ant-", UrlSafe, 24, 255), Prefix("sk-proj-", UrlSafe, 24, 255), Prefix("sk-", UrlSafe, 32, 255),
    Prefix("hf_", Alphanumeric, 30, 64), Prefix("r8_", Alphanumeric, 37, 37), Prefix("gsk_", Alphanumeric, 40, 64),
    // Packages and hosts
    Prefix("npm_", Alphanumeric, 36, 36), Prefix("pypi-AgE", UrlSafe, 50, 512), Prefix("dop_v1_", Hex, 64, 64),
    Prefix("doo_v1_", Hex, 64, 64), Prefix("rubygems_", Hex, 48, 48), Prefix("dckr_pat_", UrlSafe, 20, 64),
    Prefix("shpat_", Hex, 32, 32), Prefix("shpss_", Hex, 32, 32), Prefix("shpca_", Hex, 32, 32),
    Prefix("PMAK-", UrlSafe, 50, 64), Prefix("lin_api_", Alphanumeric, 40, 40), Prefix("dp.pt.", Alphanumeric, 40, 44),
    Prefix("glsa_", UrlSafe, 32, 64), Prefix("NRAK-", Capitals, 27, 27), Prefix("hvs.", UrlSafe, 24, 255), Prefix("tfp_", UrlSafe, 40, 64),
    // Mail and telephony
    Prefix("SG.", UrlSafe, 16, 255), Prefix("key-", Hex, 32, 32), Prefix("xkeysib-", UrlSafe, 64, 96),
    // Encryption
    Prefix("AGE-SECRET-KEY-1", Capitals, 58, 58),
];

/// What announces a secret, in lower case.
#[rustfmt::skip]
pub(crate) const LABELS: &[&str] = &[
    "password", "passwd", "passphrase", "pwd", "passwort", "kennwort", "zugangscode", "mot de passe", "contraseña", "clave de acceso",
    "parola d'ordine", "senha", "wachtwoord", "hasło", "lösenord", "palavra-passe",
    "api key", "api_key", "api-key", "apikey", "api token", "api_token", "access key", "access_key", "accesskey", "access-key",
    "access token", "access_token", "auth token", "auth_token", "authtoken", "secret key", "secret_key", "secretkey", "secret-key",
    "client secret", "client_secret", "clientsecret", "private key", "private_key", "encryption key", "encryption_key", "signing key",
    "bearer token", "bearer", "secret", "token", "credential", "recovery code", "license key", "clé api", "clave api", "chiave api",
    "api-schlüssel",
];

/// Labels whose value may be any word.
fn is_password(label: &str) -> bool {
    const PASSWORDS: [&str; 16] = [
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "passwort",
        "kennwort",
        "zugangscode",
        "mot de passe",
        "contraseña",
        "clave de acceso",
        "parola d'ordine",
        "senha",
        "wachtwoord",
        "hasło",
        "lösenord",
        "palavra-passe",
    ];
    PASSWORDS.contains(&label)
}

/// The secret that begins with a prefix at `at`.
pub(crate) fn after_prefix(text: &str, at: usize, prefix: &Prefix) -> Option<Range<usize>> {
    let Prefix(word, body, least, most) = prefix;
    // The automaton that found it knows no case.
    if !text[at..].starts_with(word) || text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
    {
        return None;
    }
    let fits = |b: &u8| match body {
        Alphanumeric => b.is_ascii_alphanumeric(),
        UrlSafe => b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'),
        Capitals => b.is_ascii_uppercase() || b.is_ascii_digit(),
        Hex => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
    };
    let start = at + word.len();
    let rest = &text.as_bytes()[start..];
    let length = rest.iter().take(*most + 1).take_while(|b| fits(b)).count();
    let value = text[start..start + length].trim_end_matches(['.', '-']);
    let continues = value.len() > *most || rest.get(length).is_some_and(u8::is_ascii_alphanumeric);
    let varied = value.bytes().any(|b| b.is_ascii_digit()) && value.bytes().any(|b| b.is_ascii_alphabetic());
    (value.len() >= *least && !continues && varied).then_some(at..start + value.len())
}

/// A signed token (JWT): three parts in base 64, of which the first begins with `eyJ`, as `{"` does.
pub(crate) fn json_web_token(text: &str, at: usize) -> Option<Range<usize>> {
    if !text[at..].starts_with("eyJ") || text[..at].ends_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'=');
    let length = text.as_bytes()[at..].iter().take(8192).take_while(|b| is_part(b)).count();
    let value = text[at..at + length].trim_end_matches(['.', '-']);
    let mut parts = value.split('.');
    let whole = parts.next().is_some_and(|p| p.len() >= 10) && parts.next().is_some_and(|p| p.len() >= 4);
    whole.then_some(at..at + value.len())
}

/// A private key in PEM, from its first line to its last.
pub(crate) fn pem(text: &str, at: usize) -> Option<Range<usize>> {
    const LONGEST: usize = 16 << 10;
    let mut limit = (at + LONGEST).min(text.len());
    while !text.is_char_boundary(limit) {
        limit -= 1;
    }
    let head = text.get(at..at + 64).unwrap_or(&text[at..limit]);
    if !head.to_ascii_uppercase().split("-----").nth(1)?.ends_with("PRIVATE KEY") {
        return None;
    }
    let body = &text[at..limit];
    let end = body.find("-----END").map_or(body.len(), |end| {
        body[end + 8..].find("-----").map_or(body.len(), |close| end + 8 + close + 5)
    });
    Some(at..at + end)
}

/// The value that the label at `label` announces.
pub(crate) fn after_label(text: &str, label: &Range<usize>, word: &str) -> Option<Range<usize>> {
    let before = text[..label.start].chars().next_back();
    let camel = text[label.start..].starts_with(|c: char| c.is_ascii_uppercase());
    if before.is_some_and(|c| c.is_alphanumeric() && !(camel && c.is_lowercase())) {
        return None;
    }
    let mut at = label.end;
    let mut announced = false;
    // Quotes, blanks and one sign or word that announces.
    for _ in 0..6 {
        let rest = &text[at..];
        let c = rest.chars().next()?;
        if matches!(c, ' ' | '\n' | '"' | '\'' | '`' | '*' | '(' | '[') {
            at += 1;
        } else if matches!(c, ':' | '=' | '>') {
            announced = true;
            at += 1;
        } else if let Some(verb) =
            ["is ", "lautet ", "ist ", "est ", "es ", "è ", "é "].iter().find(|v| rest.starts_with(**v))
            && !announced
        {
            announced = true;
            at += verb.len();
        } else if rest.len() >= 7 && rest.as_bytes()[..7].eq_ignore_ascii_case(b"bearer ") {
            at += 7;
        } else {
            break;
        }
    }
    let strong = announced && text[label.end..at].contains([':', '=']);
    let bearer = word == "bearer" && at > label.end;
    if !(announced || bearer) {
        return None;
    }
    let ends = |c: char| c.is_whitespace() || c.is_control() || "\"'`<>,;[]".contains(c);
    let mut length = 0;
    for c in text[at..].chars().take(512) {
        if ends(c) {
            break;
        }
        length += c.len_utf8();
    }
    let value = text[at..at + length].trim_end_matches(['.', ')', ':', '!', '?']);
    let value = if value.len() + 1 == length && is_password(word) && text[at + value.len()..].starts_with('!')
    {
        // People end passwords with it.
        &text[at..at + length]
    } else {
        value
    };
    let good = if is_password(word) { password(value, strong) } else { token(value) };
    good.then_some(at..at + value.len())
}

/// What a password may look like: of plain words only those straight behind a colon.
fn password(value: &str, strong: bool) -> bool {
    const WORDS: [&str; 24] = [
        "required",
        "optional",
        "none",
        "null",
        "reset",
        "change",
        "changed",
        "must",
        "protected",
        "expired",
        "incorrect",
        "invalid",
        "true",
        "false",
        "the",
        "your",
        "string",
        "policy",
        "manager",
        "not",
        "yes",
        "see",
        "n/a",
        "siehe",
    ];
    let plain = value.chars().all(char::is_alphabetic);
    let count = value.chars().count();
    (4..=128).contains(&count)
        && !WORDS.contains(&value.to_lowercase().as_str())
        && !value.chars().all(|c| "*•xX.-_".contains(c))
        && (strong || !plain)
}

/// What a token may look like: long, of few kinds of characters, and no word.
fn token(value: &str) -> bool {
    let bytes = value.as_bytes();
    let fits = |b: &u8| b.is_ascii_alphanumeric() || b"_-./+=~:".contains(b);
    let has = |test: fn(&u8) -> bool| bytes.iter().any(test);
    let digits = has(u8::is_ascii_digit);
    let letters = has(u8::is_ascii_alphabetic);
    let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    (8..=512).contains(&bytes.len())
        && bytes.iter().all(fits)
        && letters
        && (digits || mixed && bytes.len() >= 20)
        && bits_a_character(bytes) >= 2.5
        && !value.contains("://")
}

/// Shannon's entropy of the characters.
fn bits_a_character(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    bytes.iter().for_each(|b| counts[usize::from(*b)] += 1);
    let all = bytes.len() as f64;
    counts.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / all).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labelled() {
        let found = |text: &str, word: &str| {
            let at = text.to_lowercase().find(word).expect("the label");
            after_label(text, &(at..at + word.len()), word).map(|range| text[range].to_owned())
        };
        for (text, word, expected) in [
            ("password: hunter2", "password", Some("hunter2")),
            ("Password is Tr0ub4dor&3!", "password", Some("Tr0ub4dor&3!")),
            ("\"password\": \"correct horse\"", "password", Some("correct")),
            ("DB_PASSWORD=pa55w0rd;", "password", Some("pa55w0rd")),
            ("the password is required", "password", None),
            ("Password: required", "password", None),
            ("password: ********", "password", None),
            ("password reset", "password", None),
            ("api_key = \"9f8a7b6c5d4e3f2a1b0c\"", "api_key", Some("9f8a7b6c5d4e3f2a1b0c")),
            ("token: bus", "token", None),
            ("Authorization: Bearer abc123def456ghi789", "bearer", Some("abc123def456ghi789")),
            ("userToken=aZ3kd93kdlsK29", "token", Some("aZ3kd93kdlsK29")),
            ("betoken: aZ3kd93kdlsK29", "token", None),
        ] {
            assert_eq!(found(text, word).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn keys() {
        let text = "a -----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY----- b";
        let range = pem(text, 2).expect("a key");
        assert_eq!(&text[range], &text[2..text.len() - 2]);
        assert!(pem("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", 0).is_none());
        // Put together, so that no scanner of repositories takes the samples for real.
        let key = format!("AKIA{}", "IOSFODNN7EXAMPLE");
        assert_eq!(after_prefix(&key, 0, &PREFIXES[0]), Some(0..20));
        assert_eq!(after_prefix(&format!("{key}7"), 0, &PREFIXES[0]), None);
        let token = format!("eyJ{}.eyJ{}.{}", "hbGciOiJIUzI1NiJ9", "zdWIiOiIxIn0", "c2lnbmF0dXJl");
        assert_eq!(json_web_token(&token, 0), Some(0..token.len()));
    }
}
