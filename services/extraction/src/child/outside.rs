//! The parent's side: start a child, listen to it, end it, and say what became of it.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use super::CHILD_ARGUMENT;
use crate::document::{Limit, Page, ReadError, Text};
use crate::frames::{Body, Decoder};
use crate::limits::{Meter, Order};

/// What a frame may hold besides the text of a page.
const FRAME_OVERHEAD: u64 = 1 << 16;

/// How much of what a child says on standard error is kept: enough for its last line.
const STDERR_BYTES: usize = 4096;

/// How long a child may take to be gone after it closed its streams.
const LINGER: Duration = Duration::from_secs(1);

/// A child that is killed and reaped whatever happens to its parent's attention.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it is gone already, which is all that is wanted.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Has a child of `program` read a document, and hands each page to `on_page` with the number of pages to
/// come in all.
///
/// `document` is read from its beginning. The child dies with the calling thread, which blocks until the
/// child is gone, at most until `deadline`.
///
/// # Errors
/// Whatever the child found out; [`ReadError::ChildDied`], [`ReadError::LimitExceeded`] when it did not get
/// to say.
pub fn run(
    program: &Path,
    order: &Order,
    document: &mut File,
    deadline: Instant,
    on_page: &mut dyn FnMut(&Page, u32),
) -> Result<Text, ReadError> {
    document.rewind()?;
    let mut child = Command::new(program)
        .arg0("millrace-extraction")
        .arg(CHILD_ARGUMENT)
        .args(order.to_args())
        // No credential of the service is in reach of a document. One thread in every pool.
        .env_clear()
        .env("RAYON_NUM_THREADS", "1")
        // More arenas would only cost address space, and counting processors for them may take a file.
        .env("MALLOC_ARENA_MAX", "1")
        // Ctrl-C at a terminal asks the service to finish what it has, which includes this.
        .process_group(0)
        .stdin(Stdio::from(document.try_clone()?))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut child = Running(child);
    let mut hearing = Hearing::new(order);
    let mut words = LastWords::default();
    listen(stdout, stderr, deadline, &mut hearing, &mut words, on_page)?;
    if let Some(outcome) = hearing.outcome {
        return outcome;
    }
    Err(cause(reap(&mut child.0)?, &words.last_line(), hearing.decoder.pending()))
}

/// What has been heard so far.
struct Hearing {
    decoder: Decoder,
    meter: Meter,
    total: Option<u32>,
    pages: Vec<Page>,
    outcome: Option<Result<Text, ReadError>>,
}

impl Hearing {
    fn new(order: &Order) -> Self {
        let longest = order.text_bytes.saturating_add(FRAME_OVERHEAD);
        Self {
            decoder: Decoder::new(u32::try_from(longest).unwrap_or(u32::MAX)),
            meter: Meter::new(order.pages, order.text_bytes),
            total: None,
            pages: Vec::new(),
            outcome: None,
        }
    }

    fn hear(&mut self, piece: &[u8], on_page: &mut dyn FnMut(&Page, u32)) -> Result<(), ReadError> {
        let nonsense = |what: &str| Err(ReadError::ChildDied(format!("it answered with {what}")));
        self.decoder.push(piece);
        loop {
            let body = match self.decoder.next_frame() {
                Ok(Some(body)) => body,
                Ok(None) => return Ok(()),
                Err(error) => return nonsense(&error.to_string()),
            };
            match (body, self.total) {
                _ if self.outcome.is_some() => return nonsense("something after its last frame"),
                (Body::Total(total), None) => {
                    self.meter.total(total)?;
                    self.total = Some(total);
                }
                (Body::Page(frame), Some(total)) => {
                    let page = match Page::try_from(frame) {
                        Ok(page) => page,
                        Err(error) => return nonsense(&error.to_string()),
                    };
                    if page.number as usize != self.pages.len() + 1 || page.number > total {
                        return nonsense("pages out of order");
                    }
                    self.meter.page(&page)?;
                    on_page(&page, total);
                    self.pages.push(page);
                }
                (Body::Done(done), Some(total)) => {
                    if self.pages.len() != total as usize {
                        return nonsense("fewer pages than it promised");
                    }
                    let pages = std::mem::take(&mut self.pages);
                    let agreement = done.agreement.filter(|a| (0.0..=1.0).contains(a));
                    let engine = done.engine.chars().take(100).collect();
                    self.outcome = Some(Ok(Text { pages, engine, agreement, incomplete: done.incomplete }));
                }
                (Body::Failed(failed), _) => self.outcome = Some(Err(failed.into())),
                _ => return nonsense("frames out of order"),
            }
        }
    }
}

/// The end of what a child said on standard error.
#[derive(Default)]
struct LastWords(Vec<u8>);

