//! What the child says to its parent: length-prefixed protobuf messages on standard output.
//!
//! The parent trusts none of it: the child may have been taken over by the document it reads.

use std::io::{self, Write};

use prost::Message;

use crate::document::{Block, Limit, Page, ReadError};
use crate::limits::MAX_BLOCKS;
use crate::pdf::Summary;

/// One message. Of a text, exactly one `total` comes first, then the pages in order, then one `done`. Of a picture,
/// one `picture`, then its rows in order, then one `done`. A `failed` may come at any point.
#[derive(Clone, PartialEq, Message)]
pub struct Frame {
    /// The message itself; `None` is not valid.
    #[prost(oneof = "Body", tags = "1, 2, 3, 4, 5, 6, 7, 8")]
    pub body: Option<Body>,
}

/// The kinds of message.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Body {
    /// How many pages will follow.
    #[prost(uint32, tag = "1")]
    Total(u32),
    /// A page.
    #[prost(message, tag = "2")]
    Page(PageFrame),
    /// The end, in success.
    #[prost(message, tag = "3")]
    Done(DoneFrame),
    /// The end, in failure.
    #[prost(message, tag = "4")]
    Failed(FailedFrame),
    /// A picture will follow.
    #[prost(message, tag = "5")]
    Picture(PictureFrame),
    /// The next rows of the picture, from the top: a byte a pixel, black is 0.
    #[prost(bytes, tag = "6")]
    Rows(Vec<u8>),
    /// A document inside begins; its name. May stand anywhere before the end.
    #[prost(string, tag = "7")]
    Attached(String),
    /// The next bytes of the document inside that began last.
    #[prost(bytes = "vec", tag = "8")]
    Piece(Vec<u8>),
}

/// The size of a picture.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct PictureFrame {
    /// Pixels.
    #[prost(uint32, tag = "1")]
    pub width: u32,
    /// Pixels.
    #[prost(uint32, tag = "2")]
    pub height: u32,
    /// Width of what it shows, points.
    #[prost(float, tag = "3")]
    pub points_wide: f32,
    /// Height of what it shows, points.
    #[prost(float, tag = "4")]
    pub points_high: f32,
}

/// See [`Page`].
#[derive(Clone, PartialEq, Message)]
pub struct PageFrame {
    /// See [`Page::number`].
    #[prost(uint32, tag = "1")]
    pub number: u32,
    /// The text of all blocks, one after the other without anything between.
    #[prost(string, tag = "2")]
    pub text: String,
    /// The length of each block in bytes. Apart from the text and fixed in size, so that a frame cannot
    /// unfold into many times its length: a repeated string takes two bytes here and a hundred in memory.
    #[prost(fixed32, repeated, tag = "6")]
    pub lengths: Vec<u32>,
    /// See [`Page::image_coverage`].
    #[prost(float, tag = "3")]
    pub image_coverage: f32,
    /// See [`Page::glyphs`].
    #[prost(uint32, tag = "4")]
    pub glyphs: u32,
    /// See [`Page::unmapped`].
    #[prost(uint32, tag = "5")]
    pub unmapped: u32,
    /// See [`Page::confidence`].
    #[prost(float, optional, tag = "7")]
    pub confidence: Option<f32>,
}

/// See [`Summary`].
#[derive(Clone, PartialEq, Message)]
pub struct DoneFrame {
    /// See [`Summary::engine`].
    #[prost(string, tag = "1")]
    pub engine: String,
    /// See [`Summary::agreement`].
    #[prost(float, optional, tag = "2")]
    pub agreement: Option<f32>,
    /// See [`Summary::incomplete`].
    #[prost(bool, tag = "3")]
    pub incomplete: bool,
}

/// A [`ReadError`] in a form that travels.
#[derive(Clone, PartialEq, Message)]
pub struct FailedFrame {
    /// `encrypted`, `broken`, `empty`, `pages`, `unsupported`, `limit` or `io`.
    #[prost(string, tag = "1")]
    pub kind: String,
    /// What was broken, which limit, or how many pages there are.
    #[prost(string, tag = "2")]
    pub detail: String,
}

