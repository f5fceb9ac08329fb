//! Accounts, cards, wallets.

use super::{BASE, Kind, Negative, labelled, rule};
use crate::check::{self, payment};

#[rustfmt::skip]
pub(super) static IBAN: Kind = Kind {
    name: "IBAN",
    labels: &[
        ("en", &["iban", "iban no", "iban number", "international bank account number"]),
        ("de", &["bankverbindung"]),
        ("fr", &["compte", "rib"]),
        ("es", &["cuenta", "cuenta bancaria"]),
        ("it", &["conto", "conto corrente", "coordinate bancarie"]),
        ("pt", &["conta"]),
        ("nl", &["rekening", "rekeningnummer"]),
    ],
    rules: &[rule(r"[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}", payment::iban, 90)],
    labelled: &[labelled(
        r"[A-Z]{2}[0-9]{2}(?:[A-Z0-9]{4,30}|(?:[ -][A-Z0-9]{4}){2,7}(?:[ -][A-Z0-9]{1,3})?)\b",
        check::some_digits,
    )],
    ..BASE
};

/// 12 to 19 digits together, or grouped as cards are printed (4-4-4-4, 4-6-5, 4-6-4).
const CARD_SHAPE: &str =
    r"(?:[0-9]{12,19}|[0-9]{4}(?:[ -][0-9]{4}){3}(?:[ -][0-9]{3})?|[0-9]{4}[ -][0-9]{6}[ -][0-9]{4,5})\b";

#[rustfmt::skip]
pub(super) static CARD: Kind = Kind {
    name: "CARD",
    labels: &[
        ("en", &["card", "card number", "card no", "credit card", "credit card number", "debit card", "visa",
            "mastercard", "amex", "american express", "cc number"]),
        ("de", &["karte", "kreditkarte", "kreditkartennummer", "kartennummer"]),
        ("fr", &["carte", "carte bancaire", "carte de crédit", "numéro de carte"]),
        ("it", &["carta di credito", "carta"]),
        ("es", &["tarjeta", "tarjeta de crédito", "número de tarjeta"]),
        ("pt", &["cartão", "cartão de crédito"]),
        ("nl", &["creditcard", "kaartnummer"]),
    ],
    negatives: &[Negative::Things],
    rules: &[
        // A number in a range that card schemes issue from.
        rule(CARD_SHAPE, payment::issued_card, 60),
        // The check digit is right, which one number in ten gets by chance: only with a label.
        rule(CARD_SHAPE, payment::luhn, 25),
    ],
    labelled: &[labelled(r"[0-9]{4}(?:[ -]?[0-9]){8,15}\b", check::whole)],
    ..BASE
};

#[rustfmt::skip]
pub(super) static CRYPTO: Kind = Kind {
    name: "CRYPTO",
    // Upper and lower case are two addresses in base 58.
    canonical: check::as_written,
    labels: &[
        ("en", &["wallet", "wallet address", "btc", "btc address", "bitcoin", "bitcoin address", "eth", "ethereum", "crypto address"]),
        ("es", &["monedero", "billetera", "cartera"]),
        ("fr", &["portefeuille"]),
        ("it", &["portafoglio"]),
        ("pt", &["carteira"]),
    ],
    rules: &[
        rule(r"[13][1-9A-HJ-NP-Za-km-z]{25,34}\b", payment::base58_address, 85),
        rule(r"(?:bc1|BC1|tb1|ltc1)[02-9ac-hj-np-zAC-HJ-NP-Z]{11,87}\b", payment::bech32_address, 90),
        rule(r"0x[0-9a-fA-F]{40}\b", check::whole, 80),
    ],
    labelled: &[labelled(r"(?:[13][1-9A-HJ-NP-Za-km-z]{25,34}|(?:bc1|tb1)[0-9a-z]{11,87})\b", check::whole)],
    ..BASE
};
