//! Steps that are no faults.

use semel_models::subject::Subject;

/// The steps that are no faults from one packed state to others, generated one by one.
pub(super) struct CalmSteps<'a, S: Subject> {
    subject: &'a S,
    state: S::State,
    actions: std::vec::IntoIter<S::Action>,
    /// The packed state, and behind it the last one that a step led to.
    words: Vec<u32>,
    /// Whether there has been any.
    pub(super) any: bool,
}

impl<'a, S: Subject> CalmSteps<'a, S> {
    pub(super) fn of(subject: &'a S, from: &[u32]) -> Self {
        let state = subject.unpack(from);
        let mut actions = Vec::new();
        subject.actions(&state, &mut actions);
        Self {
            subject,
            state,
            actions: actions.into_iter(),
            words: [from, from].concat(),
            any: false,
        }
    }

    /// Where the next step leads that changes something; `Some(None)`: beyond the model's boundary.
    pub(super) fn advance(&mut self) -> Option<Option<&[u32]>> {
        let (from, packed) = self.words.split_at_mut(self.subject.words());
        for action in self.actions.by_ref() {
            if self.subject.is_fault(&action) {
                continue;
            }
            let Some(mut next) = self.subject.next_state(&self.state, action) else {
                continue;
            };
            let within = self.subject.within_boundary(&next);
            self.subject.pack(&mut next, packed);
            if packed != from {
                self.any = true;
                return Some(within.then_some(packed));
            }
        }
        None
    }
}
