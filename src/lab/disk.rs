//! An append-only file with a known synced length.
//!
//! Writes go to the file at once, so a crash of the process loses nothing: the page cache keeps
//! them. A power loss cuts the file back to what was synced and a part of the rest. Disks promise
//! less than that in one respect: blocks of the rest may come back in any order. Only the last
//! bytes may be missing within a file here; a file that came before may miss more, and recovery
//! may not go on over the gap.

mod checkpoint;
mod directory;
mod error;

pub(crate) use checkpoint::Checkpoint;
pub(crate) use directory::Directory;
pub use error::{Action, StorageError};

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What a sync does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sync {
    /// It is a call to the disk (`fdatasync`; for a new file also its directory).
    Real,
    /// It is noted, and a simulated power loss respects it.
    #[default]
    Simulated,
}

/// What a power loss leaves of the bytes that were not synced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tear {
    /// How many of them are still in the file.
    pub kept: u64,
    /// How many of those, at the end, are zeros: the file was extended, but not yet written.
    pub hole: u64,
}

impl Tear {
    /// The first `kept` bytes are as they were written.
    pub fn keeping(kept: u64) -> Tear {
        Tear { kept, hole: 0 }
    }
}

/// A file that only grows, apart from cuts at its end.
#[derive(Debug)]
pub(crate) struct AppendFile {
    path: PathBuf,
    file: File,
    len: u64,
    synced: u64,
    sync: Sync,
}

impl AppendFile {
    /// A new, empty file. A rest of that name, of a creation that failed halfway, is emptied.
    pub(crate) fn create(directory: &Directory, name: &str) -> Result<AppendFile, StorageError> {
        let path = directory.file(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(StorageError::at(Action::Create, &path))?;
        directory.sync()?;
        Ok(AppendFile {
            path,
            file,
            len: 0,
            synced: 0,
            sync: directory.syncing(),
        })
    }

    /// A file that is there. How much of it is on disk is not known: nothing counts as synced.
    pub(crate) fn open(directory: &Directory, name: &str) -> Result<AppendFile, StorageError> {
        let path = directory.file(name);
        let failed = || StorageError::at(Action::Open, &path);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed())?;
        let len = file.metadata().map_err(failed())?.len();
        Ok(AppendFile {
            path,
            file,
            len,
            synced: 0,
            sync: directory.syncing(),
        })
    }

