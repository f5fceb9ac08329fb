//! How long a provider says to wait: in a header, in the error's details or in its words. What it says is kept to
//! the millisecond; whether that is too long to wait is for others to decide.

use crate::Exchange;
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// The wait, from the most exact place to the least.
pub fn wait(exchange: &Exchange, details: &[Value], message: &str) -> Option<Duration> {
    let header = |name: &str| exchange.headers.get(name).map(|value| value.trim());
    header("retry-after-ms")
        .and_then(|value| seconds(value, 0.001))
        .or_else(|| header("retry-after").and_then(|value| seconds(value, 1.0)))
        .or_else(|| header("retry-after").and_then(|value| until(value, header("date"))))
        .or_else(|| details.iter().find_map(|detail| with_unit(detail["retryDelay"].as_str()?)))
        .or_else(|| spoken(message))
}

fn seconds(text: &str, unit: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse::<f64>().ok()? * unit).ok()
}

/// From the provider's own clock, if it shows it: then a reply that is read a second time says the same.
fn until(text: &str, now: Option<&str>) -> Option<Duration> {
    let now = now.and_then(http_date).unwrap_or_else(SystemTime::now);
    Some(http_date(text)?.duration_since(now).unwrap_or_default())
}

/// `Wed, 21 Oct 2026 07:28:00 GMT`.
fn http_date(text: &str) -> Option<SystemTime> {
    let mut parts = text.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|name| *name == month)? + 1;
    humantime::parse_rfc3339(&format!("{year}-{month:02}-{day:0>2}T{time}Z")).ok()
}

/// `34.07s`, `250ms`, `2h47m56.5s`.
fn with_unit(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?);
        let (unit, tail) = tail.split_at(tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len()));
        total = total.checked_add(seconds(number, unit_in_seconds(unit)?)?)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

fn unit_in_seconds(unit: &str) -> Option<f64> {
    match unit {
        "ms" | "millisecond" | "milliseconds" => Some(0.001),
        "s" | "second" | "seconds" => Some(1.0),
        "m" | "minute" | "minutes" => Some(60.0),
        "h" | "hour" | "hours" => Some(3600.0),
        "d" | "day" | "days" => Some(24.0 * 3600.0),
        _ => None,
    }
}

/// "Please retry in 12.5s." (Gemini), "Please try again in 20ms.", "... in 6m0s." (OpenAI), "... in 30 seconds".
fn spoken(message: &str) -> Option<Duration> {
    let (_, rest) = message.split_once("retry in ").or_else(|| message.split_once("try again in "))?;
    let mut words = rest.split_whitespace().map(|word| word.trim_end_matches(['.', ',', ')']));
    let first = words.next()?;
    with_unit(first).or_else(|| seconds(first, unit_in_seconds(words.next()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(headers: &[(&str, &str)], details: &[Value], message: &str) -> Option<Duration> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        wait(&Exchange { headers, ..Exchange::default() }, details, message)
    }

    #[test]
    fn the_most_exact_place_wins() {
        let info = [json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"})];
        let spoken = "Quota exceeded. Please retry in 12.5s.";
        let all = [("retry-after-ms", "1500"), ("retry-after", "7")];
        assert_eq!(told(&all, &info, spoken), Some(Duration::from_millis(1500)));
        assert_eq!(told(&all[1..], &info, spoken), Some(Duration::from_secs(7)));
        assert_eq!(told(&[("retry-after", "0.25")], &info, spoken), Some(Duration::from_millis(250)));
        assert_eq!(told(&[("retry-after", "soon")], &info, spoken), Some(Duration::from_millis(34_070)));
        assert_eq!(told(&[("retry-after", "-3")], &[], spoken), Some(Duration::from_millis(12_500)));
        assert_eq!(told(&[], &[], "Please try again in 20ms."), Some(Duration::from_millis(20)));
        assert_eq!(told(&[], &[], "Please try again in 6m0s."), Some(Duration::from_secs(360)));
        assert_eq!(told(&[], &[], "Please retry in 2h47m56.5s."), Some(Duration::from_millis(10_076_500)));
        assert_eq!(told(&[], &[], "Try again in 30 seconds."), None);
        assert_eq!(told(&[], &[], "Please try again in 30 seconds."), Some(Duration::from_secs(30)));
        assert_eq!(told(&[], &[], "Please retry in 5 parsecs or 1e400s"), None);
        assert_eq!(told(&[], &[json!({"retryDelay": "86400s"})], ""), Some(Duration::from_secs(86_400)));
        assert_eq!(told(&[], &[json!({"retryDelay": 3})], "Please retry in a while"), None);
    }

    #[test]
    fn dates_are_read_against_the_providers_clock() {
        let (date, later) = ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:29:30 GMT");
        assert_eq!(told(&[("retry-after", later), ("date", date)], &[], ""), Some(Duration::from_secs(90)));
        assert_eq!(told(&[("retry-after", date), ("date", later)], &[], ""), Some(Duration::ZERO));
        let past = told(&[("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")], &[], "");
        assert_eq!(past, Some(Duration::ZERO));
    }
}
