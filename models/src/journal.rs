//! What the last step did, in its order: for runs that do the same for real. Explored states keep none of
//! it.

use std::hash::{Hash, Hasher};

/// What the last step did. It is no part of a state: states that differ in nothing else are equal.
#[derive(Clone, Debug)]
pub struct Journal<T>(Option<Vec<T>>);

impl<T: Copy> Journal<T> {
    /// One that is kept.
    pub fn kept() -> Journal<T> {
        Journal(Some(Vec::new()))
    }

    /// Another step begins.
    pub fn begin(&mut self) {
        if let Some(happened) = &mut self.0 {
            happened.clear();
        }
    }

    /// Something happens.
    pub fn note(&mut self, happening: T) {
        if let Some(happened) = &mut self.0 {
            happened.push(happening);
        }
    }

    /// What has happened.
    pub fn happened(&self) -> impl Iterator<Item = T> {
        self.0.iter().flatten().copied()
    }
}

/// One that is not kept.
impl<T> Default for Journal<T> {
    fn default() -> Self {
        Journal(None)
    }
}

impl<T> PartialEq for Journal<T> {
    fn eq(&self, _: &Journal<T>) -> bool {
        true
    }
}

impl<T> Eq for Journal<T> {}

impl<T> Hash for Journal<T> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
