//! Designs shared out among several runs of a command.

use super::args::SourceArguments;
use super::exit::Exit;
use crate::report::json::Part;
use std::fmt;
use std::ops::Range;

/// Which part of the designs that are named a run checks: part `number` of `of`, from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    pub number: usize,
    pub of: usize,
}

impl Shard {
    /// Of so many designs, those of this part. The parts follow one another, and together they are
    /// all.
    pub(super) fn range(self, designs: usize) -> Range<usize> {
        let cut = |number: usize| number * designs / self.of;
        cut(self.number - 1)..cut(self.number)
    }

    /// What a document says of this part of what `sources` name, when the command with these
    /// `choices` ends with `exit`.
    pub(super) fn part(
        self,
        sources: &SourceArguments,
        choices: &impl fmt::Debug,
        exit: Exit,
    ) -> Part {
        let named = format!("{:?} {:?} {choices:?}", sources.files, sources.preset);
        Part {
            number: self.number,
            of: self.of,
            designs: sources.len(),
            command: crc32c::crc32c(named.as_bytes()),
            exit_code: exit.code(),
        }
    }
}

impl SourceArguments {
    /// How many designs are named.
    pub(super) fn len(&self) -> usize {
        self.files.len() + self.preset.len()
    }

    /// The designs of the shard that was asked for, if one was.
    pub(super) fn of_shard(&self) -> SourceArguments {
        let Some(shard) = self.shard else {
            return self.clone();
        };
        let all = shard.range(self.len());
        let files = self.files.len();
        let of_files = all.start.min(files)..all.end.min(files);
        let of_presets = all.start.max(files) - files..all.end.max(files) - files;
        SourceArguments {
            files: self.files[of_files].to_vec(),
            preset: self.preset[of_presets].to_vec(),
            shard: self.shard,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::PathBuf;

    proptest! {
        #[test]
        fn the_shards_of_any_number_of_designs_are_all_of_them_once(
            files in 0..12usize,
            presets in 0..12usize,
            of in 1..9usize,
        ) {
            let all = SourceArguments {
                files: (0..files).map(|n| PathBuf::from(n.to_string())).collect(),
                preset: (0..presets).map(|n| n.to_string()).collect(),
                shard: None,
            };
            let mut union = SourceArguments { files: Vec::new(), preset: Vec::new(), shard: None };
            for number in 1..=of {
                let shard = Some(Shard { number, of });
                let part = SourceArguments { shard, ..all.clone() }.of_shard();
                prop_assert!(part.len() <= all.len().div_ceil(of));
                union.files.extend(part.files);
                union.preset.extend(part.preset);
            }
            prop_assert_eq!(union.files, all.files);
            prop_assert_eq!(union.preset, all.preset);
        }
    }
}
