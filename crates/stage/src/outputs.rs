use crate::Content;
use bytes::Bytes;
use millrace_contract::artifact::Artifact;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::marker::PhantomData;
use tempfile::SpooledTempFile;

/// Up to here what is written part by part stays in memory.
const IN_MEMORY: usize = 256 << 10;

/// What a stage leaves: an artifact, or one that was [`Written`].
pub trait Outputs: Send + 'static {
    /// Which artifact.
    type Artifact: Artifact;
    /// Its bytes as stored.
    ///
    /// # Errors
    /// If they cannot be read back from where they were written.
    fn into_content(self) -> io::Result<Content>;
}

impl<A: Artifact> Outputs for A {
    type Artifact = A;

    fn into_content(self) -> io::Result<Content> {
        Ok(Content::Memory(self.encode().into()))
    }
}

/// An artifact that is written part by part, so that nobody ever holds all of it. Parts of a message, one after the other,
/// are the message (Protocol Buffers, "Last One Wins"); its bytes are those of the whole if the parts come in the order
/// of its fields.
#[derive(Debug)]
pub struct Written<A> {
    file: SpooledTempFile,
    size: u64,
    of: PhantomData<fn() -> A>,
}

impl<A> Default for Written<A> {
    fn default() -> Self {
        Self { file: SpooledTempFile::new(IN_MEMORY), size: 0, of: PhantomData }
    }
}

impl<A: Artifact> Written<A> {
    /// Writes the next part.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn part(&mut self, part: &A) -> io::Result<()> {
        let bytes = part.encode();
        self.size += bytes.len() as u64;
        self.file.write_all(&bytes)
    }
}

impl<A: Artifact> Outputs for Written<A> {
    type Artifact = A;

    fn into_content(mut self) -> io::Result<Content> {
        self.file.rewind()?;
        if self.file.is_rolled() {
            return Ok(Content::File { file: self.file.into_file()?, size: self.size });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(self.size).unwrap_or(0));
        self.file.read_to_end(&mut bytes)?;
        Ok(Content::Memory(Bytes::from(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_contract::artifact::ExtractedText;
    use millrace_contract::wire::{Block, DocumentText, Heading, Page};

    #[test]
    fn parts_are_the_whole() {
        for letters in [10, 100_000] {
            let page = |number| Page {
                number,
                blocks: vec![Block { number: 1, text: "x".repeat(letters), ..Block::default() }],
                ..Page::default()
            };
            let heading = Heading { level: 1, title: "One".into(), page: 1 };
            let rest = DocumentText { outline: vec![heading], ..DocumentText::default() };
            let whole = DocumentText { pages: (1..=5).map(page).collect(), ..rest.clone() };
            let mut written = Written::<ExtractedText>::default();
            for page in whole.pages.clone() {
                let pages = vec![page];
                written.part(&ExtractedText(DocumentText { pages, ..DocumentText::default() })).unwrap();
            }
            written.part(&ExtractedText(rest)).unwrap();
            let content = written.into_content().unwrap();
            assert_eq!(matches!(content, Content::File { .. }), letters > 10);
            let at_once = ExtractedText(whole).into_content().unwrap();
            assert_eq!(content.size(), at_once.size());
            assert_eq!(content.into_bytes().unwrap(), at_once.into_bytes().unwrap());
        }
    }
}
