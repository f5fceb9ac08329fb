//! The table of detectors. How to add one: see the module above.

use super::validate as v;

/// Says how many bytes at the start of a shape are the value, or that it is none.
pub(crate) type Check = fn(&str) -> Option<usize>;

/// What a text must have in it before a detector can find anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// A digit of any script.
    Digit,
    /// An `@`.
    At,
    /// A colon.
    Colon,
}

/// One way to recognise one kind of value.
pub(crate) struct Detector {
    /// The kind, as it stands in the placeholder: `A-Z_`.
    pub(crate) kind: &'static str,
    /// What every value of it contains, labelled or not: a paragraph without is passed over.
    pub(crate) needs: Needs,
    /// The shape that stands on its own; none for values that only a label makes personal.
    pub(crate) pattern: Option<&'static str>,
    /// Tells values from what only has their shape.
    pub(crate) check: Check,
    /// Score of a checked value without context.
    pub(crate) alone: u8,
    /// Words that, right before, make it more likely.
    pub(crate) labels: &'static [&'static str],
    /// Words that, right before, make it less likely.
    pub(crate) negatives: &'static [&'static [&'static str]],
    /// Shape masked straight after a label, and what it must still satisfy.
    pub(crate) labelled: Option<(&'static str, Check)>,
    /// Characters that tie the value to a longer one when a letter or digit follows beyond them.
    pub(crate) glue: &'static str,
}

const BASE: Detector = Detector {
    kind: "",
    needs: Needs::Digit,
    pattern: None,
    check: v::whole,
    alone: 0,
    labels: &[],
    negatives: &[],
    labelled: None,
    glue: "-./_#",
};

/// Words before numbers that belong to things, not to people.
#[rustfmt::skip]
const THINGS: &[&str] = &[
    "order", "orders", "purchase order", "po", "invoice", "serial", "serial number", "sn", "batch", "lot", "ref",
    "reference", "item", "article", "part", "sku", "isbn", "issn", "ean", "tracking", "shipment", "ticket",
    "version", "release", "model", "device", "checksum", "section", "clause", "docket", "transaction",
    "rechnung", "rechnungsnummer", "rechnungsnr", "bestellung", "bestellnummer", "bestellnr", "auftrag",
    "auftragsnummer", "artikel", "artikelnummer", "seriennummer", "charge", "sendung", "sendungsnummer",
    "aktenzeichen", "vorgang", "kundennummer", "abschnitt",
    "facture", "commande", "réf", "série", "colis", "dossier", "bon",
    "factura", "pedido", "expediente", "pieza", "serie", "lote", "envío", "albarán",
    "fattura", "ordine", "rif", "matricola", "lotto", "spedizione", "pratica",
    "fatura", "encomenda", "nota fiscal", "processo", "faktura", "factuur",
];

/// Words before ids and amounts that are digits too, and no telephone numbers.
#[rustfmt::skip]
const OTHER_IDS: &[&str] = &[
    "ssn", "social security", "social security number", "itin", "nhs", "nhs number", "aadhaar", "aadhaar number",
    "cpf", "pan", "dni", "nif", "nie", "iban", "konto", "account", "account number", "steuer", "steuer id", "vat",
    "tva", "iva", "ust", "siret", "siren", "card", "card number", "kreditkarte", "carte", "tarjeta", "cartão",
    "carta di credito", "sécurité sociale", "passport", "license", "licence", "routing", "eur", "usd",
];

#[rustfmt::skip]
const PHONE_LABELS: &[&str] = &[
    "phone", "phones", "phone number", "telephone", "tel", "mobile", "cell", "cellphone", "fax", "call", "call me at",
    "call us at", "landline", "hotline", "whatsapp", "sms", "text me at",
    "telefon", "telefonnummer", "telefonnr", "handy", "handynummer", "mobil", "mobilnummer", "festnetz", "rufnummer",
    "tél", "téléphone", "portable", "télécopie", "joindre au",
    "teléfono", "teléfonos", "tfno", "tlf", "móvil", "celular", "llamar al",
    "telefono", "cellulare",
    "telefone", "telemóvel", "contacto",
    "telefoon", "telefoonnummer", "gsm", "mobiel", "telefonnumber",
];

#[rustfmt::skip]
const CARD_LABELS: &[&str] = &[
    "card", "card number", "card no", "credit card", "credit card number", "debit card", "visa", "mastercard", "amex",
    "american express", "kreditkarte", "kreditkartennummer", "kartennummer", "carte bancaire", "carte de crédit",
    "numéro de carte", "carta di credito", "carta", "tarjeta", "tarjeta de crédito", "número de tarjeta", "cartão",
    "cartão de crédito",
];

#[rustfmt::skip]
const BIRTH_LABELS: &[&str] = &[
    "date of birth", "dob", "d.o.b", "birth date", "birthdate", "birthday", "born", "born on",
    "geburtsdatum", "geboren", "geboren am", "geb", "geb. am", "geburtstag",
    "date de naissance", "né le", "née le", "né(e) le", "naissance",
    "fecha de nacimiento", "nacido el", "nacida el", "nacimiento", "f. nac", "fecha nac",
    "data di nascita", "nato il", "nata il", "nato a il", "data de nascimento", "nascido em", "nascida em",
    "nascimento", "geboortedatum", "geboren op", "data urodzenia", "fødselsdato", "födelsedatum",
];

const NO_LETTER_LABELS: &[&str] = &[
    "dni",
    "nif",
    "nie",
    "nif nie",
    "dni nie",
    "d.n.i",
    "n.i.f",
    "n.i.e",
    "documento nacional de identidad",
    "cif",
];

/// A written-out or numeric date with its year. Only ever looked for after a birth label.
const DATE: &str = r"(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}\s?[-./]\s?\d{1,2}\s?[-./]\s?(?:\d{4}|\d{2})|\d{1,2}(?:st|nd|rd|th|er|\.|º|ª|°)?[\s-](?:(?:de|of|d')\s?)?\p{L}{3,12}\.?,?[\s-](?:(?:de|del)\s)?\d{4}|\p{L}{3,12}\.?\s\d{1,2}(?:st|nd|rd|th)?,?\s\d{4})(?-u:\b)";

/// In order of confidence; the order also breaks ties between equal spans.
pub(crate) const DETECTORS: &[Detector] = &[
    Detector {
        kind: "EMAIL",
        needs: Needs::At,
        // Unbounded, but a mismatch never tries the same characters again: see `scan`.
        pattern: Some(r"[\p{L}\p{N}_%+][\p{L}\p{N}._%+'-]*@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,24}"),
        alone: 95,
        glue: "",
        ..BASE
    },
    Detector {
        kind: "IBAN",
        pattern: Some(r"(?-u:\b)[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}"),
        check: v::iban,
        alone: 90,
        labels: &[
            "iban",
            "iban no",
            "iban number",
            "account",
            "konto",
            "compte",
            "cuenta",
            "conto",
            "conta",
            "rekening",
        ],
        labelled: Some((
            r"(?-i:[A-Z]{2}[0-9]{2}(?:[A-Z0-9]{4,30}|(?:[ -][A-Z0-9]{4}){2,7}(?:[ -][0-9]{1,3})?))(?-u:\b)",
            v::some_digits,
        )),
        ..BASE
    },
    Detector {
        kind: "SSN",
        pattern: Some(r"(?-u:\b)[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}(?-u:\b)"),
        check: v::ssn,
        alone: 60,
        labels: &["ssn", "ssns", "ss#", "social security", "social security number", "social security no"],
        negatives: &[THINGS],
        labelled: Some((r"[0-9X*]{3}[- ]?[0-9X*]{2}[- ]?[0-9]{4}(?-u:\b)", v::whole)),
        ..BASE
    },
    Detector {
        kind: "ITIN",
        pattern: Some(r"(?-u:\b)9[0-9]{2}[- ][5-9][0-9][- ][0-9]{4}(?-u:\b)"),
        check: v::itin,
        alone: 55,
        labels: &["itin", "taxpayer identification", "taxpayer identification number", "tin"],
        negatives: &[THINGS],
        labelled: Some((r"9[0-9]{2}[- ]?[0-9]{2}[- ]?[0-9]{4}(?-u:\b)", v::whole)),
        ..BASE
    },
    Detector {
        kind: "ES_NIF",
        pattern: Some(r"(?-u:\b)[0-9]{8}[- ]?[A-Za-z](?-u:\b)"),
        check: v::nif,
        alone: 70,
        labels: NO_LETTER_LABELS,
        negatives: &[THINGS],
        labelled: Some((r"[0-9]{2}\.?[0-9]{3}\.?[0-9]{3}(?:[- ]?[A-Za-z])?(?-u:\b)", v::whole)),
        ..BASE
    },
    Detector {
        kind: "ES_NIE",
        pattern: Some(r"(?-u:\b)[XYZxyz][- ]?[0-9]{7}[- ]?[A-Za-z](?-u:\b)"),
        check: v::nie,
        alone: 70,
        labels: NO_LETTER_LABELS,
        negatives: &[THINGS],
        labelled: Some((r"[XYZ][- ]?[0-9]{7}(?:[- ]?[A-Z])?(?-u:\b)", v::whole)),
        ..BASE
    },
    Detector {
        // A number in a range that card schemes issue from.
        kind: "CARD",
        pattern: Some(CARD_SHAPE),
        check: v::issued_card,
        alone: 60,
        labels: CARD_LABELS,
        negatives: &[THINGS],
        labelled: Some((r"[0-9]{4}(?:[ -]?[0-9]){8,15}(?-u:\b)", v::whole)),
        ..BASE
    },
    Detector {
        // The check digit is right, which one number in ten gets by chance: only with a label.
        kind: "CARD",
        pattern: Some(CARD_SHAPE),
        check: v::luhn,
        alone: 25,
        labels: CARD_LABELS,
        negatives: &[THINGS],
        ..BASE
    },
    Detector {
        kind: "IP",
        pattern: Some(QUAD_SHAPE),
        check: v::ipv4_beyond_sections,
        alone: 60,
        labels: IP_LABELS,
        negatives: &[THINGS],
        glue: "-.",
        ..BASE
    },
    Detector {
        // All numbers small: more often a clause of a contract or a version.
        kind: "IP",
        pattern: Some(QUAD_SHAPE),
        check: v::ipv4,
        alone: 25,
        labels: IP_LABELS,
        negatives: &[THINGS],
        glue: "-.",
        ..BASE
    },
    Detector {
        kind: "IP",
        needs: Needs::Colon,
        pattern: Some(
            r"(?:[0-9A-Fa-f]{1,4}:|:)(?:[0-9A-Fa-f]{0,4}:){1,7}(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f]{0,4})(?:%[0-9A-Za-z]{1,15})?",
        ),
        check: v::ipv6,
        alone: 80,
        labels: IP_LABELS,
        glue: ":.",
        ..BASE
    },
    Detector {
        kind: "PHONE",
        // International: the plus says that it is one.
        pattern: Some(
            r"\+[1-9][0-9]{0,3}(?:[ ./-]{0,2}\(?[0-9]{1,12}\)?){1,7}(?:[ ,]{0,2}(?:x|ext\.?) ?[0-9]{1,6})?(?-u:\b)",
        ),
        check: v::phone,
        alone: 75,
        labels: PHONE_LABELS,
        negatives: &[THINGS, OTHER_IDS],
        ..BASE
    },
    Detector {
        kind: "PHONE",
        // The written habits of North America and France.
        pattern: Some(
            r"(?:\([2-9][0-9]{2}\) ?|(?-u:\b)(?:001-|1-)?[2-9][0-9]{2}[-. ])[2-9][0-9]{2}[-.][0-9]{4}(?: ?(?:x|ext\.?) ?[0-9]{1,6})?(?-u:\b)|(?-u:\b)0[1-9](?:[ .-][0-9]{2}){4}(?-u:\b)",
        ),
        check: v::phone,
        alone: 60,
        labels: PHONE_LABELS,
        negatives: &[THINGS, OTHER_IDS],
        ..BASE
    },
    Detector {
        kind: "PHONE",
        // Anything of the right length, where a telephone is spoken of.
        pattern: Some(
            r"(?:\([0-9]{1,5}\)|(?-u:\b)[0-9]{1,12})(?:[ ./-]{0,2}\(?[0-9]{1,12}\)?){0,7}(?: ?(?:x|ext\.?) ?[0-9]{1,6})?(?-u:\b)",
        ),
        check: v::phone,
        alone: 25,
        labels: PHONE_LABELS,
        negatives: &[THINGS, OTHER_IDS],
        labelled: Some((
            r"(?:\+|\()?[0-9](?:[ ./()-]{0,2}[0-9]){5,16}(?: ?(?:x|ext\.?) ?[0-9]{1,6})?(?-u:\b)",
            v::phone,
        )),
        ..BASE
    },
    Detector {
        // Dates are what contracts are made of: only a date of birth is personal, and only its label tells.
        kind: "DATE_OF_BIRTH",
        labels: BIRTH_LABELS,
        labelled: Some((DATE, v::whole)),
        ..BASE
    },
];

const QUAD_SHAPE: &str = r"(?-u:\b)[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?-u:\b)";

const IP_LABELS: &[&str] = &[
    "ip",
    "ip address",
    "ip addresses",
    "ips",
    "ipv4",
    "ipv6",
    "host",
    "adresse ip",
    "ip adresse",
    "dirección ip",
];

/// 12 to 19 digits together, or grouped as cards are printed (4-4-4-4, 4-6-5, 4-6-4).
const CARD_SHAPE: &str = r"(?-u:\b)(?:[0-9]{12,19}|[0-9]{4}(?:[ -][0-9]{4}){3}(?:[ -][0-9]{3})?|[0-9]{4}[ -][0-9]{6}[ -][0-9]{4,5})(?-u:\b)";
