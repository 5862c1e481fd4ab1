//! Runs on two replicas, step by step.

use super::pipeline;
use semel_models::action::{Action, ReplicaStep, ReplicaStrike, Strike, Target};
use semel_models::cluster::{Cluster, State};
use semel_models::fault::Fault;
use semel_models::pipeline::{Pipeline, ReplicationSettings};
use semel_models::replication::{Members, Replication};
use stateright::Model;

/// A run under way on two replicas, 0 and 1, each with the number that it began with.
pub struct Run {
    /// The model.
    pub cluster: Cluster,
    /// Where it has come to.
    pub state: State,
}

impl Run {
    pub fn of(faults: &[Fault]) -> Run {
        Run::with(faults, |_| {})
    }

    /// The same, with something else about the pipeline.
    pub fn with(faults: &[Fault], change: impl Fn(&mut Pipeline)) -> Run {
        let mut pipeline = pipeline(faults);
        pipeline.topic.replication = ReplicationSettings {
            replicas: 2,
            ..ReplicationSettings::ONE
        };
        pipeline.faults.total = Some(3);
        for (_, own) in &mut pipeline.faults.entries {
            *own = 2;
        }
        change(&mut pipeline);
        let cluster = Cluster::for_running(pipeline).expect("it is");
        let state = cluster.init_states().remove(0);
        Run { cluster, state }
    }

    pub fn strikes(&self) -> Vec<Strike> {
        let struck = |action| match action {
            Action::Fault { strike, .. } => Some(strike),
            _ => None,
        };
        let strikes = self.cluster.strikes(&self.state);
        strikes.into_iter().filter_map(struck).collect()
    }

    pub fn take(&mut self, is: impl Fn(Action) -> bool) {
        let mut actions = self.cluster.steps(&self.state);
        actions.extend(self.cluster.strikes(&self.state));
        let action = actions.into_iter().find(|action| is(*action));
        let action = action.unwrap_or_else(|| panic!("not enabled in {:#?}", self.state));
        let next = self.cluster.next_state(&self.state, action);
        self.state = next.expect("the step changes something");
    }

    pub fn step(&mut self, wanted: Action) {
        self.take(|action| action == wanted);
    }

    pub fn strike(&mut self, wanted: Strike) {
        self.take(|action| matches!(action, Action::Fault { strike, .. } if strike == wanted));
    }

    pub fn replica(&mut self, who: u16, does: ReplicaStep) {
        self.step(Action::Replica { who, does });
    }

    pub fn lead(&mut self, who: u16) {
        let how = ReplicaStrike::Lead;
        self.strike(Strike::Replica { who, how });
    }

    /// The first record is sent, and its request comes late.
    pub fn delay(&mut self) {
        self.step(Action::Send(0));
        self.step(Action::Transmit);
        self.strike(Strike::Delay(Target::Produce));
    }

    /// What is at the front of the queue is sent to 0 and appended there.
    pub fn append(&mut self) {
        self.step(Action::Transmit);
        self.replica(0, ReplicaStep::HandleProduce);
    }

    /// 1 has what 0 has, and 0 knows it.
    pub fn replicate(&mut self) {
        self.replica(1, ReplicaStep::Fetch);
        self.replica(1, ReplicaStep::Fetch);
    }

    pub fn replication(&self) -> &Replication {
        self.state.replication.as_deref().expect("two replicas")
    }

    /// Where the logs end.
    pub fn ends(&self) -> [u16; 2] {
        [0, 1].map(|who| self.replication().replica(who).broker.log_end())
    }

    /// Where the logs begin.
    pub fn starts(&self) -> [u16; 2] {
        [0, 1].map(|who| self.replication().replica(who).broker.log_start())
    }

    /// Who knows the producer.
    pub fn knowing(&self) -> [bool; 2] {
        [0, 1].map(|who| self.replication().replica(who).broker.knows(0))
    }
}

/// This broker alone.
pub fn only(who: u16) -> Members {
    Members::default().with(who)
}
