//! What holds for every text, however odd.

use millrace_contract::wire::{DocumentText, Line, Page};
use millrace_pii::LITERAL;
use millrace_sanitization::clean::{clean, page};
use millrace_sanitization::redactor::Redactor;
use millrace_sanitization::sanitize::sanitize;
use millrace_testkit::adversarial::{PIECES, UNITS};
use millrace_vault::{Original, PublicKey, SecretKeys, generate, open, restore_text, seal};
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

fn of(pages: Vec<Page>) -> DocumentText {
    DocumentText { pages, ..DocumentText::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn restoring_undoes_redaction(text in text()) {
        let mut redactor = Redactor::new();
        let redacted = redactor.redact(&text);
        let (public, secret) = generate();
        let (public, secret) = (PublicKey::read(&public).unwrap(), SecretKeys::read(&secret).unwrap());
        let sealed = seal(&redactor.into_values(), "tenant", &public).unwrap();
        let values = open(&sealed, "tenant", &secret).unwrap();
        prop_assert_eq!(Original::new(&values).text(&redacted), text);
    }

    #[test]
    fn a_second_redaction_finds_only_the_placeholders_of_the_first(text in text()) {
        let redacted = Redactor::new().redact(&text);
        let mut second = Redactor::new();
        let again = second.redact(&redacted);
        let kinds: Vec<_> = second.placeholders().into_iter().map(|p| p.kind).collect();
        prop_assert!(kinds.iter().all(|kind| *kind == LITERAL), "{:?} in {:?}", kinds, redacted);
        prop_assert_eq!(restore_text(&again, &second.into_values()), redacted);
    }

    #[test]
    fn the_same_text_gives_the_same_answer(text in text()) {
        let document = of(vec![page(1, [text.clone(), text.clone()]), page(2, [text])]);
        let (one, two) = (sanitize(document.clone()), sanitize(document));
        prop_assert_eq!((one.text, one.says), (two.text, two.says));
    }

    /// Also where the document says that its lines begin at impossible places.
    #[test]
    fn lines_stay_in_order_and_split_no_character(
        text in text(),
        starts in prop::collection::vec(0u32..200, 0..9),
    ) {
        let mut page = page(1, [text]);
        page.blocks[0].lines = starts.into_iter().map(|start| Line { start, ..Line::default() }).collect();
        for block in &sanitize(of(vec![page])).text.pages[0].blocks {
            prop_assert!(block.lines.is_sorted_by_key(|line| line.start));
            for line in &block.lines {
                prop_assert!(block.text.is_char_boundary(line.start as usize), "{:?}", block);
            }
        }
    }

    #[test]
    fn cleaning_keeps_order_and_loses_no_digit(lines in prop::collection::vec("[a-z0-9 \u{ad}\u{200b}-]{0,12}", 0..8)) {
        let text = lines.join("\n");
        let cleaned = clean(vec![page(1, ["alpha", &text, "omega"])]);
        let blocks = &cleaned.pages[0].blocks;
        prop_assert!(blocks.is_sorted_by_key(|b| b.number));
        let digits = |s: &str| s.chars().filter(char::is_ascii_digit).collect::<String>();
        let kept: String = blocks.iter().map(|b| digits(&b.text)).collect();
        prop_assert_eq!(kept, digits(&text));
    }

    #[test]
    fn nothing_invisible_is_left(text in text()) {
        let cleaned = clean(vec![page(1, [text])]);
        for block in &cleaned.pages[0].blocks {
            let bad = block.text.chars().find(|c| {
                c.is_control() && *c != '\n'
                    || matches!(c, '\u{ad}' | '\u{200b}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{e0000}'..='\u{e007f}')
            });
            prop_assert_eq!(bad, None);
        }
    }
}

/// No clock: quadratic work would not end, not even over the smaller size.
#[test]
fn long_adversarial_lines_end() {
    const EACH: usize = 128 << 10;
    const TOGETHER: usize = 2 << 20;
    let lines = UNITS.iter().map(|unit| unit.repeat(EACH / unit.len()));
    let together: String =
        UNITS.iter().map(|unit| unit.repeat(TOGETHER / UNITS.len() / unit.len())).collect();
    for line in lines.chain([together]) {
        assert_eq!(sanitize(of(vec![page(1, [line])])).text.pages.len(), 1);
    }
}
