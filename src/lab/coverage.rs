//! What runs have met: how often each fault struck, and each hard situation was reached.

use semel_models::action::Action;
use semel_models::cluster::{Cluster, State};
use semel_models::subject::Subject;
use std::fmt;

/// How often runs of one design met what a verdict should have met.
///
/// Coverages of runs of the same design [add up](Coverage::add).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    met: Vec<(String, u64)>,
}

impl Coverage {
    pub(super) fn of(cluster: &Cluster) -> Coverage {
        let names = cluster.witnesses().iter().map(ToString::to_string);
        Coverage {
            met: names.map(|name| (name, 0)).collect(),
        }
    }

    pub(super) fn note(&mut self, cluster: &Cluster, before: &State, action: Action) {
        let reached = cluster.reached_by(before, &action);
        for (bit, (_, times)) in self.met.iter_mut().enumerate() {
            *times += u64::from(reached & (1 << bit) != 0);
        }
    }

    /// Adds what another run of the same design met.
    pub fn add(&mut self, other: &Coverage) {
        if self.met.is_empty() {
            self.met.clone_from(&other.met);
            return;
        }
        for ((name, times), (other, more)) in self.met.iter_mut().zip(&other.met) {
            assert_eq!(name, other, "coverages of different designs do not add up");
            *times += more;
        }
    }

    /// The faults and situations with how often each was met.
    pub fn met(&self) -> impl Iterator<Item = (&str, u64)> {
        self.met.iter().map(|(name, times)| (name.as_str(), *times))
    }

    /// Those that were never met: what holds may hold for want of them.
    pub fn never(&self) -> impl Iterator<Item = &str> {
        self.met()
            .filter(|(_, times)| *times == 0)
            .map(|(name, _)| name)
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, times) in self.met() {
            writeln!(f, "{times:>9}  {name}")?;
        }
        Ok(())
    }
}
