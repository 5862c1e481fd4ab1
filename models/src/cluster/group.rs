//! Membership of the group: who joins, takes over, gives the partition up, and is put out.

use super::{Cluster, State};
use crate::consumer::{Consumer, Location, Phase};
use crate::group_coordinator::Rebalance;
use crate::limbo::{Late, NOBODY};
use crate::pipeline::{GroupProtocol, OnRevoke};

impl Cluster {
    /// The group's consumers.
    pub(super) fn everyone(&self) -> impl Iterator<Item = u16> + use<> {
        0..self.pipeline.group.instances
    }

    /// The other consumer of the group.
    pub(super) fn other(&self, who: u16) -> Option<u16> {
        self.everyone().find(|other| *other != who)
    }

    /// Whether `who` is alive and a member of the current generation.
    pub(super) fn is_member(&self, state: &State, who: u16) -> bool {
        let consumer = &state.consumers[usize::from(who)];
        let in_group = match consumer.phase {
            Phase::Idle | Phase::Polling | Phase::Handling | Phase::Leaving => true,
            Phase::Down | Phase::Outside => false,
        };
        self.pipeline.subscribes() && in_group && consumer.generation == state.group.generation
    }

    /// Whether `who` was put out of the group and goes on with what it has.
    pub(super) fn is_zombie(&self, state: &State, who: u16) -> bool {
        let consumer = &state.consumers[usize::from(who)];
        self.pipeline.subscribes()
            && consumer.reads()
            && consumer.generation != state.group.generation
    }

    /// Whether the partition, or one of them, is assigned to `who`, which is alive.
    pub(super) fn owns(&self, state: &State, who: u16) -> bool {
        if self.pipeline.subscribes() {
            let owns_second = state
                .other
                .as_deref()
                .is_some_and(|other| other.owner == Some(who));
            (state.group.owner == Some(who) || owns_second) && self.is_member(state, who)
        } else {
            state.consumers[usize::from(who)].reads()
        }
    }

    /// The owners that read. One whose offset fetch is not answered yet does not.
    pub(super) fn reading_owners(&self, state: &State) -> impl Iterator<Item = u16> {
        let reads = |who: &u16| state.consumers[usize::from(*who)].reads();
        self.everyone()
            .filter(move |who| reads(who) && self.owns(state, *who))
    }

    /// Whether the partition is assigned to `who`, which waits for the answer to its offset fetch.
    pub fn waits_for_its_offset(&self, state: &State, who: u16) -> bool {
        state.consumers[usize::from(who)].phase == Phase::Idle && self.owns(state, who)
    }

    /// Whether no member of the group is alive.
    pub(super) fn group_is_empty(&self, state: &State) -> bool {
        !self.everyone().any(|who| {
            self.is_member(state, who)
                || !self.pipeline.subscribes() && state.consumers[usize::from(who)].is_running()
        })
    }

    fn owner_is_alive(&self, state: &State) -> bool {
        let is_alive = |owner: Option<u16>| owner.is_some_and(|who| self.owns(state, who));
        let second = state.other.as_deref().filter(|_| self.shares_partitions());
        is_alive(state.group.owner) && second.is_none_or(|other| is_alive(other.owner))
    }

    pub(super) fn is_at_poll(&self, state: &State, who: u16) -> bool {
        match state.consumers[usize::from(who)].phase {
            Phase::Idle | Phase::Polling => true,
            Phase::Down | Phase::Outside | Phase::Handling | Phase::Leaving => false,
        }
    }

    /// To whom the group may assign the partition when `who` joins.
    pub(super) fn may_join(&self, state: &State, who: u16) -> Vec<u16> {
        let joins = match state.consumers[usize::from(who)].phase {
            Phase::Down | Phase::Outside => state.group.rebalance.is_none(),
            Phase::Idle | Phase::Polling | Phase::Handling | Phase::Leaving => false,
        };
        if !joins {
            return Vec::new();
        }
        let mut targets = self.targets_of_a_join(state, who);
        targets.retain(|to| self.can_assign_to(state, *to));
        targets
    }

    /// To whom a group whose members all poll may assign the partition when `who` joins.
    fn targets_of_a_join(&self, state: &State, who: u16) -> Vec<u16> {
        let settings = &self.pipeline.group;
        let member = self
            .other(who)
            .filter(|other| self.is_member(state, *other));
        let Some(other) = member else {
            return vec![who];
        };
        if self.resumes(state, who) {
            return vec![who];
        }
        let stays = settings.sticky && self.owns(state, other);
        let handles = state.consumers[usize::from(other)].phase == Phase::Handling;
        let without_polling = stays && settings.protocol == GroupProtocol::Consumer
            || handles && settings.revokes_in_background
            || self.may_be_joining(state, other) && self.owns(state, other);
        match (self.is_at_poll(state, other) || without_polling, stays) {
            (false, _) => Vec::new(),
            (true, true) => vec![other],
            (true, false) => vec![who, other],
        }
    }

