//! A second partition: the steps by which clients come to know and use it, and what strikes it
//! ([`crate::partitions`]).

use super::{Cluster, State};
use crate::action::{
    Action, ConsumerStep, PartitionStep, PartitionStrike, PollBoth, Strike, Target,
};
use crate::consumer::{Consumer, Location, Phase};
use crate::group_coordinator::Rebalance;
use crate::offset::{NextOffset, Position};
use crate::partitions::reader::Reader;
use crate::partitions::{OtherPartition, Partition};
use crate::pipeline::GroupProtocol;

impl State {
    /// The first partition and the other one change places, as far as the producer and the brokers
    /// are concerned.
    fn turn_upstream(&mut self) {
        if let Some(other) = self.other.as_deref_mut() {
            other.turn(&mut self.producer, &mut self.broker);
        }
    }

    /// The same state with the other partition in the place of the first, to be looked at. One that was
    /// not added yet has nothing.
    pub fn turned(&self) -> State {
        let mut turned = self.clone();
        turned.other.get_or_insert_default();
        turned.turn_upstream();
        let Some(other) = turned.other.as_deref_mut() else {
            return turned;
        };
        std::mem::swap(&mut other.committed, &mut turned.group.committed);
        for late in turned.limbo.requests.iter_mut() {
            late.turn();
        }
        if other.owner.is_some() {
            std::mem::swap(&mut other.owner, &mut turned.group.owner);
        }
        for (reader, consumer) in other.readers.iter_mut().zip(&mut turned.consumers) {
            reader.turn_sides(consumer);
        }
        turned
    }

    /// What a consumer has of the second partition, if there is one.
    pub fn reader(&self, who: u16) -> Option<&Reader> {
        let other = self.other.as_deref()?;
        other.readers.get(usize::from(who))
    }

    pub(super) fn reader_mut(&mut self, who: u16) -> Option<&mut Reader> {
        let other = self.other.as_deref_mut()?;
        other.readers.get_mut(usize::from(who))
    }

    /// Whether the records that a consumer has in hand come from the second partition.
    pub fn has_other_in_hand(&self, who: u16) -> bool {
        self.reader(who).is_some_and(|reader| reader.in_hand)
    }

    /// Whether a consumer has the first partition, if it reads any.
    pub(super) fn has_first(&self, who: u16) -> bool {
        self.reader(who).is_none_or(|reader| !reader.without_first)
    }

    /// Whether a consumer has the second partition.
    pub(super) fn has_second(&self, who: u16) -> bool {
        self.reader(who).is_some_and(Reader::has_second)
    }
}

impl Cluster {
    /// Adds the ways in which the topic may get another partition: which keys move there.
    pub(super) fn additions(&self, state: &State, add: &mut impl FnMut(Strike)) {
        if self.limits.adds_partition && state.other.is_none() {
            for moves in 1..1 << self.pipeline.bounds.keys {
                add(Strike::AddPartition { moves });
            }
        }
    }

    /// The topic gets another partition.
    pub(super) fn add_partition(&self, state: &mut State, moves: u16) {
        state.other = Some(Box::new(OtherPartition::with(moves)));
    }

