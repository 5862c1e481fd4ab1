//! The states from which all processes together find no way to rest.
//!
//! One process follows steps forward. Here, each step that is no fault is sent once to the process
//! that stores where it leads, which keeps it backwards; then the states at rest tell those before
//! them that there is a way, and these tell those before them. What is never told has none: the same
//! states as one process finds.

use semel_models::subject::Subject;

use super::{Posts, Together, code_of, limit_of};
use crate::explore::calm::CalmSteps;
use crate::explore::frontier::Frontier;
use crate::explore::id::{SHARDS, StateId};
use crate::explore::livelock::Livelock;
use crate::explore::marks::Marks;
use crate::explore::options::Limit;
use crate::explore::outbox::{Outbox, Records};
use crate::explore::peers::{Lost, owner_of};
use crate::explore::wire::Reading;
use crate::explore::workers::for_each;

/// States whose steps are generated before they are sent.
const BLOCK_STATES: u64 = 1 << 16;
/// States in a unit of work.
const PART_STATES: u64 = 1 << 11;

/// A step backwards: to where it leads, and from where.
type Step = (StateId, StateId);

impl<S: Subject> Together<'_, '_, '_, S> {
    /// Looks for a state from which no quiescent state can be reached without a fault, as
    /// [`Exploration::livelock`](crate::explore::Exploration::livelock) does.
    pub(super) fn livelock(&mut self) -> Result<Livelock, Lost> {
        let has_way = Marks::new(&self.search.store);
        let mut steps = match self.steps_backwards(&has_way)? {
            Ok(steps) => steps,
            Err(limit) => return Ok(Livelock::Limit(limit)),
        };
        steps.sort_unstable();
        if let Some(limit) = self.tell_those_before(&steps, &has_way)? {
            return Ok(Livelock::Limit(limit));
        }
        self.nearest_without(&has_way)
    }

    /// Every step that leads to a state stored here; marks the states that are at rest.
    fn steps_backwards(&mut self, has_way: &Marks) -> Result<Result<Vec<Step>, Limit>, Lost> {
        let all = Frontier::all(self.search.store.lens());
        let mut steps = Vec::new();
        let mut done = 0;
        loop {
            let mut ended = self.search.options.interrupted();
            let block = done..all.len().min(done + BLOCK_STATES);
            done = block.end;
            let ids: Vec<_> = all.states(block).collect();
            let posts = self.calm_steps(&ids, has_way);
            let held = Marks::bytes(&self.search.store)
                + (steps.capacity() * size_of::<Step>()) as u64
                + self.search.bytes();
            if held > self.search.options.max_bytes {
                ended = Err(Limit::Memory);
            }
            let mut messages = posts.addressed(ended, self.peers.count());
            let more = u32::from(done < all.len());
            messages.iter_mut().for_each(|words| words.push(more));
            let received = self.peers.exchange(messages)?;
            let (limit, lanes) = self.read(&received)?;
            if let Some(limit) = limit {
                return Ok(Err(limit));
            }
            for (shard, lane) in lanes.into_iter().enumerate() {
                for candidate in lane.into_iter().flat_map(Records::iter) {
                    let to = self
                        .search
                        .store
                        .find_in(shard, candidate.tag, candidate.words);
                    let from = StateId::from_word(candidate.parent);
                    steps.extend(to.zip(from));
                }
            }
            if received.iter().all(|words| words.last() == Some(&0)) {
                return Ok(Ok(steps));
            }
        }
    }

    /// The steps of these states that are no faults, to be sent.
    fn calm_steps(&self, ids: &[StateId], has_way: &Marks) -> Posts {
        let (subject, store) = (self.search.subject, &self.search.store);
        let parts = ids.chunks(PART_STATES as usize);
        let outbox = |_| Outbox::new(subject.words());
        let mut outboxes: Vec<_> = parts.clone().map(outbox).collect();
        let work = parts.zip(&mut outboxes);
        for_each(self.search.options.jobs.get(), work, |(ids, outbox)| {
            for id in ids {
                let mut steps = CalmSteps::of(subject, store.words(*id));
                while let Some(next) = steps.advance() {
                    match next {
                        Some(words) => outbox.post(store.home(words), Some(*id), words),
                        // Nothing is known beyond the boundary: that counts as a way.
                        None => _ = has_way.mark(*id),
                    }
                }
                if !steps.any {
                    has_way.mark(*id);
                }
            }
        });
        let mut posts = Posts::new();
        outboxes.iter_mut().for_each(|outbox| posts.take(outbox));
        posts
    }

    /// Marks every state from which steps lead to a marked one.
    fn tell_those_before(
        &mut self,
        steps: &[Step],
        has_way: &Marks,
    ) -> Result<Option<Limit>, Lost> {
        let (own, count) = (self.own_shards(), self.peers.count());
        let all = Frontier::all(self.search.store.lens());
        let mut told: Vec<_> = all
            .states(0..all.len())
            .filter(|id| has_way.marked(*id))
            .collect();
        loop {
            let limit = self.search.options.interrupted().err();
            let mut messages = vec![vec![code_of(limit), 0]; count];
            let mut sent = 0;
            while let Some(id) = told.pop() {
                let first = steps.partition_point(|(to, _)| *to < id);
                for (_, from) in steps[first..].iter().take_while(|(to, _)| *to == id) {
                    if !own.contains(&from.shard()) {
                        messages[owner_of(from.shard(), count)].push(StateId::to_word(Some(*from)));
                        sent = 1;
                    } else if has_way.mark(*from) {
                        told.push(*from);
                    }
                }
            }
            messages.iter_mut().for_each(|words| words[1] = sent);
            let mut any_sent = false;
            let mut limit = None;
            for words in self.peers.exchange(messages)? {
                let mut reading = Reading::new(&words);
                limit = limit.or(limit_of(reading.word()?));
                any_sent |= reading.word()? != 0;
                while !reading.is_at_end() {
                    let id = StateId::from_word(reading.word()?);
                    told.extend(id.filter(|id| has_way.mark(*id)));
                }
            }
            if limit.is_some() || !any_sent {
                return Ok(limit);
            }
        }
    }

    /// The unmarked state that is nearest to an initial state; of several the canonical first.
    fn nearest_without(&mut self, has_way: &Marks) -> Result<Livelock, Lost> {
        // Indices ascend with depth: the first of each shard suffices.
        let firsts = (0..SHARDS).filter_map(|shard| has_way.first_unmarked(shard));
        let level_of = |id: &StateId| self.levels.iter().position(|level| level.contains(*id));
        let nearest = firsts.min_by_key(level_of);
        let mut words = Vec::new();
        if let Some(id) = nearest {
            let level = level_of(&id).unwrap_or_default();
            words.extend([level as u32, StateId::to_word(Some(id))]);
        }
        let mut found: Vec<(u32, StateId)> = Vec::new();
        for words in self.peers.broadcast(words)? {
            let mut reading = Reading::new(&words);
            while !reading.is_at_end() {
                let level = reading.word()?;
                found.extend(StateId::from_word(reading.word()?).map(|id| (level, id)));
            }
        }
        let nearest = found.into_iter().min_by_key(|(level, _)| *level);
        Ok(nearest.map_or(Livelock::None, |(_, id)| Livelock::From(id)))
    }
}
