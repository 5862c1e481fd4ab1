//! Designs as texts: read as they are written, and never a panic.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use semel::Design;

use crate::designs::{Text, any_design};
use crate::trials::{cases, read, runner, try_designs};

#[test]
fn each_design_is_read_as_it_is_written() {
    try_designs(200, |design| {
        let text = design.to_toml();
        let again = Design::parse("again.toml", text.as_bytes());
        let again = again.map_err(|error| TestCaseError::fail(format!("{error:?}\n{text}")))?;
        prop_assert_eq!(again.pipeline(), design.pipeline(), "{}", text);
        prop_assert_eq!(again.to_toml(), text);
        Ok(())
    });
}

/// Pieces that mean something in a design, or in TOML, or nowhere.
const PIECES: &[&str] = &[
    "=",
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "{",
    "}",
    ",",
    ".",
    "->",
    "(",
    ")",
    "db[",
    "each(",
    "kafka[",
    "process",
    "commit",
    "#",
    "\n",
    "\r\n",
    "\\",
    "\\u",
    "\0",
    "\u{feff}",
    "é",
    "𝒳",
    "-1",
    "0",
    "99999999999999999999",
    "1e400",
    "nan",
    "true",
    "[faults]\n",
    "total = 9\n",
    "records = 255\n",
    "1979-05-27",
    " ",
    "\t",
];

/// One thing that is done to a text.
#[derive(Clone, Debug)]
enum Change {
    Remove(Index, usize),
    Repeat(Index, usize),
    Insert(Index, &'static str),
    Byte(Index, u8),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), 1..40usize).prop_map(|(at, len)| Change::Remove(at, len)),
        (any::<Index>(), 1..40usize).prop_map(|(at, len)| Change::Repeat(at, len)),
        (any::<Index>(), select(PIECES)).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
    ]
}

fn changed(text: &Text, changes: &[Change]) -> Vec<u8> {
    let mut bytes = text.0.clone().into_bytes();
    for change in changes {
        let place = |at: &Index| at.index(bytes.len() + 1);
        let end = |at: usize, len: usize| (at + len).min(bytes.len());
        match change {
            Change::Remove(at, len) => {
                let at = place(at);
                bytes.drain(at..end(at, *len));
            }
            Change::Repeat(at, len) => {
                let at = place(at);
                let piece = bytes[at..end(at, *len)].to_vec();
                bytes.splice(at..at, piece);
            }
            Change::Insert(at, piece) => {
                let at = place(at);
                bytes.splice(at..at, piece.bytes());
            }
            Change::Byte(at, byte) => {
                let at = place(at);
                bytes.splice(at..end(at, 1), [*byte]);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(runner(400).config().clone())]

    #[test]
    fn no_changed_design_makes_the_reader_panic(
        text in any_design(),
        changes in prop::collection::vec(change(), 1..6),
    ) {
        if let Ok(design) = Design::parse("changed.toml", &changed(&text, &changes)) {
            let _ = design.to_toml();
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Design::parse("bytes.toml", &bytes);
    }

    #[test]
    fn no_order_makes_the_reader_panic(order in "(\\PC|each\\(|db\\[|kafka\\[|[)\\],]|->|process|commit){0,30}") {
        let text = format!("[application]\norder = {order:?}\n[consumer]\nauto.offset.reset = \"earliest\"\n");
        let _ = Design::parse("order.toml", text.as_bytes());
    }
}

/// What is drawn covers the language: each of these stands in some design that is accepted.
#[test]
fn the_random_designs_reach_the_whole_language() {
    let words = [
        "workers = 2",
        "instances = 2",
        "source = \"outbox\"",
        "source = \"dual-write\"",
        "db[each(",
        "each(",
        "commit-async",
        "store-offset",
        "save-offset",
        "skip-if-seen",
        "remember",
        "fencing = true",
        "version-guard = true",
        "dedup-window",
        "retry-topic",
        "dead-letter",
        "\"block\"",
        "retry-saved",
        "assignment = \"assign\"",
        "group.protocol = \"consumer\"",
        "drop-buffered",
        "on-revoke = \"commit\"",
        "offsets-expiry",
        "offset-reset",
        "retention =",
        "request-delayed",
        "start = \"cold\"",
        "effect = \"external\"",
        "effect = \"upsert\"",
        "enable.auto.commit = true",
        "kafka = \"1.1\"",
        "client = \"librdkafka\"",
    ];
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut missing = words.to_vec();
    for _ in 0..cases(1).max(1) * 1_000 {
        let tree = any_design().new_tree(&mut runner).expect("a draw");
        let text = tree.current();
        if read(&text).is_some() {
            missing.retain(|word| !text.0.contains(word));
        }
    }
    assert!(missing.is_empty(), "never drawn: {missing:?}");
}
