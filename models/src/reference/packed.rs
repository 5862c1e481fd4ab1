//! The state of the reference protocol, in 96 bits of one integer.

use super::Parameters;

/// What the producer knows of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Not sent yet.
    Unsent,
    /// Sent, not acknowledged.
    Waiting,
    /// Known to be in the log.
    Acknowledged,
    /// Given up after the last retry.
    GivenUp,
}

/// Where the consumer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Between two records.
    Idle,
    /// Its fetch request is on the way.
    Requested,
    /// The response is on the way.
    Answered,
    /// The record has arrived.
    InHand,
    /// The first of processing and committing is done.
    HalfDone,
    /// Crashed.
    Down,
}

/// Some bits of the state: the lowest one and how many.
#[derive(Clone, Copy)]
struct Field {
    low: u32,
    width: u32,
}

impl Field {
    /// The field that starts where this one ends.
    const fn then(self, width: u32) -> Self {
        let low = self.low + self.width;
        Self { low, width }
    }

    /// The `nth` of equal fields that lie side by side, of which this is the first, `apart` bits
    /// from one to the next.
    const fn nth(self, nth: u8, apart: u32) -> Self {
        let low = self.low + nth as u32 * apart;
        Self { low, ..self }
    }

    const fn mask(self) -> u128 {
        (1 << self.width) - 1
    }
}

const MOST_RECORDS: u8 = 6;
const LONGEST_LOG: u8 = 12;
const RECORD_BITS: u32 = 6;
const ENTRY_BITS: u32 = 3;

// Each record has its view, whether a request and an answer travel, and its effects.
const VIEW: Field = Field { low: 0, width: 2 };
const REQUESTED: Field = VIEW.then(1);
const ANSWERED: Field = REQUESTED.then(1);
const EFFECTS: Field = ANSWERED.then(2);
const LOG: Field = Field {
    low: MOST_RECORDS as u32 * RECORD_BITS,
    width: ENTRY_BITS,
};
const LOG_LENGTH: Field = Field {
    low: LOG.low + LONGEST_LOG as u32 * ENTRY_BITS,
    width: 4,
};
const COMMITTED: Field = LOG_LENGTH.then(4);
const POSITION: Field = COMMITTED.then(4);
const PHASE: Field = POSITION.then(3);
const CURRENT: Field = PHASE.then(3);
const RETRIES: Field = CURRENT.then(3);
const CRASHES: Field = RETRIES.then(2);
const _: () = assert!(CRASHES.low + CRASHES.width <= 32 * State::WORDS as u32);

/// A state of the reference protocol; the default is the initial one.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct State(u128);

impl State {
    pub(super) const WORDS: usize = 3;

    pub(super) fn fits(bounds: &Parameters) -> bool {
        bounds.records <= MOST_RECORDS
            && bounds.retries <= 7
            && bounds.crashes <= 3
            && bounds.records + bounds.retries <= LONGEST_LOG
    }

    pub(super) fn pack(self, words: &mut [u32]) {
        words[0] = self.0 as u32;
        words[1] = (self.0 >> 32) as u32;
        words[2] = (self.0 >> 64) as u32;
    }

    pub(super) fn unpack(words: &[u32]) -> Self {
        let word = |at: usize| u128::from(words.get(at).copied().unwrap_or(0));
        let [low, middle, high] = [0, 1, 2].map(word);
        Self(low | middle << 32 | high << 64)
    }

    fn get(self, field: Field) -> u8 {
        (self.0 >> field.low & field.mask()) as u8
    }

    fn with(self, field: Field, value: u8) -> Self {
        Self(self.0 & !(field.mask() << field.low) | u128::from(value) << field.low)
    }

    /// What the producer knows of `record`.
    #[must_use]
    pub fn view(self, record: u8) -> View {
        match self.get(VIEW.nth(record, RECORD_BITS)) {
            0 => View::Unsent,
            1 => View::Waiting,
            2 => View::Acknowledged,
            _ => View::GivenUp,
        }
    }

    /// Whether a produce request for `record` is on the way.
    #[must_use]
    pub fn requested(self, record: u8) -> bool {
        self.get(REQUESTED.nth(record, RECORD_BITS)) == 1
    }

