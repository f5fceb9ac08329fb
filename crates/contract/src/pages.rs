//! Which pages of a document are to be read, as a sender says it: `1-3,7`.

use std::fmt;
use std::sync::Arc;

/// The metadata in which a sender says it.
pub const PAGES: &str = "pages";

/// Pages of a document, all of them by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pages(
    /// First and last of each range, ascending, with gaps between them. `None` is all.
    Option<Arc<[(u32, u32)]>>,
);

impl Pages {
    /// Reads `1-3,7`, pages counted from 1; `5-` goes to the end. In which order they are named, and how often, makes no
    /// difference.
    ///
    /// # Errors
    /// Says what is wrong, and what would be right.
    pub fn read(text: &str) -> Result<Pages, String> {
        let wrong = |part: &str, why: &str| {
            let part: String = part.chars().take(20).collect();
            format!("pages: {part:?} {why}; write pages such as 1-3,7 or 5-")
        };
        let number = |digits: &str, part: &str| match digits.trim().parse::<u32>() {
            Ok(0) => Err(wrong(part, "names page 0, and the first page is 1")),
            Ok(number) => Ok(number),
            Err(_) => Err(wrong(part, "is no page")),
        };
        let mut ranges = Vec::new();
        for part in text.split(',') {
            let (first, last) = match part.split_once('-') {
                None => (number(part, part)?, number(part, part)?),
                Some((first, last)) if last.trim().is_empty() => (number(first, part)?, u32::MAX),
                Some((first, last)) => (number(first, part)?, number(last, part)?),
            };
            if last < first {
                return Err(wrong(part, "runs backwards"));
            }
            ranges.push((first, last));
        }
        ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut().filter(|(_, end)| first <= end.saturating_add(1)) {
                Some((_, end)) => *end = last.max(*end),
                None => merged.push((first, last)),
            }
        }
        Ok(Pages(Some(merged.into())))
    }

    fn ranges(&self) -> &[(u32, u32)] {
        self.0.as_deref().unwrap_or(&[(1, u32::MAX)])
    }

    /// The first of them behind this page; 0 stands before all.
    pub fn after(&self, page: u32) -> Option<u32> {
        let next = page.checked_add(1)?;
        let (first, _) = self.ranges().iter().find(|(_, last)| *last >= next)?;
        Some(next.max(*first))
    }

    /// Those of them behind this page.
    #[must_use]
    pub fn behind(&self, page: u32) -> Pages {
        let from = page.saturating_add(1);
        let rest = self.ranges().iter().filter(|(_, last)| *last >= from);
        Pages(Some(rest.map(|(first, last)| ((*first).max(from), *last)).collect()))
    }

    /// Those that a document of so many pages has, in order.
    pub fn up_to(&self, total: u32) -> impl Iterator<Item = u32> {
        self.ranges().iter().flat_map(move |(first, last)| *first..=total.min(*last))
    }

    /// How many of them there are up to this page.
    pub fn count(&self, page: u32) -> u32 {
        let within = |(first, last): &(u32, u32)| {
            (page.min(*last) + u32::from(page < u32::MAX)).saturating_sub(*first)
        };
        self.ranges().iter().map(within).sum()
    }
}

impl fmt::Display for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(ranges) = &self.0 else { return f.write_str("all") };
        for (index, (first, last)) in ranges.iter().enumerate() {
            f.write_str(if index > 0 { "," } else { "" })?;
            match *last {
                last if last == *first => write!(f, "{first}")?,
                u32::MAX => write!(f, "{first}-")?,
                last => write!(f, "{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Pages {
        Pages::read(text).unwrap()
    }

    #[test]
    fn pages_are_read_in_any_order_and_said_in_one() {
        for (text, said) in [
            ("1-3,7", "1-3,7"),
            (" 7 , 2-3,1 ", "1-3,7"),
            ("5-", "5-"),
            ("4,2-,9", "2-"),
            ("1,1,1", "1"),
            ("3-3", "3"),
        ] {
            assert_eq!(read(text).to_string(), said, "{text}");
            assert_eq!(read(said), read(text));
        }
        assert_eq!(Pages::default().to_string(), "all");
    }

    #[test]
    fn nonsense_says_what_is_wrong() {
        for (text, why) in [
            ("", "is no page"),
            ("1,,2", "is no page"),
            ("-3", "is no page"),
            ("0-3", "names page 0"),
            ("7-5", "runs backwards"),
            ("1-2-3", "is no page"),
            ("all", "is no page"),
            ("99999999999", "is no page"),
            ("1..3", "is no page"),
        ] {
            let error = Pages::read(text).unwrap_err();
            assert!(error.contains(why) && error.contains("1-3,7"), "{text}: {error}");
        }
    }

    #[test]
    fn they_are_counted_as_they_come() {
        let pages = read("2-3,7,10-");
        let in_order = [2, 3, 7, 10, 11, 12];
        assert_eq!(pages.up_to(12).collect::<Vec<_>>(), in_order);
        assert_eq!(pages.up_to(1).count() + read("7").up_to(0).count(), 0);
        let mut at = 0;
        for (count, page) in (1..).zip(in_order) {
            assert_eq!(pages.after(at), Some(page));
            assert_eq!((pages.count(page), pages.count(page - 1)), (count, count - 1));
            at = page;
        }
        assert_eq!(pages.behind(2).to_string(), "3,7,10-");
        assert_eq!(Pages::default().behind(0), read("1-"));
        assert_eq!(read("2-3").behind(3).after(0), None);
        assert_eq!((read("2-3").after(3), read("2-3").count(9)), (None, 2));
        assert_eq!((Pages::default().count(5), Pages::default().after(0)), (5, Some(1)));
        assert_eq!((read("5-").after(u32::MAX), Pages::default().up_to(3).count()), (None, 3));
    }
}
