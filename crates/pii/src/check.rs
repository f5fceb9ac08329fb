//! Checks and canonical forms. A check gets the text of a shape and says how many bytes at its start are
//! the value, or that it is none.

pub(crate) mod national;
pub(crate) mod network;
pub(crate) mod payment;
pub(crate) mod phone;
pub(crate) mod vat;

/// Says how many bytes at the start of a shape are the value, or that it is none.
pub(crate) type Check = fn(&str) -> Option<usize>;

/// Whatever has the shape is the value.
pub(crate) fn whole(text: &str) -> Option<usize> {
    Some(text.len())
}

/// At least four digits: the shape of a labelled IBAN would also fit a heading in capitals.
pub(crate) fn some_digits(text: &str) -> Option<usize> {
    (digits(text).count() >= 4).then_some(text.len())
}

pub(crate) fn digits(text: &str) -> impl DoubleEndedIterator<Item = u8> + '_ {
    text.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0')
}

/// At least five digits.
pub(crate) fn five_digits(text: &str) -> Option<usize> {
    (digits(text).count() >= 5).then_some(text.len())
}

/// Letters and digits in upper case: spacing and hyphens do not make another value.
pub(crate) fn alphanumeric_upper(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// Lower case, for addresses.
pub(crate) fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// Digits without the trunk zero in `+44 (0)20` and without the `00` that stands for a plus.
pub(crate) fn phone_digits(text: &str) -> String {
    let plain: String = text.replace("(0)", "").chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let plain = plain.to_ascii_lowercase().replace("ext", "x");
    plain.strip_prefix("00").map(str::to_owned).unwrap_or(plain)
}

/// The address in its shortest form, or as written where it does not parse.
pub(crate) fn ip_text(text: &str) -> String {
    text.parse::<std::net::IpAddr>().map_or_else(|_| text.to_lowercase(), |address| address.to_string())
}

/// Hexadecimal digits in lower case.
pub(crate) fn mac_text(text: &str) -> String {
    text.chars().filter(char::is_ascii_hexdigit).map(|c| c.to_ascii_lowercase()).collect()
}

/// Case and spelling matter.
pub(crate) fn as_written(text: &str) -> String {
    text.to_owned()
}

/// Words in lower case, single-spaced.
pub(crate) fn name_words(text: &str) -> String {
    text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}
