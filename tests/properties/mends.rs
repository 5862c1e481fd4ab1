//! Every change that `semel check` offers, made in the design's file as it is printed, gives a
//! design with which the guarantee holds: over the presets, the catalogue and random designs.

use std::cell::Cell;

use proptest::prelude::*;
use semel::catalogue::ENTRIES;
use semel::presets::PRESETS;
use semel::{CheckOptions, Design, Guarantee, Verdict};

use crate::shell;
use crate::trials::{self, Trial};

/// Designs with more states are not tried: each is explored once for every change.
const MOST_STATES: u64 = 2_000;

/// One key of a change; without a value it is left out.
#[derive(Debug, PartialEq)]
struct Edit<'t> {
    table: &'t str,
    key: &'t str,
    value: Option<&'t str>,
}

/// The keys of a change as it is printed; what is said beyond them is no part of the file.
fn edits(mut change: &str) -> Vec<Edit<'_>> {
    let (mut edits, mut table) = (Vec::new(), "");
    while !change.is_empty() {
        if let Some(rest) = change.strip_prefix('[') {
            (table, change) = rest.split_once("] ").expect("a table");
        }
        let word = change.find(' ').map_or(change, |end| &change[..end]);
        let rest = change[word.len()..].trim_start();
        let value = rest.strip_prefix("= ").map(|rest| &rest[..value_end(rest)]);
        let left_out = ["left out", "left at its default"];
        let taken = match value {
            Some(value) => word.len() + " = ".len() + value.len(),
            None => change.find(", ").unwrap_or(change.len()),
        };
        if value.is_some() || left_out.iter().any(|words| rest.starts_with(words)) {
            let key = word;
            edits.push(Edit { table, key, value });
        }
        change = change[taken..].trim_start_matches(", ");
    }
    edits
}

fn value_end(text: &str) -> usize {
    let closing = match text.chars().next() {
        Some('"') => '"',
        Some('{') => '}',
        _ => return text.find(", ").unwrap_or(text.len()),
    };
    text[1..].find(closing).map_or(text.len(), |end| end + 2)
}

/// The text with the change, line by line: a line of the key goes, and the new one stands first in
/// its table.
fn made(text: &str, change: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    for Edit { table, key, value } in edits(change) {
        let mut here = "";
        let own = |line: &str| {
            let name = line.split('=').next().unwrap_or("").trim();
            name.trim_matches('"') == key
        };
        let kept: Vec<String> = lines
            .iter()
            .filter(|line| {
                if let Some(name) = line.trim().strip_prefix('[') {
                    here = name.split(']').next().unwrap_or("");
                }
                !(here == table && own(line))
            })
            .cloned()
            .collect();
        lines = kept;
        let Some(value) = value else {
            continue;
        };
        let header = format!("[{table}]");
        let new = format!("\"{key}\" = {value}");
        if table.is_empty() {
            lines.insert(0, new);
        } else if let Some(at) = lines.iter().position(|line| line.trim() == header) {
            lines.insert(at + 1, new);
        } else {
            lines.extend([header, new]);
        }
    }
    lines.join("\n")
}

/// The changes that `semel check` prints, each with the guarantee that it is to mend.
fn offered(printed: &str) -> Vec<(Guarantee, &str)> {
    let mut offered = Vec::new();
    let mut of = None;
    for line in printed.lines() {
        if let Some((name, _)) = line.split_once(" is violated — ") {
            of = Guarantee::ALL
                .into_iter()
                .find(|guarantee| guarantee.name() == name);
        } else if let Some(change) = line.strip_prefix("    - ") {
            let change = change.split("  (").next().unwrap_or(change);
            offered.push((of.expect("a guarantee"), change));
        }
    }
    offered
}

/// Makes every change that is offered for the design, and counts them.
fn try_changes(text: &str, folder: &std::path::Path) -> Result<usize, TestCaseError> {
    let design = Design::parse("semel.toml", text.as_bytes());
    let design = design.map_err(|_| TestCaseError::reject("refused"))?;
    let mut options = CheckOptions::default();
    options.max_states = Some(MOST_STATES);
    let verdicts = semel::check(&design, &options);
    let verdicts = verdicts.map_err(|_| trials::too_large())?;
    if verdicts.unique_states() >= MOST_STATES {
        return Err(trials::too_large());
    }
    let holds = |judgement: &semel::verdict::Judgement| judgement.verdict() == &Verdict::Holds;
    if verdicts.judgements().iter().all(holds) {
        return Ok(0);
    }
    std::fs::write(folder.join("semel.toml"), text).expect("it can be written");
    let output = shell::semel(folder, &["check"]);
    let offered = offered(shell::out(&output));
    let mut last: Option<(&str, semel::Verdicts)> = None;
    let mut sorted = offered.clone();
    sorted.sort_by_key(|(_, change)| *change);
    for (guarantee, change) in sorted {
        let text = made(text, change);
        let verdicts = match &last {
            Some((same, verdicts)) if *same == change => verdicts.clone(),
            _ => {
                let changed = Design::parse("changed.toml", text.as_bytes());
                let changed =
                    changed.map_err(|error| TestCaseError::fail(format!("{change}: {error:?}")))?;
                let options = CheckOptions::default();
                semel::check(&changed, &options).expect("it was explored before")
            }
        };
        let verdict = verdicts.of(guarantee) == &Verdict::Holds;
        prop_assert!(verdict, "{change} does not mend {guarantee}\n{text}");
        last = Some((change, verdicts));
    }
    Ok(offered.len())
}

