//! What stands around an answer: thoughts, fences, prose.

/// The text in which the answer stands, and what was taken away to get there.
pub struct Found<'a> {
    /// From the first brace on, or all of it if there is none.
    pub text: &'a str,
    /// What was taken away.
    pub removed: Vec<&'static str>,
}

/// Takes away a byte order mark, what the model thought aloud, Markdown fences and prose before the first brace. What
/// comes after the answer is for the parser to see: only it knows where the answer ends.
pub fn find(text: &str) -> Found<'_> {
    let mut removed = Vec::new();
    let mut text = text.trim();
    if let Some(rest) = text.strip_prefix('\u{feff}') {
        text = rest.trim_start();
        removed.push("byte_order_mark");
    }
    if let Some(rest) = after_thoughts(text) {
        text = rest.trim();
        removed.push("thoughts");
    }
    if let Some(at) = text.find("```") {
        let inside = &text[at + 3..];
        // A fence that is inside the answer belongs to a string of it.
        if text.find('{').is_none_or(|brace| at < brace) {
            text = inside.trim_start_matches(|character: char| character.is_ascii_alphanumeric()).trim();
            text = text.strip_suffix("```").unwrap_or(text).trim_end();
            removed.push("fence");
        }
    }
    if let Some(at) = text.find('{').filter(|at| *at > 0) {
        text = &text[at..];
        removed.push("prose");
    }
    Found { text, removed }
}

/// What follows the thoughts. Some servers leave out the opening tag; then only a tag right before an answer counts,
/// for a text may also speak of such a tag. Thoughts that do not end are followed by nothing.
fn after_thoughts(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let opened = ["<think>", "<thinking>", "<thought>"].into_iter().any(|tag| lower.starts_with(tag));
    let mut rests = ["</think>", "</thinking>", "</thought>"]
        .into_iter()
        .flat_map(|tag| lower.match_indices(tag))
        .map(|(at, tag)| text[at + tag.len()..].trim_start());
    if opened {
        return Some(rests.next().unwrap_or_default());
    }
    rests.find(|rest| rest.starts_with(['{', '[']) || rest.starts_with("```"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_around_is_taken_away() {
        for (text, inside, removed) in [
            ("{}", "{}", &[][..]),
            ("\u{feff}{}", "{}", &["byte_order_mark"]),
            ("<think>{not this}</think>\n{}", "{}", &["thoughts"]),
            ("hm</think>{}", "{}", &["thoughts"]),
            ("<think>{not this}", "", &["thoughts"]),
            ("{\"a\": \"</think>\", \"b\": {}}", "{\"a\": \"</think>\", \"b\": {}}", &[]),
            ("```json\n{}\n```", "{}", &["fence"]),
            ("Here you are:\n```\n{}\n```", "{}", &["fence"]),
            ("Sure! {} Bye", "{} Bye", &["prose"]),
            ("{\"a\": \"```\"}", "{\"a\": \"```\"}", &[]),
            ("I am sorry.", "I am sorry.", &[]),
        ] {
            let found = find(text);
            assert_eq!((found.text, found.removed.as_slice()), (inside, removed), "{text}");
        }
    }
}
