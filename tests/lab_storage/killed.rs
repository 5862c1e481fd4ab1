//! A process that runs the lab is killed: its files recover, whatever it was doing.

use crate::tries::{batches, open, record, small_segments};
use semel::lab::{Commit, Generation, NextOffset, Offset, OffsetLog, Position, Remains, Sync};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Where the process that is to be killed finds its directory.
const DIRECTORY: &str = "SEMEL_LAB_KILLED";

/// Every that many records the oldest leave, so that segments are also deleted.
const RETENTION: u64 = 16;

/// Writes for ever where the test below asks for it, and says after each record what is stored.
#[test]
fn a_process_to_be_killed_writes_until_it_is() {
    let Some(dir) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let dir = Path::new(&dir);
    let (mut log, _) = open(dir, &small_segments(), &Remains::default());
    let (mut offsets, _) = OffsetLog::open(&dir.join("group"), Sync::Simulated).expect("it opens");
    let mut out = std::io::stdout();
    for id in 0.. {
        log.append(None, &record(id)).expect("it can be written");
        offsets.commit(commit(id)).expect("it can be written");
        if id % RETENTION == 0 {
            let start = Offset(id.saturating_sub(RETENTION));
            log.delete_before(start).expect("it can be deleted");
        }
        writeln!(out, "\nstored {id}").expect("it is read");
    }
}

fn commit(id: u64) -> Commit {
    let position = Position {
        next: Offset(id).next(),
        leader_epoch: None,
    };
    Commit {
        generation: Generation(0),
        position,
    }
}

/// Starts the process, kills it when it said that record `until` is stored, and returns the last
/// one that it said so of.
fn kill_after(until: u64, dir: &Path) -> u64 {
    let name = "killed::a_process_to_be_killed_writes_until_it_is";
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", name, "--nocapture"])
        .env(DIRECTORY, dir)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let stored = |line: std::io::Result<String>| -> Option<u64> {
        line.expect("it is text")
            .strip_prefix("stored ")?
            .parse()
            .ok()
    };
    let mut said = lines.by_ref().filter_map(stored).find(|id| *id >= until);
    child.kill().expect("it runs");
    child.wait().expect("it was killed");
    // What it had said before it was killed and was not read yet. The last line may be cut short.
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    for line in rest.iter().rev().skip(1).rev() {
        said = said.max(stored(Ok(line.clone())));
    }
    said.expect("it stored something")
}

#[test]
fn files_of_a_process_that_is_killed_at_any_moment_recover() {
    for until in (0..40).map(|step| step * 7) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let said = kill_after(until, dir.path());
        let (log, recovery) = open(dir.path(), &small_segments(), &Remains::default());
        assert!(
            log.log_end() > Offset(said),
            "{said} was stored: {recovery:?}"
        );
        for batch in batches(&log) {
            assert_eq!(batch.record, Some(record(batch.offset.0)));
        }
        let group = dir.path().join("group");
        let (offsets, _) = OffsetLog::open(&group, Sync::Simulated).expect("it opens");
        let next = offsets.committed().expect("a commit").position.next;
        assert!(next >= NextOffset(said + 1), "{next:?} is before {said}");
    }
}
