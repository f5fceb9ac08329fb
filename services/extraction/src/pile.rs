//! Pages that wait until the last of them has come: in memory while they are few, else in a file without a name. What is
//! asked of all of them is noted apart, so that no more than one page is ever held.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use prost::Message as _;
use tempfile::SpooledTempFile;

use crate::document::{Page, Text};
use crate::frames::PageFrame;

/// Up to here they stay in memory.
const IN_MEMORY: usize = 256 << 10;

/// Pages of one document, in order.
#[derive(Debug)]
pub struct Pile {
    file: SpooledTempFile,
    notes: Vec<Note>,
    end: u64,
}

/// What is known of a page without fetching it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// See [`Page::number`].
    pub number: u32,
    /// Whether there is a word on it.
    pub blank: bool,
    /// See [`Page::is_scanned`].
    pub scanned: bool,
    /// See [`Page::needs_recognition`].
    pub unread: bool,
    /// See [`Page::recognised`].
    pub recognised: bool,
    /// See [`Page::lost`].
    pub lost: bool,
    /// See [`Page::text_bytes`].
    pub text_bytes: u64,
    /// Blocks that nobody sees.
    pub hidden: u32,
    at: u64,
    length: u32,
}

impl Default for Pile {
    fn default() -> Self {
        Self { file: SpooledTempFile::new(IN_MEMORY), notes: Vec::new(), end: 0 }
    }
}

impl Pile {
    /// Puts a page on top.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn push(&mut self, page: Page) -> io::Result<()> {
        let note = self.write(page)?;
        self.notes.push(note);
        Ok(())
    }

    /// Puts a page in the place of another one, counted from 0.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn replace(&mut self, index: usize, page: Page) -> io::Result<()> {
        // What was there stays in the file: only pages whose text is recognised are replaced, and they are short.
        let note = self.write(page)?;
        self.notes[index] = note;
        Ok(())
    }

    fn write(&mut self, page: Page) -> io::Result<Note> {
        let mut note = Note {
            number: page.number,
            blank: page.words() == 0,
            scanned: page.is_scanned(),
            unread: page.needs_recognition(),
            recognised: page.recognised,
            lost: page.lost,
            text_bytes: page.text_bytes() as u64,
            hidden: u32::try_from(page.hidden.len()).unwrap_or(u32::MAX),
            at: self.end,
            length: 0,
        };
        let bytes = PageFrame::from(page).encode_to_vec();
        note.length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&bytes)?;
        self.end += u64::from(note.length);
        Ok(note)
    }

    /// Fetches a page, counted from 0.
    ///
    /// # Errors
    /// If it cannot be read back.
    pub fn page(&mut self, index: usize) -> io::Result<Page> {
        let note = self.notes[index];
        let mut bytes = vec![0; note.length as usize];
        self.file.seek(SeekFrom::Start(note.at))?;
        self.file.read_exact(&mut bytes)?;
        let frame = PageFrame::decode(bytes.as_slice()).map_err(io::Error::other)?;
        let page = Page::try_from(frame).map_err(io::Error::other)?;
        Ok(Page { recognised: note.recognised, lost: note.lost, ..page })
    }

    /// What is known of all of them.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.notes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    /// The number of the page on top; 0 without any.
    #[must_use]
    pub fn last(&self) -> u32 {
        self.notes.last().map_or(0, |note| note.number)
    }
}

impl Text<Pile> {
    /// All of it in memory, for who wants to look at it as a whole.
    ///
    /// # Errors
    /// If a page cannot be read back.
    pub fn whole(mut self) -> io::Result<Text> {
        let pages = (0..self.pages.len()).map(|at| self.pages.page(at)).collect::<Result<_, _>>()?;
        Ok(self.with(pages))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Hidden, Kind, Line, paragraphs};

    fn page(number: u32, letters: usize) -> Page {
        let mut page = Page { number, blocks: paragraphs(&"w ".repeat(letters)), ..Page::default() };
        page.blocks[0].kind = Kind::Note;
        page.blocks[0].lines.push(Line { start: 0, x0: 1.0, y0: 2.0, x1: 3.0, y1: 4.0 });
        page.hidden = vec![(Hidden::Tiny, page.blocks[0].clone())];
        page.hidden[0].1.lines.clear();
        page.hidden[0].1.kind = Kind::Printed;
        page.confidence = Some(0.5);
        page
    }

    #[test]
    fn pages_come_back_as_they_went_from_memory_and_from_a_file() {
        for letters in [10, 40_000] {
            let mut pile = Pile::default();
            for number in 1..=9 {
                pile.push(page(number, letters)).unwrap();
            }
            let other = Page { recognised: true, ..page(4, 7) };
            pile.replace(3, other.clone()).unwrap();
            pile.push(Page { number: 10, lost: true, ..Page::default() }).unwrap();
            for at in [9, 0, 8, 2] {
                let number = at as u32 + 1;
                let expected = if at == 9 {
                    Page { number, lost: true, ..Page::default() }
                } else {
                    page(number, letters)
                };
                assert_eq!(pile.page(at).unwrap(), expected);
            }
            assert_eq!(pile.page(3).unwrap(), other);
            assert_eq!((pile.len(), pile.last()), (10, 10));
            let note = pile.notes()[9];
            assert!(note.blank && note.unread && note.lost && pile.notes()[3].recognised);
        }
    }
}
