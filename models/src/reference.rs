//! A small, fixed protocol by which explorers are compared: one producer that retries, one
//! partition, one consumer that crashes.
//!
//! The producer sends [`Parameters::records`] records, at most [`Parameters::window`] of them
//! unacknowledged at once, and may retry [`Parameters::retries`] times in all. Requests and
//! acknowledgements travel over a network that may lose them. The consumer fetches one record at a
//! time, processes it and commits its offset in the given [`Order`]; it crashes at most
//! [`Parameters::crashes`] times and restarts from the committed offset.
//!
//! The numbers of states and transitions of the three [`Parameters`] constants are known from
//! independent model checkers, so an explorer that finds others is wrong:
//!
//! ```
//! use semel_models::reference::{Parameters, Reference};
//! use stateright::{Checker, Model};
//!
//! let checker = Reference::new(Parameters::SMALL).unwrap().checker().spawn_dfs().join();
//! assert_eq!(checker.unique_state_count(), 66_762);
//! assert_eq!(checker.state_count(), 243_630); // 243,629 transitions and the initial state
//! ```

mod packed;

use stateright::{Model, Property};

use crate::subject::{Observation, Subject};
pub use packed::{Phase, State, View};

/// The bit of [`Observation::violated`] for: nothing acknowledged is left unprocessed at the end.
pub const NO_LOSS: u32 = 1 << 0;
/// The bit of [`Observation::violated`] for: nothing is processed twice.
pub const NO_DUP: u32 = 1 << 1;
/// The bit of [`Observation::counted`] for states in which some record was processed twice.
pub const DUPLICATED: u32 = 1 << 0;
/// The bit of [`Observation::reached`] for a consumer that is down.
pub const CONSUMER_DOWN: u64 = 1 << 0;
/// The bit of [`Observation::reached`] for the step that retries a record already in the log.
pub const RETRY_OF_APPENDED: u64 = 1 << 1;

/// What the consumer does first with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Process, then commit.
    ProcessFirst,
    /// Commit, then process.
    CommitFirst,
}

/// The bounds of one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Records to send.
    pub records: u8,
    /// Retries, all records together.
    pub retries: u8,
    /// Crashes of the consumer.
    pub crashes: u8,
    /// Records that may await their acknowledgement at once.
    pub window: u8,
    /// What the consumer does first.
    pub order: Order,
}

impl Parameters {
    /// 66,762 states, 243,629 transitions, 40 levels.
    pub const SMALL: Self = Self::process_first(2, 2, 1, 2);
    /// 535,424 states, 1,982,089 transitions, 48 levels.
    pub const MEDIUM: Self = Self::process_first(3, 1, 2, 2);
    /// 5,537,901 states, 24,417,493 transitions, 56 levels.
    pub const LARGE: Self = Self::process_first(3, 3, 1, 2);

    const fn process_first(records: u8, retries: u8, crashes: u8, window: u8) -> Self {
        let order = Order::ProcessFirst;
        Self {
            records,
            retries,
            crashes,
            window,
            order,
        }
    }
}

/// The protocol under given bounds.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    bounds: Parameters,
}

/// One atomic step. A record is named by its number, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The producer sends a record for the first time.
    Send(u8),
    /// The producer sends an unacknowledged record again.
    Retry(u8),
    /// The network loses the request.
    LoseRequest(u8),
    /// The broker appends the record and answers.
    Append(u8),
    /// The network loses the acknowledgement.
    LoseAcknowledgement(u8),
    /// The producer learns that the record is in the log.
    Acknowledge(u8),
    /// The producer gives the record up.
    GiveUp(u8),
    /// The consumer asks for the record at its position.
    RequestFetch,
    /// The broker answers.
    AnswerFetch,
    /// The consumer has the record in hand.
    ReceiveFetch,
    /// The first half of the consumer's work on the record.
    FirstHalf,
    /// The second half.
    SecondHalf,
    /// The consumer crashes.
    Crash,
    /// The consumer starts from its committed offset.
    Restart,
}

impl Reference {
    /// The protocol within `bounds`, or `None` if a state would not fit its packed form.
    #[must_use]
    pub fn new(bounds: Parameters) -> Option<Self> {
        State::fits(&bounds).then_some(Self { bounds })
    }

    fn records(&self) -> std::ops::Range<u8> {
        0..self.bounds.records
    }

    fn producer_actions(&self, state: State, actions: &mut Vec<Action>) {
        let mut unsent = None;
        let mut waiting = 0;
        for record in self.records() {
            match state.view(record) {
                View::Unsent => unsent = unsent.or(Some(record)),
                View::Waiting => waiting += 1,
                View::Acknowledged | View::GivenUp => {}
            }
        }
        if let Some(record) = unsent
            && waiting < self.bounds.window
        {
            actions.push(Action::Send(record));
        }
        for record in self.records() {
            let waiting = state.view(record) == View::Waiting;
            let (requested, answered) = (state.requested(record), state.answered(record));
            let retries_left = state.retries() < self.bounds.retries;
            if waiting && !requested && retries_left {
                actions.push(Action::Retry(record));
            }
            if requested {
                actions.push(Action::LoseRequest(record));
                actions.push(Action::Append(record));
            }
            if answered {
                actions.push(Action::LoseAcknowledgement(record));
                actions.push(Action::Acknowledge(record));
            }
            if waiting && !requested && !answered && !retries_left {
                actions.push(Action::GiveUp(record));
            }
        }
    }

