//! Formats that are written as text, against whoever takes their words for it.

type Made = fn() -> Vec<u8>;

/// Name and maker.
pub(super) const RTF: &[(&str, Made)] = &[
    ("groups-in-groups", || {
        ["{\\rtf1 ", &"{".repeat(2_000_000), "text", &"}".repeat(2_000_000)].concat().into_bytes()
    }),
    ("binary-of-two-gigabytes", || rtf(&"\\bin2147483647 x".repeat(1_000))),
    ("letters-to-be-skipped", || rtf(&"\\uc2147483647\\u65?".repeat(50_000))),
    ("numbers-out-of-reach", || rtf(&"\\fs99999999999999999999\\u-99999999999999 x".repeat(50_000))),
    ("a-row-of-a-million-cells", || rtf(&format!("\\trowd{}\\row", "\\cellx1 x\\cell".repeat(300_000)))),
    ("tables-in-tables-of-rtf", || rtf(&"\\itap60000\\intbl x\\nestcell\\nestrow".repeat(50_000))),
    ("a-picture-as-long-as-a-book", || rtf(&format!("{{\\pict\\pngblip {}", "00ff".repeat(2_000_000)))),
];

/// Name and maker.
pub(super) const CSV: &[(&str, Made)] = &[
    ("a-million-columns.csv", || ["x,".repeat(1_000_000), "x\n".to_owned()].concat().into_bytes()),
    ("nothing-but-commas.csv", || ",".repeat(3_900_000).into_bytes()),
    ("a-million-rows.csv", || "a,b\n".repeat(900_000).into_bytes()),
    ("a-quote-that-never-ends.csv", || {
        ["a,b,\"".to_owned(), "\"\"words,\n".repeat(300_000)].concat().into_bytes()
    }),
    ("a-table-of-many-megabytes.csv", || "1,2,3,4,5,6,7,8,9\n".repeat(3_000_000).into_bytes()),
];

/// Name and maker.
pub(super) const PLAIN: &[(&str, Made)] = &[
    ("one-line.txt", || "words ".repeat(600_000).into_bytes()),
    ("nothing-but-form-feeds.txt", || "\u{c}".repeat(3_900_000).into_bytes()),
    ("letters-apart.txt", || "x\n\n".repeat(330_000).into_bytes()),
    ("marks-upon-marks.txt", || ["a", &"\u{301}".repeat(490_000)].concat().into_bytes()),
    ("a-text-of-many-megabytes.txt", || "words without end\n\n".repeat(3_000_000).into_bytes()),
    ("letters-that-grow.txt", || b"\x80".repeat(980_000)),
];

/// Name and maker.
pub(super) const MARKDOWN: &[(&str, Made)] = &[
    ("quotes-in-quotes.md", || [">".repeat(900_000), " words".to_owned()].concat().into_bytes()),
    ("brackets-that-never-close.md", || "[a](".repeat(240_000).into_bytes()),
];

/// Name and maker.
pub(super) const EML: &[(&str, Made)] = &[
    ("parts-in-parts", || {
        let mut parts = String::new();
        for level in 0..20_000 {
            parts += &format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
        }
        mail(&(parts + "Content-Type: text/plain\r\n\r\nx\r\n"))
    }),
    ("messages-in-messages", || {
        let inner = "Content-Type: message/rfc822\r\n\r\nFrom: a@example.com\r\nMessage-ID: <1>\r\n";
        mail(&(inner.repeat(10_000) + "\r\nwords"))
    }),
    ("ten-thousand-attachments", || {
        let part = "--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nwords\r\n";
        mail(&format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\n", part.repeat(10_000)))
    }),
    ("an-attachment-of-many-megabytes", || {
        let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\
            Content-Disposition: attachment; filename=a.txt\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        mail(&format!("{head}{}\r\n--b--\r\n", "d29yZHMgd29yZHMg\r\n".repeat(2_000_000)))
    }),
    ("a-million-headers", || mail(&("X-A: b\r\n".repeat(500_000) + "\r\nwords"))),
    ("a-header-of-megabytes", || {
        mail(&format!("Subject: {}\r\n\r\nwords", "=?utf-8?q?=C3=BC?= ".repeat(200_000)))
    }),
    ("two-hundred-thousand-recipients", || {
        mail(&format!("To: {}\r\n\r\nwords", "a <a@example.com>, ".repeat(200_000)))
    }),
    ("comments-in-comments", || mail(&format!("To: {}\r\n\r\nwords", "(".repeat(500_000)))),
    ("a-boundary-of-nothing", || {
        mail(&format!(
            "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n{}",
            "--\r\n\r\nx\r\n".repeat(200_000)
        ))
    }),
    ("elements-in-a-mail", || mail(&format!("Content-Type: text/html\r\n\r\n{}", "<div>".repeat(200_000)))),
    ("equals-signs", || {
        let head = "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
        mail(&format!("{head}{}", "=\r\n".repeat(1_000_000)))
    }),
    ("a-winmail-of-noise", || {
        let head = "Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        mail(&format!("{head}{}", "eJ8+Iv////////////////////////////////8=".repeat(10_000)))
    }),
];

fn rtf(body: &str) -> Vec<u8> {
    format!("{{\\rtf1 {body}}}").into_bytes()
}

fn mail(rest: &str) -> Vec<u8> {
    format!("From: a@example.com\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\n{rest}").into_bytes()
}
