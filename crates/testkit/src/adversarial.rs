//! What makes naive searches for personal data slow or wrong, for tests of whoever searches.

/// Pieces from which values, labels, look-alikes and trouble arise when put together.
#[rustfmt::skip]
pub const PIECES: &[&str] = &[
    // Values.
    "a@b.com", "Jane.Doe@Example.org", "DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "078-05-1120",
    "4111 1111 1111 1111", "+49 30 901820", "(212) 555-2368", "203.0.113.7", "2001:db8::17", "12345678Z", "X1234567L",
    "5 March 1958", "1958-03-05", "RSSMRA85T10A562S", "DE136695976", "https://a.example/b?c=d", "www.example.com",
    "password: hunter2", "12 High Street, London", "Via Roma 12, 00186 Roma (RM)", "rue de la Paix", "Mr Smith", "Anna Berg",
    "ext. 5",
    // What is said of them.
    "IBAN", "SSN:", "Tel.", "order", "card number", "born on", "nato a", "and",
    // Placeholders, and halves of them.
    "[EMAIL_1]", "[LITERAL_1]", "[ssn_2]", "[", "]", "_1]", "[A",
    // Signs, white space, digits.
    "@", "::", "://", "www.", "-", ".", " ", "  ", "\n", "\r\n", "\t", "0", "1", "9", "12", "x", "(", ")", "+", "eyJ", "AKIA",
    // Characters that are more than a byte, show nothing, or stand for others.
    "é", "語", "\u{ad}", "\u{200d}", "\u{202e}", "\u{a0}", "\u{2011}", "\u{ff11}", "\u{661}", "\u{301}",
];

/// Units whose repetition makes a text in which every place may begin something.
#[rustfmt::skip]
pub const UNITS: &[&str] = &[
    "a", "a.", "a@", "a@b.", "a@b.c", "1", "1 ", "1-", "1111 ", "4111 1111 1111 1111 ", "(1", "+1 ", ":", "1:", "1.", "AB12",
    "AB12 ", "SSN ", "iban:", "tel ", "tel. 1", "[EMAIL_1]", "[A_", "]", "a@b.co ", "order 212-555-2368 ", "://", "a://",
    "ab://", "ab://x", "www.", "www.a.", "eyJ", "eyJ.", "eyJ-", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "password:",
    "secret=", "token is ", "AKIA", "sk-", " street", "1 High Street ", "rue ", "via ", "Via R ", "Weg 1 ", "A", "A ", "Aa ",
    "Mr ", "\u{ad}", "\u{ad}\n", "\u{a0}", "x-\n", "語", "é ", "\n", "1\n", "0x", "bc1q", "f:", "::1 ", "residing at ",
    "P.O. Box 1 ", "B 1, ", "Anna ", "AAA ", "AAA AAA 1 ", "nato a ",
];
