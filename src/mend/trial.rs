//! A changed design tried on the model.

use crate::design::{Design, write};
use crate::explore::{Limit, Livelock, Options, Outcome, explore};
use semel_models::cluster::Cluster;
use semel_models::guarantee::Guarantee;
use semel_models::pipeline::Pipeline;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trial {
    /// It was explored in full, and these guarantees hold.
    Holding(Vec<Guarantee>),
    /// It violates these in so many steps, and was explored no further.
    Stopped {
        violated: Vec<Guarantee>,
        depth: u32,
    },
    /// It is too large for the model, or what may go wrong is not modelled with it: it mends nothing
    /// that could be shown.
    NotModelled,
    /// A limit came first.
    Limit(Limit),
}

impl Trial {
    /// Tries `changed` within the bound of `design`. Where no faults are stated, those of a changed
    /// design may be others: then a guarantee has to hold under either.
    pub(crate) fn of(changed: Pipeline, design: &Design, engine: &Options) -> Trial {
        let faults = &design.pipeline().faults;
        if changed.faults == *faults {
            return Trial::alone(changed, engine);
        }
        let bounded = Pipeline {
            faults: faults.clone(),
            ..changed.clone()
        };
        // The faults of `design` may be among those that are not modelled with the change.
        let text = write(&bounded, &design.versions());
        if Design::parse(design.file(), text.as_bytes()).is_err() {
            return Trial::NotModelled;
        }
        let holds = match Trial::alone(changed, engine) {
            Trial::Holding(holds) => holds,
            other => return other,
        };
        match Trial::alone(bounded, engine) {
            Trial::Holding(mut under_those) => {
                under_those.retain(|guarantee| holds.contains(guarantee));
                Trial::Holding(under_those)
            }
            other => other,
        }
    }

    /// Tries `pipeline` under its own faults.
    pub(crate) fn alone(pipeline: Pipeline, engine: &Options) -> Trial {
        let Ok(cluster) = Cluster::new(pipeline) else {
            return Trial::NotModelled;
        };
        let found = explore(&cluster, engine, &mut |_| {});
        let of = |holding: bool, violated: u32| {
            let asked = |guarantee: &Guarantee| (violated & guarantee.bit() == 0) == holding;
            Guarantee::ALL.into_iter().filter(asked).collect()
        };
        match found.outcome() {
            Outcome::Complete => {}
            Outcome::Stopped => {
                return Trial::Stopped {
                    violated: of(false, found.violated()),
                    depth: found.depth(),
                };
            }
            Outcome::Limit(limit) => return Trial::Limit(limit),
        }
        let endless = match found.livelock(engine) {
            Livelock::None => 0,
            Livelock::From(_) => Guarantee::Progress.bit(),
            Livelock::Unexplored => return Trial::NotModelled,
            Livelock::Limit(limit) => return Trial::Limit(limit),
        };
        Trial::Holding(of(true, found.violated() | endless))
    }
}
