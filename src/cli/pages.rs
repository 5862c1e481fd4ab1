//! `semel completions` and `semel man`: what is generated from the definition of the command line.

use super::args::{Arguments, CompletionsArguments, ManArguments};
use super::complain;
use super::exit::Exit;
use clap::CommandFactory;
use std::io::{self, Write};

pub(super) fn completions(arguments: &CompletionsArguments) -> io::Result<Exit> {
    let mut command = Arguments::command();
    let mut script = Vec::new();
    // Written to memory first: the generator panics where it cannot write.
    clap_complete::generate(arguments.shell, &mut command, "semel", &mut script);
    print(&script)
}

pub(super) fn man(arguments: &ManArguments) -> io::Result<Exit> {
    let mut command = Arguments::command();
    command.build();
    let page = match arguments.command.as_deref() {
        None => command,
        Some(name) => match command.find_subcommand(name) {
            Some(own) => own.clone(),
            None => {
                let names: Vec<String> = command
                    .get_subcommands()
                    .map(|own| own.get_name().to_string())
                    .collect();
                complain(&format!(
                    "there is no command '{name}'; there are: {}",
                    names.join(", ")
                ));
                return Ok(Exit::Usage);
            }
        },
    };
    let mut text = Vec::new();
    manual(page).render(&mut text)?;
    print(&text)
}

/// The manual page of a command; its synopsis is the usage that its help shows.
fn manual(mut page: clap::Command) -> clap_mangen::Man {
    let usage = page.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim().to_owned();
    clap_mangen::Man::new(page.override_usage(usage))
        .source(concat!("semel ", env!("CARGO_PKG_VERSION")))
}

fn print(bytes: &[u8]) -> io::Result<Exit> {
    let mut out = io::stdout();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(Exit::Fine)
}

/// The schema of the design file.
pub(super) fn schema() -> io::Result<Exit> {
    print(crate::design::schema().as_bytes())
}
