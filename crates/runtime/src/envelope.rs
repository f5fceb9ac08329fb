//! CloudEvents 1.0 in binary mode: attributes in headers, protobuf in the body, trace context beside them.

use crate::broker::{Stored, header};
use async_nats::HeaderMap;
use millrace_contract::wire::Event;
use millrace_contract::{ErrorCode, EventKind, event, subject};
use millrace_stage::{Heard, Raw, Recorded, StageError};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use prost::Message as _;
use std::time::{Duration, SystemTime};

pub(crate) const ID: &str = "ce-id";
pub(crate) const CAUSE: &str = "ce-causationid";
/// Tries that counted before the event was parked.
pub(crate) const ATTEMPT: &str = "millrace-attempt";
/// Where a parked message first stood in its stream.
pub(crate) const ORIGIN: &str = "millrace-origin";
/// When the event was first parked, milliseconds since 1970.
pub(crate) const SINCE: &str = "millrace-waiting-since";

/// Headers of an event.
pub(crate) fn headers(id: &str, cause: &str, kind: EventKind, event: &Event, trace: &Context) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let job = event.job.as_ref().map_or("", |job| job.id.as_str());
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(event.at_ms);
    headers.insert("Nats-Msg-Id", id);
    headers.insert("ce-specversion", "1.0");
    headers.insert(ID, id);
    headers.insert("ce-type", format!("millrace.v1.{}", kind.token()));
    headers.insert("ce-source", format!("/millrace/{}", kind.speaker().name()));
    headers.insert("ce-subject", job);
    headers.insert("ce-time", humantime::format_rfc3339_millis(at).to_string());
    headers.insert("ce-datacontenttype", "application/protobuf");
    headers.insert("ce-correlationid", job);
    if !cause.is_empty() {
        headers.insert(CAUSE, attribute(cause));
    }
    carry(trace, &mut headers);
    headers
}

/// Writes the trace that a message is part of.
pub(crate) fn carry(trace: &Context, headers: &mut HeaderMap) {
    TraceContextPropagator::new().inject_context(trace, &mut Carrier(headers));
}

/// A CloudEvents attribute as a NATS header takes it: percent-encoded outside of printable ASCII. What comes from
/// outside must not end a header.
fn attribute(value: &str) -> String {
    use std::fmt::Write as _;
    value.bytes().fold(String::with_capacity(value.len()), |mut encoded, byte| {
        if (0x21..=0x7e).contains(&byte) && byte != b'"' && byte != b'%' {
            encoded.push(byte as char);
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// The trace that a message is part of.
pub(crate) fn trace(headers: Option<&HeaderMap>) -> Context {
    match headers {
        Some(headers) => {
            TraceContextPropagator::new().extract_with_context(&Context::new(), &Reader(headers))
        }
        None => Context::new(),
    }
}

/// The event inside a message of ours.
pub(crate) fn hear(raw: &Raw) -> Result<Heard, (Heard, StageError)> {
    let place = subject::parse(&raw.subject);
    let id = raw.headers.get(ID).cloned().unwrap_or_else(|| raw.subject.clone());
    let wrong = |what: &str, event: Event| {
        let message = format!("the message on {} {what}", raw.subject);
        let heard = Heard { event, kind: place.as_ref().map(|place| place.event), id: id.clone() };
        (heard, StageError::new(ErrorCode::EventInvalid, message))
    };
    // Whoever sent it, its subject says which job it is filed under.
    let filed = || {
        let mut event = Event::default();
        if let Some(place) = &place {
            event.job = Some(millrace_contract::wire::Job {
                id: place.job.to_owned(),
                tenant: place.tenant.to_owned(),
                lane: place.lane.to_owned(),
                run: 1,
                ..Default::default()
            });
        }
        event
    };
    let Ok(event) = Event::decode(raw.payload.clone()) else {
        return Err(wrong("is not an event in protobuf", filed()));
    };
    let (Some(place), Some(job)) = (&place, &event.job) else {
        return Err(wrong("tells of no job", filed()));
    };
    let kind = event.fact.as_ref().and_then(|fact| fact.kind.as_ref()).map(event::kind_of);
    if kind != Some(place.event) {
        return Err(wrong("tells something else than its subject", filed()));
    }
    if job.id != place.job || job.tenant != place.tenant {
        return Err(wrong("tells of another job than its subject", filed()));
    }
    Ok(Heard { kind, id, event })
}

/// An event as the log holds it; `None` for what is not one.
pub(crate) fn recorded(stream: &str, stored: &Stored) -> Option<Recorded> {
    record(stream, stored.sequence, &stored.subject, Some(&stored.headers), stored.payload.clone())
}

/// See [`recorded`].
pub(crate) fn record(
    stream: &str,
    sequence: u64,
    on: &str,
    headers: Option<&HeaderMap>,
    payload: bytes::Bytes,
) -> Option<Recorded> {
    let place = subject::parse(on)?;
    let event = Event::decode(payload).ok()?;
    Some(Recorded {
        id: header(headers, ID)?.to_owned(),
        stream: stream.to_owned(),
        sequence,
        kind: place.event,
        event,
        cause: header(headers, CAUSE).unwrap_or_default().to_owned(),
    })
}

/// A message without NATS types. `sequence` is its place in its stream.
pub(crate) fn raw(message: &async_nats::Message, sequence: u64) -> Raw {
    let parked = header(message.headers.as_ref(), ORIGIN).and_then(|origin| origin.parse().ok());
    Raw {
        origin: parked.unwrap_or(sequence),
        subject: message.subject.to_string(),
        headers: message.headers.as_ref().map(plain).unwrap_or_default(),
        payload: message.payload.clone(),
    }
}

fn plain(headers: &HeaderMap) -> std::collections::BTreeMap<String, String> {
    headers
        .iter()
        .filter_map(|(name, values)| Some((name.to_string(), values.first()?.as_str().to_owned())))
        .collect()
}

struct Carrier<'a>(&'a mut HeaderMap);
impl Injector for Carrier<'_> {
    fn set(&mut self, key: &str, value: String) {
        if !value.is_empty() {
            self.0.insert(key, value);
        }
    }
}

struct Reader<'a>(&'a HeaderMap);
impl Extractor for Reader<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        header(Some(self.0), key)
    }
    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}

#[cfg(test)]
mod tests {
    use super::attribute;

    #[test]
    fn attributes_cannot_end_a_header() {
        assert_eq!(attribute("a b\r\nX: y\"%é"), "a%20b%0D%0AX:%20y%22%25%C3%A9");
    }
}
