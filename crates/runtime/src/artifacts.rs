//! Artifacts behind claim checks, in a stream of their own. A small one is one message, written once and read by
//! direct get (5 x cheaper than an object store at 20 kB); a large one is a head that names its chunks.

use crate::broker::{Broker, PublishFault, header};
use async_nats::HeaderMap;
use bytes::Bytes;
use futures_util::StreamExt as _;
use millrace_contract::artifact::{hex, sha256_hex};
use millrace_contract::subject::ARTIFACT_STREAM;
use millrace_contract::wire::Claim;
use millrace_contract::{ErrorCode, artifact};
use millrace_stage::{Content, ContentStream, Result, StageError};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};

/// Above this an artifact is chunked. The server's default limit on a message is 1 MiB.
const INLINE: usize = 512 * 1024;
const CHUNK: usize = 256 * 1024;

const DIGEST: &str = "millrace-sha256";
const SIZE: &str = "millrace-size";
const CHUNKS: &str = "millrace-chunks";
const UPLOAD: &str = "millrace-upload";

/// The artifact store.
#[derive(Clone)]
pub(crate) struct Artifacts {
    broker: Broker,
}

fn subject(key: &str) -> String {
    format!("millrace.artifact.{}", key.replace('/', "."))
}

fn away(error: impl std::fmt::Display) -> StageError {
    StageError::new(ErrorCode::StorageUnavailable, format!("the artifact store: {error}"))
}

impl Artifacts {
    pub(crate) fn new(broker: Broker) -> Artifacts {
        Artifacts { broker }
    }

    /// Stores bytes under a key, unless something is there already: then that is what the claim means.
    pub(crate) async fn put(&self, key: &str, bytes: Bytes) -> Result<Claim> {
        let claim = Claim { key: key.to_owned(), sha256: sha256_hex(&bytes), size: bytes.len() as u64 };
        if bytes.len() <= INLINE {
            return self.head(claim, None, bytes).await;
        }
        // In slices, of which none is a copy.
        let size = bytes.len();
        let slice = move |at: usize| Ok(bytes.slice(at..size.min(at + CHUNK)));
        let stream = futures_util::stream::iter((0..size).step_by(CHUNK).map(slice));
        let (upload, chunks, _) = self.upload(Box::pin(stream), u64::MAX).await?;
        self.head(claim, Some((&upload, chunks)), Bytes::new()).await
    }

    /// Stores what a stage leaves, as [`Artifacts::put`] does; and whether that is what lies there now.
    pub(crate) async fn leave(&self, key: &str, content: Content) -> Result<(Claim, bool)> {
        let (ours, claim) = match content {
            Content::File { file, size } if size > INLINE as u64 => {
                let (upload, chunks, whole) = self.upload(pieces(file), u64::MAX).await?;
                let ours = whole.sha256.clone();
                let claim = Claim { key: key.to_owned(), ..whole };
                (ours, self.head(claim, Some((&upload, chunks)), Bytes::new()).await?)
            }
            small => {
                let bytes = small.into_bytes().map_err(away)?;
                (sha256_hex(&bytes), self.put(key, bytes).await?)
            }
        };
        let same = claim.sha256 == ours;
        Ok((claim, same))
    }

    /// Stores a stream of bytes under its own digest.
    pub(crate) async fn put_stream(
        &self,
        tenant: &str,
        maker: &str,
        content: ContentStream,
        limit: u64,
    ) -> Result<Claim> {
        let mut content = content;
        // What fits into one message needs no chunks; so look at that much first.
        let mut first = Vec::new();
        while first.len() <= INLINE {
            match content.next().await {
                Some(Ok(bytes)) => first.extend_from_slice(&bytes),
                Some(Err(error)) => return Err(interrupted(&error)),
                None => {
                    too_large(first.len() as u64, limit)?;
                    let key = artifact::key(tenant, maker, &sha256_hex(&first));
                    return self.put(&key, first.into()).await;
                }
            }
            too_large(first.len() as u64, limit)?;
        }
        let whole = futures_util::stream::once(async move { Ok(Bytes::from(first)) }).chain(content);
        let (upload, chunks, claim) = self.upload(Box::pin(whole), limit).await?;
        let claim = Claim { key: artifact::key(tenant, maker, &claim.sha256), ..claim };
        let stored = self.head(claim, Some((&upload, chunks)), Bytes::new()).await?;
        Ok(stored)
    }

    /// Writes chunks; returns the upload they belong to, how many, and digest and size of the whole.
    async fn upload(&self, mut content: ContentStream, limit: u64) -> Result<(String, u32, Claim)> {
        let upload = hex(&rand::random::<[u8; 16]>());
        let (mut hash, mut size, mut chunks) = (Sha256::new(), 0u64, 0u32);
        let mut buffer = bytes::BytesMut::with_capacity(CHUNK * 2);
        let written: Result<()> = async {
            loop {
                let next = content.next().await;
                let ended = next.is_none();
                if let Some(bytes) = next {
                    let bytes = bytes.map_err(|error| interrupted(&error))?;
                    size += bytes.len() as u64;
                    too_large(size, limit)?;
                    hash.update(&bytes);
                    buffer.extend_from_slice(&bytes);
                }
                while buffer.len() >= CHUNK || (ended && !buffer.is_empty()) {
                    let chunk = buffer.split_to(buffer.len().min(CHUNK)).freeze();
                    let to = format!("millrace.chunk.{upload}.{chunks}");
                    self.broker.publish(&to, HeaderMap::new(), chunk).await.map_err(away)?;
                    chunks += 1;
                }
                if ended {
                    return Ok(());
                }
            }
        }
        .await;
        if let Err(error) = written {
            self.forget(&upload).await;
            return Err(error);
        }
        Ok((upload, chunks, Claim { key: String::new(), sha256: hex(&hash.finalize()), size }))
    }

