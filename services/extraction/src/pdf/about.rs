//! What a document says of itself: its properties, and its own table of contents.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::object::{
    Array, DateTime, Dict, MaybeRef, Name, Object, ObjectIdentifier, String as Text,
};

use super::strings::text;
use crate::document::{About, Heading};

/// Headings that are kept, and how long and how deep.
const MOST_HEADINGS: usize = 2000;
const LONGEST: usize = 300;
const DEEPEST: u32 = 16;

/// Named places that are looked through.
const MOST_NAMES: usize = 20_000;

/// What `pdf` says of itself.
pub fn about(pdf: &Pdf) -> About {
    About { outline: outline(pdf).unwrap_or_default(), properties: properties(pdf) }
}

fn properties(pdf: &Pdf) -> BTreeMap<String, String> {
    let said = pdf.metadata();
    let words = [
        ("title", &said.title),
        ("author", &said.author),
        ("subject", &said.subject),
        ("keywords", &said.keywords),
        ("creator", &said.creator),
        ("producer", &said.producer),
    ];
    let words = words.into_iter().filter_map(|(name, bytes)| Some((name, text(bytes.as_deref()?, LONGEST))));
    let times = [("created", said.creation_date), ("modified", said.modification_date)];
    let times = times.into_iter().filter_map(|(name, time)| Some((name, moment(time?))));
    let all = words.chain(times).filter(|(_, value)| !value.is_empty());
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// ISO 8601.
fn moment(time: DateTime) -> String {
    let DateTime { year, month, day, hour, minute, second, utc_offset_hour, utc_offset_minute } = time;
    let day = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if (utc_offset_hour, utc_offset_minute) == (0, 0) {
        return format!("{day}Z");
    }
    format!("{day}{utc_offset_hour:+03}:{utc_offset_minute:02}")
}

fn outline(pdf: &Pdf) -> Option<Vec<Heading>> {
    let catalog: Dict<'_> = pdf.xref().get(pdf.xref().root_id())?;
    let first: Dict<'_> = catalog.get::<Dict<'_>>(b"Outlines")?.get(b"First")?;
    let mut places = Places::new(pdf, catalog);
    let mut headings = Vec::new();
    let mut seen = BTreeSet::new();
    let mut next = vec![(first, 1)];
    while let Some((item, level)) = next.pop() {
        // Entries that name one another go round for ever.
        if headings.len() >= MOST_HEADINGS || item.obj_id().is_some_and(|id| !seen.insert(id)) {
            continue;
        }
        let title = item.get::<Text<'_>>(b"Title").map(|title| text(&title, LONGEST)).unwrap_or_default();
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        // Without a title it counts all the same: an outline of nothing else must end too.
        headings.push(Heading { level, title, page: places.of(&item).unwrap_or(0) });
        next.extend(item.get::<Dict<'_>>(b"Next").map(|next| (next, level)));
        let inner = item.get::<Dict<'_>>(b"First").filter(|_| level < DEEPEST);
        next.extend(inner.map(|inner| (inner, level + 1)));
    }
    headings.retain(|heading| !heading.title.is_empty());
    Some(headings)
}

/// Where links lead.
struct Places<'a> {
    catalog: Dict<'a>,
    pages: HashMap<ObjectIdentifier, u32>,
    named: Option<BTreeMap<Vec<u8>, Object<'a>>>,
}

impl<'a> Places<'a> {
    fn new(pdf: &'a Pdf, catalog: Dict<'a>) -> Self {
        let pages =
            (1..).zip(pdf.pages().iter()).filter_map(|(number, page)| Some((page.raw().obj_id()?, number)));
        Self { catalog, pages: pages.collect(), named: None }
    }

    /// The page that an entry of the outline points at.
    fn of(&mut self, item: &Dict<'a>) -> Option<u32> {
        let place = item.get::<Object<'a>>(b"Dest").or_else(|| {
            let action = item.get::<Dict<'a>>(b"A")?;
            let goes = action.get::<Name<'a>>(b"S").is_some_and(|kind| kind.as_ref() == b"GoTo");
            if goes { action.get::<Object<'a>>(b"D") } else { None }
        })?;
        let place = match place {
            Object::Name(name) => self.named(name.as_ref())?,
            Object::String(name) => self.named(name.as_bytes())?,
            place => place,
        };
        let place = match place {
            Object::Dict(place) => place.get::<Array<'a>>(b"D")?,
            Object::Array(place) => place,
            _ => return None,
        };
        match place.raw_iter().next()? {
            MaybeRef::Ref(page) => self.pages.get(&page.into()).copied(),
            MaybeRef::NotRef(Object::Number(index)) => u32::try_from(index.as_i64()).ok()?.checked_add(1),
            MaybeRef::NotRef(_) => None,
        }
    }

    fn named(&mut self, name: &[u8]) -> Option<Object<'a>> {
        let catalog = &self.catalog;
        let named = self.named.get_or_insert_with(|| names(catalog));
        named.get(name).cloned()
    }
}

/// All named places.
fn names<'a>(catalog: &Dict<'a>) -> BTreeMap<Vec<u8>, Object<'a>> {
    let mut found = BTreeMap::new();
    if let Some(old) = catalog.get::<Dict<'a>>(b"Dests") {
        let keys: Vec<Name<'a>> = old.keys().take(MOST_NAMES).collect();
        found.extend(keys.into_iter().filter_map(|key| Some((key.to_vec(), old.get::<Object<'a>>(&key)?))));
    }
    let tree = catalog.get::<Dict<'a>>(b"Names").and_then(|names| names.get::<Dict<'a>>(b"Dests"));
    let (mut nodes, mut left) = (Vec::from_iter(tree), MOST_NAMES);
    while let Some(node) = nodes.pop() {
        if let Some(pairs) = node.get::<Array<'a>>(b"Names") {
            let mut items = pairs.iter::<Object<'a>>();
            while let (Some(name), Some(place)) = (items.next(), items.next()) {
                if let (Object::String(name), true) = (name, left > 0) {
                    found.insert(name.as_bytes().to_vec(), place);
                    left -= 1;
                }
            }
        }
        if let Some(kids) = node.get::<Array<'a>>(b"Kids") {
            let kids = kids.iter::<Dict<'a>>().take(left);
            let before = nodes.len();
            nodes.extend(kids);
            left -= (nodes.len() - before).min(left);
        }
    }
    found
}
