//! Traces read back: a bare one, or the runs within what a command prints as JSON.

mod error;

pub use error::ReadError;

use super::{FORMAT, Trace, VERSION};
use error::Why;
use semel_models::guarantee::Guarantee;
use serde_json::Value;

/// The largest file that is read, in bytes.
pub(crate) const MAX_BYTES: u64 = 64 << 20;

/// The other documents with runs in them, and the newest version of each that is read.
const DOCUMENTS: [(&str, u64); 3] = [
    ("semel-verdicts", 1),
    ("semel-matrix", 1),
    ("semel-catalogue", 1),
];

/// The runs of one document.
///
/// ```
/// use semel::trace::{Choice, Runs};
///
/// # let design = semel::Design::parse(
/// #     "counter.toml",
/// #     br#"
/// #         [consumer]
/// #         enable.auto.commit = false
/// #         auto.offset.reset = "earliest"
/// #         [application]
/// #         order = "commit -> process"
/// #         [faults]
/// #         consumer-crash = 1
/// #         [bounds]
/// #         records = 1
/// #     "#,
/// # )?;
/// # let verdicts = semel::check(&design, &semel::CheckOptions::default())?;
/// # let loss = verdicts.of(semel::Guarantee::NoLoss).trace().expect("commit first loses");
/// let json = serde_json::to_vec(loss)?;
/// let again = Runs::parse("loss.json", &json)?.choose(&Choice::default())?;
/// assert_eq!(&again, loss);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Runs {
    file: String,
    found: Vec<Found>,
}

/// Which of several runs is wanted; what is left open is any.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Choice {
    /// The guarantee that the run violates.
    pub guarantee: Option<Guarantee>,
    /// The name of its design, or of the design's file.
    pub design: Option<String>,
}

/// A run in a document.
#[derive(Clone, Debug)]
struct Found {
    name: Named,
    value: Value,
}

/// A run by what it can be chosen by, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    path: String,
    design: String,
    file: String,
    guarantee: String,
}

impl Runs {
    /// Finds the runs in `bytes`; `file` is what errors call them.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Runs, ReadError> {
        let found = runs(bytes).map_err(|why| ReadError::new(file, why))?;
        Ok(Runs {
            file: file.into(),
            found,
        })
    }

    /// Reads the one run that fits `choice`.
    pub fn choose(&self, choice: &Choice) -> Result<Trace, ReadError> {
        let fits = |found: &&Found| found.name.fits(choice);
        let fitting: Vec<&Found> = self.found.iter().filter(fits).collect();
        let names = |found: &[&Found]| found.iter().map(|found| found.name.clone()).collect();
        let read = match fitting.as_slice() {
            [one] => one.read(),
            [] => Err(Why::NoneFits {
                runs: names(&self.found.iter().collect::<Vec<_>>()),
            }),
            several => Err(Why::SeveralFit {
                runs: names(several),
            }),
        };
        read.map_err(|why| ReadError::new(&self.file, why))
    }
}

fn runs(bytes: &[u8]) -> Result<Vec<Found>, Why> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Why::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Why::NotUtf8)?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(Why::Empty);
    }
    let document: Value = serde_json::from_str(text).map_err(Why::not_json)?;
    let mut found = Vec::new();
    find(&document, String::new(), &mut found);
    match found.is_empty() {
        true => Err(without_runs(&document)),
        false => Ok(found),
    }
}

/// Finds every trace in `value`, which stands at `path`.
fn find(value: &Value, path: String, found: &mut Vec<Found>) {
    match value {
        Value::Object(fields) if fields.get("format").is_some_and(|format| format == FORMAT) => {
            found.push(Found {
                name: Named::of(value, path),
                value: value.clone(),
            });
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                find(value, join(&path, key), found);
            }
        }
        Value::Array(values) => {
            for (place, value) in values.iter().enumerate() {
                find(value, format!("{path}[{place}]"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Why there is no trace in `document`.
fn without_runs(document: &Value) -> Why {
    let format = document["format"].as_str().map(String::from);
    let known = DOCUMENTS
        .iter()
        .find(|(own, _)| format.as_deref() == Some(own));
    match (known, document["version"].as_u64()) {
        (None, _) => Why::OtherFormat { format },
        (Some((format, newest)), Some(version)) if version > *newest => Why::Newer {
            path: String::new(),
            format: (*format).into(),
            version,
            newest: *newest,
        },
        (Some(("semel-matrix", _)), _) => Why::NoRun {
            reason: "'semel matrix' tells runs only with --trace, and nothing else is to be replayed",
        },
        (Some(_), _) => Why::NoRun {
            reason: "nothing is violated in it",
        },
    }
}

impl Named {
    fn of(trace: &Value, path: String) -> Named {
        let text = |value: &Value| value.as_str().unwrap_or("?").to_string();
        Named {
            path,
            design: text(&trace["design"]["name"]),
            file: text(&trace["design"]["file"]),
            guarantee: text(&trace["guarantee"]),
        }
    }

    fn fits(&self, choice: &Choice) -> bool {
        let violates = |guarantee: Guarantee| guarantee.name() == self.guarantee;
        let is_of = |design: &String| [&self.design, &self.file].contains(&design);
        choice.guarantee.is_none_or(violates) && choice.design.as_ref().is_none_or(is_of)
    }
}

impl Found {
    fn read(&self) -> Result<Trace, Why> {
        let field = |inner: &str, what: String| Why::Field {
            path: join(&self.name.path, inner),
            what,
        };
        let version = self.value["version"]
            .as_u64()
            .filter(|version| *version > 0)
            .ok_or_else(|| field("version", "it should be a number, 1 or more".into()))?;
        if version > u64::from(VERSION) {
            return Err(Why::Newer {
                path: self.name.path.clone(),
                format: FORMAT.into(),
                version,
                newest: VERSION.into(),
            });
        }
        let trace: Trace = serde_path_to_error::deserialize(&self.value).map_err(|error| {
            let inner = match error.path().to_string() {
                root if root == "." => String::new(),
                inner => inner,
            };
            field(&inner, error.inner().to_string())
        })?;
        if trace.violates().is_none() {
            let known = Guarantee::ALL.map(Guarantee::name).join(", ");
            let what = format!(
                "there is no guarantee \"{}\" in this version; there are: {known}",
                trace.guarantee
            );
            return Err(field("guarantee", what));
        }
        if trace
            .loops_from
            .is_some_and(|from| from >= trace.steps.len())
        {
            let what = "the loop begins behind the last step";
            return Err(field("loops_from", what.into()));
        }
        Ok(trace)
    }
}

impl Trace {
    /// The guarantee that the run violates, unless this version knows none of that name.
    pub(crate) fn violates(&self) -> Option<Guarantee> {
        let mut all = Guarantee::ALL.into_iter();
        all.find(|guarantee| guarantee.name() == self.guarantee)
    }
}

fn join(path: &str, inner: &str) -> String {
    match (path, inner) {
        ("", "") => "the trace".into(),
        (path, "") => path.into(),
        ("", inner) => inner.into(),
        (path, inner) => format!("{path}.{inner}"),
    }
}
