//! Connections between the processes: each calls those before it, and is called by those behind it.
//!
//! Over a new connection both say who they are and what they are about to do, so that processes
//! that would disagree later end here.

use super::patience::{PAUSE, Patience, Wait};
use super::{Hosts, HostsError, look_up};
use socket2::{SockRef, TcpKeepalive};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How long the others may take to come.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How long they are waited for without a word.
const QUIET: Duration = Duration::from_secs(5);
/// How long one may take to say who it is.
const GREETING_TIME: Duration = Duration::from_secs(5);
/// After how long without a word a connection is tried, how often, and how many tries may fail: a
/// machine that lost its power, or its network, resets no connection.
const SILENCE: Duration = Duration::from_secs(30);
const TRY_EVERY: Duration = Duration::from_secs(10);
const TRIES: u32 = 3;

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
    patience: &Patience,
) -> Result<Vec<Option<TcpStream>>, HostsError> {
    let own = Greeting {
        number: number as u32,
        common: crc32c::crc32c(format!("{}\n{common}", hosts.text()).as_bytes()),
    };
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
    let mut meeting = Meeting {
        hosts,
        own,
        patience,
        deadline: Instant::now() + LONGEST_WAIT,
        wait: patience.wait(QUIET),
    };
    let mut streams: Vec<Option<TcpStream>> = hosts.addresses.iter().map(|_| None).collect();
    for (before, stream) in streams.iter_mut().enumerate().take(number) {
        *stream = Some(meeting.call(before)?);
    }
    while let Some(missing) = (number + 1..hosts.count()).find(|behind| streams[*behind].is_none())
    {
        meeting.wait_for(missing)?;
        match listener.accept() {
            Ok((stream, _)) => {
                if let Some((behind, stream)) = greet(hosts, stream, own)? {
                    streams[behind] = Some(stream);
                }
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
    for stream in streams.iter().flatten() {
        notice_silence(stream).map_err(|error| HostsError::Setup(error.to_string()))?;
    }
    Ok(streams)
}

/// A connection whose other end is gone without a word ends.
fn notice_silence(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    let tries = TcpKeepalive::new()
        .with_time(SILENCE)
        .with_interval(TRY_EVERY)
        .with_retries(TRIES);
    socket.set_tcp_keepalive(&tries)?;
    // What is sent and not acknowledged is no silence: it has a limit of its own.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(SILENCE + TRIES * TRY_EVERY))?;
    Ok(())
}

/// The processes as they come.
struct Meeting<'a> {
    hosts: &'a Hosts,
    own: Greeting,
    patience: &'a Patience,
    deadline: Instant,
    wait: Wait<'a>,
}

impl Meeting<'_> {
    /// Calls a process until it answers.
    fn call(&mut self, other: usize) -> Result<TcpStream, HostsError> {
        loop {
            self.wait_for(other)?;
            let called = look_up(&self.hosts.addresses[other]).and_then(|address| {
                let mut stream = TcpStream::connect_timeout(&address, GREETING_TIME)?;
                stream.set_nodelay(true)?;
                self.own.send(&mut stream)?;
                // Until it has come to accept this call.
                let told = Greeting::receive(&mut stream)?;
                Ok((stream, told))
            });
            match called {
                Ok((stream, Some(told)))
                    if told.number as usize == other && told.common == self.own.common =>
                {
                    return Ok(stream);
                }
                Ok((_, Some(_))) => return Err(self.hosts.disagrees(other)),
                Ok((_, None)) | Err(_) => thread::sleep(PAUSE),
            }
        }
    }

    /// Whether to go on waiting for `other`.
    fn wait_for(&mut self, other: usize) -> Result<(), HostsError> {
        if (self.patience.interrupted)() {
            return Err(HostsError::Interrupted);
        }
        if self.patience.is_over(Duration::ZERO) {
            return Err(HostsError::MissingAtTimeout {
                number: other,
                address: self.hosts.named(other),
            });
        }
        if Instant::now() >= self.deadline {
            return Err(self.hosts.missing(other));
        }
        let hosts = self.hosts;
        self.wait
            .say(|| format!("waits for process {other} at {}", hosts.named(other)));
        Ok(())
    }
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
            seconds: LONGEST_WAIT.as_secs(),
        }
    }

    fn disagrees(&self, number: usize) -> HostsError {
        HostsError::Disagrees {
            number,
            address: self.named(number),
        }
    }
}
