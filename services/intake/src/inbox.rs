//! Upload events of other systems. Five shapes, told apart by headers and form; each becomes one [`Request`].

use crate::admission::{Admission, Wishes, now_ms};
use crate::password;
use crate::source::{Opener, percent_decoded};
use millrace_contract::pages::PAGES;
use millrace_contract::wire::{Event, Job, SealedSecret, UploadRequest, Uploaded};
use millrace_contract::{ErrorCode, JobId, Tenant, ids, subject};
use millrace_stage::{BoxFuture, Content, Desk, Handler, Heard, Outcome, Raw, Result, StageError};
use prost::Message as _;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An upload event, whatever shape it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// URL of the document.
    pub source: String,
    /// What the document is called; empty to take it from the source.
    pub name: String,
    /// Profile that the sender asks for.
    pub profile: String,
    /// Lane that the sender asks for.
    pub lane: String,
    /// The sender's own words.
    pub metadata: BTreeMap<String, String>,
    /// What makes the same event the same job; `None` if the sender gave nothing to tell by.
    pub key: Option<String>,
    /// The document that it was inside of; `None` for most.
    pub inside: Option<Inside>,
}

/// Where a document was inside another one. Only protobuf says so: it is how stages hand on what they find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inside {
    /// Job of the outer document.
    pub parent: String,
    /// How many documents it was inside of.
    pub depth: u32,
    /// How many more may be made of what is inside it.
    pub allowance: u32,
    /// What opens it, as the stage that found it has sealed it for this job.
    pub password: Option<SealedSecret>,
}

/// The inbox's handler.
pub(crate) struct Inbox {
    admission: Arc<Admission>,
    opener: Opener,
}

impl Inbox {
    pub(crate) fn new(admission: Arc<Admission>, opener: Opener) -> Inbox {
        Inbox { admission, opener }
    }
}

impl Handler for Inbox {
    fn hear(&self, raw: &Raw, _: Option<Heard>) -> std::result::Result<Heard, (Heard, StageError)> {
        let request = parse(raw);
        let key = request.as_ref().ok().and_then(|request| request.key.clone());
        // Without a key of the sender's, the message's own place tells it from every other.
        let key = key.unwrap_or_else(|| format!("inbox {}", raw.origin));
        let (tenant, known) = match raw.subject.rsplit('.').next().map(Tenant::new) {
            Some(Ok(tenant)) => (tenant.clone(), Ok(tenant)),
            _ => (self.admission.settings.tenant.clone(), Err("the subject must be millrace.inbox.<tenant>")),
        };
        let id = JobId::derived(&tenant, &key).to_string();
        let bare = Job {
            id: id.clone(),
            tenant: tenant.to_string(),
            run: 1,
            lane: subject::DEFAULT_LANE.to_owned(),
            created_at_ms: now_ms(),
            ..Job::default()
        };
        let heard = |job: Job| Heard {
            id: raw.headers.get("ce-id").cloned().unwrap_or_else(|| format!("inbox {}", raw.origin)),
            kind: None,
            event: Event { job: Some(job), ..Event::default() },
        };
        let checked = request.and_then(|request| {
            known.map_err(|why| StageError::new(ErrorCode::EventInvalid, why))?;
            let wishes = Wishes {
                name: request.name,
                profile: request.profile,
                lane: request.lane,
                metadata: request.metadata,
            };
            let header = header(raw, password::HEADER).map(str::as_bytes);
            let mut password =
                self.admission.sealer.seal(header, tenant.as_str(), &id, ErrorCode::EventInvalid)?;
            let mut job = self.admission.job(id, tenant.as_str(), &wishes)?;
            if let Some(inside) = request.inside {
                (job.parent, job.depth, job.allowance) = (inside.parent, inside.depth, inside.allowance);
                password = password.or(inside.password);
                // They were pages of the outer document.
                job.metadata.remove(PAGES);
            }
            Ok((job, Uploaded { source: request.source, password }))
        });
        match checked {
            Ok((job, uploaded)) => {
                let mut heard = heard(job);
                // Carried to `run`; the fact is replaced by what intake says.
                heard.event.fact = Some(millrace_contract::wire::Fact { kind: Some(uploaded.into()) });
                Ok(heard)
            }
            Err(error) => Err((heard(bare), error)),
        }
    }

