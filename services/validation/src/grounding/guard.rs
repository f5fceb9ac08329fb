//! Words whose change changes what is said. Likeness alone would let "EUR 5,000" stand for "EUR 50,000" and "shall"
//! for "shall not", every time: one token in twenty is nothing to it.

use super::tokens;
use crate::written::{dates, numbers};

/// Duties, denials, bounds, units and currencies, without accents.
const WORDS: &[&str] = &[
    // English
    "shall",
    "must",
    "may",
    "might",
    "can",
    "cannot",
    "will",
    "would",
    "should",
    "could",
    "ought",
    "not",
    "no",
    "never",
    "nor",
    "neither",
    "none",
    "nothing",
    "nobody",
    "without",
    "except",
    "unless",
    "excluding",
    "including",
    "only",
    "solely",
    "until",
    "before",
    "after",
    "within",
    "least",
    "most",
    "more",
    "less",
    "than",
    "minimum",
    "maximum",
    "all",
    "any",
    "each",
    "every",
    "both",
    "either",
    "half",
    "double",
    "twice",
    "first",
    "last",
    "day",
    "days",
    "week",
    "weeks",
    "month",
    "months",
    "quarter",
    "year",
    "years",
    "hour",
    "hours",
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "annual",
    "annually",
    "yearly",
    "percent",
    "cent",
    "limited",
    "unlimited",
    // Spanish
    "ni",
    "nunca",
    "jamas",
    "nada",
    "nadie",
    "ningun",
    "ninguna",
    "ninguno",
    "sin",
    "salvo",
    "excepto",
    "menos",
    "mas",
    "minimo",
    "maximo",
    "minima",
    "maxima",
    "solo",
    "solamente",
    "unicamente",
    "debe",
    "deben",
    "debera",
    "deberan",
    "podra",
    "podran",
    "deberia",
    "deberian",
    "podria",
    "podrian",
    "puede",
    "pueden",
    "hasta",
    "desde",
    "antes",
    "despues",
    "tampoco",
    "todo",
    "toda",
    "todos",
    "todas",
    "ambas",
    "ambos",
    "cada",
    "mitad",
    "doble",
    "primer",
    "primera",
    "primero",
    "ultimo",
    "dia",
    "dias",
    "semana",
    "semanas",
    "mes",
    "meses",
    "trimestre",
    "ano",
    "anos",
    "hora",
    "horas",
    "mensual",
    "anual",
    "semanal",
    "diario",
    "diaria",
    "ciento",
    "limitada",
    "ilimitada",
    // Currencies and signs
    "eur",
    "euro",
    "euros",
    "usd",
    "dollar",
    "dollars",
    "dolares",
    "gbp",
    "pound",
    "pounds",
    "libras",
    "chf",
    "mxn",
    "pesos",
    "$",
    "%",
    // Days of the week
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "lunes",
    "martes",
    "miercoles",
    "jueves",
    "viernes",
    "sabado",
    "domingo",
];

/// Articles that are also numbers.
const ARTICLES: &[&str] = &["un", "una", "uno"];

/// Whether a token must be the same on both sides.
fn weighs(token: &str) -> bool {
    let plain = unaccented(token);
    token.bytes().any(|byte| byte.is_ascii_digit())
        || plain.ends_with("n't")
        || WORDS.contains(&plain.as_str())
        || dates::month(token).is_some()
        || (numbers::is_word(token) && !ARTICLES.contains(&token))
}

fn unaccented(word: &str) -> String {
    let plain = |letter| match letter {
        'á' => 'a',
        'é' => 'e',
        'í' => 'i',
        'ó' => 'o',
        'ú' | 'ü' => 'u',
        'ñ' => 'n',
        other => other,
    };
    word.chars().map(plain).collect()
}

/// What of a list of tokens must be the same on both sides, in a fixed order.
pub fn weight<'a>(all: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut weighing: Vec<String> =
        all.filter(|token| weighs(token)).map(|token| tokens::plain(&unaccented(token))).collect();
    weighing.sort();
    weighing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_the_meaning_weighs() {
        for (one, other, same) in [
            ("the fee is 1,250.00", "fee of 1250", true),
            ("the fee is 1,250.00", "the fee is 12,500.00", false),
            ("shall pay", "may pay", false),
            ("shall pay", "shall not pay", false),
            ("doesn't apply", "does apply", false),
            ("no podrá ceder", "podrá ceder", false),
            ("podra ceder", "podrá ceder", true),
            ("una renta", "la renta", true),
            ("dos años", "tres años", false),
            ("10 days", "10 months", false),
            ("1 march", "1 may", false),
        ] {
            assert_eq!(weight(one.split(' ')) == weight(other.split(' ')), same, "{one} / {other}");
        }
    }
}
