//! Words that stand before numbers which are nobody's.

/// Numbers of things: orders, invoices, parts.
#[rustfmt::skip]
pub(crate) const THINGS: &[&str] = &[
    "order", "orders", "purchase order", "po", "invoice", "serial", "serial number", "sn", "s n", "batch", "lot",
    "ref", "reference", "item", "article", "part", "sku", "isbn", "issn", "ean", "upc", "gtin", "imei", "tracking",
    "shipment", "ticket", "version", "release", "model", "device", "checksum", "section", "clause", "docket", "case",
    "transaction", "policy", "asset", "build", "revision", "confirmation", "receipt", "parcel", "page", "doi",
    "rechnung", "rechnungsnummer", "rechnungsnr", "rechnungs nr", "bestellung", "bestellnummer", "bestellnr",
    "auftrag", "auftragsnummer", "artikel", "artikelnummer", "seriennummer", "serien nr", "charge", "sendung",
    "sendungsnummer", "aktenzeichen", "vorgang", "kundennummer", "abschnitt", "gerät", "teilenummer",
    "facture", "commande", "réf", "référence", "série", "colis", "dossier", "bon", "appareil", "pièce",
    "factura", "pedido", "expediente", "pieza", "serie", "lote", "envío", "albarán", "número de serie", "referencia",
    "fattura", "ordine", "rif", "matricola", "lotto", "spedizione", "pratica", "articolo", "numero di serie",
    "fatura", "encomenda", "nota fiscal", "processo", "faktura", "factuur", "bestelling", "ordernummer", "zamówienie",
    "peça", "número de série", "protocolo",
];

/// Amounts, accounts and registers of firms: digits too, and no telephone numbers.
#[rustfmt::skip]
pub(crate) const REGISTERS: &[&str] = &[
    "konto", "kontonummer", "account", "account number", "bank account", "siret", "siren", "license", "licence",
    "driver license", "routing", "routing number", "eur", "usd", "gbp", "euro", "hrb", "register number",
    "company number", "patient id", "member id", "customer id", "user id", "employee id", "zip", "postcode", "plz",
];
