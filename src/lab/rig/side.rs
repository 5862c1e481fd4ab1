//! The two topics of a design, of which the model has the second in the place of the first
//! (`models/src/cluster/output_topic.rs`): what is done to one on the disk is done to the other.

use semel_models::cluster::{Cluster, State};
use semel_models::pipeline::Pipeline;
use semel_models::replication::Replication;
use semel_models::transaction_coordinator::Part;

/// On which side of the consumers a topic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The first topic, which they read.
    Input,
    /// The output topic, where faults can strike it.
    Output,
}

impl Side {
    pub(crate) const BOTH: [Side; 2] = [Side::Input, Side::Output];

    /// What its partition is to a transaction.
    pub(crate) fn part(self) -> Part {
        match self {
            Side::Input => Part::Input,
            Side::Output => Part::Output,
        }
    }

    /// The replicas of the topic in a state, where they are told apart.
    pub(crate) fn replication(self, state: &State) -> Option<&Replication> {
        match self {
            Side::Input => state.replication.as_deref(),
            Side::Output => {
                let log = state.output.as_deref()?.log.as_deref()?;
                Some(&log.replication)
            }
        }
    }

    /// The topic and the producer that writes to it, as a pipeline.
    pub(crate) fn pipeline(self, cluster: &Cluster) -> &Pipeline {
        match self {
            Side::Input => cluster.pipeline(),
            Side::Output => cluster.output_topic().unwrap_or(cluster).pipeline(),
        }
    }
}
