//! A small client of chromedriver: WebDriver over plain HTTP, as far as the tests need it.

use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Names the chromedriver to test with; without it, the one on the path.
const VARIABLE: &str = "SEMEL_CHROMEDRIVER";

/// Nothing but the page: no first run, no updates, no reports.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];

/// A key as WebDriver writes it.
pub const LEFT: char = '\u{E012}';
pub const RIGHT: char = '\u{E014}';
pub const HOME: char = '\u{E011}';
pub const END: char = '\u{E010}';

/// A browser with one window.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// A browser whose window has this size; `None`, and a note, where there is none on the machine.
    pub fn start(width: u16, height: u16) -> Option<Browser> {
        let named = std::env::var_os(VARIABLE);
        let program = named.clone().unwrap_or("chromedriver".into());
        let spawned = Command::new(&program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut driver = match spawned {
            Ok(driver) => driver,
            Err(error) => {
                assert!(named.is_none(), "{}: {error}", program.display());
                println!(
                    "not run: there is no chromedriver on this machine ({VARIABLE} names one)"
                );
                return None;
            }
        };
        let port = port(&mut driver);
        let profile = tempfile::tempdir().expect("a folder");
        let mut flags: Vec<String> = FLAGS.iter().map(|flag| flag.to_string()).collect();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        let mut browser = Browser {
            driver,
            port,
            session: String::new(),
            _profile: profile,
        };
        let made = browser.call(
            "POST",
            "/session",
            json!({ "capabilities": { "alwaysMatch": {
                "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
                "goog:chromeOptions": {
                    "args": flags,
                    "mobileEmulation": { "deviceMetrics": {
                        "width": width, "height": height, "pixelRatio": 1.0, "mobile": false } },
                },
            } } }),
        );
        browser.session = made["sessionId"].as_str().expect("a session").into();
        Some(browser)
    }

    /// Opens a file, at a place in it. What earlier pages asked for and said is forgotten.
    pub fn open(&self, file: &Path, place: &str) {
        // A new place in the same page would not load it again.
        self.ask("POST", "/url", json!({ "url": "about:blank" }));
        self.requests();
        self.console();
        let url = format!("file://{}{place}", file.display());
        self.ask("POST", "/url", json!({ "url": url }));
    }

    /// What a script returns.
    pub fn eval(&self, script: &str) -> Value {
        let body = json!({ "script": format!("return {script}"), "args": [] });
        self.ask("POST", "/execute/sync", body)
    }

    /// Presses and releases a key, wherever the focus is.
    pub fn press(&self, key: char) {
        let act = |kind: &str| json!({ "type": kind, "value": key });
        let keys = [act("keyDown"), act("keyUp")];
        let body = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": keys }] });
        self.ask("POST", "/actions", body);
    }

    /// Clicks on the first element that a selector finds.
    pub fn click(&self, selector: &str) {
        let found = self.ask(
            "POST",
            "/element",
            json!({ "using": "css selector", "value": selector }),
        );
        let ids = found.as_object().expect("an element");
        let id = ids.values().next().and_then(Value::as_str).expect("an id");
        self.ask("POST", &format!("/element/{id}/click"), json!({}));
    }

    /// Shows the page as it would be on paper, or with another preference.
    pub fn emulate(&self, media: &str, scheme: &str) {
        let features = [json!({ "name": "prefers-color-scheme", "value": scheme })];
        let parameters = json!({ "media": media, "features": features });
        let body = json!({ "cmd": "Emulation.setEmulatedMedia", "params": parameters });
        self.ask("POST", "/goog/cdp/execute", body);
    }

    /// What the console has said since this was last asked.
    pub fn console(&self) -> Vec<String> {
        let said = |entry: &Value| entry["message"].as_str().map(String::from);
        let log = self.ask("POST", "/se/log", json!({ "type": "browser" }));
        log.as_array()
            .expect("a log")
            .iter()
            .filter_map(said)
            .collect()
    }

    /// The addresses that were asked for since this was last asked.
    pub fn requests(&self) -> Vec<String> {
        let log = self.ask("POST", "/se/log", json!({ "type": "performance" }));
        let asked = |entry: &Value| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let event = &message["message"];
            let is_request = event["method"] == "Network.requestWillBeSent";
            let url = event["params"]["request"]["url"].as_str()?;
            is_request.then(|| url.to_string())
        };
        log.as_array()
            .expect("a log")
            .iter()
            .filter_map(asked)
            .collect()
    }

    fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        self.call(method, &format!("/session/{}{path}", self.session), body)
    }

    fn call(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.try_call(method, path, body).expect("an answer");
        let value = answer["value"].clone();
        assert!(value["error"].is_null(), "{method} {path}: {value}");
        value
    }

    fn try_call(&self, method: &str, path: &str, body: Value) -> io::Result<Value> {
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            answer.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut bytes = vec![0; length];
        answer.read_exact(&mut bytes)?;
        Ok(serde_json::from_slice(&bytes)?)
    }
}

impl Drop for Browser {
    /// The end of the session ends Chromium: also where a test fails, which is a panic already.
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let path = format!("/session/{}", self.session);
            let _ = self.try_call("DELETE", &path, json!({}));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The port that chromedriver has chosen: it says so once it listens there.
fn port(driver: &mut Child) -> u16 {
    let output = driver.stdout.take().expect("its output");
    let said = BufReader::new(output).lines().map_while(Result::ok);
    let mut ports = said.filter_map(|line| {
        let (_, rest) = line.split_once("started successfully on port ")?;
        rest.trim_end_matches('.').parse().ok()
    });
    ports.next().expect("chromedriver starts")
}
