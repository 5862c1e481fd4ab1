//! Reads the parts of a document, one after the other, and puts the design together.

use semel_models::guarantee::Guarantee;
use semel_models::order::Order;
use semel_models::pipeline::{Client, GroupSettings, OutputSettings, Pipeline, TopicSettings};

use super::application::Application;
use super::bounds::StatedBounds;
use super::choices::{self, ClientName, RecordSource};
use super::clients::{self, ClientRules};
use super::diagnostic::Code;
use super::document::Document;
use super::framework::Expansion;
use super::group::Group;
use super::kafka::Properties;
use super::keys::Keys;
use super::properties::Scope;
use super::report::Report;
use super::settings::{self, Setting};
use super::sink::Sink;
use super::source::Source;
use super::table::Table;
use super::times::{self, Sooner};
use super::verdicts::{self, Expected};
use super::version::Versions;
use super::{Design, advice, cluster, faults, in_force, output, resolve, secrets, two_phase};

/// The longest name of a design, in characters.
const MAX_NAME: usize = 100;

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
pub(super) fn design(
    document: &Document,
    expansion: Expansion,
    source: &Source,
    report: &mut Report,
) -> Option<Design> {
    let head = Head::read(document, source, report);
    let stated = Stated::read(document, &head.versions, report);
    let pipeline = stated.pipeline(document, &head.versions, report)?;
    let [producer, _, consumer, broker, output, ..] = &stated.tables;
    let judged = advice::Judged {
        pipeline: &pipeline,
        application: &stated.application,
        sink: &stated.sink,
        producer,
        consumer,
        broker,
        output,
        offsets_expire_first: stated.sooner(Sooner::OffsetsThanRecords),
        required: &head.required,
        expected: &head.expected,
    };
    advice::warn(&judged, report);
    let mut settings = stated.settings(document, source, &head.versions, &pipeline);
    settings::of_framework(&expansion.derived, &mut settings);
    Some(Design {
        settings,
        imported: None,
        derived: expansion.derived,
        own_order: expansion.own_order,
        dead_letters_by: expansion.dead_letters_by,
        name: head.name,
        file: source.file().to_owned(),
        text: secrets::redacted(document, source),
        versions: head.versions,
        required: head.required,
        expected: head.expected,
        pipeline,
        limits: stated.bounds.limits,
        warnings: Vec::new(),
    })
}

/// What stands before the first table, and what verdicts are expected.
struct Head {
    name: String,
    versions: Versions,
    required: Vec<Guarantee>,
    expected: Vec<(Guarantee, Expected)>,
}

impl Head {
    fn read(document: &Document, source: &Source, report: &mut Report) -> Self {
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
        Head {
            name,
            versions,
            required,
            expected,
        }
    }
}

/// The tables, each read by itself, and what the clients and brokers make of them.
struct Stated {
    tables: [Properties; 7],
    rules: ClientRules,
    topic: TopicSettings,
    application: Application,
    sink: Sink,
    bounds: StatedBounds,
    output: Option<OutputSettings>,
    order: Option<Order>,
    group: Option<GroupSettings>,
}

impl Stated {
    fn read(document: &Document, versions: &Versions, report: &mut Report) -> Self {
        let library = versions.library;
        let tables = KAFKA_TABLES.map(|table| {
            let scope = table.scope().unwrap_or(Scope::Broker);
            Properties::read(document, table, scope, library, versions, report)
        });
        let [
            producer,
            topic,
            consumer,
            broker,
            output_producer,
            output_topic,
            output_consumer,
        ] = &tables;
        let mut rules = clients::rules(producer, consumer, broker, report);
        let topic = cluster::topic(topic, broker, versions, &mut rules.resolutions, report);
        let application = Application::read(document, report);
        let sink = Sink::read(document, report);
        let bounds = StatedBounds::read(document, report);
        let store = rules.consumer.automatic_store;
        let order = resolve::checked_order(&application, &sink, library, store, report);
        let output = output::Stated {
            document,
            producer: output_producer,
            topic: output_topic,
            consumer: output_consumer,
            broker,
            input: consumer,
            application: &application,
            order: order.as_ref(),
            retries: bounds.retries.value,
        };
        output::refuse_unmodelled(&output, report);
        let output = output.settings(&mut rules.resolutions, report);
        let group = Group {
            consumer,
            broker,
            application: &application,
            sink: &sink,
            order: order.as_ref(),
            auto_commit: rules.consumer.auto_commit,
            versions,
        };
        Stated {
            group: group.settings(report),
            tables,
            rules,
            topic,
            application,
            sink,
            bounds,
            output,
            order,
        }
    }

    fn pipeline(
        &self,
        document: &Document,
        versions: &Versions,
        report: &mut Report,
    ) -> Option<Pipeline> {
        let idempotence = self.rules.producer.idempotence;
        let [producer, _, consumer, broker, output_producer, ..] = &self.tables;
        let mut exposure = faults::Exposure {
            order: self.order.clone().unwrap_or(Order(Vec::new())),
            idempotence,
            retention: self.topic.retention,
            cleaned: self.topic.cleaned,
            drops_topics: versions.library == Client::Librdkafka,
            replicated: self.topic.replication.replicas > 1,
            two_partitions: self.bounds.partitions.value > 1,
            leaves_late_requests_out: false,
            dual_write: self.application.source.value == RecordSource::DualWrite,
            transactional: self.application.source.value == RecordSource::Transaction,
            time_out: [producer, output_producer].map(|own| !two_phase::is_endless(own, versions)),
            group: self.group.clone(),
        };
        let root_at = |name: &str| {
            let fields = document.fields(Table::Root);
            let stated = fields.iter().find(|field| field.name == name)?;
            Some(stated.value_span)
        };
        let kafka_at = root_at("kafka");
        let parts = resolve::Parts {
            versions: *versions,
            versions_at: (kafka_at, root_at("client-version").or(kafka_at)),
            application: &self.application,
            sink: &self.sink,
            bounds: &self.bounds,
            rules: &self.rules,
            topic: self.topic.clone(),
            producer,
            consumer,
            broker,
            output_producer,
            group: self.group.clone(),
            output: self.output.as_ref(),
            id_expires_first: idempotence && self.sooner(Sooner::ProducerIdThanDelivery),
        };
        if output::produces(self.order.as_ref()) {
            // What the results can meet follows from the whole pipeline.
            let mut unsaid = Report::new(&report.source);
            let faults = faults::read(document, &exposure, &mut unsaid);
            let pipeline = resolve::pipeline(&parts, self.order.clone(), faults, &mut unsaid);
            exposure.leaves_late_requests_out =
                pipeline.is_some_and(|own| output::leaves_late_requests_out(&own));
        }
        let faults = faults::read(document, &exposure, report);
        resolve::pipeline(&parts, self.order.clone(), faults, report)
    }

    fn sooner(&self, which: Sooner) -> bool {
        times::sooner(which, &self.tables, &self.rules.resolutions)
    }

    fn settings(
        &self,
        document: &Document,
        source: &Source,
        versions: &Versions,
        pipeline: &Pipeline,
    ) -> Vec<Setting> {
        let resolutions = &self.rules.resolutions;
        let mut settings = all_settings(document, source, &self.tables, resolutions, versions);
        in_force::defaults(pipeline, &self.application, &self.sink, &mut settings);
        settings.sort_by_key(|setting| setting.table);
        settings
    }
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
        OUTSIDE_THE_OUTPUT.contains(&properties.table)
            || document.section(properties.table).is_some()
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
