//! Evidence: what is claimed must stand in the text. The model names blocks and a few words; the quote is filled in
//! from the document, so that it is verbatim by construction. What is not found is withheld, never published as true.

mod fold;
mod fuzzy;
mod guard;
mod index;
mod sentence;
#[cfg(test)]
mod tests;
mod tokens;

pub use index::Index;

use fold::Folded;
use serde_json::{Map, Value, json};
use std::ops::Range;

/// How alike words must be that are not the same to the letter.
const ALIKE: f64 = 0.85;

/// How far words may have strayed from the block that is named, in blocks.
const NEAR: usize = 2;

/// Where evidence was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    block: usize,
    /// The quote, in characters of the block.
    quote: Range<usize>,
    how: How,
}

/// How it was found.
#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    Exact,
    Fuzzy(f64),
    /// The model gave no words: the block alone is the evidence.
    Block,
}

/// How much evidence was found, and how much withheld.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Found in the document.
    pub found: u32,
    /// Not found.
    pub withheld: u32,
}

impl std::ops::Add for Count {
    type Output = Count;

    fn add(self, other: Count) -> Count {
        Count { found: self.found + other.found, withheld: self.withheld + other.withheld }
    }
}

/// Counts the evidence in a value that was grounded.
pub fn count(value: &Value) -> Count {
    let all = |values: &mut dyn Iterator<Item = &Value>| {
        values.map(count).fold(Count::default(), |all, one| all + one)
    };
    match value {
        Value::Array(several) => all(&mut several.iter()),
        Value::Object(fields) => match fields.get("grounded") {
            Some(Value::Bool(true)) => Count { found: 1, withheld: 0 },
            Some(Value::Bool(false)) => Count { found: 0, withheld: 1 },
            _ => all(&mut fields.values()),
        },
        _ => Count::default(),
    }
}

/// Looks up all evidence in a value: puts page, place and quote for what is found, and a reason for what is not.
pub fn ground(value: &mut Value, index: &Index) {
    match value {
        Value::Array(several) => several.iter_mut().for_each(|item| ground(item, index)),
        Value::Object(fields) => match claim(fields) {
            None => fields.values_mut().for_each(|field| ground(field, index)),
            Some((ids, anchor)) => {
                *value = match locate(&ids, anchor.as_deref(), index) {
                    Ok(found) => shown(&found, &ids, index),
                    Err(reason) => json!({ "grounded": false, "reason": reason }),
                }
            }
        },
        _ => {}
    }
}

fn claim(fields: &Map<String, Value>) -> Option<(Vec<String>, Option<String>)> {
    let ids = fields.get("block_ids")?.as_array()?;
    let ids = ids.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    Some((ids, fields.get("anchor")?.as_str().map(str::to_owned)))
}

fn shown(found: &Found, ids: &[String], index: &Index) -> Value {
    let entry = index.entry(found.block);
    let quote: String = entry.text.chars().skip(found.quote.start).take(found.quote.len()).collect();
    let (how, score) = match found.how {
        How::Exact => ("exact", json!(1.0)),
        How::Fuzzy(score) => ("fuzzy", json!((score * 1000.0).round() / 1000.0)),
        How::Block => ("block", Value::Null),
    };
    let mut shown = json!({
        "page": entry.page, "block": entry.id, "start": found.quote.start, "end": found.quote.end,
        "quote": quote, "match": how, "score": score, "grounded": true,
    });
    let boxes = entry.boxes(&found.quote);
    if !boxes.is_empty() {
        let tenth = |points: f32| (f64::from(points) * 10.0).round() / 10.0;
        shown["boxes"] = boxes.iter().map(|edges| json!(edges.map(tenth))).collect();
        shown["page_size"] = json!([tenth(entry.page_size.0), tenth(entry.page_size.1)]);
    }
    // The proof may go on in other blocks; those that do not exist are not named again.
    let mut also: Vec<&str> = Vec::new();
    for id in ids.iter().filter_map(|id| index.block(id)).map(|block| index.entry(block).id.as_str()) {
        if id != entry.id && !also.contains(&id) {
            also.push(id);
        }
    }
    if !also.is_empty() {
        shown["also"] = json!(also);
    }
    shown
}

