//! Other programs that explore the reference protocol, built on the way where that is possible.

use super::graphs::Size;
use semel_models::reference::Parameters;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A program, and the size that it is run with.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    pub size: Size,
    arguments: Vec<String>,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.size.fmt(f)
    }
}

impl Program {
    pub fn run(&self, more: &[&str]) {
        let status = Command::new(&self.path)
            .args(&self.arguments)
            .args(more)
            .stdout(Stdio::null())
            .status();
        assert!(status.is_ok_and(|status| status.success()));
    }

    /// With so many threads, a table for all states, and parents.
    pub fn run_with(&self, threads: usize) {
        self.run(&[&threads.to_string(), "24", "parent"]);
    }
}

/// Where the protocol lies in the languages of other tools.
fn sources() -> Option<PathBuf> {
    let named = std::env::var_os("SEMEL_YARDSTICKS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference-protocol");
    named.or(Some(beside)).filter(|path| path.is_dir())
}

fn work(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).expect("the target directory can be written");
    directory
}

/// SPIN's verifier of the protocol, for the largest size; none where SPIN is not installed.
pub fn spin() -> &'static [Program] {
    static SPIN: OnceLock<Vec<Program>> = OnceLock::new();
    SPIN.get_or_init(|| build_spin().into_iter().collect())
}

fn build_spin() -> Option<Program> {
    let model = sources()?.join("kafka.pml");
    let directory = work("spin");
    let Parameters {
        records,
        retries,
        crashes,
        window,
        ..
    } = Size::L.parameters();
    let bounds = [
        format!("-DN={records}"),
        format!("-DR={retries}"),
        format!("-DC={crashes}"),
        format!("-DK={window}"),
        "-DORDER=0".into(),
    ];
    let mut generate = Command::new("spin");
    generate.arg("-a").args(bounds).arg(model);
    let mut compile = Command::new("gcc");
    compile.args(["-O3", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c"]);
    for step in [&mut generate, &mut compile] {
        let done = step.current_dir(&directory).stdout(Stdio::null()).status();
        done.ok().filter(|status| status.success())?;
    }
    Some(Program {
        path: directory.join("pan"),
        size: Size::L,
        arguments: vec!["-m10000".into(), "-w23".into()],
    })
}

/// The program that knows this protocol only, for each size; none where its source is not there.
pub fn limit() -> &'static [Program] {
    static LIMIT: OnceLock<Vec<Program>> = OnceLock::new();
    LIMIT.get_or_init(|| build_limit().unwrap_or_default())
}

fn build_limit() -> Option<Vec<Program>> {
    let source = sources()?.join("limit");
    let directory = work("limit");
    fs::create_dir_all(directory.join("src")).ok()?;
    for file in ["Cargo.toml", "src/lib.rs", "src/main.rs"] {
        let text = fs::read(source.join(file)).ok()?;
        fs::write(directory.join(file), text).ok()?;
    }
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--target-dir", "target"])
        .current_dir(&directory)
        .status();
    built.ok().filter(|status| status.success())?;
    let program = |size: Size| {
        let Parameters {
            records,
            retries,
            crashes,
            window,
            ..
        } = size.parameters();
        let bounds = [records, retries, crashes, window].map(|bound| bound.to_string());
        Program {
            path: directory.join("target/release/limit"),
            size,
            arguments: bounds.into_iter().chain(["0".into()]).collect(),
        }
    };
    Some(Size::ALL.map(program).to_vec())
}
