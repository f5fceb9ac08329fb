//! Evidence: what is quoted must stand in the text. The block that is named is looked at first, then the others.

use millrace_contract::wire::DocumentText;
use millrace_profile::block_id;
use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization as _;

/// The text by block, folded for comparison.
pub struct Index(Vec<Entry>);

struct Entry {
    id: String,
    page: u32,
    folded: String,
}

impl Index {
    /// An index over a document.
    pub fn new(document: &DocumentText) -> Index {
        let entries = document.pages.iter().flat_map(|page| {
            page.blocks.iter().map(|block| Entry {
                id: block_id(page.number, block.number),
                page: page.number,
                folded: fold(&block.text),
            })
        });
        Index(entries.collect())
    }

    fn find(&self, block: &str, quote: &str) -> Option<&Entry> {
        let quote = fold(quote);
        if quote.is_empty() {
            return None;
        }
        let holds = |entry: &&Entry| entry.folded.contains(&quote);
        self.0.iter().filter(|entry| entry.id == block).find(holds).or_else(|| self.0.iter().find(holds))
    }
}

/// White space is not part of a quote, nor is the shape of quotation marks and dashes. Letters, digits and case are.
fn fold(text: &str) -> String {
    text.nfkc()
        .filter(|character| !character.is_whitespace() && *character != '\u{ad}')
        .map(|character| match character {
            '“' | '”' | '„' | '«' | '»' => '"',
            '‘' | '’' | '‚' => '\'',
            '–' | '—' | '‑' | '−' => '-',
            other => other,
        })
        .collect()
}

/// Checks every `{block, quote}` in an answer: adds the page to what is found, withholds what is not. Returns how many
/// were found and how many withheld.
pub fn ground(value: &mut Value, index: &Index) -> (u32, u32) {
    match value {
        Value::Array(items) => sum(items.iter_mut().map(|item| ground(item, index))),
        Value::Object(fields) => match quoted(fields) {
            Some((block, quote)) => match index.find(&block, &quote) {
                Some(entry) => {
                    *value =
                        json!({ "page": entry.page, "block": entry.id, "quote": quote, "grounded": true });
                    (1, 0)
                }
                None => {
                    *value = json!({ "grounded": false, "reason": "the quote is not in the document" });
                    (0, 1)
                }
            },
            None => sum(fields.values_mut().map(|field| ground(field, index))),
        },
        _ => (0, 0),
    }
}

fn quoted(fields: &Map<String, Value>) -> Option<(String, String)> {
    Some((fields.get("block")?.as_str()?.to_owned(), fields.get("quote")?.as_str()?.to_owned()))
}

fn sum(counts: impl Iterator<Item = (u32, u32)>) -> (u32, u32) {
    counts.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_contract::wire::{Block, Page};

    fn index() -> Index {
        let block = |number, text: &str| Block { number, text: text.to_owned() };
        Index::new(&DocumentText {
            pages: vec![
                Page { number: 1, blocks: vec![block(1, "The fee is EUR 100 a month.")] },
                Page { number: 4, blocks: vec![block(2, "Liability shall “not exceed” EUR 5,000.")] },
            ],
            ..DocumentText::default()
        })
    }

    #[test]
    fn quotes_are_found_and_get_their_page() {
        for (block, quote, page) in [
            ("p1.b1", "The fee is EUR 100", 1),
            ("p9.b9", "Liability shall \"not  exceed\"\nEUR 5,000", 4),
            ("p1.b1", "not exceed", 4),
        ] {
            let mut value = json!({"items": [{"evidence": {"block": block, "quote": quote}}]});
            assert_eq!(ground(&mut value, &index()), (1, 0), "{quote}");
            assert_eq!(value["items"][0]["evidence"]["page"], page);
        }
    }

    #[test]
    fn what_is_not_there_is_withheld() {
        for quote in ["The fee is EUR 1000", "the fee is EUR 100", "Liability shall exceed", ""] {
            let mut value = json!({"evidence": {"block": "p1.b1", "quote": quote}});
            assert_eq!(ground(&mut value, &index()), (0, 1), "{quote}");
            assert_eq!(value["evidence"]["grounded"], false);
            assert!(value["evidence"].get("quote").is_none());
        }
    }
}