    fn consumer_actions(&self, state: State, actions: &mut Vec<Action>) {
        let phase = state.phase();
        match phase {
            Phase::Idle => actions.push(Action::RequestFetch),
            Phase::Requested if state.position() < state.log_length() => {
                actions.push(Action::AnswerFetch);
            }
            Phase::Requested => {}
            Phase::Answered => actions.push(Action::ReceiveFetch),
            Phase::InHand => actions.push(Action::FirstHalf),
            Phase::HalfDone => actions.push(Action::SecondHalf),
            Phase::Down => actions.push(Action::Restart),
        }
        if phase != Phase::Down && state.crashes() < self.bounds.crashes {
            actions.push(Action::Crash);
        }
    }

    fn process_or_commit(&self, state: State, first: bool) -> State {
        if first == (self.bounds.order == Order::ProcessFirst) {
            state.with_one_more_effect(state.current())
        } else {
            state.with_committed(state.position() + 1)
        }
    }

    fn step(&self, state: State, action: Action) -> State {
        match action {
            Action::Send(record) => state
                .with_view(record, View::Waiting)
                .with_requested(record, true),
            Action::Retry(record) => state
                .with_requested(record, true)
                .with_retries(state.retries() + 1),
            Action::LoseRequest(record) => state.with_requested(record, false),
            Action::Append(record) => state
                .with_requested(record, false)
                .with_appended(record)
                .with_answered(record, true),
            Action::LoseAcknowledgement(record) => state.with_answered(record, false),
            Action::Acknowledge(record) => {
                let heard = state.with_answered(record, false);
                if state.view(record) == View::Waiting {
                    heard.with_view(record, View::Acknowledged)
                } else {
                    heard
                }
            }
            Action::GiveUp(record) => state.with_view(record, View::GivenUp),
            Action::RequestFetch => state.with_phase(Phase::Requested),
            Action::AnswerFetch => state
                .with_current(state.logged(state.position()))
                .with_phase(Phase::Answered),
            Action::ReceiveFetch => state.with_phase(Phase::InHand),
            Action::FirstHalf => self
                .process_or_commit(state, true)
                .with_phase(Phase::HalfDone),
            Action::SecondHalf => self
                .process_or_commit(state, false)
                .with_position(state.position() + 1)
                .with_nothing_current()
                .with_phase(Phase::Idle),
            Action::Crash => state
                .with_crashes(state.crashes() + 1)
                .with_position(0)
                .with_nothing_current()
                .with_phase(Phase::Down),
            Action::Restart => state
                .with_position(state.committed())
                .with_phase(Phase::Idle),
        }
    }

    /// Whether every acknowledged record has been processed, once all is said and done.
    fn no_loss(&self, state: State) -> bool {
        let consumed = state.committed() == state.log_length()
            && matches!(state.phase(), Phase::Idle | Phase::Requested);
        if !consumed {
            return true;
        }
        let mut lost = false;
        for record in self.records() {
            if state.requested(record) || state.answered(record) {
                return true;
            }
            match state.view(record) {
                View::Unsent | View::Waiting => return true,
                View::Acknowledged => lost |= state.effects(record) == 0,
                View::GivenUp => {}
            }
        }
        !lost
    }

    fn no_dup(&self, state: State) -> bool {
        self.records().all(|record| state.effects(record) <= 1)
    }
}

impl Model for Reference {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    #[inline]
    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.producer_actions(*state, actions);
        self.consumer_actions(*state, actions);
    }

    #[inline]
    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        Some(self.step(*state, action))
    }

    /// One property that always holds, because Stateright explores only while a property is open.
    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("explored to the end", |_, _| true)]
    }
}

impl Subject for Reference {
    fn words(&self) -> usize {
        State::WORDS
    }

    #[inline]
    fn pack(&self, state: &mut State, words: &mut [u32]) {
        state.pack(words);
    }

    #[inline]
    fn unpack(&self, words: &[u32]) -> State {
        State::unpack(words)
    }

    #[inline]
    fn is_fault(&self, action: &Action) -> bool {
        matches!(
            action,
            Action::LoseRequest(_) | Action::LoseAcknowledgement(_) | Action::Crash
        )
    }

    #[inline]
    fn observe(&self, state: &State, _quiescent: bool) -> Observation {
        let mut seen = Observation::default();
        if !self.no_loss(*state) {
            seen.violated |= NO_LOSS;
        }
        if !self.no_dup(*state) {
            seen.violated |= NO_DUP;
            seen.counted |= DUPLICATED;
        }
        if state.phase() == Phase::Down {
            seen.reached |= CONSUMER_DOWN;
        }
        seen
    }

    #[inline]
    fn reached_by(&self, state: &State, action: &Action) -> u64 {
        match action {
            Action::Retry(record) if state.has_logged(*record) => RETRY_OF_APPENDED,
            _ => 0,
        }
    }
}
