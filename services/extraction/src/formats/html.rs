//! HTML as a reader would see it.

use html2text::render::TextDecorator;

use crate::document::ReadError;

/// The engine's name and version, as [`crate::document::Text::engine`] gives it.
pub(super) const NAME: &str = "html2text 0.17.4";

/// Wide enough that lines are only broken where the document says so.
const WIDTH: usize = 100_000;

/// The text without scripts, styles and link targets. Headings, lists and quotations keep a mark of what they
/// are.
pub(super) fn visible_text(source: &str) -> Result<String, ReadError> {
    html2text::config::with_decorator(Plain)
        // Cells below each other instead of side by side in columns of blanks.
        .raw_mode(true)
        .no_table_borders()
        .link_footnotes(false)
        .allow_width_overflow()
        .string_from_read(source.as_bytes(), WIDTH)
        .map_err(|error| ReadError::Broken(error.to_string()))
}

/// Marks blocks and leaves words alone: a star or bracket inside a sentence would stand between it and
/// whoever looks for the sentence.
#[derive(Clone)]
struct Plain;

impl TextDecorator for Plain {
    type Annotation = ();

    fn decorate_link_start(&mut self, _url: &str) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_link_end(&mut self) -> String {
        String::new()
    }

    fn decorate_em_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_em_end(&self) -> String {
        String::new()
    }

    fn decorate_strong_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strong_end(&self) -> String {
        String::new()
    }

    fn decorate_strikeout_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }

    fn decorate_code_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_code_end(&self) -> String {
        String::new()
    }

    fn decorate_preformat_first(&self) {}

    fn decorate_preformat_cont(&self) {}

    fn decorate_image(&mut self, _source: &str, title: &str) -> (String, ()) {
        (title.to_owned(), ())
    }

    fn header_prefix(&self, level: usize) -> String {
        "#".repeat(level) + " "
    }

    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }

    fn unordered_item_prefix(&self) -> String {
        "- ".to_owned()
    }

    fn ordered_item_prefix(&self, number: i64) -> String {
        format!("{number}. ")
    }

    // Digits come as ⁶ by themselves; for anything else the mark keeps x<sup>n</sup> from being xn.
    fn decorate_superscript_start(&self) -> (String, ()) {
        ("^".to_owned(), ())
    }

    fn decorate_superscript_end(&self) -> String {
        String::new()
    }

    fn make_subblock_decorator(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_left_alone() {
        let text = visible_text(
            "<h2>Head</h2><p>a <b>bold</b> <a href=x>link</a>, 10<sup>6</sup></p><ol><li>i</ol>",
        );
        assert_eq!(text.expect("readable").trim(), "## Head\n\na bold link, 10⁶\n1. i");
    }
}
