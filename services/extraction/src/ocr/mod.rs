//! Text recognition: pages that are pictures are drawn by a child and read by tesseract, which is a program of its own
//! and confined like one.

mod languages;
mod tsv;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::child;
use crate::document::{Kind, Limit, Page, ReadError, Text};
use crate::limits::{Order, Work};
use crate::password::Password;
use crate::pile::Pile;

pub use tsv::Recognised;

/// Time for one picture, seconds, however busy the machine is; its processor time is limited besides.
const WALL_SECONDS: u64 = 300;

/// Below this a page may stand on its head or on its side: it is read once more, turned as it seems to be.
const DOUBTFUL: f32 = 0.6;

/// What the recogniser does about paper that is darker in one place than in another. A photograph always has some: with
/// the usual one threshold for all of it, half of one was seen to be black.
const UNEVEN_LIGHT: &[&str] = &["-c", "thresholding_method=2"];

/// Where text is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum OcrChoice {
    /// By this service, if tesseract is installed
    #[default]
    Here,
    /// By a deployment that hears lane `ocr`
    Lane,
    /// Not at all
    Off,
}

/// The program that recognises text, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recogniser {
    program: PathBuf,
    version: String,
    languages: Vec<String>,
    data: Option<PathBuf>,
}

impl Recogniser {
    /// Looks for tesseract under this name or path and asks what it can read. `None` if it is not there or has no
    /// language to read in.
    #[must_use]
    pub fn find(program: &Path) -> Option<Self> {
        let program = located(program)?;
        let version = said(&program, "--version")?.lines().next()?.trim().to_owned();
        let mut languages: Vec<String> =
            said(&program, "--list-langs")?.lines().skip(1).map(|line| line.trim().to_owned()).collect();
        languages.retain(|name| !name.is_empty());
        languages.sort_unstable();
        languages::first(&languages)?;
        let data = std::env::var_os("TESSDATA_PREFIX").map(PathBuf::from);
        Some(Self { program, version, languages, data })
    }

    /// Name and version: `tesseract 5.3.0`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// All that shapes what it reads: its version and its languages.
    #[must_use]
    pub fn shape(&self) -> String {
        format!("{} {}", self.version, self.languages.join("+"))
    }
}

/// The child that becomes the recogniser looks for nothing: it gets a whole path.
fn located(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.is_file().then(|| program.to_owned());
    }
    std::env::split_paths(&std::env::var_os("PATH")?).map(|at| at.join(program)).find(|at| at.is_file())
}

fn said(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).stdin(Stdio::null()).output().ok()?;
    // Old versions answer on standard error.
    let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    output.status.success().then(|| String::from_utf8_lossy(&said).into_owned())
}

/// Reads the pages of one document that are pictures.
pub struct Reading<'a> {
    recogniser: &'a Recogniser,
    program: &'a Path,
    password: Option<&'a Password>,
    language: Option<String>,
    /// See [`UNEVEN_LIGHT`].
    light: &'static [&'static str],
    until: Instant,
    spent_ms: u64,
}

impl<'a> Reading<'a> {
    /// Begins. `program` confines what is started; `language` is what the sender says, ISO 639-1; after `seconds` it
    /// is over.
    #[must_use]
    pub fn new(recogniser: &'a Recogniser, program: &'a Path, language: Option<&str>, seconds: u64) -> Self {
        let language = language.and_then(|name| languages::named(name, &recogniser.languages));
        let until = Instant::now() + Duration::from_secs(seconds);
        Self { recogniser, program, password: None, language, light: &[], until, spent_ms: 0 }
    }

    /// The same, of an encrypted document.
    #[must_use]
    pub fn with(self, password: Option<&'a Password>) -> Self {
        Self { password, ..self }
    }

