//! Designs: a TOML file in, resolved settings or diagnostics out.
//!
//! A design states Kafka's properties under Kafka's own names, and in `[application]`, `[sink]`,
//! `[faults]` and `[bounds]` what the code around the clients does. It is read in four steps:
//! text to TOML with places (`toml`, `document`), keys to typed values (`kafka`,
//! `application`, `sink`, `bounds`, `order`), the clients' own rules (`java`,
//! `librdkafka`, `cluster`), and what is modelled (`modelled`, `resolve`). Each step
//! reports everything that it can tell; nothing that bears on delivery is ever ignored.
//!
//! ```
//! use semel::design::Design;
//!
//! let design = Design::parse(
//!     "payments.toml",
//!     br#"
//!     require = ["no-loss"]
//!     [consumer]
//!     enable.auto.commit = false
//!     auto.offset.reset = "earliest"
//!     [application]
//!     order = "process -> commit"
//!     "#,
//! )?;
//! assert_eq!(design.name(), "payments");
//! assert_eq!(design.pipeline().consumer.order.to_string(), "process -> commit");
//!
//! let error = Design::parse("typo.toml", b"[application]\norder = \"proces -> commit\"").unwrap_err();
//! let problem = &error.problems()[0];
//! assert_eq!(problem.message(), "there is no step `proces`");
//! assert_eq!(problem.instead(), Some("Did you mean `process`?"));
//! assert_eq!(problem.position().map(|at| (at.line, at.column)), Some((2, 10)));
//! # Ok::<(), semel::design::DesignError>(())
//! ```

mod advice;
mod apart;
mod application;
mod bounds;
mod choices;
mod clients;
mod cluster;
mod diagnostic;
mod document;
mod excerpt;
mod faults;
mod framework;
mod group;
pub(crate) mod import;
mod in_force;
mod java;
mod kafka;
mod keys;
mod kinds;
mod librdkafka;
pub(crate) mod modelled;
mod needs;
mod order;
mod output;
mod partitions;
mod properties;
mod reading;
mod replication;
mod report;
mod resolve;
mod schema;
mod secrets;
mod settings;
mod sink;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod times;
mod toml;
mod transactions;
mod two_phase;
mod unmodelled;
mod value;
mod verdicts;
mod version;
mod warning;
mod write;

use std::path::Path;

use semel_models::guarantee::Guarantee;
use semel_models::order::Order;
use semel_models::pipeline::Pipeline;

pub use apart::Beside;
pub use bounds::{Limits, MAX_PARTITIONS, MAX_RECORDS, MAX_RETRIES, MIN_MEMORY, parse_memory};
pub use diagnostic::{Code, DesignError, Problem};
pub use faults::MAX_FAULTS;
pub use framework::Derived;
pub use modelled::{fault as models_fault, step as models_step};
pub use output::models_together;
pub use properties::{Class, Property, Scope, properties};
pub use schema::schema;
pub(crate) use schema::{OwnKey, own_design_keys};
pub use settings::{Origin, Setting};
pub use source::{MAX_FILE_BYTES, Position};
pub use table::{Table, own_keys};
pub use value::Kind;
pub use verdicts::Expected;
pub use version::{
    DesignRules, Introduction, KAFKA_VERSIONS, LIBRDKAFKA_VERSIONS, Party, RULES, Rule, Version,
    Versions,
};
pub use warning::{Warning, WarningKind};
pub use write::write;

use document::Document;
use report::Report;
use source::Source;

/// A design that can be judged.
#[derive(Clone, Debug)]
pub struct Design {
    name: String,
    file: String,
    text: String,
    versions: Versions,
    required: Vec<Guarantee>,
    expected: Vec<(Guarantee, Expected)>,
    pipeline: Pipeline,
    limits: Limits,
    warnings: Vec<Warning>,
    settings: Vec<Setting>,
    imported: Option<Vec<Derived>>,
    derived: Vec<Derived>,
    own_order: Option<Order>,
    dead_letters_by: &'static str,
}

impl Design {
    /// Reads the design in `path`.
    pub fn read(path: impl AsRef<Path>) -> Result<Design, DesignError> {
        use std::io::Read;

        let path = path.as_ref();
        let name = path.display().to_string();
        let mut bytes = Vec::new();
        // One byte more than allowed is enough to see that the file is too large.
        let limit = u64::try_from(MAX_FILE_BYTES)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        std::fs::File::open(path)
            .and_then(|file| file.take(limit).read_to_end(&mut bytes))
            .map_err(|error| toml::unreadable(&name, &error))?;
        Design::parse(&name, &bytes)
    }

    /// Reads a design from the bytes of a file; `file_name` is what diagnostics call it.
    pub fn parse(file_name: &str, bytes: &[u8]) -> Result<Design, DesignError> {
        Design::of(&Source::new(file_name, toml::text(file_name, bytes)?))
    }

    /// Reads the design that is this text.
    fn of(source: &Source) -> Result<Design, DesignError> {
        let toml = toml::parse(source)?;
        let mut report = Report::new(source);
        let mut document = Document::read(&toml, &mut report);
        let expansion = framework::expand(&mut document, &mut report);
        match reading::design(&document, expansion, source, &mut report) {
            Some(mut design) if report.problems.is_empty() => {
                design.warnings = report.warnings;
                Ok(design)
            }
            Some(_) | None => Err(DesignError::new(source, report.problems)),
        }
    }

    /// The design's name: as stated, or the file's name without its extension.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file's name, as it was given.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The versions of Kafka and of the clients.
    pub fn versions(&self) -> Versions {
        self.versions
    }

    /// The rules of protocol and clients that are in force in these versions.
    pub fn rules(&self) -> DesignRules {
        self.versions.rules()
    }

    /// The guarantees that must hold, in the order of the design; none: nothing is required.
    pub fn required(&self) -> &[Guarantee] {
        &self.required
    }

    /// The text that it was read from, without the values of properties that hold secrets.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A text that says the same in semel's own words: what is resolved is stated, comments and
    /// properties without bearing on delivery are gone. It resolves to the same pipeline.
    pub fn to_toml(&self) -> String {
        write::design(self)
    }

    /// The verdicts that are expected, in the order of the design.
    pub fn expected(&self) -> &[(Guarantee, Expected)] {
        &self.expected
    }

    /// What is explored.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// Limits on the search that the design states.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// What the author would want to hear about.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What the files say that it was written from, and the options beside them: what bears on
    /// delivery, each with its place. Nothing, where the design is a file of its own.
    pub fn imported(&self) -> &[Derived] {
        self.imported.as_deref().unwrap_or(&[])
    }

    /// Whether its text is in no file: it was written from others.
    pub(crate) fn is_imported(&self) -> bool {
        self.imported.is_some()
    }

    /// How the framework writes dead letters; nothing, where there is none that does.
    pub(crate) fn dead_letters_by(&self) -> &'static str {
        self.dead_letters_by
    }

    /// What its framework does, as the keys that would say the same, each with its reason.
    pub fn derived(&self) -> &[Derived] {
        &self.derived
    }

    /// The order as the design may state it: without what its framework adds.
    pub(crate) fn own_order(&self) -> &Order {
        self.own_order
            .as_ref()
            .unwrap_or(&self.pipeline.consumer.order)
    }

    /// The settings in force, table by table, and where each comes from.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }
}
