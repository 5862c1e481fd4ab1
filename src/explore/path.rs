//! The way to a state.

use semel_models::subject::Subject;

use super::exploration::Exploration;
use super::id::StateId;

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
        let ids = self.ids_to(target);
        Path {
            start: self.state(ids[0]),
            steps: self.steps_along(&ids, |_| true),
        }
    }

    /// Steps on a shortest path from an initial state to `target`.
    #[must_use]
    pub fn depth_of(&self, target: StateId) -> usize {
        let ancestors = std::iter::successors(Some(target), |id| self.store.parent(*id));
        ancestors.count() - 1
    }

    fn ids_to(&self, target: StateId) -> Vec<StateId> {
        let ancestors = std::iter::successors(Some(target), |id| self.store.parent(*id));
        let mut ids: Vec<_> = ancestors.collect();
        ids.reverse();
        ids
    }

    /// The steps from each of `ids` to the next, by the first action that is `allowed` and leads
    /// there.
    pub(super) fn steps_along(
        &self,
        ids: &[StateId],
        allowed: impl Fn(&S::Action) -> bool,
    ) -> Vec<(S::Action, S::State)> {
        let step = |pair: &[StateId]| {
            let action = self.action_between(pair[0], pair[1], &allowed);
            (action, self.state(pair[1]))
        };
        ids.windows(2).map(step).collect()
    }

    fn action_between(
        &self,
        from: StateId,
        to: StateId,
        allowed: impl Fn(&S::Action) -> bool,
    ) -> S::Action {
        let state = self.state(from);
        let mut actions = Vec::new();
        self.subject.actions(&state, &mut actions);
        let mut packed = vec![0; self.subject.words()];
        let taken = actions.into_iter().position(|action| {
            allowed(&action)
                && self
                    .subject
                    .next_state(&state, action)
                    .is_some_and(|mut next| {
                        self.subject.pack(&mut next, &mut packed);
                        packed == self.store.words(to)
                    })
        });
        // An action need not be `Clone`, and taking it has consumed it: list them again.
        let mut again = Vec::new();
        self.subject.actions(&state, &mut again);
        let taken = taken.expect("the step by which a state was found can be taken again");
        again.swap_remove(taken)
    }
}
