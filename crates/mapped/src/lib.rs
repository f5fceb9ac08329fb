//! A file as bytes, without a copy: pages of it come into memory as they are read, and leave it when the system wants
//! them. The one place in Millrace with unsafe code.

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// A file that nobody changes, as bytes.
#[derive(Debug)]
pub struct Mapped {
    /// `None` for a file without bytes, of which no system makes a mapping.
    bytes: Option<Mmap>,
    from: usize,
}

impl Mapped {
    /// Maps a regular file from its beginning, wherever it stands.
    ///
    /// The file must be nobody else's: where it is changed or cut off meanwhile, what is read of it changes too, or the
    /// process is ended by `SIGBUS`.
    ///
    /// # Errors
    /// If it is not a regular file, or the address space does not hold it.
    pub fn of(file: &File) -> io::Result<Self> {
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "only a regular file can be mapped"));
        }
        if about.len() == 0 {
            return Ok(Self { bytes: None, from: 0 });
        }
        #[expect(unsafe_code, reason = "there is no other way to read a file without a copy of it")]
        // SAFETY: the bytes must not change while they are borrowed. Callers map documents in files without a name,
        // which were written to their end before and which no other process can open; a mistake there shows as changed
        // bytes or ends the process, which reads one document and is expected to die of it.
        let bytes = unsafe { Mmap::map(file) }?;
        Ok(Self { bytes: Some(bytes), from: 0 })
    }

    /// The same without its first bytes.
    #[must_use]
    pub fn skip(self, bytes: usize) -> Self {
        Self { from: (self.from + bytes).min(self.len()), ..self }
    }

    fn len(&self) -> usize {
        self.bytes.as_ref().map_or(0, |bytes| bytes.len())
    }
}

impl std::ops::Deref for Mapped {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.bytes.as_ref().map_or(&[], |bytes| &bytes[self.from..])
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek as _, Write as _};

    #[test]
    fn it_is_the_file_from_its_beginning() {
        let mut file = tempfile::tempfile().unwrap();
        assert!(Mapped::of(&file).unwrap().is_empty());
        file.write_all(b"a document").unwrap();
        assert_eq!(file.stream_position().unwrap(), 10);
        let mapped = Mapped::of(&file).unwrap();
        assert_eq!(&*mapped, b"a document");
        let rest = mapped.skip(2);
        assert_eq!(rest.as_ref(), b"document");
        assert!(rest.skip(5).skip(9).is_empty());
    }

    #[test]
    fn a_pipe_is_not_one() {
        let (reader, _writer) = io::pipe().unwrap();
        let pipe = File::from(std::os::fd::OwnedFd::from(reader));
        assert_eq!(Mapped::of(&pipe).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
