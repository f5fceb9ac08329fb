//! Which language a document is in.
//!
//! `whichlang` answers first: it is the faster and the better of the two (0.993 of sentences, 1.000 of
//! ten-sentence texts right) but knows 16 languages, never says "unknown" and gives no confidence.
//! `whatlang` knows about 70; its answer is taken for a language outside those 16, when it calls it reliable.

/// ISO 639-2's "undetermined": too little text to say.
pub const UNDETERMINED: &str = "und";

/// A sample of this many bytes decides as well as a whole book does, in under a millisecond.
const SAMPLE_BYTES: usize = 4096;
/// The sample is gathered at this many places, so that an English title page does not decide for the rest.
const SAMPLE_PLACES: usize = 4;
/// Fewer letters than this name no language. A Han or kana character says as much as several Latin letters.
const MIN_LETTERS: usize = 20;
const IDEOGRAPH_WEIGHT: usize = 4;
/// A block that is shorter is in the document's language.
const MIN_BLOCK_LETTERS: usize = 40;
/// What detectors that agree come to, and one alone that calls itself reliable.
const SURE: f32 = 0.75;

/// A language and how sure we are of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Language {
    /// ISO 639-1 code, or [`UNDETERMINED`].
    pub code: &'static str,
    /// From 0 to 1. Highest where both detectors agree; not a probability.
    pub confidence: f32,
}

/// Detects the language of a document given as lines or blocks in reading order.
pub fn detect<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Language {
    let texts: Vec<T> = texts.into_iter().collect();
    let sample = sample(&texts);
    let weight: usize = sample.chars().filter(|c| c.is_alphabetic()).map(letter_weight).sum();
    if weight < MIN_LETTERS {
        return Language { code: UNDETERMINED, confidence: 0.0 };
    }
    let first = whichlang_code(whichlang::detect_language(&sample));
    let Some(second) = whatlang::detect(&sample) else {
        return Language { code: first, confidence: 0.3 };
    };
    let confidence = second.confidence() as f32;
    let second_code = whatlang_code(second.lang());
    if second_code == first {
        Language { code: first, confidence: 0.5 + confidence / 2.0 }
    } else if !WHICHLANG.contains(&second_code) && second_code != UNDETERMINED && second.is_reliable() {
        Language { code: second_code, confidence }
    } else {
        Language { code: first, confidence: 0.5 * (1.0 - confidence) + 0.2 }
    }
}

/// The language of a block, where it is surely another than the document's: both detectors must agree on it, and there
/// must be enough of it. A wrong answer is worse here than none, which means the document's.
pub fn of_block(text: &str, document: Language) -> Option<&'static str> {
    let weight: usize = text.chars().filter(|c| c.is_alphabetic()).map(letter_weight).sum();
    if weight < MIN_BLOCK_LETTERS {
        return None;
    }
    let found = detect([text]);
    (found.code != document.code && found.code != UNDETERMINED && found.confidence >= SURE)
        .then_some(found.code)
}

/// Words without digits, `@` or `/` (numbers and addresses are in no language), from evenly spread places.
fn sample<T: AsRef<str>>(texts: &[T]) -> String {
    let total: usize = texts.iter().map(|t| t.as_ref().len()).sum();
    let places = if total <= SAMPLE_BYTES { 1 } else { SAMPLE_PLACES };
    let share = SAMPLE_BYTES / places;
    let mut sample = String::with_capacity(SAMPLE_BYTES);
    let mut start = 0; // where the current text begins in the document
    let mut place = 0;
    let mut taken = 0;
    for text in texts.iter().map(AsRef::as_ref) {
        for word in text.split_whitespace() {
            let offset = start + (word.as_ptr() as usize - text.as_ptr() as usize);
            if taken >= share {
                // This place is done; wait for the next one.
                if place + 1 >= places || offset < total / places * (place + 1) {
                    continue;
                }
                place += 1;
                taken = 0;
            }
            if word.contains(|c: char| c.is_ascii_digit() || matches!(c, '@' | '/' | '[' | '_')) {
                continue;
            }
            let word = clip(word, share - taken);
            sample.push_str(word);
            sample.push(' ');
            taken += word.len() + 1;
        }
        start += text.len();
    }
    sample
}

/// Scripts written without spaces make words of any length.
fn clip(word: &str, limit: usize) -> &str {
    let mut end = word.len().min(limit);
    while !word.is_char_boundary(end) {
        end -= 1;
    }
    &word[..end]
}

fn letter_weight(c: char) -> usize {
    if matches!(c, '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}') { IDEOGRAPH_WEIGHT } else { 1 }
}

const WHICHLANG: [&str; 16] =
    ["ar", "zh", "de", "en", "fr", "hi", "it", "ja", "ko", "nl", "pt", "ru", "es", "sv", "tr", "vi"];

fn whichlang_code(lang: whichlang::Lang) -> &'static str {
    use whichlang::Lang;
    match lang {
        Lang::Ara => "ar",
        Lang::Cmn => "zh",
        Lang::Deu => "de",
        Lang::Eng => "en",
        Lang::Fra => "fr",
        Lang::Hin => "hi",
        Lang::Ita => "it",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Nld => "nl",
        Lang::Por => "pt",
        Lang::Rus => "ru",
        Lang::Spa => "es",
        Lang::Swe => "sv",
        Lang::Tur => "tr",
        Lang::Vie => "vi",
    }
}

