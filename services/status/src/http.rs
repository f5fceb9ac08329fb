//! `GET /v1/jobs/{id}` and its report. Polling is cheap: an ETag, and 304 while nothing has changed.

use crate::restore::{Refusal, Restorer};
use crate::store::{self, Store};
use crate::tokens::Allowed;
use axum::Router;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use millrace_contract::artifact::sha256_hex;
use millrace_contract::status::{State, Status};
use millrace_contract::wire::fact::Kind;
use millrace_contract::wire::{Report, StageOutput};
use millrace_contract::{ErrorCode, JobId, Service};
use millrace_stage::{Ports, Recorded, Result, StageError};
use prost::Message as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

struct Api {
    store: Arc<Store>,
    ports: Arc<dyn Ports>,
    restorer: Option<Restorer>,
}

pub(crate) fn routes(store: Arc<Store>, ports: Arc<dyn Ports>, restorer: Option<Restorer>) -> Router {
    Router::new()
        .route("/v1/jobs/{id}", get(job))
        .route("/v1/jobs/{id}/report", get(report))
        .fallback(|| async {
            problem(
                StatusCode::NOT_FOUND,
                "not_found",
                "Nothing is served here",
                "see the README for the routes",
            )
        })
        .with_state(Arc::new(Api { store, ports, restorer }))
}

async fn job(Shared(api): Shared<Arc<Api>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match api.status(&id).await {
        Ok(Some(status)) => {
            let body = body(&status);
            let tag = format!("\"{}\"", &sha256_hex(body.to_string().as_bytes())[..16]);
            let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
            let unchanged =
                known.is_some_and(|known| known == "*" || known.split(',').any(|known| known.trim() == tag));
            let cache = [(header::ETAG, tag.as_str()), (header::CACHE_CONTROL, "private, no-cache")];
            let mut response = if unchanged {
                (StatusCode::NOT_MODIFIED, cache).into_response()
            } else {
                (cache, axum::Json(body)).into_response()
            };
            if !status.is_end() {
                response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
            }
            response
        }
        Ok(None) => unknown(&id),
        Err(error) => away(&error),
    }
}

/// How a report is wanted.
#[derive(Debug, Default, Deserialize)]
struct Wanted {
    /// 1: with the personal data in the place of the placeholders.
    #[serde(default)]
    restore: u8,
}

async fn report(
    Shared(api): Shared<Arc<Api>>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let restorer = match (wanted.restore, &api.restorer) {
        (0, _) => None,
        (_, Some(restorer)) => match restorer.allowed(&headers) {
            Some(allowed) => Some((restorer, allowed)),
            // Asked before anything is looked up: whoever may not restore learns nothing of the job either.
            None => return refused(Refusal::NotAllowed),
        },
        (_, None) => return refused(Refusal::NoKeys),
    };
    let restorer = restorer.as_ref().map(|(restorer, allowed)| (*restorer, allowed));
    match api.report(&id, restorer).await {
        Ok(Reported::Ready(report)) if restorer.is_some() => {
            ([(header::CACHE_CONTROL, "no-store")], axum::Json(report)).into_response()
        }
        Ok(Reported::Ready(report)) => axum::Json(report).into_response(),
        Ok(Reported::Refused(refusal)) => refused(refusal),
        Ok(Reported::NotYet(status)) if status.state == State::Unpacked => problem(
            StatusCode::CONFLICT,
            "report_elsewhere",
            "This job has no report",
            "the document is an archive: what was inside are jobs of their own, `children` in this job's status",
        ),
        Ok(Reported::NotYet(status)) if status.is_end() => problem(
            StatusCode::CONFLICT,
            &status.last_error,
            "This job has no report",
            &format!("it ended as {}: {}", store::state(status.state), status.error_message),
        ),
        Ok(Reported::NotYet(status)) => {
            let mut response = problem(
                StatusCode::CONFLICT,
                "report_not_ready",
                "The report is not ready",
                &format!("the job is at {} %: {}", status.progress, status.substage),
            );
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
            response
        }
        Ok(Reported::Unknown) => unknown(&id),
        Err(error) => away(&error),
    }
}

enum Reported {
    Ready(Value),
    NotYet(Box<Status>),
    Unknown,
    Refused(Refusal),
}

impl Api {
    /// From Redis; what Redis has lost is folded from the log again.
    async fn status(&self, id: &str) -> Result<Option<Status>> {
        let Some(id) = JobId::parse(id).map(|id| id.to_string()) else { return Ok(None) };
        if let Some(status) = self.store.get(&id).await? {
            return Ok(Some(status));
        }
        let history = self.ports.history(None, &id).await?;
        if history.is_empty() {
            return Ok(None);
        }
        self.store.learn(&history).await?;
        self.store.get(&id).await
    }

