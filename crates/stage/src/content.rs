use bytes::Bytes;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::pin::Pin;

/// The bytes behind a claim check: small ones in memory, large ones in an unnamed temporary file, so that a service
/// never holds a whole upload.
#[derive(Debug)]
pub enum Content {
    /// Small.
    Memory(Bytes),
    /// Large; the file has no name and goes with the handle.
    File {
        /// Positioned at the start.
        file: File,
        /// Bytes.
        size: u64,
    },
}

/// Bytes as they arrive.
pub type ContentStream = Pin<Box<dyn futures_util::Stream<Item = io::Result<Bytes>> + Send>>;

impl Content {
    /// Bytes in all.
    pub fn size(&self) -> u64 {
        match self {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::File { size, .. } => *size,
        }
    }

    /// All of it in memory.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn into_bytes(self) -> io::Result<Bytes> {
        match self {
            Content::Memory(bytes) => Ok(bytes),
            Content::File { mut file, size } => {
                let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
                file.rewind()?;
                file.read_to_end(&mut bytes)?;
                Ok(bytes.into())
            }
        }
    }
}
