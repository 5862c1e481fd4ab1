//! Warnings about combinations that lose, repeat or block by their nature.

use insta::assert_snapshot;

use super::*;

/// The warnings of designs that are accepted, each with its place.
fn warnings(designs: &[String]) -> String {
    let line = |warning: &super::super::Warning| {
        let at = warning.position().map_or(String::new(), |at| {
            format!(" {}:{} {}", at.line, at.column, warning.concerned())
        });
        format!("[{}]{at}\n  {}", warning.kind(), warning.text())
    };
    let of = |text: &String| {
        let lines: Vec<String> = accepted(text).warnings().iter().map(line).collect();
        lines.join("\n")
    };
    designs.iter().map(of).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn combinations_that_lose_repeat_or_block_are_told() {
    let automatic =
        |text: String| text.replace("enable.auto.commit = false", "enable.auto.commit = true");
    let letters = "on-process-failure = { then = \"dead-letter\" }";
    let fixed = "group.instance.id = \"one\"";
    let two = |text: String| text.replace("[application]", "[application]\ninstances = 2");
    let designs = [
        with_application("source = \"dual-write\""),
        with_application("source = \"outbox\"\noutbox-cursor = \"highest-id\""),
        automatic(with_order("process").replace("[application]", "[application]\nworkers = 2")),
        with_application("instances = 2\nassignment = \"assign\""),
        two(with_order("db[process, save-offset]")),
        two(with_order("skip-if-seen -> process -> remember -> commit"))
            + "[sink]\ndedup = \"memory\"\n",
        with_consumer(&format!("{fixed}\ngroup.protocol = \"consumer\"")),
        two(with_consumer(fixed)),
        with_application("on-process-failure = { attempts = 3, then = \"skip\" }"),
        SOUND.replace("consumer-crash", "poison"),
        with_application(letters) + "[output.producer]\nacks = 0\nenable.idempotence = false\n",
        SOUND.to_owned() + "[broker]\noffsets.retention.minutes = 60\n",
        format!("kafka = \"1.1\"\n{SOUND}"),
    ];
    assert_snapshot!(warnings(&designs));
}

#[test]
fn what_takes_the_meaning_of_a_statement_away_is_told() {
    let designs = [
        with_consumer("group.instance.id = \"one\"")
            .replace("[application]", "[application]\nassignment = \"assign\""),
        with_application("on-process-failure = { attempts = 3, then = \"block\" }"),
        with_order("db[process, remember] -> commit") + "[sink]\ndedup-window = 2\n",
    ];
    assert_snapshot!(warnings(&designs));
}

#[test]
fn designs_that_avoid_them_are_not_warned() {
    let two = |text: String| text.replace("[application]", "[application]\ninstances = 2");
    for text in [
        with_application("source = \"outbox\""),
        with_application("workers = 2\ncommit-covers = \"contiguous\""),
        with_application("on-revoke = \"commit\"\ninstances = 2"),
        with_application("on-process-failure = { attempts = 3, then = \"dead-letter\" }"),
        two(with_order("db[process, save-offset]")) + "[sink]\nfencing = true\n",
        with_order("process").replace("[application]", "[application]\non-revoke = \"commit\""),
        with_consumer("group.instance.id = \"one\""),
        SOUND.to_owned() + "[topic]\nretention.ms = -1\n",
        format!("kafka = \"2.1\"\n{SOUND}"),
    ] {
        assert_eq!(warned(&accepted(&text)), [], "{text}");
    }
}
