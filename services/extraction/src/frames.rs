//! What the child says to its parent: length-prefixed protobuf messages on standard output.
//!
//! The parent trusts none of it: the child may have been taken over by the document it reads.

mod page;

use std::collections::BTreeMap;
use std::io::{self, Write};

use prost::Message;

use crate::document::{About, Heading, Limit, ReadError};
use crate::pdf::Summary;

pub use page::{HiddenFrame, LinesFrame, PageFrame};

/// Entries of a table of contents and properties that are believed, and characters of each.
const MOST_HEADINGS: usize = 2000;
const MOST_PROPERTIES: usize = 20;
const LONGEST: usize = 300;

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
    /// See [`About::outline`].
    #[prost(message, repeated, tag = "4")]
    pub outline: Vec<HeadingFrame>,
    /// See [`About::properties`].
    #[prost(btree_map = "string, string", tag = "5")]
    pub properties: BTreeMap<String, String>,
}

/// See [`Heading`].
#[derive(Clone, PartialEq, Message)]
pub struct HeadingFrame {
    /// See [`Heading::level`].
    #[prost(uint32, tag = "1")]
    pub level: u32,
    /// See [`Heading::title`].
    #[prost(string, tag = "2")]
    pub title: String,
    /// See [`Heading::page`].
    #[prost(uint32, tag = "3")]
    pub page: u32,
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

impl From<Summary> for DoneFrame {
    fn from(summary: Summary) -> Self {
        let About { outline, properties } = summary.about;
        let heading = |Heading { level, title, page }| HeadingFrame { level, title, page };
        Self {
            engine: summary.engine,
            agreement: summary.agreement,
            incomplete: summary.incomplete,
            outline: outline.into_iter().map(heading).collect(),
            properties,
        }
    }
}

impl DoneFrame {
    /// What the document says of itself, no more of it than an honest child tells.
    pub fn about(&mut self) -> About {
        let cut = |text: String| -> String { text.chars().take(LONGEST).collect() };
        let heading = |HeadingFrame { level, title, page }| Heading { level, title: cut(title), page };
        let outline = std::mem::take(&mut self.outline).into_iter().take(MOST_HEADINGS).map(heading);
        let properties = std::mem::take(&mut self.properties).into_iter().take(MOST_PROPERTIES);
        let properties = properties.map(|(name, value)| (cut(name), cut(value)));
        About { outline: outline.collect(), properties: properties.collect() }
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

/// To the parent, a child that talks nonsense is as good as dead.
impl From<FrameError> for ReadError {
    fn from(error: FrameError) -> Self {
        Self::ChildDied(format!("it answered with {error}"))
    }
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

    #[test]
    fn frames_survive_any_cutting() {
        let page =
            PageFrame { text: "äöüb".into(), lengths: vec![6, 1], glyphs: 3, ..PageFrame::default() };
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
