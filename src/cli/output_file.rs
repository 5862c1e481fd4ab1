//! Files that a command writes: as a whole, or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Has `write` write `file`. What is there and no file, such as a pipe, is written to; a file is replaced
/// once the new one is whole.
pub(super) fn write(
    file: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if file
        .metadata()
        .is_ok_and(|there| !there.is_file() && !there.is_dir())
    {
        let mut out = io::BufWriter::new(OpenOptions::new().write(true).open(file)?);
        write(&mut out)?;
        return out.flush();
    }
    let folder = file.parent().filter(|own| !own.as_os_str().is_empty());
    let mut half = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    let mut out = io::BufWriter::new(&mut half);
    write(&mut out)?;
    out.flush()?;
    drop(out);
    make_readable(half.as_file())?;
    half.persist(file).map_err(|error| error.error)?;
    Ok(())
}

/// A temporary file is its owner's alone; this one is as readable as any other file.
#[cfg(unix)]
fn make_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &File) -> io::Result<()> {
    Ok(())
}
