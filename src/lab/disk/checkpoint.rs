//! A number in a file of its own, replaced as a whole: old or new, whenever the process is killed.

use super::{Action, Directory, StorageError, Sync};
use crate::lab::fields::Fields;
use crate::lab::frame;
use std::fs::{self, File};
use std::io::{self, Write};

/// The file `name` in `directory`.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoint {
    directory: Directory,
    name: &'static str,
}

impl Checkpoint {
    /// The number that `name` in `directory` holds or will hold.
    pub(crate) fn new(directory: &Directory, name: &'static str) -> Checkpoint {
        Checkpoint {
            directory: directory.clone(),
            name,
        }
    }

    /// The number; `None`: there is none, or it cannot be read. Kafka, too, goes on without.
    pub(crate) fn read(&self) -> Result<Option<u64>, StorageError> {
        let path = self.directory.file(self.name);
        match fs::read(&path) {
            Ok(bytes) => Ok(frame::open(&bytes).ok().and_then(|body| Fields(body).u64())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StorageError::at(Action::Read, &path)(error)),
        }
    }

    /// Replaces the number.
    pub(crate) fn write(&self, number: u64) -> Result<(), StorageError> {
        let path = self.directory.file(self.name);
        let draft = path.with_extension("tmp");
        let mut file = File::create(&draft).map_err(StorageError::at(Action::Create, &draft))?;
        file.write_all(&frame::seal(&number.to_be_bytes()))
            .map_err(StorageError::at(Action::Write, &draft))?;
        if self.directory.syncing() == Sync::Real {
            file.sync_data()
                .map_err(StorageError::at(Action::Sync, &draft))?;
        }
        drop(file);
        fs::rename(&draft, &path).map_err(StorageError::at(Action::Rename, &draft))?;
        self.directory.sync()
    }

    /// Removes the number, if there is one.
    pub(crate) fn remove(&self) -> Result<(), StorageError> {
        match self.directory.file(self.name).exists() {
            true => self.directory.remove(self.name),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_written_is_read() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let directory = Directory::open(dir.path(), Sync::Real).expect("it is there");
        let checkpoint = Checkpoint::new(&directory, "number");
        assert_eq!(checkpoint.read().expect("it can be read"), None);
        for number in [7, 3] {
            checkpoint.write(number).expect("it can be written");
            assert_eq!(checkpoint.read().expect("it can be read"), Some(number));
        }
        fs::write(dir.path().join("number"), [0; 16]).expect("it can be written");
        assert_eq!(
            checkpoint.read().expect("it can be read"),
            None,
            "zeros are no number"
        );
    }
}