    async fn head(&self, claim: Claim, chunks: Option<(&str, u32)>, body: Bytes) -> Result<Claim> {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Expected-Last-Subject-Sequence", "0");
        headers.insert(DIGEST, claim.sha256.as_str());
        headers.insert(SIZE, claim.size.to_string());
        if let Some((upload, count)) = chunks {
            headers.insert(UPLOAD, upload);
            headers.insert(CHUNKS, count.to_string());
        }
        match self.broker.publish(&subject(&claim.key), headers, body).await {
            Ok(_) => Ok(claim),
            Err(PublishFault::Conflict) => {
                if let Some((upload, _)) = chunks {
                    self.forget(upload).await;
                }
                self.find(&claim.key).await?.ok_or_else(|| away("an artifact came and went"))
            }
            Err(error) => Err(away(error)),
        }
    }

    /// Chunks of an upload that became nothing.
    async fn forget(&self, upload: &str) {
        let filter = format!("millrace.chunk.{upload}.>");
        if let Ok(stream) = self.broker.js.get_stream_no_info(ARTIFACT_STREAM).await {
            // Best effort: what stays is removed by the stream's age.
            if let Err(error) = stream.purge().filter(filter).await {
                tracing::debug!(%error, upload, "chunks stay until they are too old");
            }
        }
    }

    /// The claim on what lies under a key, if anything does.
    pub(crate) async fn find(&self, key: &str) -> Result<Option<Claim>> {
        Ok(self.look(key).await?.map(|(claim, _, _)| claim))
    }

    async fn look(&self, key: &str) -> Result<Option<(Claim, Option<(String, u32)>, Bytes)>> {
        let Some(found) = self.broker.last(ARTIFACT_STREAM, &subject(key)).await.map_err(away)? else {
            return Ok(None);
        };
        let headers = Some(&found.headers);
        let claim = Claim {
            key: key.to_owned(),
            sha256: header(headers, DIGEST).unwrap_or_default().to_owned(),
            size: header(headers, SIZE).and_then(|size| size.parse().ok()).unwrap_or_default(),
        };
        let chunks = header(headers, CHUNKS).and_then(|count| count.parse().ok());
        let chunks = header(headers, UPLOAD).map(str::to_owned).zip(chunks);
        Ok(Some((claim, chunks, found.payload)))
    }

    /// What lies under a key.
    pub(crate) async fn open(&self, key: &str) -> Result<Option<(Claim, Content)>> {
        match self.look(key).await? {
            None => Ok(None),
            Some((claim, None, body)) => Ok(Some((claim, Content::Memory(body)))),
            Some((claim, Some(_), _)) => {
                let content = self.fetch(&claim).await?;
                Ok(Some((claim, content)))
            }
        }
    }

    /// The same in memory, where it fits.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<(Claim, Bytes)>> {
        let Some((claim, content)) = self.open(key).await? else { return Ok(None) };
        Ok(Some((claim, content.into_bytes().map_err(away)?)))
    }

    /// Redeems a claim and checks the digest.
    pub(crate) async fn fetch(&self, claim: &Claim) -> Result<Content> {
        let Some((found, chunks, body)) = self.look(&claim.key).await? else {
            let message = format!("{} is not in the artifact store (any more)", claim.key);
            return Err(StageError::new(ErrorCode::ArtifactMissing, message));
        };
        let corrupt = || {
            let message = format!("{} does not have the digest that the claim names", claim.key);
            StageError::new(ErrorCode::ArtifactCorrupt, message)
        };
        if found.sha256 != claim.sha256 {
            return Err(corrupt());
        }
        let Some((upload, count)) = chunks else {
            return if sha256_hex(&body) == claim.sha256 {
                Ok(Content::Memory(body))
            } else {
                Err(corrupt())
            };
        };
        let mut file = tempfile::tempfile().map_err(away)?;
        let mut hash = Sha256::new();
        for chunk in 0..count {
            let from = format!("millrace.chunk.{upload}.{chunk}");
            let Some(chunk) = self.broker.last(ARTIFACT_STREAM, &from).await.map_err(away)? else {
                let message = format!("chunk {chunk} of {} is gone", claim.key);
                return Err(StageError::new(ErrorCode::ArtifactMissing, message));
            };
            hash.update(&chunk.payload);
            file.write_all(&chunk.payload).map_err(away)?;
        }
        if hex(&hash.finalize()) != claim.sha256 {
            return Err(corrupt());
        }
        file.rewind().map_err(away)?;
        Ok(Content::File { file, size: claim.size })
    }
}

/// A file, chunk by chunk from where it stands.
fn pieces(mut file: File) -> ContentStream {
    let next = move || {
        let mut piece = Vec::with_capacity(CHUNK);
        match (&mut file).take(CHUNK as u64).read_to_end(&mut piece) {
            Ok(0) => None,
            Ok(_) => Some(Ok(Bytes::from(piece))),
            Err(error) => Some(Err(error)),
        }
    };
    Box::pin(futures_util::stream::iter(std::iter::from_fn(next)))
}

fn too_large(size: u64, limit: u64) -> Result<()> {
    if size <= limit {
        return Ok(());
    }
    let message = format!("the document is larger than {limit} bytes, the limit of this deployment");
    Err(StageError::new(ErrorCode::DocumentTooLarge, message))
}

fn interrupted(error: &std::io::Error) -> StageError {
    StageError::new(ErrorCode::RequestInvalid, format!("the upload broke off: {error}"))
}
