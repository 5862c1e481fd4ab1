//! Connections between the processes: each calls those before it, and is called by those behind it.
//!
//! Over a new connection both say who they are and what they are about to do, so that processes
//! that would disagree later end here.

use super::{Hosts, HostsError, look_up};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How long the others may take to come.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one may take to say who it is.
const GREETING_TIME: Duration = Duration::from_secs(5);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

const MAGIC: [u8; 8] = *b"semel\0\0\x01";
const GREETING_BYTES: usize = 16;

/// What a process says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Greeting {
    number: u32,
    /// Checksum of all that the processes must have in common.
    common: u32,
}

impl Greeting {
    fn send(self, stream: &mut TcpStream) -> io::Result<()> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(self.common.to_be_bytes());
        stream.write_all(&bytes)
    }

    /// `None`: it is no greeting.
    fn receive(stream: &mut TcpStream) -> io::Result<Option<Greeting>> {
        let mut bytes = [0; GREETING_BYTES];
        stream.set_read_timeout(Some(GREETING_TIME))?;
        stream.read_exact(&mut bytes)?;
        stream.set_read_timeout(None)?;
        let Some(told) = bytes.strip_prefix(&MAGIC) else {
            return Ok(None);
        };
        let word =
            |at: usize| u32::from_be_bytes([told[at], told[at + 1], told[at + 2], told[at + 3]]);
        Ok(Some(Greeting {
            number: word(0),
            common: word(4),
        }))
    }
}

/// A connection to every other process, for process `number`; `common` is what all must agree on.
pub(super) fn connect(
    hosts: &Hosts,
    number: usize,
    common: &str,
    interrupted: &dyn Fn() -> bool,
) -> Result<Vec<Option<TcpStream>>, HostsError> {
    let own = Greeting {
        number: number as u32,
        common: crc32c::crc32c(format!("{}\n{common}", hosts.text()).as_bytes()),
    };
    let deadline = Instant::now() + PATIENCE;
    let address = &hosts.addresses[number];
    let listening = look_up(address).and_then(|address| {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    let listener = listening.map_err(|cause| HostsError::CannotListen {
        number,
        address: address.clone(),
        cause,
    })?;
    let mut streams: Vec<Option<TcpStream>> = hosts.addresses.iter().map(|_| None).collect();
    for (before, stream) in streams.iter_mut().enumerate().take(number) {
        *stream = Some(call(hosts, before, own, deadline, interrupted)?);
    }
    while let Some(missing) = (number + 1..hosts.count()).find(|behind| streams[*behind].is_none())
    {
        if interrupted() {
            return Err(HostsError::Interrupted);
        }
        if Instant::now() >= deadline {
            return Err(hosts.missing(missing));
        }
        match listener.accept() {
            Ok((stream, _)) => {
                if let Some((behind, stream)) = greet(hosts, stream, own)? {
                    streams[behind] = Some(stream);
                }
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
    Ok(streams)
}

/// Calls a process until it answers.
fn call(
    hosts: &Hosts,
    other: usize,
    own: Greeting,
    deadline: Instant,
    interrupted: &dyn Fn() -> bool,
) -> Result<TcpStream, HostsError> {
    while Instant::now() < deadline {
        if interrupted() {
            return Err(HostsError::Interrupted);
        }
        let called = look_up(&hosts.addresses[other]).and_then(|address| {
            let mut stream = TcpStream::connect_timeout(&address, GREETING_TIME)?;
            stream.set_nodelay(true)?;
            own.send(&mut stream)?;
            // Until it has come to accept this call.
            let told = Greeting::receive(&mut stream)?;
            Ok((stream, told))
        });
        match called {
            Ok((stream, Some(told)))
                if told.number as usize == other && told.common == own.common =>
            {
                return Ok(stream);
            }
            Ok((_, Some(_))) => return Err(hosts.disagrees(other)),
            Ok((_, None)) | Err(_) => thread::sleep(PAUSE),
        }
    }
    Err(hosts.missing(other))
}

/// Answers a call; one that is not from a process of these does not count.
fn greet(
    hosts: &Hosts,
    mut stream: TcpStream,
    own: Greeting,
) -> Result<Option<(usize, TcpStream)>, HostsError> {
    let greeted = stream
        .set_nonblocking(false)
        .and_then(|()| stream.set_nodelay(true))
        .and_then(|()| Greeting::receive(&mut stream))
        .and_then(|told| own.send(&mut stream).map(|()| told));
    let Ok(Some(told)) = greeted else {
        return Ok(None);
    };
    let other = told.number as usize;
    if told.common != own.common || other >= hosts.count() {
        return Err(hosts.disagrees(other));
    }
    Ok(Some((other, stream)))
}

impl Hosts {
    fn named(&self, number: usize) -> String {
        let known = self.addresses.get(number).cloned();
        known.unwrap_or_else(|| "an address that is not in the hosts file".into())
    }

    fn missing(&self, number: usize) -> HostsError {
        HostsError::Missing {
            number,
            address: self.named(number),
            seconds: PATIENCE.as_secs(),
        }
    }

    fn disagrees(&self, number: usize) -> HostsError {
        HostsError::Disagrees {
            number,
            address: self.named(number),
        }
    }
}
