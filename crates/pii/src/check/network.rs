//! Addresses of machines.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Four octets without leading zeros.
pub(crate) fn ipv4(text: &str) -> Option<usize> {
    let address: Ipv4Addr = text.parse().ok()?;
    (!address.is_loopback() && !address.is_unspecified() && !address.is_broadcast()).then_some(text.len())
}

/// [`ipv4`] with a number that no numbering of sections reaches.
pub(crate) fn ipv4_beyond_sections(text: &str) -> Option<usize> {
    let beyond = text.split('.').any(|octet| octet.parse::<u8>().is_ok_and(|n| n > 31));
    if beyond { ipv4(text) } else { None }
}

/// An address as the standard library reads it, and not one that code or a clock could mean.
pub(crate) fn ipv6(text: &str) -> Option<usize> {
    // The shape may take a colon or a full stop of the sentence with it.
    for value in [text, text.trim_end_matches([':', '.'])] {
        let address = value.split_once('%').map_or(value, |(address, _)| address);
        if address.parse::<Ipv6Addr>().is_ok() {
            let groups = address.split([':', '.']).filter(|g| !g.is_empty());
            let telling = groups.clone().any(|g| g.len() >= 3);
            let numeric = address.bytes().any(|b| b.is_ascii_digit());
            return (groups.count() >= 2 && telling && numeric).then_some(value.len());
        }
    }
    None
}

/// Not all bytes the same: `00:00:00:00:00:00` is nobody's.
pub(crate) fn mac(text: &str) -> Option<usize> {
    let mut hex = text.bytes().filter(u8::is_ascii_hexdigit);
    let first = hex.next()?;
    hex.any(|b| b != first).then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert!(ipv4("203.0.113.7").is_some() && ipv4("256.1.1.1").is_none() && ipv4("127.0.0.1").is_none());
        for text in
            ["2001:db8::1", "fe80::1%eth0", "::ffff:192.0.2.128", "aea3:768d:1882:675d:b988:8604:2244:eee0"]
        {
            assert_eq!(ipv6(text), Some(text.len()), "{text}");
        }
        assert_eq!(ipv6("2001:db8::1:"), Some(11));
        for text in ["12:34:56", "::", "a::b", "44:32:35:00:05:17", "::1"] {
            assert!(ipv6(text).is_none(), "{text}");
        }
        assert_eq!(super::super::ip_text("2001:0DB8:0::1"), super::super::ip_text("2001:db8::1"));
    }
}
