//! A list whose first items lie in the state itself: states that are explored are small, and
//! copying one allocates nothing.

use crate::codec::Codec;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

/// A list. Up to `N` items lie in place; a longer one lies elsewhere as a whole.
pub struct List<T, const N: usize> {
    len: u16,
    items: [T; N],
    /// All items, where there are more than `N`.
    #[expect(
        clippy::box_collection,
        reason = "of many lists in a state hardly one is that long"
    )]
    elsewhere: Option<Box<Vec<T>>>,
}

impl<T: Copy + Default, const N: usize> List<T, N> {
    /// A list of `len` times `T::default()`.
    pub fn of_len(len: usize) -> Self {
        let mut list = List::default();
        list.resize(len);
        list
    }

    /// Appends `item`.
    pub fn push(&mut self, item: T) {
        self.insert(self.len(), item);
    }

    /// Inserts `item` before the item at `index`.
    ///
    /// # Panics
    /// When `index` is beyond the end.
    pub fn insert(&mut self, index: usize, item: T) {
        let len = self.len();
        if len == N {
            self.elsewhere = Some(Box::new(self.items.to_vec()));
        }
        match &mut self.elsewhere {
            Some(items) => items.insert(index, item),
            None => {
                self.items.copy_within(index..len, index + 1);
                self.items[index] = item;
            }
        }
        self.len += 1;
    }

    /// Removes and returns the item at `index`.
    ///
    /// # Panics
    /// When there is none.
    pub fn remove(&mut self, index: usize) -> T {
        let len = self.len();
        assert!(index < len, "no item {index} in a list of {len}");
        let item = self[index];
        self.copy_within(index + 1..len, index);
        self.truncate(len - 1);
        item
    }

    /// Removes the items from `len` on.
    pub fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.resize(len);
        }
    }

    /// Sets the length, filling up with `T::default()`.
    pub fn resize(&mut self, len: usize) {
        if len > N {
            let mut items = match self.elsewhere.take() {
                Some(items) => *items,
                None => self.to_vec(),
            };
            items.resize(len, T::default());
            self.elsewhere = Some(Box::new(items));
        } else if let Some(items) = self.elsewhere.take() {
            self.items[..len].copy_from_slice(&items[..len]);
        } else if len > self.len() {
            self.items[usize::from(self.len)..len].fill(T::default());
        }
        self.len = len as u16;
    }
}

impl<T: Copy + Default, const N: usize> List<T, N> {
    /// Visits the length, at most `limit`, and each item in use with `visit`.
    pub fn code<C: Codec>(
        &mut self,
        codec: &mut C,
        limit: u16,
        mut visit: impl FnMut(&mut T, &mut C),
    ) {
        let mut len = self.len;
        codec.field(&mut len, limit);
        if C::READS {
            self.resize(usize::from(len));
        }
        let places = codec.places(self.len(), limit);
        self.iter_mut().for_each(|item| visit(item, codec));
        // Counting visits every place that there can be.
        for _ in self.len()..places {
            visit(&mut T::default(), codec);
        }
    }

    /// Visits each item of a list that always has `len` of them.
    pub fn code_all<C: Codec>(
        &mut self,
        codec: &mut C,
        len: u16,
        mut visit: impl FnMut(&mut T, &mut C),
    ) {
        let places = usize::from(len);
        if self.len() != places {
            self.resize(places);
        }
        self.iter_mut().for_each(|item| visit(item, codec));
    }
}

impl<T: Copy, const N: usize> Clone for List<T, N> {
    #[inline(always)]
    fn clone(&self) -> Self {
        List {
            len: self.len,
            items: self.items,
            elsewhere: match &self.elsewhere {
                None => None,
                Some(items) => copy(items),
            },
        }
    }
}

/// Out of the way of those lists that lie in place.
#[cold]
#[expect(
    clippy::box_collection,
    clippy::unnecessary_wraps,
    reason = "as it is kept"
)]
fn copy<T: Copy>(items: &[T]) -> Option<Box<Vec<T>>> {
    Some(Box::new(items.to_vec()))
}

impl<T: Copy + Default, const N: usize> Default for List<T, N> {
    #[inline(always)]
    fn default() -> Self {
        List {
            len: 0,
            items: [T::default(); N],
            elsewhere: None,
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
        match &self.elsewhere {
            None => &self.items[..usize::from(self.len)],
            Some(items) => items,
        }
    }
}

impl<T, const N: usize> DerefMut for List<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.elsewhere {
            None => &mut self.items[..usize::from(self.len)],
            Some(items) => items,
        }
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
        let mut list = List::<u16, 4>::default();
        list.push(7);
        list.insert(0, 9);
        assert_eq!(&list[..], &[9, 7]);
        assert_eq!(list.remove(0), 9);
        let mut other = List::<u16, 4>::default();
        other.push(7);
        assert_eq!(list, other);
        list.truncate(0);
        assert_eq!(list, List::default());
        list.resize(1);
        assert_eq!(&list[..], &[0], "nothing of what was there comes back");
    }

    #[test]
    fn a_list_longer_than_its_place_is_a_list_all_the_same() {
        let mut list = List::<u16, 2>::default();
        let mut items = Vec::new();
        for item in 0..6 {
            list.insert(usize::from(item) / 2, item);
            items.insert(usize::from(item) / 2, item);
            assert_eq!(&list[..], &items[..]);
        }
        let copy = list.clone();
        while !items.is_empty() {
            let index = items.len() / 2;
            assert_eq!(list.remove(index), items.remove(index));
            assert_eq!(&list[..], &items[..]);
        }
        assert_eq!(copy.len(), 6);
        assert_eq!(List::<u16, 2>::of_len(3)[..], [0, 0, 0]);
    }
}
