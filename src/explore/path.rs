//! The way to a state.

use semel_models::subject::Subject;

use super::exploration::Exploration;
use super::id::StateId;
use super::packed::pack;

/// Steps that follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path<State, Action> {
    /// Where the first step starts.
    pub start: State,
    /// Each step: what was done, and the state it led to.
    pub steps: Vec<(Action, State)>,
}

impl<S: Subject> Exploration<'_, S> {
    /// A shortest path from an initial state to `target`, the same in every run.
    #[must_use]
    pub fn path_to(&self, target: StateId) -> Path<S::State, S::Action> {
        let mut ids: Vec<_> = self.ancestors(target).collect();
        ids.reverse();
        let words: Vec<_> = ids.iter().map(|id| self.words(*id)).collect();
        Path {
            start: self.state(ids[0]),
            steps: steps_along(self.subject, &words, |_| true),
        }
    }

    /// Steps on a shortest path from an initial state to `target`.
    #[must_use]
    pub fn depth_of(&self, target: StateId) -> usize {
        self.ancestors(target).count() - 1
    }

    /// `target`, the state from which it was first found, and so on.
    fn ancestors(&self, target: StateId) -> impl Iterator<Item = StateId> {
        std::iter::successors(Some(target), |id| self.parent(*id))
    }
}

/// The steps from each of these packed states to the next, by the first action that is `allowed`
/// and leads there.
pub(super) fn steps_along<S: Subject>(
    subject: &S,
    words: &[&[u32]],
    allowed: impl Fn(&S::Action) -> bool,
) -> Vec<(S::Action, S::State)> {
    let step = |pair: &[&[u32]]| {
        let action = action_between(subject, pair[0], pair[1], &allowed);
        (action, subject.unpack(pair[1]))
    };
    words.windows(2).map(step).collect()
}

fn action_between<S: Subject>(
    subject: &S,
    from: &[u32],
    to: &[u32],
    allowed: impl Fn(&S::Action) -> bool,
) -> S::Action {
    let state = subject.unpack(from);
    let mut actions = Vec::new();
    subject.actions(&state, &mut actions);
    let mut buffer = vec![0; subject.words()];
    let taken = actions.into_iter().position(|action| {
        allowed(&action)
            && subject
                .next_state(&state, action)
                .is_some_and(|mut next| pack(subject, &mut next, &mut buffer) == to)
    });
    // An action need not be `Clone`, and taking it has consumed it: list them again.
    let mut again = Vec::new();
    subject.actions(&state, &mut again);
    let taken = taken.expect("the step by which a state was found can be taken again");
    again.swap_remove(taken)
}