    /// Whether an acknowledgement of `record` is on the way.
    #[must_use]
    pub fn answered(self, record: u8) -> bool {
        self.get(ANSWERED.nth(record, RECORD_BITS)) == 1
    }

    /// How often `record` was processed; 3 stands for more, too.
    #[must_use]
    pub fn effects(self, record: u8) -> u8 {
        self.get(EFFECTS.nth(record, RECORD_BITS))
    }

    /// The record at `offset` of the log.
    #[must_use]
    pub fn logged(self, offset: u8) -> u8 {
        self.get(LOG.nth(offset, ENTRY_BITS))
    }

    /// The length of the log.
    #[must_use]
    pub fn log_length(self) -> u8 {
        self.get(LOG_LENGTH)
    }

    /// The committed offset.
    #[must_use]
    pub fn committed(self) -> u8 {
        self.get(COMMITTED)
    }

    /// The consumer's position.
    #[must_use]
    pub fn position(self) -> u8 {
        self.get(POSITION)
    }

    /// Where the consumer is.
    #[must_use]
    pub fn phase(self) -> Phase {
        match self.get(PHASE) {
            0 => Phase::Idle,
            1 => Phase::Requested,
            2 => Phase::Answered,
            3 => Phase::InHand,
            4 => Phase::HalfDone,
            _ => Phase::Down,
        }
    }

    /// The record the consumer deals with; meaningless while it deals with none.
    pub(super) fn current(self) -> u8 {
        self.get(CURRENT)
    }

    /// Retries spent.
    #[must_use]
    pub fn retries(self) -> u8 {
        self.get(RETRIES)
    }

    /// Crashes spent.
    #[must_use]
    pub fn crashes(self) -> u8 {
        self.get(CRASHES)
    }

    pub(super) fn has_logged(self, record: u8) -> bool {
        (0..self.log_length()).any(|offset| self.logged(offset) == record)
    }

    pub(super) fn with_view(self, record: u8, view: View) -> Self {
        self.with(VIEW.nth(record, RECORD_BITS), view as u8)
    }

    pub(super) fn with_requested(self, record: u8, requested: bool) -> Self {
        self.with(REQUESTED.nth(record, RECORD_BITS), u8::from(requested))
    }

    pub(super) fn with_answered(self, record: u8, answered: bool) -> Self {
        self.with(ANSWERED.nth(record, RECORD_BITS), u8::from(answered))
    }

    pub(super) fn with_one_more_effect(self, record: u8) -> Self {
        let field = EFFECTS.nth(record, RECORD_BITS);
        self.with(field, (self.get(field) + 1).min(3))
    }

    pub(super) fn with_appended(self, record: u8) -> Self {
        let length = self.log_length();
        self.with(LOG.nth(length, ENTRY_BITS), record)
            .with(LOG_LENGTH, length + 1)
    }

    pub(super) fn with_committed(self, offset: u8) -> Self {
        self.with(COMMITTED, offset)
    }

    pub(super) fn with_position(self, offset: u8) -> Self {
        self.with(POSITION, offset)
    }

    pub(super) fn with_phase(self, phase: Phase) -> Self {
        self.with(PHASE, phase as u8)
    }

    pub(super) fn with_current(self, record: u8) -> Self {
        self.with(CURRENT, record)
    }

    pub(super) fn with_nothing_current(self) -> Self {
        self.with(CURRENT, 0)
    }

    pub(super) fn with_retries(self, retries: u8) -> Self {
        self.with(RETRIES, retries)
    }

    pub(super) fn with_crashes(self, crashes: u8) -> Self {
        self.with(CRASHES, crashes)
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let log: Vec<u8> = (0..self.log_length()).map(|at| self.logged(at)).collect();
        let records: Vec<_> = (0..MOST_RECORDS)
            .filter(|record| self.view(*record) != View::Unsent)
            .map(|record| (self.view(record), self.effects(record)))
            .collect();
        out.debug_struct("State")
            .field("records", &records)
            .field("log", &log)
            .field("committed", &self.committed())
            .field("position", &self.position())
            .field("phase", &self.phase())
            .field("retries", &self.retries())
            .field("crashes", &self.crashes())
            .finish_non_exhaustive()
    }
}
