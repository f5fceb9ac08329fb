//! Characters: what is invisible goes, what has a plain form takes it, the rest is composed (NFC).
//!
//! Compatibility normalisation of the whole text (NFKC) is wrong here: it turns `10²` into `102`, `½` into
//! three characters and `①` into `1`, and yet leaves soft hyphens, zero-width and direction characters where
//! they are. So NFC does the composing and a short table does the rest.

use super::CleanCounts;
use super::text_line::Mark;
use unicode_normalization::UnicodeNormalization;

/// Scrubs one block and moves its marks (in order) along. Line breaks come out as `\n`; a soft hyphen stays only at
/// the end of a line, where the joining of lines needs it and takes it out.
pub(super) fn scrub(text: &str, marks: &mut [Mark], counts: &mut CleanCounts) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.char_indices().peekable();
    let mut next = 0; // the first mark that is not placed yet
    while let Some((at, c)) = chars.next() {
        while let Some(mark) = marks.get_mut(next).filter(|mark| mark.at <= at) {
            mark.at = out.len();
            next += 1;
        }
        let before = out.chars().next_back();
        match c {
            '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\r' => {
                chars.next_if(|(_, c)| *c == '\n');
                out.push('\n');
            }
            '\t' => out.push(' '),
            '\u{ad}' => {
                counts.soft_hyphens += 1;
                if ends_line(&text[at + c.len_utf8()..]) {
                    out.push(c);
                }
            }
            '\u{200c}' | '\u{200d}' if before.is_some_and(needs_joiners) => out.push(c),
            '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{180e}' => {
                counts.zero_width += 1;
            }
            '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' => {
                counts.bidi += 1;
            }
            '\u{e0000}'..='\u{e007f}' => counts.tags += 1,
            '\u{fe0e}' | '\u{fe0f}' if before.is_some_and(is_pictographic) => out.push(c),
            '\u{e0100}'..='\u{e01ef}' if before.is_some_and(is_han) => out.push(c),
            '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => counts.variation_selectors += 1,
            c if c.is_control() || is_noncharacter(c) => counts.controls += 1,
            c if c.is_ascii() => out.push(c),
            c => replace(c, before, chars.peek().map(|(_, c)| *c), &mut out, counts),
        }
    }
    for mark in &mut marks[next..] {
        mark.at = out.len();
    }
    if out.is_ascii() { out } else { compose(&out, marks) }
}

/// Composes each piece between marks by itself. They stand at the beginnings of lines, where nothing composes.
fn compose(text: &str, marks: &mut [Mark]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for mark in marks {
        out.extend(text[from..mark.at].nfc());
        from = std::mem::replace(&mut mark.at, out.len());
    }
    out.extend(text[from..].nfc());
    out
}

/// Pushes the plain form of `c` if it has one that means the same, else `c`.
fn replace(c: char, before: Option<char>, after: Option<char>, out: &mut String, counts: &mut CleanCounts) {
    let plain = match c {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Some(' '),
        // Hyphen and non-breaking hyphen only. Figure dash, en dash and minus are other characters.
        '\u{2010}' | '\u{2011}' => Some('-'),
        // Full-width letters and digits hide numbers from every pattern.
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => ascii_of(c),
        // Full-width punctuation is the ordinary punctuation of Chinese and Japanese, so it changes only
        // inside an address or a number.
        '！'..='～' if before.is_some_and(is_latin_or_digit) && after.is_some_and(is_latin_or_digit) => {
            ascii_of(c)
        }
        _ => None,
    };
    if let Some(plain) = plain {
        counts.replaced += 1;
        out.push(plain);
        return;
    }
    // Ligatures, Arabic presentation forms (but not whole words such as U+FDFA), mathematical letters.
    let compatible = matches!(c, '\u{fb00}'..='\u{fb4f}' | '\u{fb50}'..='\u{fdcf}' | '\u{fe70}'..='\u{fefc}' | '\u{1d400}'..='\u{1d7ff}');
    if compatible {
        counts.replaced += 1;
        out.extend(std::iter::once(c).nfkc());
    } else {
        out.push(c);
    }
}

/// Whether only spaces lie between here and a line break, or the end: the word may go on over the page.
fn ends_line(rest: &str) -> bool {
    rest.chars().find(|c| !matches!(c, ' ' | '\t')).is_none_or(|c| matches!(c, '\n' | '\r' | '\u{2028}'))
}

fn ascii_of(full_width: char) -> Option<char> {
    u32::from(full_width).checked_sub(0xfee0).and_then(char::from_u32)
}

fn is_latin_or_digit(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ')
}

/// Scripts that shape with joiners (Arabic, Syriac, Indic, Mongolian) and emoji sequences.
fn needs_joiners(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{8ff}' | '\u{900}'..='\u{109f}' | '\u{1780}'..='\u{18af}' | '\u{fe0f}')
        || is_pictographic(c)
}

fn is_pictographic(c: char) -> bool {
    matches!(c, '#' | '*' | '0'..='9' | '\u{a9}' | '\u{ae}' | '\u{203c}'..='\u{3299}' | '\u{1f000}'..='\u{1faff}')
        && !c.is_alphabetic()
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn is_noncharacter(c: char) -> bool {
    let code = u32::from(c);
    (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe || (0xfff9..=0xfffb).contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubbed(text: &str) -> (String, CleanCounts) {
        let mut counts = CleanCounts::default();
        (scrub(text, &mut [], &mut counts), counts)
    }

    #[test]
    fn every_class_goes_and_is_counted() {
        let (text, counts) =
            scrubbed("a\u{ad}b\u{200b}\u{feff}c\u{202e}\u{2066}d\u{e0041}e\u{fe01}f\u{0}\u{9f}g\u{ffff}");
        assert_eq!(text, "abcdefg");
        let expected = CleanCounts {
            soft_hyphens: 1,
            zero_width: 2,
            bidi: 2,
            tags: 1,
            variation_selectors: 1,
            controls: 3,
            ..CleanCounts::default()
        };
        assert_eq!(counts, expected);
        assert_eq!(counts.suspicious(), 3);
    }

    #[test]
    fn plain_forms() {
        assert_eq!(
            scrubbed("ofﬁce ﬂow\u{a0}x\u{202f}y non\u{2011}breaking").0,
            "office flow x y non-breaking"
        );
        assert_eq!(scrubbed("ＩＢＡＮ １２３，ａ＠ｂ．ｃｏｍ").0, "IBAN 123,a@b.com");
        assert_eq!(scrubbed("中文，（好）").0, "中文，（好）");
        assert_eq!(scrubbed("𝟏𝟐 \u{212a} e\u{301}").0, "12 K é");
    }

    #[test]
    fn joiners_stay_where_a_script_needs_them() {
        for text in ["می\u{200c}خواهم", "क\u{94d}\u{200d}ष", "👩\u{200d}💻", "❤\u{fe0f}"] {
            assert_eq!(scrubbed(text).0, text);
        }
        assert_eq!(scrubbed("pass\u{200d}word").0, "password");
    }

    #[test]
    fn stripping_comes_before_composing() {
        assert_eq!(scrubbed("e\u{200b}\u{301}").0, "é");
    }
}
