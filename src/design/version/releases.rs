//! The releases of Kafka: one table.

use super::{Version, version};

/// Every release, the oldest first, with its last patch; `None`: it still gets new ones. Before 1.0
/// that is the third of four numbers: of 0.11 there is 0.11.0 alone.
const RELEASES: [(Version, Option<u16>); 27] = [
    (version(0, 10), Some(2)),
    (version(0, 11), Some(0)),
    (version(1, 0), Some(2)),
    (version(1, 1), Some(1)),
    (version(2, 0), Some(1)),
    (version(2, 1), Some(1)),
    (version(2, 2), Some(2)),
    (version(2, 3), Some(1)),
    (version(2, 4), Some(1)),
    (version(2, 5), Some(1)),
    (version(2, 6), Some(3)),
    (version(2, 7), Some(2)),
    (version(2, 8), Some(2)),
    (version(3, 0), Some(2)),
    (version(3, 1), Some(2)),
    (version(3, 2), Some(3)),
    (version(3, 3), Some(2)),
    (version(3, 4), Some(1)),
    (version(3, 5), Some(2)),
    (version(3, 6), Some(2)),
    (version(3, 7), Some(2)),
    (version(3, 8), Some(1)),
    (version(3, 9), None),
    (version(4, 0), None),
    (version(4, 1), None),
    (version(4, 2), None),
    (version(4, 3), None),
];

/// Before 1.0: the second and the third number of a version, and the last fourth one.
const FIXES: [(u16, u16, u16); 4] = [(10, 0, 1), (10, 1, 1), (10, 2, 2), (11, 0, 3)];

/// The versions of Kafka, and of its Java clients, whose rules are known, the oldest first.
pub const KAFKA_VERSIONS: [Version; RELEASES.len()] = {
    let mut versions = [version(0, 0); RELEASES.len()];
    let mut index = 0;
    while index < RELEASES.len() {
        versions[index] = RELEASES[index].0;
        index += 1;
    }
    versions
};

/// The last patch of a release that gets no more of them.
pub(super) fn last_patch(release: Version) -> Option<u16> {
    RELEASES
        .iter()
        .find(|(own, _)| *own == release)
        .and_then(|(_, last)| *last)
}

/// The last fourth number of a version before 1.0, whose second and third numbers these are.
pub(super) fn last_fix(minor: u16, patch: u16) -> Option<u16> {
    FIXES
        .iter()
        .find(|own| (own.0, own.1) == (minor, patch))
        .map(|own| own.2)
}
