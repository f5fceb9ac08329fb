//! The words that streets are named with.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::sync::LazyLock;

/// How a word stands in an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// Number, name, word: `12 High Street`.
    English,
    /// Word as the end of the name, number: `Hauptstraße 12`.
    Ending,
    /// Word, name, number: `Via Roma 12`.
    Beginning,
    /// The same, or with the number before, and without capitals: `12, rue de la Paix`.
    French,
    /// An address follows.
    Announcement,
    /// A number at the post follows.
    Box,
}

impl Word {
    /// Whether letters may follow directly: never, but for words that end with a sign.
    pub(crate) fn ends_open(self) -> bool {
        matches!(self, Self::Beginning | Self::French | Self::Announcement)
    }
}

/// All words, and what finds them.
pub(crate) struct Words {
    pub(crate) automaton: AhoCorasick,
    /// How each stands, and how else the same letters may stand in another language (without the space that
    /// English words are found with).
    pub(crate) words: Vec<(Word, Option<Word>)>,
}

// Publication 28 of the US Postal Service, and what is used in the United Kingdom and Ireland.
#[rustfmt::skip]
const ENGLISH: &[&str] = &[
    "alley", "annex", "arcade", "avenue", "ave", "bayou", "beach", "bend", "bluff", "boulevard", "blvd", "branch", "bridge", "brook",
    "burg", "bypass", "camp", "canyon", "cape", "causeway", "center", "centers", "circle", "circles", "cliff", "cliffs", "close", "club",
    "common", "corner", "corners", "course", "court", "courts", "cove", "coves", "creek", "crescent", "crest", "crossing", "crossroad",
    "curve", "dale", "dam", "divide", "drive", "dr", "drives", "drove", "estate", "estates", "expressway", "extension", "fall", "falls",
    "ferry", "field", "fields", "flat", "flats", "fold", "ford", "forest", "forge", "fork", "forks", "fort", "freeway", "garden",
    "gardens", "gateway", "glen", "glens", "green", "greens", "grove", "groves", "harbor", "harbors", "haven", "heights", "highway",
    "hwy", "hill", "hills", "hollow", "inlet", "island", "islands", "isle", "junction", "junctions", "key", "keys", "knoll", "knolls",
    "lake", "lakes", "land", "landing", "lane", "ln", "light", "lights", "loaf", "lock", "locks", "lodge", "loop", "mall", "manor",
    "manors", "meadow", "meadows", "mews", "mill", "mills", "mission", "motorway", "mount", "mountain", "mountains", "neck", "orchard",
    "oval", "overpass", "parade", "park", "parks", "parkway", "parkways", "pkwy", "pass", "passage", "path", "pike", "pine", "pines", "place",
    "pl", "plain", "plains", "plaza", "point", "points", "port", "ports", "prairie", "radial", "ramp", "ranch", "rapid", "rapids",
    "rest", "ridge", "ridges", "rise", "river", "road", "rd", "roads", "route", "row", "rue", "run", "shoal", "shoals", "shore", "shores",
    "skyway", "spring", "springs", "spur", "spurs", "square", "squares", "station", "stravenue", "stream", "street", "st", "streets",
    "summit", "terrace", "ter", "throughway", "trace", "track", "trafficway", "trail", "trl", "tunnel", "turnpike", "underpass", "union",
    "unions", "valley", "valleys", "via", "viaduct", "view", "views", "village", "villages", "ville", "vista", "walk", "walks", "wall",
    "way", "ways", "well", "wells", "wharf", "yard", "court road",
];

#[rustfmt::skip]
const ENDINGS: &[&str] = &[
    "straße", "strasse", "straßen", "str", "weg", "allee", "platz", "gasse", "ring", "damm", "ufer", "chaussee", "steig", "stieg", "pfad",
    "graben", "markt", "promenade", "zeile", "kamp", "straat", "laan", "plein", "kade", "gracht", "dijk", "singel", "gatan", "vägen", "gade", "vej",
];

#[rustfmt::skip]
const BEGINNINGS: &[&str] = &[
    // Italian
    "via", "viale", "piazza", "piazzale", "corso", "vicolo", "strada", "largo", "contrada", "rotonda", "borgo", "incrocio", "lungomare",
    "lungotevere", "salita", "stretto", "galleria", "traversa", "località", "frazione", "canale", "circonvallazione",
    // Spanish
    "calle", "c/", "avenida", "avda", "avda.", "av.", "plaza", "paseo", "ronda", "camino", "carretera", "rambla", "glorieta", "pasaje", "cuesta",
    "callejón", "alameda", "travesía", "urbanización", "vial", "acceso", "cañada", "pasadizo", "costanilla", "polígono",
    // Portuguese
    "rua", "travessa", "praça", "rodovia", "estrada", "quadra", "praceta", "beco", "r.",
];

#[rustfmt::skip]
const FRENCH: &[&str] = &[
    "rue", "avenue", "boulevard", "bd", "chemin", "impasse", "place", "allée", "quai", "route", "cours", "passage", "square", "sentier",
    "voie", "villa", "faubourg", "rond-point", "esplanade", "lotissement",
];

#[rustfmt::skip]
const ANNOUNCEMENTS: &[&str] = &[
    "residing at", "residing in", "whose address is", "resident at", "resident of", "living at", "lives at", "address is", "address:", "address to", "located at",
    "wohnhaft", "wohnhaft in", "anschrift:", "adresse:", "adresse lautet", "demeurant", "demeurant au", "demeurant à", "domicilié", "domiciliée",
    "domicilié au", "con domicilio en", "domiciliado en", "domiciliada en", "domicilio:", "dirección:", "residente in", "residente a", "residente en", "indirizzo:",
    "domiciliato in", "residente na", "residente em", "morada:", "endereço:", "domiciliado na", "wonende te", "adres:",
];

const BOXES: &[&str] = &[
    "p.o. box",
    "po box",
    "p. o. box",
    "post office box",
    "postfach",
    "boîte postale",
    "apartado de correos",
    "apartado",
    "casella postale",
    "postbus",
    "caixa postal",
];

pub(crate) static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut sources: Vec<String> = Vec::new();
    let mut words = Vec::new();
    let mut add = |list: &[&str], word: Word, before: &str, after: &str| {
        for source in list {
            sources.push(format!("{before}{source}{after}"));
            let otherwise = match word {
                Word::English if FRENCH.contains(source) => Some(Word::French),
                Word::English if BEGINNINGS.contains(source) => Some(Word::Beginning),
                _ => None,
            };
            words.push((word, otherwise));
        }
    };
    add(ANNOUNCEMENTS, Word::Announcement, "", "");
    add(BOXES, Word::Box, "", "");
    add(ENDINGS, Word::Ending, "", "");
    // Capitals beyond ASCII are not folded.
    add(BEGINNINGS, Word::Beginning, "", "");
    add(FRENCH, Word::French, "", "");
    add(ENGLISH, Word::English, " ", "");
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        // There is no byte that few of them begin with.
        .prefilter(false)
        .build(&sources)
        .expect("a few hundred short words");
    Words { automaton, words }
});
