//! Changes that are suggested: what holds with them, what is kept, and what is said where there are none.

#[path = "support/shell.rs"]
mod shell;

use semel::suggest::{Delivery, Kept, Suggestions, Wanted, map, suggest};
use semel::{CheckOptions, Design, Verdict, check, presets};
use shell::{Bench, code, err, out, semel};

const BALANCE: &str = r#"require = ["no-loss", "exactly-once-effect"]

[producer]
acks = "all"
enable.idempotence = true

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
order = "process -> commit"   # booked, then committed

[sink]
effect = "add"

[faults]
consumer-crash = 1

[bounds]
records = 1
"#;

fn design(text: &str) -> Design {
    Design::parse("balance.toml", text.as_bytes()).expect("it can be read")
}

fn wanted(design: &Design, most: usize, kept: &[&str]) -> Wanted {
    let mut wanted = Wanted::of(design);
    wanted.most = most;
    wanted.kept = kept
        .iter()
        .map(|text| Kept::read(text).expect("it can be kept"))
        .collect();
    wanted
}

/// What is suggested for `design`, `most` at most, where `kept` stays.
fn found(design: &Design, most: usize, kept: &[&str]) -> Suggestions {
    let wanted = wanted(design, most, kept);
    let found = suggest(design, &wanted, &CheckOptions::default(), &mut |_| {});
    found.expect("it can be checked")
}

#[test]
fn for_each_preset_that_is_violated_a_check_confirms_what_is_suggested() {
    let options = CheckOptions::default();
    for preset in presets::PRESETS {
        let design = presets::design(preset).expect("it can be read");
        // What is fine is suggested to be cheaper, and that takes long.
        let verdicts = check(&design, &options).expect("it can be checked");
        let mut judged = verdicts.judgements().iter();
        if judged.all(|judgement| judgement.verdict() == &Verdict::Holds) {
            continue;
        }
        let found = found(&design, 1, &[]);
        if found.is_fine() {
            continue;
        }
        let first = found.suggestions.first();
        let first = first.unwrap_or_else(|| panic!("nothing is suggested for {}", preset.name));
        let changed = Design::parse("changed.toml", first.text.as_bytes()).expect("it can be read");
        let verdicts = check(&changed, &options).expect("it can be checked");
        for need in &found.needs {
            let verdict = verdicts.of(*need);
            assert_eq!(
                verdict,
                &Verdict::Holds,
                "{}: {:?}",
                preset.name,
                first.changes
            );
        }
    }
}

#[test]
fn what_is_kept_stays_and_what_it_forbids_is_told() {
    let text = BALANCE.replace(
        "effect = \"add\"",
        "effect = \"external\"\nidempotency-key = false",
    );
    let design = design(&text);
    let free = found(&design, 3, &[]);
    assert_eq!(
        free.suggestions[0].changes,
        ["[sink] idempotency-key = true"]
    );
    let kept = found(&design, 3, &["sink"]);
    // No commit of a database holds a message back that the provider has sent: before it or behind
    // it there is a moment at which the consumer may die.
    assert!(kept.suggestions.is_empty());
    let freed = kept.if_nothing_were_kept.expect("it was found above");
    assert_eq!(freed.changes, free.suggestions[0].changes);
    let nearest = kept.nearest.expect("something was tried");
    assert!(
        nearest
            .verdicts
            .judgements()
            .iter()
            .any(|own| own.verdict().trace().is_some())
    );
}

#[test]
fn only_settings_change_where_the_order_is_kept() {
    let text = BALANCE.replace("effect = \"add\"", "effect = \"upsert\"");
    let design = design(&text.replace("enable.idempotence = true", "enable.idempotence = false"));
    for suggestion in found(&design, 5, &["order", "consumer"]).suggestions {
        let changed = Design::parse("changed.toml", suggestion.text.as_bytes()).expect("read");
        assert_eq!(
            changed.pipeline().consumer.order,
            design.pipeline().consumer.order
        );
    }
}

#[test]
fn several_changes_at_once_are_found_where_none_alone_is_enough() {
    // The acknowledgement promises nothing, and a crash repeats the effect.
    let text = BALANCE
        .replace("acks = \"all\"\nenable.idempotence = true", "acks = 0")
        .replace(
            "consumer-crash = 1",
            "consumer-crash = 1\nrequest-lost.produce = 1",
        );
    let design = design(&text);
    let found = found(&design, 1, &[]);
    let first = &found.suggestions[0];
    assert!(first.keys > 1, "{:?}", first.changes);
    assert!(
        first
            .changes
            .iter()
            .any(|change| change.contains("acks = \"all\""))
    );
    assert!(
        first
            .changes
            .iter()
            .any(|change| change.contains("order = \"db["))
    );
}

