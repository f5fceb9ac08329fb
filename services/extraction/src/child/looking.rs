//! The parent's side: a page as a picture, which a child draws.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use rustix::fs::{MemfdFlags, memfd_create};

use super::process;
use crate::document::ReadError;
use crate::frames::{Body, Decoder, PictureFrame};
use crate::limits::Order;
use crate::password::Password;
use crate::picture::MAX_PIXELS;

/// The longest honest frame: rows come in pieces.
const LONGEST_FRAME: u32 = 1 << 20;

/// A page as a picture.
#[derive(Debug)]
pub struct Picture {
    /// A grey bitmap in PNM, in a file without a name in memory: it is never held in this process. Its header is the
    /// parent's own, so that whoever reads it next parses nothing that a document has made.
    pub file: File,
    /// Its size.
    pub size: PictureFrame,
    /// Processor time it took to draw, milliseconds.
    pub cpu_ms: u64,
}

/// Has a child of `program` draw what `order` says.
///
/// # Errors
/// As [`super::run`].
pub fn picture(
    program: &Path,
    order: &Order,
    document: &mut File,
    password: Option<&Password>,
    deadline: Instant,
) -> Result<Picture, ReadError> {
    let mut looking = Looking::new()?;
    let arguments: Vec<String> =
        [super::CHILD_ARGUMENT.to_owned()].into_iter().chain(order.to_args()).collect();
    let mut hear = |piece: &[u8]| looking.hear(piece);
    let ending = process::converse(program, &arguments, document, password, deadline, &mut hear)?;
    match looking.failed {
        Some(error) => return Err(error),
        None if !looking.done => return Err(process::cause(&ending, looking.decoder.pending())),
        None => {}
    }
    let size = looking.size.unwrap_or_default();
    let file = looking.file.into_inner().map_err(|error| ReadError::Io(error.into_error()))?;
    Ok(Picture { file, size, cpu_ms: ending.cpu_ms })
}

/// What the parent makes of the bytes of a picture: what [`picture`] does, without the child. For tests.
///
/// # Errors
/// As [`picture`].
pub fn overlooked<'a>(said: impl IntoIterator<Item = &'a [u8]>) -> Result<PictureFrame, ReadError> {
    let mut looking = Looking::new()?;
    for piece in said {
        looking.hear(piece)?;
    }
    let unfinished = || ReadError::ChildDied("it said nothing more".to_owned());
    if let Some(error) = looking.failed {
        return Err(error);
    }
    looking.size.filter(|_| looking.done).ok_or_else(unfinished)
}

struct Looking {
    decoder: Decoder,
    file: BufWriter<File>,
    size: Option<PictureFrame>,
    /// Pixels still to come.
    left: usize,
    done: bool,
    failed: Option<ReadError>,
}

impl Looking {
    fn new() -> Result<Self, ReadError> {
        let file = memfd_create("picture", MemfdFlags::CLOEXEC).map_err(std::io::Error::from)?;
        Ok(Self {
            decoder: Decoder::new(LONGEST_FRAME),
            file: BufWriter::new(file.into()),
            size: None,
            left: 0,
            done: false,
            failed: None,
        })
    }

    fn hear(&mut self, piece: &[u8]) -> Result<(), ReadError> {
        let nonsense = |what: &str| Err(ReadError::ChildDied(format!("it answered with {what}")));
        self.decoder.push(piece);
        while let Some(body) = self.decoder.next_frame()? {
            match (body, self.size) {
                _ if self.done || self.failed.is_some() => return nonsense("something after its last frame"),
                (Body::Picture(size), None) => {
                    let pixels = u64::from(size.width) * u64::from(size.height);
                    let measured = |points: f32| points.is_finite() && points > 0.0;
                    if pixels == 0
                        || pixels > MAX_PIXELS
                        || !measured(size.points_wide)
                        || !measured(size.points_high)
                    {
                        return nonsense("an impossible picture");
                    }
                    write!(self.file, "P5\n{} {}\n255\n", size.width, size.height)?;
                    self.left = usize::try_from(pixels).unwrap_or(usize::MAX);
                    self.size = Some(size);
                }
                (Body::Rows(rows), Some(_)) if rows.len() <= self.left => {
                    self.file.write_all(&rows)?;
                    self.left -= rows.len();
                }
                (Body::Done(_), Some(_)) if self.left == 0 => self.done = true,
                (Body::Failed(failed), _) => self.failed = Some(failed.into()),
                _ => return nonsense("frames out of order"),
            }
        }
        Ok(())
    }
}
