//! Bytes to text, in any encoding.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use millrace_media::{Utf16, utf16_without_mark};

/// How much of a text is looked at to guess its encoding.
const GUESSED_FROM: usize = 1 << 20;

/// The byte order mark decides, then what is valid UTF-8, then what looks like UTF-16, then what the document
/// declares. What is left is guessed from the letters that it would give.
pub(super) fn decode(bytes: &[u8], declared: Option<&'static Encoding>) -> String {
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None => match utf16_without_mark(bytes) {
            Some(Utf16::Little) => UTF_16LE,
            Some(Utf16::Big) => UTF_16BE,
            None if std::str::from_utf8(bytes).is_ok() && !escapes(bytes) => UTF_8,
            None => declared.unwrap_or_else(|| guessed(bytes)),
        },
    };
    encoding.decode(bytes).0.into_owned()
}

/// Whether it may be ISO-2022-JP, which looks like ASCII but for its escapes.
fn escapes(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\x1b$")
}

fn guessed(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&bytes[..bytes.len().min(GUESSED_FROM)], true);
    detector.guess(None, Utf8Detection::Allow)
}

/// `<meta charset=…>` or its older form, in the first kibibyte as the standard asks.
pub(super) fn declared_charset(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_lowercase();
    let (_, rest) = head.split_once("charset=")?;
    let label = rest.trim_start_matches(['"', '\'']);
    let end = label.find(['"', '\'', '>', ' ', ';', '/']).unwrap_or(label.len());
    Encoding::for_label(&label.as_bytes()[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legacy_code_pages_are_guessed_from_their_letters() {
        let cases = [
            ("windows-1252", "Die Gebühr beträgt fünf Euro, zahlbar in München – spätestens am Ersten."),
            ("windows-1251", "Настоящий договор заключён между сторонами и вступает в силу первого марта."),
            ("windows-1253", "Η παρούσα σύμβαση συνάπτεται μεταξύ των μερών και ισχύει από σήμερα."),
            ("iso-8859-2", "Umowa została zawarta między stronami i obowiązuje od dzisiaj, że też."),
            ("shift_jis", "本契約は両当事者の間で締結され、三月一日に発効するものとする。"),
            ("gb18030", "本合同由双方签订,自三月一日起生效,任何一方不得擅自变更。"),
            ("euc-kr", "본 계약은 양 당사자 사이에 체결되며 삼월 일일부터 효력을 발생한다."),
            ("iso-2022-jp", "本契約は両当事者の間で締結されるものとする。"),
        ];
        for (name, text) in cases {
            let encoding = Encoding::for_label(name.as_bytes()).expect("a known encoding");
            let (bytes, _, lost) = encoding.encode(text);
            assert!(!lost, "{name}");
            assert_eq!(decode(&bytes, None), text, "{name}");
        }
    }

    #[test]
    fn utf16_needs_no_mark() {
        let bytes = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            "The fee is €5, payable in Łódź.".encode_utf16().flat_map(order).collect()
        };
        assert_eq!(decode(&bytes(u16::to_le_bytes), None), "The fee is €5, payable in Łódź.");
        assert_eq!(decode(&bytes(u16::to_be_bytes), None), "The fee is €5, payable in Łódź.");
    }
}