    /// Recognises every page of `text` that needs it. `draw` names the work that draws a page, `order` says what a child
    /// may use for it.
    ///
    /// A page that cannot be drawn or read stays as it is: the others are worth having.
    ///
    /// # Errors
    /// [`Limit::Recognition`]; [`ReadError::Io`]; [`ReadError::Forbidden`].
    pub fn pages(
        mut self,
        text: &mut Text<Pile>,
        document: &mut File,
        draw: fn(u32) -> Work,
        order: &Order,
        wall: Duration,
        on_page: &mut dyn FnMut(&Page, u32),
    ) -> Result<(), ReadError> {
        let total = u32::try_from(text.pages.len()).unwrap_or(u32::MAX);
        let mut any = false;
        if matches!(draw(0), Work::Sheet(_)) {
            self.light = UNEVEN_LIGHT;
        }
        let waiting = text.pages.notes().iter().enumerate();
        let waiting = waiting.filter(|(_, page)| page.unread && !(page.lost && text.given_up));
        for at in waiting.map(|(at, _)| at).collect::<Vec<_>>() {
            let mut page = text.pages.page(at)?;
            let order = Order { work: draw(page.number), ..order.clone() };
            let drawn = child::picture(self.program, &order, document, self.password, Instant::now() + wall);
            match drawn.and_then(|picture| self.page(&mut page, picture)) {
                Ok(()) => {
                    any = true;
                    text.pages.replace(at, page.clone())?;
                }
                Err(error @ (ReadError::Io(_) | ReadError::Forbidden)) => return Err(error),
                Err(_) if self.left().is_zero() => return Err(ReadError::LimitExceeded(Limit::Recognition)),
                Err(_) => text.incomplete = true,
            }
            on_page(&page, total);
        }
        text.ocr_ms += self.spent_ms;
        if any {
            text.engine = format!("{} + {}", text.engine, self.recogniser.version);
        }
        Ok(())
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Reads one picture into its page.
    fn page(&mut self, page: &mut Page, mut picture: child::Picture) -> Result<(), ReadError> {
        self.spent_ms += picture.cpu_ms;
        let points = picture.size.points_wide / picture.size.width as f32;
        let found = self.best(&mut picture.file, points)?;
        (page.width, page.height) = (picture.size.points_wide, picture.size.points_high);
        page.recognised = true;
        page.confidence = Some(found.confidence);
        // What was not printed cannot be seen in a picture.
        let rest = std::mem::take(&mut page.blocks).into_iter().filter(|block| block.kind != Kind::Printed);
        page.blocks = found.blocks.into_iter().chain(rest).collect();
        Ok(())
    }

    /// Reads a picture as often as it takes to read it in its own language.
    fn best(&mut self, picture: &mut File, points: f32) -> Result<Recognised, ReadError> {
        let have = &self.recogniser.languages;
        let begin = match self.language.clone() {
            Some(language) => Some(language),
            None if languages::several_scripts(have) => self.script(picture)?,
            None => None,
        };
        let begin = begin.or_else(|| languages::first(have)).unwrap_or_default();
        let mut best = self.once(picture, &begin, points, false)?;
        if best.confidence < DOUBTFUL && have.iter().any(|name| name == languages::ORIENTATION) {
            let turned = self.once(picture, &begin, points, true)?;
            if turned.worth() > best.worth() {
                best = turned;
            }
        }
        let better = languages::of_text(&best.text(), have).filter(|language| *language != begin);
        if let Some(language) = &better {
            let again = self.once(picture, language, points, false)?;
            if again.worth() > best.worth() {
                best = again;
            }
        }
        if best.confidence >= DOUBTFUL {
            // The next page is likely to be in the same one.
            self.language = Some(better.unwrap_or(begin));
        }
        Ok(best)
    }

    /// The script of a picture, as a language to begin with.
    fn script(&mut self, picture: &mut File) -> Result<Option<String>, ReadError> {
        let languages = &self.recogniser.languages;
        if !languages.iter().any(|name| name == languages::ORIENTATION) {
            return Ok(None);
        }
        match self.run(picture, &["--psm", "0", "-l", languages::ORIENTATION]) {
            Ok(answer) => Ok(languages::of_script(&answer, languages)),
            // It fails where it sees too few letters.
            Err(ReadError::ChildDied(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn once(
        &mut self,
        picture: &mut File,
        language: &str,
        points: f32,
        turn: bool,
    ) -> Result<Recognised, ReadError> {
        let mode = if turn { "1" } else { "3" };
        let table = self.run(picture, &["--psm", mode, "--dpi", "300", "-l", language, "tsv"])?;
        Ok(tsv::read(&table, points))
    }

    fn run(&mut self, picture: &mut File, wish: &[&str]) -> Result<String, ReadError> {
        let data = self.recogniser.data.as_ref().map(|path| path.to_string_lossy().into_owned());
        let mut arguments = vec!["stdin", "stdout"];
        arguments.extend(data.iter().flat_map(|path| ["--tessdata-dir", path.as_str()]));
        arguments.extend(self.light);
        arguments.extend(wish);
        let left = self.left();
        if left.is_zero() {
            return Err(ReadError::LimitExceeded(Limit::Recognition));
        }
        let deadline = Instant::now() + left.min(Duration::from_secs(WALL_SECONDS));
        let found = child::recognise(self.program, &self.recogniser.program, &arguments, picture, deadline)?;
        self.spent_ms += found.cpu_ms;
        Ok(found.answer)
    }
}
