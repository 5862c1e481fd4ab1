//! A design written from the files that a service has: Kafka's properties files, or Spring Boot's
//! configuration.
//!
//! The files are read into statements of a design, each with the place that it comes from, and these
//! are written as the text of a design. That text is then read like any other: nothing that is in a
//! file goes past the rules that a design file meets, and what is wrong is shown where it stands in
//! the file that it came from.

mod draft;
mod placeholders;
mod properties;
mod spring;
mod units;
mod yaml;

use std::path::{Path, PathBuf};

use semel_models::guarantee::Guarantee;

use super::diagnostic::{Code, DesignError, Problem};
use super::framework::Derived;
use super::source::{Source, Span};
use super::table::Table;
use super::warning::WarningKind;
use super::{Design, secrets, toml};
use draft::Draft;

/// What a design is written from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Import {
    /// The producer's properties.
    pub producer: Option<PathBuf>,
    /// The consumer's properties.
    pub consumer: Option<PathBuf>,
    /// The topic's settings.
    pub topic: Option<PathBuf>,
    /// Spring Boot's configuration; what a later file says goes before what an earlier one does.
    pub spring: Vec<PathBuf>,
    /// Active profiles; none: those that the files name.
    pub profiles: Vec<String>,
    /// `order`
    pub order: Option<String>,
    /// `effect`
    pub effect: Option<String>,
    /// `client`
    pub client: Option<String>,
    /// `require`
    pub require: Vec<Guarantee>,
}

/// One entry of a file: a key and its value, as they are meant, and where they stand.
#[derive(Clone, Debug)]
struct Entry {
    key: String,
    value: String,
    source: Source,
    span: Span,
}

impl Entry {
    fn problem(&self, code: Code, message: String) -> Problem {
        Problem::new(&self.source, code, Some(self.span), message)
    }

    /// The file and the line.
    fn place(&self) -> String {
        let line = self.source.position(self.span.start).line;
        format!("{}:{line}", self.source.file())
    }
}

/// One statement of the design that is written.
#[derive(Clone, Debug)]
struct Statement {
    table: Table,
    key: String,
    value: String,
    /// Whether the value is a word or text whatever it looks like.
    is_text: bool,
    from: Entry,
}

/// What was taken for granted, and where the files leave it open; nowhere: they do not speak of it.
#[derive(Clone, Debug)]
struct Assumption {
    at: Option<Entry>,
    text: String,
}

/// What the files say.
#[derive(Debug, Default)]
struct Found {
    statements: Vec<Statement>,
    /// What was left out, as it has no bearing on delivery.
    left_out: Vec<String>,
    /// What was taken for granted.
    assumed: Vec<Assumption>,
    problems: Vec<Problem>,
    name: Option<String>,
    /// Whether the records are consumed by a listener of Spring's.
    listens: bool,
    /// Whether they go through a topology of Kafka Streams.
    has_topology: bool,
}

impl Found {
    /// States `key`; what a later file or line says goes before what an earlier one does.
    fn state(&mut self, statement: Statement) {
        let same = |own: &Statement| own.table == statement.table && own.key == statement.key;
        self.statements.retain(|own| !same(own));
        self.statements.push(statement);
    }

    fn assume(&mut self, at: Option<&Entry>, text: impl Into<String>) {
        self.assumed.push(Assumption {
            at: at.cloned(),
            text: text.into(),
        });
    }

    /// Whether a value that begins so is stated.
    fn says(&self, table: Table, key: &str, beginning: &str) -> bool {
        let same = |own: &Statement| {
            own.table == table && own.key == key && own.value.starts_with(beginning)
        };
        self.statements.iter().any(same)
    }

    fn states(&self, table: Table, key: &str) -> bool {
        let same = |own: &Statement| own.table == table && own.key == key;
        self.statements.iter().any(same)
    }
}

impl Import {
    /// Whether there is nothing to write a design from.
    pub fn is_empty(&self) -> bool {
        self.files().next().is_none()
    }

    /// An option about files of which none is named, and what it goes with.
    pub fn idle_option(&self) -> Option<(&'static str, &'static str)> {
        let none = self.is_empty();
        let files = "--producer, --consumer, --topic or --spring";
        let options = [
            (
                "--profile",
                "--spring",
                !self.profiles.is_empty() && self.spring.is_empty(),
            ),
            ("--order", files, none && self.order.is_some()),
            ("--effect", files, none && self.effect.is_some()),
            ("--require", files, none && !self.require.is_empty()),
            ("--client", files, none && self.client.is_some()),
        ];
        let idle = options.into_iter().find(|(_, _, idle)| *idle)?;
        Some((idle.0, idle.1))
    }

