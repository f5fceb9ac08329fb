//! Against Presidio's own analyzer with a model of spaCy's, both from PyPI: `cargo xtask presidio` installs them and runs
//! this.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use millrace_contract::wire::DocumentText;
use millrace_sanitization::ner::{Ner, Settings};
use millrace_sanitization::policy::Policies;
use millrace_sanitization::{clean, sanitize};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

struct Presidio(Child);

impl Drop for Presidio {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Presidio {
    /// Starts it; its URL.
    fn start() -> (Presidio, String) {
        let python = millrace_testkit::root().join("target/tools/presidio/bin/python");
        assert!(python.is_file(), "Presidio is not installed: run this test with `cargo xtask presidio`");
        let port = millrace_testkit::free_port();
        let process = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/presidio/server.py"))
            .arg(port.to_string())
            .stdout(Stdio::piped())
            .spawn();
        let mut presidio = Presidio(process.unwrap());
        let mut line = String::new();
        BufReader::new(presidio.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        (presidio, format!("http://127.0.0.1:{port}"))
    }
}

/// Redacts paragraphs with what it finds, under a profile's policy.
async fn redacted(ner: &Ner, profile: &str, paragraphs: &[&str]) -> (Vec<String>, sanitize::Done) {
    let policies = Policies::read("p.toml", "[default]\nnames = \"model\"").unwrap();
    let pages = vec![clean::page(1, paragraphs.iter().copied())];
    let document = sanitize::read(DocumentText { pages, ..DocumentText::default() }, "");
    let named = ner.find(&document.pieces(), document.language()).await.unwrap();
    let done = sanitize::redact(document, &policies.of("acme", profile), None, Some(named));
    let texts = done.text.pages[0].blocks.iter().map(|block| block.text.clone()).collect();
    (texts, done)
}

#[tokio::test]
#[ignore = "needs Presidio (400 MB from PyPI, half a minute): cargo xtask presidio"]
async fn a_real_analyzer_is_asked_and_understood() {
    let (_presidio, url) = Presidio::start();
    let settings = Settings {
        ner_url: Some(url),
        ner_timeout: Duration::from_secs(60),
        ner_largest: 500,
        ..Settings::default()
    };
    let ner = Ner::new(settings).unwrap().unwrap();
    // Characters outside the basic plane before the names: code points, UTF-16 and bytes all differ.
    let paragraphs = [
        "It cost 🙂 nothing, 𠮷 says. Please send the invoice to Jennifer Walker in Berlin, or write to walker@example.com.",
        "The services were delivered by Siemens to the British customer on 5 May 2020.",
        "Last year Jennifer Walker moved from Berlin to Paris. Her account is DE89 3704 0044 0532 0130 00.",
    ];
    let (texts, done) = redacted(&ner, "summary", &paragraphs).await;
    println!("{texts:#?} {:?}", done.says);
    assert_eq!(
        texts,
        [
            "It cost 🙂 nothing, 𠮷 says. Please send the invoice to [PERSON_1] in [LOCATION_1], or write to [EMAIL_1].",
            "The services were delivered by [ORGANIZATION_1] to the [NRP_1] customer on 5 May 2020.",
            "Last year [PERSON_1] moved from [LOCATION_1] to [LOCATION_2]. Her account is [IBAN_1].",
        ]
    );
    assert_eq!(
        (done.says.names.as_str(), done.says.redacted["person"], done.says.redacted["location"]),
        ("model", 1, 2)
    );
    let values = done.redactor.into_values();
    for (text, paragraph) in texts.iter().zip(paragraphs) {
        assert_eq!(millrace_vault::restore_text(text, &values), paragraph);
    }

    // What a contract is about stays.
    let (texts, _) = redacted(&ner, "contract", &paragraphs).await;
    assert!(texts[1].starts_with("The services were delivered by Siemens to"), "{texts:?}");
    assert!(
        texts[0].contains("[PERSON_1] in Berlin") && texts[2].contains("from Berlin to Paris"),
        "{texts:?}"
    );

    // It has no model for German, and is asked in English.
    let german = [
        "Die Parteien vereinbaren, dass Michael Thompson den Vertrag unterschreibt und das Gericht entscheidet.",
    ];
    let (texts, done) = redacted(&ner, "contract", &german).await;
    assert_eq!((done.says.language.as_str(), done.says.names.as_str()), ("de", "model"));
    assert!(texts[0].contains("dass [PERSON_1] den"), "{texts:?}");
}
