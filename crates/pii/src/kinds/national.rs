//! Numbers that states give to people (and to firms, where the number is the same).

use super::{BASE, Kind, Negative, labelled, rule};
use crate::check::{self, national as n};

const THINGS: &[Negative] = &[Negative::Things];

#[rustfmt::skip]
pub(super) static SSN: Kind = Kind {
    name: "SSN",
    labels: &[("en", &["ssn", "ssns", "ss", "social security", "social security number", "social security no", "social"])],
    negatives: THINGS,
    rules: &[rule(r"[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}\b", n::ssn, 70)],
    labelled: &[labelled(r"[0-9X*]{3}[- ]?[0-9X*]{2}[- ]?[0-9]{4}\b", check::whole)],
    ..BASE
};

#[rustfmt::skip]
pub(super) static ITIN: Kind = Kind {
    name: "ITIN",
    labels: &[("en", &["itin", "taxpayer identification", "taxpayer identification number", "tin", "taxpayer id", "tax id"])],
    negatives: THINGS,
    rules: &[rule(r"9[0-9]{2}[- ][5-9][0-9][- ][0-9]{4}\b", n::itin, 70)],
    labelled: &[labelled(r"9[0-9]{2}[- ]?[0-9]{2}[- ]?[0-9]{4}\b", check::whole)],
    ..BASE
};

#[rustfmt::skip]
const SPANISH: &[(&str, &[&str])] = &[
    ("es", &["dni", "nif", "nie", "nif nie", "dni nie", "d n i", "n i f", "n i e", "documento nacional de identidad",
        "número de identificación fiscal", "número de identidad de extranjero"]),
];

pub(super) static ES_NIF: Kind = Kind {
    name: "ES_NIF",
    labels: SPANISH,
    negatives: THINGS,
    rules: &[
        rule(r"[0-9]{8}[- ]?[A-Za-z]\b", n::nif, 70),
        rule(r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}[- ]?[A-Z]\b", n::nif, 70),
    ],
    labelled: &[labelled(r"[0-9]{2}\.?[0-9]{3}\.?[0-9]{3}(?:[- ]?[A-Z])?\b", check::whole)],
    ..BASE
};

pub(super) static ES_NIE: Kind = Kind {
    name: "ES_NIE",
    labels: SPANISH,
    negatives: THINGS,
    rules: &[rule(r"[XYZxyz][- ]?[0-9]{7}[- ]?[A-Za-z]\b", n::nie, 70)],
    labelled: &[labelled(r"[XYZ][- ]?[0-9]{7}(?:[- ]?[A-Z])?\b", check::whole)],
    ..BASE
};

pub(super) static IT_FISCAL_CODE: Kind = Kind {
    name: "IT_FISCAL_CODE",
    labels: &[
        ("it", &["codice fiscale", "c f", "cf", "cod fisc"]),
        ("en", &["fiscal code", "italian tax code"]),
    ],
    rules: &[rule(
        r"(?:[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]|[a-z]{6}[0-9]{2}[abcdehlmprst][0-9]{2}[a-z][0-9]{3}[a-z]|[A-Z]{3} [A-Z]{3} [0-9]{2}[ABCDEHLMPRST][0-9]{2} [A-Z][0-9]{3}[A-Z])\b",
        n::codice_fiscale,
        85,
    )],
    labelled: &[labelled(r"[A-Za-z]{6}[0-9A-Za-z]{10}\b", check::five_digits)],
    ..BASE
};

pub(super) static FR_NIR: Kind = Kind {
    name: "FR_NIR",
    labels: &[
        (
            "fr",
            &[
                "sécurité sociale",
                "numéro de sécurité sociale",
                "nir",
                "n sécu",
                "numéro de sécu",
                "insee",
                "n ss",
            ],
        ),
        ("en", &["french social security number"]),
    ],
    negatives: THINGS,
    rules: &[rule(
        r"[12378] ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?-?[0-9]{2}\b",
        n::nir,
        65,
    )],
    labelled: &[labelled(r"[1-8](?:[ -]?[0-9]){4}(?:[ -]?[0-9AB]){2}(?:[ -]?[0-9]){6,8}\b", check::whole)],
    ..BASE
};

pub(super) static UK_NINO: Kind = Kind {
    name: "UK_NINO",
    labels: &[(
        "en",
        &["national insurance", "national insurance number", "ni number", "nino", "ni no", "nin"],
    )],
    negatives: THINGS,
    rules: &[rule(
        r"[A-CEGHJ-PR-TW-Za-ceghj-pr-tw-z][A-CEGHJ-NPR-TW-Za-ceghj-npr-tw-z][ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[A-Da-d]\b",
        n::nino,
        65,
    )],
    labelled: &[labelled(r"[A-Z]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}(?:[ -]?[A-Z])?\b", check::whole)],
    ..BASE
};