    /// Adds the steps of the producer's side that have to do with the other partition.
    pub(super) fn partition_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let Some(other) = state.other.as_deref() else {
            return;
        };
        if !other.known && self.upstream_is_busy(state) {
            actions.push(Action::LearnPartition);
        }
        if other.is_busy() {
            let mut turned = state.clone();
            turned.turn_upstream();
            let mut there = Vec::new();
            self.transmission_actions(&turned, &mut there);
            let of = |step: &PartitionStep| there.contains(&step.action());
            let steps = PartitionStep::ALL.into_iter().filter(of);
            actions.extend(steps.map(Action::OtherPartition));
        }
    }

    /// The producer learns of the other partition.
    pub(super) fn learn_partition(&self, state: &mut State) {
        if let Some(other) = state.other.as_deref_mut() {
            other.known = true;
        }
    }

    /// Does something to the other partition as it would be done to the first.
    pub(super) fn in_other(&self, state: &mut State, step: impl FnOnce(&mut State)) {
        state.turn_upstream();
        step(state);
        state.turn_upstream();
    }

    /// Adds the faults of the other partition, of the requests to it, and of what was sent there.
    pub(super) fn partition_faults(&self, state: &State, add: &mut impl FnMut(Strike)) {
        if state.other.is_none() {
            return;
        }
        let mut turned = state.clone();
        turned.turn_upstream();
        self.request_faults(&turned, Target::ProduceToOther, add);
        let mut add = |own| add(Strike::InOther(own));
        if self.may_expire_early(&turned) {
            add(PartitionStrike::DeliveryTimeout);
        }
        for session in 0..=turned.producer.session {
            if self.can_expire(&turned, session, Partition::Second) {
                add(PartitionStrike::ForgetProducer(session));
            }
        }
        if turned.broker.log_start() < turned.broker.log_end() {
            add(PartitionStrike::Retention);
        }
        if self.limits.offset_resets && self.group_is_empty(state) {
            for to in 0..=turned.broker.log_end() {
                add(PartitionStrike::OffsetReset { to });
            }
        }
    }

    /// A fault strikes the other partition.
    pub(super) fn strike_other(&self, state: &mut State, own: PartitionStrike) {
        match own {
            PartitionStrike::DeliveryTimeout => self.in_other(state, |state| {
                self.expire_send(state);
            }),
            PartitionStrike::ForgetProducer(_) | PartitionStrike::Retention => {
                self.in_other(state, |state| self.strike_upstream(state, own.strike()));
            }
            PartitionStrike::OffsetReset { to } => {
                let position = Position::bare(NextOffset(to));
                self.are_committed(state, [None, Some(position)]);
            }
        }
    }

    /// Adds the ways in which this record may be sent: the hash of a key that was not sent before may
    /// lead to either partition. Where the first record goes is the first one.
    pub(super) fn sends(&self, state: &State, record: u16, actions: &mut Vec<Action>) {
        actions.push(Action::Send(record));
        let keys = self.pipeline.bounds.keys;
        let sent = &state.ledger.sent;
        let of_key = |sent: u16| sent % keys == record % keys;
        if self.pipeline.bounds.partitions > 1 && !sent.is_empty() && !sent.iter().any(of_key) {
            actions.push(Action::SendToOther(record));
        }
    }

    /// The hash of this record's key turns out to lead to the second partition.
    pub(super) fn move_key(&self, state: &mut State, record: u16) {
        if let Some(other) = state.other.as_deref_mut() {
            other.moved |= 1 << (record % self.pipeline.bounds.keys);
        }
    }

    /// What was sent since `created` goes to the partition of its key.
    pub(super) fn route_sends(&self, state: &mut State, created: u16) {
        let Some(other) = state.other.as_deref_mut() else {
            return;
        };
        let queue = &mut state.producer.queue;
        while let Some(index) = queue.iter().position(|batch| {
            batch.created > created && other.takes(batch.record % self.pipeline.bounds.keys)
        }) {
            other.queue.push(queue.remove(index));
        }
    }

    /// Adds the steps of a consumer that have to do with the other partition.
    pub(super) fn partition_steps(
        &self,
        state: &State,
        who: u16,
        add: &mut impl FnMut(ConsumerStep),
    ) {
        let Some(other) = state.other.as_deref() else {
            return;
        };
        let consumer = &state.consumers[usize::from(who)];
        let owes = consumer.owed.next(self.pipeline.client).is_some();
        let polls = consumer.phase == Phase::Polling && !consumer.slow && !owes;
        let in_background =
            consumer.phase == Phase::Handling && self.pipeline.group.revokes_in_background;
        let free = state.group.rebalance.is_none() && self.owns(state, who);
        let position = other.readers[usize::from(who)].position;
        match position {
            None if free && self.limits.adds_partition && (polls || in_background) => {
                add(ConsumerStep::Discover)
            }
            Some(position) if polls && !self.is_valid_in(other, position) => {
                add(ConsumerStep::RelocateOther);
            }
            Some(position) if polls => {
                let unread = other.broker.log_end() - position.0;
                for count in 1..=unread.min(self.limits.poll) {
                    add(ConsumerStep::PollOther(count));
                }
                let both = consumer.relocation(&self.pipeline, &state.broker).is_none();
                if self.limits.polls_both && both && state.has_first(who) {
                    let here = state.broker.log_end() - consumer.position().next.0;
                    self.polls_of_both(here, unread, add);
                }
            }
            None | Some(_) => {}
        }
    }

    /// Adds the polls that return records of both partitions, of which so many are there.
    fn polls_of_both(&self, here: u16, there: u16, add: &mut impl FnMut(ConsumerStep)) {
        let most = self.limits.poll;
        for (begins, first, second) in [
            (Partition::First, here, there),
            (Partition::Second, there, here),
        ] {
            for count in 1..=first.min(most) {
                for behind in 1..=second.min(most - count) {
                    let both = PollBoth {
                        begins,
                        count,
                        behind,
                    };
                    add(ConsumerStep::PollBoth(both));
                }
            }
        }
    }

    /// The consumer hears of the other partition, and is assigned it.
    pub(super) fn discover(&self, state: &mut State, who: u16) {
        match self.pipeline.group.protocol {
            GroupProtocol::Eager => self.rebalance_eagerly(state, who),
            GroupProtocol::Cooperative | GroupProtocol::Consumer => self.assign_other(state, who),
        }
    }

    fn rebalance_eagerly(&self, state: &mut State, who: u16) {
        let rebalance = Rebalance {
            to: who,
            joins: false,
        };
        self.begin_rebalance(state, who, rebalance);
    }

    /// Where a consumer would begin in the other partition.
    pub(super) fn start_in_other(&self, other: &OtherPartition) -> Location {
        Consumer::start_in(other.committed, &self.pipeline, &other.broker)
    }

    /// Whether a consumer can read there at this position.
    fn is_valid_in(&self, other: &OtherPartition, position: NextOffset) -> bool {
        let here = Position::bare(position);
        Consumer::start_in(Some(here), &self.pipeline, &other.broker) == Location::At(here)
    }

    /// The position in the other partition is no longer valid: it moves, or the process ends.
    pub(super) fn relocate_in_other(&self, state: &mut State, who: u16) {
        let Some(other) = state.other.as_deref_mut() else {
            return;
        };
        let reader = &mut other.readers[usize::from(who)];
        let here = reader.position.map(Position::bare);
        match Consumer::start_in(here, &self.pipeline, &other.broker) {
            Location::At(position) => reader.position = Some(position.next),
            Location::Nowhere => self.crash(state, who),
        }
    }

    /// `who` gets the other partition, if there is one, besides what it has.
    pub(super) fn assign_other(&self, state: &mut State, who: u16) {
        let Some(other) = state.other.as_deref_mut() else {
            return;
        };
        let start = self.start_in_other(other);
        let consumer = &mut state.consumers[usize::from(who)];
        let reader = &mut other.readers[usize::from(who)];
        match start {
            Location::Nowhere => self.crash(state, who),
            Location::At(start) if reader.in_hand && consumer.phase == Phase::Handling => {
                // It reads on in both once it is done with what is in hand.
                let first = consumer.reassigned.replace(start);
                reader.position = first.map(|first| first.next).or(reader.position);
            }
            Location::At(start) => {
                *reader = Reader {
                    position: Some(start.next),
                    known_committed: other.committed.map(|committed| committed.next),
                    without_first: reader.without_first,
                    ..Reader::default()
                };
            }
        }
    }

    /// A poll returns records of the other partition.
    pub(super) fn poll_other(&self, state: &mut State, who: u16, count: u16) {
        let Some(other) = state.other.as_deref_mut() else {
            return;
        };
        let consumer = &mut state.consumers[usize::from(who)];
        other.readers[usize::from(who)].turn_hand(consumer);
        consumer.poll(count, &self.pipeline, &other.broker);
    }

    /// What a poll returned is followed by `count` records of the partition that it is not of.
    fn poll_behind(&self, state: &mut State, who: u16, count: u16) {
        let Some(other) = state.other.as_deref_mut() else {
            return;
        };
        let reader = &mut other.readers[usize::from(who)];
        let from = reader.position.unwrap_or_default().0;
        let log = match reader.in_hand {
            true => &state.broker,
            false => &other.broker,
        };
        let consumer = &mut state.consumers[usize::from(who)];
        let records = log.records_from(from).take(usize::from(count));
        records.for_each(|(_, entry)| consumer.hand.push(entry.record));
        consumer.behind = count;
        reader.position = Some(NextOffset(from + count));
    }

    /// A poll returns records of both partitions.
    pub(super) fn poll_both(&self, state: &mut State, who: u16, both: PollBoth) {
        match both.begins {
            Partition::First => {
                let consumer = &mut state.consumers[usize::from(who)];
                consumer.poll(both.count, &self.pipeline, &state.broker);
            }
            Partition::Second => self.poll_other(state, who, both.count),
        }
        self.poll_behind(state, who, both.behind);
    }

    /// Between two polls the consumer's own position is the one in the first partition; without the
    /// first it has none in the other.
    pub(super) fn settle_partitions(&self, state: &mut State) {
        let Some(other) = state.other.as_deref_mut() else {
            return;
        };
        for (reader, consumer) in other.readers.iter_mut().zip(&mut state.consumers) {
            if !consumer.reads() {
                *reader = Reader::default();
            } else if reader.in_hand && consumer.phase == Phase::Polling {
                reader.turn_hand(consumer);
            }
        }
    }
}
