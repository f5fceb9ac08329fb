//! VAT ids of the European Union and its neighbours.

use super::{BASE, Kind, labelled, rule};
use crate::check::{some_digits, vat};

#[rustfmt::skip]
pub(super) static VAT: Kind = Kind {
    name: "VAT",
    labels: &[
        ("en", &["vat", "vat id", "vat no", "vat number", "vat reg no", "vat registration number"]),
        ("de", &["ust idnr", "ust id", "ust id nr", "ustid", "ustidnr", "uid", "mwst", "mwst nr", "umsatzsteuer id",
            "umsatzsteuer identifikationsnummer", "umsatzsteuer"]),
        ("fr", &["tva", "tva intracommunautaire", "numéro de tva", "n tva"]),
        ("es", &["nif iva", "iva", "número de iva", "cif", "vies"]),
        ("it", &["partita iva", "p iva", "piva"]),
        ("pt", &["nif iva", "número de iva"]),
        ("nl", &["btw", "btw nummer", "btw id", "btw nr"]),
        ("pl", &["nip", "nip ue", "vat ue"]),
        ("sv", &["momsnr", "momsregistreringsnummer", "moms"]),
        ("da", &["cvr", "momsnummer"]),
    ],
    rules: &[
        // With its country and a check that holds. A country's letters before digits are a common shape: where the
        // check fails, or the form has none, it wants a label.
        rule(r"(?:AT ?U|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI|CHE)[ -]?[0-9A-Z](?:[ .-]?[0-9A-Z]){6,13}\b", vat::valid, 65),
        rule(r"(?:AT ?U|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI|CHE)[ -]?[0-9A-Z](?:[ .-]?[0-9A-Z]){6,13}\b", vat::plausible, 30),
    ],
    labelled: &[
        labelled(r"[A-Z]{2,3}[ -]?[0-9A-Z]{2}(?:[ .-]?[0-9A-Z]){5,11}\b", some_digits),
        labelled(r"[0-9]{3}(?:[ .-]?[0-9]){5,9}\b", some_digits),
    ],
    ..BASE
};
