//! The search: single changes of settings, then several; other orders, then with all settings made safe.

use std::cell::Cell;
use std::cmp::Reverse;
use std::time::Instant;

use semel_models::guarantee::Guarantee;
use semel_models::order::Order;

use super::candidate::{Candidate, to_order};
use super::outcome::{self, Holding};
use super::trials::{Enough, Trials};
use super::{MOST_STEPS, SuggestError, Suggestions, Tried, Wanted, orders};
use crate::check::{CheckOptions, check};
use crate::cost::{Polls, cost};
use crate::design::Design;
use crate::mend::{Change, Trial, changes};
use crate::verdict::Stop;

/// How many states may be explored for more than one suggestion.
const MUCH_WORK: u64 = 5_000_000;

/// How far a search has come.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Searched {
    /// How many designs were tried.
    pub designs: usize,
    /// With how many of them all holds that is needed.
    pub holding: usize,
}

/// Looks for changes to `design` with which all that is `wanted` holds, and shows `watch` how far it
/// has come.
pub fn suggest(
    design: &Design,
    wanted: &Wanted,
    options: &CheckOptions,
    watch: &mut dyn FnMut(Searched),
) -> Result<Suggestions, SuggestError> {
    if wanted.needs.is_empty() {
        return Err(SuggestError::NothingNeeded(design.file().into()));
    }
    let started = Instant::now();
    let now = check(design, options)?;
    let own_cost = cost(design, Polls::Full)?;
    let mut found = Suggestions {
        needs: wanted.needs.clone(),
        kept: wanted.kept.clone(),
        suggestions: Vec::new(),
        tried: Tried::default(),
        nearest: None,
        if_nothing_were_kept: None,
        stop: now.stop(),
        cost: own_cost,
        now,
    };
    if found.stop.is_some() {
        return Ok(found);
    }
    let needs = wanted.needs.iter().fold(0, |set, need| set | need.bit());
    let trials = Trials::of(design, options, started, |engine| {
        engine.stop_when_any_violated(needs)
    });
    let mut search = Search::new(&trials, wanted, &found, watch);
    found.stop = search.run().err();
    let (holding, nearest) = (search.found, search.nearest);
    found.tried = search.tried;
    found.suggestions = outcome::suggestions(design, holding, wanted.most, options)?;
    if !found.suggestions.is_empty() || found.is_fine() || found.stop.is_some() {
        return Ok(found);
    }
    if !wanted.kept.is_empty() {
        let all = Wanted {
            kept: Vec::new(),
            most: 1,
            ..wanted.clone()
        };
        let mut search = Search::new(&trials, &all, &found, watch);
        found.stop = search.run().err();
        let free = outcome::suggestions(design, search.found, 1, options)?;
        found.if_nothing_were_kept = free.into_iter().next();
    }
    if let Some((candidate, _)) = nearest {
        found.nearest = Some(outcome::nearest(design, &candidate, options)?);
    }
    Ok(found)
}

/// How near something comes that does not hold: an order near the design's own, then how many steps it
/// takes to break it.
type Nearness = (Reverse<usize>, u32);

struct Search<'a> {
    trials: &'a Trials<'a>,
    wanted: &'a Wanted,
    found: Vec<Holding>,
    /// What it costs as it is, where that is fine: only what is cheaper is looked for.
    cheapest: Option<u32>,
    tried: Tried,
    nearest: Option<(Candidate, Nearness)>,
    /// What holds as it is.
    held: Vec<Guarantee>,
    /// How many states it has as it is: those that are tried have about as many.
    states: u64,
    watch: &'a mut dyn FnMut(Searched),
}

