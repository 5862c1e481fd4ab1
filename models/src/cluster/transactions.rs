//! The producer's transactions: the calls to the coordinator, and the faults of both.
//!
//! **Beside output producers that have transactions, too** (`output_transactions.rs`). The coordinator keeps
//! each transactional id apart, with a producer id, an epoch, a timeout and a transaction of its own
//! (`TransactionStateManager`, one `TransactionMetadata` an id), and each request says which it is of
//! (`AddPartitionsToTxn`, `EndTxn`, `InitProducerId`, and `VerifyTxn` of a partition's leader): nothing that
//! ends or fences the one touches the other, and so their states and late requests are apart here. They meet
//! in the first topic's log: a consumer is given what its isolation level lets it, and commits the offset
//! behind the last record that it has handled, where a marker may lie. A fault of a call that both make may
//! strike either, and so may a timeout. Where they have one coordinator, or two brokers that are coordinators,
//! makes no difference to any of this, as long as none of them moves.

use super::faults::strike_everywhere;
use super::{Cluster, State};
use crate::action::{Action, Strike, Target};
use crate::broker::{NotInTransaction, Stamp};
use crate::fault::Call;
use crate::ledger::Ledger;
use crate::limbo::Late;
use crate::partitions::OtherPartition;
use crate::pipeline::Pipeline;
use crate::producer::transactions::{Added, Stage, Transactions};
use crate::producer::{Answer, Producer};
use crate::transaction_coordinator::{CoordinatorAnswer, Outcome, Part};

impl Cluster {
    /// Whether the producer's side has something left to do, or to lose in a crash.
    pub(super) fn upstream_is_busy(&self, state: &State) -> bool {
        let own = |transactions: &Transactions| transactions.is_busy();
        state.producer.is_busy(&state.database, &self.pipeline)
            || state.other.as_deref().is_some_and(OtherPartition::is_busy)
            || state.transactions.as_deref().is_some_and(own)
    }

