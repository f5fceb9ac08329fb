//! What a document is, by bytes that anybody may have sent.

use millrace_media::{MediaType, media_type};

/// Names play a part where content leaves a choice.
const NAMES: [Option<&str>; 6] =
    [None, Some("a.pdf"), Some("a.md"), Some("a.html"), Some("noending"), Some("\u{202e}..\0.TXT")];

pub fn run(data: &[u8]) {
    for name in NAMES {
        let found = media_type(data, name);
        assert_eq!(MediaType::from(found.name()), found, "what is written down reads back");
        assert_eq!(media_type(data, name), found, "the same bytes are the same type");
        if data.starts_with(b"%PDF-") {
            assert_eq!(found, MediaType::Pdf, "a PDF is one whatever it is called");
        }
    }
}
