//! The child's side: bind itself, read standard input, answer in frames on standard output.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use super::{CHILD_ARGUMENT, RECOGNISE_ARGUMENT};
use crate::confine;
use crate::document::ReadError;
use crate::formats::{self, Inside};
use crate::frames::{self, Body};
use crate::limits::{Meter, Order, Work};
use crate::password::Password;
use crate::pdf::{self, Asked, Found, Sink, Summary};
use crate::picture;
use millrace_contract::Pages;
use millrace_mapped::Mapped;
use millrace_media::MediaType;
use zeroize::Zeroizing;

/// Room for the recursion of engines over deeply nested documents. Reserved, not used, until it is needed.
const STACK_BYTES: usize = 64 << 20;

/// How much of a document inside is said at once, bytes. The service holds it, as a frame and taken apart, for each child.
const PIECE: usize = 128 << 10;

/// `EX_USAGE`: the arguments were not an order.
const BAD_ORDER: u8 = 64;
/// `EX_NOINPUT`: standard input is not a document.
const NO_DOCUMENT: u8 = 66;
/// `EX_OSERR`: the limits could not be set. Reading without them is not an option.
const NOT_CONFINED: u8 = 71;
/// As a shell answers for a program that it does not find.
const NOT_STARTED: u8 = 127;
/// `EX_IOERR`: the parent did not listen to the end.
const NOT_HEARD: u8 = 74;
/// As the standard library ends a process that panicked.
const PANICKED: u8 = 101;

/// Does a child's work if this process was started as one: call first thing in `main`.
///
/// `None` means it was not, and nothing has happened.
#[must_use]
pub fn child_entry() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    let first = args.next()?;
    if first == RECOGNISE_ARGUMENT {
        return Some(recogniser(args));
    }
    if first != CHILD_ARGUMENT {
        return None;
    }
    let Some(order) = Order::from_args(args) else {
        return Some(last_words(BAD_ORDER, "not an order"));
    };
    // Nothing looks at it before this process is bound.
    let document = match io::stdin().as_fd().try_clone_to_owned().and_then(|stdin| Mapped::of(&stdin.into()))
    {
        Ok(document) => document,
        Err(error) => return Some(last_words(NO_DOCUMENT, &format!("the document: {error}"))),
    };
    if let Err(error) = confine::confine(&order, document.len() as u64) {
        return Some(last_words(NOT_CONFINED, &format!("limits could not be set: {error}")));
    }
    std::panic::set_hook(Box::new(|panic| {
        // The place only: what a panic says may quote the document.
        let place =
            panic.location().map_or_else(String::new, |at| format!("{}:{}", short(at.file()), at.line()));
        // There is nobody left to tell if this fails.
        drop(writeln!(io::stderr(), "panicked at {place}"));
    }));
    let reading = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || serve(&order, document));
    Some(match reading.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        Ok(Ok(Err(error))) => last_words(NOT_HEARD, &error.to_string()),
        Ok(Err(_panic)) => ExitCode::from(PANICKED),
        Err(error) => last_words(NOT_CONFINED, &format!("the reading thread did not start: {error}")),
    })
}

/// Confines itself and becomes the program that recognises text.
fn recogniser(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let mut number = || args.next()?.to_str()?.parse::<u64>().ok();
    let (Some(memory_bytes), Some(cpu_seconds)) = (number(), number()) else {
        return last_words(BAD_ORDER, "not an order");
    };
    let Some(program) = args.next() else { return last_words(BAD_ORDER, "not an order") };
    if let Err(error) = confine::confine_program(memory_bytes, cpu_seconds) {
        return last_words(NOT_CONFINED, &format!("limits could not be set: {error}"));
    }
    // One thread: the number of documents at work is what fills the processors.
    let error = Command::new(program).args(args).env("OMP_THREAD_LIMIT", "1").exec();
    last_words(NOT_STARTED, &format!("it did not start: {error}"))
}

fn last_words(code: u8, words: &str) -> ExitCode {
    drop(writeln!(io::stderr(), "{words}"));
    ExitCode::from(code)
}

/// The crate and the path inside it, without the directories of the machine that built it.
fn short(path: &str) -> &str {
    let mut slashes = path.rmatch_indices('/').map(|(at, _)| at);
    slashes.nth(2).map_or(path, |at| &path[at + 1..])
}

fn serve(order: &Order, document: Mapped) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let last = match read(order, document, &mut out) {
        Ok(done) => Body::Done(done.into()),
        Err(ReadError::Io(error)) => return Err(error),
        Err(error) => Body::Failed((&error).into()),
    };
    frames::write(&mut out, last)
}

/// What the parent has put where our last words go.
fn password() -> Result<Option<Password>, ReadError> {
    let mut given = Zeroizing::new(Vec::with_capacity(256));
    let mut piece = Zeroizing::new([0; 128]);
    loop {
        match rustix::io::read(io::stderr(), piece.as_mut_slice()) {
            Ok(0) => return Ok(Password::given(&given)),
            // More than a password may have is no password.
            Ok(more) if given.len() + more > 256 => return Ok(None),
            Ok(more) => given.extend_from_slice(&piece[..more]),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(ReadError::Io(error.into())),
        }
    }
}

fn read(order: &Order, document: Mapped, out: &mut impl Write) -> Result<Summary, ReadError> {
    let password = if order.password { password()? } else { None };
    let password = password.as_ref().map(Password::text);
    let mut meter = Meter::of(order);
    let mut sink = |found| {
        match found {
            Found::Total(total) => {
                meter.total(total)?;
                confine::grant_cpu(order, total)?;
                frames::write(out, Body::Total(total))?;
            }
            Found::Page(page) => {
                meter.page(&page)?;
                frames::write(out, Body::Page(page.into()))?;
            }
            Found::Attached(Inside { name, content }) => {
                meter.attachment()?;
                frames::write(out, Body::Attached(name))?;
                for piece in content.chunks(PIECE) {
                    meter.piece(piece.len())?;
                    frames::write(out, Body::Piece(piece.to_vec()))?;
                }
            }
        }
        Ok(())
    };
    match order.work {
        Work::Pdf(engine) => {
            let document = &Arc::new(pdf::cut_to_header(document)?);
            engine.engine().read(&Asked { document, password, wanted: &order.wanted }, &mut sink)
        }
        Work::Page(number) => {
            picture::page(&Arc::new(pdf::cut_to_header(document)?), password, number, out)?;
            Ok(Summary::default())
        }
        Work::Sheet(number) => {
            picture::sheet(&document, number, out)?;
            Ok(Summary::default())
        }
        Work::Other(media) => other(media, &document, password, &order.wanted, &mut sink),
    }
}

fn other(
    media: &MediaType,
    document: &[u8],
    password: Option<&str>,
    wanted: &Pages,
    sink: &mut Sink<'_>,
) -> Result<Summary, ReadError> {
    let mut text = formats::in_child(media, document, password, &mut |inside| sink(Found::Attached(inside)))?;
    text.only(wanted)?;
    sink(Found::Total(u32::try_from(text.pages.len()).unwrap_or(u32::MAX)))?;
    for page in text.pages {
        sink(Found::Page(page))?;
    }
    Ok(Summary { engine: text.engine, ..Summary::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_building_machine_do_not_show() {
        assert_eq!(
            short("/home/x/.cargo/registry/src/index/unpdf-0.52.1/src/lib.rs"),
            "unpdf-0.52.1/src/lib.rs"
        );
        assert_eq!(short("src/lib.rs"), "src/lib.rs");
    }
}
