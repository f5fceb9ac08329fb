//! Comparing two readings of the same page by their words.

use std::collections::HashMap;

use unicode_bidi::{BidiClass, bidi_class};
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfkc_quick};

use crate::document::Page;

/// Below this F1 two engines disagree. Measured on 589 documents: of those above it 2 had wrong text, of the
/// 68 below it 21 (`docs/decisions/0003-pdf-engines.md`).
pub const AGREE: f32 = 0.9;

/// Words in two readings, and how many they share. Adds up over pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overlap {
    shared: u64,
    first: u64,
    second: u64,
}

impl Overlap {
    /// Compares two readings of a page.
    #[must_use]
    pub fn of(first: &Page, second: &Page) -> Self {
        let mut bag: HashMap<String, i64> = HashMap::new();
        let mut overlap = Self::default();
        words(first, |word| {
            overlap.first += 1;
            match bag.get_mut(word) {
                Some(count) => *count += 1,
                None => drop(bag.insert(word.to_owned(), 1)),
            }
        });
        words(second, |word| {
            overlap.second += 1;
            if let Some(left) = bag.get_mut(word)
                && *left > 0
            {
                *left -= 1;
                overlap.shared += 1;
            }
        });
        overlap
    }

    /// Compares a reading that tells apart what nobody sees with one that does not, or that leaves it out.
    #[must_use]
    pub fn with_or_without_hidden(first: &Page, second: &Page) -> Self {
        let without = Self::of(first, second);
        if first.hidden.is_empty() {
            return without;
        }
        let hidden = first.hidden.iter().map(|(_, block)| block);
        let blocks = first.blocks.iter().chain(hidden).cloned().collect();
        let with = Self::of(&Page { blocks, ..Page::default() }, second);
        if with.f1() > without.f1() { with } else { without }
    }

    /// The words of this page count too.
    pub fn add(&mut self, other: Self) {
        self.shared += other.shared;
        self.first += other.first;
        self.second += other.second;
    }

    /// F1 of the two bags of words, 0 to 1. Two readings without a word agree.
    #[must_use]
    pub fn f1(self) -> f32 {
        match self.first + self.second {
            0 => 1.0,
            all => (2 * self.shared) as f32 / all as f32,
        }
    }
}

/// The words of a page in a form that forgives what engines differ in without being wrong: case, punctuation
/// at a word's ends, soft hyphens, ligatures and other presentation forms. Each letter of a script without
/// spaces is a word.
fn words(page: &Page, mut each: impl FnMut(&str)) {
    let mut words = Words { word: String::new(), each: &mut each };
    for block in &page.blocks {
        // Most text is of one form whatever is done to it, and looking is cheaper than doing.
        if block.text.is_ascii() {
            block.text.bytes().for_each(|letter| words.ascii(letter));
        } else if is_nfkc_quick(block.text.chars()) == IsNormalized::Yes {
            block.text.chars().for_each(|letter| words.letter(letter));
        } else {
            block.text.nfkc().for_each(|letter| words.letter(letter));
        }
        words.end();
    }
}

/// Takes letters and gives words.
struct Words<'a, E> {
    word: String,
    each: &'a mut E,
}

impl<E: FnMut(&str)> Words<'_, E> {
    fn ascii(&mut self, letter: u8) {
        if letter.is_ascii_alphanumeric() {
            self.word.push(char::from(letter.to_ascii_lowercase()));
        } else {
            self.end();
        }
    }

    fn letter(&mut self, letter: char) {
        match letter {
            '\0'..='\x7f' => self.ascii(letter as u8),
            '\u{ad}' => {}
            _ if is_unspaced(letter) => {
                self.end();
                self.word.push(letter);
                self.end();
            }
            _ if letter.is_alphanumeric() => self.word.extend(letter.to_lowercase()),
            _ => self.end(),
        }
    }

    fn end(&mut self) {
        if !self.word.is_empty() {
            (self.each)(&self.word);
            self.word.clear();
        }
    }
}

/// Letters of scripts that put no spaces between words: Thai to Myanmar, kana, Han, Hangul.
pub(crate) fn is_unspaced(letter: char) -> bool {
    matches!(letter, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether a letter is of a script that runs from right to left.
pub(crate) fn is_leftward(letter: char) -> bool {
    // Before Hebrew there is none.
    letter >= '\u{590}' && matches!(bidi_class(letter), BidiClass::R | BidiClass::AL)
}

/// Words on a page, each letter of a script without spaces counted as one.
#[must_use]
pub fn count(page: &Page) -> usize {
    let mut count = 0;
    words(page, |_| count += 1);
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::paragraphs;

    fn page(text: &str) -> Page {
        Page { number: 1, blocks: paragraphs(text), ..Page::default() }
    }

    #[test]
    fn differences_of_form_do_not_count() {
        let overlap = Overlap::of(&page("The of\u{fb01}ce, (closed)"), &page("the office\nclosed"));
        assert_eq!(overlap.f1(), 1.0);
        assert_eq!(Overlap::of(&page("中文字"), &page("中 文 字")).f1(), 1.0);
    }

    #[test]
    fn words_count_as_often_as_they_stand_there() {
        assert_eq!(Overlap::of(&page("a a a b"), &page("a c")).f1(), 2.0 / 6.0);
        assert_eq!(Overlap::of(&page(""), &page("")).f1(), 1.0);
        assert_eq!(Overlap::of(&page(""), &page("a")).f1(), 0.0);
        let mut sum = Overlap::of(&page("a"), &page("a"));
        sum.add(Overlap::of(&page("b"), &page("c")));
        assert_eq!(sum.f1(), 0.5);
    }
}
