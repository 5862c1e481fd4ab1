//! Steps that are no faults.

use semel_models::subject::Subject;

use super::packed::pack;

/// The steps that are no faults from one packed state to others, generated one by one.
pub(super) struct CalmSteps<'a, S: Subject> {
    subject: &'a S,
    state: S::State,
    actions: std::vec::IntoIter<S::Action>,
    from: Box<[u32]>,
    /// Where the last state that a step led to was packed.
    buffer: Vec<u32>,
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
            from: from.into(),
            buffer: vec![0; subject.words()],
            any: false,
        }
    }

    /// Where the next step leads that changes something; `Some(None)`: beyond the model's boundary.
    pub(super) fn advance(&mut self) -> Option<Option<&[u32]>> {
        for action in self.actions.by_ref() {
            if self.subject.is_fault(&action) {
                continue;
            }
            let Some(mut next) = self.subject.next_state(&self.state, action) else {
                continue;
            };
            let within = self.subject.within_boundary(&next);
            let packed = pack(self.subject, &mut next, &mut self.buffer);
            if *packed != *self.from {
                self.any = true;
                let used = packed.len();
                return Some(within.then(|| &self.buffer[..used]));
            }
        }
        None
    }
}
