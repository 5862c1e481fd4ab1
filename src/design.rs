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
mod application;
mod bounds;
mod choices;
mod clients;
mod cluster;
mod diagnostic;
mod document;
mod faults;
mod group;
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
mod properties;
mod report;
mod resolve;
mod secrets;
mod settings;
mod sink;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod times;
mod toml;
mod unmodelled;
mod value;
mod verdicts;
mod version;
mod warning;
mod write;

use std::path::Path;

use semel_models::guarantee::Guarantee;
use semel_models::pipeline::{Client, Pipeline};

pub use bounds::{Limits, MAX_PARTITIONS, MAX_RECORDS, MAX_RETRIES, parse_memory};
pub use diagnostic::{Code, DesignError, Problem};
pub use faults::MAX_FAULTS;
pub use modelled::{fault as models_fault, step as models_step};
pub use properties::{Class, Property, Scope, properties};
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

use choices::ClientName;
use document::Document;
use kafka::Properties;
use keys::Keys;
use report::Report;
use source::Source;

/// The longest name of a design, in characters.
const MAX_NAME: usize = 100;

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
        let source = Source::new(file_name, toml::text(file_name, bytes)?);
        let toml = toml::parse(&source)?;
        let mut report = Report::new(&source);
        let document = Document::read(&toml, &mut report);
        match design(&document, &source, &mut report) {
            Some(mut design) if report.problems.is_empty() => {
                design.warnings = report.warnings;
                Ok(design)
            }
            Some(_) | None => Err(DesignError::new(&source, report.problems)),
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

    /// The settings in force, table by table, and where each comes from.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }
}

/// Kafka's tables, in the order in which they are read.
const KAFKA_TABLES: [Table; 7] = [
    Table::Producer,
    Table::Topic,
    Table::Consumer,
    Table::Broker,
    Table::OutputProducer,
    Table::OutputTopic,
    Table::OutputConsumer,
];

/// Of these, those that every design has.
const OUTSIDE_THE_OUTPUT: [Table; 4] = [
    Table::Producer,
    Table::Topic,
    Table::Consumer,
    Table::Broker,
];