    /// Whether `who` comes back under its `group.instance.id` before its session has expired, and
    /// so gets its partition back without a rebalance (KIP-345). In the consumer protocol the id
    /// of a member that died is taken until its session expires (UNRELEASED_INSTANCE_ID).
    fn resumes(&self, state: &State, who: u16) -> bool {
        self.pipeline.group.static_membership
            && self.pipeline.group.protocol != GroupProtocol::Consumer
            && state.group.owner == Some(who)
            && state.consumers[usize::from(who)].phase == Phase::Down
    }

    /// `who` joins the group, which assigns the partition to `to`.
    pub(super) fn join(&self, state: &mut State, who: u16, to: u16) {
        if !self.pipeline.subscribes() {
            self.start_output_producer(state, who);
            self.assign(state, who);
            return;
        }
        if self.shares_partitions() {
            self.share_anew(state, to, Some(who));
            return;
        }
        // One that only waits for its offset has nothing to give up.
        let owner = self.reading_owners(state).next();
        match owner {
            Some(owner) if self.may_be_joining(state, owner) => {
                self.begin_joining(state, owner, Rebalance { to, joins: true });
            }
            Some(owner) if to != owner || self.pipeline.group.protocol == GroupProtocol::Eager => {
                self.begin_rebalance(state, owner, Rebalance { to, joins: true });
            }
            Some(_) => {
                self.enter(state, who);
                self.begin_generation(state);
            }
            None => {
                self.enter(state, who);
                self.begin_generation(state);
                self.assign(state, to);
            }
        }
    }

    /// `who` is a member from the next generation on.
    pub(super) fn enter(&self, state: &mut State, who: u16) {
        self.start_output_producer(state, who);
        let current = state.group.generation;
        let consumer = &mut state.consumers[usize::from(who)];
        consumer.phase = Phase::Idle;
        consumer.slow = false;
        consumer.generation = current;
    }

    /// A zombie's client joins again in the background, while the application goes on with what it
    /// has in hand.
    pub(super) fn may_rejoin(&self, state: &State, who: u16) -> bool {
        let consumer = &state.consumers[usize::from(who)];
        self.pipeline.group.rejoins_in_background
            && state.group.rebalance.is_none()
            && consumer.phase == Phase::Handling
            && !consumer.slow
            && self.is_zombie(state, who)
    }

    /// See [`Self::may_rejoin`].
    pub(super) fn rejoin(&self, state: &mut State, who: u16) {
        let consumer = &mut state.consumers[usize::from(who)];
        consumer.generation = state.group.generation;
        // What was stored under the old assignment went with it.
        state.forget_stored(who);
        self.begin_generation(state);
    }

    /// Whether `who` may get the partition of one that is gone.
    pub(super) fn may_take_over(&self, state: &State, who: u16) -> bool {
        self.is_member(state, who)
            && state.group.rebalance.is_none()
            && self.can_assign_to(state, who)
            && !self.owner_is_alive(state)
            && match state.consumers[usize::from(who)].phase {
                Phase::Idle => true,
                Phase::Polling => self.shares_partitions(),
                Phase::Handling => self.pipeline.group.revokes_in_background,
                Phase::Down | Phase::Outside | Phase::Leaving => false,
            }
    }

    /// `who` gets the partition of one that is gone.
    pub(super) fn take_over(&self, state: &mut State, who: u16) {
        if self.shares_partitions() {
            self.share_anew(state, who, None);
            return;
        }
        self.begin_generation(state);
        self.assign(state, who);
    }

    /// The members that are alive form a new generation.
    pub(super) fn begin_generation(&self, state: &mut State) {
        let members: Vec<u16> = self
            .everyone()
            .filter(|who| self.is_member(state, *who))
            .collect();
        state.group.generation += 1;
        for who in members {
            state.consumers[usize::from(who)].generation = state.group.generation;
        }
    }

    /// `to` gets the partition.
    fn assign(&self, state: &mut State, to: u16) {
        let place = usize::from(to);
        let by_group = self.pipeline.subscribes();
        if by_group && !state.consumers[place].is_running() {
            state.group.owner = None;
            return;
        }
        if by_group {
            state.group.owner = Some(to);
            if self.pipeline.sink.fencing {
                state.sink.fence = state.group.generation;
            }
        }
        self.take_output_id_over(state, to);
        if !by_group || !self.offsets_are_unstable(state) {
            self.fetch_offset(state, to);
        }
    }

