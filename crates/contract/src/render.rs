//! The picture of the system, drawn from the table.

use crate::{CHOREOGRAPHY, Service};
use std::fmt::Write as _;

/// The choreography as a Mermaid flowchart.
pub fn mermaid() -> String {
    let mut out = String::from("flowchart LR\n  inbox([upload events, HTTP]) --> intake\n");
    for hop in CHOREOGRAPHY.iter().filter(|hop| hop.service != Service::Status) {
        for kind in hop.says {
            match kind.listener() {
                Some(next) => {
                    let arrow = if kind.is_failure() { "-.->" } else { "-->" };
                    let _ = writeln!(
                        out,
                        "  {} {arrow}|{}| {}",
                        hop.service.name(),
                        kind.token(),
                        next.service.name()
                    );
                }
                None => {
                    let _ =
                        writeln!(out, "  {} --> {}(({}))", hop.service.name(), kind.token(), kind.token());
                }
            }
        }
    }
    out.push_str("  log[(every event)] --> status --> redis[(Redis hashes)]\n");
    out
}

/// The table in Markdown.
pub fn table() -> String {
    let mut out = String::from(
        "| service | hears | says | stream | lease | deadline | deliveries | in flight | share |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for hop in CHOREOGRAPHY {
        let join = |kinds: &[crate::EventKind]| {
            kinds.iter().map(|kind| format!("`{}`", kind.token())).collect::<Vec<_>>().join(" ")
        };
        let hears = match hop.service {
            Service::Intake => "HTTP, `millrace.inbox.<tenant>`".to_owned(),
            Service::Status => "everything".to_owned(),
            _ => join(hop.hears),
        };
        let (says, stream) = if hop.says.is_empty() {
            ("nothing".to_owned(), String::new())
        } else {
            (join(hop.says), format!("`{}`", hop.service.stream()))
        };
        let deliveries = if hop.max_deliver == 0 { "no end".to_owned() } else { hop.max_deliver.to_string() };
        let _ = writeln!(
            out,
            "| `{}` | {hears} | {says} | {stream} | {} s | {} s | {deliveries} | {} | {} % |",
            hop.service.name(),
            hop.ack_wait.as_secs(),
            hop.deadline.as_secs(),
            hop.in_flight,
            hop.share,
        );
    }
    out
}
