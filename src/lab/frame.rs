//! Frames: how every file of the lab shows what was written whole.
//!
//! A frame is the length of its body, the CRC-32C of length and body, and the body. Kafka's batch
//! does not cover its length by the CRC; here it is covered, so that zeros where a file was extended
//! and never written are no frame: the CRC-32C of nothing is zero, that of four zeros is not.

use crate::lab::words::Offset;

/// The bytes before a frame's body.
pub(crate) const HEADER_BYTES: usize = 8;

/// What is wrong with the first bytes that cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// The file ends before the frame does.
    #[error("the file ends within a frame")]
    Torn,
    /// The CRC-32C is not that of the bytes.
    #[error("the checksum of a frame is not that of its bytes")]
    Checksum,
    /// The frame is whole, but not one of this kind of file.
    #[error("a frame holds something else than is stored here")]
    Malformed,
    /// The offset does not follow the one before.
    #[error("offset {found} stands where {expected} belongs")]
    OutOfPlace {
        /// The offset that follows.
        expected: Offset,
        /// The offset that is there.
        found: Offset,
    },
}

/// The frame of `body`.
pub(crate) fn seal(body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).expect("a frame is far smaller than 4 GiB");
    let mut frame = Vec::with_capacity(HEADER_BYTES + body.len());
    frame.extend(len.to_be_bytes());
    frame.extend(checksum(len, body).to_be_bytes());
    frame.extend(body);
    frame
}

/// The body of the frame with which `bytes` begins.
pub(crate) fn open(bytes: &[u8]) -> Result<&[u8], Flaw> {
    let (len, rest) = bytes.split_first_chunk().ok_or(Flaw::Torn)?;
    let (crc, rest) = rest.split_first_chunk().ok_or(Flaw::Torn)?;
    let len = u32::from_be_bytes(*len);
    let size = usize::try_from(len).map_err(|_| Flaw::Torn)?;
    let body = rest.get(..size).ok_or(Flaw::Torn)?;
    match u32::from_be_bytes(*crc) == checksum(len, body) {
        true => Ok(body),
        false => Err(Flaw::Checksum),
    }
}

fn checksum(len: u32, body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&len.to_be_bytes()), body)
}

/// What was found in a file.
#[derive(Debug)]
pub(crate) struct Scan<T> {
    /// The frames up to the first flaw, each with its place in the file.
    pub(crate) frames: Vec<(u64, T)>,
    /// Where the last of them ends.
    pub(crate) end: u64,
    /// What is wrong there; `None`: nothing follows.
    pub(crate) flaw: Option<Flaw>,
}

/// Reads frame after frame, up to the first that is not whole or that `read` refuses.
pub(crate) fn scan<T>(bytes: &[u8], mut read: impl FnMut(&[u8]) -> Result<T, Flaw>) -> Scan<T> {
    let mut frames = Vec::new();
    let mut end = 0;
    while end < bytes.len() {
        let taken = open(&bytes[end..]).and_then(|body| Ok((body.len(), read(body)?)));
        match taken {
            Ok((len, frame)) => {
                frames.push((end as u64, frame));
                end += HEADER_BYTES + len;
            }
            Err(flaw) => {
                return Scan {
                    frames,
                    end: end as u64,
                    flaw: Some(flaw),
                };
            }
        }
    }
    Scan {
        frames,
        end: end as u64,
        flaw: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(bytes: &[u8]) -> Scan<usize> {
        scan(bytes, |body| Ok(body.len()))
    }

    #[test]
    fn zeros_are_no_frame() {
        assert_eq!(open(&[0; 64]), Err(Flaw::Checksum));
    }

    #[test]
    fn a_frame_without_its_last_byte_is_torn() {
        let frame = seal(b"twelve bytes");
        assert_eq!(open(&frame), Ok(&b"twelve bytes"[..]));
        assert_eq!(open(&frame[..frame.len() - 1]), Err(Flaw::Torn));
        assert_eq!(open(&frame[..3]), Err(Flaw::Torn));
    }

    #[test]
    fn every_flipped_bit_of_a_frame_is_noticed() {
        let frame = seal(b"payload");
        for bit in 0..frame.len() * 8 {
            let mut flipped = frame.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_scan_ends_at_the_first_flaw() {
        let mut bytes = seal(b"one");
        bytes.extend(seal(b"three"));
        let whole = lengths(&bytes);
        assert_eq!(whole.frames, [(0, 3), (11, 5)]);
        assert_eq!((whole.end, whole.flaw), (24, None));
        bytes[11 + HEADER_BYTES] ^= 1;
        bytes.extend(seal(b"never reached"));
        let cut = lengths(&bytes);
        assert_eq!(cut.frames, [(0, 3)]);
        assert_eq!((cut.end, cut.flaw), (11, Some(Flaw::Checksum)));
    }
}
