//! What the built-in policies leave of documents that say everything: with patterns alone, and with a plug-in that finds
//! names.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

use millrace_contract::wire::DocumentText;
use millrace_sanitization::policy::Policies;
use millrace_sanitization::redactor::Found;
use millrace_sanitization::{clean, sanitize};
use millrace_vault::restore_text;

const CONTRACT: &str = "This Agreement of 3 May 2026 is made between Vexley Oss Ltd (VAT no. DE136695976) and Tarnwick Brook \
     plc, represented by Jane Roe, jane.roe@vexley.example. The fee is EUR 12,500.00 a month, paid to IBAN DE89 3704 0044 \
     0532 0130 00. It is governed by German law; the courts of Bath decide. Jane Roe was born on 14 March 1958.";
const RESUME: &str = "Jane Roe, Bath. E-mail: jane.roe@mail.example, Tel. +44 20 7946 0018, https://roe.example/cv. SSN: \
     078-05-1120. Date of birth: 14 March 1958. 2019 to May 2024: engineer at Vexley Oss Ltd. I speak German.";
const INVOICE: &str = "Invoice 2026-117 of 3 May 2026 by Vexley Oss Ltd, VAT no. DE136695976, for Jane Roe: EUR 1,190.00, paid \
     by card 4111 1111 1111 1111.";

/// What a model would find in them.
const NAMED: [(&str, &str); 9] = [
    ("PERSON", "Jane Roe"),
    ("ORGANIZATION", "Vexley Oss Ltd"),
    ("ORGANIZATION", "Tarnwick Brook plc"),
    ("LOCATION", "Bath"),
    ("NRP", "German"),
    ("DATE_TIME", "3 May 2026"),
    ("DATE_TIME", "14 March 1958"),
    ("DATE_TIME", "May 2024"),
    ("MONEY", "EUR 12,500.00"),
];

/// The text, redacted for a profile; with a plug-in or without.
fn redacted(profile: &str, text: &str, model: bool) -> String {
    let policies = if model {
        Policies::read("p.toml", "[default]\nnames = \"model\"").unwrap()
    } else {
        Policies::default()
    };
    let pages = vec![clean::page(1, [text])];
    let document = sanitize::read(DocumentText { pages, ..DocumentText::default() }, "");
    let named = document.pieces().into_iter().map(|piece| {
        let all = NAMED.iter().flat_map(|(kind, name)| {
            piece.match_indices(name).map(|(at, name)| Found { kind, range: at..at + name.len() })
        });
        all.collect()
    });
    let named = model.then(|| named.collect());
    let done = sanitize::redact(document, &policies.of("acme", profile), None, named);
    let redacted = done.text.pages[0].blocks[0].text.clone();
    // Whatever is replaced comes back for those who may see it.
    assert_eq!(restore_text(&redacted, &done.redactor.into_values()), text.replace("\n", " "));
    redacted
}

#[test]
fn a_contract_keeps_dates_amounts_firms_and_places() {
    let patterns = CONTRACT
        .replace("jane.roe@vexley.example", "[EMAIL_1]")
        .replace("DE89 3704 0044 0532 0130 00", "[IBAN_1]")
        .replace("14 March 1958", "[DATE_OF_BIRTH_1]");
    assert_eq!(redacted("contract", CONTRACT, false), patterns);
    assert_eq!(redacted("contract", CONTRACT, true), patterns.replace("Jane Roe", "[PERSON_1]"));
}

#[test]
fn a_resume_keeps_whose_it_is_and_gives_back_how_to_reach_them() {
    let expected = RESUME
        .replace("jane.roe@mail.example", "[EMAIL_1]")
        .replace("+44 20 7946 0018", "[PHONE_1]")
        .replace("078-05-1120", "[SSN_1]")
        .replace("14 March 1958", "[DATE_OF_BIRTH_1]");
    for model in [false, true] {
        assert_eq!(redacted("resume", RESUME, model), expected);
    }
}

#[test]
fn an_invoice_keeps_tax_ids_and_amounts() {
    let patterns = INVOICE.replace("4111 1111 1111 1111", "[CARD_1]");
    assert_eq!(redacted("invoice", INVOICE, false), patterns);
    assert_eq!(redacted("invoice", INVOICE, true), patterns.replace("Jane Roe", "[PERSON_1]"));
}

#[test]
fn without_a_profile_dates_and_amounts_stay_and_nothing_else_that_is_found() {
    let text = redacted("", CONTRACT, true);
    for kept in ["3 May 2026", "EUR 12,500.00"] {
        assert!(text.contains(kept), "{text}");
    }
    for (kind, gone) in NAMED.iter().filter(|(kind, _)| !matches!(*kind, "DATE_TIME" | "MONEY")) {
        assert!(!text.contains(gone) && text.contains(&format!("[{kind}_1]")), "{gone}: {text}");
    }
    assert!(!text.contains("DE136695976"), "{text}");
}
