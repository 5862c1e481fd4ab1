//! `semel init`.

use super::args::{Client, InitArguments};
use super::complain;
use super::exit::Exit;
use super::session::complain_of_design;
use crate::design::import::Import;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

pub(super) fn run(arguments: &InitArguments) -> io::Result<Exit> {
    let text = match text(arguments) {
        Ok(text) => text,
        Err(exit) => return Ok(exit),
    };
    let file = &arguments.file;
    if file == Path::new(super::STANDARD_STREAM) {
        let mut out = io::stdout();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        return Ok(Exit::Fine);
    }
    match write(arguments, &text) {
        Ok(()) => {
            let named = if file == Path::new(super::DEFAULT_FILE) {
                String::new()
            } else {
                format!(" {}", file.display())
            };
            complain(&format!(
                "wrote {}; now run: semel check{named}",
                file.display()
            ));
            Ok(Exit::Fine)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            complain(&format!(
                "{} is there already and was left as it is; name another file, or overwrite it with --force",
                file.display()
            ));
            Ok(Exit::Usage)
        }
        Err(error) => {
            complain(&format!(
                "cannot write {}: {error}; {}",
                file.display(),
                instead_of(file, &error)
            ));
            Ok(Exit::Io)
        }
    }
}

/// The design that is asked for.
fn text(arguments: &InitArguments) -> Result<String, Exit> {
    if let Some(name) = arguments.preset.as_deref() {
        return match crate::presets::named(name) {
            Some(preset) => Ok(preset.text.to_owned()),
            None => {
                complain(&crate::presets::unknown(name));
                Err(Exit::Usage)
            }
        };
    }
    let mut import = arguments.import.import(arguments.client);
    for file in &arguments.from {
        if let Err(why) = import.take(file) {
            complain(&why);
            return Err(Exit::Usage);
        }
    }
    let starts_from = Import {
        // Without files, it says whose starter is written.
        client: None,
        ..import.clone()
    };
    if let Some((option, files)) = starts_from.idle_option() {
        complain(&format!(
            "{option} goes with --from or {files}; without them, change it in the design that is written"
        ));
        return Err(Exit::Usage);
    }
    if !import.is_empty() {
        return import.text().map_err(|error| complain_of_design(&error));
    }
    Ok(starter(arguments.client.unwrap_or(Client::Java)).to_owned())
}

/// Writes the file; unless forced, only where there is none.
fn write(arguments: &InitArguments, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    if arguments.force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    options.open(&arguments.file)?.write_all(text.as_bytes())
}

/// What to do about a file that cannot be written.
fn instead_of(file: &Path, error: &io::Error) -> String {
    let folder = file.parent().filter(|own| !own.as_os_str().is_empty());
    match (error.kind(), folder) {
        (io::ErrorKind::NotFound, Some(folder)) => {
            format!(
                "make the folder {} first, or name another file",
                folder.display()
            )
        }
        (io::ErrorKind::IsADirectory, _) => format!(
            "it is a folder: name a file in it, such as {}",
            file.join(super::DEFAULT_FILE).display()
        ),
        _ => {
            "name a file in a folder that you may write to, or print the design with 'semel init -'"
                .to_string()
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