/// ISO 639-3 (what whatlang says) and ISO 639-1 (what we say).
#[rustfmt::skip]
const CODES: &[(&str, &str)] = &[
    ("afr", "af"), ("aka", "ak"), ("amh", "am"), ("ara", "ar"), ("aze", "az"), ("bel", "be"), ("ben", "bn"),
    ("bul", "bg"), ("cat", "ca"), ("ces", "cs"), ("cmn", "zh"), ("cym", "cy"), ("dan", "da"), ("deu", "de"),
    ("ell", "el"), ("eng", "en"), ("epo", "eo"), ("est", "et"), ("fin", "fi"), ("fra", "fr"), ("guj", "gu"),
    ("heb", "he"), ("hin", "hi"), ("hrv", "hr"), ("hun", "hu"), ("hye", "hy"), ("ind", "id"), ("ita", "it"),
    ("jav", "jv"), ("jpn", "ja"), ("kan", "kn"), ("kat", "ka"), ("khm", "km"), ("kor", "ko"), ("lat", "la"),
    ("lav", "lv"), ("lit", "lt"), ("mal", "ml"), ("mar", "mr"), ("mkd", "mk"), ("mya", "my"), ("nep", "ne"),
    ("nld", "nl"), ("nob", "nb"), ("ori", "or"), ("pan", "pa"), ("pes", "fa"), ("pol", "pl"), ("por", "pt"),
    ("ron", "ro"), ("rus", "ru"), ("sin", "si"), ("slk", "sk"), ("slv", "sl"), ("sna", "sn"), ("spa", "es"),
    ("srp", "sr"), ("swe", "sv"), ("tam", "ta"), ("tel", "te"), ("tgl", "tl"), ("tha", "th"), ("tuk", "tk"),
    ("tur", "tr"), ("ukr", "uk"), ("urd", "ur"), ("uzb", "uz"), ("vie", "vi"), ("yid", "yi"), ("zul", "zu"),
];

fn whatlang_code(lang: whatlang::Lang) -> &'static str {
    CODES.iter().find(|(three, _)| *three == lang.code()).map_or(UNDETERMINED, |(_, two)| two)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_a_code() {
        for lang in whatlang::Lang::all() {
            assert_ne!(whatlang_code(*lang), UNDETERMINED, "{lang:?}");
        }
    }

    #[test]
    fn inside_and_outside_the_sixteen() {
        for (code, text) in [
            ("en", "The parties agree that this contract is governed by the law of England."),
            ("de", "Die Parteien vereinbaren, dass dieser Vertrag deutschem Recht unterliegt."),
            ("es", "Las partes acuerdan que este contrato se rige por la ley española."),
            ("zh", "双方同意本合同受中华人民共和国法律管辖。"),
            (
                "pl",
                "Strony uzgadniają, że niniejsza umowa podlega prawu polskiemu i że spory rozstrzyga sąd.",
            ),
            ("el", "Τα μέρη συμφωνούν ότι η παρούσα σύμβαση διέπεται από το ελληνικό δίκαιο."),
            ("uk", "Сторони погоджуються, що цей договір регулюється законодавством України."),
            ("he", "הצדדים מסכימים כי חוזה זה כפוף לדין הישראלי ולבתי המשפט"),
        ] {
            let found = detect([text]);
            assert_eq!(found.code, code, "{found:?} {text}");
            assert!((0.0..=1.0).contains(&found.confidence));
        }
    }

    #[test]
    fn too_little_to_say() {
        for text in ["", "12345 678", "Total 3", "a@b.com https://example.com/a/b/c/d"] {
            assert_eq!(detect([text]).code, UNDETERMINED, "{text}");
        }
    }

    #[test]
    fn a_foreign_title_page_does_not_decide() {
        let title = "MASTER SERVICES AGREEMENT between the parties named below and hereinafter. ".repeat(20);
        let body = "Die Parteien vereinbaren, dass dieser Vertrag deutschem Recht unterliegt. ".repeat(200);
        assert_eq!(detect([title, body]).code, "de");
    }

    #[test]
    fn blocks_in_another_language() {
        let english = Language { code: "en", confidence: 1.0 };
        let german = "Die Parteien vereinbaren, dass dieser Vertrag deutschem Recht unterliegt und die Gerichte entscheiden.";
        assert_eq!(of_block(german, english), Some("de"));
        assert_eq!(of_block(german, Language { code: "de", confidence: 1.0 }), None);
        for text in [
            "Vertrag und Recht",
            "Smith & Müller GmbH, Königstraße 1, 10115 Berlin",
            "[IBAN_1] [EMAIL_2] 12345",
        ] {
            assert_eq!(of_block(text, english), None, "{text}");
        }
    }

    #[test]
    fn the_sample_is_small_however_long_the_word() {
        assert!(sample(&["語".repeat(1_000_000)]).len() <= SAMPLE_BYTES + SAMPLE_PLACES);
        assert!(sample(&["word ".repeat(1_000_000)]).len() <= SAMPLE_BYTES + SAMPLE_PLACES);
    }
}