fn try_text(name: &str, text: &str, folder: &std::path::Path) -> usize {
    match try_changes(text, folder) {
        Ok(changes) => changes,
        Err(TestCaseError::Reject(_)) => 0,
        Err(TestCaseError::Fail(why)) => panic!("{name}: {why}"),
    }
}

#[test]
fn a_printed_change_is_read() {
    assert_eq!(
        edits(
            "[consumer] enable.auto.commit = false, [application] order = \"db[process, remember] -> commit\", workers left out, where it can"
        ),
        [
            Edit {
                table: "consumer",
                key: "enable.auto.commit",
                value: Some("false")
            },
            Edit {
                table: "application",
                key: "order",
                value: Some("\"db[process, remember] -> commit\"")
            },
            Edit {
                table: "application",
                key: "workers",
                value: None
            },
        ]
    );
    let failure = "[application] on-process-failure = { attempts = 2, then = \"dead-letter\" }";
    let value = "{ attempts = 2, then = \"dead-letter\" }";
    assert_eq!(edits(failure)[0].value, Some(value));
    assert_eq!(edits("kafka = \"4.0\"")[0].table, "");
}

#[test]
fn changes_offered_for_presets_and_the_catalogue_mend_what_they_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let presets = PRESETS.iter().map(|preset| (preset.name, preset.text));
    let entries = ENTRIES.iter().map(|entry| (entry.id, entry.broken));
    let changes: usize = presets
        .chain(entries)
        .map(|(name, text)| try_text(name, text, folder.path()))
        .sum();
    assert!(changes > 50, "{changes} changes were offered");
}

#[test]
fn changes_offered_for_random_designs_mend_what_they_say() {
    let folder = tempfile::tempdir().expect("a folder");
    trials::try_designs(20, |design| {
        try_changes(design.text(), folder.path())?;
        Trial::Ok(())
    });
}

#[test]
fn what_brokers_are_said_to_have_is_kept_in_a_change() {
    let design = |version: u8| {
        format!(
            "kafka = \"4.1\"\n[consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
             [application]\norder = \"kafka[produce, commit]\"\n[sink]\neffect = \"topic\"\n\
             [output.producer]\ntransactional.id = \"results\"\n\
             [output.consumer]\nisolation.level = \"read_committed\"\n\
             [broker]\ntransaction.version = {version}\n\
             [faults]\nconsumer-crash = 1\nrequest-delayed = 1\n[bounds]\nrecords = 2\n"
        )
    };
    let folder = tempfile::tempdir().expect("a folder");
    let printed = |version| {
        std::fs::write(folder.path().join("semel.toml"), design(version)).expect("written");
        let output = shell::semel(folder.path(), &["check"]);
        let offered = offered(shell::out(&output)).into_iter();
        let told = |(guarantee, change): (Guarantee, &str)| format!("{guarantee}: {change}");
        offered.map(told).collect::<Vec<_>>()
    };
    for version in [0, 1] {
        let expected = [
            "no-duplicates: [broker] transaction.version = 2",
            "exactly-once-effect: [broker] transaction.version = 2",
        ];
        assert_eq!(printed(version), expected);
    }
    assert_eq!(printed(2), [""; 0]);
}

/// A design that writes results, with what its brokers are said to have.
fn with_brokers() -> impl Strategy<Value = String> {
    let line = |lines: &'static [&'static str]| prop::sample::select(lines);
    let head = line(&[
        "kafka = \"4.1\"",
        "kafka = \"3.9\"",
        "kafka = \"2.5\"",
        "client = \"librdkafka\"\nkafka = \"4.1\"",
    ]);
    let order = line(&[
        "kafka[produce, commit]",
        "kafka[produce] -> commit",
        "kafka[db[process, remember], produce, commit]",
        "produce -> commit",
        "each(produce-async) -> commit",
    ]);
    let application = line(&[
        "",
        "on-abort = \"continue\"",
        "transactional-id = \"per-start\"",
        "group-metadata = false",
        "instances = 2",
    ]);
    let broker = line(&[
        "",
        "transaction.version = 0",
        "transaction.version = 1",
        "transaction.partition.verification.enable = false",
        "log.flush.interval.messages = 1",
    ]);
    let reader = line(&["read_committed", "read_uncommitted"]);
    let faults = line(&[
        "consumer-crash = 1",
        "consumer-crash = 1\nrequest-delayed = 1",
        "request-delayed = 1\ntransaction-timeout = 1",
        "request-delayed.produce = 1\ndelivery-timeout = 1",
        "consumer-pause = 1",
        "process-failure-late = 1",
    ]);
    let records = 1..=2;
    let all = (head, order, application, broker, reader, faults, records);
    all.prop_map(
        |(head, order, application, broker, reader, faults, records)| {
            let id = match order.contains("kafka[") {
                true => "transactional.id = \"results\"",
                false => "",
            };
            let effect = match order.contains("process") {
                true => "add",
                false => "topic",
            };
            [
                head,
                "[consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"",
                &format!("[application]\norder = \"{order}\""),
                application,
                &format!("[sink]\neffect = \"{effect}\""),
                &format!("[output.producer]\n{id}"),
                &format!("[output.consumer]\nisolation.level = \"{reader}\""),
                &format!("[broker]\n{broker}"),
                &format!("[faults]\n{faults}"),
                &format!("[bounds]\nrecords = {records}"),
            ]
            .join("\n")
        },
    )
}

#[test]
fn changes_offered_beside_settings_of_brokers_mend_what_they_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let offered = Cell::new(0);
    let tried = trials::runner(60).run(&with_brokers(), |text| {
        offered.set(offered.get() + try_changes(&text, folder.path())?);
        Ok(())
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
    assert!(offered.get() > 50, "{} changes were offered", offered.get());
}
