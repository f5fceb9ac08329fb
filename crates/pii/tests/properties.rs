//! What holds for every text, however odd.

use millrace_pii::{LITERAL, Options, Span, kind, scan};
use millrace_testkit::adversarial::{PIECES, UNITS};
use proptest::prelude::*;

/// Known trouble, and anything else.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(PIECES).prop_map(str::to_owned),
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
    for unit in UNITS {
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
