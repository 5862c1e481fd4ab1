//! Whether a run that was taken to its end violates its guarantee.

use super::Outcome;
use crate::trace::violation;
use semel_models::cluster::{Cluster, State};
use semel_models::guarantee::Guarantee;
use semel_models::subject::Subject;
use stateright::Model;
use std::collections::HashSet;

/// How many states are searched for a way out of a loop.
const MOST_STATES: usize = 1 << 20;

/// Judges the run through `states`; `loops_from`: how many steps stand before its loop.
pub(super) fn judge(
    cluster: &Cluster,
    guarantee: Guarantee,
    states: &[State],
    loops_from: Option<usize>,
) -> Outcome {
    let end = &states[states.len() - 1];
    let before = &states[states.len().saturating_sub(2)];
    let as_recorded = || Outcome::AsRecorded {
        violation: violation(cluster, guarantee, before, end, loops_from),
    };
    let not_violated = |why: &str| Outcome::NotViolated { why: why.into() };
    if let Some(from) = loops_from.filter(|_| guarantee == Guarantee::Progress) {
        if *end != states[from] {
            return not_violated("the loop does not lead back to where it began.");
        }
        return match comes_to_rest(cluster, end.clone(), MOST_STATES) {
            Some(false) => as_recorded(),
            Some(true) => {
                not_violated("there is a way out of the loop, and the run comes to rest.")
            }
            None => Outcome::Undecided,
        };
    }
    let at_rest = cluster.is_quiescent(end);
    if cluster.observe(end, at_rest).violated & guarantee.bit() != 0 {
        return as_recorded();
    }
    not_violated(match at_rest {
        true => "nothing can happen any more, and the guarantee holds at the end.",
        false => {
            "the guarantee holds up to here, and something can still happen after the last step."
        }
    })
}

/// Whether a run from `start` can come to rest without a fault; `None`: not found out within
/// `limit` states.
fn comes_to_rest(cluster: &Cluster, start: State, limit: usize) -> Option<bool> {
    let packed = |mut state: State| {
        let mut words = vec![0; cluster.words()].into_boxed_slice();
        cluster.pack(&mut state, &mut words);
        words
    };
    let mut met = HashSet::from([packed(start.clone())]);
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        let mut actions = Vec::new();
        cluster.actions(&state, &mut actions);
        actions.retain(|action| !cluster.is_fault(action));
        let next = actions.into_iter();
        let next: Vec<State> = next
            .filter_map(|action| cluster.next_state(&state, action))
            .collect();
        if next.is_empty() {
            return Some(true);
        }
        for state in next {
            if met.insert(packed(state.clone())) {
                open.push(state);
            }
        }
        if met.len() > limit {
            return None;
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{CheckOptions, check};
    use crate::design::Design;
    use crate::replay::replay;

    #[test]
    fn a_way_to_rest_is_found_if_there_is_one() {
        let text = "[consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
             [application]\norder = \"process -> commit\"\n\
             on-process-failure = { attempts = 1, then = \"retry-topic\" }\n\
             [faults]\npoison = 1\n[bounds]\nrecords = 1\n";
        let design = Design::parse("retried.toml", text.as_bytes()).expect("a design");
        let cluster = Cluster::new(design.pipeline().clone()).expect("it is small");
        let cluster = cluster.for_telling();
        let verdicts = check(&design, &CheckOptions::default()).expect("it is small");
        let trace = verdicts
            .of(Guarantee::Progress)
            .trace()
            .expect("it goes round for ever");
        let endless = replay(trace).expect("it can be replayed");
        let in_loop = endless.steps().last().expect("steps").after().clone();
        assert_eq!(
            comes_to_rest(&cluster, endless.start().clone(), MOST_STATES),
            Some(true)
        );
        assert_eq!(
            comes_to_rest(&cluster, in_loop.clone(), MOST_STATES),
            Some(false)
        );
        assert_eq!(
            comes_to_rest(&cluster, in_loop, 3),
            None,
            "within so few states"
        );
    }
}