impl LastWords {
    fn hear(&mut self, piece: &[u8]) {
        self.0.extend_from_slice(piece);
        let excess = self.0.len().saturating_sub(STDERR_BYTES);
        self.0.drain(..excess);
    }

    fn last_line(&self) -> String {
        let all = String::from_utf8_lossy(&self.0);
        // What the runtime says about backtraces is not about the document.
        let said = |line: &&str| !line.trim().is_empty() && !line.starts_with("note: ");
        all.lines().rev().find(said).unwrap_or("").trim().chars().take(200).collect()
    }
}

/// Listens to both streams until both have ended or an answer is no longer to be expected.
fn listen(
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    deadline: Instant,
    hearing: &mut Hearing,
    words: &mut LastWords,
    on_page: &mut dyn FnMut(&Page, u32),
) -> Result<(), ReadError> {
    let (mut stdout, mut stderr) = (stdout, stderr);
    let mut piece = vec![0; 1 << 16];
    while stdout.is_some() || stderr.is_some() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ReadError::LimitExceeded(Limit::Wall));
        }
        let (out_ready, err_ready) = ready(stdout.as_ref(), stderr.as_ref(), left)?;
        // A pipe that is ready gives what it has without blocking; nothing means that its other end is
        // closed.
        if let Some(pipe) = stdout.as_mut().filter(|_| out_ready) {
            match pipe.read(&mut piece)? {
                0 => stdout = None,
                n => hearing.hear(&piece[..n], on_page)?,
            }
        }
        if let Some(pipe) = stderr.as_mut().filter(|_| err_ready) {
            match pipe.read(&mut piece)? {
                0 => stderr = None,
                n => words.hear(&piece[..n]),
            }
        }
    }
    Ok(())
}

/// Waits until either stream has something, or has ended.
fn ready(
    stdout: Option<&ChildStdout>,
    stderr: Option<&ChildStderr>,
    left: Duration,
) -> io::Result<(bool, bool)> {
    let mut polled = Vec::with_capacity(2);
    polled.extend(stdout.map(|pipe| PollFd::new(pipe, PollFlags::IN)));
    polled.extend(stderr.map(|pipe| PollFd::new(pipe, PollFlags::IN)));
    let timeout = Timespec::try_from(left).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    match poll(&mut polled, Some(&timeout)) {
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return Ok((false, false)),
        Err(error) => return Err(error.into()),
    }
    let mut answers = polled.iter().map(|fd| !fd.revents().is_empty());
    let out_ready = stdout.is_some() && answers.next().unwrap_or(false);
    let err_ready = stderr.is_some() && answers.next().unwrap_or(false);
    Ok((out_ready, err_ready))
}

/// How a child ended that has closed its streams.
fn reap(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    let until = Instant::now() + LINGER;
    while Instant::now() < until {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(None)
}

/// What a death without an answer means.
fn cause(status: Option<ExitStatus>, words: &str, pending: usize) -> ReadError {
    let Some(status) = status else {
        return ReadError::ChildDied("it closed its streams and lived on".to_owned());
    };
    let signal = status.signal().and_then(Signal::from_named_raw);
    if signal == Some(Signal::XCPU) {
        return ReadError::LimitExceeded(Limit::Cpu);
    }
    if signal == Some(Signal::SYS) {
        return ReadError::Forbidden;
    }
    // The runtime says this as it aborts; the limit on address space is what makes allocations fail.
    if signal == Some(Signal::ABORT) && words.starts_with("memory allocation of") {
        return ReadError::LimitExceeded(Limit::Memory);
    }
    let mut cause = match (status.signal(), status.code()) {
        (Some(number), _) => signal.map_or_else(|| format!("signal {number}"), name),
        (None, Some(code)) => format!("exit {code}"),
        (None, None) => "no exit status".to_owned(),
    };
    if signal == Some(Signal::ABORT) && words.contains("stack overflow") {
        cause.push_str(": stack overflow");
    } else if !words.is_empty() {
        cause.push_str(": ");
        cause.push_str(words);
    }
    if pending > 0 {
        cause.push_str(", in the middle of a frame");
    }
    ReadError::ChildDied(cause)
}

fn name(signal: Signal) -> String {
    match signal {
        Signal::ABORT => "SIGABRT".to_owned(),
        Signal::BUS => "SIGBUS".to_owned(),
        Signal::FPE => "SIGFPE".to_owned(),
        Signal::ILL => "SIGILL".to_owned(),
        // Not ours, which end with an answer: someone from outside, or the kernel for want of memory.
        Signal::KILL => "SIGKILL".to_owned(),
        Signal::SEGV => "SIGSEGV".to_owned(),
        Signal::TERM => "SIGTERM".to_owned(),
        Signal::XFSZ => "SIGXFSZ".to_owned(),
        other => format!("signal {}", other.as_raw()),
    }
}
