//! The parent's side: what a child says of a document's text, believed in nothing.

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use super::process;
use crate::document::{Attached, Page, ReadError, Text};
use crate::frames::{Body, Decoder};
use crate::limits::{Meter, Order};
use crate::password::Password;
use crate::pile::Pile;
use crate::spool::Spool;
use millrace_contract::Pages;

/// What a frame may hold besides the text of a page: where its lines stand, mostly.
const FRAME_OVERHEAD: u64 = 2 << 20;

/// How much of a name is kept, characters.
const NAME_CHARS: usize = 256;

/// A reading that did not come to its end. The pages that had come are as good as any.
#[derive(Debug)]
pub struct Unfinished {
    /// Why not.
    pub error: ReadError,
    /// How many pages there were to be, if that was said.
    pub total: Option<u32>,
}

/// Has a child of `program` read a document, puts each page on `pages`, and shows it to `on_page` with the number of
/// pages to come in all.
///
/// `document` is read from its beginning. The child dies with the calling thread, which blocks until the
/// child is gone, at most until `deadline`.
///
/// # Errors
/// Whatever the child found out; [`ReadError::ChildDied`], [`ReadError::LimitExceeded`] when it did not get to say.
pub fn run(
    program: &Path,
    order: &Order,
    document: &mut File,
    password: Option<&Password>,
    deadline: Instant,
    pages: &mut Pile,
    on_page: &mut dyn FnMut(&Page, u32),
) -> Result<Text<()>, Unfinished> {
    let mut hearing = Hearing::new(order, pages);
    let arguments: Vec<String> =
        [super::CHILD_ARGUMENT.to_owned()].into_iter().chain(order.to_args()).collect();
    let mut hear = |piece: &[u8]| hearing.hear(piece, on_page);
    let ended = process::converse(program, &arguments, document, password, deadline, &mut hear);
    let outcome = match (ended, hearing.outcome) {
        (Err(error), _) => Err(error),
        (Ok(_), Some(outcome)) => outcome,
        (Ok(ending), None) => Err(process::cause(&ending, hearing.decoder.pending())),
    };
    outcome.map_err(|error| Unfinished { error, total: hearing.total })
}

/// What the parent makes of the bytes that a child has said: what [`run`] does, without the child. For tests.
///
/// # Errors
/// As [`run`].
pub fn overheard<'a>(order: &Order, said: impl IntoIterator<Item = &'a [u8]>) -> Result<Text, ReadError> {
    let mut pages = Pile::default();
    let mut hearing = Hearing::new(order, &mut pages);
    for piece in said {
        hearing.hear(piece, &mut |_, _| {})?;
    }
    let nothing = || Err(ReadError::ChildDied("it said nothing more".to_owned()));
    let text = hearing.outcome.unwrap_or_else(nothing)?;
    Ok(text.with(pages).whole()?)
}

/// What has been heard so far.
struct Hearing<'a> {
    decoder: Decoder,
    meter: Meter,
    wanted: Pages,
    total: Option<u32>,
    /// Those of this child come on top.
    pages: &'a mut Pile,
    /// How many of them there are.
    came: u32,
    /// The number of the last one.
    last: u32,
    attached: Vec<Attached>,
    outcome: Option<Result<Text<()>, ReadError>>,
}

impl<'a> Hearing<'a> {
    fn new(order: &Order, pages: &'a mut Pile) -> Self {
        let longest = order.text_bytes.saturating_add(FRAME_OVERHEAD);
        Self {
            decoder: Decoder::new(u32::try_from(longest).unwrap_or(u32::MAX)),
            meter: Meter::of(order),
            wanted: order.wanted.clone(),
            total: None,
            pages,
            came: 0,
            last: 0,
            attached: Vec::new(),
            outcome: None,
        }
    }

    fn hear(&mut self, piece: &[u8], on_page: &mut dyn FnMut(&Page, u32)) -> Result<(), ReadError> {
        let nonsense = |what: &str| Err(ReadError::ChildDied(format!("it answered with {what}")));
        self.decoder.push(piece);
        while let Some(body) = self.decoder.next_frame()? {
            match (body, self.total) {
                _ if self.outcome.is_some() => return nonsense("something after its last frame"),
                (Body::Total(total), None) => {
                    self.meter.total(total)?;
                    self.total = Some(total);
                }
                (Body::Page(frame), Some(total)) => {
                    let page = Page::try_from(frame)?;
                    if self.wanted.after(self.last) != Some(page.number) || self.came >= total {
                        return nonsense("pages out of order");
                    }
                    self.meter.page(&page)?;
                    on_page(&page, total);
                    (self.last, self.came) = (page.number, self.came + 1);
                    self.pages.push(page)?;
                }
                (Body::Attached(name), _) => {
                    self.meter.attachment()?;
                    let name = name.chars().take(NAME_CHARS).collect();
                    self.attached.push(Attached { name, content: Spool::default() });
                }
                (Body::Piece(piece), _) => {
                    self.meter.piece(piece.len())?;
                    let Some(last) = self.attached.last_mut() else { return nonsense("frames out of order") };
                    last.content.push(&piece)?;
                }
                (Body::Done(mut done), Some(total)) => {
                    if self.came != total {
                        return nonsense("fewer pages than it promised");
                    }
                    let agreement = done.agreement.filter(|a| (0.0..=1.0).contains(a));
                    let engine = done.engine.chars().take(100).collect();
                    let about = done.about();
                    self.outcome = Some(Ok(Text {
                        about,
                        engine,
                        agreement,
                        incomplete: done.incomplete,
                        attached: std::mem::take(&mut self.attached),
                        ..Text::default()
                    }));
                }
                (Body::Failed(failed), _) => self.outcome = Some(Err(failed.into())),
                _ => return nonsense("frames out of order"),
            }
        }
        Ok(())
    }
}
