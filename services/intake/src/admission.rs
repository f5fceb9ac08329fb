//! What every upload goes through, however it came: checks, storing, the job.

use crate::Settings;
use crate::password::{HEADER, Sealer};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use millrace_contract::pages::PAGES;
use millrace_contract::wire::{Claim, Document, Job};
use millrace_contract::{ErrorCode, Pages, ids, subject};
use millrace_media as media;
use millrace_stage::{ContentStream, Ports, Result, StageError};
use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::SpooledTempFile;

/// Metadata that a sender may add.
const METADATA: usize = 32;

pub(crate) struct Admission {
    pub(crate) settings: Settings,
    pub(crate) profiles: Vec<String>,
    pub(crate) sealer: Sealer,
    pub(crate) ports: Arc<dyn Ports>,
}

/// What a sender wishes for a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wishes {
    pub(crate) name: String,
    pub(crate) profile: String,
    pub(crate) lane: String,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Admission {
    /// A job as it begins, if what the sender wishes can be had.
    pub(crate) fn job(&self, id: String, tenant: &str, wishes: &Wishes) -> Result<Job> {
        if !wishes.profile.is_empty() && !self.profiles.contains(&wishes.profile) {
            let message =
                format!("there is no profile {:?}; installed: {}", wishes.profile, self.profiles.join(", "));
            return Err(StageError::new(ErrorCode::ProfileUnknown, message));
        }
        let lane = if wishes.lane.is_empty() { subject::DEFAULT_LANE } else { &wishes.lane };
        ids::token("lane", lane)
            .map_err(|error| StageError::new(ErrorCode::RequestInvalid, error.to_string()))?;
        let long = |text: &str| text.len() > 256;
        if wishes.metadata.len() > METADATA
            || wishes.metadata.iter().any(|(key, value)| long(key) || long(value))
        {
            let message = format!("metadata may have {METADATA} entries of up to 256 bytes");
            return Err(StageError::new(ErrorCode::RequestInvalid, message));
        }
        if let Some(pages) = wishes.metadata.get(PAGES) {
            Pages::read(pages).map_err(|wrong| StageError::new(ErrorCode::PagesInvalid, wrong))?;
        }
        if wishes.metadata.contains_key("password") {
            // Metadata goes into every event and may be shown.
            let message = format!("metadata is no place for a password; send it in the header {HEADER}");
            return Err(StageError::new(ErrorCode::RequestInvalid, message));
        }
        Ok(Job {
            id,
            tenant: tenant.to_owned(),
            run: 1,
            lane: lane.to_owned(),
            profile: wishes.profile.clone(),
            metadata: wishes.metadata.clone(),
            created_at_ms: now_ms(),
            document: Some(Document { name: wishes.name.chars().take(256).collect(), ..Document::default() }),
            ..Job::default()
        })
    }

    /// Looks at the first bytes, then stores the document as it streams in.
    pub(crate) async fn receive(&self, job: &mut Job, content: ContentStream) -> Result<Claim> {
        // Asked again after its end: a short document ends while we look at its first bytes.
        let mut content = content.fuse();
        let mut first = BytesMut::new();
        while first.len() < media::SNIFF_BYTES {
            match content.next().await {
                Some(Ok(bytes)) => first.extend_from_slice(&bytes),
                Some(Err(error)) => {
                    let message = format!("the upload broke off: {error}");
                    return Err(StageError::new(ErrorCode::RequestInvalid, message));
                }
                None => break,
            }
        }
        if first.is_empty() {
            return Err(StageError::new(ErrorCode::DocumentEmpty, "the document has no bytes"));
        }
        let document = job.document.get_or_insert_default();
        let name = Some(document.name.as_str()).filter(|name| !name.is_empty());
        let copy = media::is_container(&first).then(Copy::default);
        if copy.is_none() {
            document.media_type = readable(media::media_type(&first, name))?;
        }
        let whole = futures_util::stream::once(std::future::ready(Ok(Bytes::from(first)))).chain(content);
        let whole: ContentStream = match &copy {
            Some(copy) => copy.of(whole),
            None => Box::pin(whole),
        };
        let claim = self.ports.store(&job.tenant, whole, self.settings.max_upload).await?;
        if let Some(copy) = copy {
            document.media_type = readable(copy.media_type(name)?)?;
        }
        document.size = claim.size;
        document.sha256.clone_from(&claim.sha256);
        Ok(claim)
    }
}

/// The name of a type that can be read.
fn readable(media: media::MediaType) -> Result<String> {
    if matches!(media, media::MediaType::Unsupported(_)) {
        let message = format!("documents of type {media} cannot be read; the README lists what can");
        return Err(StageError::new(ErrorCode::DocumentTypeUnsupported, message));
    }
    Ok(media.to_string())
}

/// A copy of a document that tells what it is only when it is whole: in memory while small, else in a file without a
/// name.
#[derive(Clone)]
struct Copy(Arc<Mutex<SpooledTempFile>>);

impl Default for Copy {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(SpooledTempFile::new(1 << 20))))
    }
}

impl Copy {
    fn file(&self) -> MutexGuard<'_, SpooledTempFile> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same bytes, copied as they pass.
    fn of(&self, content: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> ContentStream {
        let copy = self.clone();
        Box::pin(content.map(move |bytes| {
            let bytes = bytes?;
            copy.file().write_all(&bytes)?;
            Ok(bytes)
        }))
    }

    fn media_type(&self, name: Option<&str>) -> Result<media::MediaType> {
        media::media_type_of(&mut *self.file(), name)
            .map_err(|error| StageError::new(ErrorCode::Internal, format!("the copy of an upload: {error}")))
    }
}

pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
