//! A pipeline to work with, the sink in a directory of its own, and what its tables hold.

use std::path::Path;

use rusqlite::Connection;
use semel::Design;
use semel::lab::sink::{SqliteSink, Synchronous};
use semel_models::limits::{Limits, Room};
use semel_models::pipeline::Pipeline;
use semel_models::program::{Operation, Program};

const DESIGN: &str = r#"
    client = "java"

    [application]
    order = "process -> commit"

    [bounds]
    records = 6
"#;

/// A pipeline whose sink the caller changes as it likes.
pub fn pipeline() -> Pipeline {
    let design = Design::parse("lab.toml", DESIGN.as_bytes()).expect("it can be built");
    design.pipeline().clone()
}

/// Its limits, with a dedup store that forgets.
pub fn limits(pipeline: &Pipeline) -> Limits {
    let limits = Limits::of(pipeline, &[], true, Room::Packed).expect("they are small");
    Limits {
        dedup_forgets: true,
        ..limits
    }
}

/// The operations of the pipeline's order.
pub fn operations(pipeline: &Pipeline) -> Vec<Operation> {
    Program::compile(&pipeline.consumer.order, 0).operations
}

/// The sink in `directory`, which loses nothing when only the process dies.
pub fn open(directory: &Path, pipeline: &Pipeline) -> SqliteSink {
    SqliteSink::open(directory, &pipeline.sink, Synchronous::Off).expect("it can be opened")
}

/// What the tables hold, read by a connection of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Tables {
    /// Key, record and offset of each row.
    pub rows: Vec<(u16, u16, u16)>,
    /// The dedup keys in the order of their insertion.
    pub seen: Vec<u16>,
    pub saved: Option<u16>,
    pub fence: u16,
    pub balance: u32,
    /// The records of the provider's calls.
    pub calls: Vec<u16>,
    /// The records of the effects.
    pub effects: Vec<u16>,
}

impl Tables {
    pub fn of(path: &Path) -> Tables {
        let connection = Connection::open(path).expect("it can be opened");
        let column = |query: &str| -> Vec<u16> {
            let mut statement = connection.prepare(query).expect("there is such a table");
            let rows = statement.query_map([], |row| row.get(0));
            let values = rows.expect("it can be read").collect::<Result<_, _>>();
            values.expect("numbers")
        };
        let triple = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let query = "SELECT key, record, offset FROM rows ORDER BY key";
        let mut statement = connection.prepare(query).expect("there are rows");
        let rows = statement.query_map([], triple).expect("they can be read");
        let number = |query: &str| {
            let value = connection.query_one(query, [], |row| row.get::<_, Option<u32>>(0));
            value.expect("there is one row")
        };
        let small = |number: u32| u16::try_from(number).expect("a small number");
        Tables {
            rows: rows.collect::<Result<_, _>>().expect("numbers"),
            seen: column("SELECT key FROM seen ORDER BY id"),
            saved: number("SELECT next FROM saved_offset").map(small),
            fence: number("SELECT generation FROM fence").map_or(0, small),
            balance: number("SELECT amount FROM balance").unwrap_or_default(),
            calls: column("SELECT record FROM calls ORDER BY id"),
            effects: column("SELECT record FROM effects ORDER BY id"),
        }
    }
}
