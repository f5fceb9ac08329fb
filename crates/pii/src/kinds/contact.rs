//! How somebody is reached.

use super::{BASE, Kind, Negative, Rule, labelled, rule};
use crate::check::{lower, phone, phone_digits};

/// Found by `find/email.rs`.
pub(super) static EMAIL: Kind = Kind { name: "EMAIL", canonical: lower, ..BASE };

/// Found by `find/address.rs`.
pub(super) static ADDRESS: Kind = Kind { name: "ADDRESS", ..BASE };

/// An extension behind the number.
macro_rules! with_extension {
    ($shape:literal) => {
        concat!($shape, r"(?:[ ,]{0,2}(?:x|ext\.?) ?[0-9]{1,6})?\b")
    };
}

const fn weak(pattern: &'static str) -> Rule {
    Rule { glue: "-./_#:", ..rule(pattern, phone::number, 25) }
}

#[rustfmt::skip]
pub(super) static PHONE: Kind = Kind {
    name: "PHONE",
    canonical: phone_digits,
    labels: &[
        ("en", &["phone", "phones", "phone number", "telephone", "tel", "mobile", "cell", "cellphone", "fax", "call",
            "call me at", "call us at", "call me on", "landline", "hotline", "whatsapp", "sms", "text me at", "dial", "ph"]),
        ("de", &["telefon", "telefonnummer", "telefonnr", "handy", "handynummer", "mobil", "mobilnummer", "festnetz",
            "rufnummer", "durchwahl", "telefax"]),
        ("fr", &["tél", "téléphone", "portable", "télécopie", "joindre au", "téléphone portable"]),
        ("es", &["teléfono", "teléfonos", "tfno", "tlf", "móvil", "celular", "llamar al"]),
        ("it", &["telefono", "cellulare", "recapito telefonico"]),
        ("pt", &["telefone", "telemóvel", "contacto", "contato"]),
        ("nl", &["telefoon", "telefoonnummer", "gsm", "mobiel"]),
        ("sv", &["telefonnumber", "mobilnummer", "telefonnummer"]),
        ("pl", &["telefon", "komórka", "tel kom"]),
    ],
    negatives: &[Negative::Things, Negative::Registers],
    rules: &[
        // International: the plus says that it is one.
        rule(with_extension!(r"\+[1-9][0-9]{0,3}(?:[ ./-]{0,2}\(?[0-9]{1,12}\)?){1,7}"), phone::number, 75),
        // The written habits of North America and France.
        rule(with_extension!(r"(?:\([2-9][0-9]{2}\) ?|(?:001-|1-)?[2-9][0-9]{2}[-. ])[2-9][0-9]{2}[-.][0-9]{4}"), phone::number, 60),
        rule(r"0[1-9](?:[ .-][0-9]{2}){4}\b", phone::number, 60),
        // Anything of the right length, where a telephone is spoken of.
        weak(with_extension!(r"(?:\([0-9]{1,5}\)|[0-9]{1,12})(?:[ ./-]{0,2}\(?[0-9]{1,12}\)?){0,7}")),
    ],
    labelled: &[labelled(with_extension!(r"(?:\+|\()?[0-9](?:[ ./()-]{0,2}[0-9]){5,16}"), phone::number)],
    ..BASE
};
