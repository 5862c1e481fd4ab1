//! Packed states, as far as they use their words.

use semel_models::subject::Subject;

/// Packs a state into `buffer`, which has the length of a whole packed state, and answers the words
/// that it uses. The engine knows packed states by these alone.
#[inline]
pub(super) fn pack<'b, S: Subject>(
    subject: &S,
    state: &mut S::State,
    buffer: &'b mut [u32],
) -> &'b [u32] {
    subject.pack(state, buffer);
    used(buffer)
}

/// Up to so many words, a state is kept whole: its length and its place would take what is saved.
const SHORT: usize = 8;

/// Whether all words of a state count as used, of so many.
pub(super) fn is_kept_whole(state_words: usize) -> bool {
    state_words <= SHORT
}

/// The words up to the last one that is not zero. All packed states of a subject have one length, so
/// that the zeros behind it tell nothing.
#[inline]
fn used(words: &[u32]) -> &[u32] {
    if is_kept_whole(words.len()) {
        return words;
    }
    let mut words = words;
    while let Some((before, last)) = words.split_last_chunk::<8>() {
        if last.iter().fold(0, |any, word| any | word) != 0 {
            break;
        }
        words = before;
    }
    while let Some((0, before)) = words.split_last() {
        words = before;
    }
    words
}

/// Whether two packed states are the same. They are short: a loop beats a call to compare memory.
#[inline]
pub(super) fn equal(left: &[u32], right: &[u32]) -> bool {
    let lengths = (left.len() ^ right.len()) as u32;
    let words = left.iter().zip(right);
    words.fold(lengths, |odd, (a, b)| odd | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_zeros_at_the_end_are_left_out() {
        for len in SHORT + 1..60 {
            assert!(used(&vec![0; len]).is_empty());
            for last in 0..len {
                let mut words = vec![0; len];
                words[last] = 1 << (last % 32);
                assert_eq!(used(&words), &words[..=last]);
                words[0] |= 4;
                assert_eq!(used(&words), &words[..=last]);
            }
        }
        assert_eq!(used(&[1, 0, 0]), [1, 0, 0], "a short state");
    }

    #[test]
    fn words_are_the_same_only_with_as_many() {
        assert!(equal(&[], &[]));
        assert!(equal(&[3, 0, 1], &[3, 0, 1]));
        assert!(!equal(&[3, 0, 1], &[3, 0, 2]));
        assert!(!equal(&[3, 0], &[3]));
        assert!(!equal(&[], &[0]));
    }
}
