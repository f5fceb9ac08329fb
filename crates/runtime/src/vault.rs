//! Wrapped data keys, in a key-value bucket of their own: deleting one erases what it opens.

use crate::broker::{Broker, PublishFault};
use async_nats::HeaderMap;
use futures_util::StreamExt as _;
use millrace_contract::ErrorCode;
use millrace_contract::subject::{VAULT, VAULT_STREAM};
use millrace_contract::wire::WrappedKey;
use millrace_stage::{Result, StageError};
use prost::Message as _;

/// Reads and writes the bucket.
#[derive(Clone)]
pub struct Vault {
    broker: Broker,
}

/// A data key as the bucket holds it.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Whose document it is of.
    pub tenant: String,
    /// Its id.
    pub id: String,
    /// Names this state of it: a write must follow it.
    pub revision: u64,
    /// The key.
    pub key: WrappedKey,
}

fn away(error: impl std::fmt::Display) -> StageError {
    StageError::new(ErrorCode::StorageUnavailable, format!("the vault: {error}"))
}

impl Vault {
    /// The bucket behind a connection.
    pub fn new(broker: &Broker) -> Vault {
        Vault { broker: broker.clone() }
    }

    /// Writes a data key if its entry still is at revision `after` (0: if there is none); says whether it was.
    ///
    /// # Errors
    /// If the bucket does not answer.
    pub async fn write(&self, tenant: &str, id: &str, key: &WrappedKey, after: u64) -> Result<bool> {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Expected-Last-Subject-Sequence", after.to_string());
        let to = format!("{VAULT}.{tenant}.{id}");
        match self.broker.publish(&to, headers, key.encode_to_vec().into()).await {
            Ok(_) => Ok(true),
            Err(PublishFault::Conflict) => Ok(false),
            Err(error) => Err(away(error)),
        }
    }

    /// The data key of that id, unless it was erased.
    ///
    /// # Errors
    /// If the bucket does not answer.
    pub async fn read(&self, tenant: &str, id: &str) -> Result<Option<Kept>> {
        let subject = format!("{VAULT}.{tenant}.{id}");
        let found = self.broker.last(VAULT_STREAM, &subject).await.map_err(away)?;
        found.map(|found| decode(tenant, id, found.sequence, &found.payload)).transpose()
    }

    /// Every data key, or those of one tenant.
    ///
    /// # Errors
    /// If the bucket does not answer.
    pub async fn all(&self, tenant: Option<&str>) -> Result<Vec<Kept>> {
        let stream = self.broker.js.get_stream(VAULT_STREAM).await.map_err(away)?;
        let filter = format!("{VAULT}.{}.>", tenant.unwrap_or("*"));
        let mut subjects = stream.info_with_subjects(filter).await.map_err(away)?;
        let mut all = Vec::new();
        while let Some(subject) = subjects.next().await {
            let (subject, _) = subject.map_err(away)?;
            let key = subject.strip_prefix(VAULT).and_then(|key| key.trim_start_matches('.').split_once('.'));
            let Some((tenant, id)) = key else { continue };
            all.extend(self.read(tenant, id).await?);
        }
        Ok(all)
    }

    /// Erases a data key: it is overwritten on the server's disk. Says whether there was one.
    ///
    /// # Errors
    /// If the bucket does not answer.
    pub async fn erase(&self, tenant: &str, id: &str) -> Result<bool> {
        let Some(kept) = self.read(tenant, id).await? else { return Ok(false) };
        let stream = self.broker.js.get_stream_no_info(VAULT_STREAM).await.map_err(away)?;
        stream.delete_message(kept.revision).await.map_err(away)
    }
}

fn decode(tenant: &str, id: &str, revision: u64, payload: &[u8]) -> Result<Kept> {
    let corrupt = |error| StageError::new(ErrorCode::ArtifactCorrupt, format!("the vault, {id}: {error}"));
    let key = WrappedKey::decode(payload).map_err(corrupt)?;
    Ok(Kept { tenant: tenant.to_owned(), id: id.to_owned(), revision, key })
}
