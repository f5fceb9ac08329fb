//! The words of a text, as names are compared.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;

/// The words of a text: lower case, without accents, "S.L." as "sl".
pub fn words(text: &str) -> Vec<String> {
    let plain: String = text
        .nfkd()
        .filter(|character| canonical_combining_class(*character) == 0 && *character != '\u{ad}')
        .flat_map(char::to_lowercase)
        .collect();
    plain
        .split(|character: char| !character.is_alphanumeric() && character != '.')
        .flat_map(|word| {
            let parts: Vec<&str> = word.split('.').filter(|part| !part.is_empty()).collect();
            // Points between single letters only abbreviate; others end sentences or stand in numbers.
            if parts.iter().all(|part| part.chars().count() == 1) {
                vec![parts.concat()]
            } else {
                parts.into_iter().map(str::to_owned).collect()
            }
        })
        .filter(|word| !word.is_empty())
        .collect()
}
