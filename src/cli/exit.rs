//! The exit codes: one table, also in the README.

use std::process::ExitCode;

/// How the command ends. Of several, the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Every required guarantee holds, or everything is as expected.
    Fine,
    /// Something that counts is undecided.
    Undecided,
    /// A required guarantee is violated, or something is not as expected.
    Violated,
    /// There was nothing to check or to replay.
    NothingChecked,
    /// The command line, a design or a trace is wrong.
    Usage,
    /// Reading or writing failed.
    Io,
    /// The user interrupted it.
    Interrupted,
}

impl Exit {
    /// Every way to end, by its code.
    pub(crate) const ALL: [Exit; 7] = [
        Exit::Fine,
        Exit::Violated,
        Exit::Usage,
        Exit::Undecided,
        Exit::NothingChecked,
        Exit::Io,
        Exit::Interrupted,
    ];

    /// The process's exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Fine => 0,
            Exit::Violated => 1,
            Exit::Usage => 2,
            Exit::Undecided => 3,
            Exit::NothingChecked => 4,
            Exit::Io => 5,
            Exit::Interrupted => 130,
        }
    }

    /// The way to end with this code.
    pub(crate) fn of_code(code: u8) -> Option<Exit> {
        Exit::ALL.into_iter().find(|exit| exit.code() == code)
    }

    /// When the code is used.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Exit::Fine => {
                "every required guarantee holds, or all is as expected; nothing required: all is decided"
            }
            Exit::Violated => "a required guarantee is violated, or something is not as expected",
            Exit::Usage => "the command line, a design or a trace is wrong",
            Exit::Undecided => "a limit was reached before all that counts was decided",
            Exit::NothingChecked => "there was nothing to check or to replay",
            Exit::Io => "reading or writing failed",
            Exit::Interrupted => "interrupted; what was known by then is printed",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