    /// Where a consumer reads that the partition is assigned to. An application that asks for the committed
    /// offset, and hears that there is none, goes on where it would have.
    pub(super) fn start_of_owner(&self, state: &State) -> Location {
        let mut waiting = self
            .everyone()
            .filter(|who| self.waits_for_its_offset(state, *who));
        let own = waiting.find_map(|who| state.consumers[usize::from(who)].reassigned);
        match own.filter(|_| state.group.committed.is_none()) {
            Some(first) => Location::At(first),
            None => {
                Consumer::starting_point(&self.pipeline, &state.broker, &state.group, &state.sink)
            }
        }
    }

    /// `to` learns where to read the partition that is assigned to it.
    pub(super) fn fetch_offset(&self, state: &mut State, to: u16) {
        let place = usize::from(to);
        let start = self.start_of_owner(state);
        match start {
            Location::At(position) => {
                let consumer = &mut state.consumers[place];
                if consumer.phase == Phase::Idle {
                    consumer.reassigned = None;
                }
                consumer.take(&state.group, position);
                consumer.expected = state.sink.saved;
                self.assign_other(state, to);
                self.assign_retries(state, to);
            }
            // The poll throws, and the process ends.
            Location::Nowhere => {
                self.end_output_producer(state, to);
                state.consumers[place].crash();
            }
        }
    }

    /// To whom a rebalance may give the partition while every member polls.
    pub(super) fn may_rebalance(&self, state: &State) -> Vec<u16> {
        if self.shares_partitions() {
            return self.may_share_anew(state);
        }
        let Some(owner) = state.group.owner.filter(|owner| self.owns(state, *owner)) else {
            return Vec::new();
        };
        let settings = &self.pipeline.group;
        let polls = state.consumers[usize::from(owner)].phase == Phase::Polling;
        let in_background = settings.revokes_in_background
            && state.consumers[usize::from(owner)].phase == Phase::Handling;
        let spans_polls = self.may_be_joining(state, owner);
        let held = state.group.rebalance.is_some();
        // Without a leader of the partition nobody says where an owner begins: it waits, and could as well
        // have been assigned it later.
        if held || !self.is_readable(state) || !polls && !in_background && !spans_polls {
            return Vec::new();
        }
        let waits = |other: &u16| {
            self.is_member(state, *other)
                && state.consumers[usize::from(*other)].phase == Phase::Idle
        };
        let keeps = settings.protocol == GroupProtocol::Eager;
        let mut targets: Vec<u16> = self.other(owner).into_iter().filter(waits).collect();
        targets.extend(keeps.then_some(owner));
        targets.retain(|to| self.can_assign_to(state, *to));
        targets
    }

    /// The group rebalances; `to` gets the partition.
    pub(super) fn rebalance(&self, state: &mut State, to: u16) {
        if self.shares_partitions() {
            self.share_anew(state, to, None);
            return;
        }
        let Some(owner) = state.group.owner else {
            return;
        };
        let rebalance = Rebalance { to, joins: false };
        if self.may_be_joining(state, owner) {
            self.begin_joining(state, owner, rebalance);
        } else {
            self.begin_rebalance(state, owner, rebalance);
        }
    }

    pub(super) fn begin_rebalance(&self, state: &mut State, owner: u16, rebalance: Rebalance) {
        state.group.rebalance = Some(rebalance);
        self.begin_leaving(state, owner, false);
    }

    /// `who` gives the partition up in a rebalance, or closes. A client that does not wait for the
    /// application gives it up behind its back.
    pub(super) fn begin_leaving(&self, state: &mut State, who: u16, closing: bool) {
        // What is on its way comes before what is sent later on the same connection; close() waits
        // for it.
        self.pending_commit_arrives(state, who);
        let owed = self.owes(state, who, closing);
        let consumer = &mut state.consumers[usize::from(who)];
        consumer.owed = owed;
        if closing || consumer.phase != Phase::Handling {
            consumer.phase = Phase::Leaving;
        }
        self.leave_if_nothing_is_owed(state, who);
    }

    /// Once every commit that it owed is done with, `who` has left.
    pub(super) fn leave_if_nothing_is_owed(&self, state: &mut State, who: u16) {
        let owed = state.consumers[usize::from(who)].owed;
        if owed.next(self.pipeline.client).is_some() {
            return;
        }
        if owed.closing {
            self.close(state, who);
        } else {
            self.complete_rebalance(state, who);
        }
    }

