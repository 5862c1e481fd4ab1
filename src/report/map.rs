//! The design space of a sink: a table, and a picture.

pub(crate) mod picture;

use super::json;
use super::markdown::escaped;
use super::text::{BAD, BOLD, DIM, GOOD, OPEN, write_title};
use super::words::{bound_in_words, completeness, counted};
use crate::cost::Cost;
use crate::design::Design;
use crate::suggest::{Delivery, MOST_STEPS_ON_A_MAP, Map, Place};
use crate::trace::Bound;
use anstyle::Style;
use semel_models::guarantee::Guarantee;
use serde::Serialize;
use std::io::{self, Write};

/// What was classified, in a sentence.
fn extent(map: &Map) -> String {
    let orders = counted(map.places.len() as u64, "order");
    format!(
        "{}: {orders} of up to {MOST_STEPS_ON_A_MAP} steps.",
        completeness(map.stop)
    )
}

fn style(delivery: Delivery) -> Style {
    match delivery {
        Delivery::ExactlyOnce => GOOD,
        Delivery::AtLeastOnce | Delivery::AtMostOnce | Delivery::Undecided => OPEN,
        Delivery::Neither => BAD,
    }
}

/// How many orders give what, and the cheapest of each.
fn summary(map: &Map) -> Vec<(Delivery, usize, &Place)> {
    let of = |delivery: Delivery| {
        let mut own = map.places.iter().filter(|place| place.delivery == delivery);
        let first = own.next()?;
        Some((delivery, 1 + own.count(), first))
    };
    Delivery::ALL.into_iter().filter_map(of).collect()
}

/// For people.
pub(crate) fn write_text(out: &mut dyn Write, design: &Design, map: &Map) -> io::Result<()> {
    write_title(out, design.name(), design.file())?;
    writeln!(out, "  {}", bound_in_words(&map.bound))?;
    writeln!(out, "  {}", extent(map))?;
    for (delivery, count, cheapest) in summary(map) {
        let style = style(delivery);
        writeln!(
            out,
            "  {style}{:<17}{style:#} {:>4}  the cheapest: {}",
            delivery.name(),
            count,
            cheapest.order
        )?;
    }
    writeln!(out)?;
    let orders = map.places.iter().map(|place| place.order.len());
    let width = orders.max().unwrap_or(0).max(5);
    let heads: Vec<&str> = Guarantee::ALL.iter().map(|own| own.name()).collect();
    writeln!(
        out,
        "{BOLD}{:<width$}  {:<17} {:>6} {:>7} {:>5}  {}{BOLD:#}",
        "order",
        "delivery",
        "calls",
        "writes",
        "txns",
        heads.join("  ")
    )?;
    for place in &map.places {
        let style = style(place.delivery);
        let holds = |own: &Guarantee| format!("{:<1$}", mark(place, *own), own.name().len());
        let marks: Vec<String> = Guarantee::ALL.iter().map(holds).collect();
        writeln!(
            out,
            "{:<width$}  {style}{:<17}{style:#} {:>6} {:>7} {:>5}  {}",
            place.order,
            place.delivery.name(),
            share(place.cost, place.cost.calls),
            share(place.cost, place.cost.durable_writes),
            share(place.cost, place.cost.transactions),
            marks.join("  ").trim_end()
        )?;
        if !place.settings.is_empty() {
            writeln!(out, "  {DIM}with {}{DIM:#}", place.settings.join("; "))?;
        }
    }
    Ok(())
}

fn mark(place: &Place, guarantee: Guarantee) -> &'static str {
    match (place.delivery, place.holding.contains(&guarantee)) {
        (Delivery::Undecided, _) => "?",
        (_, true) => "yes",
        (_, false) => "no",
    }
}

/// Per record.
fn share(cost: Cost, total: u32) -> String {
    format!("{:.1}", f64::from(total) / f64::from(cost.records.max(1)))
}

/// For a pull request.
pub(crate) fn write_markdown(out: &mut dyn Write, design: &Design, map: &Map) -> io::Result<()> {
    writeln!(out, "## {}\n", escaped(design.name()))?;
    writeln!(out, "{}. {}\n", bound_in_words(&map.bound), extent(map))?;
    let names: Vec<&str> = Guarantee::ALL.iter().map(|own| own.name()).collect();
    writeln!(
        out,
        "| order | with | delivery | calls | durable writes | transactions | {} |",
        names.join(" | ")
    )?;
    writeln!(out, "|{}", " --- |".repeat(6 + names.len()))?;
    for place in &map.places {
        let marks: Vec<&str> = Guarantee::ALL.iter().map(|own| mark(place, *own)).collect();
        writeln!(
            out,
            "| `{}` | {} | {} | {} | {} | {} | {} |",
            place.order,
            escaped(&place.settings.join("; ")),
            place.delivery.name(),
            share(place.cost, place.cost.calls),
            share(place.cost, place.cost.durable_writes),
            share(place.cost, place.cost.transactions),
            marks.join(" | ")
        )?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    version: u32,
    name: &'a str,
    file: &'a str,
    bound: &'a Bound,
    stopped: Option<&'static str>,
    orders: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    order: &'a str,
    settings: &'a [String],
    delivery: &'static str,
    holding: Vec<&'static str>,
    records: u32,
    calls: u32,
    durable_writes: u32,
    transactions: u32,
}

/// For programs.
pub(crate) fn write_json(out: &mut dyn Write, design: &Design, map: &Map) -> io::Result<()> {
    json::write(
        out,
        &Document {
            format: "semel-map",
            version: 1,
            name: design.name(),
            file: design.file(),
            bound: &map.bound,
            stopped: map.stop.map(|stop| completeness(Some(stop))),
            orders: map.places.iter().map(Row::of).collect(),
        },
    )
}

impl<'a> Row<'a> {
    fn of(place: &'a Place) -> Row<'a> {
        Row {
            order: &place.order,
            settings: &place.settings,
            delivery: place.delivery.name(),
            holding: place.holding.iter().map(|own| own.name()).collect(),
            records: place.cost.records,
            calls: place.cost.calls,
            durable_writes: place.cost.durable_writes,
            transactions: place.cost.transactions,
        }
    }
}
