//! `POST /v1/jobs`: a document in, a job out, 202 at once.

use crate::admission::{Admission, Wishes};
use crate::password;
use axum::Router;
use axum::body::Body;
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{FromRequest as _, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use futures_util::{StreamExt as _, TryStreamExt as _};
use millrace_contract::wire::{Claim, Event, Fact, Job, Uploaded};
use millrace_contract::{ErrorCode, JobId, Service};
use millrace_stage::{ContentStream, Result, StageError};
use serde_json::json;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// When to look at a new job's status for the first time, seconds.
const LOOK_AGAIN: &str = "1";

pub(crate) fn routes(admission: Arc<Admission>) -> Router {
    Router::new()
        .route("/v1/jobs", post(submit))
        .method_not_allowed_fallback(|| async {
            problem(
                StatusCode::METHOD_NOT_ALLOWED,
                ErrorCode::RequestInvalid,
                "send POST with the document as body",
                "",
            )
        })
        .layer(axum::extract::DefaultBodyLimit::disable())
        .with_state(admission)
}

async fn submit(
    State(admission): State<Arc<Admission>>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    match accept(&admission, &query, &headers, request).await {
        Ok(job) => accepted(&admission, &job),
        Err(error) => {
            // The document may not have been read to its end: who sends the next one over this connection would be
            // cut off in the middle instead of answered.
            let hang_up = [(header::CONNECTION, "close")];
            (hang_up, refuse(&error, &admission.ports.trace_id())).into_response()
        }
    }
}

async fn accept(
    admission: &Admission,
    query: &BTreeMap<String, String>,
    headers: &HeaderMap,
    request: Request,
) -> Result<Job> {
    let wishes = wishes(query)?;
    let tenant = &admission.settings.tenant;
    let id = match headers.get("idempotency-key").map(HeaderValue::to_str) {
        Some(Ok(key)) if (1..=255).contains(&key.len()) => JobId::derived(tenant, key),
        Some(_) => return Err(invalid("Idempotency-Key must be 1 to 255 printable characters")),
        None => JobId::mint(),
    };
    let header = headers.get(password::HEADER).map(HeaderValue::as_bytes);
    let password =
        admission.sealer.seal(header, tenant.as_str(), &id.to_string(), ErrorCode::RequestInvalid)?;
    let form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("multipart/form-data"));
    if let Some(length) =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
        && length > admission.settings.max_upload
        && !form
    {
        // Say so before the body is sent.
        let limit = admission.settings.max_upload;
        let message = format!("the document is larger than {limit} bytes, the limit of this deployment");
        return Err(StageError::new(ErrorCode::DocumentTooLarge, message));
    }
    let (job, claim) = if form {
        let multipart =
            Multipart::from_request(request, &()).await.map_err(|error| invalid(&error.body_text()))?;
        from_form(admission, id, wishes, multipart).await?
    } else {
        let mut job = admission.job(id.to_string(), tenant.as_str(), &wishes)?;
        let claim = admission.receive(&mut job, stream(request.into_body())).await?;
        (job, claim)
    };
    let event = Event {
        job: Some(job.clone()),
        claims: BTreeMap::from([(Service::Intake.name().to_owned(), claim)]),
        fact: Some(Fact { kind: Some(Uploaded { source: "http".to_owned(), password }.into()) }),
        ..Event::default()
    };
    admission.ports.say(event).await?;
    Ok(job)
}

