//! Processes that explore together over TCP.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use tempfile::TempDir;

const SEMEL: &str = env!("CARGO_BIN_EXE_semel");

const LARGE: &str = r#"
[application]
order = "skip-if-seen -> db[process, remember] -> commit"
instances = 2

[bounds]
records = 3

[faults]
consumer-crash = 2
consumer-pause = 1
response-lost = 1
rebalance = 1
total = 3
"#;

/// A directory with a hosts file of so many processes on this machine.
fn hosts(count: usize) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    // Ports that nobody uses now; all are taken before the first is given back.
    let free: Vec<_> = (0..count)
        .map(|_| TcpListener::bind("127.0.0.1:0").expect("a port"))
        .collect();
    let address = |listener: &TcpListener| format!("{}\n", listener.local_addr().expect("bound"));
    let text: String = free.iter().map(address).collect();
    fs::write(directory.path().join("hosts.txt"), text).expect("written");
    directory
}

fn semel(directory: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(SEMEL);
    command
        .current_dir(directory.path())
        .arg("check")
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn process(directory: &TempDir, number: usize, arguments: &[&str]) -> Child {
    semel(directory, arguments)
        .args(["--hosts", "hosts.txt", "--process", &number.to_string()])
        .spawn()
        .expect("semel starts")
}

/// Two processes that have met to explore a large design, and what the second says.
fn met(directory: &TempDir, more: &[&str]) -> (Child, Child, BufReader<ChildStderr>) {
    fs::write(directory.path().join("large.toml"), LARGE).expect("written");
    let arguments = [&["large.toml"], more].concat();
    let first = process(directory, 0, &arguments);
    let mut second = process(directory, 1, &arguments);
    let mut told = BufReader::new(second.stderr.take().expect("piped"));
    let mut line = String::new();
    told.read_line(&mut line)
        .expect("it says that it has met the others");
    assert!(line.contains("process 1 of 2"), "{line}");
    (first, second, told)
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()));
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What was printed, without the times.
fn untimed(output: &Output) -> String {
    let text = text(&output.stdout);
    let lines = text.lines().filter(|line| !line.contains("\"seconds\""));
    lines.collect::<Vec<_>>().join("\n")
}

fn catalogue() -> Vec<String> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("models/catalogue");
    let files = fs::read_dir(directory).expect("the catalogue");
    let mut files: Vec<_> = files
        .map(|file| file.expect("a file").path().display().to_string())
        .filter(|file| file.ends_with(".toml"))
        .collect();
    files.sort();
    files
}

#[test]
fn two_and_four_processes_print_what_one_prints() {
    let files = catalogue();
    let mut arguments = vec!["--format", "json", "--jobs", "1"];
    arguments.extend(files.iter().map(String::as_str));
    let alone = semel(&hosts(1), &arguments).output().expect("semel runs");
    for count in [2, 4] {
        let directory = hosts(count);
        let running: Vec<_> = (0..count)
            .map(|number| process(&directory, number, &arguments))
            .collect();
        for (number, child) in running.into_iter().enumerate() {
            let output = child.wait_with_output().expect("it ends");
            assert_eq!(output.status.code(), alone.status.code());
            if number == 0 {
                assert_eq!(untimed(&output), untimed(&alone), "{count} processes");
                assert_eq!(text(&output.stderr), text(&alone.stderr));
            } else {
                assert_eq!(text(&output.stdout), "", "process 0 prints the verdicts");
            }
        }
    }
}

#[test]
fn a_process_that_dies_ends_the_others_without_a_verdict() {
    let directory = hosts(2);
    let (first, mut second, _) = met(&directory, &[]);
    second.kill().expect("it still explores");
    second.wait().expect("killed");
    let first = first.wait_with_output().expect("it ends");
    assert_eq!(first.status.code(), Some(5));
    assert_eq!(text(&first.stdout), "", "no verdict");
    let told = text(&first.stderr);
    assert!(
        told.starts_with("semel: large.toml: the connection to process 1 at 127.0.0.1:"),
        "{told}"
    );
    assert!(!told.contains("panicked"), "{told}");
}

#[test]
fn an_interrupt_of_one_ends_all_with_what_is_known() {
    let directory = hosts(2);
    let (first, mut second, mut told) = met(&directory, &["--preset", "at-most-once"]);
    signal(&second, "-INT");
    let mut rest = String::new();
    told.read_to_string(&mut rest).expect("text");
    assert_eq!(second.wait().expect("it ends").code(), Some(130), "{rest}");
    let first = first.wait_with_output().expect("it ends");
    assert_eq!(first.status.code(), Some(130));
    assert!(
        !text(&first.stdout).contains("at-most-once"),
        "no further design"
    );
    for told in [rest, text(&first.stderr)] {
        assert!(
            !told.contains("panicked") && !told.contains("lost"),
            "{told}"
        );
    }
}

#[test]
fn a_process_that_stands_still_is_not_waited_for_beyond_the_timeout() {
    let directory = hosts(2);
    let (first, mut second, _told) = met(&directory, &["--timeout", "3s"]);
    signal(&second, "-STOP");
    let first = first.wait_with_output().expect("it ends");
    second.kill().expect("it stands still");
    second.wait().expect("killed");
    assert_eq!(first.status.code(), Some(5));
    assert_eq!(text(&first.stdout), "", "no verdict");
    let said = text(&first.stderr);
    assert!(
        said.contains("process 1 at 127.0.0.1:")
            && said.contains("did not end its part before --timeout"),
        "{said}"
    );
}

#[test]
fn a_process_that_does_not_come_is_named_when_the_time_is_over() {
    let directory = hosts(2);
    let arguments = ["--preset", "at-most-once", "--timeout", "1s"];
    let output = process(&directory, 1, &arguments)
        .wait_with_output()
        .expect("it ends");
    assert_eq!(output.status.code(), Some(5));
    let said = text(&output.stderr);
    assert!(said.contains("process 0 at 127.0.0.1:"), "{said}");
    assert!(said.contains("did not come before --timeout"), "{said}");
}

#[test]
fn processes_with_other_designs_do_not_explore_together() {
    let directory = hosts(2);
    fs::write(directory.path().join("large.toml"), LARGE).expect("written");
    let other = LARGE.replace("records = 3", "records = 2");
    fs::write(directory.path().join("other.toml"), other).expect("written");
    let first = process(&directory, 0, &["large.toml"]);
    let second = process(&directory, 1, &["other.toml"]);
    for (child, other) in [(first, 1), (second, 0)] {
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(2));
        let told = text(&output.stderr);
        assert!(
            told.contains(&format!("process {other} at 127.0.0.1:")),
            "{told}"
        );
        assert!(told.contains("does something else"), "{told}");
    }
}

#[test]
fn a_process_without_a_line_in_the_hosts_file_is_refused() {
    let directory = hosts(2);
    let output = process(&directory, 2, &["--preset", "at-most-once"])
        .wait_with_output()
        .expect("it ends");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("there is no process 2"));
}
