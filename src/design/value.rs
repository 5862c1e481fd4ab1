//! Which values a Kafka property takes, and reading one.

/// The values that a property takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind<'p> {
    /// `true` or `false`; librdkafka also takes `t`, `1`, `f` and `0`.
    Boolean {
        /// Whether the short spellings are taken.
        short: bool,
    },
    /// A whole number in a range, or one more number outside it.
    Integer {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
        /// A number outside the range that is taken as well.
        also: Option<i64>,
    },
    /// A decimal number in a range.
    Decimal {
        /// The smallest.
        min: f64,
        /// The largest.
        max: f64,
    },
    /// One of these words.
    Choice {
        /// The words.
        words: Vec<&'p str>,
        /// Whether upper and lower case are the same.
        any_case: bool,
        /// Another form, by its beginning.
        prefix: Option<&'p str>,
    },
    /// librdkafka's `acks`: a number, or `all`.
    Acks,
    /// A list of words, separated by commas.
    List {
        /// Whether an empty list is taken.
        may_be_empty: bool,
    },
    /// Any text.
    Text {
        /// Whether an empty text is taken.
        may_be_empty: bool,
    },
}

/// Why a text is not a value of its property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// Whether it is of the right type, but outside the range.
    pub range: bool,
    /// What is expected.
    pub expected: String,
}

impl<'p> Kind<'p> {
    /// Apache Kafka's type and validator, as the table of properties writes them.
    pub(crate) fn of_java(java_type: &str, valid: &'p str) -> Self {
        let (min, max) = match java_type {
            "int" => (i64::from(i32::MIN), i64::from(i32::MAX)),
            "short" => (i64::from(i16::MIN), i64::from(i16::MAX)),
            "long" => (i64::MIN, i64::MAX),
            "creation argument" => return creation_argument(valid),
            "boolean" => return Kind::Boolean { short: false },
            "double" => return decimal(valid),
            "list" => {
                let may_be_empty = !valid.starts_with("non-empty") && !valid.starts_with("exactly");
                return Kind::List { may_be_empty };
            }
            _ if valid.contains('|') => return choice(valid),
            _ => {
                let may_be_empty = !valid.starts_with("non-empty");
                return Kind::Text { may_be_empty };
            }
        };
        let (range, also) = match valid.split_once(" or ") {
            Some((range, also)) => (range, also.trim().parse().ok()),
            None => (valid, None),
        };
        let (low, high) = bounds(range);
        Kind::Integer {
            min: low.unwrap_or(min),
            max: high.unwrap_or(max),
            also,
        }
    }

    /// librdkafka's range, as its documentation writes it.
    pub(crate) fn of_librdkafka(canonical: &str, range: &'p str) -> Self {
        match (canonical, range) {
            ("request.required.acks", _) => Kind::Acks,
            // A comma-separated list of contexts; its words are not worth repeating.
            ("debug", _) | (_, "") => Kind::Text { may_be_empty: true },
            ("queue.buffering.max.ms", range) => decimal(range),
            (_, "true|false") => Kind::Boolean { short: true },
            (_, range) if range.contains('|') => Kind::Choice {
                words: range.split('|').collect(),
                any_case: true,
                prefix: None,
            },
            (_, range) => {
                let (low, high) = bounds(range);
                Kind::Integer {
                    min: low.unwrap_or(i64::MIN),
                    max: high.unwrap_or(i64::MAX),
                    also: None,
                }
            }
        }
    }

    /// The value in its one spelling.
    pub(crate) fn check(&self, text: &str) -> Result<String, Mismatch> {
        let text = text.trim();
        match self {
            Kind::Boolean { short } => boolean(text, *short)
                .map(|value| value.to_string())
                .ok_or_else(|| self.mismatch(false)),
            Kind::Integer { min, max, also } => {
                let number = text.parse::<i128>().map_err(|_| self.mismatch(false))?;
                let fits = (i128::from(*min)..=i128::from(*max)).contains(&number);
                if fits || also.is_some_and(|also| i128::from(also) == number) {
                    Ok(number.to_string())
                } else if number > i128::from(i64::MAX) {
                    // That it is at least something would not say what is wrong.
                    Err(Mismatch {
                        range: true,
                        expected: format!("a whole number from {min} to {max}"),
                    })
                } else {
                    Err(self.mismatch(true))
                }
            }
            Kind::Decimal { min, max } => {
                let number = text.parse::<f64>().map_err(|_| self.mismatch(false))?;
                if (*min..=*max).contains(&number) {
                    Ok(number.to_string())
                } else {
                    Err(self.mismatch(true))
                }
            }
            Kind::Choice {
                words,
                any_case,
                prefix,
            } => {
                let same =
                    |word: &&&str| **word == text || *any_case && word.eq_ignore_ascii_case(text);
                match words.iter().find(same) {
                    Some(word) => Ok((*word).to_owned()),
                    None if prefix.is_some_and(|prefix| text.starts_with(prefix)) => {
                        Ok(text.to_owned())
                    }
                    None => Err(self.mismatch(true)),
                }
            }
            Kind::Acks => match text {
                "all" => Ok(String::from("-1")),
                _ => match text.parse::<i64>() {
                    Ok(number @ -1..=1000) => Ok(number.to_string()),
                    Ok(_) => Err(self.mismatch(true)),
                    Err(_) => Err(self.mismatch(false)),
                },
            },
            Kind::List { may_be_empty } | Kind::Text { may_be_empty } => {
                if text.is_empty() && !may_be_empty {
                    Err(self.mismatch(true))
                } else {
                    Ok(text.to_owned())
                }
            }
        }
    }