#[test]
fn a_transaction_takes_away_what_no_client_takes_beside_it() {
    let text = "[consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
        [application]\norder = \"produce -> commit\"\n[sink]\neffect = \"topic\"\n\
        [output.producer]\nacks = \"1\"\nenable.idempotence = false\n\
        max.in.flight.requests.per.connection = 6\n[faults]\nconsumer-crash = 1\n[bounds]\nrecords = 1\n";
    let found = found(&design(text), 1, &[]);
    let first = &found.suggestions[0];
    let transactional = first.text.contains("transactional.id");
    let kept = ["acks", "enable.idempotence", "max.in.flight"];
    let kept = kept.into_iter().filter(|key| first.text.contains(key));
    assert!(transactional && kept.count() == 0, "{}", first.text);
}

#[test]
fn what_was_expected_to_be_violated_is_expected_to_hold_then() {
    let expected = "[expect]\nno-loss = \"holds\"\nexactly-once-effect = \"violated\"";
    let text = BALANCE.replace("require = [\"no-loss\", \"exactly-once-effect\"]", expected);
    let bench = Bench::with(text.as_bytes());
    let design = design(&text);
    let found = found(&design, 1, &[]);
    let first = &found.suggestions[0];
    assert_eq!(
        first.keys, 1,
        "the expectation follows, and counts for nothing"
    );
    assert_eq!(code(&bench.check(&[])), 0, "as it is, all is as expected");
    std::fs::write(bench.file("semel.toml"), &first.text).expect("it can be written");
    let output = bench.check(&[]);
    assert_eq!(code(&output), 0, "{}", out(&output));
}

#[test]
fn a_failure_policy_is_kept_as_a_whole_and_in_parts() {
    let text = BALANCE
        .replace(
            "   # booked, then committed",
            "\non-process-failure = { attempts = 1, then = \"skip\" }",
        )
        .replace("consumer-crash = 1", "poison = 1");
    let design = design(&text);
    let free = found(&design, 1, &[]);
    assert!(free.suggestions[0].changes[0].contains("dead-letter"));
    for kept in [
        "on-process-failure",
        "application.on-process-failure",
        "on-process-failure.then",
    ] {
        let found = found(&design, 1, &[kept]);
        assert!(found.suggestions.is_empty(), "{kept}: passed over is lost");
    }
}

#[test]
fn a_position_that_is_kept_stays_kept() {
    // Nothing that a restart reads keeps the position, where nobody seeks to the saved offset.
    let text = BALANCE.replace("   # booked, then committed", "\nseek-on-assign = false");
    let design = design(&text);
    let found = found(&design, 9, &[]);
    assert!(!found.suggestions.is_empty());
    for suggestion in &found.suggestions {
        let changed = Design::parse("changed.toml", suggestion.text.as_bytes()).expect("read");
        let consumer = &changed.pipeline().consumer;
        assert!(
            consumer.commits() || consumer.seek_on_assign,
            "{:?}",
            suggestion.changes
        );
    }
}

#[test]
fn a_diff_can_be_applied_to_files_of_any_kind() {
    let crlf = BALANCE.replace('\n', "\r\n");
    let open_end = BALANCE.trim_end();
    for (name, text) in [
        ("semel.toml", BALANCE),
        ("semel.toml", crlf.as_str()),
        ("semel.toml", open_end),
        ("my design.toml", BALANCE),
    ] {
        let bench = Bench::with(b"");
        std::fs::write(bench.file(name), text).expect("it can be written");
        let arguments = ["suggest", name, "--most", "1", "--format", "json"];
        let output = semel(bench.folder.path(), &arguments);
        assert_eq!(code(&output), 0, "{}", err(&output));
        let said: serde_json::Value = serde_json::from_str(out(&output)).expect("JSON");
        let first = &said["suggestions"][0];
        let diff = first["diff"].as_str().expect("a diff");
        let wanted = first["design"].as_str().expect("a design");
        let changed = patched(text, diff);
        assert_eq!(changed, wanted, "{name}");
    }
}

