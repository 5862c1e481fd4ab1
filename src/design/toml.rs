//! From bytes to TOML: what cannot be read at all is told here.

pub(super) mod wide;

use std::io::ErrorKind;

use semel_models::fault::Fault;

use super::diagnostic::{Code, DesignError, Problem};
use super::properties::properties;
use super::source::{MAX_FILE_BYTES, Source, Span};

/// The text of a design file, if it is one that can be read.
pub(crate) fn text<'b>(file: &str, bytes: &'b [u8]) -> Result<&'b str, DesignError> {
    let text = text_of_any(file, bytes)?;
    let says_nothing = |line: &str| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#')
    };
    if text.lines().all(says_nothing) {
        let mut problem = without_text(file, Code::Empty, format!("{file} is empty"));
        problem
            .because("A design needs an order at least.")
            .write("Write [application] and below it order = \"process -> commit\". `semel list presets` names designs to start from.");
        return Err(alone(file, problem));
    }
    Ok(text)
}

/// The text of a file that may say nothing.
pub(crate) fn text_of_any<'b>(file: &str, bytes: &'b [u8]) -> Result<&'b str, DesignError> {
    if bytes.len() > MAX_FILE_BYTES {
        let mut problem = without_text(
            file,
            Code::TooLarge,
            format!("{file} has more than {MAX_FILE_BYTES} bytes (1 MiB)"),
        );
        problem.write("A design is a page of settings: is this the right file?");
        return Err(alone(file, problem));
    }
    // Editors of Windows write a mark before the text.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or(b"");
        let valid = String::from_utf8_lossy(valid);
        let line = valid.matches('\n').count() + 1;
        let column = valid.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        let byte = bytes.get(error.valid_up_to()).copied().unwrap_or(0);
        let mut problem = without_text(
            file,
            Code::NotUtf8,
            format!("{file} is not UTF-8 text: byte 0x{byte:02x} at line {line}, column {column}"),
        );
        problem.write("Save the file as UTF-8.");
        alone(file, problem)
    })?;
    Ok(text)
}

/// What is wrong with a file that could not be read from the disk.
pub(crate) fn unreadable(file: &str, error: &std::io::Error) -> DesignError {
    let missing = format!("Check the path, or write a design to start from: semel init {file}");
    unreadable_or(file, error, missing)
}

/// The same, with what to do about a file that is not there.
pub(crate) fn unreadable_or(file: &str, error: &std::io::Error, missing: String) -> DesignError {
    let mut problem = without_text(
        file,
        Code::Unreadable,
        format!("{file} cannot be read: {error}"),
    );
    problem.write(match error.kind() {
        ErrorKind::NotFound => missing,
        ErrorKind::IsADirectory => String::from("It is a folder: name a file in it."),
        ErrorKind::PermissionDenied => {
            String::from("You may not read it: change its permissions, or name another file.")
        }
        _ => String::from("Name a file that can be read."),
    });
    alone(file, problem)
}

fn without_text(file: &str, code: Code, message: String) -> Problem {
    Problem::new(&Source::new(file, ""), code, None, message)
}

fn alone(file: &str, problem: Problem) -> DesignError {
    DesignError::new(&Source::new(file, ""), vec![problem])
}

/// How many numbers that are too large for TOML are passed on; each takes a parse of its own.
const MAX_WIDE: usize = 50;

/// Parses the text as TOML.
pub(crate) fn parse(source: &Source) -> Result<toml_edit::Document<String>, DesignError> {
    let mut text = source.text().to_owned();
    for _ in 0..MAX_WIDE {
        let error = match toml_edit::Document::parse(text.clone()) {
            Ok(document) => return Ok(document),
            Err(error) => error,
        };
        let span = error.span().map_or(Span { start: 0, end: 0 }, Span::from);
        let wide = error.message().contains("overflow");
        match wide::replaced(&text, span).filter(|_| wide) {
            Some(replaced) => text = replaced,
            None => {
                let problem = syntax(source, span, error.message());
                return Err(DesignError::new(source, vec![problem]));
            }
        }
    }
    let mut problem = Problem::new(
        source,
        Code::TooLarge,
        None,
        format!(
            "{} has {MAX_WIDE} numbers that TOML cannot hold",
            source.file()
        ),
    );
    problem.write("Write numbers of at most 64 bits.");
    Err(DesignError::new(source, vec![problem]))
}

