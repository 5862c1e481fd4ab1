//! A pipeline to work with, its sink in a database of its own, and what its tables hold.

use std::cell::RefCell;
use std::path::Path;

use semel::Design;
use semel::lab::sink::{Database, SqlSink, Synchronous};
use semel_models::cluster::Reductions;
use semel_models::ledger::Ledger;
use semel_models::limits::{Limits, Room};
use semel_models::offset::Offset;
use semel_models::pipeline::Pipeline;
use semel_models::program::{Operation, Program};
use semel_models::store::{NotDone, Performed, Store, Write};
use tempfile::TempDir;

use crate::client::Client;
use crate::databases::Kind;

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
    let limits = Limits::of(pipeline, &[], Reductions::ALL, Room::Packed).expect("they are small");
    Limits {
        dedup_forgets: true,
        ..limits
    }
}

/// The operations of the pipeline's order.
pub fn operations(pipeline: &Pipeline) -> Vec<Operation> {
    Program::compile(&pipeline.consumer.order, 0).operations
}

/// Performs the effect of a record that was read at the offset of its number.
pub fn perform(
    sink: &mut SqlSink,
    record: u16,
    generation: u16,
    pipeline: &Pipeline,
) -> Result<Performed, NotDone<<SqlSink as Store>::Error>> {
    let write = Write {
        record,
        offset: Offset(record),
        generation,
    };
    sink.perform(write, pipeline, &Ledger::of(6))
}

/// A database with the sink of a pipeline.
pub struct Bench {
    pub database: Database,
    directory: TempDir,
    /// A connection that semel knows nothing of, once there is something to connect to.
    client: RefCell<Option<Client>>,
}

impl Bench {
    /// One that loses nothing when only the process dies.
    pub fn on(kind: Kind, pipeline: &Pipeline) -> Bench {
        let directory = tempfile::tempdir().expect("a directory");
        let settings = &pipeline.sink;
        let database = match kind {
            Kind::Sqlite => Database::sqlite(directory.path(), settings, Synchronous::Off),
            #[cfg(feature = "postgres")]
            Kind::Postgres => {
                let url = crate::databases::postgres().expect("it is skipped otherwise");
                Database::postgres(&url, settings).expect("it can be reached")
            }
        };
        Bench {
            database,
            directory,
            client: RefCell::default(),
        }
    }

    /// Where SQLite has its file.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A connection to the sink.
    pub fn connect(&self) -> SqlSink {
        self.database.connect().expect("it can be opened")
    }

    /// A connection beside semel's own.
    pub fn client(&self) -> Client {
        #[cfg(feature = "postgres")]
        if let Some(schema) = self.database.schema() {
            return Client::postgres(schema);
        }
        Client::sqlite(&self.directory().join("sink.db"))
    }

    /// What the tables hold.
    pub fn tables(&self) -> Tables {
        let mut client = self.client.borrow_mut();
        Tables::of(client.get_or_insert_with(|| self.client()))
    }
}

/// What the tables hold.
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
    pub fn of(client: &mut Client) -> Tables {
        let small = |number: Option<i64>| number.map(|it| u16::try_from(it).expect("it is small"));
        let mut column = |query: &str| -> Vec<Option<u16>> {
            let rows = client.rows(query).into_iter();
            rows.map(|row| small(row[0])).collect()
        };
        let numbers = |column: Vec<Option<u16>>| -> Vec<u16> {
            column.into_iter().map(|it| it.expect("a number")).collect()
        };
        let [key, record, offset] = ["key", "record", "\"offset\""]
            .map(|name| numbers(column(&format!("SELECT {name} FROM rows ORDER BY key"))));
        let rows = key.into_iter().zip(record).zip(offset);
        Tables {
            rows: rows
                .map(|((key, record), offset)| (key, record, offset))
                .collect(),
            seen: numbers(column("SELECT key FROM seen ORDER BY id")),
            saved: column("SELECT next FROM saved_offset")[0],
            fence: numbers(column("SELECT generation FROM fence"))[0],
            balance: numbers(column("SELECT amount FROM balance"))[0].into(),
            calls: numbers(column("SELECT record FROM calls ORDER BY id")),
            effects: numbers(column("SELECT record FROM effects ORDER BY id")),
        }
    }
}
