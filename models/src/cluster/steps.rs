//! The steps that are not faults: which are enabled, and what each does.

use super::{Cluster, State};
use crate::action::{Action, ConsumerStep};
use crate::consumer::{Call, Consumer, Location, Phase};
use crate::limbo::Late;
use crate::partitions::Partition;

impl Cluster {
    /// Adds the enabled steps that are not faults. One that would change nothing may be among
    /// them; [`stateright::Model::next_state`] drops it.
    pub(super) fn free_actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.producer_actions(state, actions);
        self.replica_actions(state, actions);
        self.transaction_actions(state, actions);
        self.partition_actions(state, actions);
        for who in self.everyone() {
            let mut add = |does| actions.push(Action::Consumer { who, does });
            self.group_steps(state, who, &mut add);
            self.reading_steps(state, who, &mut add);
            self.partition_steps(state, who, &mut add);
            self.commit_steps(state, who, &mut add);
            self.output_steps(state, who, &mut add);
        }
        self.output_transaction_steps(state, actions);
        self.output_topic_actions(state, actions);
        for (slot, late) in (0..).zip(state.limbo.requests.iter()) {
            if late.can_arrive() {
                actions.push(Action::LateArrives(slot));
            }
        }
    }

    fn group_steps(&self, state: &State, who: u16, add: &mut impl FnMut(ConsumerStep)) {
        let consumer = &state.consumers[usize::from(who)];
        // Without a leader nobody says where the log starts or ends.
        let readable = self.is_readable(state);
        if readable {
            if self.may_initialize(state, who) {
                for to in self.may_join(state, who) {
                    add(ConsumerStep::Join { to });
                }
            } else if self.fences_what_is_open(state, who) {
                add(ConsumerStep::InitTransactions);
            }
        }
        if readable && self.may_take_over(state, who) {
            add(ConsumerStep::TakeOver);
        }
        if readable && self.waits_for_its_offset(state, who) && !self.offsets_are_unstable(state) {
            add(ConsumerStep::FetchOffset);
        }
        if self.may_rejoin(state, who) {
            add(ConsumerStep::Rejoin);
        }
        let joined = consumer.phase == Phase::Polling && self.is_joining(state, who);
        let leaves =
            consumer.phase == Phase::Leaving || consumer.owed.next(self.pipeline.client).is_some();
        let next = state.group.rebalance.map_or(who, |rebalance| rebalance.to);
        if (joined || leaves) && self.can_assign_to(state, next) {
            add(ConsumerStep::Leave);
        }
        if consumer.phase == Phase::Polling && self.is_zombie(state, who) {
            add(ConsumerStep::NoticeLoss);
        }
    }

    fn reading_steps(&self, state: &State, who: u16, add: &mut impl FnMut(ConsumerStep)) {
        let consumer = &state.consumers[usize::from(who)];
        match consumer.phase {
            Phase::Polling
                if consumer.owed.next(self.pipeline.client).is_some() || consumer.slow => {}
            Phase::Polling if !self.is_readable(state) || !state.has_first(who) => {}
            Phase::Polling if consumer.is_misled(&state.broker) => {
                if self.may_poll_retries(state, who) {
                    add(ConsumerStep::PollRetries);
                }
            }
            Phase::Polling if consumer.relocation(&self.pipeline, &state.broker).is_some() => {
                add(ConsumerStep::Relocate);
            }
            Phase::Polling => {
                let unread = self.unread(state, consumer);
                for count in 1..=self.most_polled(unread, consumer) {
                    add(ConsumerStep::Poll(count));
                }
                let end = state.broker.readable_end(self.pipeline.isolation());
                if unread == 0 && consumer.position().next.0 < end {
                    add(ConsumerStep::Poll(0));
                }
                if self.may_poll_retries(state, who) {
                    add(ConsumerStep::PollRetries);
                }
            }
            Phase::Handling if self.writing(state, who).is_some() => add(ConsumerStep::WriteFailed),
            Phase::Handling if self.waits_for_output(state, who) => {}
            Phase::Handling => add(match consumer.call {
                Call::None => ConsumerStep::Operate,
                Call::Requested => ConsumerStep::HandleCommit,
                Call::Answered => ConsumerStep::ReceiveCommitAnswer,
            }),
            Phase::Down | Phase::Outside | Phase::Idle | Phase::Leaving => {}
        }
        for task in consumer.crew.ready(self.pipeline.consumer.workers) {
            add(ConsumerStep::Work(task));
        }
        if let Some(task) = consumer.crew.perhaps_dropped() {
            add(ConsumerStep::Drop(task));
        }
    }

    /// How many records there are that a poll could return.
    fn unread(&self, state: &State, consumer: &Consumer) -> u16 {
        let from = consumer.position().next.0;
        match self.limits.gaps {
            true => {
                let visible = state.broker.visible_from(from, self.pipeline.isolation());
                visible.count() as u16
            }
            false => state.broker.log_end() - from,
        }
    }

    fn most_polled(&self, unread: u16, consumer: &Consumer) -> u16 {
        let room = match self.pipeline.consumer.workers {
            0 => unread,
            _ => consumer.crew.room(self.limits.tasks),
        };
        unread.min(self.limits.poll).min(room)
    }

    fn commit_steps(&self, state: &State, who: u16, add: &mut impl FnMut(ConsumerStep)) {
        let consumer = &state.consumers[usize::from(who)];
        let polls = consumer.phase == Phase::Polling;
        let may_commit = !self.is_joining(state, who);
        if polls && consumer.failed_commit.is_some() && may_commit {
            add(ConsumerStep::CommitSaved);
        }
        let by_crew = self.program.loop_commit.is_some();
        if by_crew && polls && consumer.call == Call::None {
            if consumer.covered_by_crew(&self.pipeline).is_some() {
                add(ConsumerStep::CommitDone);
            }
        } else if by_crew {
            match consumer.call {
                Call::None => {}
                Call::Requested => add(ConsumerStep::HandleCommit),
                Call::Answered => add(ConsumerStep::ReceiveCommitAnswer),
            }
        }
        let due = self.automatic_commit(state, who);
        if due.is_some() && self.owns(state, who) && may_commit {
            add(ConsumerStep::CommitAutomatically);
        }
        if !state.pending(who).is_empty() {
            add(ConsumerStep::CommitArrives);
        }
    }

    /// Takes a step that is not a fault.
    pub(super) fn step(&self, state: &mut State, action: Action) {
        match action {
            Action::CommitUpstream(_)
            | Action::Mark(_)
            | Action::Send(_)
            | Action::SendToOther(_)
            | Action::Transmit
            | Action::HandleProduce
            | Action::ReceiveAnswer
            | Action::Expire
            | Action::FailTooLate => self.producer_step(state, action),
            Action::LearnLeader => self.learn_leader(state),
            Action::Replica { who, does } => self.replica_step(state, who, does),
            Action::InitProducerId
            | Action::AddPartitions
            | Action::CommitTransaction
            | Action::EndTransaction
            | Action::WriteMarker
            | Action::TimeOutTransaction => self.transaction_step(state, action),
            Action::LearnPartition => self.learn_partition(state),
            Action::OtherPartition(step) => {
                self.in_other(state, |state| self.producer_step(state, step.action()));
            }
            Action::Consumer { who, does } => self.consumer_step(state, who, does),
            Action::LateArrives(slot) => self.late_arrives(state, slot),
            Action::OutputTransaction { id, does } => self.output_transaction_step(state, id, does),
            Action::OutputTopic { client, does } => self.output_topic_step(state, client, does),
            Action::ReadResult => {
                self.read_result(state);
            }
            Action::Fault { .. } => unreachable!("a fault is not a free step"),
        }
    }

    fn consumer_step(&self, state: &mut State, who: u16, does: ConsumerStep) {
        match does {
            ConsumerStep::Join { to } => self.join(state, who, to),
            ConsumerStep::InitTransactions => self.fence_what_is_open(state, who),
            ConsumerStep::TakeOver => self.take_over(state, who),
            ConsumerStep::FetchOffset => self.fetch_offset(state, who),
            ConsumerStep::Rejoin => self.rejoin(state, who),
            ConsumerStep::Leave => self.leave(state, who),
            ConsumerStep::NoticeLoss => self.lose(state, who),
            ConsumerStep::Relocate => self.relocate(state, who),
            ConsumerStep::Poll(count) => {
                state.consumers[usize::from(who)].poll(count, &self.pipeline, &state.broker);
            }
            ConsumerStep::Discover => self.discover(state, who),
            ConsumerStep::PollOther(count) => self.poll_other(state, who, count),
            ConsumerStep::PollBoth(both) => self.poll_both(state, who, both),
            ConsumerStep::RelocateOther => self.relocate_in_other(state, who),
            ConsumerStep::PollRetries => self.poll_retries(state, who),
            ConsumerStep::Operate => self.operate(state, who),
            ConsumerStep::Work(task) => self.work_on(state, who, task),
            ConsumerStep::Drop(task) => {
                let crew = &mut state.consumers[usize::from(who)].crew;
                crew.tasks.remove(usize::from(task));
            }
            ConsumerStep::CommitDone => self.commit_done(state, who),
            ConsumerStep::WriteFailed => {
                if let Some(at) = self.writing(state, who) {
                    self.write_failed(state, who, at);
                }
            }
            ConsumerStep::CommitSaved => self.commit_saved(state, who),
            ConsumerStep::HandleCommit => self.commit_is_handled(state, who),
            ConsumerStep::ReceiveCommitAnswer => self.commit_is_answered(state, who),
            ConsumerStep::CommitAutomatically => self.commit_automatically(state, who),
            ConsumerStep::CommitArrives => self.commit_arrives(state, who),
            ConsumerStep::ResultArrives(place) => self.result_arrives(state, who, place),
            ConsumerStep::ResultExpires { appended } => self.result_expires(state, who, appended),
        }
    }

    fn relocate(&self, state: &mut State, who: u16) {
        let consumer = &state.consumers[usize::from(who)];
        match consumer.relocation(&self.pipeline, &state.broker) {
            Some(Location::At(position)) => state.consumers[usize::from(who)].seek(position),
            Some(Location::Nowhere) => self.crash(state, who),
            None => {}
        }
    }

    fn late_arrives(&self, state: &mut State, slot: u16) {
        match state.limbo.requests.remove(usize::from(slot)) {
            Late::Produce {
                record,
                stamp,
                partition,
                to,
            } => match partition {
                Partition::First => self.late_produce_arrives(state, record, stamp, to),
                Partition::Second => self.in_other(state, |state| {
                    self.late_produce_arrives(state, record, stamp, to);
                }),
            },
            Late::Output { record, .. } => self.append_failed(state, record),
            request @ (Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. }) => {
                self.ask_coordinator(state, request);
            }
            Late::Commit {
                position,
                second,
                generation,
            } => {
                let current = generation == state.group.generation;
                if current || !self.pipeline.subscribes() {
                    self.are_committed(state, [position, second]);
                }
            }
            Late::Result { record, by, claim } => {
                self.late_result_arrives(state, record, by, claim);
            }
            Late::Call { id, call } => self.late_call_arrives(state, id, call),
        }
    }
}
