//! Spring Boot's configuration: `spring.kafka` of the documents that the active profiles select.
//!
//! Names are bound as Boot binds them: upper and lower case, dashes and underscores make no difference,
//! except in the keys of `properties`, which are Kafka's. What a later document or file says goes
//! before what an earlier one does.

mod binding;
mod bindings;
mod name;
mod profiles;

use super::super::diagnostic::{Code, DesignError, Problem};
use super::super::source::{Source, Span};
use super::{Entry, Found, placeholders, properties, yaml};
use binding::Binding;
use name::Name;
pub(super) use name::uniform;

/// Where Boot's keys of Kafka stand.
const PREFIX: &str = "spring.kafka.";

/// Reads what the files say of Kafka.
pub(super) fn read(
    sources: &[Source],
    profiles: &[String],
    order: Option<&str>,
    found: &mut Found,
) -> Result<(), DesignError> {
    let mut documents = Vec::new();
    for source in sources {
        documents.extend(documents_of(source)?);
    }
    let entries = profiles::active(documents, profiles, found);
    let name = entries
        .iter()
        .rfind(|entry| uniform(&entry.key) == "spring.application.name");
    found.name = name
        .and_then(|entry| placeholders::fill(&entry.value, &entries).ok())
        .map(|filled| filled.value);
    elsewhere(&entries, found);
    let own: Vec<&Entry> = entries
        .iter()
        .filter(|entry| uniform(&entry.key).starts_with(PREFIX))
        .collect();
    let Some(first) = own.first().map(|entry| (*entry).clone()) else {
        if found.problems.is_empty() {
            found.problems.extend(sources.first().map(nothing_of_kafka));
        }
        return Ok(());
    };
    let is_of =
        |entry: &&Entry, part: &str| uniform(&entry.key).starts_with(&format!("{PREFIX}{part}."));
    let streams = own.iter().any(|entry| is_of(entry, "streams"));
    let listens = own
        .iter()
        .any(|entry| is_of(entry, "listener") || is_of(entry, "consumer"));
    if streams && listens {
        let text = "Both a listener and Kafka Streams are configured: this is about the listener; streams.* is left out. Check the topology in a design with framework = \"kafka-streams\".";
        found.assume(Some(&first), text);
    }
    let mut binding = Binding {
        all: &entries,
        found,
        streams: streams && !listens,
    };
    for entry in in_force(own) {
        binding.bind(entry);
    }
    binding.framework(&first, order);
    Ok(())
}

/// Of each name the last entry: first what is common to all clients, then Boot's own names, and last
/// those below `properties`, which go before both.
fn in_force(own: Vec<&Entry>) -> Vec<&Entry> {
    let mut last: Vec<(Name, &Entry)> = Vec::new();
    for entry in own {
        let name = Name::of(&entry.key);
        last.retain(|(other, _)| *other != name);
        last.push((name, entry));
    }
    last.sort_by_key(|(name, _)| match name {
        Name::Map(owner, _) if owner.is_empty() => 0,
        Name::Path(_) => 1,
        Name::Map(..) => 2,
    });
    last.into_iter().map(|(_, entry)| entry).collect()
}

fn documents_of(source: &Source) -> Result<Vec<Vec<Entry>>, DesignError> {
    if !source.file().to_ascii_lowercase().ends_with(".properties") {
        return yaml::read(source);
    }
    let mut ends: Vec<usize> = Vec::new();
    let mut at = 0;
    for line in source.text().split_inclusive('\n') {
        at += line.len();
        if ["#---", "!---"].contains(&line.trim_end()) {
            ends.push(at);
        }
    }
    let mut documents = vec![Vec::new(); ends.len() + 1];
    for entry in properties::read(source)? {
        let number = ends.iter().filter(|end| **end <= entry.span.start).count();
        documents[number].push(entry);
    }
    Ok(documents)
}

fn nothing_of_kafka(source: &Source) -> Problem {
    let message = format!("{} has no spring.kafka", source.file());
    let mut problem = Problem::new(source, Code::Missing, Some(Span::from(0..0)), message);
    problem
        .label("nothing about Kafka is active")
        .because("Without it Boot takes its defaults: a verdict would be about those, not about this service.")
        .write("Name the file that has spring.kafka, or its profile with --profile.");
    problem
}

/// What is configured outside of `spring.kafka`.
fn elsewhere(entries: &[Entry], found: &mut Found) {
    let of = |name: &str| {
        let own = move |entry: &&Entry| uniform(&entry.key).starts_with(name);
        entries.iter().find(own)
    };
    if let Some(entry) = of("spring.cloud.stream.") {
        let message = String::from("spring.cloud.stream is not modelled yet");
        let mut problem = entry.problem(Code::NotModelled, message);
        problem
            .because("Its binder sets the clients and the containers up by rules of its own.")
            .write("Write what it comes to as a design: 'semel init' writes one to start from.");
        found.problems.push(problem);
    }
    if let Some(entry) = of("spring.config.import") {
        let text = format!(
            "{} names further configuration, which is not read: name it with --spring, too, if it is a file.",
            entry.key
        );
        found.assume(Some(entry), text);
    }
}
