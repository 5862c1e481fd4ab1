//! The sink in a real database, and the judge over its rows.

#[path = "lab_sink/bench.rs"]
mod bench;
#[path = "lab_sink/both.rs"]
mod both;
#[path = "lab_sink/client.rs"]
mod client;
#[path = "lab_sink/crashes.rs"]
mod crashes;
#[path = "support/databases.rs"]
mod databases;
#[path = "lab_sink/draws.rs"]
mod draws;
#[cfg(feature = "postgres")]
#[path = "lab_sink/servers.rs"]
mod servers;
#[path = "lab_sink/sqlite_files.rs"]
mod sqlite_files;
#[cfg(feature = "postgres")]
#[path = "lab_sink/two_writers.rs"]
mod two_writers;