impl From<Page> for PageFrame {
    fn from(page: Page) -> Self {
        Self {
            number: page.number,
            text: page.blocks.iter().map(|block| block.text.as_str()).collect(),
            // Too long for its type is too long for any limit; the parent will say so.
            lengths: page.blocks.iter().map(|b| u32::try_from(b.text.len()).unwrap_or(u32::MAX)).collect(),
            image_coverage: page.image_coverage,
            glyphs: page.glyphs,
            unmapped: page.unmapped,
            confidence: page.confidence,
        }
    }
}

impl TryFrom<PageFrame> for Page {
    type Error = FrameError;

    fn try_from(page: PageFrame) -> Result<Self, FrameError> {
        if page.lengths.len() > MAX_BLOCKS as usize {
            return Err(FrameError::Garbled);
        }
        let mut blocks = Vec::with_capacity(page.lengths.len());
        let mut rest = page.text.as_str();
        for length in page.lengths {
            let (text, after) = rest.split_at_checked(length as usize).ok_or(FrameError::Garbled)?;
            if text.is_empty() {
                return Err(FrameError::Garbled);
            }
            blocks.push(Block { text: text.to_owned(), ..Block::default() });
            rest = after;
        }
        if !rest.is_empty() {
            return Err(FrameError::Garbled);
        }
        Ok(Self {
            number: page.number,
            blocks,
            // Comparisons with NaN are always false: make it the harmless end.
            image_coverage: if page.image_coverage.is_nan() {
                0.0
            } else {
                page.image_coverage.clamp(0.0, 1.0)
            },
            glyphs: page.glyphs,
            unmapped: page.unmapped.min(page.glyphs),
            confidence: page.confidence.filter(|confidence| (0.0..=1.0).contains(confidence)),
            ..Self::default()
        })
    }
}

impl From<Summary> for DoneFrame {
    fn from(summary: Summary) -> Self {
        Self { engine: summary.engine, agreement: summary.agreement, incomplete: summary.incomplete }
    }
}

impl From<&ReadError> for FailedFrame {
    fn from(error: &ReadError) -> Self {
        let (kind, detail) = match error {
            ReadError::Encrypted => ("encrypted", String::new()),
            ReadError::Broken(reason) => ("broken", reason.chars().take(200).collect()),
            ReadError::Empty => ("empty", String::new()),
            ReadError::Unsupported(media) => ("unsupported", media.clone()),
            ReadError::LimitExceeded(limit) => ("limit", limit.to_string()),
            ReadError::NoSuchPages(total) => ("pages", total.to_string()),
            other => ("io", other.to_string()),
        };
        Self { kind: kind.to_owned(), detail }
    }
}

impl From<FailedFrame> for ReadError {
    fn from(failed: FailedFrame) -> Self {
        match (failed.kind.as_str(), failed.detail.as_str()) {
            ("encrypted", _) => Self::Encrypted,
            ("broken", _) => Self::Broken(failed.detail),
            ("empty", _) => Self::Empty,
            ("pages", total) => Self::NoSuchPages(total.parse().unwrap_or_default()),
            ("limit", "pages") => Self::LimitExceeded(Limit::Pages),
            ("limit", "text") => Self::LimitExceeded(Limit::Text),
            ("limit", "memory") => Self::LimitExceeded(Limit::Memory),
            ("limit", "unpacked") => Self::LimitExceeded(Limit::Unpacked),
            ("limit", "attachments") => Self::LimitExceeded(Limit::Attachments),
            ("unsupported", _) => Self::Unsupported(failed.detail.chars().take(200).collect()),
            _ => Self::ChildDied(failed.detail.chars().take(200).collect()),
        }
    }
}

/// Writes one frame and flushes it, so that the parent sees each page when it is read.
///
/// # Errors
/// As `out` answers.
pub fn write(out: &mut impl Write, body: Body) -> io::Result<()> {
    let message = Frame { body: Some(body) }.encode_to_vec();
    let length = u32::try_from(message.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(&message)?;
    out.flush()
}

/// What cannot be a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than any honest frame. Nothing has been allocated for it.
    #[error("a frame of {0} bytes")]
    TooLong(u32),
    /// Not a message of ours.
    #[error("a frame that does not decode")]
    Garbled,
}

