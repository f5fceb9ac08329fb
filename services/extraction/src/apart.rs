//! Reading in a child, and in the next one where that dies: pages that were finished stay, and the page that was deadly
//! is given up, not the document.

use std::fs::File;
use std::time::{Duration, Instant};

use crate::child::{self, Unfinished};
use crate::document::{Limit, Page, ReadError, Text};
use crate::limits::{Meter, Order, Work};
use crate::pdf::EngineChoice;
use crate::reading::Options;

/// Children that may die of one document. A page in the midst of a good one costs two or three.
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
) -> Result<Text, ReadError> {
    let deadline = Instant::now() + Duration::from_secs(options.max_wall_seconds);
    let mut so_far = SoFar { order: options.order(work), pages: Vec::new(), all: None, first: None };
    for _ in 0..DEATHS {
        let before = u32::try_from(so_far.pages.len()).unwrap_or(u32::MAX);
        let mut progress = |page: &Page, more: u32| on_page(page, before.saturating_add(more));
        let (program, password) = (options.program(), options.password.as_ref());
        match child::run(program, &so_far.order, file, password, deadline, &mut progress) {
            Ok(text) => return so_far.with(text, options),
            Err(Unfinished { error: ReadError::Encrypted, .. })
                if matches!(work, Work::Pdf(_)) && password.is_some() =>
            {
                return Err(ReadError::WrongPassword);
            }
            Err(unfinished) if !is_death(&unfinished.error) || !matches!(work, Work::Pdf(_)) => {
                return Err(unfinished.error);
            }
            Err(unfinished) => {
                if so_far.goes_on(unfinished, options) {
                    continue;
                }
                return so_far.with(Text { incomplete: true, ..Text::default() }, options);
            }
        }
    }
    Err(so_far.first.unwrap_or_else(|| ReadError::ChildDied("again and again".to_owned())))
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
    pages: Vec<Page>,
    /// How many pages there are to be, once that was said.
    all: Option<usize>,
    first: Option<ReadError>,
}

impl SoFar {
    /// Takes up what a child has left, and whether there is anything to be read yet.
    fn goes_on(&mut self, Unfinished { error, pages, total }: Unfinished, options: &Options) -> bool {
        let progressed = !pages.is_empty();
        let used_up = matches!(error, ReadError::LimitExceeded(Limit::Memory | Limit::Cpu));
        if let Some(total) = total {
            self.all = Some(self.pages.len() + total as usize);
        }
        self.pages.extend(pages);
        self.first.get_or_insert(error);
        if self.order.work == Work::Pdf(EngineChoice::Auto) {
            // One of several engines died, and hardly ever do all. The one that was never seen to crash goes on alone.
            self.order.work = Work::Pdf(EngineChoice::Hayro);
        } else if self.all.is_none() {
            // It does not get as far as a page.
            return false;
        } else if !(progressed && used_up) {
            // It is this page. Where time or memory was used up on others before, that is tried first.
            let next = options.wanted.after(self.last());
            self.pages.extend(next.map(|number| Page { number, lost: true, ..Page::default() }));
        }
        self.order.wanted = options.wanted.behind(self.last());
        self.all != Some(self.pages.len()) && self.order.wanted.after(0).is_some()
    }

    fn last(&self) -> u32 {
        self.pages.last().map_or(0, |page| page.number)
    }

    /// What all of them have found.
    fn with(mut self, text: Text, options: &Options) -> Result<Text, ReadError> {
        let Some(first) = self.first else { return Ok(text) };
        self.pages.extend(text.pages);
        if self.pages.iter().all(|page| page.blocks.is_empty()) {
            return Err(first);
        }
        // Each child has kept the limit on text by itself.
        let mut meter = Meter::new(options.max_pages, options.max_text_bytes);
        self.pages.iter().try_for_each(|page| meter.page(page))?;
        let lost = self.pages.iter().any(|page| page.lost);
        let engine = if text.engine.is_empty() { crate::pdf::hayro::NAME.to_owned() } else { text.engine };
        Ok(Text { pages: self.pages, engine, incomplete: text.incomplete || lost, ..text })
    }
}