/// Reads every part of the document; `None`, or a problem reported: it cannot be judged.
fn design(document: &Document, source: &Source, report: &mut Report) -> Option<Design> {
    let mut root = Keys::new(document, Table::Root, report);
    let name = name(&mut root, source, report);
    let library = match root.choice("client", ClientName::Java, report).value {
        ClientName::Java => Client::Java,
        ClientName::Librdkafka => Client::Librdkafka,
    };
    let versions = Versions::read(&mut root, library, report);
    let required = verdicts::required(&mut root, report);
    root.finish(report);
    let expected = verdicts::expected(document, report);
    verdicts::not_both(document, report);

    let read = |table: Table, report: &mut Report| {
        let scope = table.scope().unwrap_or(Scope::Broker);
        Properties::read(document, table, scope, library, &versions, report)
    };
    let tables = KAFKA_TABLES.map(|table| read(table, report));
    let [producer, topic, consumer, broker, output_producer, ..] = &tables;

    let mut rules = clients::rules(producer, consumer, broker, report);
    let topic_settings = cluster::topic(topic, broker, &mut rules.resolutions, report);
    let application = application::Application::read(document, report);
    let sink = sink::Sink::read(document, report);
    let bounds = bounds::StatedBounds::read(document, report);
    output::refuse_unmodelled(document, &application, report);
    let output_acks = output::acks(
        document,
        output_producer,
        &application,
        &mut rules.resolutions,
        report,
    );
    let store = rules.consumer.automatic_store;
    let order = resolve::checked_order(&application, &sink, library, store, report);
    let group = group::Group {
        consumer,
        broker,
        application: &application,
        sink: &sink,
        order: order.as_ref(),
        auto_commit: rules.consumer.auto_commit,
        versions: &versions,
    };
    let group = group.settings(report);
    let exposure = faults::Exposure {
        order: order
            .clone()
            .unwrap_or(semel_models::order::Order(Vec::new())),
        idempotence: rules.producer.idempotence,
        retention: topic_settings.retention,
        dual_write: application.source.value == choices::RecordSource::DualWrite,
        group: group.clone(),
    };
    let faults = faults::read(document, &exposure, report);
    let sooner = |which| times::sooner(which, &tables, &rules.resolutions);
    let root_at = |name: &str| {
        let fields = document.fields(Table::Root);
        let stated = fields.iter().find(|field| field.name == name)?;
        Some(stated.value_span)
    };
    let parts = resolve::Parts {
        versions,
        versions_at: (
            root_at("kafka"),
            root_at("client-version").or_else(|| root_at("kafka")),
        ),
        application: &application,
        sink: &sink,
        bounds: &bounds,
        rules: &rules,
        topic: topic_settings,
        producer,
        consumer,
        group,
        output_acks,
        id_expires_first: rules.producer.idempotence
            && sooner(times::Sooner::ProducerIdThanDelivery),
    };
    let pipeline = resolve::pipeline(&parts, order, faults, report)?;
    let judged = advice::Judged {
        pipeline: &pipeline,
        application: &application,
        sink: &sink,
        producer,
        consumer,
        broker,
        output: output_producer,
        offsets_expire_first: sooner(times::Sooner::OffsetsThanRecords),
        required: &required,
        expected: &expected,
    };
    advice::warn(&judged, report);
    let mut settings = all_settings(document, source, &tables, &rules.resolutions, &versions);
    in_force::defaults(&pipeline, &application, &sink, &mut settings);
    settings.sort_by_key(|setting| setting.table);
    Some(Design {
        name,
        file: source.file().to_owned(),
        text: secrets::redacted(document, source),
        versions,
        required,
        expected,
        pipeline,
        limits: bounds.limits,
        warnings: Vec::new(),
        settings,
    })
}

fn name(root: &mut Keys<'_>, source: &Source, report: &mut Report) -> String {
    let stem = || source.stem().to_owned();
    let Some(stated) = root.text("name", report) else {
        return stem();
    };
    let text = stated.value.trim();
    if text.is_empty() || text.chars().count() > MAX_NAME || text.contains(char::is_control) {
        report
            .problem(Code::OutOfRange, stated.at, "`name` is not a name")
            .write(format!("Write one line of 1 to {MAX_NAME} characters, or leave it out: then the file's name is taken."));
        return stem();
    }
    text.to_owned()
}

fn all_settings(
    document: &Document,
    source: &Source,
    tables: &[Properties],
    resolutions: &[clients::Resolution],
    versions: &Versions,
) -> Vec<Setting> {
    let mut settings = Vec::new();
    settings::stated(document, Table::Root, source, &mut settings);
    let client = match versions.library {
        Client::Java => choices::Choice::name(ClientName::Java),
        Client::Librdkafka => choices::Choice::name(ClientName::Librdkafka),
    };
    settings::default(Table::Root, "client", client, &mut settings);
    settings::default(
        Table::Root,
        "client-version",
        versions.client,
        &mut settings,
    );
    settings::default(Table::Root, "kafka", versions.kafka, &mut settings);
    let stated = |properties: &&Properties| {
        let output = properties.table == Table::OutputProducer;
        OUTSIDE_THE_OUTPUT.contains(&properties.table)
            || output && document.section(Table::OutputProducer).is_some()
    };
    for properties in tables.iter().filter(stated) {
        if let Some(scope) = properties.table.scope() {
            settings::of_kafka(properties, scope, resolutions, source, &mut settings);
        }
    }
    for table in [
        Table::Application,
        Table::Sink,
        Table::Faults,
        Table::Bounds,
    ] {
        settings::stated(document, table, source, &mut settings);
    }
    settings
}
