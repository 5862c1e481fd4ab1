//! `semel merge`: the results of all shards as one.

use super::args::MergeArguments;
use super::complain;
use super::exit::Exit;
use crate::matrix::Environment;
use crate::report::json;
use serde_json::Value;
use std::io::{self, Write};
use std::path::Path;

/// Why documents cannot be merged.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("{file}: {cause}")]
    Unreadable { file: String, cause: io::Error },
    #[error(
        "{file}: {problem}. It takes what 'check' or 'matrix' prints with --shard and --format json"
    )]
    NoPart { file: String, problem: String },
    #[error("{file} is part {number} of {of}, and {other}. All parts are of one command")]
    Differs {
        file: String,
        number: usize,
        of: usize,
        other: String,
    },
    #[error("part {number} of {of} is missing")]
    Missing { number: usize, of: usize },
}

/// A document, and which part it is.
struct Document {
    file: String,
    part: json::Part,
    value: Value,
}

pub(super) fn run(arguments: &MergeArguments) -> io::Result<Exit> {
    let merged = arguments
        .parts
        .iter()
        .map(|file| read(file))
        .collect::<Result<Vec<_>, _>>()
        .and_then(merge);
    let (value, exit) = match merged {
        Ok(merged) => merged,
        Err(refused) => {
            complain(&refused.to_string());
            return Ok(match refused {
                Refused::Unreadable { .. } => Exit::Io,
                Refused::NoPart { .. } | Refused::Differs { .. } | Refused::Missing { .. } => {
                    Exit::Usage
                }
            });
        }
    };
    let mut out = io::stdout();
    json::write(&mut out, &value)?;
    out.flush()?;
    Ok(exit)
}

fn read(path: &Path) -> Result<Document, Refused> {
    let file = path.display().to_string();
    let text = std::fs::read(path).map_err(|cause| Refused::Unreadable {
        file: file.clone(),
        cause,
    })?;
    let no_part = |problem: String| Refused::NoPart {
        file: file.clone(),
        problem,
    };
    let mut value: Value = serde_json::from_slice(&text)
        .map_err(|error| no_part(format!("it is no JSON: {error}")))?;
    let told = value
        .as_object_mut()
        .and_then(|own| own.shift_remove("shard"));
    let told = told.ok_or_else(|| no_part("it does not say which shard it is".into()))?;
    let part = serde_json::from_value(told).map_err(|error| no_part(error.to_string()))?;
    Ok(Document { file, part, value })
}

fn merge(mut documents: Vec<Document>) -> Result<(Value, Exit), Refused> {
    documents.sort_by_key(|document| document.part.number);
    let mut exit = Exit::Fine;
    let mut merged: Option<(Value, json::Part)> = None;
    let mut expected = 1;
    for document in documents {
        let json::Part { number, of, .. } = document.part;
        let differs = |other: &str| Refused::Differs {
            file: document.file.clone(),
            number,
            of,
            other: other.into(),
        };
        if let Some((first, part)) = &merged {
            let in_common = |part: &json::Part| (part.of, part.designs, part.command);
            if in_common(part) != in_common(&document.part) {
                return Err(differs(
                    "the first one is of other designs or limits, or of another number of parts",
                ));
            }
            if first.get("format") != document.value.get("format") {
                return Err(differs("the first one is of another kind"));
            }
        }
        if number < expected {
            return Err(differs("it is there twice"));
        }
        if number > expected {
            return Err(Refused::Missing {
                number: expected,
                of,
            });
        }
        expected += 1;
        exit = exit.max(Exit::of_code(document.part.exit_code).unwrap_or(Exit::Usage));
        match &mut merged {
            None => merged = Some((document.value, document.part)),
            Some((first, _)) => add(first, document.value),
        }
    }
    match merged {
        Some((_, part)) if expected <= part.of => Err(Refused::Missing {
            number: expected,
            of: part.of,
        }),
        Some((value, _)) => Ok((value, exit)),
        None => Ok((Value::Null, Exit::NothingChecked)),
    }
}

/// Adds what the next part found to what the parts before it did.
fn add(merged: &mut Value, next: Value) {
    let Value::Object(next) = next else { return };
    for (key, value) in next {
        let Value::Array(items) = value else { continue };
        let Some(Value::Array(own)) = merged.get_mut(&key) else {
            continue;
        };
        for item in items {
            // One table for each class of faults, and each warning once.
            let faults = item
                .get("faults")
                .and_then(Value::as_str)
                .map(str::to_owned);
            let same = |own: &&mut Value| match &faults {
                Some(faults) => own.get("faults").and_then(Value::as_str) == Some(faults),
                None => item.is_string() && **own == item,
            };
            match own.iter_mut().find(same) {
                Some(known) if faults.is_some() => add(known, item),
                Some(_) => {}
                None => own.push(item),
            }
        }
        own.sort_by_key(class);
    }
}

/// The place of a table among those of all classes of faults; everything else keeps its own.
fn class(item: &Value) -> Option<usize> {
    let faults = item.get("faults").and_then(Value::as_str)?;
    Environment::ALL.iter().position(|own| own.name() == faults)
}
