//! Bytes that arrive in pieces and wait: in memory while few, else in a file without a name.

use std::io::{self, Read as _, Seek as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use millrace_stage::Content;
use tempfile::SpooledTempFile;

/// Up to here they stay in memory. A document may hold a hundred others.
const IN_MEMORY: usize = 64 << 10;

/// Bytes that wait. Copies are of the place, not of the bytes.
#[derive(Debug, Clone)]
pub struct Spool {
    file: Arc<Mutex<SpooledTempFile>>,
    size: u64,
}

impl Default for Spool {
    fn default() -> Self {
        Self { file: Arc::new(Mutex::new(SpooledTempFile::new(IN_MEMORY))), size: 0 }
    }
}

impl PartialEq for Spool {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.file, &other.file)
    }
}

impl Eq for Spool {}

impl Spool {
    /// Bytes in all.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a piece.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn push(&mut self, piece: &[u8]) -> io::Result<()> {
        self.size += piece.len() as u64;
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(piece)
    }

    /// What has come together.
    ///
    /// # Errors
    /// If it cannot be read back.
    pub fn content(&self) -> io::Result<Content> {
        let mut spooled = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        spooled.rewind()?;
        if !spooled.is_rolled() {
            let mut bytes = Vec::new();
            spooled.read_to_end(&mut bytes)?;
            return Ok(Content::Memory(bytes.into()));
        }
        let mut file = tempfile::tempfile()?;
        io::copy(&mut *spooled, &mut file)?;
        file.rewind()?;
        Ok(Content::File { file, size: self.size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_bytes_come_back_whole() {
        for pieces in [1, 3, 40] {
            let mut spool = Spool::default();
            let piece = vec![7; 10_000];
            for _ in 0..pieces {
                spool.push(&piece).unwrap();
            }
            assert_eq!(spool.size(), pieces * 10_000);
            for _ in 0..2 {
                let content = spool.content().unwrap();
                assert_eq!(matches!(content, Content::File { .. }), pieces == 40);
                assert_eq!(content.size(), spool.size());
                assert!(content.into_bytes().unwrap().iter().all(|&byte| byte == 7));
            }
        }
    }
}