    /// It gets another name, in place of whatever has that name.
    pub(crate) fn rename(&mut self, directory: &Directory, name: &str) -> Result<(), StorageError> {
        let path = directory.file(name);
        std::fs::rename(&self.path, &path).map_err(StorageError::at(Action::Rename, &self.path))?;
        self.path = path;
        directory.sync()
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes it has.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// How many bytes a power loss may take.
    pub(crate) fn unsynced(&self) -> u64 {
        self.len - self.synced
    }

    /// Writes at the end.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let written = (&self.file)
            .seek(SeekFrom::Start(self.len))
            .and_then(|_| (&self.file).write_all(bytes));
        if let Err(error) = written {
            // A part may be in the file. Should the cut fail, too, recovery will find it, and the
            // next append overwrites it.
            let _ = self.file.set_len(self.len);
            return Err(StorageError::at(Action::Write, &self.path)(error));
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Everything written so far survives a power loss.
    pub(crate) fn sync(&mut self) -> Result<(), StorageError> {
        self.sync_up_to(self.len)
    }

    /// The first `len` bytes survive a power loss. A real disk may have synced more; the simulated
    /// loss takes it nevertheless.
    pub(crate) fn sync_up_to(&mut self, len: u64) -> Result<(), StorageError> {
        if self.synced >= len {
            return Ok(());
        }
        match self.sync {
            Sync::Real => self
                .file
                .sync_data()
                .map_err(StorageError::at(Action::Sync, &self.path))?,
            Sync::Simulated => {}
        }
        self.synced = len.min(self.len);
        Ok(())
    }

    /// The first `len` bytes were synced by the process before.
    pub(crate) fn was_synced_up_to(&mut self, len: u64) {
        self.synced = len.min(self.len);
    }

    /// Removes the bytes from `len` on. The cut is synced: what is appended next may not stand
    /// before bytes that were cut off.
    pub(crate) fn cut(&mut self, len: u64) -> Result<(), StorageError> {
        if len >= self.len {
            return Ok(());
        }
        let failed = || StorageError::at(Action::Cut, &self.path);
        self.file.set_len(len).map_err(failed())?;
        self.len = len;
        self.synced = self.synced.min(len);
        match self.sync {
            Sync::Real => self.file.sync_all().map_err(failed()),
            Sync::Simulated => Ok(()),
        }
    }

    /// The bytes from `from` up to `to`.
    pub(crate) fn read(&self, from: u64, to: u64) -> Result<Vec<u8>, StorageError> {
        let failed = || StorageError::at(Action::Read, &self.path);
        let mut bytes = Vec::new();
        (&self.file).seek(SeekFrom::Start(from)).map_err(failed())?;
        (&self.file)
            .take(to - from)
            .read_to_end(&mut bytes)
            .map_err(failed())?;
        Ok(bytes)
    }

    /// The power fails: the file keeps what was synced and what `tear` leaves of the rest.
    pub(crate) fn lose_power(self, tear: Tear) -> Result<(), StorageError> {
        let kept = tear.kept.min(self.unsynced());
        let end = self.synced + kept;
        let failed = || StorageError::at(Action::Cut, &self.path);
        self.file
            .set_len(end - tear.hole.min(kept))
            .map_err(failed())?;
        self.file.set_len(end).map_err(failed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> (tempfile::TempDir, Directory) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let directory = Directory::open(dir.path(), Sync::Simulated).expect("it is there");
        (dir, directory)
    }

    fn with_three_bytes_synced(directory: &Directory) -> AppendFile {
        let mut file = AppendFile::create(directory, "file").expect("it can be created");
        file.append(b"syn").expect("it can be written");
        file.sync().expect("it can be synced");
        file.append(b"lost").expect("it can be written");
        file
    }

    fn left_by(tear: Tear) -> Vec<u8> {
        let (dir, directory) = directory();
        let file = with_three_bytes_synced(&directory);
        file.lose_power(tear).expect("it can be cut");
        std::fs::read(dir.path().join("file")).expect("it can be read")
    }

    #[test]
    fn a_power_loss_takes_what_was_not_synced_from_any_byte_on() {
        assert_eq!(left_by(Tear::default()), b"syn");
        assert_eq!(left_by(Tear::keeping(2)), b"synlo");
        assert_eq!(left_by(Tear::keeping(9)), b"synlost");
    }

    #[test]
    fn a_torn_tail_may_end_in_zeros_but_no_synced_byte_does() {
        assert_eq!(left_by(Tear { kept: 3, hole: 1 }), b"synlo\0");
        assert_eq!(left_by(Tear { kept: 2, hole: 9 }), b"syn\0\0");
    }

    #[test]
    fn what_is_cut_is_no_longer_synced() {
        let (_dir, directory) = directory();
        let mut file = with_three_bytes_synced(&directory);
        file.cut(1).expect("it can be cut");
        file.append(b"ee").expect("it can be written");
        assert_eq!(file.unsynced(), 2);
        assert_eq!(file.read(0, 3).expect("it can be read"), b"see");
    }

    #[test]
    fn a_rest_of_a_failed_creation_is_emptied() {
        let (dir, directory) = directory();
        std::fs::write(dir.path().join("file"), b"rest").expect("it can be written");
        let file = AppendFile::create(&directory, "file").expect("it can be created");
        assert_eq!(
            (file.len(), file.read(0, 4).expect("it can be read")),
            (0, Vec::new())
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_named_and_changes_nothing() {
        let (dir, directory) = directory();
        std::os::unix::fs::symlink("/dev/full", dir.path().join("full")).expect("a link");
        let mut file = AppendFile::open(&directory, "full").expect("the device is there");
        let error = file.append(b"x").expect_err("no space is left");
        assert!(
            matches!(
                error,
                StorageError::Full {
                    action: Action::Write,
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(file.len(), 0);
    }

    #[test]
    fn a_missing_file_is_named() {
        let (_dir, directory) = directory();
        let error = AppendFile::open(&directory, "gone").expect_err("it was never there");
        assert!(
            matches!(
                error,
                StorageError::Missing {
                    action: Action::Open,
                    ..
                }
            ),
            "{error}"
        );
        assert!(error.to_string().contains("gone"), "{error}");
    }
}
