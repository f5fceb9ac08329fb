//! The parent's side: what a program that recognises text makes of a picture.

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use super::process;
use crate::document::{Limit, ReadError};

/// Address space, bytes. A page takes 250 MB, more with several languages.
const MEMORY: u64 = 2 << 30;

/// Processor time for one picture, seconds. Two are usual, and the densest newspaper was seen to take fifteen.
const CPU_SECONDS: u64 = 120;

/// What it may say of one picture, bytes.
const ANSWER: usize = 16 << 20;

/// What was recognised.
#[derive(Debug)]
pub struct Recognition {
    /// As the program put it.
    pub answer: String,
    /// Processor time, milliseconds.
    pub cpu_ms: u64,
}

/// Has `recogniser` read `picture`, confined by `program`, which calls [`super::child_entry`].
///
/// # Errors
/// [`ReadError::LimitExceeded`], [`ReadError::ChildDied`] with what it said last.
pub fn recognise(
    program: &Path,
    recogniser: &Path,
    arguments: &[&str],
    picture: &mut File,
    deadline: Instant,
) -> Result<Recognition, ReadError> {
    let mut all = vec![super::RECOGNISE_ARGUMENT.to_owned(), MEMORY.to_string(), CPU_SECONDS.to_string()];
    all.push(recogniser.to_string_lossy().into_owned());
    all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    let mut answer = Vec::new();
    let mut hear = |piece: &[u8]| {
        answer.extend_from_slice(piece);
        if answer.len() > ANSWER { Err(ReadError::LimitExceeded(Limit::Text)) } else { Ok(()) }
    };
    let ending = process::converse(program, &all, picture, None, deadline, &mut hear)?;
    if !ending.status.is_some_and(|status| status.success()) {
        return Err(process::cause(&ending, 0));
    }
    Ok(Recognition { answer: String::from_utf8_lossy(&answer).into_owned(), cpu_ms: ending.cpu_ms })
}
