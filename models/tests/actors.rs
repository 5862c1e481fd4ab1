//! The actors of Stateright's `ActorModel` and the cluster reach the same final ledgers.

mod common;

use common::{covered, hosts};
use proptest::prelude::*;
use semel_models::actors::covers;

/// A pipeline that takes more than this many states is left out.
const LIMIT: usize = 60_000;

fn disputed(pipeline: &semel_models::pipeline::Pipeline) -> bool {
    pipeline.sink.version_guard
        && pipeline.consumer.order.contains(semel_models::order::Step::SaveOffset)
        && pipeline.faults.contains(semel_models::fault::Fault::SinkAnswerLost)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(std::env::var("CASES").map_or(48, |n| n.parse().unwrap())) })]

    #[test]
    fn both_hosts_reach_the_same_final_ledgers_of_random_pipelines(
        pipeline in covered::pipelines().prop_filter("covered", |p| covers(p) && !disputed(p)),
    ) {
        let actors = hosts::of_actors(&pipeline, LIMIT);
        if let Some((actors, _)) = actors {
            let cluster = hosts::of_cluster(&pipeline);
            let difference = hosts::difference(&cluster, &actors);
            prop_assert!(difference.is_none(), "{}", difference.unwrap_or_default());
        }
    }
}