pub(super) static UK_NHS: Kind = Kind {
    name: "UK_NHS",
    labels: &[("en", &["nhs", "nhs number", "nhs no", "national health service"])],
    negatives: THINGS,
    rules: &[rule(r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}\b", n::nhs, 25)],
    labelled: &[labelled(r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}\b", check::whole)],
    ..BASE
};

pub(super) static IN_PAN: Kind = Kind {
    name: "IN_PAN",
    labels: &[("en", &["pan", "pan no", "pan number", "pan card", "permanent account number"])],
    negatives: THINGS,
    rules: &[rule(r"[A-Z]{3}[ABCFGHLJPT][A-Z][0-9]{4}[A-Z]\b", check::whole, 60)],
    labelled: &[labelled(r"[A-Za-z]{5}[0-9]{4}[A-Za-z]\b", check::whole)],
    ..BASE
};

pub(super) static IN_AADHAAR: Kind = Kind {
    name: "IN_AADHAAR",
    labels: &[
        ("en", &["aadhaar", "aadhaar number", "aadhaar no", "aadhar", "aadhaar card", "uidai"]),
        ("hi", &["आधार"]),
    ],
    negatives: THINGS,
    rules: &[rule(r"[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}\b", n::aadhaar, 25)],
    labelled: &[labelled(r"[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}\b", check::whole)],
    ..BASE
};

pub(super) static BR_CPF: Kind = Kind {
    name: "BR_CPF",
    labels: &[("pt", &["cpf", "cpf mf", "c p f", "cadastro de pessoas físicas", "inscrito no cpf"])],
    negatives: THINGS,
    rules: &[rule(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b", n::cpf, 80), rule(r"[0-9]{11}\b", n::cpf, 40)],
    labelled: &[labelled(r"[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}[-. ]?[0-9]{2}\b", check::whole)],
    ..BASE
};

pub(super) static BR_CNPJ: Kind = Kind {
    name: "BR_CNPJ",
    labels: &[("pt", &["cnpj", "cnpj mf", "c n p j", "cadastro nacional da pessoa jurídica"])],
    negatives: THINGS,
    rules: &[
        // Letters since July 2026.
        rule(r"[0-9A-Z]{2}\.[0-9A-Z]{3}\.[0-9A-Z]{3}/[0-9A-Z]{4}-[0-9]{2}\b", n::cnpj, 80),
        rule(r"[0-9]{14}\b", n::cnpj, 40),
    ],
    labelled: &[labelled(
        r"[0-9A-Z]{2}\.?[0-9A-Z]{3}\.?[0-9A-Z]{3}/?[0-9A-Z]{4}-?[0-9]{2}\b",
        check::some_digits,
    )],
    ..BASE
};

#[rustfmt::skip]
pub(super) static DE_TAX_ID: Kind = Kind {
    name: "DE_TAX_ID",
    labels: &[
        ("de", &["steuer id", "steuer idnr", "steuerid", "idnr", "steueridentifikationsnummer",
            "steuer identifikationsnummer", "steuerliche identifikationsnummer", "identifikationsnummer", "tin"]),
        ("en", &["german tax id"]),
    ],
    negatives: THINGS,
    rules: &[rule(r"[1-9][0-9] ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}\b", n::german_tax_id, 40)],
    labelled: &[labelled(r"[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}\b", check::whole)],
    ..BASE
};

pub(super) static PL_PESEL: Kind = Kind {
    name: "PL_PESEL",
    labels: &[("pl", &["pesel", "nr pesel", "numer pesel"])],
    negatives: THINGS,
    rules: &[rule(r"[0-9]{11}\b", n::pesel, 40)],
    labelled: &[labelled(r"[0-9]{11}\b", check::whole)],
    ..BASE
};

pub(super) static SE_PERSONNUMMER: Kind = Kind {
    name: "SE_PERSONNUMMER",
    labels: &[
        ("sv", &["personnummer", "personnr", "pers nr", "samordningsnummer"]),
        ("en", &["swedish personal identity number"]),
    ],
    negatives: THINGS,
    rules: &[
        rule(r"(?:19|20)?[0-9]{6}[-+][0-9]{4}\b", n::personnummer, 60),
        rule(r"(?:19|20)?[0-9]{10}\b", n::personnummer, 30),
    ],
    labelled: &[labelled(r"(?:19|20)?[0-9]{6}[-+ ]?[0-9]{4}\b", check::whole)],
    ..BASE
};

pub(super) static NL_BSN: Kind = Kind {
    name: "NL_BSN",
    labels: &[("nl", &["bsn", "bsn nummer", "burgerservicenummer", "sofinummer", "sofi nummer"])],
    negatives: THINGS,
    rules: &[rule(r"[0-9]{3,4}[. ]?[0-9]{2}[. ]?[0-9]{3}\b", n::bsn, 25)],
    labelled: &[labelled(r"[0-9](?:[. ]?[0-9]){7,8}\b", check::whole)],
    ..BASE
};

pub(super) static PT_NIF: Kind = Kind {
    name: "PT_NIF",
    labels: &[(
        "pt",
        &["nif", "contribuinte", "número de contribuinte", "número de identificação fiscal", "nipc"],
    )],
    negatives: THINGS,
    rules: &[rule(r"[1-35689][0-9]{2}[ .]?[0-9]{3}[ .]?[0-9]{3}\b", n::portuguese_nif, 25)],
    labelled: &[labelled(r"[0-9]{3}[ .]?[0-9]{3}[ .]?[0-9]{3}\b", check::whole)],
    ..BASE
};
