//! A process apart: started, listened to, ended, and what its end means.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

use crate::document::{Limit, ReadError};
use crate::password::Password;

/// How much of what a child says on standard error is kept: enough for its last line.
const STDERR_BYTES: usize = 4096;

/// How long a child may take to be gone after it closed its streams.
const LINGER: Duration = Duration::from_secs(1);

/// Takes what a child says on standard output, piece by piece. An error ends the conversation.
pub(super) type Hear<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), ReadError>;

/// How a child ended that has closed its streams.
#[derive(Debug)]
pub(super) struct Ending {
    /// `None` if it lives on.
    pub status: Option<ExitStatus>,
    /// Its last line on standard error.
    pub words: String,
    /// Processor time it took, milliseconds, in steps of ten.
    pub cpu_ms: u64,
}

/// A child that is killed and reaped whatever happens to its parent's attention.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it is gone already, which is all that is wanted.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts `program` as a child that does what `arguments` say with `input`, read from its beginning, and listens
/// until it has closed its streams. The child dies with the calling thread.
///
/// A password waits for the child on its standard error, which then runs both ways: arguments and variables are shown
/// to others, and a descriptor of its own could be inherited by a child that is started at the same moment.
///
/// # Errors
/// What `hear` answers; [`Limit::Wall`] at the deadline.
pub(super) fn converse(
    program: &Path,
    arguments: &[String],
    input: &mut File,
    password: Option<&Password>,
    deadline: Instant,
    hear: Hear<'_>,
) -> Result<Ending, ReadError> {
    input.rewind()?;
    let (theirs, ours) = match password {
        Some(password) => {
            let (theirs, mut ours) = UnixStream::pair()?;
            ours.write_all(password.text().as_bytes())?;
            ours.shutdown(Shutdown::Write)?;
            (Stdio::from(OwnedFd::from(theirs)), Some(OwnedFd::from(ours)))
        }
        None => (Stdio::piped(), None),
    };
    let mut child = Command::new(program)
        .arg0("millrace-extraction")
        .args(arguments)
        // No credential of the service is in reach of a document. One thread in every pool.
        .env_clear()
        .env("RAYON_NUM_THREADS", "1")
        // More arenas would only cost address space, and counting processors for them may take a file.
        .env("MALLOC_ARENA_MAX", "1")
        // Ctrl-C at a terminal asks the service to finish what it has, which includes this.
        .process_group(0)
        .stdin(Stdio::from(input.try_clone()?))
        .stdout(Stdio::piped())
        .stderr(theirs)
        .spawn()?;
    let stderr = ours.or_else(|| child.stderr.take().map(OwnedFd::from)).map(File::from);
    let stdout = child.stdout.take();
    let mut child = Running(child);
    let mut words = LastWords::default();
    listen(stdout, stderr, deadline, hear, &mut words)?;
    let cpu_ms = spent(&child.0);
    Ok(Ending { status: child.0.try_wait()?, words: words.last_line(), cpu_ms })
}

/// Waits until a child that has closed its streams is gone, and says what processor time it took: that is only known
/// while it is gone but not forgotten yet.
fn spent(child: &Child) -> u64 {
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return 0 };
    let until = Instant::now() + LINGER;
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    while Instant::now() < until {
        match waitid(WaitId::Pid(pid), look) {
            Ok(None) => std::thread::sleep(Duration::from_micros(200)),
            Ok(Some(_)) => break,
            Err(_) => return 0,
        }
    }
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
    // Its name, in brackets, may hold anything; user and system time are the twelfth and thirteenth after it.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks: u64 = after.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    ticks * 1000 / rustix::param::clock_ticks_per_second().max(1)
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
    stderr: Option<File>,
    deadline: Instant,
    hear: Hear<'_>,
    words: &mut LastWords,
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
                n => hear(&piece[..n])?,
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
fn ready(stdout: Option<&ChildStdout>, stderr: Option<&File>, left: Duration) -> io::Result<(bool, bool)> {
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

/// What a death without an answer means. `pending` bytes of a frame had come.
pub(super) fn cause(ending: &Ending, pending: usize) -> ReadError {
    let (words, Some(status)) = (ending.words.as_str(), ending.status) else {
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
    // The stack's size is a limit like the others, and nesting is what uses it up.
    if signal == Some(Signal::ABORT) && words.contains("stack overflow") {
        return ReadError::LimitExceeded(Limit::Nesting);
    }
    let mut cause = match (status.signal(), status.code()) {
        (Some(number), _) => signal.map_or_else(|| format!("signal {number}"), name),
        (None, Some(code)) => format!("exit {code}"),
        (None, None) => "no exit status".to_owned(),
    };
    if !words.is_empty() {
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
