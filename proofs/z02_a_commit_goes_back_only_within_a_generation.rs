//! **The coordinator refuses the commit of a zombie; within a generation it refuses nothing, and a
//! commit may take the group back.**
//!
//! A commit carries the generation in which its sender read. One of an older generation is refused,
//! so whatever a consumer does that was put out of the group, it does not move the group. The
//! offset itself is compared with nothing: a member's own older commit, repeated or late, takes the
//! group back to records that are done, and the next owner handles them again. Three ways:
//! - an application that keeps the offset of a failed commit and repeats it later, after a newer one
//!   went through (spring-kafka did, until 3.1.4: its issue 3186);
//! - a commit that was held up on the way, and arrives after a newer one;
//! - a client that joins again behind the application's back, and commits for the records of its
//!   former generation under its new one (Java, consumer protocol, no listener).
//!
//! "Goes back" is checked on every step of every run, not only where a guarantee breaks: a repeat
//! breaks `no-duplicates` in at-least-once designs anyhow.
//!
//! Proved: no commit goes back, for process-then-commit with Java clients, an idempotent producer,
//! one partition with one replica, two consumers, 2 records, and at most 2 of the faults consumer
//! crash, consumer pause, slow processing and rebalance.

use crate::support::{GROUP_SITUATIONS, changed, consumer_protocol, judge, with_faults};
use semel::Guarantee;
use semel::design::Design;
use semel_models::action::Action;
use semel_models::cluster::{Cluster, Reductions, State};
use semel_models::limbo::Late;
use semel_models::offset::NextOffset;
use stateright::Model;
use std::collections::HashSet;

const COMMITS: &str = r#"
client = "java"

[producer]
acks = "all"
enable.idempotence = true

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
instances = 2
order = "process -> commit"

[sink]
effect = "add"

[faults]
consumer-crash = 1
consumer-pause = 1
slow-processing = 1
rebalance = 1
total = 2

[bounds]
records = 2
"#;

/// Visits each step of each run; returns how many states there are.
fn each_step(cluster: &Cluster, visit: &mut impl FnMut(&State, Action, &State)) -> usize {
    let mut open = cluster.init_states();
    let mut known: HashSet<State> = open.iter().cloned().collect();
    while let Some(state) = open.pop() {
        let mut actions = Vec::new();
        cluster.actions(&state, &mut actions);
        for action in actions {
            let Some(next) = cluster.next_state(&state, action) else {
                continue;
            };
            visit(&state, action, &next);
            if known.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    known.len()
}

fn committed(state: &State) -> Option<NextOffset> {
    state.group.committed.map(|position| position.next)
}

/// Whether some step takes the group's committed offset back, and how many states there are.
fn goes_back(design: &str) -> (bool, usize) {
    let design = Design::parse("theorem.toml", design.as_bytes()).expect("a design");
    let cluster = Cluster::new(design.pipeline().clone()).expect("a bound that the model holds");
    // With the committed offset where no later step depends on it, too.
    let cluster = cluster.for_telling();
    let mut back = false;
    let states = each_step(&cluster, &mut |state, _, next| {
        back |= committed(next) < committed(state);
    });
    (back, states)
}

#[test]
fn no_zombie_takes_the_group_back() {
    assert_eq!(goes_back(COMMITS), (false, 7_320));
    judge(COMMITS)
        .holds(Guarantee::NoLoss)
        .reached_all(&GROUP_SITUATIONS)
        .reached("a commit of a consumer that was put out of the group arrives")
        .explored(5_566, 17_638);
}

#[test]
fn a_late_commit_takes_the_group_back_as_long_as_the_generation_lasts() {
    let late = with_faults(COMMITS, "rebalance = 1\nrequest-delayed.offset-commit = 1");
    let steps = [
        "The application sends r0.",
        "The application sends r1.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The producer puts r1 on the wire.",
        "The broker appends r1 at offset 1.",
        "A poll of A returns r0 (offset 0) and r1 (offset 1).",
        "A: process: the effect of r0 takes place.",
        "The commit request is held up and times out; the application will commit again.",
        "A: commit: the group's committed offset is 1.",
        "A: process: the effect of r1 takes place.",
        "A: commit: the group's committed offset is 2.",
        "The late commit of offset 1 reaches the group coordinator and is taken.",
        "The group rebalances: B gets the partition and reads from offset 1 (the committed offset).",
        "A poll of B returns r1 (offset 1; its effect already took place).",
        "B: process: the effect of r1 takes place a second time.",
    ];
    let end = "r1: the effect took place twice.";
    judge(&late)
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .reached("a late request arrives")
        .explored(285, 615);
    assert!(goes_back(&late).0);
}

/// Without reductions: they would take such a commit away before it arrives.
#[test]
fn a_late_commit_of_an_older_generation_is_refused() {
    let late = with_faults(COMMITS, "rebalance = 1\nrequest-delayed.offset-commit = 1");
    let design = Design::parse("theorem.toml", late.as_bytes()).expect("a design");
    let cluster = Cluster::with_reductions(design.pipeline().clone(), Reductions::NONE)
        .expect("a bound that the model holds");
    let mut arrived = 0;
    let states = each_step(&cluster, &mut |state, action, next| {
        if let Action::LateArrives(slot) = action
            && let Late::Commit { generation, .. } = state.limbo.requests[usize::from(slot)]
            && generation < state.group.generation
        {
            arrived += 1;
            assert_eq!(committed(state), committed(next));
        }
    });
    assert_eq!((states, arrived), (945, 54));
}

#[test]
fn a_failed_commit_that_is_repeated_later_takes_the_group_back() {
    let commits = with_faults(COMMITS, "rebalance = 1\nrequest-lost.offset-commit = 1");
    judge(&commits)
        .holds(Guarantee::NoDuplicates)
        .reached("request-lost.offset-commit")
        .explored(194, 408);
    assert!(!goes_back(&commits).0);

    let saved = changed(
        &commits,
        "[application]",
        "[application]\non-commit-failure = \"retry-saved\"",
    );
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The application sends r1.",
        "The producer puts r1 on the wire.",
        "The broker appends r0 at offset 0.",
        "The broker appends r1 at offset 1.",
        "A poll of A returns r0 (offset 0) and r1 (offset 1).",
        "A: process: the effect of r0 takes place.",
        "The commit request is lost; the application keeps the offset for later and goes on.",
        "A: process: the effect of r1 takes place.",
        "A: commit: the group's committed offset is 2.",
        "The group rebalances: A is to give the partition up.",
        "A: Before it leaves, the application repeats the commit that failed: offset 1; B gets the partition and reads from offset 1 (the committed offset).",
        "A poll of B returns r1 (offset 1; its effect already took place).",
        "B: process: the effect of r1 takes place a second time.",
    ];
    let end = "r1: the effect took place twice.";
    judge(&saved)
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .holds(Guarantee::NoLoss)
        .explored(271, 536);
    assert!(goes_back(&saved).0);
}

#[test]
fn a_client_that_joins_again_behind_the_applications_back_commits_what_it_read_before() {
    let paused = with_faults(COMMITS, "consumer-pause = 1");
    assert!(!goes_back(&paused).0);
    assert!(goes_back(&consumer_protocol(&paused, "4.1")).0);
}
