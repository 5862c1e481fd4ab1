//! The other processes that a command explores with.

use super::args::{HostArguments, LimitArguments};
use super::complain;
use super::exit::Exit;
use super::session::Session;
use crate::design::Design;
use crate::explore::Peers;
#[cfg(feature = "timely")]
use crate::hosts::{Dataflow, Hosts, HostsError, Patience};

/// The other processes, if there are any.
pub(super) struct Others {
    #[cfg(feature = "timely")]
    dataflow: Option<Dataflow>,
}

#[cfg(feature = "timely")]
impl Others {
    /// Waits for the processes that the arguments name; they must explore the same `designs` within
    /// the same limits. Where they cannot be found, says why.
    pub(super) fn find(
        arguments: &HostArguments,
        designs: &[Design],
        limits: &LimitArguments,
        session: &Session,
    ) -> Result<Others, Exit> {
        let (Some(file), Some(number)) = (&arguments.hosts, arguments.process) else {
            return Ok(Others { dataflow: None });
        };
        let pipelines: Vec<_> = designs.iter().map(Design::pipeline).collect();
        let common = format!(
            "{} {pipelines:?} {:?} {:?}",
            env!("CARGO_PKG_VERSION"),
            limits.max_states,
            limits.timeout
        );
        let patience = Patience {
            interrupted: session.interrupted(),
            timeout: limits.timeout,
            since: session.started(),
            tell: Box::new(complain),
        };
        let found = Hosts::read(file, number)
            .and_then(|hosts| Dataflow::start(&hosts, number, &common, patience));
        match found {
            Ok(dataflow) => {
                if number > 0 {
                    let count = dataflow.count();
                    complain(&format!(
                        "process {number} of {count} has met the others; process 0 prints the verdicts"
                    ));
                }
                Ok(Others {
                    dataflow: Some(dataflow),
                })
            }
            Err(error) => {
                complain(&error.to_string());
                Err(exit_of(&error))
            }
        }
    }

    /// What to explore with.
    pub(super) fn peers(&mut self) -> Option<&mut dyn Peers> {
        self.dataflow.as_mut().map(|own| own as &mut dyn Peers)
    }

    /// Whether there are none.
    pub(super) fn is_alone(&self) -> bool {
        self.dataflow.is_none()
    }

    /// Whether this process prints what is found.
    pub(super) fn is_first(&self) -> bool {
        self.dataflow.as_ref().is_none_or(|own| own.number() == 0)
    }

    /// Ends when all have come this far.
    pub(super) fn finish(self) {
        if let Some(dataflow) = self.dataflow {
            dataflow.finish();
        }
    }
}

#[cfg(feature = "timely")]
fn exit_of(error: &HostsError) -> Exit {
    match error {
        HostsError::BadAddress { .. }
        | HostsError::SameAddress { .. }
        | HostsError::NoPort { .. }
        | HostsError::BadCount { .. }
        | HostsError::NoSuchProcess { .. }
        | HostsError::Disagrees { .. } => Exit::Usage,
        HostsError::Unreadable { .. }
        | HostsError::CannotListen { .. }
        | HostsError::Missing { .. }
        | HostsError::MissingAtTimeout { .. }
        | HostsError::Setup(_) => Exit::Io,
        HostsError::Interrupted => Exit::Interrupted,
    }
}

#[cfg(not(feature = "timely"))]
impl Others {
    /// There are none; says so where the arguments name some.
    pub(super) fn find(
        arguments: &HostArguments,
        _designs: &[Design],
        _limits: &LimitArguments,
        _session: &Session,
    ) -> Result<Others, Exit> {
        if arguments.hosts.is_none() {
            return Ok(Others {});
        }
        complain(
            "this semel explores in one process only: build it with the feature that adds --hosts, 'cargo build --release --features timely'",
        );
        Err(Exit::Usage)
    }

    pub(super) fn peers(&mut self) -> Option<&mut dyn Peers> {
        None
    }

    pub(super) fn is_alone(&self) -> bool {
        true
    }

    pub(super) fn is_first(&self) -> bool {
        true
    }

    pub(super) fn finish(self) {}
}
