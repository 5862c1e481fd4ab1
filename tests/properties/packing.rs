//! What is stored of a state, and the state.

use proptest::prelude::*;
use semel::Design;
use semel_models::cluster::Cluster;
use semel_models::subject::Subject;
use stateright::Model;
use std::collections::{HashSet, VecDeque};

use crate::designs::{
    Brokers, Chain, any_chain, any_cleaned, any_partitions, any_recreated, any_replicas,
    any_results, any_struck_chain, any_transactions,
};
use crate::trials::{Trial, too_large, try_designs, try_kind};

/// How many states of a design are looked at.
const LOOKED_AT: usize = 2000;

/// Whether the first states of a design are read back as they were stored.
fn reads_back(design: &Design) -> Trial {
    let cluster = Cluster::new(design.pipeline().clone()).map_err(|_| too_large())?;
    let mut words = vec![0; cluster.words()];
    let mut seen: HashSet<_> = cluster.init_states().into_iter().collect();
    let mut waiting: VecDeque<_> = seen.iter().cloned().collect();
    while let Some(state) = waiting.pop_front() {
        cluster.pack(&mut state.clone(), &mut words);
        prop_assert_eq!(&cluster.unpack(&words), &state);
        let mut actions = Vec::new();
        cluster.actions(&state, &mut actions);
        for next in actions
            .into_iter()
            .filter_map(|action| cluster.next_state(&state, action))
        {
            if seen.len() < LOOKED_AT && seen.insert(next.clone()) {
                waiting.push_back(next);
            }
        }
    }
    Trial::Ok(())
}

#[test]
fn a_state_is_read_back_as_it_was_stored() {
    try_designs(80, reads_back);
    try_kind(30, any_transactions(Brokers::MayLoseThem), reads_back);
    try_kind(30, any_results(Brokers::MayLoseThem), reads_back);
    try_kind(40, any_replicas(), reads_back);
    try_kind(15, any_cleaned(), reads_back);
    try_kind(20, any_recreated(), reads_back);
    try_kind(30, any_chain(Chain::Any), reads_back);
    try_kind(15, any_struck_chain(Brokers::MayLoseThem), reads_back);
}

#[test]
fn so_is_a_state_with_two_partitions() {
    try_kind(60, any_partitions().prop_map(|pair| pair.two), reads_back);
}