fn syntax(source: &Source, span: Span, message: &str) -> Problem {
    let message = message.lines().collect::<Vec<_>>().join("; ");
    if message.contains("recurs") {
        let mut problem = Problem::new(
            source,
            Code::TooDeep,
            Some(span),
            String::from("tables or arrays are nested too deeply"),
        );
        problem
            .because("No value of a design is nested as deeply as that.")
            .write("Write a value of a few levels; `semel init -` shows a whole design.");
        return problem;
    }
    let clashes = message.contains("duplicate key") || message.contains("cannot extend");
    if clashes && let Some(problem) = prefix_clash(source, span) {
        return problem;
    }
    let mut problem = Problem::new(
        source,
        Code::Syntax,
        Some(span),
        format!("this is not TOML: {message}"),
    );
    if message.contains("duplicate key") {
        problem.label("stated again");
    }
    problem.write(instead(&message));
    problem
}

/// What to write instead of what TOML cannot read.
fn instead(message: &str) -> String {
    let expected = || message.rsplit_once("expected ").map(|(_, what)| what);
    let unclosed = ["unclosed", "invalid basic string", "invalid literal string"];
    if message.contains("duplicate key") {
        String::from("Keep one of the two.")
    } else if unclosed.iter().any(|known| message.contains(known))
        && let Some(closing) = expected()
    {
        format!("Close it with {closing}.")
    } else if message.contains("must be quoted") {
        String::from("Write a value behind the `=`; a text stands in quotes: name = \"payments\".")
    } else {
        String::from(
            "Write one statement a line: key = value, [table] or # comment. A text stands in quotes.",
        )
    }
}

/// TOML cannot hold `group.protocol` and `group.protocol.type` side by side: the first would be a
/// value and a table at once.
fn prefix_clash(source: &Source, span: Span) -> Option<Problem> {
    let text = source.text();
    let start = source.clamp(span).start;
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[line_start..].lines().next()?;
    let key = line.split('=').next()?;
    let place = Span::from(line_start..line_start + key.trim_end().len());
    // `producer.group.protocol` is as good as `group.protocol`.
    let key: String = key.chars().filter(|c| !" \t\"'".contains(*c)).collect();
    let is = |name: &str| key == name || key.ends_with(&format!(".{name}"));
    let states = |name: &str| {
        text.lines().any(|line| {
            let stated = line.split('=').next().unwrap_or("");
            let stated: String = stated.chars().filter(|c| !" \t\"'".contains(*c)).collect();
            stated == name || stated.ends_with(&format!(".{name}"))
        })
    };
    let names: Vec<&str> = properties().iter().map(|row| row.name.as_str()).collect();
    let mut clashes = names.iter().flat_map(|short| {
        let begins = move |long: &&&str| {
            long.strip_prefix(*short)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        names.iter().filter(begins).map(move |long| (*short, *long))
    });
    let property =
        clashes.find(|(short, long)| is(short) && states(long) || is(long) && states(short));
    if let Some((short, long)) = property {
        let mut problem = Problem::new(
            source,
            Code::Syntax,
            Some(place),
            format!("TOML cannot hold `{short}` and `{long}` side by side"),
        );
        problem
            .label("clashes with the other name")
            .because(format!(
                "TOML reads the dots as tables: `{short}` would be a value and a table at once."
            ))
            .write(format!("Quote one of them: \"{long}\" = ..."));
        return Some(problem);
    }
    let fault = Fault::ALL.iter().find(|fault| {
        let name = fault.name();
        fault.strikes_calls() && (is(name) || key.split('.').any(|part| part == name))
    })?;
    let mut problem = Problem::new(
        source,
        Code::Contradiction,
        Some(place),
        format!("`{fault}` has a budget for any call and one for a single call"),
    );
    problem
        .because("It would not be said which of the two pays for the single call.")
        .write("Keep the one, or the budgets per call.");
    Some(problem)
}
