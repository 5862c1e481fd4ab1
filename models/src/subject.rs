//! What an explorer must know of a model beyond [`stateright::Model`].

use stateright::Model;

/// A model whose states pack into a fixed number of 32-bit words, so that an explorer can store
/// them exactly, and whose steps are told apart into faults and all others.
///
/// `pack` must be injective on the reachable states and `unpack` its inverse: two states are the
/// same exactly when their words are. An explorer may leave out the zeros at the end, which tell
/// nothing: it takes less memory where what a state can leave unused comes last.
pub trait Subject: Model + Sync {
    /// Length of a packed state in 32-bit words; the same for every state of this model.
    fn words(&self) -> usize;

    /// Writes `state` into `words`, which has the length [`Self::words`] and may hold anything. The
    /// state stays as it is; a walk over its fields that also reads them back asks for `&mut`.
    fn pack(&self, state: &mut Self::State, words: &mut [u32]);

    /// Reads back what [`Self::pack`] wrote. `words` may be fewer than [`Self::words`]: all that are
    /// not there are zero.
    fn unpack(&self, words: &[u32]) -> Self::State;

    /// Whether the environment spends a fault in this step. A state with no other step enabled is
    /// quiescent.
    fn is_fault(&self, action: &Self::Action) -> bool;

    /// What is to be noted about `state`.
    fn observe(&self, state: &Self::State, quiescent: bool) -> Observation;

    /// The situations (bits, as in [`Observation::reached`]) that taking `action` in `state`
    /// reaches.
    fn reached_by(&self, state: &Self::State, action: &Self::Action) -> u64;
}

/// What is noted about one state. Each field is a set of bits whose meaning is the model's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Invariants that this state violates.
    pub violated: u32,
    /// Situations that this state witnesses.
    pub reached: u64,
    /// Properties of which an explorer counts the states.
    pub counted: u32,
    /// How much this state takes to be told, beyond its steps: of the states that violate an
    /// invariant after as few steps as possible, an explorer reports one of the lowest weight.
    pub weight: u16,
}