    fn run<'a>(
        &'a self,
        heard: &'a Heard,
        _: Vec<Content>,
        _: Arc<dyn Desk>,
    ) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            let lost = || StageError::new(ErrorCode::Internal, "an upload event without its source");
            let fact = heard.event.fact.clone().and_then(|fact| fact.kind).ok_or_else(lost)?;
            let millrace_contract::wire::fact::Kind::Uploaded(uploaded) = &fact else { return Err(lost()) };
            let mut job = heard.event.job.clone().ok_or_else(lost)?;
            let (name, content) = self.opener.open(&job.tenant, &uploaded.source).await?;
            let document = job.document.get_or_insert_default();
            if document.name.is_empty() {
                document.name = name;
            }
            let claim = self.admission.receive(&mut job, content).await?;
            Ok(Outcome { fact, body: None, claim: Some(claim), job: Some(job) })
        })
    }

    fn blocks(&self) -> bool {
        false
    }
}

fn invalid(message: impl Into<String>) -> StageError {
    StageError::new(ErrorCode::EventInvalid, message)
}

fn header<'r>(raw: &'r Raw, name: &str) -> Option<&'r str> {
    raw.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Makes sense of an inbox message.
///
/// # Errors
/// `event_invalid`, saying what would be understood.
pub fn parse(raw: &Raw) -> Result<Request> {
    let header = |name: &str| header(raw, name);
    let content_type = header("content-type").unwrap_or_default().to_ascii_lowercase();
    let own_key = header("idempotency-key").or_else(|| header("nats-msg-id")).map(ids::sender_key);
    if content_type.starts_with("application/cloudevents") {
        let event = json(&raw.payload)?;
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        if text("specversion") != "1.0" || text("id").is_empty() || text("source").is_empty() {
            return Err(invalid("a structured CloudEvent needs specversion 1.0, id and source"));
        }
        let key = format!("ce {}\n{}", text("source"), text("id"));
        return from_json(&event["data"]).map(|request| Request { key: Some(key), ..request });
    }
    if let Some(version) = header("ce-specversion") {
        let (id, source) = (header("ce-id").unwrap_or_default(), header("ce-source").unwrap_or_default());
        if version != "1.0" || id.is_empty() || source.is_empty() {
            return Err(invalid("a binary CloudEvent needs ce-specversion 1.0, ce-id and ce-source"));
        }
        let key = format!("ce {}\n{}", percent_decoded(source), percent_decoded(id));
        let kind = header("ce-datacontenttype").unwrap_or("application/json").to_ascii_lowercase();
        let request =
            if kind.contains("protobuf") { protobuf(&raw.payload) } else { from_json(&json(&raw.payload)?) };
        return request.map(|request| Request { key: Some(key), ..request });
    }
    let looks_like_json = raw.payload.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let request = if looks_like_json && !content_type.contains("protobuf") {
        from_json(&json(&raw.payload)?)?
    } else {
        protobuf(&raw.payload)?
    };
    Ok(Request { key: own_key.or(request.key), ..request })
}

fn json(payload: &[u8]) -> Result<Value> {
    serde_json::from_slice(payload).map_err(|error| invalid(format!("the message is not JSON: {error}")))
}