impl<'a> Search<'a> {
    fn new(
        trials: &'a Trials<'a>,
        wanted: &'a Wanted,
        so_far: &Suggestions,
        watch: &'a mut dyn FnMut(Searched),
    ) -> Search<'a> {
        Search {
            trials,
            wanted,
            tried: Tried::default(),
            found: Vec::new(),
            cheapest: so_far.is_fine().then(|| so_far.cost.sum()),
            nearest: None,
            held: so_far.held(),
            states: so_far.now.unique_states(),
            watch,
        }
    }

    fn run(&mut self) -> Result<(), Stop> {
        let design = self.trials.design;
        let own = design.pipeline().consumer.order.clone();
        let mut others = orders::every(design.pipeline(), MOST_STEPS);
        others.retain(|order| *order != own);
        self.tried.orders = 1 + others.len();
        self.single_changes(changes::settings(design))?;
        // What holds as it is, at this price, does so for the least of changes.
        if self.is_open() {
            self.safe_orders(std::slice::from_ref(&own))?;
        }
        let all = std::iter::once(&own).chain(&others);
        self.single_changes(all.flat_map(|order| to_order(design, order)).collect())?;
        if self.is_open() {
            self.safe_orders(&others)?;
        }
        Ok(())
    }

    /// Whether nothing is found, and nothing holds as it is.
    fn is_open(&self) -> bool {
        self.found.is_empty() && self.cheapest.is_none()
    }

    /// One setting, or another order with what it takes.
    fn single_changes(&mut self, all: Vec<Change>) -> Result<(), Stop> {
        let mut candidates: Vec<Candidate> = Vec::new();
        for candidate in all.into_iter().filter_map(|change| self.candidate(change)) {
            if !candidates
                .iter()
                .any(|own| own.pipeline == candidate.pipeline)
            {
                candidates.push(candidate);
            }
        }
        candidates.sort_by_key(rank);
        match self.has_worked_enough() {
            true => Ok(()),
            false => self.try_all(&candidates),
        }
    }

    fn candidate(&self, change: Change) -> Option<Candidate> {
        let design = self.trials.design;
        Candidate::of(design, change)
            .filter(|candidate| candidate.can_replace(design.pipeline(), &self.wanted.kept))
    }

    /// Tries candidates until there are enough, and from then on the cheaper ones.
    fn try_all(&mut self, candidates: &[Candidate]) -> Result<(), Stop> {
        let trials = self.trials;
        let cheapest = &Cell::new(self.cheapest);
        let is_of_interest = |candidate: &&Candidate| {
            cheapest
                .get()
                .is_none_or(|most| candidate.cost.sum() < most)
        };
        trials.run(
            candidates.iter().filter(is_of_interest),
            &mut |candidate, trial| {
                self.take(candidate, trial);
                if self.has_enough() {
                    cheapest.set(self.found.iter().map(|own| own.candidate.cost.sum()).min());
                }
                match self.has_worked_enough() {
                    true => Enough::Yes,
                    false => Enough::No,
                }
            },
        )
    }

    /// These orders with all settings made safe; of what holds then, as few changes as it takes.
    fn safe_orders(&mut self, orders: &[Order]) -> Result<(), Stop> {
        let design = self.trials.design;
        let mut safe: Vec<(Candidate, Vec<Change>)> = Vec::new();
        for order in orders {
            for change in to_order(design, order) {
                let hardened = self.hardened(&change);
                let all = together(&change, &hardened);
                safe.extend(self.candidate(all).map(|candidate| (candidate, hardened)));
            }
        }
        safe.sort_by_key(|(candidate, _)| rank(candidate));
        for group in safe.chunks(8) {
            let mut holding = Vec::new();
            self.trials.run(
                group.iter().map(|(candidate, _)| candidate),
                &mut |candidate, trial| {
                    if self.note(candidate, trial) {
                        holding.push(candidate);
                    }
                    Enough::No
                },
            )?;
            for (candidate, hardened) in group {
                if holding.iter().any(|own| own.change == candidate.change) {
                    self.fewest(candidate, hardened)?;
                }
            }
            if self.has_enough() {
                break;
            }
        }
        Ok(())
    }

    /// The changes of settings that can all be made beside `change`, each where the ones before leave
    /// its keys alone.
    fn hardened(&self, change: &Change) -> Vec<Change> {
        let design = self.trials.design;
        let mut made = Vec::new();
        let mut so_far = change.clone();
        let Some(mut last) = so_far.made_to(design) else {
            return made;
        };
        for setting in changes::settings(&last) {
            let is_open = |key: (_, &str)| {
                !so_far.keys().any(|own| own == key)
                    && !self.wanted.kept.iter().any(|kept| kept.covers(key))
            };
            if !setting.keys().all(is_open) {
                continue;
            }
            let with = so_far.clone().with(&setting);
            match with.made_to(design) {
                Some(next) if next.pipeline() != last.pipeline() => {
                    made.push(setting);
                    so_far = with;
                    last = next;
                }
                Some(_) | None => {}
            }
        }
        made
    }

    /// Of the changes that `safe` takes, as few as it holds with: one, two, or what is left when each
    /// is taken back that can be.
    fn fewest(&mut self, safe: &Candidate, hardened: &[Change]) -> Result<(), Stop> {
        let before = self.found.len();
        let order = order_alone(safe, hardened);
        let ones = hardened.iter().map(|one| order.clone().with(one));
        let pairs = hardened.iter().enumerate().flat_map(|(at, one)| {
            let order = &order;
            let later = &hardened[at + 1..];
            later
                .iter()
                .map(move |other| order.clone().with(one).with(other))
        });
        let few: Vec<Change> = ones.chain(pairs).collect();
        let mut few: Vec<Candidate> = few
            .into_iter()
            .filter_map(|change| self.candidate(change))
            .collect();
        few.sort_by_key(rank);
        let trials = self.trials;
        trials.run(
            &few,
            &mut |candidate, trial| match self.take(candidate, trial) {
                true => Enough::Yes,
                false => Enough::No,
            },
        )?;
        if self.found.len() > before {
            return Ok(());
        }
        let mut needed: Vec<Change> = hardened.to_vec();
        for one in hardened {
            let without: Vec<Change> = needed.iter().filter(|own| *own != one).cloned().collect();
            let fewer = self.candidate(together(&order, &without));
            let mut holds = false;
            trials.run(&fewer, &mut |candidate, trial| {
                holds = self.note(candidate, trial);
                Enough::Yes
            })?;
            if holds {
                needed = without;
            }
        }
        let last = self.candidate(together(&order, &needed));
        trials.run(&last, &mut |candidate, trial| {
            self.take(candidate, trial);
            Enough::Yes
        })
    }

    /// Notes a candidate with which all holds that is needed.
    fn take(&mut self, candidate: &Candidate, trial: &Trial) -> bool {
        let holds = self.note(candidate, trial);
        if let (true, Trial::Holding(holding)) = (holds, trial) {
            self.found
                .push(Holding::new(candidate, holding, &self.held));
        }
        holds
    }

    /// Notes that a candidate was tried; whether all holds that is needed.
    fn note(&mut self, candidate: &Candidate, trial: &Trial) -> bool {
        self.tried.designs += 1;
        let holds = match trial {
            Trial::Holding(holding) => {
                let is_violated = |need: &&Guarantee| !holding.contains(need);
                let violated: Vec<Guarantee> = self
                    .wanted
                    .needs
                    .iter()
                    .filter(is_violated)
                    .copied()
                    .collect();
                self.tried.violating(&violated, &self.wanted.needs);
                violated.is_empty()
            }
            Trial::Stopped { violated, depth } => {
                self.tried.violating(violated, &self.wanted.needs);
                let nearness = (Reverse(candidate.size.words), *depth);
                let is_nearer = |(_, other): &(Candidate, Nearness)| nearness > *other;
                if self.nearest.as_ref().is_none_or(is_nearer) {
                    self.nearest = Some((candidate.clone(), nearness));
                }
                false
            }
            Trial::NotModelled | Trial::Limit(_) => {
                self.tried.too_large += 1;
                false
            }
        };
        (self.watch)(Searched {
            designs: self.tried.designs,
            holding: self.found.len() + usize::from(holds),
        });
        holds
    }

    /// Whether so much was explored that one suggestion has to do.
    fn has_worked_enough(&self) -> bool {
        !self.found.is_empty() && self.tried.designs as u64 * self.states > MUCH_WORK
    }

    /// Whether there are as many as were asked for that take nothing away.
    fn has_enough(&self) -> bool {
        let good = self.found.iter().filter(|own| own.price.is_empty());
        good.count() >= self.wanted.most
    }
}

/// What nobody warns of comes first, then smaller changes before larger ones, then cheaper designs before
/// dearer ones.
pub(super) fn rank(candidate: &Candidate) -> (usize, usize, u32) {
    let size = candidate.size.total();
    (candidate.warnings, size, candidate.cost.sum())
}

fn together(change: &Change, more: &[Change]) -> Change {
    more.iter().fold(change.clone(), Change::with)
}

/// What is left of a candidate's change without those settings.
fn order_alone(safe: &Candidate, hardened: &[Change]) -> Change {
    let more: usize = hardened.iter().map(|change| change.keys().count()).sum();
    safe.change.without_last(more)
}

impl Tried {
    fn violating(&mut self, violated: &[Guarantee], needs: &[Guarantee]) {
        for need in needs.iter().filter(|need| violated.contains(need)) {
            match self.violating.iter_mut().find(|(own, _)| own == need) {
                Some((_, count)) => *count += 1,
                None => self.violating.push((*need, 1)),
            }
        }
    }
}
