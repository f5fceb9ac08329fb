//! The documents of a batch: contracts as plain text, each different, a third of them of 40 pages and more. The same
//! number gives the same document.

use std::fmt::Write as _;

/// Plain text is cut into pages of about this many characters when it is read.
const PAGE: usize = 3000;

const ACTORS: [&str; 6] =
    ["The Supplier", "The Client", "Either party", "The Contractor", "The Lessee", "The Operator"];
const DUTIES: [&str; 12] = [
    "shall deliver the monthly service report to the other party's representative",
    "shall keep complete records of all work done under this Agreement",
    "shall maintain insurance with a reputable insurer for the whole of the term",
    "may suspend the services after written notice if an invoice stays unpaid",
    "shall not assign its rights without the prior written consent of the other party",
    "shall remedy any defect that is notified during the warranty period",
    "shall treat all information that it receives as confidential",
    "shall pay interest on late amounts at four per cent above the base rate",
    "must hand over the keys, the drawings and the operating manuals on completion",
    "shall indemnify the other party against claims of third parties",
    "may terminate this Agreement if the other party commits a material breach",
    "shall train the staff who operate the installation at each site",
];
const PLACES: [&str; 8] =
    ["Harwick", "Larne Bridge", "Oldmere", "Tarnwick", "Brackenfold", "Pellworth", "Valdecorna", "Hollin"];

/// A batch: which documents, and how many of them are long.
#[derive(Debug, Clone, Copy)]
pub struct Batch {
    /// Another seed, other documents.
    pub seed: u64,
    /// Share of documents that no small window holds.
    pub oversized: f64,
}

impl Batch {
    /// One document as it is uploaded.
    pub fn text(&self, number: usize) -> String {
        let mut dice = Dice(self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number as u64);
        let oversized = dice.share() < self.oversized;
        let pages = match (oversized, number % 3) {
            (true, _) => 110 + dice.below(20),
            (_, 0) => 40 + dice.below(16),
            _ => 6 + dice.below(22),
        };
        let mut text = format!(
            "SERVICES AGREEMENT No. {}-{number}\n\nThis Agreement is made on {} {} 2026 between {} Holdings Ltd, a \
             company registered in England (the \"Supplier\"), and {} Works Ltd (the \"Client\").\n\n",
            self.seed,
            1 + dice.below(28),
            ["January", "March", "June", "October"][dice.below(4)],
            PLACES[dice.below(PLACES.len())],
            PLACES[dice.below(PLACES.len())],
        );
        let mut clause = 0;
        while text.len() < pages * PAGE {
            clause += 1;
            let _ = write!(text, "{clause}. ");
            for _ in 0..3 + dice.below(4) {
                let (actor, duty) = (ACTORS[dice.below(ACTORS.len())], DUTIES[dice.below(DUTIES.len())]);
                let place = PLACES[dice.below(PLACES.len())];
                let _ = match dice.below(4) {
                    0 => write!(
                        text,
                        "{actor} {duty}, for a fee of GBP {},{:03}.00 in respect of {place}. ",
                        1 + dice.below(900),
                        dice.below(1000)
                    ),
                    1 => write!(
                        text,
                        "{actor} {duty} within {} days of the works at {place}. ",
                        5 + dice.below(85)
                    ),
                    2 => write!(
                        text,
                        "{actor} {duty} not later than {} May 2027, site {place}-{}. ",
                        1 + dice.below(28),
                        dice.below(10_000)
                    ),
                    _ => write!(text, "{actor} {duty} at {place}, lot {}. ", dice.below(100_000)),
                };
            }
            text.push_str("\n\n");
        }
        text.push_str("This Agreement is governed by the laws of England and Wales.\n");
        text
    }
}

/// A small generator: the batch must be the same everywhere and for ever.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap_or(0)
    }

    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}
