//! The one way in: a document's bytes and what they are, out comes its text or the reason why not.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};

use crate::apart::apart;
use crate::document::{Limit, Page, ReadError, Text, Unrecognised};
use crate::formats;
use crate::limits::{Meter, Work};
use crate::ocr::{OcrChoice, Reading};
use crate::options::Options;
use crate::pile::{Note, Pile};
use millrace_media::MediaType;

/// Where a document's bytes are.
#[derive(Debug)]
pub enum Source<'a> {
    /// An open regular file, read from its beginning wherever it stands. A child reads it without the parent
    /// ever holding it in memory.
    File(File),
    /// Bytes in memory.
    Bytes(&'a [u8]),
}

impl Source<'_> {
    fn size(&self) -> std::io::Result<u64> {
        match self {
            Self::File(file) => Ok(file.metadata()?.len()),
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
        }
    }
}

/// Text in a format that cannot hurt is read in process up to this size, bytes; beyond it a child holds it. It may need
/// fifty times as much, a block for each letter, a cell for each comma, and so may seven others at the same time.
const SMALL: u64 = 64 << 10;

/// Reads a document. Blocks the calling thread until it is done: up to [`Options::max_wall_seconds`].
///
/// `on_page` is called once for each page in order, with the number of pages to be read, while the document is
/// still being read: progress, not a result. Pages it has seen may still end in an error. A page whose text is
/// recognised afterwards is shown once more, with that text.
///
/// The same bytes and options give the same text.
///
/// # Errors
/// Every member of [`ReadError`] says what its cause is.
pub fn read(
    media: MediaType,
    content: Source<'_>,
    options: &Options,
    on_page: &mut dyn FnMut(&Page, u32),
) -> Result<Text<Pile>, ReadError> {
    if media == MediaType::Locked {
        return Err(ReadError::Encrypted);
    }
    if media == MediaType::Pdf {
        let mut file = as_file(content)?;
        let text = apart(Work::Pdf(options.pdf_engine), &mut file, options, on_page)?;
        return recognised(text, &mut file, Work::Page, options, on_page);
    }
    let Some(work) = Work::on(&media) else { return Err(ReadError::Unsupported(media.to_string())) };
    if let Some(format) = formats::in_process(&media) {
        let size = content.size()?;
        // Markup and two-byte encodings make a source longer than its text, but not by much in an honest document.
        if size > options.max_text_bytes.saturating_mul(4) {
            return Err(ReadError::LimitExceeded(Limit::Text));
        }
        if size <= SMALL {
            return in_process(format, content, options, on_page);
        }
    }
    let mut file = as_file(content)?;
    let text = apart(work, &mut file, options, on_page)?;
    if media.is_image() { recognised(text, &mut file, Work::Sheet, options, on_page) } else { Ok(text) }
}

/// The same, with all pages in memory: for who wants to look at them.
///
/// # Errors
/// As [`read`].
pub fn read_whole(
    media: MediaType,
    content: Source<'_>,
    options: &Options,
    on_page: &mut dyn FnMut(&Page, u32),
) -> Result<Text, ReadError> {
    Ok(read(media, content, options, on_page)?.whole()?)
}

fn in_process(
    format: formats::InProcess,
    content: Source<'_>,
    options: &Options,
    on_page: &mut dyn FnMut(&Page, u32),
) -> Result<Text<Pile>, ReadError> {
    let mut text = match content {
        Source::Bytes(bytes) => format(bytes)?,
        Source::File(mut file) => {
            file.rewind()?;
            let mut bytes = Vec::new();
            file.take(SMALL).read_to_end(&mut bytes)?;
            format(&bytes)?
        }
    };
    text.only(&options.wanted)?;
    let total = u32::try_from(text.pages.len()).unwrap_or(u32::MAX);
    let mut meter = Meter::new(options.max_pages, options.max_text_bytes);
    meter.total(total)?;
    let mut pile = Pile::default();
    for page in std::mem::take(&mut text.pages) {
        meter.page(&page)?;
        on_page(&page, total);
        pile.push(page)?;
    }
    Ok(text.with(pile))
}

