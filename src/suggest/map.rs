//! The whole design space of a sink: every order of up to five steps, with what it guarantees and what
//! it costs.

use std::time::Instant;

use semel_models::guarantee::Guarantee;

use super::candidate::{Candidate, to_order};
use super::orders;
use super::search::Searched;
use super::trials::{Enough, Trials};
use crate::check::{CheckOptions, bound};
use crate::cost::Cost;
use crate::design::{Design, Table};
use crate::mend::changes::states;
use crate::mend::{Change, Trial, quoted};
use crate::trace::Bound;
use crate::verdict::Stop;

/// The most steps of an order on the map.
pub const MOST_STEPS_ON_A_MAP: usize = 5;

/// What is said of an order in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delivery {
    /// Nothing is lost, and every effect takes place once.
    ExactlyOnce,
    /// Nothing is lost.
    AtLeastOnce,
    /// Nothing is handled twice.
    AtMostOnce,
    /// Neither.
    Neither,
    /// It could not be explored within the limits.
    Undecided,
}

impl Delivery {
    /// All of them, from the strongest on.
    pub const ALL: [Delivery; 5] = [
        Delivery::ExactlyOnce,
        Delivery::AtLeastOnce,
        Delivery::AtMostOnce,
        Delivery::Neither,
        Delivery::Undecided,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Delivery::ExactlyOnce => "exactly once",
            Delivery::AtLeastOnce => "at least once",
            Delivery::AtMostOnce => "at most once",
            Delivery::Neither => "loses and repeats",
            Delivery::Undecided => "undecided",
        }
    }

    fn of(holding: &[Guarantee]) -> Delivery {
        let holds = |guarantee| holding.contains(&guarantee);
        let keeps = holds(Guarantee::NoLoss);
        match (
            keeps,
            holds(Guarantee::ExactlyOnceEffect),
            holds(Guarantee::NoDuplicates),
        ) {
            (true, true, _) => Delivery::ExactlyOnce,
            (true, false, _) => Delivery::AtLeastOnce,
            (false, _, true) => Delivery::AtMostOnce,
            (false, _, false) => Delivery::Neither,
        }
    }
}

/// One order on the map.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Place {
    /// The order.
    pub order: String,
    /// What it gives.
    pub delivery: Delivery,
    /// The guarantees that hold; none where it is undecided.
    pub holding: Vec<Guarantee>,
    /// What it costs.
    pub cost: Cost,
    /// What else changes with it, as the design has it.
    pub settings: Vec<String>,
}

/// Every order, the strongest and cheapest first.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Map {
    /// The orders.
    pub places: Vec<Place>,
    /// Within what they were judged.
    pub bound: Bound,
    /// Why it ended early.
    pub stop: Option<Stop>,
}

/// Judges every order of up to five steps in place of that of `design`.
pub fn map(design: &Design, options: &CheckOptions, watch: &mut dyn FnMut(Searched)) -> Map {
    let all = Guarantee::ALL.iter().fold(0, |set, own| set | own.bit());
    let trials = Trials::of(design, options, Instant::now(), |engine| {
        engine.stop_when_violated(all)
    });
    let own = design.pipeline();
    let mut candidates = Vec::new();
    let mut places = Vec::new();
    for order in orders::every(own, MOST_STEPS_ON_A_MAP) {
        // Of several settings that could serve an order the first is what is built, and a transaction is
        // there for who reads what is committed.
        let change = to_order(design, &order).into_iter().next();
        let change = change.map(|change| match order.has_transactions() {
            true => read_committed(design, change),
            false => change,
        });
        candidates.extend(change.and_then(|change| Candidate::of(design, change)));
    }
    let mut searched = Searched::default();
    let stop = trials.run(&candidates, &mut |candidate, trial| {
        searched.designs += 1;
        watch(searched);
        places.push(Place::of(candidate, trial));
        Enough::No
    });
    places.sort_by_key(|place| (place.delivery, place.cost.sum(), place.order.clone()));
    Map {
        places,
        bound: bound(own),
        stop: stop.err(),
    }
}

fn read_committed(design: &Design, change: Change) -> Change {
    const LEVEL: &str = "isolation.level";
    match states(design, Table::OutputConsumer, LEVEL) {
        true => change,
        false => change.and(Table::OutputConsumer, LEVEL, quoted("read_committed")),
    }
}

impl Place {
    fn of(candidate: &Candidate, trial: &Trial) -> Place {
        let (delivery, holding) = match trial {
            Trial::Holding(holding) => (Delivery::of(holding), holding.clone()),
            Trial::Stopped { .. } => (Delivery::of(&[]), Vec::new()),
            Trial::NotModelled | Trial::Limit(_) => (Delivery::Undecided, Vec::new()),
        };
        Place {
            order: candidate.pipeline.consumer.order.to_string(),
            delivery,
            holding,
            cost: candidate.cost,
            settings: candidate.change.settings().told(),
        }
    }
}
