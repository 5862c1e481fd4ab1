//! What decides the verdicts, and the runs that show them.

use super::{Explorer, stop};
use crate::explore::{Exploration, Livelock, Lost, Options, Outcome, Progress, StateId};
use crate::trace::Run;
use crate::verdict::Stop;
use semel_models::cluster::Cluster;
use semel_models::guarantee::Guarantee;

/// What decides the verdicts beyond the states that were found.
pub(super) struct Endings {
    livelock: Option<StateId>,
    /// Why not every state was found.
    pub(super) exploration: Option<Stop>,
    /// Why the states were not all examined for loops without exit.
    pub(super) livelock_search: Option<Stop>,
}

impl Endings {
    /// Whether the shortest of the explored runs that violate `guarantee` are the shortest there are.
    /// That holds for runs that end; a run without end may turn round earlier where orders are not left
    /// out.
    pub(super) fn shows_shortest(&self, explored: &Cluster, guarantee: Guarantee) -> bool {
        explored.shows_shortest(guarantee)
            && (self.livelock.is_none() || !explored.leaves_out_orders())
    }

    /// Searches for the shortest runs to what is violated, where the explored ones may not be the shortest.
    /// The verdicts come from an exploration that leaves out orders of steps, and may make a run longer
    /// than it need be; the same model `in_every_order` shows the shortest ones, and only as deep as these
    /// lead.
    pub(super) fn shortest<'a>(
        &self,
        explorer: &mut Explorer<'_>,
        found: &Exploration<'_, Cluster>,
        in_every_order: &'a Cluster,
        engine: &Options,
        watch: &mut dyn FnMut(&Progress),
    ) -> Result<Shortest<'a>, Lost> {
        let explored = found.subject();
        let is_open = |guarantee: &Guarantee| {
            found.violated() & guarantee.bit() != 0 && !self.shows_shortest(explored, *guarantee)
        };
        let open: u32 = Guarantee::ALL
            .iter()
            .filter(|one| is_open(one))
            .map(|one| one.bit())
            .sum();
        // A run without end shows only once everything is explored.
        let enough = match self.livelock {
            Some(_) if explored.leaves_out_orders() => 0,
            Some(_) | None if open == 0 => return Ok(Shortest::default()),
            Some(_) | None => open,
        };
        let engine = engine
            .clone()
            .spare_bytes(found.bytes())
            .stop_when_violated(enough);
        let found = explorer.explore(in_every_order, &engine, watch)?;
        let endings = Endings::of(&found, &engine);
        Ok(Shortest {
            search: Some((found, endings)),
        })
    }

    pub(super) fn of(found: &Exploration<'_, Cluster>, engine: &Options) -> Endings {
        let mut endings = Endings {
            livelock: None,
            livelock_search: None,
            exploration: match found.outcome() {
                Outcome::Complete | Outcome::Stopped => None,
                Outcome::Limit(limit) => Some(stop(limit)),
            },
        };
        match found.livelock(engine) {
            Livelock::None | Livelock::Unexplored => {}
            Livelock::From(state) => endings.livelock = Some(state),
            Livelock::Limit(limit) => endings.livelock_search = Some(stop(limit)),
        }
        endings
    }

    /// Whether a limit keeps `guarantee` undecided unless a violation was found.
    pub(super) fn stops(&self, guarantee: Guarantee) -> bool {
        self.exploration.is_some()
            || guarantee == Guarantee::Progress && self.livelock_search.is_some()
    }

    /// The shortest of the explored runs that violate `guarantee`.
    pub(super) fn run(
        &self,
        found: &Exploration<'_, Cluster>,
        guarantee: Guarantee,
    ) -> Option<Run> {
        let bad = found.violation(guarantee as usize);
        let endless = self.livelock.filter(|_| guarantee == Guarantee::Progress);
        let ends = bad.map(|state| {
            let path = found.path_to(state);
            Run {
                start: path.start,
                steps: path.steps,
                loops_from: None,
                is_shortest: true,
            }
        });
        // It takes more steps to go round than to come to where that begins.
        let may_be_shorter = |entry: &StateId| {
            let length = ends.as_ref().map(|run| run.steps.len());
            length.is_none_or(|length| found.depth_of(*entry) < length)
        };
        let goes_on = endless.filter(may_be_shorter);
        let goes_on = goes_on.and_then(|entry| endless_run(found, entry));
        let runs = ends.into_iter().chain(goes_on);
        runs.min_by_key(|run| run.steps.len())
    }
}

fn endless_run(found: &Exploration<'_, Cluster>, entry: StateId) -> Option<Run> {
    let lasso = found.lasso(entry)?;
    let loops_from = Some(lasso.stem.steps.len());
    let steps = [lasso.stem.steps, lasso.cycle].concat();
    Some(Run {
        start: lasso.stem.start,
        steps,
        loops_from,
        is_shortest: true,
    })
}

/// The search for shortest runs, if there is anything to search for.
#[derive(Default)]
pub(super) struct Shortest<'a> {
    search: Option<(Exploration<'a, Cluster>, Endings)>,
}

impl Shortest<'_> {
    /// A shortest run that violates `guarantee`, unless a limit ended the search before.
    pub(super) fn run(&self, guarantee: Guarantee) -> Option<Run> {
        let (found, endings) = self.search.as_ref()?;
        endings.run(found, guarantee)
    }
}
