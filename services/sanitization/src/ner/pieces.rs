//! A document as requests of bounded size, and the way back from a place in a request to one in the document.

use crate::redactor::Found;
use std::ops::Range;

/// Between pieces: no model takes what stands on both sides for one thing.
const BETWEEN: &str = "\n\n";

/// Some pieces of a document, or a part of a long one.
pub(super) struct Request {
    pub(super) text: String,
    parts: Vec<Part>,
}

/// A stretch of a request that is a stretch of a piece.
struct Part {
    piece: usize,
    /// Where it begins in the piece.
    from: usize,
    /// Where it stands in the request.
    at: Range<usize>,
}

/// Cuts a document into requests of up to `largest` bytes: between pieces, and inside one only where it is longer.
pub(super) fn requests(pieces: &[&str], largest: usize) -> Vec<Request> {
    let mut requests: Vec<Request> = Vec::new();
    for (piece, text) in pieces.iter().enumerate() {
        // No names without letters; and Presidio calls an empty text an error.
        if !text.contains(char::is_alphabetic) {
            continue;
        }
        let mut from = 0;
        while from < text.len() {
            let length = cut(&text[from..], largest);
            let part = &text[from..from + length];
            let fits = |last: &&mut Request| last.text.len() + BETWEEN.len() + length <= largest;
            match requests.last_mut().filter(fits) {
                Some(last) => {
                    last.text.push_str(BETWEEN);
                    last.add(piece, from, part);
                }
                None => {
                    let mut request = Request { text: String::new(), parts: Vec::new() };
                    request.add(piece, from, part);
                    requests.push(request);
                }
            }
            from += length;
        }
    }
    requests
}

/// How much of a text fits: to its end, or to the end of a sentence, a line or a word.
fn cut(text: &str, largest: usize) -> usize {
    if text.len() <= largest {
        return text.len();
    }
    let mut end = largest;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = &text[..end];
    let sentence =
        [". ", "! ", "? ", ".\n", "\n"].iter().filter_map(|stop| Some(head.rfind(stop)? + stop.len())).max();
    // Not for a sentence that ended long ago.
    let word =
        || head.rfind(char::is_whitespace).map(|at| at + head[at..].chars().next().map_or(1, char::len_utf8));
    sentence.filter(|at| *at * 2 >= end).or_else(word).unwrap_or(end)
}

impl Request {
    fn add(&mut self, piece: usize, from: usize, part: &str) {
        let start = self.text.len();
        self.text.push_str(part);
        self.parts.push(Part { piece, from, at: start..self.text.len() });
    }

    /// Puts what was found in the request where it stands in the document. What spans several pieces is in each of them.
    pub(super) fn place(&self, entities: &[Found], found: &mut [Vec<Found>]) {
        for entity in entities {
            let first = self.parts.partition_point(|part| part.at.end <= entity.range.start);
            for part in self.parts[first..].iter().take_while(|part| part.at.start < entity.range.end) {
                let start = entity.range.start.max(part.at.start) - part.at.start + part.from;
                let end = entity.range.end.min(part.at.end) - part.at.start + part.from;
                if let Some(found) = found.get_mut(part.piece) {
                    found.push(Found { kind: entity.kind, range: start..end });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_go_together_and_long_ones_apart() {
        let long = format!("{} end. Anna Smith {}", "word".repeat(20), "é ".repeat(40));
        let pieces = ["Anna", "12 - 3", "", "Berta Brown", &long, "Carl"];
        let all = requests(&pieces, 100);
        let texts: Vec<&str> = all.iter().map(|request| request.text.as_str()).collect();
        assert_eq!(texts[0], "Anna\n\nBerta Brown");
        assert!(texts[1].ends_with(" end. ") && texts[2].starts_with("Anna Smith é"), "{texts:?}");
        assert!(texts.iter().all(|text| text.len() <= 100) && texts.len() == 4, "{texts:?}");
        // Whatever is found leads back to where it stands.
        let mut found = vec![Vec::new(); pieces.len()];
        for request in &all {
            let hits = ["Anna Smith", "Berta Brown", "Carl", "a\n\nB"].iter().filter_map(|word| {
                let start = request.text.find(word)?;
                Some(Found { kind: "PERSON", range: start..start + word.len() })
            });
            request.place(&hits.collect::<Vec<_>>(), &mut found);
        }
        let shown: Vec<Vec<&str>> = found
            .iter()
            .zip(pieces)
            .map(|(found, piece)| found.iter().map(|found| &piece[found.range.clone()]).collect())
            .collect();
        assert_eq!(
            shown,
            [vec!["a"], vec![], vec![], vec!["Berta Brown", "B"], vec!["Anna Smith"], vec!["Carl"]]
        );
    }

    #[test]
    fn no_character_is_split_and_no_word_is_needed() {
        let text = "語".repeat(1000);
        let all = requests(&[&text], 500);
        assert_eq!(all.iter().map(|request| request.text.len()).sum::<usize>(), text.len());
        assert!(all.iter().all(|request| request.text.len() <= 500));
    }
}
