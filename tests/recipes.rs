//! The README's recipes: each row is a design that says what the row says, and is judged so.

use semel::design::Expected;
use semel::presets::{design, named};
use semel::verdict::Outcome;
use semel::{CheckOptions, Design, Guarantee, check};
use std::path::{Path, PathBuf};

const README: &str = include_str!("../README.md");

/// The cells of each row of the table that begins with `header`.
fn table(header: &str) -> Vec<Vec<&'static str>> {
    let lines = README.lines().skip_while(|line| *line != header).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    let cells = |row: &'static str| row.trim_matches('|').split(" | ").map(str::trim).collect();
    rows.map(cells).collect()
}

fn recipes() -> Vec<Vec<&'static str>> {
    table("| your code | write | loses | repeats | checked as |")
}

/// What stands in backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/recipes")
}

fn design_of(row: &[&str]) -> Design {
    let name = quoted(row[4]).next().expect("a name");
    if name.ends_with(".toml") {
        return Design::read(folder().join(name)).unwrap_or_else(|error| panic!("{error:?}"));
    }
    let preset = named(name).unwrap_or_else(|| panic!("no preset {name}"));
    design(preset).expect("a preset is a design")
}

#[test]
fn a_recipe_is_judged_as_it_and_its_row_say() {
    let rows = recipes();
    assert!(rows.len() >= 25, "the table is found: {}", rows.len());
    for row in rows {
        let design = design_of(&row);
        let verdicts = check(&design, &CheckOptions::default()).expect("within the limits");
        let name = design.file();
        assert_eq!(verdicts.outcome(), Outcome::AsAsked, "{name}");
        assert_eq!(verdicts.stop(), None, "{name}");
        let told = |guarantee| match verdicts.of(guarantee).trace() {
            Some(_) => "yes",
            None => "no",
        };
        assert_eq!(row[2], told(Guarantee::NoLoss), "{name} loses");
        assert_eq!(row[3], told(Guarantee::NoDuplicates), "{name} repeats");
    }
}

#[test]
fn what_a_row_tells_to_write_stands_in_its_design() {
    for row in recipes() {
        let design = design_of(&row);
        let statements: Vec<&str> = quoted(row[1]).collect();
        assert!(!statements.is_empty(), "{}", row[0]);
        for statement in statements {
            let written = |line: &str| {
                let rest = line.strip_prefix(statement);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            };
            let file = design.file();
            assert!(design.text().lines().any(written), "{file}: {statement}");
        }
    }
}

/// The design's text without the settings of the application and the sink that the row leaves out.
fn as_shown(design: &Design, row: &[&str]) -> String {
    let shown: Vec<&str> = quoted(row[1]).collect();
    let mut is_own = false;
    let mut text = String::new();
    for line in design.text().lines() {
        if line.starts_with('[') {
            is_own = ["[application]", "[sink]"].contains(&line);
        }
        let is_setting = !line.starts_with(['[', '#']) && line.contains('=');
        if !is_own || !is_setting || shown.iter().any(|statement| line.starts_with(statement)) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[test]
fn what_a_row_shows_is_enough_for_what_it_says() {
    for row in recipes() {
        let whole = design_of(&row);
        let shown = as_shown(&whole, &row);
        let design = Design::parse(whole.file(), shown.as_bytes())
            .unwrap_or_else(|error| panic!("{error:?}\n{shown}"));
        let verdicts = check(&design, &CheckOptions::default()).expect("within the limits");
        for guarantee in [Guarantee::NoLoss, Guarantee::NoDuplicates] {
            let said = row[if guarantee == Guarantee::NoLoss { 2 } else { 3 }];
            let told = match verdicts.of(guarantee).trace() {
                Some(_) => "yes",
                None => "no",
            };
            assert_eq!(said, told, "{guarantee} in the row of {}:\n{shown}", row[4]);
        }
    }
}

#[test]
fn every_recipe_has_its_row_and_says_what_it_expects() {
    let rows = recipes();
    let mut files = 0;
    for file in std::fs::read_dir(folder()).expect("the folder is there") {
        let file = file.expect("it can be listed");
        let name = file.file_name().to_string_lossy().into_owned();
        let named = rows.iter().filter(|row| row[4] == format!("`{name}`"));
        assert_eq!(named.count(), 1, "rows of {name}");
        let design = Design::read(file.path()).unwrap_or_else(|error| panic!("{error:?}"));
        let expects = |guarantee: Guarantee| {
            let mut all = design.expected().iter();
            all.any(|(own, _): &(Guarantee, Expected)| *own == guarantee)
        };
        assert!(
            expects(Guarantee::NoLoss) && expects(Guarantee::NoDuplicates),
            "{name}"
        );
        files += 1;
    }
    assert!(files > 0);
}

#[test]
fn what_is_not_in_this_version_is_refused_by_name() {
    let rows = table("| your code | what it would be |");
    assert!(!rows.is_empty(), "the table is found");
    for row in rows {
        let statements: Vec<&str> = quoted(row[1]).collect();
        let text = format!("[application]\n{}\n", statements.join("\n"));
        let error = Design::parse("later.toml", text.as_bytes()).expect_err("it is refused");
        let told = format!("{error:?}");
        assert!(told.contains("not modelled yet"), "{text}: {told}");
    }
}
