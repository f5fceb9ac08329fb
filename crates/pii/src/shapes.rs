//! The patterns of the table, compiled: one automaton says which of them may begin at a place, and each then
//! says how far it goes.

use crate::check::Check;
use crate::kinds::KINDS;
use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind, PatternSet};
use std::sync::LazyLock;

/// How far a pattern may look. Longer than any value with a pattern.
const REACH: usize = 112;

/// A pattern of the table.
pub(crate) struct Shape {
    /// Place of its kind in [`KINDS`].
    pub(crate) kind: usize,
    pub(crate) check: Check,
    pub(crate) alone: u8,
    pub(crate) glue: &'static str,
    pattern: Regex,
}

/// All patterns.
pub(crate) struct Shapes {
    which: Regex,
    rules: Vec<Shape>,
    /// By kind.
    labelled: Vec<Vec<Shape>>,
}

static ALL: LazyLock<Shapes> = LazyLock::new(|| {
    let pattern = |pattern: &str| pattern.replace(' ', r"[ \n]").replace(r"[[ \n]", r"[ \n");
    let syntax = syntax::Config::new().unicode(false).utf8(false);
    let one = |source: &str| {
        Regex::builder()
            .syntax(syntax)
            .configure(Config::new().utf8_empty(false))
            .build(&pattern(source))
            .expect("the patterns are constants, compiled by every test")
    };
    let mut rules = Vec::new();
    let mut labelled = Vec::new();
    let mut sources = Vec::new();
    for (kind, entry) in KINDS.iter().enumerate() {
        for rule in entry.rules {
            sources.push(pattern(rule.pattern));
            let pattern = one(rule.pattern);
            rules.push(Shape { kind, check: rule.check, alone: rule.alone, glue: rule.glue, pattern });
        }
        let of_kind = entry.labelled.iter().map(|l| Shape {
            kind,
            check: l.check,
            alone: 0,
            glue: "",
            pattern: one(l.pattern),
        });
        labelled.push(of_kind.collect());
    }
    let which = Regex::builder()
        .syntax(syntax)
        .configure(Config::new().utf8_empty(false).match_kind(MatchKind::All))
        .build_many(&sources)
        .expect("each of them compiled alone");
    Shapes { which, rules, labelled }
});

impl Shapes {
    pub(crate) fn all() -> &'static Self {
        &ALL
    }

    pub(crate) fn pattern_set(&self) -> PatternSet {
        PatternSet::new(self.rules.len())
    }

    /// Puts the rules that match at a place into the set.
    pub(crate) fn which(&self, text: &str, at: usize, set: &mut PatternSet) {
        set.clear();
        self.which.which_overlapping_matches(&input(text, at), set);
    }

    pub(crate) fn rule(&self, index: usize) -> &Shape {
        &self.rules[index]
    }

    pub(crate) fn labelled(&self, kind: usize) -> &[Shape] {
        &self.labelled[kind]
    }
}

impl Shape {
    /// The shape that begins at a place, if it ends between characters.
    pub(crate) fn at<'t>(&self, text: &'t str, at: usize) -> Option<&'t str> {
        let end = self.pattern.search_half(&input(text, at))?.offset();
        text.get(at..end)
    }
}

fn input(text: &str, at: usize) -> Input<'_> {
    let end = text.len().min(at + REACH);
    Input::new(text).span(at..end).anchored(Anchored::Yes)
}
