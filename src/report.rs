//! Verdicts as people and programs read them: one file a format.

pub(crate) mod json;
pub(crate) mod text;

use crate::verdict::{Verdict, Verdicts};

/// Everything about a design and its verdicts that should make an engineer look twice.
pub(crate) fn warnings(verdicts: &Verdicts) -> Vec<String> {
    let mut warnings: Vec<String> = verdicts
        .warnings()
        .iter()
        .map(|warning| warning.to_string())
        .collect();
    if let Some(stop) = verdicts.stop() {
        warnings.push(format!("not explored in full: {}", stop.reason()));
    }
    let holds = verdicts
        .judgements()
        .iter()
        .any(|judgement| judgement.verdict() == &Verdict::Holds);
    let unreached = verdicts
        .witnesses()
        .iter()
        .filter(|witness| !witness.reached);
    let unreached: Vec<&str> = unreached.map(|witness| witness.name.as_str()).collect();
    if holds && !unreached.is_empty() {
        warnings.push(format!(
            "never reached within the bound, so what holds says nothing about it: {}",
            unreached.join("; ")
        ));
    }
    warnings
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count and its noun.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234), "1,234");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(counted(1, "fault"), "1 fault");
        assert_eq!(counted(0, "fault"), "0 faults");
    }
}
