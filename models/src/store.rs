//! What an operation needs of the place where its effects are: the model's sink is one such
//! place, a real database another. The application's order is run by the same code over both.
//!
//! Whatever a store refuses, it refuses in the statement that writes: a check apart from its write
//! would let another writer in between.

use crate::ledger::Ledger;
use crate::limits::Limits;
use crate::offset::{NextOffset, Offset};
use crate::pipeline::Pipeline;

/// A sink with what is stored beside its effects.
pub trait Store {
    /// Why it may fail.
    type Error;
    /// What it keeps of a transaction that has begun.
    type Begun;

    /// Begins a transaction.
    fn begin(&mut self) -> Result<Self::Begun, Self::Error>;

    /// Commits it. One that cannot be committed is rolled back.
    fn commit(&mut self, begun: Self::Begun) -> Result<(), Self::Error>;

    /// Rolls it back.
    fn roll_back(&mut self, begun: Self::Begun) -> Result<(), Self::Error>;

    /// Whether a dedup key is in the store.
    fn knows(&self, key: u16) -> Result<bool, Self::Error>;

    /// Inserts a dedup key; whether it was there already. `fenced`: the writer's generation, where
    /// it has to be the newest.
    fn insert(
        &mut self,
        key: u16,
        fenced: Option<u16>,
        pipeline: &Pipeline,
        limits: &Limits,
    ) -> Result<bool, NotDone<Self::Error>>;

    /// Performs the effect of a record; with `fencing`, for the newest generation only. `ledger`:
    /// what took place before.
    fn perform(
        &mut self,
        write: Write,
        pipeline: &Pipeline,
        ledger: &Ledger,
    ) -> Result<Performed, NotDone<Self::Error>>;

    /// The saved offset.
    fn saved(&self) -> Result<Option<NextOffset>, Self::Error>;

    /// Saves an offset. `fenced`: as for [`Store::insert`].
    fn save(
        &mut self,
        next: NextOffset,
        over: Over,
        fenced: Option<u16>,
    ) -> Result<(), NotDone<Self::Error>>;

    /// A new owner tells its generation: writes that have to be of the newest are from now on
    /// refused to older ones.
    fn fence(&mut self, generation: u16) -> Result<(), Self::Error>;
}

/// The effect of a record that is to take place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// The record.
    pub record: u16,
    /// The offset at which it was read.
    pub offset: Offset,
    /// The generation under which it was polled.
    pub generation: u16,
}

/// What came of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Performed {
    /// The effect took place.
    TookPlace,
    /// A newer write stands, and the guard kept it.
    Superseded,
    /// The provider had seen its idempotency key.
    Recognised,
}

/// Over what an offset may be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Whatever is there.
    Anything,
    /// Only this, as in a compare-and-set.
    Only(Option<NextOffset>),
}

/// Why an operation was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDone<E> {
    /// The sink refused a write of an older generation, or over another saved offset than expected.
    Refused,
    /// The store failed.
    Failed(E),
}

impl<E> From<E> for NotDone<E> {
    fn from(error: E) -> Self {
        NotDone::Failed(error)
    }
}
