//! Text strings of PDF: titles, values of forms, remarks.

/// What bytes 0x18 to 0x1f and 0x80 to 0x9f mean where they are not Latin-1.
const LOW: [char; 8] =
    ['\u{2d8}', '\u{2c7}', '\u{2c6}', '\u{2d9}', '\u{2dd}', '\u{2db}', '\u{2da}', '\u{2dc}'];
const HIGH: [char; 31] = [
    '•', '†', '‡', '…', '—', '–', 'ƒ', '⁄', '‹', '›', '−', '‰', '„', '“', '”', '‘', '’', '‚', '™', 'ﬁ', 'ﬂ',
    'Ł', 'Œ', 'Š', 'Ÿ', 'Ž', 'ı', 'ł', 'œ', 'š', 'ž',
];

/// The text, trimmed and cut to so many characters; control characters but line breaks are left out.
pub fn text(bytes: &[u8], longest: usize) -> String {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
        char::decode_utf16(units).map(|letter| letter.unwrap_or('\u{fffd}')).collect::<String>()
    };
    let letters = match bytes {
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        plain => plain.iter().copied().map(letter).collect(),
    };
    let lines = letters.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String =
        lines.chars().filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t')).collect();
    kept.trim().chars().take(longest).collect::<String>().trim_end().to_owned()
}

fn letter(byte: u8) -> char {
    match byte {
        0x18..=0x1f => LOW[usize::from(byte - 0x18)],
        0x80..=0x9e => HIGH[usize::from(byte - 0x80)],
        0xa0 => '€',
        other => char::from(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_encodings_are_told_apart() {
        for (bytes, expected) in [
            (&b"plain \xe9\x80\xa0\x84"[..], "plain é•€—"),
            (b"\xfe\xff\x00A\xd8\x3d\xde\x00", "A😀"),
            (b"\xff\xfeA\x00", "A"),
            (b"\xef\xbb\xbf\xc3\xa9", "é"),
            (b" one\r\ntwo\rthree\x00 ", "one\ntwo\nthree"),
            (b"\xfe\xff\xd8\x3d", "\u{fffd}"),
        ] {
            assert_eq!(text(bytes, 100), expected);
        }
        assert_eq!(text(b"one two", 4), "one");
    }
}
