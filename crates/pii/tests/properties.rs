//! What holds for every text, however odd.

use millrace_pii::{LITERAL, Options, Span, kind, scan};
use proptest::prelude::*;

/// Pieces from which values, labels, look-alikes and trouble arise when put together.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "a@b.com",
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "078-05-1120",
            "4111 1111 1111 1111",
            "+49 30 901820",
            "(212) 555-2368",
            "203.0.113.7",
            "2001:db8::17",
            "12345678Z",
            "5 March 1958",
            "1958-03-05",
            "RSSMRA85T10A562S",
            "DE136695976",
            "https://a.example/b?c=d",
            "www.example.com",
            "password: hunter2",
            "12 High Street, London",
            "Via Roma 12, 00186 Roma (RM)",
            "rue de la Paix",
            "Mr Smith",
            "Anna Berg",
            "IBAN",
            "SSN:",
            "Tel.",
            "order",
            "card number",
            "born on",
            "[EMAIL_1]",
            "[LITERAL_1]",
            "[ssn_2]",
            "[",
            "]",
            "_1]",
            "@",
            "::",
            "://",
            "www.",
            "-",
            ".",
            " ",
            "  ",
            "\n",
            "\r\n",
            "\t",
            "0",
            "1",
            "12",
            "é",
            "語",
            "\u{ad}",
            "\u{200d}",
            "\u{202e}",
            "\u{a0}",
            "\u{2011}",
            "\u{ff11}",
            "\u{661}",
            "\u{301}",
            "x",
            "(",
            ")",
            "+",
            "eyJ",
            "AKIA",
        ])
        .prop_map(str::to_owned),
        "[0-9]{1,20}",
        "[ -~]{0,8}",
        any::<String>(),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..24).prop_map(|pieces| pieces.concat())
}

fn all() -> Options {
    Options::default().with_names()
}

/// Whether the spans are in order, apart, and made of whole characters of kinds that exist.
fn sound(text: &str, spans: &[Span]) -> Result<(), TestCaseError> {
    let mut at = 0;
    for span in spans {
        prop_assert!(span.range.start >= at && span.range.end > span.range.start, "{spans:?}");
        prop_assert!(text.get(span.range.clone()).is_some(), "a character is split: {spans:?}");
        prop_assert!(span.kind == LITERAL || kind(span.kind).is_some());
        at = span.range.end;
    }
    prop_assert!(at <= text.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn spans_are_sound_and_the_same_again(text in text()) {
        let spans = scan(&text, &all());
        sound(&text, &spans)?;
        prop_assert_eq!(spans, scan(&text, &all()));
    }

    #[test]
    fn nothing_is_left_between_placeholders(text in text()) {
        let mut masked = String::new();
        let mut at = 0;
        for span in scan(&text, &all()) {
            masked.push_str(&text[at..span.range.start]);
            masked.push_str("[MASKED_1]");
            at = span.range.end;
        }
        masked.push_str(&text[at..]);
        let left: Vec<Span> = scan(&masked, &all()).into_iter().filter(|s| s.kind != LITERAL).collect();
        prop_assert!(left.is_empty(), "{:?} in {:?}", left, masked);
    }

    #[test]
    fn what_is_left_out_is_not_found(text in text(), skipped in prop::sample::select(vec!["EMAIL", "PHONE", "CARD", "URL"])) {
        let spans = scan(&text, &all().without(skipped));
        sound(&text, &spans)?;
        prop_assert!(spans.iter().all(|span| span.kind != skipped));
    }
}

/// Nanoseconds of CPU that this thread has had.
fn cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("the kernel counts");
    stat.split_whitespace().next().and_then(|n| n.parse().ok()).expect("a number comes first")
}

/// Four times the text costs at most about four times as much. Square growth would cost sixteen times.
#[test]
fn time_grows_with_the_text_and_no_faster() {
    const SMALL: usize = 12 << 10;
    let units = [
        "a",
        "a.",
        "a@",
        "a@b.",
        "a@b.c",
        "1",
        "1 ",
        "1-",
        "1111 ",
        "4111 1111 1111 1111 ",
        "(1",
        "+1 ",
        ":",
        "1:",
        "1.",
        "AB12",
        "AB12 ",
        "SSN ",
        "iban:",
        "tel ",
        "tel. 1",
        "[EMAIL_1]",
        "[A_",
        "]",
        "a@b.co ",
        "order 212-555-2368 ",
        "://",
        "a://",
        "ab://",
        "ab://x",
        "www.",
        "www.a.",
        "eyJ",
        "eyJ.",
        "eyJ-",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "password:",
        "secret=",
        "token is ",
        "AKIA",
        "sk-",
        " street",
        "1 High Street ",
        "rue ",
        "via ",
        "Via R ",
        "Weg 1 ",
        "A",
        "A ",
        "Aa ",
        "Mr ",
        "\u{ad}",
        "\u{a0}",
        "語",
        "é ",
        "\n",
        "1\n",
        "0x",
        "bc1q",
        "f:",
        "::1 ",
        "residing at ",
        "P.O. Box 1 ",
        "B 1, ",
        "Anna ",
    ];
    for unit in units {
        let of = |bytes: usize| unit.repeat(bytes / unit.len());
        let (small, large) = (of(SMALL), of(4 * SMALL));
        // The best of a few: others use the machine too.
        let cost = |text: &str| {
            (0..3)
                .map(|_| {
                    let before = cpu();
                    assert!(scan(text, &all()).len() <= text.len());
                    cpu() - before
                })
                .min()
                .expect("three runs")
        };
        cost("1 a@b.co");
        let (one, four) = (cost(&small), cost(&large));
        let floor = 4_000_000;
        assert!(
            four <= 8 * one.max(floor),
            "{unit:?}: {one} ns for {SMALL} bytes, {four} for four times as many"
        );
    }
}
