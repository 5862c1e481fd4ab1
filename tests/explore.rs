//! `semel explore`, as a browser asks it.

#[path = "support/shell.rs"]
mod shell;

use serde_json::Value;
use shell::{Bench, code, design, err, semel};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

/// A running server.
struct Server {
    process: Child,
    address: SocketAddr,
    _bench: Bench,
}

impl Server {
    fn start() -> Server {
        let bench = Bench::with(design("", "process -> commit").as_bytes());
        let mut process = Command::new(env!("CARGO_BIN_EXE_semel"))
            .args(["explore", "--address", "127.0.0.1:0"])
            .current_dir(bench.folder.path())
            .stderr(Stdio::piped())
            .spawn()
            .expect("semel runs");
        let said = BufReader::new(process.stderr.take().expect("its errors"));
        let mut lines = said.lines().map_while(Result::ok);
        let line = lines.next().expect("where it listens");
        let (_, rest) = line.split_once("http://").expect("an address");
        let (address, _) = rest.split_once('/').expect("an address");
        Server {
            process,
            address: address.parse().expect("an address"),
            _bench: bench,
        }
    }

    /// The body of an answer. It listens from some moment after it said where.
    fn get(&self, path: &str) -> Value {
        let mut stream = loop {
            match TcpStream::connect(self.address) {
                Ok(stream) => break stream,
                Err(_) => std::thread::yield_now(),
            }
        };
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        .expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let body = body.find(['[', '{']).map(|at| &body[at..]).expect("JSON");
        let mut values = serde_json::Deserializer::from_str(body).into_iter();
        values.next().expect("a value").expect("JSON")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn steps_are_sentences_states_are_facts_and_paths_are_diagrams() {
    let server = Server::start();
    let status = server.get("/.status");
    let properties = status["properties"].as_array().expect("properties");
    assert_eq!(properties.len(), semel::Guarantee::ALL.len());
    let next = server.get("/.states/0");
    let next = next.as_array().expect("steps");
    let sent = &next[0];
    assert_eq!(sent["action"], "The application sends r0.");
    let state = sent["state"].as_str().expect("a state");
    assert!(
        state.contains("Application and producer\n  records: r0 (sent)"),
        "{state}"
    );
    assert!(
        state.contains("Faults left\n  in all: 1\n  consumer-crash: 1"),
        "{state}"
    );
    let outcome = sent["outcome"].as_str().expect("what changes");
    assert!(outcome.contains("was: r0 (not sent)"), "{outcome}");
    let svg = sent["svg"].as_str().expect("a diagram");
    assert!(
        svg.starts_with("<svg xmlns=") && svg.contains(">send r0</text>"),
        "{svg}"
    );
    let crash = next.iter().find(|step| {
        let action = step["action"].as_str().expect("text");
        action.starts_with('⚡') && action.ends_with("[consumer-crash]")
    });
    let crash = crash.expect("a fault that can strike");
    assert!(
        crash["state"]
            .as_str()
            .expect("a state")
            .contains("consumer: not running")
    );
}

#[test]
fn a_port_in_use_ends_in_5_and_no_design_in_4() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let bench = Bench::with(design("", "process -> commit").as_bytes());
    let arguments = ["explore", "--address", address.as_str()];
    let output = semel(bench.folder.path(), &arguments);
    assert_eq!(code(&output), 5, "{}", err(&output));
    assert!(err(&output).contains(&address) && err(&output).contains("--address"));
    let empty = tempfile::tempdir().expect("a folder");
    assert_eq!(code(&semel(empty.path(), &["explore"])), 4);
    assert_eq!(
        code(&semel(bench.folder.path(), &["explore", "absent.toml"])),
        5
    );
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_in_130() {
    let mut server = Server::start();
    let id = server.process.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status();
    assert!(sent.expect("kill").success());
    let ended = server.process.wait().expect("it ends");
    assert_eq!(ended.code(), Some(130));
}
