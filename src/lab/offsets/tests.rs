//! Tests of the group's offsets on disk.

use super::*;

fn commit(generation: i32, next: u64, leader_epoch: Option<i32>) -> Commit {
    Commit {
        generation: Generation(generation),
        position: Position {
            next: NextOffset(next),
            leader_epoch: leader_epoch.map(LeaderEpoch),
        },
    }
}

fn open(dir: &tempfile::TempDir) -> (OffsetLog, Option<OffsetsCut>) {
    OffsetLog::open(dir.path(), Sync::Simulated).expect("it can be opened")
}

#[test]
fn the_last_commit_counts_even_if_it_goes_back() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut offsets, _) = open(&dir);
    assert_eq!(offsets.committed(), None);
    for commit in [commit(1, 9, Some(0)), commit(1, 4, None)] {
        offsets.commit(commit).expect("it can be written");
        assert_eq!(open(&dir).0.committed(), Some(commit));
    }
}

#[test]
fn an_expired_offset_is_gone_until_the_next_commit() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut offsets, _) = open(&dir);
    offsets
        .commit(commit(1, 9, None))
        .expect("it can be written");
    offsets.expire().expect("it can be written");
    assert_eq!(offsets.committed(), None);
    let (mut offsets, _) = open(&dir);
    assert_eq!(offsets.committed(), None);
    offsets
        .commit(commit(2, 3, None))
        .expect("it can be written");
    assert_eq!(open(&dir).0.committed(), Some(commit(2, 3, None)));
}

#[test]
fn a_commit_is_synced_before_it_is_answered() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut offsets, _) = open(&dir);
    offsets
        .commit(commit(1, 9, None))
        .expect("it can be written");
    assert_eq!(offsets.file.unsynced(), 0);
}

#[test]
fn a_power_loss_takes_the_last_commits_that_nobody_synced() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let commits = [4, 9, 4, 12].map(|next| commit(1, next, None));
    let left = |last: Option<u64>, torn: u64| {
        let (mut offsets, _) = open(&dir);
        offsets.leave_to_page_cache();
        for commit in commits {
            offsets.commit(commit).expect("it can be written");
        }
        let last = last.map(|next| Position {
            next: NextOffset(next),
            leader_epoch: None,
        });
        let lost = offsets.lose_power_after(last, torn);
        lost.expect("it can be cut");
        let (offsets, cut) = open(&dir);
        (offsets.committed(), cut.is_some())
    };
    assert_eq!(left(None, 0), (None, false));
    assert_eq!(left(Some(9), 3), (Some(commits[1]), true));
    let (mut offsets, _) = open(&dir);
    offsets.commit(commits[3]).expect("it can be written");
    let lost = offsets.lose_power_after(None, 0);
    lost.expect("there is nothing to cut");
    let synced = open(&dir).0.committed();
    assert_eq!(synced, Some(commits[3]), "what was synced is left");
}

#[test]
fn offsets_of_a_transaction_count_from_its_marker_on_also_after_a_restart() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut offsets, _) = open(&dir);
    let [first, second] = [ProducerId(1), ProducerId(2)];
    let commits = [1, 2, 3].map(|next| commit(1, next, None));
    let done = |written: Result<(), StorageError>| written.expect("it can be written");
    done(offsets.commit(commits[0]));
    done(offsets.commit_in_transaction(first, commits[1]));
    done(offsets.commit_in_transaction(second, commits[2]));
    let (mut offsets, _) = open(&dir);
    assert_eq!(offsets.committed(), Some(commits[0]));
    let pending = [(first, commits[1]), (second, commits[2])];
    assert!(offsets.pending().eq(pending));
    done(offsets.end_transaction(second, Outcome::Abort));
    assert_eq!(offsets.committed(), Some(commits[0]));
    done(offsets.end_transaction(first, Outcome::Commit));
    assert_eq!(open(&dir).0.committed(), Some(commits[1]));
    assert_eq!(open(&dir).0.pending().count(), 0);
}

#[test]
fn what_came_last_counts_whichever_marker_is_first() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut offsets, _) = open(&dir);
    let [first, second] = [ProducerId(1), ProducerId(2)];
    let commits = [1, 2, 3].map(|next| commit(1, next, None));
    let done = |written: Result<(), StorageError>| written.expect("it can be written");
    done(offsets.commit_in_transaction(first, commits[0]));
    done(offsets.commit_in_transaction(second, commits[1]));
    done(offsets.end_transaction(second, Outcome::Commit));
    assert!(
        offsets.pending().eq([(first, commits[1])]),
        "it came before"
    );
    done(offsets.end_transaction(first, Outcome::Commit));
    assert_eq!(open(&dir).0.committed(), Some(commits[1]));
    done(offsets.commit_in_transaction(first, commits[0]));
    done(offsets.commit(commits[2]));
    done(offsets.end_transaction(first, Outcome::Commit));
    assert_eq!(open(&dir).0.committed(), Some(commits[2]));
}

#[test]
fn what_one_request_commits_in_two_partitions_is_there_as_a_whole_or_not_at_all() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut offsets, _) = open(&dir);
    let [old, first, second] = [1, 2, 3].map(|next| commit(1, next, None));
    let mut sizes = Vec::new();
    for commits in [
        [Some(old), None],
        [None, Some(old)],
        [Some(first), Some(second)],
    ] {
        let written = offsets.commit_by_partition(commits);
        written.expect("it can be written");
        sizes.push(offsets.file.len());
    }
    let found = open(&dir).0.committed_by_partition();
    assert_eq!(found, [Some(first), Some(second)]);
    let path = offsets.file.path().to_owned();
    let bytes = std::fs::read(&path).expect("it can be read");
    for len in sizes[1]..sizes[2] {
        std::fs::write(&path, &bytes[..len as usize]).expect("it can be written");
        let found = open(&dir).0.committed_by_partition();
        assert_eq!(found, [Some(old), Some(old)], "{len} bytes");
    }
}

#[test]
fn a_commit_of_one_partition_leaves_the_other_and_an_expiry_leaves_none() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut offsets, _) = open(&dir);
    let [first, second] = [1, 2].map(|next| commit(1, next, None));
    let done = |written: Result<(), StorageError>| written.expect("it can be written");
    done(offsets.commit(first));
    done(offsets.commit_by_partition([None, Some(second)]));
    let (mut offsets, _) = open(&dir);
    let found = offsets.committed_by_partition();
    assert_eq!(found, [Some(first), Some(second)]);
    done(offsets.expire());
    assert_eq!(open(&dir).0.committed_by_partition(), [None, None]);
}

#[test]
fn a_frame_of_something_else_is_malformed() {
    for body in [
        &[][..],
        &[COMMIT],
        &[COMMIT, 0],
        &[9],
        &[TOMBSTONE, 0],
        &[PENDING],
    ] {
        assert_eq!(read(body), Err(Flaw::Malformed));
    }
}
