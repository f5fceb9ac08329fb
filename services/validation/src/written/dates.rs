//! Dates as people write them: 1 March 2026, March 1st, 2026, 01/03/2026, 1 de marzo de 2026, 2026-03-01.

use regex::{Captures, Regex};
use std::fmt;
use std::sync::LazyLock;

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Four digits.
    pub year: i32,
    /// From 1.
    pub month: u32,
    /// From 1.
    pub day: u32,
}

impl Date {
    /// None if the calendar has no such day.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Date> {
        let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => return None,
        };
        ((1..=days).contains(&day) && (1..=9999).contains(&year)).then_some(Date { year, month, day })
    }

    /// Reads `YYYY-MM-DD`.
    pub fn iso(text: &str) -> Option<Date> {
        let mut parts = text.trim().split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || (year.len(), month.len(), day.len()) != (4, 2, 2) {
            return None;
        }
        Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// The names of the months, by how they begin.
const MONTHS: [&[&str]; 12] = [
    &["january", "jan", "enero", "ene"],
    &["february", "feb", "febrero"],
    &["march", "mar", "marzo"],
    &["april", "apr", "abril", "abr"],
    &["may", "mayo"],
    &["june", "jun", "junio"],
    &["july", "jul", "julio"],
    &["august", "aug", "agosto", "ago"],
    &["september", "sept", "sep", "septiembre", "setiembre"],
    &["october", "oct", "octubre"],
    &["november", "nov", "noviembre"],
    &["december", "dec", "diciembre", "dic"],
];

/// The number of a month by its name.
pub fn month(name: &str) -> Option<u32> {
    let name = name.to_lowercase();
    MONTHS.iter().position(|names| names.contains(&name.as_str())).map(|index| index as u32 + 1)
}

static ISO: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b").ok());
static NUMERIC: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(\d{1,2})\s?[-/.]\s?(\d{1,2})\s?[-/.]\s?(\d{4}|\d{2})\b").ok());
static DAY_FIRST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let day = r"(\d{1,2}|primero|uno)\s*(?:st|nd|rd|th|º|°|\.º|ª)?\)?";
    Regex::new(&format!(r"(?i)\b{day}[\s.-]*(?:day\s+of\s+|of\s+|d[ií]as?\s+(?:del?\s+)?(?:mes\s+de\s+)?|del?\s+(?:mes\s+de\s+)?)?(\p{{L}}{{3,10}})\.?[\s,-]*(?:del?\s+)?(?:a[ñn]o\s+)?(\d{{4}}|\d{{2}})\b")).ok()
});
static MONTH_FIRST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(\p{L}{3,10})\.?\s+(?:the\s+)?(\d{1,2})(?:st|nd|rd|th)?\s*,?\s*(?:of\s+)?(\d{4})\b")
        .ok()
});

/// Every date in a text; one that can be read in two ways counts as both.
pub fn in_text(text: &str) -> Vec<Date> {
    let mut found = Vec::new();
    let mut each = |pattern: &LazyLock<Option<Regex>>, read: &dyn Fn(&Captures<'_>) -> Vec<Option<Date>>| {
        for captures in pattern.as_ref().into_iter().flat_map(|pattern| pattern.captures_iter(text)) {
            for date in read(&captures).into_iter().flatten() {
                if !found.contains(&date) {
                    found.push(date);
                }
            }
        }
    };
    let number = |captures: &Captures<'_>, index: usize| captures[index].parse::<u32>().unwrap_or(0);
    let year = |captures: &Captures<'_>, index: usize| {
        let year = captures[index].parse::<i32>().unwrap_or(0);
        if captures[index].len() == 4 { year } else { year + 2000 }
    };
    each(&ISO, &|c| vec![Date::new(year(c, 1), number(c, 2), number(c, 3))]);
    each(&NUMERIC, &|c| {
        let (one, two) = (number(c, 1), number(c, 2));
        vec![Date::new(year(c, 3), two, one), Date::new(year(c, 3), one, two)]
    });
    each(&DAY_FIRST, &|c| {
        let day = c[1].parse::<u32>().unwrap_or(1);
        vec![month(&c[2]).and_then(|month| Date::new(year(c, 3), month, day))]
    });
    each(&MONTH_FIRST, &|c| vec![month(&c[1]).and_then(|month| Date::new(year(c, 3), month, number(c, 2)))]);
    found
}

/// The dates that a text can be, if it is a date and nothing else.
pub fn whole(text: &str) -> Vec<Date> {
    let text = text.trim();
    let timed = text.split(['T', ' ']).next().and_then(Date::iso);
    if let Some(date) = timed.filter(|_| text.len() == 10 || text.as_bytes().get(10) == Some(&b'T')) {
        return vec![date];
    }
    let covers = [&ISO, &NUMERIC, &DAY_FIRST, &MONTH_FIRST].into_iter().any(|pattern| {
        let found = pattern.as_ref().and_then(|pattern| pattern.find(text));
        found.is_some_and(|found| found.len() == text.trim_end_matches('.').len())
    });
    if covers { in_text(text) } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_found_however_they_are_written() {
        for text in [
            "on 1 March 2026 in London",
            "March 1st, 2026",
            "as of March 1, 2026.",
            "this 1st day of March, 2026",
            "the 1st of March 2026",
            "01/03/2026",
            "03/01/2026",
            "1.3.2026",
            "01-03-26",
            "1-Mar-2026",
            "a 1 de marzo de 2026",
            "1º de marzo del 2026",
            "primero de marzo de 2026",
            "el día 1 del mes de marzo de 2026",
            "2026-03-01",
            "1 MARZO 2026",
        ] {
            let date = Date { year: 2026, month: 3, day: 1 };
            assert!(in_text(text).contains(&date), "{text}: {:?}", in_text(text));
        }
        for text in ["March 2026", "1 March", "31 February 2026", "clause 1.2", "1 house 2026", "EUR 2,026"] {
            assert_eq!(in_text(text), [], "{text}");
        }
    }

    #[test]
    fn a_text_that_is_a_date_is_told_from_one_that_has_a_date() {
        let iso = |text: &str| whole(text).iter().map(Date::to_string).collect::<Vec<_>>();
        assert_eq!(iso("1 March 2026"), ["2026-03-01"]);
        assert_eq!(iso("2026-03-01T00:00:00Z"), ["2026-03-01"]);
        assert_eq!(iso("31/12/2026"), ["2026-12-31"]);
        assert_eq!(iso("01/03/2026").len(), 2);
        assert_eq!(iso("03/03/2026"), ["2026-03-03"]);
        assert!(iso("before 1 March 2026").is_empty());
        assert!(iso("soon").is_empty());
    }
}
