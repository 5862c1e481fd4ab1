//! Why PostgreSQL failed, and what to do.

use crate::lab::sink::SinkError;
use postgres::Config;
use postgres::config::Host;
use postgres::error::SqlState;
use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A failure of PostgreSQL.
#[derive(Debug)]
pub struct PostgresError {
    server: String,
    doing: &'static str,
    failure: PostgresFailure,
    source: Option<postgres::Error>,
}

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PostgresFailure {
    /// The URL cannot be read.
    Url,
    /// The server cannot be reached.
    Unreachable,
    /// The server does not let this user in.
    Login,
    /// There is no such database.
    NoDatabase,
    /// The user may not do this.
    Permission,
    /// The server has no connection left.
    Connections,
    /// Another connection is in the middle of a transaction that this one would have to wait for.
    Locked,
    /// The connection broke off.
    Gone,
    /// The server's disk is full.
    Full,
    /// Anything else.
    Other,
}

impl PostgresFailure {
    /// What it means, and what to do.
    fn advice(self) -> &'static str {
        match self {
            PostgresFailure::Url => {
                "the URL cannot be read; write it as postgres://USER:PASSWORD@HOST:5432/DATABASE, \
                 with characters such as @ and / of a password as %40 and %2F"
            }
            PostgresFailure::Unreachable => {
                "the server cannot be reached; start it, or correct the URL (host, port, user, \
                 password; TLS is not supported)"
            }
            PostgresFailure::Login => {
                "the server does not let this user in; correct the user and the password in the URL"
            }
            PostgresFailure::NoDatabase => {
                "there is no such database; create it, or correct its name in the URL"
            }
            PostgresFailure::Permission => {
                "the user has no permission; each run has a schema of its own: GRANT CREATE ON \
                 DATABASE to this user, or name another one"
            }
            PostgresFailure::Connections => {
                "the server has no connection left; run less at a time, or raise its max_connections"
            }
            PostgresFailure::Locked => {
                "another connection is in the middle of a transaction; end it, and run again"
            }
            PostgresFailure::Gone => {
                "the connection broke off, and what was not committed is rolled back; look into the \
                 server's log, and run again"
            }
            PostgresFailure::Full => {
                "the server's disk is full; free some space and run again, what was committed is \
                 still there"
            }
            PostgresFailure::Other => "if it comes again, try another database",
        }
    }

    fn of(error: &postgres::Error, connecting: bool) -> PostgresFailure {
        let Some(code) = error.code() else {
            return match connecting {
                true => PostgresFailure::Unreachable,
                false if error.is_closed() || is_io(error) => PostgresFailure::Gone,
                false => PostgresFailure::Other,
            };
        };
        if *code == SqlState::INVALID_CATALOG_NAME {
            return PostgresFailure::NoDatabase;
        }
        if *code == SqlState::LOCK_NOT_AVAILABLE || *code == SqlState::T_R_DEADLOCK_DETECTED {
            return PostgresFailure::Locked;
        }
        if *code == SqlState::INSUFFICIENT_PRIVILEGE {
            return PostgresFailure::Permission;
        }
        if *code == SqlState::TOO_MANY_CONNECTIONS {
            return PostgresFailure::Connections;
        }
        if *code == SqlState::DISK_FULL {
            return PostgresFailure::Full;
        }
        match code.code().get(..2) {
            Some("28") => PostgresFailure::Login,
            // It starts up, or shuts down.
            Some("57" | "08") if connecting => PostgresFailure::Unreachable,
            Some("57" | "08") => PostgresFailure::Gone,
            _ => PostgresFailure::Other,
        }
    }
}

fn is_io(error: &postgres::Error) -> bool {
    let source = error.source();
    source.is_some_and(|source| source.is::<std::io::Error>())
}

impl PostgresError {
    /// What failed.
    pub fn failure(&self) -> PostgresFailure {
        self.failure
    }
}

impl fmt::Display for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: cannot {}: ", self.server, self.doing)?;
        f.write_str(self.failure.advice())?;
        let Some(source) = &self.source else {
            return Ok(());
        };
        match source.as_db_error() {
            Some(error) => write!(f, " (the server says: {})", error.message()),
            None => match source.source() {
                Some(cause) => write!(f, " ({source}: {cause})"),
                None => write!(f, " ({source})"),
            },
        }
    }
}

impl Error for PostgresError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}

/// How long a statement waits for a lock before it fails. One operation is run at a time: whoever
/// holds a lock now will hold it still later, unless other processes take part.
const LOCK_TIMEOUT: &str = "-c lock_timeout=10s";

/// How a server is reached, and how it is named without the password.
pub(super) struct Server {
    config: Config,
    name: String,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Server {
    /// The server at `url`; its connections see the tables of `schema`.
    pub(super) fn at(url: &str, schema: &str) -> Result<Server, SinkError> {
        // What the parser says may quote a part of the password.
        let mut config = Config::from_str(url).map_err(|_| {
            SinkError::Postgres(Box::new(PostgresError {
                server: "PostgreSQL".to_owned(),
                doing: "connect",
                failure: PostgresFailure::Url,
                source: None,
            }))
        })?;
        let own = config.get_options().unwrap_or_default().to_owned();
        let isolation = "-c default_transaction_isolation=read\\ committed";
        config.options(&format!(
            "{LOCK_TIMEOUT} {own} -c search_path={schema} {isolation}"
        ));
        if config.get_application_name().is_none() {
            config.application_name("semel");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        Ok(Server {
            name: named(&config),
            config,
        })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// The failure to do something.
    pub(super) fn told(&self, doing: &'static str, source: postgres::Error) -> SinkError {
        SinkError::Postgres(Box::new(PostgresError {
            server: self.name.clone(),
            doing,
            failure: PostgresFailure::of(&source, doing == "connect"),
            source: Some(source),
        }))
    }
}

fn named(config: &Config) -> String {
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => folder.display().to_string(),
    });
    let hosts: Vec<String> = hosts.collect();
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let part = |what: &str, name: Option<&str>| {
        name.map_or_else(String::new, |name| format!(", {what} {name}"))
    };
    format!(
        "PostgreSQL at {}:{port}{}{}",
        hosts.join(","),
        part("database", config.get_dbname()),
        part("user", config.get_user()),
    )
}
