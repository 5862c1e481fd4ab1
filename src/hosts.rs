//! Several processes that explore together, over TCP: a timely dataflow that takes each message to
//! the process that it is for.
//!
//! A hosts file names where each process listens, one `HOST:PORT` a line; empty lines and what
//! follows a `#` do not count. Each process is started with the same file and the number of its line.

mod connect;
mod dataflow;
mod patience;

pub(crate) use dataflow::Dataflow;
pub(crate) use patience::Patience;

use crate::explore::MOST_PEERS;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;

/// Where each process listens.
#[derive(Debug)]
pub(crate) struct Hosts {
    addresses: Vec<String>,
}

/// Why processes cannot explore together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostsError {
    #[error("cannot read the hosts file {file}: {cause}")]
    Unreadable { file: String, cause: io::Error },
    #[error("{file}, line {line}: '{text}' is not a HOST:PORT that can be looked up: {cause}")]
    BadAddress {
        file: String,
        line: usize,
        text: String,
        cause: io::Error,
    },
    #[error("{file}, line {line}: {text} is where process {before} listens: each needs its own")]
    SameAddress {
        file: String,
        line: usize,
        text: String,
        before: usize,
    },
    #[error("{file}, line {line}: {text} has no port: process {number} would be called at port 0")]
    NoPort {
        file: String,
        line: usize,
        text: String,
        number: usize,
    },
    #[error("{file} names {found} processes; it takes 1 to {MOST_PEERS}, one HOST:PORT a line")]
    BadCount { file: String, found: usize },
    #[error(
        "there is no process {number}: {file} has {count} lines with an address, so --process is 0 to {}",
        count - 1
    )]
    NoSuchProcess {
        file: String,
        number: usize,
        count: usize,
    },
    #[error("process {number} cannot listen at {address}: {cause}")]
    CannotListen {
        number: usize,
        address: String,
        cause: io::Error,
    },
    #[error(
        "process {number} at {address} did not come within {seconds} s: start it with the same designs, the same hosts file and --process {number}"
    )]
    Missing {
        number: usize,
        address: String,
        seconds: u64,
    },
    #[error(
        "process {number} at {address} does something else: every process needs the same version of semel, the same designs and limits, and the same hosts file"
    )]
    Disagrees { number: usize, address: String },
    #[error(
        "process {number} at {address} did not come before --timeout: start it with the same designs, the same hosts file and --process {number}"
    )]
    MissingAtTimeout { number: usize, address: String },
    #[error("interrupted while waiting for the other processes")]
    Interrupted,
    #[error("the connections between the processes cannot be set up: {0}")]
    Setup(String),
}

impl Hosts {
    /// Reads a hosts file, for the process of this number.
    pub(crate) fn read(path: &Path, number: usize) -> Result<Hosts, HostsError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|cause| HostsError::Unreadable {
            file: file.clone(),
            cause,
        })?;
        let hosts = Hosts::parse(&file, &text)?;
        let count = hosts.addresses.len();
        if number >= count {
            return Err(HostsError::NoSuchProcess {
                file,
                number,
                count,
            });
        }
        Ok(hosts)
    }

    fn parse(file: &str, text: &str) -> Result<Hosts, HostsError> {
        let mut addresses = Vec::new();
        let mut found = Vec::new();
        for (line, own) in text.lines().enumerate() {
            let address = own.split('#').next().unwrap_or_default().trim();
            if address.is_empty() {
                continue;
            }
            let own = look_up(address).map_err(|cause| HostsError::BadAddress {
                file: file.into(),
                line: line + 1,
                text: address.into(),
                cause,
            })?;
            if own.port() == 0 {
                return Err(HostsError::NoPort {
                    file: file.into(),
                    line: line + 1,
                    text: address.into(),
                    number: addresses.len(),
                });
            }
            if let Some(before) = found.iter().position(|other| *other == own) {
                return Err(HostsError::SameAddress {
                    file: file.into(),
                    line: line + 1,
                    text: address.into(),
                    before,
                });
            }
            addresses.push(address.to_owned());
            found.push(own);
        }
        match addresses.len() {
            1..=MOST_PEERS => Ok(Hosts { addresses }),
            found => Err(HostsError::BadCount {
                file: file.into(),
                found,
            }),
        }
    }

    /// How many processes there are.
    pub(crate) fn count(&self) -> usize {
        self.addresses.len()
    }

    /// What every process must have in common with the others.
    fn text(&self) -> String {
        self.addresses.join("\n")
    }
}

fn look_up(address: &str) -> io::Result<SocketAddr> {
    let mut found = address.to_socket_addrs()?;
    found
        .next()
        .ok_or_else(|| io::Error::other("the name has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_file_is_one_address_a_line() {
        let text = "# two machines\n127.0.0.1:4000\n\n  127.0.0.1:4001 # the second\n";
        let hosts = Hosts::parse("hosts.txt", text).expect("two addresses");
        assert_eq!(hosts.addresses, ["127.0.0.1:4000", "127.0.0.1:4001"]);
    }

    #[test]
    fn two_processes_cannot_listen_at_one_address() {
        let error = Hosts::parse(
            "hosts.txt",
            "127.0.0.1:4000\nlocalhost:4001\n127.0.0.1:4000\n",
        );
        let error = error.expect_err("the same twice").to_string();
        assert!(error.starts_with("hosts.txt, line 3: 127.0.0.1:4000 is where process 0 listens"));
    }

    #[test]
    fn what_is_no_address_is_told_with_its_line() {
        let error = Hosts::parse("hosts.txt", "127.0.0.1:4000\n127.0.0.1\n");
        let error = error.expect_err("no port").to_string();
        assert!(error.starts_with("hosts.txt, line 2: '127.0.0.1' is not a HOST:PORT"));
    }

    #[test]
    fn nobody_can_be_called_at_port_0() {
        let error = Hosts::parse("hosts.txt", "127.0.0.1:4000\n127.0.0.1:0\n");
        let error = error.expect_err("no port").to_string();
        assert!(error.starts_with("hosts.txt, line 2: 127.0.0.1:0 has no port: process 1"));
    }

    #[test]
    fn no_process_is_too_few_and_more_than_there_are_shards_too_many() {
        for count in [0, MOST_PEERS + 1] {
            let text: String = (1..=count)
                .map(|port| format!("127.0.0.1:{port}\n"))
                .collect();
            let error = Hosts::parse("hosts.txt", &text).expect_err("not a number of processes");
            assert!(
                error
                    .to_string()
                    .contains(&format!("names {count} processes"))
            );
        }
    }
}
