//! A server that is not there, refuses, or goes away; and what a run leaves on it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;

use semel::lab::sink::{Database, PostgresFailure, SinkError};
use semel_models::store::{NotDone, Store};

use crate::bench::{self, Bench, Tables, perform};
use crate::client::Client;
use crate::databases::{self, Kind};

const PASSWORD: &str = "pass%20w0rd";

/// What failed, and what is said of it.
fn failed(error: &SinkError) -> (PostgresFailure, String) {
    let SinkError::Postgres(failed) = error else {
        panic!("{error:?}");
    };
    let messages = [error.to_string(), format!("{error:?}")];
    for message in &messages {
        let leaked = message.contains("w0rd") || message.contains(PASSWORD);
        assert!(!leaked, "{message}");
    }
    (failed.failure(), messages[0].clone())
}

fn refused(url: &str) -> (PostgresFailure, String) {
    let database = Database::postgres(url, &bench::pipeline().sink);
    failed(&database.expect_err("it cannot be reached"))
}

/// The URL of the server to test with, and these options for its connections.
fn with_options(options: &str) -> Option<String> {
    let url = databases::postgres()?;
    let sign = if url.contains('?') { '&' } else { '?' };
    Some(format!(
        "{url}{sign}options={}",
        options.replace(' ', "%20")
    ))
}

/// A server that answers the first connection with this error.
fn answering(code: &str, message: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let fields = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody connects");
        let mut length = [0; 4];
        stream.read_exact(&mut length).expect("a startup message");
        let mut startup = vec![0; u32::from_be_bytes(length) as usize - 4];
        stream.read_exact(&mut startup).expect("a startup message");
        let length = u32::try_from(fields.len() + 4).expect("it is short");
        let answer = [b"E", &length.to_be_bytes()[..], fields.as_bytes()].concat();
        stream.write_all(&answer).expect("it is read");
    });
    format!("postgres://ann:{PASSWORD}@{address}/shop")
}

#[test]
fn a_url_that_cannot_be_read_is_refused_without_a_word_of_it() {
    for url in [
        format!("postgres://ann:{PASSWORD}@localhost:port/shop"),
        "host=localhost password=pass w0rd=x".to_owned(),
    ] {
        let (failure, message) = refused(&url);
        assert_eq!(failure, PostgresFailure::Url);
        assert!(
            message.contains("postgres://USER:PASSWORD@HOST"),
            "{message}"
        );
    }
}

#[test]
fn a_server_that_is_not_there_is_named_without_the_password() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    drop(listener);
    let (failure, message) = refused(&format!("postgres://ann:{PASSWORD}@{address}/shop"));
    assert_eq!(failure, PostgresFailure::Unreachable);
    let place = format!("PostgreSQL at {address}, database shop, user ann: cannot connect: ");
    assert!(message.starts_with(&place), "{message}");
    assert!(message.contains("start it"), "{message}");
    assert!(message.contains("refused"), "{message}");
}

#[test]
fn what_the_server_refuses_at_the_door_is_told_with_its_words() {
    use PostgresFailure::{Connections, Login, NoDatabase, Unreachable};
    for (code, failure) in [
        ("28P01", Login),
        ("28000", Login),
        ("3D000", NoDatabase),
        ("53300", Connections),
        ("57P03", Unreachable),
    ] {
        let (found, message) = refused(&answering(code, "its own words"));
        assert_eq!(found, failure, "{code}");
        assert!(
            message.ends_with("(the server says: its own words)"),
            "{message}"
        );
    }
}

#[test]
fn a_wrong_password_is_told_where_the_server_asks_for_one() {
    let Some(url) = databases::postgres() else {
        return;
    };
    let right: postgres::Config = url.parse().expect("it is one");
    let Some(user) = right.get_user().filter(|_| right.get_password().is_some()) else {
        println!("skipped: the server lets anybody in");
        return;
    };
    let place = url.split_once('@').expect("there is a user").1;
    let (failure, message) = refused(&format!("postgres://{user}:{PASSWORD}@{place}"));
    assert_eq!(failure, PostgresFailure::Login, "{message}");
}

#[test]
fn who_may_not_create_a_schema_is_told_what_is_missing() {
    // A role of every server, which may not create anything.
    let Some(url) = with_options("-c role=pg_read_all_data") else {
        return;
    };
    let (failure, message) = refused(&url);
    assert_eq!(failure, PostgresFailure::Permission, "{message}");
    if message.contains("permission denied to set role") {
        println!("skipped: the user may take no other role");
        return;
    }
    assert!(message.contains("cannot create a schema"), "{message}");
    assert!(message.contains("GRANT CREATE ON DATABASE"), "{message}");
}

#[test]
fn a_connection_that_breaks_off_in_the_middle_leaves_nothing_of_its_transaction() {
    if databases::postgres().is_none() {
        return;
    }
    let pipeline = bench::pipeline();
    let bench = Bench::on(Kind::Postgres, &pipeline);
    let before = bench.tables();
    let mut sink = bench.connect();
    sink.begin().expect("it begins");
    perform(&mut sink, 0, 0, &pipeline).expect("it takes place");
    let end = "SELECT pg_terminate_backend(pid, 10000)::int::bigint FROM pg_locks
         WHERE relation = 'balance'::regclass AND mode = 'RowExclusiveLock'";
    assert_eq!(bench.client().rows(end), [[Some(1)]]);
    let done = perform(&mut sink, 1, 0, &pipeline);
    let Err(NotDone::Failed(error)) = done else {
        panic!("{done:?}");
    };
    let (failure, message) = failed(&error);
    assert_eq!(failure, PostgresFailure::Gone, "{message}");
    sink.commit(()).expect_err("there is nothing to commit");
    assert_eq!(bench.tables(), before);
    let mut sink = bench.connect();
    perform(&mut sink, 1, 0, &pipeline).expect("another connection goes on");
}

