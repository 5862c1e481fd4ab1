//! A design that is tried in place of another: an order, and settings that change with it.

use semel_models::order::{Order, Step};
use semel_models::pipeline::{Acks, AutoCommit, Client, OutputSettings, Pipeline};

use super::kept::Kept;
use crate::cost::{Cost, Polls, cost};
use crate::design::{Design, Table, Warning};
use crate::mend::changes::states;
use crate::mend::{Change, ORDER, quoted};

/// What would be changed, and what comes of it.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub change: Change,
    pub pipeline: Pipeline,
    pub cost: Cost,
    pub size: Size,
    /// How much is said of it that is not said of the design as it is.
    pub warnings: usize,
}

/// How much changes: settings, and words of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub settings: usize,
    pub words: usize,
}

impl Size {
    /// As one number.
    pub fn total(self) -> usize {
        self.settings + self.words
    }
}

impl Candidate {
    /// `design` with `change`; `None`: it is refused.
    pub fn of(design: &Design, change: Change) -> Option<Candidate> {
        let own = design.pipeline();
        let changed = change.made_to(design)?;
        let size = Size {
            settings: change.settings().keys().count(),
            words: distance(&own.consumer.order, &changed.pipeline().consumer.order),
        };
        let said: Vec<String> = design.warnings().iter().map(Warning::to_string).collect();
        let is_new = |warning: &&Warning| !said.contains(&warning.to_string());
        Some(Candidate {
            cost: cost(&changed, Polls::Full).ok()?,
            warnings: changed.warnings().iter().filter(is_new).count(),
            pipeline: changed.pipeline().clone(),
            change,
            size,
        })
    }

    /// Whether it can stand in the place of `own`: it differs, changes nothing that is kept, and does not
    /// give up that the consumer's position outlives it, so that after each restart the whole topic
    /// would come again.
    pub fn can_replace(&self, own: &Pipeline, kept: &[Kept]) -> bool {
        let is_kept = |key| kept.iter().any(|kept| kept.covers(key));
        let has_own_order = self.pipeline.consumer.order == own.consumer.order;
        let gives_up = saves_position(own)
            && !keeps_position(&self.pipeline)
            && (keeps_position(own) || !has_own_order);
        self.pipeline != *own && !gives_up && !self.change.keys().any(is_kept)
    }
}

/// Whether what was read is noted somewhere.
fn saves_position(pipeline: &Pipeline) -> bool {
    saves(&pipeline.consumer.order) || pipeline.consumer.auto_commit != AutoCommit::Off
}

/// Whether it is noted where a restart finds it.
fn keeps_position(pipeline: &Pipeline) -> bool {
    let consumer = &pipeline.consumer;
    let automatic = match consumer.auto_commit {
        AutoCommit::Off => false,
        AutoCommit::AtPoll => true,
        AutoCommit::Background { automatic_store } => {
            automatic_store || consumer.order.contains(Step::StoreOffset)
        }
    };
    automatic
        || commits_itself(&consumer.order)
        || saves_offset(&consumer.order) && consumer.seek_on_assign
}

/// How many words two orders differ in.
fn distance(one: &Order, other: &Order) -> usize {
    let words = |order: &Order| -> Vec<String> {
        let text = order.to_string();
        let spaced = text.replace('[', "[ ").replace('(', "( ");
        let ends = [',', ']', ')'];
        let words = spaced.split_whitespace().filter(|word| *word != "->");
        words
            .map(|word| word.trim_end_matches(ends).to_owned())
            .collect()
    };
    strsim::generic_damerau_levenshtein(&words(one), &words(other))
}

