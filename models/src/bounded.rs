//! A list of bounded length that is `Copy`, so that states are plain values.

use crate::codec::Codec;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

/// A list of at most `N` items. Unused places hold `T::default()`, so that equal lists are equal
/// values.
#[derive(Clone, Copy)]
pub struct List<T, const N: usize> {
    len: u8,
    items: [T; N],
}

impl<T: Copy + Default, const N: usize> List<T, N> {
    /// Appends `item`.
    ///
    /// # Panics
    /// When the list is full: the limits of a design guarantee that it never is.
    pub fn push(&mut self, item: T) {
        self.insert(self.len(), item);
    }

    /// Inserts `item` before the item at `index`.
    ///
    /// # Panics
    /// When the list is full or `index` is beyond its end.
    pub fn insert(&mut self, index: usize, item: T) {
        let len = self.len();
        assert!(len < N, "a list of {N} is full");
        self.items.copy_within(index..len, index + 1);
        self.items[index] = item;
        self.len += 1;
    }

    /// Removes and returns the item at `index`.
    ///
    /// # Panics
    /// When there is none.
    pub fn remove(&mut self, index: usize) -> T {
        let len = self.len();
        assert!(index < len, "no item {index} in a list of {len}");
        let item = self.items[index];
        self.items.copy_within(index + 1..len, index);
        self.items[len - 1] = T::default();
        self.len -= 1;
        item
    }

    /// Removes the items from `len` on.
    pub fn truncate(&mut self, len: usize) {
        while self.len() > len {
            self.items[self.len() - 1] = T::default();
            self.len -= 1;
        }
    }

    /// Sets the length, filling up with `T::default()`; for reading a stored list back.
    ///
    /// # Panics
    /// When `len` is more than `N`.
    pub fn resize(&mut self, len: usize) {
        assert!(len <= N, "a list of {N} cannot hold {len}");
        self.truncate(len);
        self.len = len as u8;
    }
}

impl<T: Copy + Default, const N: usize> List<T, N> {
    /// Visits the length, at most `limit`, and each item in use with `visit`.
    pub fn code<C: Codec>(
        &mut self,
        codec: &mut C,
        limit: u8,
        mut visit: impl FnMut(&mut T, &mut C),
    ) {
        let mut len = self.len;
        codec.field(&mut len, limit);
        self.resize(usize::from(len));
        for index in 0..codec.places(self.len(), limit) {
            // Counting visits every place that there can be.
            let mut item = self.get(index).copied().unwrap_or_default();
            visit(&mut item, codec);
            if let Some(place) = self.get_mut(index) {
                *place = item;
            }
        }
    }
}

impl<T: Copy + Default, const N: usize> Default for List<T, N> {
    fn default() -> Self {
        List {
            len: 0,
            items: [T::default(); N],
        }
    }
}

impl<T: PartialEq, const N: usize> PartialEq for List<T, N> {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl<T: Eq, const N: usize> Eq for List<T, N> {}

impl<T: PartialOrd, const N: usize> PartialOrd for List<T, N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self[..].partial_cmp(&other[..])
    }
}

impl<T: Ord, const N: usize> Ord for List<T, N> {
    fn cmp(&self, other: &Self) -> Ordering {
        self[..].cmp(&other[..])
    }
}

impl<T: Hash, const N: usize> Hash for List<T, N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self[..].hash(state);
    }
}

impl<T, const N: usize> Deref for List<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items[..usize::from(self.len)]
    }
}

impl<T, const N: usize> DerefMut for List<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.items[..usize::from(self.len)]
    }
}

impl<T: fmt::Debug, const N: usize> fmt::Debug for List<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lists_are_equal_values_whatever_was_in_them() {
        let mut list = List::<u8, 4>::default();
        list.push(7);
        list.insert(0, 9);
        assert_eq!(&list[..], &[9, 7]);
        assert_eq!(list.remove(0), 9);
        let mut other = List::<u8, 4>::default();
        other.push(7);
        assert_eq!(list, other);
        list.truncate(0);
        assert_eq!(list, List::default());
    }
}
