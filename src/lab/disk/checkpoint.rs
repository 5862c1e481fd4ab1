//! Numbers in a file of their own, replaced as a whole: old or new, whenever the process is killed.

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
    /// The numbers that `name` in `directory` holds or will hold.
    pub(crate) fn new(directory: &Directory, name: &'static str) -> Checkpoint {
        Checkpoint {
            directory: directory.clone(),
            name,
        }
    }

    /// The numbers; none where there is no file, or it cannot be read. Kafka, too, goes on without.
    pub(crate) fn read(&self) -> Result<Vec<u64>, StorageError> {
        let path = self.directory.file(self.name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StorageError::at(Action::Read, &path)(error)),
        };
        let mut fields = Fields(frame::open(&bytes).unwrap_or_default());
        Ok(std::iter::from_fn(|| fields.u64()).collect())
    }

    /// Replaces the numbers.
    pub(crate) fn write(&self, numbers: &[u64]) -> Result<(), StorageError> {
        let path = self.directory.file(self.name);
        let draft = path.with_extension("tmp");
        let mut file = File::create(&draft).map_err(StorageError::at(Action::Create, &draft))?;
        let body: Vec<u8> = numbers.iter().flat_map(|one| one.to_be_bytes()).collect();
        file.write_all(&frame::seal(&body))
            .map_err(StorageError::at(Action::Write, &draft))?;
        if self.directory.syncing() == Sync::Real {
            file.sync_data()
                .map_err(StorageError::at(Action::Sync, &draft))?;
        }
        drop(file);
        fs::rename(&draft, &path).map_err(StorageError::at(Action::Rename, &draft))?;
        self.directory.sync()
    }

    /// Removes the file, if there is one.
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
    fn the_last_numbers_written_are_read() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let directory = Directory::open(dir.path(), Sync::Real).expect("it is there");
        let checkpoint = Checkpoint::new(&directory, "numbers");
        let read = || checkpoint.read().expect("it can be read");
        assert_eq!(read(), [0; 0]);
        for numbers in [&[7][..], &[3, 1], &[5]] {
            checkpoint.write(numbers).expect("it can be written");
            assert_eq!(read(), numbers);
        }
        fs::write(dir.path().join("numbers"), [0; 16]).expect("it can be written");
        assert_eq!(read(), [0; 0], "zeros are no numbers");
    }
}