    /// Adds the enabled steps of a transactional producer and its coordinator.
    pub(super) fn transaction_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let Some(transactions) = state.transactions.as_deref() else {
            return;
        };
        let (producer, pipeline) = (&state.producer, &self.pipeline);
        actions.extend(
            transactions
                .next_to_send(producer, pipeline)
                .map(Action::Send),
        );
        if self.limits.commits_early && transactions.commits_early(producer, pipeline) {
            actions.push(Action::CommitTransaction);
        }
        if let Some(call) = self.coordinator_call(state) {
            actions.push(match call {
                CoordinatorCall::Initialize => Action::InitProducerId,
                CoordinatorCall::Add => Action::AddPartitions,
                CoordinatorCall::End(_) => Action::EndTransaction,
            });
        }
        if self.writes_marker(state) {
            actions.push(Action::WriteMarker);
        }
        if transactions.is_forgotten() && self.pipeline.producer.transactions_time_out {
            actions.push(Action::TimeOutTransaction);
        }
    }

    /// The call that the producer's client makes next.
    pub(super) fn coordinator_call(&self, state: &State) -> Option<CoordinatorCall> {
        let transactions = state.transactions.as_deref()?;
        if transactions.initializes() {
            Some(CoordinatorCall::Initialize)
        } else if transactions.adds(&self.pipeline) {
            Some(CoordinatorCall::Add)
        } else {
            let outcome = transactions.ends(&state.producer, &self.pipeline)?;
            Some(CoordinatorCall::End(outcome))
        }
    }

    /// Takes a step of a transactional producer or its coordinator.
    pub(super) fn transaction_step(&self, state: &mut State, action: Action) {
        match action {
            Action::InitProducerId | Action::AddPartitions | Action::EndTransaction => {
                self.call_coordinator(state);
            }
            Action::CommitTransaction => {
                if let Some(transactions) = state.transactions.as_deref_mut() {
                    transactions.stage = Stage::Flushing;
                }
            }
            Action::WriteMarker => self.write_marker(state),
            Action::TimeOutTransaction => self.time_out_transaction(state),
            Action::CommitUpstream(_)
            | Action::Mark(_)
            | Action::Send(_)
            | Action::SendToOther(_)
            | Action::Transmit
            | Action::HandleProduce
            | Action::ReceiveAnswer
            | Action::Expire
            | Action::FailTooLate
            | Action::OutputTransaction { .. }
            | Action::OutputTopic { .. }
            | Action::ReadResult
            | Action::LearnLeader
            | Action::Replica { .. }
            | Action::LearnPartition
            | Action::OtherPartition(_)
            | Action::Consumer { .. }
            | Action::LateArrives(_)
            | Action::Fault { .. } => unreachable!("not a step of transactions"),
        }
    }

    /// The client's next call, answered.
    fn call_coordinator(&self, state: &mut State) {
        let Some(call) = self.coordinator_call(state) else {
            return;
        };
        let answer = match call {
            CoordinatorCall::End(_) if self.ends_by_itself(state) => CoordinatorAnswer::Done,
            call => self.ask_coordinator(state, self.request(state, call)),
        };
        let Some((producer, transactions, ledger)) = transactional(state) else {
            return;
        };
        let pipeline = &self.pipeline;
        match (answer, call) {
            (answer, _) if Transactions::is_fatal(answer) => {
                producer.fail_for_good(transactions, pipeline, ledger);
            }
            (CoordinatorAnswer::Done, CoordinatorCall::Initialize) => {
                producer.initialized(transactions, pipeline, ledger);
            }
            (CoordinatorAnswer::Done, CoordinatorCall::Add) => transactions.added = Added::Yes,
            (CoordinatorAnswer::Done, CoordinatorCall::End(outcome)) => {
                producer.transaction_ended(outcome, transactions, pipeline, ledger);
            }
            // To be called again, as before.
            (_, _) => {}
        }
    }

    pub(super) fn ends_by_itself(&self, state: &State) -> bool {
        let own = |transactions: &Transactions| transactions.ends_by_itself(&self.pipeline);
        state.transactions.as_deref().is_some_and(own)
    }

    /// The request of a call.
    fn request(&self, state: &State, call: CoordinatorCall) -> Late {
        let (producer, pipeline) = (&state.producer, &self.pipeline);
        let epoch = Transactions::epoch(producer, pipeline);
        match call {
            CoordinatorCall::Initialize => Late::InitProducerId {
                expected: state
                    .transactions
                    .as_deref()
                    .and_then(|transactions| transactions.expected(producer, pipeline)),
            },
            CoordinatorCall::Add => Late::AddPartitions { epoch },
            CoordinatorCall::End(outcome) => Late::EndTransaction { epoch, outcome },
        }
    }

    /// A request reaches the coordinator, in time or late.
    pub(super) fn ask_coordinator(&self, state: &mut State, request: Late) -> CoordinatorAnswer {
        let Some((producer, transactions, ledger)) = transactional(state) else {
            return CoordinatorAnswer::InvalidProducerIdMapping;
        };
        let rules = &self.pipeline.rules.transactions;
        let before = transactions.id.phase;
        let answer = match request {
            Late::InitProducerId { expected } => transactions.id.initialize(expected, rules),
            Late::AddPartitions { epoch } => transactions.id.add(epoch, Part::Input),
            Late::EndTransaction { epoch, outcome } => {
                transactions.id.end(epoch, outcome, rules.version)
            }
            Late::Produce { .. }
            | Late::Commit { .. }
            | Late::Output { .. }
            | Late::Result { .. }
            | Late::Call { .. } => {
                unreachable!("not a request of the upstream to the transaction coordinator")
            }
        };
        transactions.settle(before, producer, ledger);
        answer
    }

    /// The coordinator times the open transaction out.
    pub(super) fn time_out_transaction(&self, state: &mut State) {
        if let Some((producer, transactions, ledger)) = transactional(state) {
            let before = transactions.id.phase;
            transactions.id.time_out(&self.pipeline.rules.transactions);
            transactions.settle(before, producer, ledger);
        }
    }

    /// A produce request of a transactional producer reaches the broker. While the end of the
    /// transaction before is prepared there is no answer: broker and client try again, which costs
    /// the record time and nothing else (`ReplicaManager`, retry-add-partitions-to-txn).
    pub(super) fn append_in_transaction(
        &self,
        state: &mut State,
        record: u16,
        stamp: Option<Stamp>,
    ) -> Option<Answer> {
        let Some((transactions, stamp)) = state.transactions.as_deref_mut().zip(stamp) else {
            return Some(Answer::NotInTransaction);
        };
        let Pipeline { topic, rules, .. } = &self.pipeline;
        let id = (&mut transactions.id, Part::Input);
        let appended = state
            .broker
            .append_in_transaction(record, stamp, id, topic, rules);
        match appended {
            Ok(result) => Some(result.into()),
            Err(reason) => not_in_transaction(reason),
        }
    }

    /// The same up to the append, at broker `who` of several. `Ok`: the record may be appended.
    pub(super) fn join_transaction_at(
        &self,
        state: &mut State,
        who: u16,
        stamp: Option<Stamp>,
    ) -> Result<(), Option<Answer>> {
        let Some(transactions) = state.transactions.as_deref_mut() else {
            return Ok(());
        };
        let (Some(replication), Some(stamp)) = (&state.replication, stamp) else {
            return Err(Some(Answer::NotInTransaction));
        };
        let id = (&mut transactions.id, self.part);
        let broker = &replication.replica(who).broker;
        match broker.join_transaction(stamp, id, &self.pipeline.rules) {
            Ok(None) => Ok(()),
            Ok(Some(refused)) => Err(Some(refused.into())),
            Err(reason) => Err(not_in_transaction(reason)),
        }
    }

    /// Adds the faults of transactions.
    pub(super) fn transaction_faults(&self, state: &State, add: &mut impl FnMut(Strike)) {
        let Some(transactions) = state.transactions.as_deref() else {
            return;
        };
        if transactions.can_abort() {
            add(Strike::Abort);
        }
        let times_out = self.pipeline.producer.transactions_time_out;
        if times_out && transactions.id.can_time_out() && transactions.stage != Stage::Starting {
            add(Strike::TransactionTimeout);
        }
        if let Some(call) = self.coordinator_call(state)
            && !self.ends_by_itself(state)
        {
            let target = Target::Coordinator(call.name());
            strike_everywhere(target, add);
            // What the other calls do at the coordinator, the next process does anew.
            if let CoordinatorCall::End(_) = call {
                add(Strike::ProducerCrashAtEnd);
            }
        }
    }

    /// The application aborts its transaction.
    pub(super) fn abort_transaction(&self, state: &mut State) {
        if let Some((producer, transactions, ledger)) = transactional(state) {
            producer.abort_transaction(transactions, &self.pipeline, ledger);
        }
    }

    /// The answer to the client's call is lost: the coordinator has acted.
    pub(super) fn lose_coordinator_answer(&self, state: &mut State) {
        if let Some(call) = self.coordinator_call(state) {
            self.ask_coordinator(state, self.request(state, call));
            self.does_not_know(state, call);
        }
    }

    /// The client gives the connection of its call up, and the request arrives later.
    pub(super) fn delay_coordinator_call(&self, state: &mut State) {
        if let Some(call) = self.coordinator_call(state) {
            state.limbo.add(self.request(state, call));
            self.does_not_know(state, call);
        }
    }

    /// The client does not know what became of its call, and will make it again.
    fn does_not_know(&self, state: &mut State, call: CoordinatorCall) {
        let Some(transactions) = state.transactions.as_deref_mut() else {
            return;
        };
        match call {
            CoordinatorCall::Initialize | CoordinatorCall::End(Outcome::Abort) => {}
            CoordinatorCall::Add => transactions.added = Added::Asked,
            CoordinatorCall::End(Outcome::Commit) => transactions.stage = Stage::Committing,
        }
    }

    /// The process of a transactional producer dies and starts again.
    pub(super) fn crash_transactional(&self, state: &mut State) {
        if let Some((producer, transactions, ledger)) = transactional(state) {
            producer.restart_transactional(transactions, &self.pipeline, ledger);
        }
    }

    /// After a step of the producer's side: what was sent belongs to its transaction.
    pub(super) fn follow_up_transaction(&self, state: &mut State, action: Action) {
        if let (Action::Send(record), Some(transactions)) =
            (action, state.transactions.as_deref_mut())
        {
            transactions.sent(record);
        }
        self.fail_transaction(state);
    }

    /// A delivery that failed fails its transaction.
    pub(super) fn fail_transaction(&self, state: &mut State) {
        if let Some((producer, transactions, ledger)) = transactional(state) {
            producer.fail_transaction(transactions, &self.pipeline, ledger);
        }
    }
}

/// What the leader answers to a record that is not part of a transaction; `None`: nothing yet.
fn not_in_transaction(reason: NotInTransaction) -> Option<Answer> {
    match reason {
        NotInTransaction::NotAdded => Some(Answer::NotInTransaction),
        NotInTransaction::Concurrent => None,
    }
}

/// A transactional producer, what goes with its transactions, and the ledger.
fn transactional(state: &mut State) -> Option<(&mut Producer, &mut Transactions, &mut Ledger)> {
    let State {
        producer,
        ledger,
        transactions,
        ..
    } = state;
    Some((producer, transactions.as_deref_mut()?, ledger))
}

/// A call of the producer's client to the transaction coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CoordinatorCall {
    /// InitProducerId.
    Initialize,
    /// AddPartitionsToTxn.
    Add,
    /// EndTxn.
    End(Outcome),
}

impl CoordinatorCall {
    fn name(self) -> Call {
        match self {
            CoordinatorCall::Initialize => Call::InitProducerId,
            CoordinatorCall::Add => Call::AddPartitions,
            CoordinatorCall::End(_) => Call::EndTxn,
        }
    }
}