fn from_json(data: &Value) -> Result<Request> {
    if data.get("Records").is_some() {
        return notification(data);
    }
    let Some(fields) = data.as_object() else {
        return Err(invalid(
            r#"the event's data must be a JSON object such as {"source": "s3://bucket/key"}"#,
        ));
    };
    let mut request = Request {
        source: String::new(),
        name: String::new(),
        profile: String::new(),
        lane: String::new(),
        metadata: BTreeMap::new(),
        key: None,
        inside: None,
    };
    for (name, value) in fields {
        if name == "metadata" {
            request.metadata = serde_json::from_value(value.clone())
                .map_err(|_| invalid("metadata must be a JSON object of strings"))?;
            continue;
        }
        let Some(text) = value.as_str() else {
            return Err(invalid(format!("the field {name:?} must be a string")));
        };
        match name.as_str() {
            "source" => text.clone_into(&mut request.source),
            "name" => text.clone_into(&mut request.name),
            "profile" => text.clone_into(&mut request.profile),
            "lane" => text.clone_into(&mut request.lane),
            "idempotency_key" => request.key = Some(ids::sender_key(text)),
            "password" => {
                let message = format!("a document's password belongs in the header {}", password::HEADER);
                return Err(invalid(message));
            }
            other => {
                let message = format!(
                    "there is no field {other:?}; use source, name, profile, lane, metadata, idempotency_key"
                );
                return Err(invalid(message));
            }
        }
    }
    if request.source.is_empty() {
        return Err(invalid(r#"the event names no source; send {"source": "<url>"}"#));
    }
    Ok(request)
}

/// A bucket notification as MinIO and S3 send it.
fn notification(data: &Value) -> Result<Request> {
    let records = data["Records"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [record] = records else {
        return Err(invalid(format!(
            "a bucket notification of {} records; one is understood",
            records.len()
        )));
    };
    let name = record["eventName"].as_str().unwrap_or_default();
    if !name.trim_start_matches("s3:").starts_with("ObjectCreated:") {
        return Err(invalid(format!(
            "the bucket notification tells of {name:?}; only ObjectCreated is an upload"
        )));
    }
    let bucket = record["s3"]["bucket"]["name"].as_str().unwrap_or_default();
    let object = &record["s3"]["object"];
    // Keys are query-escaped here: a space is a plus.
    let escaped = object["key"].as_str().unwrap_or_default();
    let key = percent_decoded(&escaped.replace('+', " "));
    if bucket.is_empty() || key.is_empty() {
        return Err(invalid("the bucket notification names no bucket or no key"));
    }
    let text = |name: &str| object[name].as_str().unwrap_or_default();
    let version = if text("versionId").is_empty() { text("eTag") } else { text("versionId") };
    let mut source =
        url::Url::parse(&format!("s3://{bucket}")).map_err(|_| invalid("the bucket's name is not one"))?;
    source.set_path(&key);
    Ok(Request {
        source: source.into(),
        name: key.rsplit('/').next().unwrap_or_default().to_owned(),
        profile: String::new(),
        lane: String::new(),
        metadata: BTreeMap::new(),
        inside: None,
        key: Some(format!("s3 {bucket}\n{key}\n{version}\n{}", text("sequencer"))),
    })
}

fn protobuf(payload: &[u8]) -> Result<Request> {
    let understood = "the message is neither JSON nor an UploadRequest in protobuf (proto/events.proto)";
    let request = UploadRequest::decode(payload).map_err(|_| invalid(understood))?;
    if request.source.is_empty() {
        return Err(invalid(understood));
    }
    let UploadRequest { parent, depth, allowance, password, .. } = request;
    if !parent.is_empty() && (JobId::parse(&parent).is_none() || depth == 0) {
        return Err(invalid("the parent is not a job, or the depth is nought"));
    }
    Ok(Request {
        inside: (!parent.is_empty()).then_some(Inside { parent, depth, allowance, password }),
        key: (!request.idempotency_key.is_empty()).then(|| ids::sender_key(&request.idempotency_key)),
        source: request.source,
        name: request.name,
        profile: request.profile,
        lane: request.lane,
        metadata: request.metadata,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn raw(headers: &[(&str, &str)], payload: impl Into<Vec<u8>>) -> Raw {
        Raw {
            subject: "millrace.inbox.acme".into(),
            headers: headers.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            payload: payload.into().into(),
            origin: 7,
        }
    }

    #[test]
    fn five_shapes_of_one_event() {
        let plain = parse(&raw(&[], r#"{"source": "s3://b/k.pdf"}"#)).unwrap();
        assert_eq!((plain.source.as_str(), plain.key), ("s3://b/k.pdf", None));

        let structured = json!({"specversion": "1.0", "id": "1", "source": "/crm", "type": "t", "data": {"source": "s3://b/k.pdf", "profile": "summary"}});
        let structured =
            raw(&[("Content-Type", "application/cloudevents+json; charset=utf-8")], structured.to_string());
        let structured = parse(&structured).unwrap();
        assert_eq!((structured.source.as_str(), structured.profile.as_str()), ("s3://b/k.pdf", "summary"));

        let headers = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/crm")];
        let binary = parse(&raw(&headers, r#"{"source": "s3://b/k.pdf", "profile": "summary"}"#)).unwrap();
        assert_eq!(binary, structured, "both modes of a CloudEvent are one event");

        let request = UploadRequest {
            source: "s3://b/k.pdf".into(),
            idempotency_key: "x".into(),
            ..Default::default()
        };
        let proto = parse(&raw(&[], request.encode_to_vec())).unwrap();
        assert_eq!((proto.source.as_str(), proto.key.as_deref()), ("s3://b/k.pdf", Some("key x")));

        let notification = json!({"EventName": "s3:ObjectCreated:Put", "Key": "b/dir/a b.pdf", "Records": [{
            "eventName": "s3:ObjectCreated:Put",
            "s3": {"bucket": {"name": "b"}, "object": {"key": "dir%2Fa+b.pdf", "eTag": "e", "sequencer": "s"}}}]});
        let s3 = parse(&raw(&[], notification.to_string())).unwrap();
        assert_eq!((s3.source.as_str(), s3.name.as_str()), ("s3://b/dir/a%20b.pdf", "a b.pdf"));
        assert_eq!(s3.key.as_deref(), Some("s3 b\ndir/a b.pdf\ne\ns"));
    }

    #[test]
    fn what_is_not_understood_says_what_would_be() {
        for (headers, payload, expected) in [
            (&[][..], "{nonsense", "not JSON"),
            (&[][..], "{}", "names no source"),
            (&[][..], r#"{"sorce": "x"}"#, "no field \"sorce\""),
            (&[][..], r#"{"source": 7}"#, "must be a string"),
            (&[][..], "hello", "neither JSON nor"),
            (&[][..], "", "neither JSON nor"),
            (&[][..], r#"{"Records": []}"#, "0 records"),
            (&[][..], r#"{"Records": [{"eventName": "s3:ObjectRemoved:Delete"}]}"#, "ObjectRemoved"),
            (&[("Content-Type", "application/cloudevents+json")][..], "{}", "specversion"),
            (&[("ce-specversion", "1.0")][..], "{}", "ce-id"),
        ] {
            let error = parse(&raw(headers, payload)).unwrap_err();
            assert_eq!(error.code, ErrorCode::EventInvalid);
            assert!(error.message.contains(expected), "{payload}: {}", error.message);
        }
    }

    #[test]
    fn a_document_inside_another_says_of_which() {
        let request = UploadRequest {
            source: "artifact:acme/intake/00".into(),
            parent: JobId::mint().to_string(),
            depth: 2,
            allowance: 7,
            ..Default::default()
        };
        let found = parse(&raw(&[], request.encode_to_vec())).unwrap().inside.unwrap();
        assert_eq!((found.parent.as_str(), found.depth, found.allowance), (request.parent.as_str(), 2, 7));
        for wrong in [
            UploadRequest { parent: "a job".into(), ..request.clone() },
            UploadRequest { depth: 0, ..request },
        ] {
            let error = parse(&raw(&[], wrong.encode_to_vec())).unwrap_err();
            assert_eq!(error.code, ErrorCode::EventInvalid);
        }
    }

    #[test]
    fn a_key_of_the_sender_s_wins() {
        let keyed = parse(&raw(&[("Idempotency-Key", "a")], r#"{"source": "s3://b/k"}"#)).unwrap();
        assert_eq!(keyed.key.as_deref(), Some("key a"));
    }
}
