//! A directory of the lab.

use super::{Action, StorageError, Sync};
use std::fs;
use std::path::{Path, PathBuf};

/// A directory whose entries are synced when they change.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    sync: Sync,
}

impl Directory {
    /// The directory at `path`, created where it is missing.
    pub(crate) fn open(path: &Path, sync: Sync) -> Result<Directory, StorageError> {
        fs::create_dir_all(path).map_err(StorageError::at(Action::Create, path))?;
        Ok(Directory {
            path: path.to_owned(),
            sync,
        })
    }

    /// The path of the file `name`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// How its files are synced.
    pub(crate) fn syncing(&self) -> Sync {
        self.sync
    }

    /// The names in it, in their order. One that is no text is none of the lab's.
    pub(crate) fn names(&self) -> Result<Vec<String>, StorageError> {
        let failed = || StorageError::at(Action::List, &self.path);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed())? {
            names.extend(entry.map_err(failed())?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    /// Removes a file. The removal is synced, so that the file is not back after a power loss.
    pub(crate) fn remove(&self, name: &str) -> Result<(), StorageError> {
        let path = self.file(name);
        fs::remove_file(&path).map_err(StorageError::at(Action::Remove, &path))?;
        self.sync()
    }

    /// Syncs its entries.
    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        match self.sync {
            Sync::Real => sync_entries(&self.path),
            Sync::Simulated => Ok(()),
        }
    }
}

#[cfg(unix)]
fn sync_entries(path: &Path) -> Result<(), StorageError> {
    fs::File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(StorageError::at(Action::Sync, path))
}

/// Elsewhere a directory cannot be opened as a file, and its entries are journaled.
#[cfg(not(unix))]
fn sync_entries(_path: &Path) -> Result<(), StorageError> {
    Ok(())
}