/// A form: `profile`, `lane`, `metadata` (JSON) before the `file`.
async fn from_form(
    admission: &Admission,
    id: JobId,
    mut wishes: Wishes,
    mut form: Multipart,
) -> Result<(Job, Claim)> {
    let broken = |error: axum::extract::multipart::MultipartError| invalid(&error.body_text());
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if field.file_name().is_some() || name == "file" {
            if wishes.name.is_empty() {
                wishes.name = field.file_name().unwrap_or_default().to_owned();
            }
            let mut job = admission.job(id.to_string(), admission.settings.tenant.as_str(), &wishes)?;
            let claim = receive_field(admission, &mut job, field).await?;
            return Ok((job, claim));
        }
        let value = field.text().await.map_err(broken)?;
        match name.as_str() {
            "profile" => wishes.profile = value,
            "lane" => wishes.lane = value,
            "name" => wishes.name = value,
            "metadata" => {
                wishes.metadata = serde_json::from_str(&value).map_err(|error| {
                    invalid(&format!("metadata must be a JSON object of strings: {error}"))
                })?;
            }
            other => {
                return Err(invalid(&format!(
                    "there is no form field {other:?}; use profile, lane, name, metadata, file"
                )));
            }
        }
    }
    Err(invalid("the form has no file; send the document as the last field, named file"))
}

async fn receive_field(admission: &Admission, job: &mut Job, mut field: Field<'_>) -> Result<Claim> {
    // A field borrows the form, and what is stored must not: a channel of one chunk stands between them.
    let (sender, receiver) = tokio::sync::mpsc::channel::<io::Result<bytes::Bytes>>(1);
    let pump = async move {
        loop {
            let chunk = match field.chunk().await {
                Ok(Some(chunk)) => Ok(chunk),
                Ok(None) => return,
                Err(error) => Err(io::Error::other(error.body_text())),
            };
            let last = chunk.is_err();
            if sender.send(chunk).await.is_err() || last {
                return;
            }
        }
    };
    let chunks = futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    let content: ContentStream = Box::pin(chunks);
    let (received, ()) = tokio::join!(admission.receive(job, content), pump);
    received
}

fn stream(body: Body) -> ContentStream {
    body.into_data_stream().map_err(io::Error::other).boxed()
}

fn wishes(query: &BTreeMap<String, String>) -> Result<Wishes> {
    let mut wishes = Wishes::default();
    for (key, value) in query {
        match key.as_str() {
            "profile" => wishes.profile.clone_from(value),
            "lane" => wishes.lane.clone_from(value),
            "name" => wishes.name.clone_from(value),
            other => match other.strip_prefix("metadata.") {
                Some(name) if !name.is_empty() => {
                    wishes.metadata.insert(name.to_owned(), value.clone());
                }
                _ => {
                    let message =
                        format!("there is no parameter {other:?}; use profile, lane, name, metadata.<key>");
                    return Err(invalid(&message));
                }
            },
        }
    }
    Ok(wishes)
}

fn accepted(admission: &Admission, job: &Job) -> Response {
    let url = format!("{}/v1/jobs/{}", admission.settings.status_url.trim_end_matches('/'), job.id);
    let body = json!({ "job_id": job.id, "status": "queued", "status_url": url });
    let headers = [(header::LOCATION, url.as_str()), (header::RETRY_AFTER, LOOK_AGAIN)];
    (StatusCode::ACCEPTED, headers, axum::Json(body)).into_response()
}

fn invalid(message: &str) -> StageError {
    StageError::new(ErrorCode::RequestInvalid, message)
}

fn refuse(error: &StageError, trace_id: &str) -> Response {
    let status = match error.code {
        ErrorCode::DocumentTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::DocumentTypeUnsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::StorageUnavailable | ErrorCode::SourceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    problem(status, error.code, &error.message, trace_id)
}

/// RFC 9457.
fn problem(status: StatusCode, code: ErrorCode, detail: &str, trace_id: &str) -> Response {
    let body = json!({
        "type": format!("https://millrace.dev/errors/{code}"),
        "title": code.title(),
        "status": status.as_u16(),
        "detail": detail,
        "code": code.name(),
        "trace_id": trace_id,
    });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_wishes_and_typos_are_told() {
        let query = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>()
        };
        let found = wishes(&query(&[("profile", "summary"), ("metadata.kind", "invoice")])).unwrap();
        assert_eq!((found.profile.as_str(), found.metadata["kind"].as_str()), ("summary", "invoice"));
        let error = wishes(&query(&[("profil", "summary")])).unwrap_err();
        assert!(error.message.contains("profil"), "{}", error.message);
    }
}
