//! The producer's side: its steps, and the faults that strike it.

use super::{Cluster, State};
use crate::action::{Action, Strike, Target};
use crate::broker::Stamp;
use crate::limbo::Late;
use crate::partitions::Partition;
use crate::pipeline::{Acks, Pipeline, Source};
use crate::producer::transactions::Transactions;
use crate::producer::{Answer, Batch, Producer};

impl Cluster {
    /// Adds the enabled steps of the producer's side that are not faults.
    pub(super) fn producer_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let (producer, database) = (&state.producer, &state.database);
        self.database_actions(state, actions);
        if let Some(record) = producer.next_to_send(database, &self.pipeline) {
            self.sends(state, record, actions);
        }
        self.transmission_actions(state, actions);
    }

    /// Adds the enabled steps of what was sent to one partition.
    pub(super) fn transmission_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let producer = &state.producer;
        let may_transmit = |transactions: &Transactions| transactions.may_transmit(&self.pipeline);
        if self.transmits_to(state).is_some()
            && state.transactions.as_deref().is_none_or(may_transmit)
        {
            actions.push(Action::Transmit);
        }
        let alone = state.replication.is_none();
        if alone && producer.first_unhandled().is_some() {
            actions.push(Action::HandleProduce);
        }
        if alone
            && producer
                .flights
                .first()
                .is_some_and(|flight| flight.answer.is_sent())
        {
            actions.push(Action::ReceiveAnswer);
        }
        // A fatal client transmits nothing any more, so the timeout ends every send.
        if producer
            .next_to_expire(&self.pipeline)
            .filter(|oldest| self.expires_first(state, oldest))
            .is_some_and(|oldest| {
                oldest.doubtful || producer.librdkafka.fatal && producer.queue.contains(&oldest)
            })
        {
            actions.push(Action::Expire);
        }
        let too_late = producer.next_to_fail_too_late(&self.pipeline);
        if too_late.is_some_and(|oldest| self.expires_first(state, &oldest)) {
            actions.push(Action::FailTooLate);
        }
    }

    /// Whether nothing that was sent to another partition expires before this.
    fn expires_first(&self, state: &State, oldest: &Batch) -> bool {
        let other = state.other.as_deref();
        let elsewhere = other.and_then(|other| other.next_to_expire(&self.pipeline));
        elsewhere.is_none_or(|elsewhere| oldest.created < elsewhere.created)
    }

    fn database_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let (producer, database) = (&state.producer, &state.database);
        let open = database.open(self.pipeline.bounds.records);
        match self.pipeline.producer.source {
            Source::Memory | Source::Transaction { .. } => {}
            Source::Outbox { .. } => {
                actions.extend(open.map(Action::CommitUpstream));
                let marked = producer.next_to_mark(database, &self.pipeline);
                actions.extend(marked.map(Action::Mark));
            }
            Source::DualWrite(_) => {
                let committed = producer.next_to_commit(database, &self.pipeline);
                actions.extend(committed.map(Action::CommitUpstream));
            }
        }
    }

    /// Takes a step of the producer's side that is not a fault.
    pub(super) fn producer_step(&self, state: &mut State, action: Action) {
        if let Action::SendToOther(record) = action {
            self.move_key(state, record);
        }
        let pipeline = &self.pipeline;
        let (producer, ledger) = (&mut state.producer, &mut state.ledger);
        let database = &mut state.database;
        match action {
            Action::CommitUpstream(record) => {
                Producer::commit_upstream(record, database, pipeline, ledger);
            }
            Action::Mark(row) => database.marked.insert(row),
            Action::Send(record) | Action::SendToOther(record) => {
                producer.publish(record, database, pipeline, ledger);
            }
            Action::Transmit => {
                if let Some(to) = self.transmits_to(state) {
                    state.producer.transmit(to, pipeline, &mut state.ledger);
                }
            }
            Action::HandleProduce => self.handle_produce(state),
            Action::ReceiveAnswer => producer.receive(pipeline, ledger),
            Action::Expire => producer.expire(pipeline, ledger),
            Action::FailTooLate => {
                let transactions = state.transactions.as_deref();
                if transactions.is_some_and(|own| own.takes_numbers_back(pipeline)) {
                    producer.take_back_oldest(pipeline);
                }
                producer.fail_too_late(pipeline, ledger);
            }
            Action::InitProducerId
            | Action::AddPartitions
            | Action::CommitTransaction
            | Action::EndTransaction
            | Action::WriteMarker
            | Action::TimeOutTransaction
            | Action::LearnLeader
            | Action::Replica { .. }
            | Action::LearnPartition
            | Action::OtherPartition(_)
            | Action::Consumer { .. }
            | Action::LateArrives(_)
            | Action::OutputTransaction { .. }
            | Action::OutputTopic { .. }
            | Action::ReadResult
            | Action::Fault { .. } => unreachable!("not a step of the producer's side"),
        }
        self.follow_up_transaction(state, action);
    }

    /// The broker handles the oldest request that it has not handled.
    fn handle_produce(&self, state: &mut State) {
        let Some(index) = state.producer.first_unhandled() else {
            return;
        };
        let flight = state.producer.flights[index];
        if self.limits.transactions {
            let answer = self.append_in_transaction(state, flight.batch.record, flight.wire);
            if let Some(answer) = answer {
                state.producer.handled(index, answer, &self.pipeline);
            }
            return;
        }
        let Pipeline { topic, rules, .. } = &self.pipeline;
        let result = state
            .broker
            .append(flight.batch.record, flight.wire, topic, rules);
        let answer = Answer::from(result);
        if self.limits.answered_offsets {
            state.producer.flights[index].offset = match answer {
                Answer::UnknownProducerId => state.broker.log_start(),
                Answer::Success => {
                    let offset = flight.wire.and_then(|stamp| state.broker.offset_of(stamp));
                    offset.map_or(0, |offset| offset + 1)
                }
                Answer::None
                | Answer::Refused
                | Answer::OutOfOrder
                | Answer::StaleEpoch
                | Answer::Replicating
                | Answer::NotInTransaction => 0,
            };
        }
        state.producer.handled(index, answer, &self.pipeline);
    }

    /// A late produce request reaches the broker that it was sent to; nobody waits for its answer.
    pub(super) fn late_produce_arrives(
        &self,
        state: &mut State,
        record: u16,
        stamp: Option<Stamp>,
        to: u16,
    ) {
        if state.replication.is_some() {
            self.take_request_at(state, to, record, stamp);
            return;
        }
        if self.limits.transactions {
            self.append_in_transaction(state, record, stamp);
            return;
        }
        let Pipeline { topic, rules, .. } = &self.pipeline;
        state.broker.append(record, stamp, topic, rules);
    }

    /// Adds the faults of produce requests and their answers.
    pub(super) fn produce_faults(&self, state: &State, add: &mut impl FnMut(Strike)) {
        self.request_faults(state, Target::Produce, add);
        if self.may_expire_early(state) {
            add(Strike::DeliveryTimeout);
        }
    }

    /// Whether the delivery timeout of a healthy send to the partition may pass.
    pub(super) fn may_expire_early(&self, state: &State) -> bool {
        let next = state.producer.next_to_expire(&self.pipeline);
        next.is_some_and(|oldest| !oldest.doubtful && self.expires_first(state, &oldest))
    }

    /// Adds the faults of the produce requests to one partition, and of their answers.
    pub(super) fn request_faults(
        &self,
        state: &State,
        target: Target,
        add: &mut impl FnMut(Strike),
    ) {
        let producer = &state.producer;
        if producer.first_unhandled().is_some() {
            add(Strike::LoseRequest(target));
            add(Strike::Refuse(target));
            add(Strike::Delay(target));
        }
        if producer.first_answered().is_some() {
            add(Strike::LoseAnswer(target));
        }
    }

    /// Adds the faults of the producer's process and its database, and what time does to the broker.
    pub(super) fn upstream_faults(&self, state: &State, add: &mut impl FnMut(Strike)) {
        let (producer, database) = (&state.producer, &state.database);
        let other = state.other.as_deref();
        let elsewhere = other.and_then(|other| other.next_to_expire(&self.pipeline));
        let here = producer.next_to_expire(&self.pipeline);
        if here.or(elsewhere).is_some() {
            add(Strike::ProducerPause);
        }
        let flights = other.map_or(&[][..], |other| &other.flights);
        if producer.can_miss_answers(flights) {
            add(Strike::ProducerPauseOfRequests);
        }
        if producer.next_to_commit(database, &self.pipeline).is_some() {
            add(Strike::Abort);
        }
        if producer.can_drop_topic(database, &self.pipeline) {
            add(Strike::StaleMetadata);
        }
        if let Some(replication) = &state.replication {
            self.aging_faults(state, replication, add);
        } else {
            for session in 0..=producer.session {
                if self.can_expire(state, session, Partition::First) {
                    add(Strike::ForgetProducer(session));
                }
            }
        }
        if state.replication.is_none() && state.broker.log_start() < state.broker.log_end() {
            add(Strike::Retention);
        }
        if self.limits.gaps && state.replication.is_none() {
            for end in state.broker.cleanable_ends(self.pipeline.bounds.keys) {
                add(Strike::Compaction { end });
            }
        }
    }

    /// Whether a producer id may have been idle for so long that the broker forgets it, and
    /// anything could still arrive that would notice. What the client has outstanding is given up
    /// before, unless the settings say otherwise; a late request knows no time.
    pub(super) fn can_expire(&self, state: &State, session: u16, of: Partition) -> bool {
        let producer = &state.producer;
        let own = |late: &Late| match late {
            Late::Produce {
                stamp, partition, ..
            } => *partition == of && stamp.is_some_and(|stamp| stamp.session == session),
            Late::Commit { .. }
            | Late::Output { .. }
            | Late::Result { .. }
            | Late::Call { .. }
            | Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. } => false,
        };
        let outstanding = !producer.queue.is_empty() || !producer.flights.is_empty();
        let in_time = self.pipeline.producer.id_expires_first || !outstanding;
        let goes_on = session == producer.session && self.upstream_is_busy(state);
        let settings = &self.pipeline.topic.replication;
        let is_known = match &state.replication {
            None => state.broker.knows(session),
            Some(replication) => !replication.who_knows(session, settings).is_empty(),
        };
        is_known
            && (session != producer.session || in_time)
            && (goes_on || state.limbo.requests.iter().any(own))
    }

    /// A fault of the producer's process or its database, or of time, strikes.
    pub(super) fn strike_upstream(&self, state: &mut State, strike: Strike) {
        let pipeline = &self.pipeline;
        let (producer, ledger) = (&mut state.producer, &mut state.ledger);
        match strike {
            Strike::ProducerPause => {
                producer.pause();
                self.in_other(state, |state| state.producer.pause());
            }
            Strike::ProducerPauseOfRequests => {
                producer.pause_until_requests_time_out(pipeline, ledger);
                self.in_other(state, |state| {
                    state
                        .producer
                        .pause_until_requests_time_out(pipeline, &mut state.ledger);
                });
            }
            Strike::StaleMetadata => {
                // A transaction of which something fails is aborted, and adds nothing more.
                let goes_on = producer.queue.is_empty();
                producer.drop_topic(pipeline, ledger);
                if let Some(transactions) = state.transactions.as_deref_mut().filter(|_| goes_on) {
                    transactions.forget_partition();
                }
            }
            Strike::Abort if self.limits.transactions => self.abort_transaction(state),
            Strike::Abort => producer.abort(&state.database, pipeline, ledger),
            Strike::TransactionTimeout => self.time_out_transaction(state),
            Strike::ForgetProducer(session) => state.broker.forget_producer(session),
            Strike::Retention => state.broker.remove_oldest(&pipeline.rules),
            Strike::ForgetAt { session, brokers } => {
                if let Some(replication) = &mut state.replication {
                    replication.forget_producer(session, brokers);
                }
            }
            Strike::RetentionAt { brokers } => {
                if let Some(replication) = &mut state.replication {
                    replication.remove_oldest(brokers, &pipeline.rules);
                }
            }
            Strike::Compaction { end } => state.broker.compact(end, pipeline.bounds.keys),
            Strike::CompactionAt { end, brokers } => {
                if let Some(replication) = &mut state.replication {
                    replication.compact(end, brokers, pipeline);
                }
            }
            Strike::ProducerCrash
            | Strike::ProducerCrashAtEnd
            | Strike::LoseRequest(_)
            | Strike::LoseAnswer(_)
            | Strike::Refuse(_)
            | Strike::Delay(_)
            | Strike::DeliveryTimeout
            | Strike::InOther(_)
            | Strike::BrokerCrash
            | Strike::PowerLoss { .. }
            | Strike::PowerLossAll { .. }
            | Strike::DiskLoss
            | Strike::Replica { .. }
            | Strike::OutputReplica { .. }
            | Strike::EveryReplica { .. }
            | Strike::Rebalance { .. }
            | Strike::CoordinatorFailover { .. }
            | Strike::TransactionCoordinatorFailover(_)
            | Strike::OutputCoordinatorFailover(_)
            | Strike::RecreateTopic(_)
            | Strike::RecreateMissingTopic(_)
            | Strike::RecreateTopicAt { .. }
            | Strike::AddPartition { .. }
            | Strike::OffsetsExpiry
            | Strike::OffsetReset { .. }
            | Strike::DedupExpiry { .. }
            | Strike::ExpireResult { .. }
            | Strike::FailWrite { .. }
            | Strike::OutputTransactionTimeout(_)
            | Strike::Consumer { .. } => unreachable!("not a fault of the producer's side"),
        }
    }

    /// The producer's process dies and starts again.
    pub(super) fn crash_producer(&self, state: &mut State) {
        if self.limits.transactions {
            self.crash_transactional(state);
            return;
        }
        state
            .producer
            .crash(&state.database, &self.pipeline, &mut state.ledger);
        if let Some(other) = state.other.as_deref_mut() {
            other.lose_producer();
        }
    }

    /// The delivery timeout of a healthy send passes.
    pub(super) fn expire_send(&self, state: &mut State) {
        state.producer.expire(&self.pipeline, &mut state.ledger);
    }

    /// The connection breaks before the broker handles the oldest request.
    pub(super) fn lose_produce_request(&self, state: &mut State) {
        self.read_answers(state);
        if let Some(first) = state.producer.first_unhandled() {
            state
                .producer
                .lose_requests(first, &self.pipeline, &mut state.ledger);
        }
    }

    /// A client reads the answers on a connection before it notices that it broke. For the client
    /// before KIP-360, whose numbers depend on the order of answers and repeats, they are read in
    /// the same step; for others they may be read at any later moment.
    fn read_answers(&self, state: &mut State) {
        let answered = |producer: &Producer| {
            let first = producer.flights.first();
            first.is_some_and(|flight| flight.answer.is_sent())
        };
        while self.limits.answered_offsets && answered(&state.producer) {
            state.producer.receive(&self.pipeline, &mut state.ledger);
        }
    }

    /// The oldest answer is lost.
    pub(super) fn lose_produce_answer(&self, state: &mut State) {
        if let Some(index) = state.producer.first_answered() {
            state
                .producer
                .lose_answer(index, &self.pipeline, &mut state.ledger);
        }
    }

    /// The broker answers the oldest request with a retriable error.
    pub(super) fn refuse_produce(&self, state: &mut State) {
        let Some(first) = state.producer.first_unhandled() else {
            return;
        };
        match self.pipeline.producer.acks {
            // Without an answer to put the error in, the broker closes the connection.
            Acks::None => self.lose_produce_request(state),
            Acks::Leader | Acks::All => {
                state
                    .producer
                    .handled(first, Answer::Refused, &self.pipeline);
            }
        }
    }

    /// The oldest request that the broker has not handled becomes late.
    pub(super) fn delay_produce(&self, state: &mut State, partition: Partition) {
        self.read_answers(state);
        let Some(first) = state.producer.first_unhandled() else {
            return;
        };
        let late = state
            .producer
            .delay_request(first, &self.pipeline, &mut state.ledger);
        state.limbo.add(Late::Produce {
            record: late.batch.record,
            stamp: late.wire,
            partition,
            to: late.to,
        });
    }
}
