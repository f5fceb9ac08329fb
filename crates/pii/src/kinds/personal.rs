//! What is personal because of what it says about somebody.

use super::{BASE, Kind, labelled};
use crate::check;

/// A written-out or numeric date with its year. Only ever looked for after a birth label.
const DATE: &str = r"(?:[0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}|[0-9]{1,2} ?[-./] ?[0-9]{1,2} ?[-./] ?(?:[0-9]{4}|[0-9]{2})|[0-9]{1,2}(?:st|nd|rd|th|er|\.|\xC2\xBA|\xC2\xAA|\xC2\xB0)?[ -](?:(?:de|of|d') ?)?[A-Za-z\x80-\xFF]{3,14}\.?,?[ -](?:(?:de|del) )?[0-9]{4}|[A-Za-z\x80-\xFF]{3,14}\.? [0-9]{1,2}(?:st|nd|rd|th)?,? [0-9]{4})\b";

/// Dates are what contracts are made of: only a date of birth is personal, and only its label tells.
#[rustfmt::skip]
pub(super) static DATE_OF_BIRTH: Kind = Kind {
    name: "DATE_OF_BIRTH",
    labels: &[
        ("en", &["date of birth", "dob", "d o b", "birth date", "birthdate", "birthday", "born", "born on", "born in", "born at"]),
        ("de", &["geburtsdatum", "geboren", "geboren am", "geb", "geb am", "geburtstag", "geboren in"]),
        ("fr", &["date de naissance", "né le", "née le", "né e le", "naissance", "né à", "née à"]),
        ("es", &["fecha de nacimiento", "nacido el", "nacida el", "nacimiento", "f nac", "fecha nac", "nacido en", "nacida en"]),
        ("it", &["data di nascita", "nato il", "nata il", "nato a", "nata a"]),
        ("pt", &["data de nascimento", "nascido em", "nascida em", "nascimento", "nascido a", "nascida a"]),
        ("nl", &["geboortedatum", "geboren op", "geboren te"]),
        ("pl", &["data urodzenia", "urodzony", "urodzona", "ur", "urodzony w", "urodzona w"]),
        ("sv", &["födelsedatum", "född", "född den", "född i"]),
        ("da", &["fødselsdato", "født", "født den", "født i"]),
    ],
    labelled: &[labelled(DATE, check::whole)],
    ..BASE
};

#[rustfmt::skip]
pub(super) static PASSPORT: Kind = Kind {
    name: "PASSPORT",
    labels: &[
        ("en", &["passport", "passport no", "passport number"]),
        ("de", &["reisepass", "reisepassnummer", "passnummer", "reisepass nr", "pass nr"]),
        ("fr", &["passeport", "numéro de passeport"]),
        ("es", &["pasaporte", "número de pasaporte"]),
        ("it", &["passaporto", "numero di passaporto"]),
        ("pt", &["passaporte", "número do passaporte"]),
        ("nl", &["paspoort", "paspoortnummer"]),
        ("pl", &["paszport", "numer paszportu"]),
        ("sv", &["passnummer"]),
    ],
    // The second line of the machine-readable zone, which has check digits of its own.
    rules: &[super::rule(
        r"[A-Z0-9<]{9}[0-9][A-Z<]{3}[0-9]{7}[MFX<][0-9]{7}[A-Z0-9<]{14}[0-9<][0-9]",
        check::national::machine_readable, 95,
    )],
    labelled: &[labelled(r"(?:[A-Z]{1,3} ?)?[A-Z0-9]{5,10}\b", check::five_digits)],
    ..BASE
};

/// Found by `find/person.rs`, where names are asked for.
pub(super) static PERSON: Kind = Kind { name: "PERSON", canonical: check::name_words, ..BASE };