/// The text that proves an item, for checks: the quote and what follows it in its block, for an anchor is where the
/// proof begins; the whole block where there was no anchor; and the other blocks that were named. None if nothing was
/// found.
pub fn proof(evidence: &Value, index: &Index) -> Option<String> {
    if let Value::Array(several) = evidence {
        let all: Vec<String> = several.iter().filter_map(|one| proof(one, index)).collect();
        return if all.is_empty() { None } else { Some(all.join("\n")) };
    }
    let block = index.text(evidence["block"].as_str()?)?;
    let mut text = match (evidence["match"].as_str()?, evidence["start"].as_u64(), evidence["end"].as_u64()) {
        ("block", ..) | (_, None, _) | (_, _, None) => block.to_owned(),
        (_, Some(start), Some(end)) => {
            let (start, quoted) = (start as usize, (end as usize).saturating_sub(start as usize));
            let rest: Vec<char> = block.chars().skip(start).collect();
            let behind = quoted.min(rest.len());
            let more = sentence::beginning(&rest[behind..]).end;
            rest[..behind + more].iter().collect()
        }
    };
    for id in evidence["also"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        text.push('\n');
        text.push_str(index.text(id).unwrap_or_default());
    }
    Some(text)
}

/// Finds the words in the blocks that are named, near them, anywhere; to the letter first, then alike.
///
/// # Errors
/// Why it was not found, for people.
pub fn locate(ids: &[String], anchor: Option<&str>, index: &Index) -> Result<Found, &'static str> {
    let named: Vec<usize> = ids.iter().filter_map(|id| index.block(id)).collect();
    let folded = anchor.map(|anchor| Folded::of(anchor).text).unwrap_or_default();
    // A clipped quote often ends in dots, and often stands in quotation marks of its own.
    let words =
        folded.trim_matches(|character: char| !character.is_alphanumeric() && !"€$£%".contains(character));
    if words.is_empty() {
        let block = *named.first().ok_or("no block of that id is in the document")?;
        let text: Vec<char> = index.entry(block).text.chars().collect();
        return Ok(Found { block, quote: sentence::beginning(&text), how: How::Block });
    }
    let mut near: Vec<usize> = Vec::new();
    for block in &named {
        near.extend(block.saturating_sub(NEAR)..(block + NEAR + 1).min(index.len()));
    }
    near.retain(|block| !named.contains(block));
    let count = tokens::tokens(words).len();
    exact(words, count, &named, &near, index)
        .map(|found| (found, How::Exact))
        .map_or_else(|| alike(words, count, &named, &near, index), Ok)
        .and_then(|(found, how)| {
            let (block, span) = index.origin(&found).ok_or(NOWHERE)?;
            let text: Vec<char> = index.entry(block).text.chars().collect();
            Ok(Found { block, quote: sentence::around(&text, span), how })
        })
}

const NOWHERE: &str = "the words are not in the document";

fn exact(words: &str, count: usize, named: &[usize], near: &[usize], index: &Index) -> Option<Range<usize>> {
    let in_blocks =
        |blocks: &[usize]| blocks.iter().find_map(|block| index.find(words, index.from_block(*block)));
    if let Some(found) = in_blocks(named) {
        return Some(found);
    }
    // One word stands in many places: away from the block that is named it proves nothing.
    if count < 2 {
        return None;
    }
    in_blocks(near).or_else(|| {
        let everything = index.everything();
        let found = index.find(words, everything.clone())?;
        (count > 2 || index.find(words, found.end..everything.end).is_none()).then_some(found)
    })
}

fn alike(
    words: &str,
    count: usize,
    named: &[usize],
    near: &[usize],
    index: &Index,
) -> Result<(Range<usize>, How), &'static str> {
    // Of three words, one that differs is a third.
    if count < 4 {
        return Err(NOWHERE);
    }
    let all = index.tokens();
    let raw: Vec<&str> = tokens::tokens(words).iter().map(|token| &words[token.start..token.end]).collect();
    let weight = guard::weight(raw.iter().copied());
    let mut anchor = all.words.anchor(raw.iter().map(|token| tokens::plain(token)).collect());
    let mut reason = NOWHERE;
    let mut check = |from: usize, to: usize| {
        let like = all.words.best(&mut anchor, from, to).filter(|like| like.score >= ALIKE)?;
        if guard::weight((like.start..like.end).map(|place| index.token(place))) != weight {
            reason = "the document has these words with another number, denial or duty";
            return None;
        }
        let range = all.places[like.start].start..all.places[like.end - 1].end;
        Some((range, How::Fuzzy(like.score)))
    };
    for blocks in [named, near] {
        let here = |block: &usize| (all.blocks[*block].start, all.blocks[*block].end);
        if let Some(found) = blocks.iter().map(here).find_map(|(from, to)| check(from, to)) {
            return Ok(found);
        }
    }
    let slack = 4 + count / 3;
    let places = all.words.around(&all.words.anchor(raw.iter().map(|token| tokens::plain(token)).collect()));
    let end = all.places.len();
    places
        .into_iter()
        .find_map(|start| check(start.saturating_sub(slack), (start + count + slack).min(end)))
        .ok_or(reason)
}
