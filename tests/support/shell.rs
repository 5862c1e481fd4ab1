//! The command `semel`, run in a folder of its own.

#![allow(dead_code, reason = "each test uses its part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Runs semel in `folder`.
pub fn semel(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_semel"));
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null());
    command.output().expect("semel runs")
}

/// Its exit code.
pub fn code(output: &Output) -> i32 {
    output.status.code().expect("it ends by itself")
}

/// What it printed.
pub fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("text")
}

/// What it complained of.
pub fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("text")
}

/// A folder with one design in it.
pub struct Bench {
    pub folder: tempfile::TempDir,
}

impl Bench {
    pub fn with(design: &[u8]) -> Bench {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("semel.toml"), design).expect("it can be written");
        Bench { folder }
    }

    pub fn check(&self, arguments: &[&str]) -> Output {
        semel(self.folder.path(), &[&["check"], arguments].concat())
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A small design with these lines before its first table.
pub fn design(head: &str, order: &str) -> String {
    format!(
        "{head}\n[consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
         [application]\norder = \"{order}\"\n[faults]\nconsumer-crash = 1\n[bounds]\nrecords = 1\n"
    )
}
