//! Durations and sizes as Spring Boot reads them, in Kafka's milliseconds and bytes.

/// `5s`, `PT5S`, `500`: milliseconds.
pub(super) fn milliseconds(text: &str) -> Option<i64> {
    let text = text.trim();
    match text.strip_prefix("PT").or_else(|| text.strip_prefix("pt")) {
        Some(parts) => iso(&parts.to_ascii_lowercase()),
        None => simple(&text.to_ascii_lowercase()),
    }
}

fn simple(text: &str) -> Option<i64> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "" | "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// `1h2m3s`
fn iso(mut parts: &str) -> Option<i64> {
    let mut sum: i64 = 0;
    if parts.is_empty() {
        return None;
    }
    while !parts.is_empty() {
        let end = parts.find(['h', 'm', 's'])? + 1;
        let (part, rest) = parts.split_at(end);
        sum = sum.checked_add(simple(part)?)?;
        parts = rest;
    }
    Some(sum)
}

/// `1MB`, `512`: bytes.
pub(super) fn bytes(text: &str) -> Option<i64> {
    let (number, unit) = split(text.trim())?;
    let shift = match unit {
        "" | "B" => 0,
        "KB" => 10,
        "MB" => 20,
        "GB" => 30,
        "TB" => 40,
        _ => return None,
    };
    number.checked_mul(1_i64 << shift)
}

fn split(text: &str) -> Option<(i64, &str)> {
    let digits = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_boot() {
        assert_eq!(milliseconds("5s"), Some(5_000));
        assert_eq!(milliseconds("PT1M30S"), Some(90_000));
        assert_eq!(milliseconds("250"), Some(250));
        assert_eq!(milliseconds("soon"), None);
        assert_eq!(milliseconds("PT"), None);
    }

    #[test]
    fn sizes_are_those_of_boot() {
        assert_eq!(bytes("1MB"), Some(1_048_576));
        assert_eq!(bytes("16384"), Some(16_384));
        assert_eq!(bytes("1mb"), None);
    }
}
