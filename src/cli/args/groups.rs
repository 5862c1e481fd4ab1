//! Arguments that several commands have.

use super::values::{self, Suggested, Words};
use super::{Client, preset_names};
use crate::cli::shard::Shard;
use crate::design::import::Import;
use clap::{Args, ValueHint};
use semel_models::guarantee::Guarantee;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// Which designs a command is about.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct SourceArguments {
    /// Design files
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// A design that comes with semel ('semel list presets'); may be repeated
    #[arg(long, value_name = "NAME", value_parser = Suggested(preset_names), hide_possible_values = true)]
    pub preset: Vec<String>,
    /// Only part N of the designs, of M parts that together are all of them: for runs side by side.
    /// 'semel merge' makes one result of what they print with --format json
    #[arg(long, value_name = "N/M", value_parser = values::shard)]
    pub shard: Option<Shard>,
}

/// Where help shows the options that are about these files.
pub(in crate::cli) const FILES: &str = "From the files that you have";

/// The files that a service has in place of a design, and what they leave open.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ImportArguments {
    /// The producer's properties, as Kafka reads them
    #[arg(long, help_heading = FILES, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub producer: Option<PathBuf>,
    /// The consumer's properties
    #[arg(long, help_heading = FILES, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub consumer: Option<PathBuf>,
    /// The topic's settings
    #[arg(long, help_heading = FILES, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub topic: Option<PathBuf>,
    /// Spring Boot's configuration, application.yml or application.properties; repeated, what a
    /// later file says goes before what an earlier one does
    #[arg(
        long,
        help_heading = FILES,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        conflicts_with_all = ["producer", "consumer", "topic"]
    )]
    pub spring: Vec<PathBuf>,
    /// An active profile of Spring Boot's; may be repeated. Without it, those that the files name
    #[arg(long, help_heading = FILES, value_name = "NAME")]
    pub profile: Vec<String>,
    /// What the code does with a record; without it "process -> commit", and with --spring "process"
    #[arg(long, help_heading = FILES, value_name = "ORDER")]
    pub order: Option<String>,
    /// What handling a record does: add (to a balance; the default), upsert, external or topic
    #[arg(long, help_heading = FILES, value_name = "EFFECT")]
    pub effect: Option<String>,
    /// A guarantee that must hold; may be repeated
    #[arg(long, help_heading = FILES, value_name = "NAME", value_parser = Words::<Guarantee>::all())]
    pub require: Vec<Guarantee>,
}

impl ImportArguments {
    /// What a design is written from, with the defaults and rules of `client`.
    pub(in crate::cli) fn import(&self, client: Option<Client>) -> Import {
        Import {
            producer: self.producer.clone(),
            consumer: self.consumer.clone(),
            topic: self.topic.clone(),
            spring: self.spring.clone(),
            profiles: self.profile.clone(),
            order: self.order.clone(),
            effect: self.effect.clone(),
            client: client.map(|client| match client {
                Client::Java => String::from("java"),
                Client::Librdkafka => String::from("librdkafka"),
            }),
            require: self.require.clone(),
        }
    }
}

/// How far an exploration may go.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct LimitArguments {
    /// Threads to explore with; without it, one per core. At most 64 are used: what is found does
    /// not depend on their number
    #[arg(short, long, value_name = "N", value_parser = values::threads)]
    pub jobs: Option<NonZeroUsize>,
    /// Stop, undecided, after this many states
    #[arg(long, value_name = "N", value_parser = values::states)]
    pub max_states: Option<u64>,
    /// Stop, undecided, before the exploration holds more than this, such as 500MB or 2GiB;
    /// without it, and without one in the design, 4GiB. At least 1MB
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub max_memory: Option<u64>,
    /// Stop, undecided, when the command has taken this time, such as 30s, 5m or 500ms;
    /// a number alone counts seconds
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub timeout: Option<Duration>,
}

impl LimitArguments {
    /// What decides how far it goes: not how fast.
    pub(in crate::cli) fn within(&self) -> impl std::fmt::Debug {
        (self.max_states, self.max_memory, self.timeout)
    }
}

/// Which processes explore together.
#[derive(Debug, Args)]
pub(in crate::cli) struct HostArguments {
    /// Explore together with other processes, each started with the same designs and limits: the
    /// file has one HOST:PORT a line, where each process listens. Process 0 prints the verdicts
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "process")]
    pub hosts: Option<PathBuf>,
    /// Which line of the hosts file this process is, from 0 on
    #[arg(long, value_name = "N", requires = "hosts")]
    pub process: Option<usize>,
}

/// Which one design a command is about.
#[derive(Debug, Args)]
pub(in crate::cli) struct OneDesign {
    /// The design file; without it, and without --preset: semel.toml in this folder
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "preset")]
    pub file: Option<PathBuf>,
    /// A design that comes with semel ('semel list presets')
    #[arg(long, value_name = "NAME", value_parser = Suggested(preset_names), hide_possible_values = true)]
    pub preset: Option<String>,
}

impl OneDesign {
    /// The sources that it is; `None`: none is named, and there is no file to take.
    pub(in crate::cli) fn sources(&self) -> Option<SourceArguments> {
        let named = SourceArguments {
            files: self.file.iter().cloned().collect(),
            preset: self.preset.iter().cloned().collect(),
            shard: None,
        };
        named.or_file(crate::cli::DEFAULT_FILE)
    }
}
