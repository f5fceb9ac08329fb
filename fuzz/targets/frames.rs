//! What a reading process says to its parent, which believes none of it.

use millrace_contract::Pages;
use millrace_extraction::ReadError;
use millrace_extraction::child::{overheard, overlooked};
use millrace_extraction::limits::{MAX_BLOCKS, Order, Work};
use millrace_extraction::pdf::EngineChoice;

/// Small, so that a fuzzer reaches them.
const PAGES: u32 = 50;
const TEXT_BYTES: u64 = 10_000;

/// The first byte says how the rest is cut into pieces, as a pipe might.
pub fn run(data: &[u8]) {
    let Some((cut, said)) = data.split_first() else { return };
    let cut = usize::from(*cut).max(1);
    let order = Order {
        work: Work::Pdf(EngineChoice::Auto),
        memory_bytes: 0,
        cpu_seconds: 0,
        pages: PAGES,
        text_bytes: TEXT_BYTES,
        attachments: 3,
        attached_bytes: 1_000,
        password: false,
        wanted: Pages::default(),
    };
    let whole = overheard(&order, said.chunks(said.len().max(1)));
    let pieces = overheard(&order, said.chunks(cut));
    assert_eq!(format!("{whole:?}"), format!("{pieces:?}"), "how it is cut makes no difference");
    if let Ok(text) = whole {
        assert!(text.pages.len() <= PAGES as usize);
        let blocks: usize = text.pages.iter().map(|page| page.blocks.len()).sum();
        assert!(blocks <= MAX_BLOCKS as usize);
        assert!(text.pages.iter().map(|page| page.text_bytes() as u64).sum::<u64>() <= TEXT_BYTES);
        assert!((1..).zip(&text.pages).all(|(number, page)| page.number == number));
        assert!(text.pages.iter().all(|page| (0.0..=1.0).contains(&page.image_coverage)));
        assert!(text.agreement.is_none_or(|agreement| (0.0..=1.0).contains(&agreement)));
    }
    match overlooked(said.chunks(cut)) {
        Ok(size) => {
            assert!(size.width > 0 && size.height > 0 && size.points_wide > 0.0 && size.points_high > 0.0)
        }
        Err(ReadError::Io(error)) => panic!("{error}"),
        Err(_) => {}
    }
}