    fn mismatch(&self, range: bool) -> Mismatch {
        Mismatch {
            range,
            expected: self.expected(),
        }
    }

    /// What may be written, in words.
    pub(crate) fn expected(&self) -> String {
        match self {
            Kind::Boolean { .. } => String::from("true or false"),
            Kind::Integer { min, max, also } => {
                let range = match (*min, *max) {
                    (i64::MIN, i64::MAX) => String::from("a whole number"),
                    (min, i64::MAX) => format!("a whole number of at least {min}"),
                    (min, max) => format!("a whole number from {min} to {max}"),
                };
                match also {
                    Some(also) => format!("{range}, or {also}"),
                    None => range,
                }
            }
            Kind::Decimal { min, max } if *max == f64::MAX => {
                if *min == f64::MIN {
                    String::from("a number")
                } else {
                    format!("a number of at least {min}")
                }
            }
            Kind::Decimal { min, max } => format!("a number from {min} to {max}"),
            Kind::Choice { words, prefix, .. } => {
                let words = words.iter().copied().chain(*prefix);
                super::report::alternatives(words)
            }
            Kind::Acks => String::from("all or a whole number from -1 to 1000"),
            Kind::List { may_be_empty: true } => {
                String::from("a list of words, separated by commas")
            }
            Kind::List {
                may_be_empty: false,
            } => String::from("a list of at least one word, separated by commas"),
            Kind::Text { may_be_empty: true } => String::from("a string"),
            Kind::Text {
                may_be_empty: false,
            } => String::from("a string that is not empty"),
        }
    }
}

fn boolean(text: &str, short: bool) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") || short && (is("t") || is("1")) {
        Some(true)
    } else if is("false") || short && (is("f") || is("0")) {
        Some(false)
    } else {
        None
    }
}

/// `1..9` and `>=1`.
fn bounds(range: &str) -> (Option<i64>, Option<i64>) {
    if let Some(min) = range.strip_prefix(">=") {
        return (min.trim().parse().ok(), None);
    }
    match range.split_once("..") {
        Some((min, max)) => (min.trim().parse().ok(), max.trim().parse().ok()),
        None => (None, None),
    }
}

fn decimal<'p>(range: &str) -> Kind<'p> {
    let (min, max) = range.split_once("..").unwrap_or((range, ""));
    Kind::Decimal {
        min: min.trim().parse().unwrap_or(f64::MIN),
        max: max.trim().parse().unwrap_or(f64::MAX),
    }
}

/// `partitions` and `replication.factor`: at least 1, or -1 for the broker's default.
fn creation_argument<'p>(valid: &str) -> Kind<'p> {
    let max = if valid.contains("brokers") {
        i64::from(i16::MAX)
    } else {
        i64::from(i32::MAX)
    };
    Kind::Integer {
        min: 1,
        max,
        also: Some(-1),
    }
}

fn choice(valid: &str) -> Kind<'_> {
    let (words, any_case) = match valid.strip_suffix(" (any case)") {
        Some(words) => (words, true),
        None => (valid, false),
    };
    let (prefixes, words): (Vec<&str>, Vec<&str>) =
        words.split('|').partition(|word| word.contains(":<"));
    Kind::Choice {
        words,
        any_case,
        prefix: prefixes
            .first()
            .and_then(|prefix| prefix.split_once('<'))
            .map(|(prefix, _)| prefix),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_takes_true_in_any_case_and_no_short_form() {
        let kind = Kind::of_java("boolean", "");
        assert_eq!(kind.check(" TRUE ").as_deref(), Ok("true"));
        assert!(kind.check("1").is_err());
        let kind = Kind::of_librdkafka("enable.idempotence", "true|false");
        assert_eq!(kind.check("1").as_deref(), Ok("true"));
    }

    #[test]
    fn a_number_outside_the_range_is_told_from_no_number() {
        let kind = Kind::of_java("int", ">=1");
        assert_eq!(kind.check("2147483647").as_deref(), Ok("2147483647"));
        assert!(kind.check("2147483648").unwrap_err().range);
        assert!(kind.check("0").unwrap_err().range);
        assert!(!kind.check("five").unwrap_err().range);
        assert!(kind.check("99999999999999999999999").unwrap_err().range);
    }

    #[test]
    fn one_value_outside_a_range_is_taken() {
        let kind = Kind::of_java("int", "1..9 or -1");
        assert_eq!(kind.check("-1").as_deref(), Ok("-1"));
        assert!(kind.check("0").is_err());
    }

    #[test]
    fn a_choice_keeps_its_case_unless_kafka_does_not_care() {
        let kind = Kind::of_java("string", "classic|consumer (any case)");
        assert_eq!(kind.check("CONSUMER").as_deref(), Ok("consumer"));
        let kind = Kind::of_java("string", "latest|earliest|none|by_duration:<ISO8601>");
        assert!(kind.check("Latest").is_err());
        assert_eq!(
            kind.check("by_duration:P1D").as_deref(),
            Ok("by_duration:P1D")
        );
    }

    #[test]
    fn acks_of_librdkafka_is_a_number_or_all() {
        let kind = Kind::of_librdkafka("request.required.acks", "-1..1000");
        assert_eq!(kind.check("all").as_deref(), Ok("-1"));
        assert_eq!(kind.check("2").as_deref(), Ok("2"));
        assert!(kind.check("1001").unwrap_err().range);
    }
}
