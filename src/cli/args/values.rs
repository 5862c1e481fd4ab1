//! How single values of the command line are read.

use crate::cli::args::Listing;
use crate::cli::shard::Shard;
use crate::matrix::Environment;
use crate::report::Format;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};
use semel_models::guarantee::Guarantee;
use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::time::Duration;

/// A value that has a name on the command line.
pub(in crate::cli) trait Named: Clone + Send + Sync + 'static {
    /// Every value, in the order in which help shows them.
    fn all() -> Vec<Self>;
    /// Its name.
    fn name(&self) -> &'static str;
}

/// One of a fixed set of words; tells what other commands take from what is unknown.
#[derive(Clone)]
pub(super) struct Words<T> {
    served: Vec<T>,
    command: &'static str,
}

impl<T: Named> Words<T> {
    /// Every word.
    pub(super) fn all() -> Self {
        Words {
            served: T::all(),
            command: "",
        }
    }

    /// The words that `command` serves.
    pub(super) fn some(command: &'static str, served: &[T]) -> Self {
        Words {
            served: served.to_vec(),
            command,
        }
    }

    fn read(&self, text: &str) -> Result<T, String> {
        let named = |values: &[T]| values.iter().find(|value| value.name() == text).cloned();
        if let Some(value) = named(&self.served) {
            return Ok(value);
        }
        let served: Vec<&str> = self.served.iter().map(Named::name).collect();
        let known = served.join(", ");
        if named(&T::all()).is_some() {
            return Err(format!(
                "'{}' does not print '{text}'; it has: {known}",
                self.command
            ));
        }
        let nearest = crate::nearest(text, served.into_iter());
        let hint = nearest.map_or(String::new(), |near| format!("did you mean '{near}'? "));
        Err(format!("{hint}expected one of: {known}"))
    }
}

impl<T: Named> TypedValueParser for Words<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<T, Error> {
        let words = self.clone();
        let read = move |text: &str| words.read(text);
        read.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let names = self.served.iter().map(Named::name);
        Some(Box::new(names.map(PossibleValue::new)))
    }
}

/// Any text, of which completion suggests some.
#[derive(Clone)]
pub(super) struct Suggested(pub(super) fn() -> Vec<&'static str>);

impl TypedValueParser for Suggested {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter().map(PossibleValue::new)))
    }
}

macro_rules! named {
    ($($type:ty),*) => {$(
        impl Named for $type {
            fn all() -> Vec<Self> {
                Self::ALL.to_vec()
            }

            fn name(&self) -> &'static str {
                Self::name(*self)
            }
        }
    )*};
}

named!(Format, Listing, Environment, Guarantee);

/// The most threads that are used: each takes memory of its own, and more than there are cores
/// find nothing sooner.
const MAX_THREADS: NonZeroUsize = NonZeroUsize::new(64).expect("more than none");

pub(super) fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let number: NonZeroUsize = text
        .parse()
        .map_err(|_| "expected a number of threads, 1 or more".to_string())?;
    Ok(number.min(MAX_THREADS))
}

pub(super) fn shard(text: &str) -> Result<Shard, String> {
    let parsed: Option<(usize, usize)> = text
        .split_once('/')
        .and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
    match parsed {
        None | Some((_, 0)) => Err("expected which part of how many, such as 2/5".to_string()),
        Some((number, of)) if (1..=of).contains(&number) => Ok(Shard { number, of }),
        Some((_, of)) => Err(format!("the parts of {of} are 1/{of} to {of}/{of}")),
    }
}

pub(super) fn number(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .map_err(|_| "expected a number, 1 or more".to_string())
}

pub(super) fn states(text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| "expected a number of states, 1 or more".to_string())
}

pub(super) fn size(text: &str) -> Result<u64, String> {
    let bytes = crate::design::parse_memory(text)
        .ok_or_else(|| "expected a size such as 500MB or 2GiB".to_string())?;
    if bytes < crate::design::MIN_MEMORY {
        return Err(
            "no exploration fits into less than 1MB; expected a size such as 500MB or 2GiB"
                .to_string(),
        );
    }
    Ok(bytes)
}

pub(super) fn time(text: &str) -> Result<Duration, String> {
    let hint =
        || "expected a time such as 30s, 5m or 500ms; a number alone counts seconds".to_string();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| hint())?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "" | "s" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(hint()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| hint())
}