    /// The process ends. A static member does not leave the group; its session will expire.
    pub(super) fn close(&self, state: &mut State, who: u16) {
        let stays = self.pipeline.group.static_membership;
        if self.is_member(state, who) && !stays {
            self.expel(state, who);
        }
        self.orphan_late_writes(state, who);
        state.consumers[usize::from(who)].crash();
    }

    pub(super) fn complete_rebalance(&self, state: &mut State, owner: u16) {
        let Some(rebalance) = state.group.rebalance.take() else {
            return;
        };
        let drops = self.pipeline.consumer.on_revoke == OnRevoke::DropBuffered;
        let keeps = rebalance.to == owner && self.is_cooperative();
        let consumer = &mut state.consumers[usize::from(owner)];
        if keeps {
            // It polls on where it is.
        } else if consumer.phase == Phase::Handling {
            state.forget_stored(owner);
        } else {
            consumer.give_up(Phase::Idle, drops, &self.pipeline);
        }
        if let Some(joiner) = self.other(owner).filter(|_| rebalance.joins) {
            self.enter(state, joiner);
        }
        self.begin_generation(state);
        if !keeps {
            self.assign(state, rebalance.to);
        }
    }

    /// The group goes on without `who`, and so does a rebalance that waited for it.
    pub(super) fn expel(&self, state: &mut State, who: u16) {
        self.abandon_rebalance(state, who);
        let others: Vec<u16> = self
            .everyone()
            .filter(|other| *other != who && self.is_member(state, *other))
            .collect();
        state.group.generation += 1;
        for other in others {
            state.consumers[usize::from(other)].generation = state.group.generation;
        }
        if state.group.owner == Some(who) {
            state.group.owner = None;
        }
        if let Some(other) = state.other.as_deref_mut() {
            other.owner = other.owner.filter(|owner| *owner != who);
        }
    }

    /// `who` learns that it is no longer a member: it drops what it has in hand, and joins again.
    pub(super) fn lose(&self, state: &mut State, who: u16) {
        if !self.abort_what_is_open(state, who) {
            self.crash(state, who);
            return;
        }
        let on_lost = self.pipeline.consumer.on_lost;
        let drops = on_lost == OnRevoke::DropBuffered;
        if self.is_member(state, who) {
            self.expel(state, who);
        } else if on_lost == OnRevoke::Commit && self.takes_commits_of(state, who) {
            let consumer = &state.consumers[usize::from(who)];
            let covered = consumer.covered_by_callback(&self.program, &self.pipeline);
            if let Some(position) = covered {
                self.is_committed(state, position);
            }
        }
        state.consumers[usize::from(who)].give_up(Phase::Outside, drops, &self.pipeline);
    }

    /// Whether `who`'s process may stand still beyond its session.
    pub(super) fn may_pause(&self, state: &State, who: u16) -> bool {
        let phase = state.consumers[usize::from(who)].phase;
        self.is_member(state, who)
            && state.group.rebalance.is_none()
            && match phase {
                Phase::Idle | Phase::Polling | Phase::Handling => true,
                Phase::Down | Phase::Outside | Phase::Leaving => false,
            }
    }

    /// `who`'s session expires while its process stands still.
    pub(super) fn pause(&self, state: &mut State, who: u16) {
        self.expel(state, who);
        let consumer = &mut state.consumers[usize::from(who)];
        if consumer.phase == Phase::Idle {
            consumer.give_up(Phase::Outside, false, &self.pipeline);
        }
    }

    /// The process dies.
    pub(super) fn crash(&self, state: &mut State, who: u16) {
        self.abandon_rebalance(state, who);
        self.orphan_late_writes(state, who);
        state.consumers[usize::from(who)].crash();
    }

    /// What a process has sent, and is late, is nobody's once that is gone.
    fn orphan_late_writes(&self, state: &mut State, who: u16) {
        self.end_output_producer(state, who);
        for late in state.limbo.requests.iter_mut() {
            if let Late::Output { by, .. } = late
                && *by == who
            {
                *by = NOBODY;
            }
        }
        state.limbo.requests.sort_unstable();
    }

    /// A rebalance that waits for `who` is off: whoever joined has to join again.
    fn abandon_rebalance(&self, state: &mut State, who: u16) {
        if state.group.owner == Some(who) {
            state.group.rebalance = None;
        }
    }

    /// A member that finished records which are no longer its own has nothing to poll.
    pub(super) fn settle_members(&self, state: &mut State) {
        if !self.pipeline.subscribes() {
            return;
        }
        for who in self.everyone() {
            let polls = state.consumers[usize::from(who)].phase == Phase::Polling;
            if polls && self.is_member(state, who) && !self.owns(state, who) {
                state.consumers[usize::from(who)].give_up(Phase::Idle, false, &self.pipeline);
            }
        }
    }
}
