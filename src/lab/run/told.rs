//! A run of the lab as a trace.

use super::Run;
use crate::check;
use crate::design::Design;
use crate::trace::{self, DesignSource, Trace, tell};
use semel_models::guarantee::Guarantee;
use stateright::Model;

impl Run {
    /// Tells the run so far, which violates `guarantee`, as a trace of `design`: to be written as
    /// JSON and taken again by `semel replay`.
    pub fn trace(&self, design: &Design, guarantee: Guarantee) -> Trace {
        let cluster = &self.cluster;
        let start = cluster.init_states().remove(0);
        let mut here = start.clone();
        let mut steps = Vec::with_capacity(self.taken.len());
        for action in &self.taken {
            let next = cluster.next_state(&here, *action);
            here = next.expect("it was taken before");
            steps.push((*action, here.clone()));
        }
        let run = trace::Run {
            start,
            steps,
            loops_from: None,
            is_shortest: false,
        };
        let bound = check::bound(cluster.pipeline());
        tell(cluster, DesignSource::of(design), bound, guarantee, &run)
    }
}
