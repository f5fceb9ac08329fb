//! A document by block, folded once, with the ways to find words in it.

use super::fold::Folded;
use super::fuzzy::Words;
use super::tokens::{self, Token};
use crate::written::words::words;
use millrace_contract::wire::{DocumentText, Line};
use millrace_profile::block_id;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

/// A document as grounding reads it.
pub struct Index {
    blocks: Vec<Entry>,
    by_id: HashMap<String, usize>,
    /// All blocks, one space between them: a sentence that a page break has cut in two is still found.
    folded: Folded,
    words: OnceLock<Tokens>,
    /// Its words alone, for names.
    names: OnceLock<String>,
}

/// One block.
pub struct Entry {
    /// `p3.b2`.
    pub id: String,
    /// Its page.
    pub page: u32,
    /// As it stands in the document.
    pub text: String,
    /// Where it stands in the folded text.
    pub folded: Range<usize>,
    /// Where its lines stand on the page; empty where nobody knows.
    lines: Vec<Line>,
    /// Width and height of the page, points.
    pub page_size: (f32, f32),
}

impl Entry {
    /// The boxes of the lines on which some of its characters stand, in points from the upper left corner of the page:
    /// left, upper, right and lower edge.
    pub fn boxes(&self, characters: &Range<usize>) -> Vec<[f32; 4]> {
        let byte = |character: usize| {
            self.text.char_indices().nth(character).map_or(self.text.len(), |(byte, _)| byte)
        };
        let (start, end) = (byte(characters.start), byte(characters.end));
        let ends = self.lines.iter().skip(1).map(|next| next.start as usize).chain([self.text.len()]);
        let touched =
            self.lines.iter().zip(ends).filter(|(line, until)| (line.start as usize) < end && start < *until);
        touched.map(|(line, _)| [line.x0, line.y0, line.x1, line.y1]).collect()
    }
}

/// The document's tokens.
pub struct Tokens {
    /// As numbers.
    pub words: Words,
    /// Where each stands in the folded text.
    pub places: Vec<Token>,
    /// By block: its tokens.
    pub blocks: Vec<Range<usize>>,
}

impl Index {
    /// An index over a document.
    pub fn new(document: &DocumentText) -> Index {
        let (mut blocks, mut by_id, mut folded) = (Vec::new(), HashMap::new(), Folded::default());
        for page in &document.pages {
            for block in &page.blocks {
                let start = folded.text.len();
                folded.add(&block.text);
                let id = block_id(page.number, block.number);
                by_id.insert(id.clone(), blocks.len());
                let range = start..folded.text.len();
                blocks.push(Entry {
                    id,
                    page: page.number,
                    text: block.text.clone(),
                    folded: range,
                    lines: block.lines.clone(),
                    page_size: (page.width, page.height),
                });
                folded.put(' ', 0);
            }
        }
        Index { blocks, by_id, folded, words: OnceLock::new(), names: OnceLock::new() }
    }

    /// A block.
    pub fn entry(&self, block: usize) -> &Entry {
        &self.blocks[block]
    }

    /// The number of a block by its id.
    pub fn block(&self, id: &str) -> Option<usize> {
        self.by_id.get(id.trim().trim_matches(['[', ']'])).copied()
    }

    /// How many blocks there are.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether there is no block.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The text of a block by its id.
    pub fn text(&self, id: &str) -> Option<&str> {
        self.block(id).map(|block| self.blocks[block].text.as_str())
    }

    /// Where folded words stand: first in this range, whole words and whole numbers only.
    pub fn find(&self, needle: &str, within: Range<usize>) -> Option<Range<usize>> {
        let text = &self.folded.text;
        let mut from = within.start;
        while let Some(at) = text.get(from..within.end)?.find(needle) {
            let found = from + at..from + at + needle.len();
            if whole(text, &found) {
                return Some(found);
            }
            from = found.start + text[found.start..].chars().next().map_or(1, char::len_utf8);
        }
        None
    }

    /// Whether these words stand in the document, one behind the other, whatever marks and case they have there.
    pub fn mentions(&self, text: &str) -> bool {
        let names = self.names.get_or_init(|| {
            words(&self.folded.text).into_iter().fold(String::from(" "), |names, word| names + &word + " ")
        });
        let text = words(&Folded::of(text).text).join(" ");
        text.is_empty() || names.contains(&format!(" {text} "))
    }

    /// All of the folded text.
    pub fn everything(&self) -> Range<usize> {
        0..self.folded.text.len()
    }

    /// The folded text of a block, and of the one behind it: words may run on.
    pub fn from_block(&self, block: usize) -> Range<usize> {
        let next = self.blocks.get(block + 1).unwrap_or(&self.blocks[block]);
        self.blocks[block].folded.start..next.folded.end
    }

    /// The block with most of a stretch of folded text, and the characters of that block which it covers.
    pub fn origin(&self, found: &Range<usize>) -> Option<(usize, Range<usize>)> {
        let first = self.blocks.partition_point(|block| block.folded.end <= found.start);
        let shared = |block: &Entry| found.start.max(block.folded.start)..found.end.min(block.folded.end);
        let (block, part) = self.blocks[first..]
            .iter()
            .enumerate()
            .take_while(|(_, block)| block.folded.start < found.end)
            .map(|(index, block)| (first + index, shared(block)))
            .filter(|(_, part)| !part.is_empty())
            .reduce(|most, next| if next.1.len() > most.1.len() { next } else { most })?;
        let start = self.folded.origin[part.start] as usize;
        let end = self.folded.origin[part.end - 1] as usize + 1;
        Some((block, start..end))
    }

    /// The document's tokens; made when they are first needed.
    pub fn tokens(&self) -> &Tokens {
        self.words.get_or_init(|| {
            let (mut words, mut places, mut blocks) = (Words::default(), Vec::new(), Vec::new());
            for block in &self.blocks {
                let start = places.len();
                for token in tokens::tokens(&self.folded.text[block.folded.clone()]) {
                    let token = Token {
                        start: token.start + block.folded.start,
                        end: token.end + block.folded.start,
                    };
                    words.push(&self.folded.text[token.start..token.end]);
                    places.push(token);
                }
                blocks.push(start..places.len());
            }
            Tokens { words, places, blocks }
        })
    }

    /// The token at a place as it stands in the folded text.
    pub fn token(&self, place: usize) -> &str {
        let token = self.tokens().places[place];
        &self.folded.text[token.start..token.end]
    }
}

/// Whether a stretch neither begins nor ends inside of a word or a number: "EUR 5" is not in "EUR 5,000".
fn whole(text: &str, found: &Range<usize>) -> bool {
    let cuts = |inside: Option<char>, beside: Option<char>, beyond: Option<char>| {
        let (Some(inside), Some(beside)) = (inside, beside) else { return false };
        (inside.is_alphanumeric() && beside.is_alphanumeric())
            || (inside.is_ascii_digit()
                && matches!(beside, '.' | ',')
                && beyond.is_some_and(|beyond| beyond.is_ascii_digit()))
    };
    let (mut before, mut after) = (text[..found.start].chars().rev(), text[found.end..].chars());
    let inside = &text[found.clone()];
    !cuts(inside.chars().next(), before.next(), before.next())
        && !cuts(inside.chars().next_back(), after.next(), after.next())
}
