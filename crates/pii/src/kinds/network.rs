//! Machines, and what opens them.

use super::{BASE, Kind, Negative, Rule, rule};
use crate::check::{as_written, ip_text, mac_text, network};

/// Found by `find/url.rs`.
pub(super) static URL: Kind = Kind { name: "URL", canonical: as_written, ..BASE };

/// Found by `find/secret.rs`, which has the words that announce one.
pub(super) static SECRET: Kind = Kind { name: "SECRET", canonical: as_written, ..BASE };

const QUAD_SHAPE: &str = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b";

#[rustfmt::skip]
pub(super) static IP: Kind = Kind {
    name: "IP",
    canonical: ip_text,
    labels: &[
        ("en", &["ip", "ip address", "ip addresses", "ips", "ipv4", "ipv6", "host", "server", "from ip"]),
        ("de", &["ip adresse", "zugriff von"]),
        ("fr", &["adresse ip", "connexion depuis"]),
        ("es", &["dirección ip", "acceso desde"]),
        ("it", &["indirizzo ip", "accesso da"]),
        ("pt", &["endereço ip", "acesso de"]),
    ],
    negatives: &[Negative::Things],
    rules: &[
        Rule { glue: "-.", ..rule(QUAD_SHAPE, network::ipv4_beyond_sections, 60) },
        // All numbers small: more often a clause of a contract or a version.
        Rule { glue: "-.", ..rule(QUAD_SHAPE, network::ipv4, 25) },
        // The shape stops at the longest run of what an address is written with; the check parses it.
        Rule { glue: ":.", ..rule(r"[0-9A-Fa-f:][0-9A-Fa-f:.]{2,45}(?:%[0-9A-Za-z]{1,15})?", network::ipv6, 80) },
    ],
    ..BASE
};

pub(super) static MAC: Kind = Kind {
    name: "MAC",
    canonical: mac_text,
    labels: &[
        ("en", &["mac", "mac address", "ethernet"]),
        ("de", &["mac adresse"]),
        ("fr", &["adresse mac"]),
    ],
    rules: &[
        Rule {
            glue: ":-.",
            ..rule(r"[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})\b", network::mac, 85)
        },
        Rule { glue: ":-.", ..rule(r"[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\b", network::mac, 70) },
    ],
    ..BASE
};
