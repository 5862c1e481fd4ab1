//! Whether a run that was taken to its end violates its guarantee.

use super::Outcome;
use crate::trace::violation;
use semel_models::action::Action;
use semel_models::cluster::{Cluster, State};
use semel_models::guarantee::Guarantee;
use semel_models::subject::Subject;
use stateright::Model;
use std::collections::HashSet;

/// How many states are searched for a way out of a loop.
const MOST_STATES: usize = 1 << 20;

/// How often a loop is gone round until it comes to a state again. What a run is told with, such as
/// committed offsets that nobody will read, may settle in the first rounds only.
const MOST_ROUNDS: usize = 16;

/// Judges the run through `states` by `actions`; `loops_from`: how many steps stand before its loop.
pub(super) fn judge(
    cluster: &Cluster,
    guarantee: Guarantee,
    states: &[State],
    actions: &[Action],
    loops_from: Option<usize>,
) -> Outcome {
    let end = &states[states.len() - 1];
    let before = &states[states.len().saturating_sub(2)];
    let as_recorded = || Outcome::AsRecorded {
        violation: violation(cluster, guarantee, before, end, loops_from),
    };
    let not_violated = |why: &str| Outcome::NotViolated { why: why.into() };
    if let Some(from) = loops_from {
        if actions[from..]
            .iter()
            .any(|action| cluster.is_fault(action))
        {
            return not_violated("the loop spends a fault in every round, so it ends.");
        }
        if !returns(cluster, states[from], *end, &actions[from..]) {
            return not_violated("the loop does not lead back to where it began.");
        }
        return match comes_to_rest(cluster, *end, MOST_STATES) {
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

/// Whether going round by `actions` leads back to a state of before; it was gone round once, from
/// `start` to `end`.
fn returns(cluster: &Cluster, start: State, end: State, actions: &[Action]) -> bool {
    let mut met = vec![start];
    let mut here = Some(end);
    for _ in 0..MOST_ROUNDS {
        match here {
            Some(state) if met.contains(&state) => return true,
            Some(state) => met.push(state),
            None => return false,
        }
        here = here.and_then(|state| go_round(cluster, state, actions));
    }
    false
}

fn go_round(cluster: &Cluster, start: State, actions: &[Action]) -> Option<State> {
    actions.iter().try_fold(start, |state, action| {
        let mut enabled = Vec::new();
        cluster.actions(&state, &mut enabled);
        let next = enabled.contains(action).then_some(*action)?;
        cluster.next_state(&state, next)
    })
}

/// Whether a run from `start` can come to rest without a fault; `None`: not found out within
/// `limit` states.
fn comes_to_rest(cluster: &Cluster, start: State, limit: usize) -> Option<bool> {
    let packed = |state: &State| {
        let mut words = vec![0; cluster.words()].into_boxed_slice();
        cluster.pack(state, &mut words);
        words
    };
    let mut met = HashSet::from([packed(&start)]);
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
            if met.insert(packed(&state)) {
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
    use crate::design::Design;

    /// A record that cannot be handled: without it every run ends, and with it none does.
    fn blocked() -> Cluster {
        let text = "[consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
             [application]\norder = \"process -> commit\"\n\
             on-process-failure = { attempts = 1, then = \"block\" }\n\
             [faults]\npoison = 1\n[bounds]\nrecords = 1\n";
        let design = Design::parse("blocked.toml", text.as_bytes()).expect("a design");
        Cluster::new(design.pipeline().clone())
            .expect("it is small")
            .for_telling()
    }

    fn start(poisoned: u8) -> (Cluster, State) {
        let cluster = blocked();
        let mut start = cluster.init_states()[0];
        start.poisoned = poisoned;
        (cluster, start)
    }

    #[test]
    fn a_way_to_rest_is_found_if_there_is_one() {
        let (cluster, healthy) = start(0);
        assert_eq!(comes_to_rest(&cluster, healthy, MOST_STATES), Some(true));
        let (cluster, poisoned) = start(1);
        assert_eq!(comes_to_rest(&cluster, poisoned, MOST_STATES), Some(false));
    }

    #[test]
    fn a_search_that_meets_its_limit_decides_nothing() {
        let (cluster, poisoned) = start(1);
        assert_eq!(comes_to_rest(&cluster, poisoned, 3), None);
    }

    #[test]
    fn a_way_that_does_not_lead_back_is_no_loop() {
        let (cluster, start) = start(0);
        let sent = cluster
            .next_state(&start, Action::Send(0))
            .expect("enabled");
        assert!(!returns(&cluster, start, sent, &[Action::Send(0)]));
        assert!(returns(&cluster, start, start, &[Action::Send(0)]));
    }
}