    async fn report(&self, id: &str, restorer: Option<(&Restorer, &Allowed)>) -> Result<Reported> {
        let Some(status) = self.status(id).await? else { return Ok(Reported::Unknown) };
        let tenant = status.job.get("tenant").map_or("", String::as_str);
        if restorer.is_some_and(|(_, allowed)| !allowed.tenant(tenant)) {
            return Ok(Reported::Refused(Refusal::NotAllowed));
        }
        if status.state != State::Completed {
            return Ok(Reported::NotYet(Box::new(status)));
        }
        let history = self.ports.history(None, id).await?;
        let lost = || StageError::new(ErrorCode::ArtifactMissing, "the report is not in the log any more");
        let ended =
            history.iter().rev().find(|recorded| is_completed(recorded, status.run())).ok_or_else(lost)?;
        let claim = ended.event.claims.get(Service::Validation.name()).ok_or_else(lost)?;
        let content = self.ports.fetch(claim).await?;
        let report =
            content.into_bytes().map_err(|error| StageError::new(ErrorCode::Internal, error.to_string()))?;
        let output = StageOutput::decode(report).map_err(|_| lost())?;
        let report = Report::decode(output.body.as_slice()).map_err(|_| lost())?;
        let mut report: Value = serde_json::from_str(&report.json).map_err(|_| lost())?;
        let mut restored = None;
        if let Some((restorer, _)) = restorer {
            match restorer.restore(self.ports.as_ref(), ended, &mut report).await? {
                Ok(done) => restored = Some(done),
                Err(refusal) => return Ok(Reported::Refused(refusal)),
            }
        }
        let mut whole = Map::new();
        whole.insert("job_id".to_owned(), id.into());
        whole.insert("run".to_owned(), status.run().into());
        for name in ["document", "trace_id"] {
            whole.insert(name.to_owned(), status.job.get(name).cloned().into());
        }
        // Not in the report itself: another job with the same document has the same report, and has paid nothing.
        let number =
            |name: &str| status.job.get(name).and_then(|value| value.parse::<u64>().ok()).unwrap_or(0);
        whole.insert("cost_usd".to_owned(), (number("cost_microusd") as f64 / 1e6).into());
        let usage = ["input_tokens", "cached_tokens", "output_tokens"]
            .map(|name| (name.to_owned(), number(name).into()));
        whole.insert("usage".to_owned(), Value::Object(usage.into_iter().collect()));
        if let Value::Object(fields) = report {
            whole.extend(fields);
        }
        if let Some(restored) = restored {
            tracing::info!(job = id, values = restored.values, "a report was read with its personal data");
            let told = json!({ "values": restored.values, "refused": restored.refused });
            whole.insert("restored".to_owned(), told);
        }
        Ok(Reported::Ready(whole.into()))
    }
}

fn is_completed(recorded: &Recorded, run: u32) -> bool {
    let completed =
        recorded.event.fact.as_ref().is_some_and(|fact| matches!(fact.kind, Some(Kind::Completed(_))));
    completed && recorded.event.job.as_ref().is_some_and(|job| job.run == run)
}

/// A status as it is served. Numbers are numbers; what is not known is left out.
fn body(status: &Status) -> Value {
    let mut body = Map::new();
    for (name, value) in &status.job {
        let number =
            ["run", "round", "size", "pages", "tokens", "input_tokens", "cached_tokens", "output_tokens"]
                .contains(&name.as_str());
        match name.as_str() {
            "created_at_ms" => {
                body.insert("created_at".to_owned(), store::time(value.parse().unwrap_or_default()).into());
            }
            "children" => {
                body.insert(name.clone(), value.split(' ').collect::<Vec<_>>().into());
            }
            "cost_microusd" => {
                let micro: f64 = value.parse().unwrap_or_default();
                body.insert("cost_usd".to_owned(), (micro / 1e6).into());
            }
            "signals" => {
                body.insert(name.clone(), value.split(' ').collect::<Vec<_>>().into());
            }
            _ if number => {
                body.insert(name.clone(), value.parse::<u64>().map_or(Value::Null, Value::from));
            }
            _ => {
                body.insert(name.clone(), value.clone().into());
            }
        }
    }
    let error = (!status.last_error.is_empty()).then(|| {
        json!({
            "code": status.last_error,
            "title": ErrorCode::named(&status.last_error).title(),
            "detail": status.error_message,
            "type": format!("https://millrace.dev/errors/{}", status.last_error),
        })
    });
    for (name, value) in [
        ("status", Value::from(store::state(status.state))),
        ("done", status.is_end().into()),
        ("current_stage", status.current_stage.clone().into()),
        ("progress", status.progress.into()),
        ("substage", status.substage.clone().into()),
        (
            "last_error",
            if status.last_error.is_empty() { Value::Null } else { status.last_error.clone().into() },
        ),
        ("error", error.unwrap_or(Value::Null)),
        ("updated_at", store::time(status.updated_at_ms).into()),
    ] {
        body.insert(name.to_owned(), value);
    }
    if status.state == State::Completed {
        let id = status.job.get("job_id").map_or("", String::as_str);
        body.insert("report_url".to_owned(), format!("/v1/jobs/{id}/report").into());
    }
    body.into()
}

fn refused(refusal: Refusal) -> Response {
    let (status, code, title, detail) = match refusal {
        Refusal::NotAllowed => (
            StatusCode::FORBIDDEN,
            "restore_forbidden",
            "Personal data is shown only to those who may see it",
            "show a restore token of the job's tenant: Authorization: Bearer ...; without restore=1 the report has placeholders",
        ),
        Refusal::NoKeys => (
            StatusCode::FORBIDDEN,
            "restore_off",
            "This deployment restores no personal data",
            "the status service has no vault key (MILLRACE_VAULT_KEY_FILE)",
        ),
        Refusal::Gone => (
            StatusCode::GONE,
            "values_gone",
            "The values behind the placeholders are gone",
            "they were erased, are older than the artifacts are kept, or no vault was configured when the document was read",
        ),
    };
    problem(status, code, title, detail)
}

fn unknown(id: &str) -> Response {
    let id: String = id.chars().take(64).collect();
    problem(
        StatusCode::NOT_FOUND,
        "job_unknown",
        "There is no such job",
        &format!("no event of {id:?} is in the log"),
    )
}

fn away(error: &StageError) -> Response {
    let status = match error.code {
        ErrorCode::StorageUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::ArtifactMissing => StatusCode::GONE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    problem(status, error.code.name(), error.code.title(), &error.message)
}

/// RFC 9457.
fn problem(status: StatusCode, code: &str, title: &str, detail: &str) -> Response {
    let body = json!({
        "type": format!("https://millrace.dev/errors/{code}"),
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
        "code": code,
    });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}
