//! HTML against the tree.

type Made = fn() -> Vec<u8>;

/// Name and maker.
pub(super) const ATTACKS: &[(&str, Made)] = &[
    ("deep-elements", || ["<html>", &"<div>".repeat(200_000)].concat().into_bytes()),
    ("deep-tables", || ["<html>", &"<table><tr><td>".repeat(20_000)].concat().into_bytes()),
    ("deep-lists", || ["<html>", &"<ul><li>".repeat(50_000)].concat().into_bytes()),
    ("misnested-formatting", || ["<html>", &"<b><i><a href=x><p>".repeat(5_000)].concat().into_bytes()),
    ("a-million-attributes", || {
        let attributes: String = (0..1_000_000).map(|i| format!("a{i} ")).collect();
        format!("<html><p {attributes}>words").into_bytes()
    }),
    ("a-million-columns", || {
        ["<html><table><tr>", &"<td colspan=1000 rowspan=60000>x".repeat(10_000)].concat().into_bytes()
    }),
    ("an-unending-comment", || ["<html><!--", &"--!".repeat(2_000_000)].concat().into_bytes()),
];
