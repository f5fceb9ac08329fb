//! Likeness of an anchor to a stretch of the text, word by word.

use super::tokens;
use std::collections::HashMap;

/// The words of a document by number, so that comparing two is comparing two numbers.
#[derive(Debug, Default)]
pub struct Words {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
    /// By word: where it stands.
    places: Vec<Vec<u32>>,
    /// By place: which word.
    pub text: Vec<u32>,
}

/// No word of the document.
const STRANGER: u32 = u32::MAX;

/// A stretch of the text that is like the anchor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Like {
    /// First token.
    pub start: usize,
    /// Behind the last token.
    pub end: usize,
    /// 0 to 1.
    pub score: f64,
}

impl Words {
    /// Adds a token behind the others.
    pub fn push(&mut self, token: &str) {
        let plain = tokens::plain(token);
        let number = *self.numbers.entry(plain).or_insert_with_key(|name| {
            self.names.push(name.clone());
            self.places.push(Vec::new());
            self.names.len() as u32 - 1
        });
        self.places[number as usize].push(self.text.len() as u32);
        self.text.push(number);
    }

    /// An anchor in the words of this document.
    pub fn anchor(&self, anchor: Vec<String>) -> Anchor {
        let known = anchor.iter().map(|word| self.numbers.get(word).copied().unwrap_or(STRANGER)).collect();
        Anchor { words: anchor, known, seen: HashMap::new() }
    }

    /// Places where an anchor may stand: around its rarest words.
    pub fn around(&self, anchor: &Anchor) -> Vec<usize> {
        /// A word that stands in more places than this says little.
        const COMMON: usize = 96;
        let mut rare: Vec<(usize, u32, usize)> = anchor
            .known
            .iter()
            .enumerate()
            .filter(|(_, word)| **word != STRANGER)
            .map(|(index, word)| (self.places[*word as usize].len(), *word, index))
            .collect();
        rare.sort_unstable();
        let mut starts: Vec<usize> = rare
            .iter()
            .take(5)
            .filter(|(places, _, _)| *places <= COMMON)
            .flat_map(|(_, word, index)| {
                self.places[*word as usize].iter().map(|place| (*place as usize).saturating_sub(*index))
            })
            .collect();
        starts.sort_unstable();
        starts.dedup_by(|later, earlier| *later <= *earlier + 3);
        starts
    }

    /// The stretch between two tokens that is most like the anchor.
    pub fn best(&self, anchor: &mut Anchor, from: usize, to: usize) -> Option<Like> {
        let text = self.text.get(from..to)?;
        let n = anchor.words.len();
        // Without half of the words there is no likeness worth a closer look.
        let same = anchor.known.iter().filter(|word| text.contains(word)).count();
        if same * 2 < n {
            return None;
        }
        // Edit distance over words; a stretch may begin and end anywhere. Each cell: cost, and where it began.
        let mut row: Vec<(f64, usize)> = (0..=n).map(|i| (i as f64, 0)).collect();
        let mut best = Like { start: 0, end: 0, score: 0.0 };
        for (j, word) in text.iter().enumerate() {
            let mut diagonal = row[0];
            row[0] = (0.0, j + 1);
            for i in 1..=n {
                let above = row[i];
                let change = if anchor.known[i - 1] == *word {
                    0.0
                } else {
                    1.0 - anchor.likeness(i - 1, *word, self)
                };
                let mut cell = (diagonal.0 + change, diagonal.1);
                for (cost, start) in [(above.0 + 1.0, above.1), (row[i - 1].0 + 1.0, row[i - 1].1)] {
                    if cost < cell.0 || (cost == cell.0 && start < cell.1) {
                        cell = (cost, start);
                    }
                }
                diagonal = above;
                row[i] = cell;
            }
            let score = 1.0 - row[n].0 / n as f64;
            if score >= best.score {
                best = Like { start: from + row[n].1, end: from + j + 1, score };
            }
        }
        // Of stretches that are equally like, the longest. Its ends must be the anchor's: of "shall exceed" the stretch
        // "shall" in "shall not exceed" has all but one word, and nothing of what it says.
        let mut ends = |index: usize, place: usize| {
            let word = self.text.get(place).copied().unwrap_or(STRANGER);
            anchor.known[index] == word || anchor.likeness(index, word, self) > 0.0
        };
        (best.score > 0.0 && best.end > best.start && ends(0, best.start) && ends(n - 1, best.end - 1))
            .then_some(best)
    }

    /// A word by its number in the text.
    pub fn name(&self, place: usize) -> &str {
        self.text.get(place).and_then(|word| self.names.get(*word as usize)).map_or("", String::as_str)
    }
}

/// What is looked for.
#[derive(Debug)]
pub struct Anchor {
    /// Its tokens.
    pub words: Vec<String>,
    known: Vec<u32>,
    seen: HashMap<(usize, u32), f64>,
}

impl Anchor {
    fn likeness(&mut self, index: usize, word: u32, words: &Words) -> f64 {
        let Anchor { words: own, seen, .. } = self;
        *seen.entry((index, word)).or_insert_with(|| {
            tokens::likeness(&own[index], words.names.get(word as usize).map_or("", String::as_str))
        })
    }
}