#[test]
fn a_transaction_in_which_a_statement_failed_is_not_committed_in_silence() {
    if databases::postgres().is_none() {
        return;
    }
    let pipeline = bench::pipeline();
    let bench = Bench::on(Kind::Postgres, &pipeline);
    let before = bench.tables();
    let most = "ALTER TABLE balance ADD CHECK (amount < 2)";
    bench.client().run(most).expect("it is less");
    let mut sink = bench.connect();
    sink.begin().expect("it begins");
    perform(&mut sink, 0, 0, &pipeline).expect("it takes place");
    perform(&mut sink, 1, 0, &pipeline).expect_err("the balance may not be more");
    sink.commit(()).expect_err("it cannot be committed");
    assert_eq!(bench.tables(), before);
    perform(&mut sink, 1, 0, &pipeline).expect("the connection is as before");
}

#[test]
fn who_would_have_to_wait_for_ever_is_told_of_the_transaction_that_is_open() {
    let Some(url) = with_options("-c lock_timeout=50ms") else {
        return;
    };
    let pipeline = bench::pipeline();
    let database = Database::postgres(&url, &pipeline.sink).expect("it can be reached");
    let [mut one, mut other] = [(); 2].map(|()| database.connect().expect("it is there"));
    one.begin().expect("it begins");
    perform(&mut one, 0, 0, &pipeline).expect("it takes place");
    let done = perform(&mut other, 1, 0, &pipeline);
    let Err(NotDone::Failed(error)) = done else {
        panic!("{done:?}");
    };
    assert_eq!(failed(&error).0, PostgresFailure::Locked);
    one.roll_back(()).expect("it is rolled back");
    perform(&mut other, 1, 0, &pipeline).expect("nobody has the row");
}

#[test]
fn a_connection_is_gone_only_when_the_server_has_let_its_locks_go() {
    if databases::postgres().is_none() {
        return;
    }
    let pipeline = bench::pipeline();
    let bench = Bench::on(Kind::Postgres, &pipeline);
    let mut observer = bench.client();
    let locks = "SELECT pid::bigint FROM pg_locks WHERE relation = 'balance'::regclass";
    for _ in 0..20 {
        let mut sink = bench.connect();
        sink.begin().expect("it begins");
        perform(&mut sink, 0, 0, &pipeline).expect("it takes place");
        assert_eq!(observer.rows(locks).len(), 1);
        drop(sink);
        assert_eq!(observer.rows(locks).len(), 0);
    }
}

#[test]
fn each_run_has_a_schema_that_goes_with_its_last_connection() {
    if databases::postgres().is_none() {
        return;
    }
    let pipeline = bench::pipeline();
    let mut observer = Client::postgres("public");
    let mut count = |name: &str| {
        let query = format!("SELECT oid::bigint FROM pg_namespace WHERE nspname = '{name}'");
        observer.rows(&query).len()
    };
    let [one, other] = [(); 2].map(|()| Bench::on(Kind::Postgres, &pipeline));
    let name = |bench: &Bench| bench.database.schema().expect("it has one").to_owned();
    let (first, second) = (name(&one), name(&other));
    let mut sink = one.connect();
    perform(&mut sink, 0, 0, &pipeline).expect("it takes place");
    assert!(other.tables().effects.is_empty(), "they share nothing");
    drop((one, other));
    assert_eq!((count(&first), count(&second)), (1, 0));
    sink.begin().expect("it begins");
    perform(&mut sink, 1, 0, &pipeline).expect("it is connected still");
    drop(sink);
    assert_eq!(count(&first), 0);
}

/// Whether this is the process that is to be killed.
const TO_BE_KILLED: &str = "SEMEL_SINK_KILLED";

/// Stops in the middle of a transaction where the test below asks for it.
#[test]
fn a_process_to_be_killed_waits_within_a_transaction() {
    if std::env::var_os(TO_BE_KILLED).is_none() {
        return;
    }
    let pipeline = bench::pipeline();
    let bench = Bench::on(Kind::Postgres, &pipeline);
    let mut sink = bench.connect();
    perform(&mut sink, 0, 0, &pipeline).expect("it takes place");
    sink.begin().expect("it begins");
    perform(&mut sink, 1, 0, &pipeline).expect("it takes place");
    println!("\nin {}", bench.database.schema().expect("it has one"));
    let mut line = String::new();
    // Nothing comes.
    let _ = std::io::stdin().read_line(&mut line);
}

#[test]
fn of_a_process_that_is_killed_the_transaction_it_was_in_is_rolled_back() {
    if databases::postgres().is_none() {
        return;
    }
    let name = "servers::a_process_to_be_killed_waits_within_a_transaction";
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", name, "--nocapture"])
        .env(TO_BE_KILLED, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let schema = lines.find_map(|line| {
        let line = line.expect("it is text");
        line.strip_prefix("in ").map(str::to_owned)
    });
    let schema = schema.expect("it is in a transaction");
    child.kill().expect("it lives");
    child.wait().expect("it is dead");
    let mut client = Client::postgres(&schema);
    // Who writes next waits until the server has noticed.
    let next = client.run("UPDATE balance SET amount = amount + 10");
    next.expect("nobody has the row");
    let tables = Tables::of(&mut client);
    assert_eq!((&tables.effects[..], tables.balance), (&[0][..], 11));
    let dropped = client.run(&format!("DROP SCHEMA {schema} CASCADE"));
    dropped.expect("nobody is there");
}