    /// Takes a file as what its name and its contents say that it is; why not, where they do not.
    pub fn take(&mut self, file: &Path) -> Result<(), String> {
        let name = file
            .file_name()
            .map(|name| name.to_string_lossy().to_ascii_lowercase());
        let name = name.unwrap_or_default();
        let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        if is_yaml || name.ends_with(".properties") && name.starts_with("application") {
            self.spring.push(file.to_owned());
            return Ok(());
        }
        let [producer, consumer, topic] =
            ["producer", "consumer", "topic"].map(|own| name.contains(own));
        let place = match (producer, consumer, topic) {
            (true, false, false) => &mut self.producer,
            (false, true, false) => &mut self.consumer,
            (false, false, true) => &mut self.topic,
            _ => {
                return Err(format!(
                    "the name of {} does not say whose settings they are: name it with --producer, --consumer, --topic or --spring in place of --from",
                    file.display()
                ));
            }
        };
        match place {
            Some(other) => Err(format!(
                "{} and {} are about the same client: name one of them",
                other.display(),
                file.display()
            )),
            None => {
                *place = Some(file.to_owned());
                Ok(())
            }
        }
    }

    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let own = [&self.producer, &self.consumer, &self.topic];
        own.into_iter().flatten().chain(&self.spring)
    }

    /// The design that the files and the options say.
    pub fn design(&self) -> Result<Design, DesignError> {
        let (draft, assumed) = self.draft()?;
        let source = draft.source();
        let mut design = draft.design()?;
        design.file = draft.file;
        let mut imported: Vec<Derived> = draft.imported;
        imported.retain(|row| bears(row, &design));
        design.imported = Some(imported);
        for Assumption { at, text } in assumed {
            let warning = match &at {
                Some(entry) => super::Warning::new(
                    &entry.source,
                    WarningKind::Assumed,
                    Some(entry.span),
                    format!("{}: {text}", entry.place()),
                ),
                None => super::Warning::new(&source, WarningKind::Assumed, None, text),
            };
            design.warnings.push(warning);
        }
        Ok(design)
    }

    /// The text of that design, with comments that say where each line comes from.
    pub fn text(&self) -> Result<String, DesignError> {
        let (draft, _) = self.draft()?;
        // What cannot be read again is no design to start from.
        draft.design()?;
        Ok(draft.text)
    }

    fn draft(&self) -> Result<(Draft, Vec<Assumption>), DesignError> {
        let mut found = Found::default();
        for (file, table) in [
            (&self.producer, Table::Producer),
            (&self.consumer, Table::Consumer),
            (&self.topic, Table::Topic),
        ] {
            if let Some(file) = file {
                let source = read(file)?;
                properties_of(&source, table, &mut found)?;
            }
        }
        if !self.spring.is_empty() {
            let sources: Result<Vec<Source>, DesignError> =
                self.spring.iter().map(|file| read(file)).collect();
            spring::read(&sources?, &self.profiles, self.order.as_deref(), &mut found)?;
        }
        let file = self
            .files()
            .next()
            .map_or(String::new(), |file| file.display().to_string());
        if !found.problems.is_empty() {
            return Err(DesignError::new(&Source::new(&file, ""), found.problems));
        }
        let draft = Draft::write(self, &file, &found);
        Ok((draft, found.assumed))
    }
}

/// Whether a setting bears on delivery, or is semel's own.
fn bears(row: &Derived, design: &Design) -> bool {
    let Some(scope) = row.table.scope() else {
        return true;
    };
    super::properties::find(design.versions().library, scope, &row.key)
        .is_some_and(|property| property.class != super::Class::NoBearing)
}

fn read(file: &Path) -> Result<Source, DesignError> {
    let name = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|error| {
        let missing = String::from("Check the path.");
        toml::unreadable_or(&name, &error, missing)
    })?;
    Ok(Source::new(&name, toml::text_of_any(&name, &bytes)?))
}

/// Kafka's own properties file.
fn properties_of(source: &Source, table: Table, found: &mut Found) -> Result<(), DesignError> {
    for entry in properties::read(source)? {
        if entry.value.contains("${") {
            let mut problem = entry.problem(
                Code::UnknownValue,
                format!("`{}` has a placeholder for a value", entry.key),
            );
            problem
                .because("Kafka does not fill it in: something does before the client reads the file, and a verdict needs the value that is used.")
                .write("Write the value in its place.");
            found.problems.push(problem);
            continue;
        }
        kafka(table, entry, found);
    }
    Ok(())
}

/// A property of Kafka's, or of something that is configured along with it.
fn kafka(table: Table, entry: Entry, found: &mut Found) {
    if secrets::is_secret_name(&entry.key) || is_foreign(&entry.key) {
        if !found.left_out.contains(&entry.key) {
            found.left_out.push(entry.key);
        }
        return;
    }
    found.state(Statement {
        table,
        key: entry.key.clone(),
        value: entry.value.clone(),
        is_text: false,
        from: entry,
    });
}

/// Beginnings of the names that serializers and what else is configured along with a client have of
/// their own: they change bytes, not delivery.
const FOREIGN: &[&str] = &[
    "spring.json.",
    "spring.deserializer.",
    "spring.message.",
    "schema.registry.",
    "specific.avro.reader",
    "auto.register.schemas",
    "use.latest.version",
    "basic.auth.",
    "bearer.auth.",
    "value.subject.name.strategy",
    "key.subject.name.strategy",
    "json.",
    "avro.",
    "apicurio.",
];

fn is_foreign(key: &str) -> bool {
    FOREIGN.iter().any(|own| key.starts_with(own))
}