/// The change to `order`, with what it takes of other settings, and without what means nothing
/// beside it. Where several settings could serve it, one change for each.
pub(super) fn to_order(design: &Design, order: &Order) -> Vec<Change> {
    let pipeline = design.pipeline();
    let own = &pipeline.consumer.order;
    let mut change = Change::default();
    if order != own {
        let (table, key) = ORDER;
        change = change.and(table, key, quoted(&order.to_string()));
    }
    for (table, key, needed) in MEANINGS {
        if states(design, *table, key) && needed(own) && !needed(order) {
            change = change.and_without(*table, key);
        }
    }
    let is_named = states(design, Table::OutputProducer, "transactional.id");
    if order.has_transactions() && !is_named {
        change = change.and(Table::OutputProducer, "transactional.id", quoted("results"));
        for key in beside_no_transaction(&pipeline.consumer.output) {
            if states(design, Table::OutputProducer, key) {
                change = change.and_default(Table::OutputProducer, key);
            }
        }
    }
    commits(pipeline, order, change)
}

/// What an output producer has set that no client takes beside `transactional.id`: the default does.
fn beside_no_transaction(settings: &OutputSettings) -> impl Iterator<Item = &'static str> {
    let refused = [
        (settings.acks != Acks::All, "acks"),
        (!settings.idempotence, "enable.idempotence"),
        (settings.retries == 0, "retries"),
        (
            settings.max_in_flight > MOST_IN_FLIGHT,
            "max.in.flight.requests.per.connection",
        ),
    ];
    refused
        .into_iter()
        .filter_map(|(is_refused, key)| is_refused.then_some(key))
}

/// The most requests that an idempotent producer may have in flight.
const MOST_IN_FLIGHT: u32 = 5;

/// Whether an order has a use for a statement.
type NeededBy = fn(&Order) -> bool;

/// Statements of `[application]`, `[sink]` and the output that are refused where the order has no
/// use for them.
const MEANINGS: &[(Table, &str, NeededBy)] = &[
    (Table::Application, "commit-covers", saves),
    (Table::Application, "on-commit-failure", commits_itself),
    (Table::Application, "seek-on-assign", saves_offset),
    (
        Table::Application,
        "transactional-id",
        Order::has_transactions,
    ),
    (
        Table::Application,
        "group-metadata",
        Order::has_transactions,
    ),
    (Table::Application, "on-abort", Order::has_transactions),
    (
        Table::Application,
        "prepared-transaction",
        Order::has_transactions,
    ),
    (
        Table::OutputProducer,
        "transactional.id",
        Order::has_transactions,
    ),
    (Table::Sink, "dedup", remembers),
    (Table::Sink, "dedup-insert", remembers),
    (Table::Sink, "dedup-key", remembers),
    (Table::Sink, "dedup-window", remembers),
];

fn saves_offset(order: &Order) -> bool {
    order.contains(Step::SaveOffset)
}

fn commits_itself(order: &Order) -> bool {
    order.contains(Step::Commit) || order.contains(Step::CommitAsync)
}

fn saves(order: &Order) -> bool {
    commits_itself(order) || saves_offset(order)
}

fn remembers(order: &Order) -> bool {
    order.contains(Step::Remember)
}

/// The change with the automatic commit that goes with `order`.
fn commits(pipeline: &Pipeline, order: &Order, change: Change) -> Vec<Change> {
    const AUTOMATIC: &str = "enable.auto.commit";
    const STORE: &str = "enable.auto.offset.store";
    let is_on = pipeline.consumer.auto_commit != AutoCommit::Off;
    let set = |change: &Change, key, value: bool| {
        change.clone().and(Table::Consumer, key, value.to_string())
    };
    if order.contains(Step::StoreOffset) {
        let change = match pipeline.consumer.order.contains(Step::StoreOffset) {
            true => change,
            false => set(&change, STORE, false),
        };
        return match is_on {
            true => vec![change],
            false => vec![set(&change, AUTOMATIC, true)],
        };
    }
    let has_own = saves(order);
    match (has_own, is_on) {
        (true, true) => vec![set(&change, AUTOMATIC, false), change],
        (true, false) | (false, true) => vec![change],
        (false, false) => {
            let automatic = set(&change, AUTOMATIC, true);
            // Where the offset is stored by hand, nothing would be committed.
            let automatic = match pipeline.client {
                Client::Librdkafka => set(&automatic, STORE, true),
                Client::Java => automatic,
            };
            vec![change, automatic]
        }
    }
}
