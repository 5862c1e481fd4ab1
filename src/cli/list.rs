//! `semel list`: every table that a design draws from.

use super::args::{ListArguments, Listing};
use super::exit::Exit;
use crate::catalogue::{ENTRIES, Entry};
use crate::design::{Introduction, OwnKey, Party, RULES, modelled, own_design_keys, properties};
use crate::presets::PRESETS;
use crate::report::Format;
use crate::report::markdown::escaped;
use semel_models::fault::Fault;
use semel_models::guarantee::Guarantee;
use semel_models::order::Step;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// What is said of a fault or step that the model has.
const MODELLED: &str = "modelled";

/// A row of a table: its name, what it is, and further facts.
#[derive(Serialize)]
struct Row {
    name: String,
    summary: String,
    #[serde(flatten)]
    facts: BTreeMap<&'static str, String>,
}

pub(super) fn run(arguments: &ListArguments) -> io::Result<Exit> {
    let listings = match arguments.what {
        Some(listing) => vec![listing],
        None => vec![
            Listing::Presets,
            Listing::Catalogue,
            Listing::Guarantees,
            Listing::Faults,
            Listing::Steps,
        ],
    };
    let tables: Vec<(&str, Vec<Row>)> = listings
        .into_iter()
        .map(|listing| (listing.name(), rows(listing)))
        .collect();
    let mut out = anstream::AutoStream::auto(io::stdout());
    match arguments.format {
        // The arguments let no other format through.
        Format::Text | Format::Mermaid | Format::Junit | Format::Github | Format::Itf => {
            write_text(&mut out, &tables)?;
        }
        Format::Markdown => write_markdown(&mut out, &tables)?,
        Format::Json => {
            let document: BTreeMap<&str, &Vec<Row>> =
                tables.iter().map(|(title, rows)| (*title, rows)).collect();
            serde_json::to_writer_pretty(&mut out, &document)?;
            writeln!(out)?;
        }
    }
    out.flush()?;
    Ok(Exit::Fine)
}

fn row(name: &str, summary: &str) -> Row {
    Row {
        name: name.into(),
        summary: summary.into(),
        facts: BTreeMap::new(),
    }
}

fn rows(listing: Listing) -> Vec<Row> {
    match listing {
        Listing::Presets => PRESETS
            .iter()
            .map(|preset| row(preset.name, preset.summary))
            .collect(),
        Listing::Catalogue => ENTRIES.iter().map(entry_row).collect(),
        Listing::Guarantees => Guarantee::ALL
            .iter()
            .map(|guarantee| {
                row(
                    guarantee.name(),
                    &format!("violated when {}", guarantee.violated_when()),
                )
            })
            .collect(),
        Listing::Faults => Fault::ALL
            .iter()
            .map(|fault| state_row(fault.name(), fault.summary(), modelled::fault(*fault)))
            .collect(),
        Listing::Steps => Step::ALL
            .iter()
            .map(|step| state_row(step.name(), step.summary(), modelled::step(*step)))
            .collect(),
        Listing::Keys => own_design_keys().map(key_row).collect(),
        Listing::Versions => RULES.iter().map(rule_row).collect(),
        Listing::Properties => properties()
            .iter()
            .map(|property| {
                let mut row = row(&property.name, &property.why);
                row.facts.insert("scope", property.scope.name().into());
                row.facts.insert("class", property.class.name().into());
                row
            })
            .collect(),
    }
}

/// A key of the design file that is not Kafka's.
fn key_row(key: OwnKey) -> Row {
    let mut row = row(key.name, key.about);
    let table = match key.table.name() {
        "" => "before the first table".into(),
        name => format!("[{name}]"),
    };
    row.facts.insert("table", table);
    row.facts.insert("values", key.values);
    row
}

/// A rule that a release of Kafka brought, or took away again.
fn rule_row(rule: &Introduction) -> Row {
    let mut row = row(&rule.since.to_string(), rule.summary);
    let until = rule
        .until
        .map_or(String::new(), |until| format!(", until {until}"));
    let who = match rule.party {
        Party::Broker => "brokers",
        Party::Client => "clients",
        Party::Both => "brokers and clients",
    };
    row.facts.insert("party", format!("{who}{until}"));
    row.facts.insert("reference", rule.reference.into());
    row
}

fn entry_row(entry: &Entry) -> Row {
    let mut row = row(entry.id, entry.title);
    let names: Vec<&str> = entry.symptoms.iter().map(|own| own.name()).collect();
    row.facts.insert("symptom", names.join(", "));
    row
}

/// A row of a table of which not everything is modelled yet.
fn state_row(name: &str, summary: &str, is_modelled: bool) -> Row {
    let mut row = row(name, summary);
    let state = if is_modelled {
        MODELLED
    } else {
        "not modelled yet"
    };
    row.facts.insert("state", state.into());
    row
}

/// A table of the facts that its rows have; one of several has a heading.
fn write_markdown(out: &mut dyn Write, tables: &[(&str, Vec<Row>)]) -> io::Result<()> {
    for (index, (title, rows)) in tables.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        if tables.len() > 1 {
            writeln!(out, "### {title}\n")?;
        }
        let mut facts: Vec<&str> = Vec::new();
        for fact in rows.iter().flat_map(|row| row.facts.keys()) {
            if !facts.contains(fact) {
                facts.push(fact);
            }
        }
        let heads: String = facts.iter().map(|fact| format!(" {fact} |")).collect();
        writeln!(out, "| name |{heads} what |")?;
        writeln!(out, "|{}", " --- |".repeat(facts.len() + 2))?;
        for row in rows {
            let cell = |fact: &&str| {
                let fact = row.facts.get(fact).map_or("", String::as_str);
                format!(" {} |", escaped(fact))
            };
            let cells: String = facts.iter().map(cell).collect();
            let summary = escaped(&row.summary);
            writeln!(out, "| `{}` |{cells} {summary} |", row.name)?;
        }
    }
    Ok(())
}

fn write_text(out: &mut dyn Write, tables: &[(&str, Vec<Row>)]) -> io::Result<()> {
    for (index, (title, rows)) in tables.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{title}:")?;
        let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        for row in rows {
            let facts: Vec<&str> = row.facts.values().map(String::as_str).collect();
            let facts = if facts.is_empty() || facts == [MODELLED] {
                String::new()
            } else {
                format!("  ({})", facts.join(", "))
            };
            writeln!(out, "  {:<width$}  {}{facts}", row.name, row.summary)?;
        }
    }
    Ok(())
}
