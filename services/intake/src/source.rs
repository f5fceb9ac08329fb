//! Opens what an upload event points at: one opener for every kind of source, and nothing that was not allowed.

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use millrace_contract::wire::Claim;
use millrace_contract::{ErrorCode, Service};
use millrace_stage::{Content, ContentStream, Ports, Result, StageError};
use object_store::ObjectStoreExt as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::io::ReaderStream;
use url::Url;

/// Opens sources.
pub struct Opener {
    folders: Vec<PathBuf>,
    buckets: Vec<String>,
    ports: Arc<dyn Ports>,
}

fn error(code: ErrorCode, message: impl Into<String>) -> StageError {
    StageError::new(code, message)
}

impl Opener {
    /// An opener for these folders and buckets.
    ///
    /// # Errors
    /// If an allowed folder does not exist.
    pub fn new(folders: &[PathBuf], buckets: &[String], ports: Arc<dyn Ports>) -> anyhow::Result<Opener> {
        let folders = folders
            .iter()
            .map(|folder| {
                folder
                    .canonicalize()
                    .map_err(|error| anyhow::anyhow!("MILLRACE_ALLOW_DIRS: {}: {error}", folder.display()))
            })
            .collect::<anyhow::Result<_>>()?;
        let buckets = buckets.iter().map(|bucket| bucket.trim_end_matches('/').to_owned()).collect();
        Ok(Opener { folders, buckets, ports })
    }

    /// Opens a source for a tenant. Says what it is called, too.
    ///
    /// # Errors
    /// `source_invalid`, `source_forbidden`, `source_not_found` or `source_unavailable`.
    pub async fn open(&self, tenant: &str, source: &str) -> Result<(String, ContentStream)> {
        let url = Url::parse(source).map_err(|problem| {
            error(
                ErrorCode::SourceInvalid,
                format!("the source is not a URL ({problem}); use file:, s3:, gs:, az: or nats-object:"),
            )
        })?;
        let name = url.path().rsplit('/').next().unwrap_or_default();
        let name = percent_decoded(name);
        let content = match url.scheme() {
            "file" => self.file(&url).await?,
            "s3" | "gs" | "az" => self.bucket(&url).await?,
            "artifact" => self.artifact(tenant, url.path()).await?,
            "nats-object" => {
                let bucket = url.host_str().unwrap_or_default();
                let object = percent_decoded(url.path().trim_start_matches('/'));
                if bucket.is_empty() || object.is_empty() {
                    return Err(error(ErrorCode::SourceInvalid, "use nats-object://<bucket>/<name>"));
                }
                self.ports.object(bucket, &object).await?
            }
            other => {
                let message = format!(
                    "sources of scheme {other:?} are not opened; use file:, s3:, gs:, az: or nats-object:"
                );
                return Err(error(ErrorCode::SourceInvalid, message));
            }
        };
        Ok((name, content))
    }

    /// A document that lies in the artifact store already: one of the tenant's own.
    async fn artifact(&self, tenant: &str, key: &str) -> Result<ContentStream> {
        let (owner, rest) = key.split_once('/').unwrap_or_default();
        let (maker, digest) = rest.split_once('/').unwrap_or_default();
        if owner != tenant || maker != Service::Intake.name() {
            let message = "the artifact is no document of this tenant";
            return Err(error(ErrorCode::SourceForbidden, message));
        }
        let claim = Claim { key: key.to_owned(), sha256: digest.to_owned(), size: 0 };
        Ok(match self.ports.fetch(&claim).await? {
            Content::Memory(bytes) => futures_util::stream::iter([Ok(bytes)]).boxed(),
            Content::File { file, .. } => ReaderStream::new(tokio::fs::File::from_std(file)).boxed(),
        })
    }

    async fn file(&self, url: &Url) -> Result<ContentStream> {
        let path = url
            .to_file_path()
            .map_err(|()| error(ErrorCode::SourceInvalid, "a file: source needs an absolute path"))?;
        let forbidden = || {
            let message = "the file lies outside the folders that MILLRACE_ALLOW_DIRS allows";
            error(ErrorCode::SourceForbidden, message)
        };
        // What lies outside is forbidden whether it exists or not: nobody shall find out by asking.
        let real = match tokio::fs::canonicalize(&path).await {
            Ok(real) => real,
            Err(_) if self.within(&path) => {
                return Err(error(ErrorCode::SourceNotFound, "there is no such file"));
            }
            Err(_) => return Err(forbidden()),
        };
        if !self.within(&real) {
            return Err(forbidden());
        }
        let file = tokio::fs::File::open(&real).await.map_err(|problem| match problem.kind() {
            io::ErrorKind::NotFound => error(ErrorCode::SourceNotFound, "there is no such file"),
            io::ErrorKind::PermissionDenied => error(ErrorCode::SourceForbidden, "the file may not be read"),
            _ => error(ErrorCode::SourceUnavailable, format!("the file: {problem}")),
        })?;
        if !file.metadata().await.is_ok_and(|metadata| metadata.is_file()) {
            return Err(error(ErrorCode::SourceNotFound, "the source is not a file"));
        }
        Ok(ReaderStream::with_capacity(file, 64 * 1024).boxed())
    }

    fn within(&self, path: &Path) -> bool {
        let climbs = path.components().any(|part| part == std::path::Component::ParentDir);
        !climbs && self.folders.iter().any(|folder| path.starts_with(folder))
    }

    async fn bucket(&self, url: &Url) -> Result<ContentStream> {
        let bucket = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
        if !self.buckets.contains(&bucket) {
            let message =
                format!("the bucket {bucket} is not among those that MILLRACE_ALLOW_BUCKETS allows");
            return Err(error(ErrorCode::SourceForbidden, message));
        }
        // Credentials and endpoint come from the environment, as for every other client of that store.
        let settings = std::env::vars()
            .filter(|(name, _)| ["AWS_", "GOOGLE_", "AZURE_"].iter().any(|prefix| name.starts_with(prefix)));
        let settings = settings.map(|(name, value)| (name.to_ascii_lowercase(), value));
        let (store, path) = object_store::parse_url_opts(url, settings)
            .map_err(|problem| error(ErrorCode::SourceInvalid, format!("the source: {problem}")))?;
        let found = store.get(&path).await.map_err(|problem| match problem {
            object_store::Error::NotFound { .. } => {
                error(ErrorCode::SourceNotFound, format!("there is no {path} in {bucket}"))
            }
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                error(
                    ErrorCode::SourceForbidden,
                    format!("the store does not let us read {path} in {bucket}"),
                )
            }
            _ => error(ErrorCode::SourceUnavailable, format!("{bucket} does not answer")),
        })?;
        Ok(found.into_stream().map_ok(Bytes::from).map_err(io::Error::other).boxed())
    }
}

/// `%20` and its like.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = |byte: u8| (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (first, after) {
            (b'%', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                bytes.push(hex(*high).unwrap_or_default() * 16 + hex(*low).unwrap_or_default());
                rest = after;
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_decoding() {
        assert_eq!(percent_decoded("a%20b%2Fc%C3%A9"), "a b/cé");
        assert_eq!(percent_decoded("100%"), "100%");
        assert_eq!(percent_decoded("%zz"), "%zz");
    }
}
