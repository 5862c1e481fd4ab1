//! Which test this is, and the line that runs one schedule of it again.

use std::path::Path;

/// Holds the name of a test and a schedule of it.
const SCHEDULE: &str = "SEMEL_SCHEDULE";

/// The name of the running test, where it can be known: libtest names a test's thread after it. With
/// one thread for all tests it does not; then a test that is run alone is in the arguments.
pub(super) fn name_of_test() -> Option<String> {
    let thread = std::thread::current();
    let named = thread.name().filter(|name| *name != "main");
    named
        .map(str::to_owned)
        .or_else(|| only_test(std::env::args()))
}

fn only_test(arguments: impl Iterator<Item = String>) -> Option<String> {
    let arguments: Vec<String> = arguments.skip(1).collect();
    let is_exact = arguments.iter().any(|argument| argument == "--exact");
    let mut names = arguments
        .into_iter()
        .filter(|argument| !argument.starts_with('-'));
    names.next().filter(|_| is_exact && names.next().is_none())
}

/// The schedule that the environment asks for, if it asks for one of the test `name`.
pub(super) fn asked_for(name: Option<&str>) -> Option<String> {
    let asked = std::env::var(SCHEDULE).ok()?;
    let schedule = of_test(&asked, name).map(str::to_owned);
    if schedule.is_none() && !asked.trim().is_empty() {
        let name = name.unwrap_or("a test without a name");
        eprintln!(
            "{SCHEDULE}='{asked}' is for another test than {name}, which tries every schedule"
        );
    }
    schedule
}

/// The schedule in `asked`, if it is one of the test `name`.
fn of_test<'a>(asked: &'a str, name: Option<&str>) -> Option<&'a str> {
    let (test, schedule) = asked.trim().split_once(char::is_whitespace)?;
    (Some(test) == name).then_some(schedule.trim())
}

/// The line that runs `schedule` of the test `name` again.
pub(super) fn line(name: Option<&str>, schedule: &str) -> String {
    let Some(name) = name else {
        return format!(
            "give the test a name with .named(\"..\"), and set {SCHEDULE}='NAME {schedule}'"
        );
    };
    let program = std::env::current_exe().unwrap_or_default();
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let target = target(&program, Path::new(&package));
    format!("{SCHEDULE}='{name} {schedule}' cargo test{target} {name} -- --exact --nocapture")
}

/// The arguments that choose the program among the targets of the package; none where it is not
/// clear: then the name of the test does.
fn target(program: &Path, package: &Path) -> String {
    let stem = program
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    // Cargo appends a hash.
    let name = stem.rsplit_once('-').map_or(stem, |(name, _)| name);
    let is_in = |folder: &str| {
        program
            .parent()
            .is_some_and(|parent| parent.ends_with(folder))
    };
    let is_test = [format!("tests/{name}.rs"), format!("tests/{name}/main.rs")]
        .iter()
        .any(|file| package.join(file).exists());
    if is_in("examples") {
        format!(" --example {name}")
    } else if is_in("deps") && is_test {
        format!(" --test {name}")
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_of_the_test_that_it_names() {
        let asked = "money::once records=1 crash@3";
        assert_eq!(
            of_test(asked, Some("money::once")),
            Some("records=1 crash@3")
        );
        assert_eq!(of_test(asked, Some("once")), None);
        assert_eq!(of_test(asked, None), None);
    }

    #[test]
    fn the_line_names_the_target_where_that_is_clear() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let of = |program: &str| target(Path::new(program), package);
        assert_eq!(of("/t/debug/examples/payments-0f"), " --example payments");
        assert_eq!(of("/t/debug/deps/readme-0f"), " --test readme");
        assert_eq!(of("/t/debug/deps/semel-0f"), "");
    }

    #[test]
    fn a_test_that_runs_alone_is_in_the_arguments() {
        let name = |arguments: &[&str]| only_test(arguments.iter().map(|word| word.to_string()));
        assert_eq!(name(&["t", "once", "--exact"]).as_deref(), Some("once"));
        assert_eq!(name(&["t", "once"]), None);
        assert_eq!(name(&["t", "once", "twice", "--exact"]), None);
    }
}
