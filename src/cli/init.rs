//! `semel init`.

use super::args::{Client, InitArguments};
use super::complain;
use super::exit::Exit;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

/// The file name that stands for standard output.
const STANDARD_OUTPUT: &str = "-";

pub(super) fn run(arguments: &InitArguments) -> io::Result<Exit> {
    let text = match arguments.preset.as_deref() {
        None => starter(arguments.client),
        Some(name) => match crate::presets::named(name) {
            Some(preset) => preset.text,
            None => {
                complain(&crate::presets::unknown(name));
                return Ok(Exit::Usage);
            }
        },
    };
    let file = &arguments.file;
    if file == Path::new(STANDARD_OUTPUT) {
        let mut out = io::stdout();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        return Ok(Exit::Fine);
    }
    let mut options = OpenOptions::new();
    options.write(true);
    if arguments.force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let name = file.display();
    let written = options
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Ok(()) => {
            let check = if file == Path::new(super::DEFAULT_FILE) {
                "semel check".to_string()
            } else {
                format!("semel check {name}")
            };
            complain(&format!("wrote {name}; now run: {check}"));
            Ok(Exit::Fine)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            complain(&format!(
                "{name} is there already and was left as it is; name another file, or overwrite it with --force"
            ));
            Ok(Exit::Usage)
        }
        Err(error) => {
            complain(&format!("cannot write {name}: {error}"));
            Ok(Exit::Io)
        }
    }
}

/// A commented design to start from.
fn starter(client: Client) -> &'static str {
    match client {
        Client::Java => include_str!("init/java.toml"),
        Client::Librdkafka => include_str!("init/librdkafka.toml"),
    }
}
