//! Whole numbers of more than 64 bits: TOML has none, and a design is to be told their range.

use crate::design::source::Span;

/// What stands in for a number that is too large while the rest of the file is parsed. It is
/// shorter than any such number, and hexadecimal numbers may begin with zeros.
const PREFIX: &str = "0x";
const DIGITS: &str = "7fffffffffffffff";

/// `text` with a stand-in of the same width for the number in `span`; `None`: no number is there.
pub(super) fn replaced(text: &str, span: Span) -> Option<String> {
    let (before, rest) = text.split_at_checked(span.start)?;
    let (written, after) = rest.split_at_checked(span.end.checked_sub(span.start)?)?;
    number(written)?;
    let width = written.len().checked_sub(PREFIX.len())?;
    (DIGITS.len() <= width).then(|| format!("{before}{PREFIX}{DIGITS:0>width$}{after}"))
}

/// A whole number as TOML writes it; one of more than 128 bits is the nearest of 128.
pub(in crate::design) fn number(written: &str) -> Option<i128> {
    let plain = written.trim().replace('_', "");
    let based = |digits: &str, base| {
        let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base));
        is_number.then(|| i128::from_str_radix(digits, base).unwrap_or(i128::MAX))
    };
    let bases = [("0x", 16), ("0o", 8), ("0b", 2)];
    if let Some((digits, base)) = bases
        .into_iter()
        .find_map(|(prefix, base)| Some((plain.strip_prefix(prefix)?, base)))
    {
        return based(digits, base);
    }
    match plain.strip_prefix('-') {
        Some(digits) => based(digits, 10).map(|number| -number),
        None => based(plain.strip_prefix('+').unwrap_or(&plain), 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_however_wide_it_is() {
        assert_eq!(number("1_000"), Some(1000));
        assert_eq!(number("+5"), Some(5));
        assert_eq!(number("0xff"), Some(255));
        assert_eq!(
            number("-99999999999999999999"),
            Some(-99_999_999_999_999_999_999)
        );
        assert_eq!(number(&"9".repeat(50)), Some(i128::MAX));
        assert_eq!(number("1.5"), None);
        assert_eq!(number("0x"), None);
    }

    #[test]
    fn a_stand_in_is_as_wide_as_the_number_and_can_be_parsed() {
        for written in [
            "9223372036854775808",
            "-9223372036854775809",
            "0x8000000000000000",
            "99999999999999999999",
        ] {
            let text = format!("a = {written}\nb = 1");
            let span = Span::from(4..4 + written.len());
            let replaced = replaced(&text, span).expect("a number");
            let document = toml_edit::Document::parse(replaced).expect("TOML");
            let place = document.get("a").and_then(toml_edit::Item::span);
            assert_eq!(place.map(Span::from), Some(span), "{written}");
        }
    }
}