/// What becomes of `text` with a diff in the unified format.
fn patched(text: &str, diff: &str) -> String {
    let own: Vec<&str> = text.split_inclusive('\n').collect();
    let mut at = 0;
    let mut changed = String::new();
    let mut lines = diff.split_inclusive('\n').skip(2).peekable();
    while let Some(line) = lines.next() {
        let is_open = lines.peek().is_some_and(|next| next.starts_with('\\'));
        let body = |line: &'_ str| {
            let body = &line[1..];
            match is_open {
                true => body.strip_suffix('\n').unwrap_or(body).to_string(),
                false => body.to_string(),
            }
        };
        match line.as_bytes()[0] {
            b'@' => {
                let start = line.split(['-', ',']).nth(1).expect("a line number");
                let start: usize = start.parse().expect("a number");
                changed.extend(own[at..start - 1].iter().copied());
                at = start - 1;
            }
            b'-' => {
                assert_eq!(own[at], body(line));
                at += 1;
            }
            b'+' => changed += &body(line),
            b' ' => {
                assert_eq!(own[at], body(line));
                changed += own[at];
                at += 1;
            }
            b'\\' => {}
            other => panic!("{}", char::from(other)),
        }
    }
    changed.extend(own[at..].iter().copied());
    changed
}

#[test]
fn on_the_map_every_order_has_its_place() {
    let design = design(BALANCE);
    let map = map(&design, &CheckOptions::default(), &mut |_| {});
    assert_eq!(map.stop, None);
    let delivery = |order: &str| {
        let place = map.places.iter().find(|place| place.order == order);
        place.unwrap_or_else(|| panic!("{order}")).delivery
    };
    for (order, expected) in [
        // Effect and mark are one; what comes again meets the mark.
        ("db[process, remember] -> commit", Delivery::ExactlyOnce),
        (
            "skip-if-seen -> db[process, remember] -> commit",
            Delivery::ExactlyOnce,
        ),
        // Effect and offset are one.
        ("db[process, save-offset]", Delivery::ExactlyOnce),
        // A crash after the effect repeats it.
        ("process -> commit", Delivery::AtLeastOnce),
        (
            "skip-if-seen -> process -> remember -> commit",
            Delivery::AtLeastOnce,
        ),
        // A crash after the commit, or the mark, loses it.
        ("commit -> process", Delivery::AtMostOnce),
        ("remember -> process -> commit", Delivery::AtMostOnce),
    ] {
        assert_eq!(delivery(order), expected, "{order}");
    }
    let sorted = map.places.is_sorted_by_key(|place| place.delivery);
    assert!(sorted, "the strongest come first");
}

#[test]
fn a_suggestion_is_a_diff_of_the_file() {
    let bench = Bench::with(BALANCE.as_bytes());
    let output = semel(
        bench.folder.path(),
        &["suggest", "semel.toml", "--most", "2"],
    );
    assert_eq!(code(&output), 0, "{}", err(&output));
    insta::assert_snapshot!(out(&output));
}

#[test]
fn where_there_is_none_it_is_said_why() {
    let text = BALANCE.replace("effect = \"add\"", "effect = \"external\"");
    let bench = Bench::with(text.as_bytes());
    let output = semel(
        bench.folder.path(),
        &["suggest", "semel.toml", "--keep", "sink"],
    );
    assert_eq!(code(&output), 1, "{}", err(&output));
    insta::assert_snapshot!(out(&output));
    let output = semel(bench.folder.path(), &["suggest", "--keep", "sink.efect"]);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("did you mean 'effect'"),
        "{}",
        err(&output)
    );
    let output = semel(
        bench.folder.path(),
        &["suggest", "--keep", "sink", "--timeout", "1ms"],
    );
    assert_eq!(code(&output), 3, "{}", err(&output));
}

#[test]
fn the_map_is_a_table_and_a_picture() {
    let bench = Bench::with(BALANCE.as_bytes());
    let output = semel(
        bench.folder.path(),
        &["suggest", "--map", "map.svg", "--format", "markdown"],
    );
    assert_eq!(code(&output), 0, "{}", err(&output));
    let rows = out(&output)
        .lines()
        .filter(|line| line.starts_with("| `"))
        .count();
    let picture = std::fs::read_to_string(bench.file("map.svg")).expect("it is there");
    assert_eq!(
        picture.matches("<circle").count(),
        rows,
        "a dot for each row"
    );
    let output = semel(bench.folder.path(), &["suggest", "--map", "absent/map.svg"]);
    assert_eq!(code(&output), 5);
}
