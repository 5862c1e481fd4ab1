//! The page of `semel report`, as a file.

#[path = "support/shell.rs"]
mod shell;

use shell::{Bench, code, design, err, out, semel};
use std::fs;

fn losing() -> Bench {
    Bench::with(design("require = [\"no-loss\"]", "commit -> process").as_bytes())
}

fn report(bench: &Bench, arguments: &[&str]) -> std::process::Output {
    semel(bench.folder.path(), &[&["report"], arguments].concat())
}

#[test]
fn the_page_ends_as_check_does_and_has_every_step_without_a_script() {
    let bench = losing();
    let output = report(&bench, &[]);
    assert_eq!(code(&output), 1, "{}", err(&output));
    assert!(out(&output).is_empty() && err(&output).contains("wrote report.html"));
    let page = fs::read_to_string(bench.file("report.html")).expect("a page");
    let checked: serde_json::Value =
        serde_json::from_str(out(&bench.check(&["--format", "json"]))).expect("verdicts");
    for guarantee in checked["designs"][0]["guarantees"]
        .as_array()
        .expect("some")
    {
        let Some(trace) = guarantee["trace"].as_object() else {
            continue;
        };
        let name = guarantee["name"].as_str().expect("a name");
        let run = page
            .split(&format!("id=\"{name}\""))
            .nth(1)
            .expect("its run");
        let run = run.split("</section>").next().expect("its end");
        for (place, step) in trace["steps"].as_array().expect("steps").iter().enumerate() {
            let (number, sentence) = (place + 1, step["sentence"].as_str().expect("a sentence"));
            let told = format!("<b>{number}</b>{}", sentence.replace('\'', "&#39;"));
            assert!(run.contains(&told), "{name}: {told}");
            for change in step["change"].as_array().expect("changes") {
                let after = change["after"].as_str().expect("a fact");
                assert!(run.contains(&format!("→ {}", after.replace('>', "&gt;"))));
            }
        }
        assert!(
            run.contains("class=\"broken\""),
            "{name}: the guarantee is marked"
        );
    }
    assert!(page.contains("[application] order ="), "what mends it");
}

#[test]
fn the_same_design_gives_the_same_bytes() {
    let bench = losing();
    let once = report(&bench, &["-o", "-", "--jobs", "1"]);
    let again = report(&bench, &["-o", "-", "--jobs", "4"]);
    assert!(out(&once).starts_with("<!doctype html>"));
    assert_eq!(out(&once), out(&again));
}

#[test]
fn a_report_is_written_over_an_earlier_one_and_over_nothing_else() {
    let bench = losing();
    assert_eq!(code(&report(&bench, &[])), 1);
    assert_eq!(
        code(&report(&bench, &[])),
        1,
        "an earlier report is replaced"
    );
    let before = fs::read(bench.file("semel.toml")).expect("a design");
    let output = report(&bench, &["-o", "semel.toml"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("--force"), "{}", err(&output));
    assert_eq!(
        fs::read(bench.file("semel.toml")).expect("a design"),
        before
    );
    fs::write(bench.file("notes.html"), "mine").expect("it can be written");
    assert_eq!(code(&report(&bench, &["-o", "notes.html", "--force"])), 1);
    let page = fs::read_to_string(bench.file("notes.html")).expect("a page");
    assert!(page.starts_with("<!doctype html>"));
}

#[test]
fn what_a_framework_stands_for_is_on_the_page() {
    let text = design("", "process").replace("order = ", "framework = \"spring-kafka\"\norder = ");
    let text = text.replace("enable.auto.commit = false\n", "");
    let bench = Bench::with(text.as_bytes());
    let output = report(&bench, &["-o", "-"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    for told in ["DefaultErrorHandler", "each(process) -&gt; commit"] {
        assert!(out(&output).contains(told), "{told}");
    }
}

#[test]
fn a_design_that_holds_has_a_page_without_runs() {
    let bench = Bench::with(design("", "db[process, remember] -> commit").as_bytes());
    let output = report(&bench, &["-o", "-"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(out(&output).contains("No run within this bound violates anything."));
    assert!(
        !out(&output).contains("<kbd>"),
        "no keys for what is not there"
    );
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_written_to_and_not_replaced() {
    let bench = losing();
    let pipe = bench.file("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    let name = pipe.clone();
    let reader = std::thread::spawn(move || fs::read_to_string(name).expect("a page"));
    assert_eq!(code(&report(&bench, &["-o", "pipe"])), 1);
    let page = reader.join().expect("it was read");
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    assert!(!fs::metadata(pipe).expect("still there").is_file());
}

#[test]
fn what_cannot_be_reported_is_told() {
    let bench = losing();
    let output = report(&bench, &["-o", "absent/report.html"]);
    assert_eq!(code(&output), 5, "{}", err(&output));
    assert_eq!(code(&report(&bench, &["--entry", "C99"])), 2);
    assert_eq!(code(&report(&bench, &["absent.toml"])), 5);
    assert_eq!(code(&report(&bench, &["--preset", "at-lest-once"])), 2);
    assert!(!bench.file("report.html").exists(), "no half page");
    let empty = tempfile::tempdir().expect("a folder");
    assert_eq!(code(&semel(empty.path(), &["report"])), 4);
}

#[test]
fn lost_messages_crashes_and_loops_are_drawn() {
    let bench = losing();
    let page = |id: &str| out(&report(&bench, &["--entry", id, "-o", "-"])).to_string();
    let lost = page("P04");
    assert!(lost.contains(">answer lost</text>") && lost.contains("class=\"cross\""));
    let dead = page("C01");
    assert!(dead.contains(">crash</text>") && dead.contains("class=\"life down\""));
    let late = page("P08");
    assert!(late.contains("fault: producer-crash"), "the fault's name");
    let recorded = include_str!("fixtures/trace-v1-without-end.json");
    let recorded: serde_json::Value = serde_json::from_str(recorded).expect("a trace");
    let text = recorded["design"]["text"].as_str().expect("a design");
    let endless = Bench::with(text.as_bytes());
    let endless = report(&endless, &["-o", "-"]);
    assert!(
        out(&endless).contains("repeats for ever"),
        "{}",
        err(&endless)
    );
}

#[test]
fn several_designs_share_a_page_and_no_id() {
    let bench = losing();
    let output = report(
        &bench,
        &["semel.toml", "--preset", "at-least-once", "-o", "-"],
    );
    let page = out(&output);
    let mut ids: Vec<&str> = page
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "each id once");
    assert!(page.contains("<a href=\"#design-2\">at-least-once</a>"));
    assert!(page.contains("at-least-once") && page.contains("id=\"design-2-no-duplicates\""));
}