/// Puts frames together from whatever pieces a pipe delivers.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    max: u32,
}

impl Decoder {
    /// Refuses frames of more than `max` bytes.
    #[must_use]
    pub fn new(max: u32) -> Self {
        Self { buffer: Vec::new(), max }
    }

    /// Takes the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// Bytes of a frame that is not complete yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// The next complete frame, if there is one. Call until `None` after every [`Decoder::push`]: between
    /// pushes no more than one frame and one piece are held.
    ///
    /// # Errors
    /// The stream is of no more use after an error.
    pub fn next_frame(&mut self) -> Result<Option<Body>, FrameError> {
        let Some(length) = self.buffer.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes)) else {
            return Ok(None);
        };
        if length > self.max {
            return Err(FrameError::TooLong(length));
        }
        let end = 4 + length as usize;
        let Some(message) = self.buffer.get(4..end) else {
            return Ok(None);
        };
        let body = Frame::decode(message).ok().and_then(|frame| frame.body).ok_or(FrameError::Garbled)?;
        self.buffer.drain(..end);
        Ok(Some(body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(body: Body) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, body).expect("a vector takes everything");
        out
    }

    fn page_frame(text: &str, lengths: &[u32]) -> PageFrame {
        PageFrame { number: 7, text: text.into(), lengths: lengths.into(), glyphs: 3, ..PageFrame::default() }
    }

    #[test]
    fn pages_travel() {
        let there = page_frame("äöüb", &[6, 1]);
        let page = Page::try_from(there.clone()).expect("an honest page");
        assert_eq!(page.blocks.iter().map(|b| b.text.as_str()).collect::<Vec<_>>(), ["äöü", "b"]);
        assert_eq!(PageFrame::from(page), there);
    }

    #[test]
    fn pages_that_do_not_add_up_are_refused() {
        for lengths in [&[1, 6][..], &[6], &[6, 2], &[6, 0, 1], &[u32::MAX, 1], &[]] {
            assert_eq!(Page::try_from(page_frame("äöüb", lengths)), Err(FrameError::Garbled), "{lengths:?}");
        }
    }

    #[test]
    fn frames_survive_any_cutting() {
        let page = page_frame("äöüb", &[6, 1]);
        let mut stream = bytes(Body::Total(9));
        stream.extend(bytes(Body::Page(page.clone())));
        for cut in 1..stream.len() {
            let mut decoder = Decoder::new(1000);
            let mut found = Vec::new();
            for piece in stream.chunks(cut) {
                decoder.push(piece);
                while let Some(body) = decoder.next_frame().expect("honest frames") {
                    found.push(body);
                }
            }
            assert_eq!(found, [Body::Total(9), Body::Page(page.clone())]);
            assert_eq!(decoder.pending(), 0);
        }
    }

    #[test]
    fn lies_about_length_and_content_are_refused() {
        let mut decoder = Decoder::new(1000);
        decoder.push(&u32::MAX.to_le_bytes());
        assert_eq!(decoder.next_frame(), Err(FrameError::TooLong(u32::MAX)));
        let mut decoder = Decoder::new(1000);
        decoder.push(&[3, 0, 0, 0, 0xff, 0xff, 0xff]);
        assert_eq!(decoder.next_frame(), Err(FrameError::Garbled));
        let mut decoder = Decoder::new(1000);
        decoder.push(&[0, 0, 0, 0]);
        assert_eq!(decoder.next_frame(), Err(FrameError::Garbled), "a frame says something");
    }

    #[test]
    fn errors_travel() {
        for error in [
            ReadError::Encrypted,
            ReadError::Empty,
            ReadError::NoSuchPages(7),
            ReadError::LimitExceeded(Limit::Text),
        ] {
            let there = FailedFrame::from(&error);
            assert_eq!(ReadError::from(there).to_string(), error.to_string());
        }
    }
}
