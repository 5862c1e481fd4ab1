//! A sink whose transactions do not get to their commit.

use super::prepared_steps::{SayPrepared, Says};
use semel_models::ledger::Ledger;
use semel_models::limits::Limits;
use semel_models::offset::NextOffset;
use semel_models::pipeline::Pipeline;
use semel_models::store::{NotDone, Over, Performed, Store, Write};

/// How a transaction ends in place of its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instead {
    /// The process dies: it stays open, until whoever holds the connection drops it.
    Crash,
    /// It is rolled back.
    RollBack,
}

/// The sink; every statement before the commit is as it is there.
pub(super) struct Interrupted<'a, S> {
    pub(super) sink: &'a mut S,
    pub(super) instead: Instead,
}

/// Why the transaction was not committed.
#[derive(Debug)]
pub(super) enum Why<E> {
    /// As was asked for.
    Interrupted,
    /// The sink failed before.
    Failed(E),
}

impl<E> From<E> for Why<E> {
    fn from(error: E) -> Self {
        Why::Failed(error)
    }
}

fn not_done<T, E>(result: Result<T, NotDone<E>>) -> Result<T, NotDone<Why<E>>> {
    result.map_err(|error| match error {
        NotDone::Refused => NotDone::Refused,
        NotDone::Failed(error) => NotDone::Failed(Why::Failed(error)),
    })
}

impl<S: SayPrepared> SayPrepared for Interrupted<'_, S> {
    fn say(&mut self, says: Says) -> Result<(), Self::Error> {
        Ok(self.sink.say(says)?)
    }
}

impl<S: Store> Store for Interrupted<'_, S> {
    type Error = Why<S::Error>;
    type Begun = S::Begun;

    fn begin(&mut self) -> Result<S::Begun, Self::Error> {
        Ok(self.sink.begin()?)
    }

    fn commit(&mut self, begun: S::Begun) -> Result<(), Self::Error> {
        match self.instead {
            Instead::Crash => drop(begun),
            Instead::RollBack => self.sink.roll_back(begun)?,
        }
        Err(Why::Interrupted)
    }

    fn roll_back(&mut self, begun: S::Begun) -> Result<(), Self::Error> {
        Ok(self.sink.roll_back(begun)?)
    }

    fn knows(&self, key: u16) -> Result<bool, Self::Error> {
        Ok(self.sink.knows(key)?)
    }

    fn insert(
        &mut self,
        key: u16,
        fenced: Option<u16>,
        pipeline: &Pipeline,
        limits: &Limits,
    ) -> Result<bool, NotDone<Self::Error>> {
        not_done(self.sink.insert(key, fenced, pipeline, limits))
    }

    fn perform(
        &mut self,
        write: Write,
        pipeline: &Pipeline,
        ledger: &Ledger,
    ) -> Result<Performed, NotDone<Self::Error>> {
        not_done(self.sink.perform(write, pipeline, ledger))
    }

    fn saved(&self) -> Result<Option<NextOffset>, Self::Error> {
        Ok(self.sink.saved()?)
    }

    fn save(
        &mut self,
        next: NextOffset,
        over: Over,
        fenced: Option<u16>,
    ) -> Result<(), NotDone<Self::Error>> {
        not_done(self.sink.save(next, over, fenced))
    }

    fn fence(&mut self, generation: u16) -> Result<(), Self::Error> {
        Ok(self.sink.fence(generation)?)
    }
}