/// The bytes as a file that a child can read.
fn as_file(content: Source<'_>) -> Result<File, ReadError> {
    match content {
        Source::File(file) => Ok(file),
        // A file without a name in memory: the child reads it as any other, and no document touches a disk.
        Source::Bytes(bytes) => {
            let mut file =
                File::from(memfd_create("document", MemfdFlags::CLOEXEC).map_err(std::io::Error::from)?);
            file.write_all(bytes)?;
            Ok(file)
        }
    }
}

/// Has the pages that are pictures recognised, each drawn by the work that `draw` names, and judges what there is then.
fn recognised(
    mut text: Text<Pile>,
    file: &mut File,
    draw: fn(u32) -> Work,
    options: &Options,
    on_page: &mut dyn FnMut(&Page, u32),
) -> Result<Text<Pile>, ReadError> {
    let mut why = Unrecognised::NoWords;
    if text.pages.notes().iter().any(|page| page.unread) {
        match (options.ocr, &options.recogniser) {
            (OcrChoice::Lane, _) => return Err(ReadError::ForAnotherLane),
            (OcrChoice::Off, _) => why = Unrecognised::SwitchedOff,
            (OcrChoice::Here, None) => why = Unrecognised::NoRecogniser,
            (OcrChoice::Here, Some(recogniser)) => {
                let order = options.order(draw(0));
                let wall = Duration::from_secs(options.max_wall_seconds);
                let language = options.language.as_deref();
                Reading::new(recogniser, options.program(), language, options.max_ocr_seconds)
                    .with(options.password.as_ref())
                    .pages(&mut text, file, draw, &order, wall, on_page)?;
            }
        }
    }
    judged(text, why)
}

/// Pages without text are an answer too, and not all of them the same one.
fn judged(text: Text<Pile>, why: Unrecognised) -> Result<Text<Pile>, ReadError> {
    let notes = text.pages.notes();
    if notes.is_empty() {
        // Not `Empty`: every file found like this was cut off or had lost its page tree.
        return Err(ReadError::Broken("no page of it could be found".to_owned()));
    }
    // Recognised words are words, however few.
    let wordless = |page: &Note| page.blank || (page.scanned && !page.recognised);
    let scanned = notes.iter().any(|page| page.scanned || page.recognised);
    if scanned && notes.iter().all(wordless) {
        return Err(ReadError::Scanned { pages: u32::try_from(notes.len()).unwrap_or(u32::MAX), why });
    }
    if notes.iter().all(|page| page.blank) {
        return Err(ReadError::Empty);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::paragraphs;

    fn judge(pages: &[(&str, f32)]) -> Result<Text<Pile>, ReadError> {
        let mut pile = Pile::default();
        for (text, image_coverage) in pages {
            let (blocks, image_coverage) = (paragraphs(text), *image_coverage);
            pile.push(Page { blocks, image_coverage, ..Page::default() }).expect("room");
        }
        judged(Text { pages: pile, ..Text::default() }, Unrecognised::SwitchedOff)
    }

    #[test]
    fn pictures_of_pages_are_told_from_blank_ones_and_from_text() {
        assert!(matches!(
            judge(&[("", 0.9), ("p. 2", 1.0), ("", 0.0)]),
            Err(ReadError::Scanned { pages: 3, why: Unrecognised::SwitchedOff })
        ));
        assert!(matches!(judge(&[("", 0.0), ("", 0.2)]), Err(ReadError::Empty)));
        assert!(matches!(judge(&[]), Err(ReadError::Broken(_))));
        assert!(judge(&[("", 0.9), ("a page with words", 0.0)]).is_ok(), "what can be read is read");
    }

    #[test]
    fn text_is_limited_before_and_after_it_is_read() {
        let options = Options { max_text_bytes: 10, max_pages: 1, ..Options::default() };
        let of = |bytes: &[u8]| read(MediaType::PlainText, Source::Bytes(bytes), &options, &mut |_, _| {});
        assert!(of(b"0123456789").is_ok());
        assert!(matches!(of(b"0123456789a"), Err(ReadError::LimitExceeded(Limit::Text))));
        assert!(matches!(of(&[b' '; 41]), Err(ReadError::LimitExceeded(Limit::Text))));
        assert!(matches!(of(b"a\x0cb"), Err(ReadError::LimitExceeded(Limit::Pages))));
    }
}
