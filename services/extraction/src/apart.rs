//! Reading in a child, and in the next one where that dies: pages that were finished stay, and the page that was deadly
//! is given up, not the document.

use std::fs::File;
use std::time::{Duration, Instant};

use crate::child::{self, Unfinished};
use crate::document::{Limit, Page, ReadError, Text};
use crate::limits::{Meter, Order, Work};
use crate::options::Options;
use crate::pdf::EngineChoice;
use crate::pile::Pile;
use millrace_media::MediaType;

/// Children that may die of one document. A page in the midst of a good one costs two or three. After that the pages that
/// are there are all that there will be.
const DEATHS: u32 = 6;

/// Reads in a child.
///
/// # Errors
/// As [`child::run`]: of several deaths the first, if nothing of the document was read.
pub(crate) fn apart(
    work: Work,
    file: &mut File,
    options: &Options,
    on_page: &mut dyn FnMut(&Page, u32),
) -> Result<Text<Pile>, ReadError> {
    let deadline = Instant::now() + Duration::from_secs(options.max_wall_seconds);
    let mut so_far = SoFar { order: options.order(work), pages: Pile::default(), all: None, first: None };
    for _ in 0..DEATHS {
        let before = so_far.pages.len();
        let all = u32::try_from(before).unwrap_or(u32::MAX);
        let mut progress = |page: &Page, more: u32| on_page(page, all.saturating_add(more));
        let (program, password) = (options.program(), options.password.as_ref());
        let SoFar { order, pages, .. } = &mut so_far;
        match child::run(program, order, file, password, deadline, pages, &mut progress) {
            Ok(text) => return so_far.with(text, options),
            Err(Unfinished { error: ReadError::Encrypted, .. })
                if matches!(work, Work::Pdf(_) | Work::Other(MediaType::Zip)) && password.is_some() =>
            {
                return Err(ReadError::WrongPassword);
            }
            Err(unfinished) if !is_death(&unfinished.error) || !matches!(work, Work::Pdf(_)) => {
                return Err(unfinished.error);
            }
            Err(unfinished) => {
                if so_far.goes_on(before, unfinished, options)? {
                    continue;
                }
                return so_far.with(Text { incomplete: true, ..Text::default() }, options);
            }
        }
    }
    so_far.give_up(options)?;
    so_far.with(Text { incomplete: true, given_up: true, ..Text::default() }, options)
}

/// Whether it came over the process rather than out of it. The time that all of them have together is not in it.
fn is_death(error: &ReadError) -> bool {
    matches!(
        error,
        ReadError::ChildDied(_) | ReadError::LimitExceeded(Limit::Memory | Limit::Nesting | Limit::Cpu)
    )
}

/// What the children have found before the present one.
struct SoFar {
    order: Order,
    pages: Pile,
    /// How many pages there are to be, once that was said.
    all: Option<usize>,
    first: Option<ReadError>,
}

impl SoFar {
    /// Takes up what a child has left that began `before` so many pages, and whether there is anything to be read yet.
    fn goes_on(
        &mut self,
        before: usize,
        Unfinished { error, total }: Unfinished,
        options: &Options,
    ) -> Result<bool, ReadError> {
        let progressed = self.pages.len() > before;
        let used_up = matches!(error, ReadError::LimitExceeded(Limit::Memory | Limit::Cpu));
        if let Some(total) = total {
            self.all = Some(before + total as usize);
        }
        self.first.get_or_insert(error);
        if self.order.work == Work::Pdf(EngineChoice::Auto) {
            // One of several engines died, and hardly ever do all. The one that was never seen to crash goes on alone.
            self.order.work = Work::Pdf(EngineChoice::Hayro);
        } else if self.all.is_none() {
            // It does not get as far as a page.
            return Ok(false);
        } else if !(progressed && used_up) {
            // It is this page. Where time or memory was used up on others before, that is tried first.
            self.lose_next(options)?;
        }
        self.order.wanted = options.wanted.behind(self.pages.last());
        Ok(self.all != Some(self.pages.len()) && self.order.wanted.after(0).is_some())
    }

    /// The next page is one that nobody will read; whether there is one.
    fn lose_next(&mut self, options: &Options) -> Result<bool, ReadError> {
        let Some(number) = options.wanted.after(self.pages.last()) else { return Ok(false) };
        self.pages.push(Page { number, lost: true, ..Page::default() })?;
        Ok(true)
    }

    /// All pages to come are lost.
    fn give_up(&mut self, options: &Options) -> Result<(), ReadError> {
        while self.all.is_some_and(|all| self.pages.len() < all) && self.lose_next(options)? {}
        Ok(())
    }

    /// What all of them have found.
    fn with(self, text: Text<()>, options: &Options) -> Result<Text<Pile>, ReadError> {
        let Self { mut pages, first, .. } = self;
        let Some(first) = first else { return Ok(text.with(pages)) };
        if pages.notes().iter().all(|page| page.blank) {
            return Err(first);
        }
        // Each child has kept the limit on text by itself.
        let mut meter = Meter::new(options.max_pages, options.max_text_bytes);
        for at in 0..pages.len() {
            meter.page(&pages.page(at)?)?;
        }
        let lost = pages.notes().iter().any(|page| page.lost);
        let mut text = text.with(pages);
        if text.engine.is_empty() {
            text.engine = crate::pdf::hayro::NAME.to_owned();
        }
        text.incomplete |= lost;
        Ok(text)
    }
}
