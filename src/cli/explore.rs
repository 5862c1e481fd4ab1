//! `semel explore`.

use super::args::ExploreArguments;
use super::complain;
use super::exit::Exit;
use super::session::Sources;
use crate::report::explorer::Explorable;
use semel_models::cluster::Cluster;
use stateright::Model;
use std::io;
use std::net::{SocketAddr, TcpListener};

pub(super) fn run(arguments: &ExploreArguments) -> io::Result<Exit> {
    let Some(sources) = arguments.design.sources() else {
        complain(&format!(
            "nothing to explore: there is no {} in this folder; name a design file, or a preset with --preset NAME",
            super::DEFAULT_FILE
        ));
        return Ok(Exit::NothingChecked);
    };
    let read = Sources::read(&sources);
    let Some(design) = read.designs.first() else {
        return Ok(read.exit);
    };
    let cluster = match Cluster::new(design.pipeline().clone()) {
        Ok(cluster) => cluster,
        Err(error) => {
            complain(&format!("{}: {error}", design.file()));
            return Ok(Exit::Usage);
        }
    };
    let address = match free(&arguments.address) {
        Ok(address) => address,
        Err(error) => {
            complain(&format!(
                "cannot listen on {}: {error}; name another with --address HOST:PORT (port 0: any that is free)",
                arguments.address
            ));
            return Ok(Exit::Io);
        }
    };
    // The server never returns: Ctrl-C is how it ends.
    let ends = ctrlc::set_handler(|| std::process::exit(Exit::Interrupted.code().into()));
    if let Err(error) = ends {
        complain(&format!("Ctrl-C may not end the server: {error}"));
    }
    complain(&format!(
        "{} is at http://{address}/ until Ctrl-C; it shows every step and not only the shortest ways, and finds nothing before it is told to run to completion: verdicts come from 'semel check'",
        design.name()
    ));
    Explorable::of(&cluster).checker().serve(address);
    Ok(Exit::Fine)
}

/// The address, with a port that nobody listens on. The server of the Explorer takes no listener, so
/// that another process could still take the port.
fn free(address: &str) -> io::Result<SocketAddr> {
    TcpListener::bind(address)?.local_addr()
}
