//! One user's log: its months, what of them is on the disk, and what is still to be written.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IoSlice, Seek as _, SeekFrom, Write as _};
use std::ops::Range;

use super::line::Month;
use crate::platform::PrivateFolder;

/// Slices in one call; the kernel takes 1,024.
const SLICES: usize = 512;

/// A month's file.
#[derive(Debug, Default)]
struct Volume {
    /// Bytes that are in the file and will stay.
    kept: u64,
    /// Lines to be appended, as places in the arena of the step.
    fresh: Vec<Range<u32>>,
    fresh_bytes: u64,
}

impl Volume {
    fn len(&self) -> u64 {
        self.kept + self.fresh_bytes
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Shelf {
    folder: String,
    months: BTreeMap<Month, Volume>,
    /// Months that are to be removed; one of them may begin anew.
    removed: BTreeSet<Month>,
    /// Of all months, written or not.
    total: u64,
    /// Nothing was ever written: what is in the folder is from another time.
    is_new: bool,
}

/// Why a user's log could not be written.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The files are not as they were left: the log has to be made again.
    Broken,
    /// Somebody put something in the way (a link, a folder, other rights): only this user's log
    /// is in trouble.
    Blocked(io::Error),
    /// The disk is in trouble.
    Disk(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        // A link where none belongs has no stable kind yet.
        #[cfg(unix)]
        let is_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
        #[cfg(not(unix))]
        let is_link = false;
        let in_the_way = [
            Kind::NotADirectory,
            Kind::IsADirectory,
            Kind::PermissionDenied,
            Kind::InvalidInput,
            Kind::AlreadyExists,
        ];
        if is_link || in_the_way.contains(&error.kind()) {
            Self::Blocked(error)
        } else {
            Self::Disk(error)
        }
    }
}

impl Shelf {
    /// `kept`: the months that are on the disk, and their lengths.
    pub(super) fn new(folder: String, kept: Vec<(Month, u64)>) -> Self {
        let volume = |kept| Volume { kept, ..Volume::default() };
        Self {
            folder,
            is_new: kept.is_empty(),
            total: kept.iter().map(|it| it.1).sum(),
            months: kept.into_iter().map(|(month, bytes)| (month, volume(bytes))).collect(),
            removed: BTreeSet::new(),
        }
    }

    /// Adds a line to a month. The oldest months go when there would be more than `limit` bytes:
    /// decided line by line, so that it does not depend on how lines are put into steps.
    pub(super) fn put(&mut self, month: Month, line: &Range<u32>, limit: u64) {
        let bytes = u64::from(line.end - line.start);
        while self.total + bytes > limit
            && let Some((oldest, volume)) = self.months.pop_first()
        {
            self.total -= volume.len();
            self.removed.insert(oldest);
        }
        let volume = self.months.entry(month).or_default();
        match volume.fresh.last_mut() {
            Some(last) if last.end == line.start => last.end = line.end,
            Some(_) | None => volume.fresh.push(line.clone()),
        }
        volume.fresh_bytes += bytes;
        self.total += bytes;
    }

    /// Bytes still to be written.
    pub(super) fn fresh_bytes(&self) -> u64 {
        self.months.values().map(|it| it.fresh_bytes).sum()
    }

    /// Brings the files to what was put. Doing it again, or after it was done in part, is
    /// harmless as long as [`Self::settle`] has not been called.
    pub(super) fn write(&self, root: &PrivateFolder, arena: &[u8]) -> Result<(), Trouble> {
        let folder = root.make_folder(&self.folder)?;
        if self.is_new {
            for name in folder.names()?.iter().filter(|it| Month::is_file_name(it)) {
                folder.remove(name)?;
            }
        }
        for month in self.removed.iter().filter(|it| !self.months.contains_key(it)) {
            folder.remove(&month.file_name())?;
        }
        for (month, volume) in self.months.iter().filter(|it| it.1.fresh_bytes > 0) {
            let mut file = match folder.file(&month.file_name(), volume.kept == 0) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(Trouble::Broken);
                }
                other => other?,
            };
            let len = file.metadata()?.len();
            if len < volume.kept {
                return Err(Trouble::Broken);
            }
            if len > volume.kept {
                file.set_len(volume.kept)?;
            }
            file.seek(SeekFrom::Start(volume.kept))?;
            for lines in volume.fresh.chunks(SLICES) {
                let slice =
                    |it: &Range<u32>| IoSlice::new(&arena[it.start as usize..it.end as usize]);
                let mut slices: Vec<_> = lines.iter().map(slice).collect();
                write_all(&mut file, &mut slices)?;
            }
        }
        Ok(())
    }

    /// What its folder is called.
    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    /// What has changed: each month's new length, 0 for those that are gone.
    pub(super) fn changes(&self) -> impl Iterator<Item = (Month, u64)> {
        let gone = self.removed.iter().filter(|it| !self.months.contains_key(it));
        let written = self.months.iter().filter(|it| it.1.fresh_bytes > 0);
        gone.map(|it| (*it, 0)).chain(written.map(|(month, it)| (*month, it.len())))
    }

    /// What was written is on the disk, and that is remembered there too.
    pub(super) fn settle(&mut self) {
        self.removed.clear();
        self.is_new &= self.months.is_empty();
        for volume in self.months.values_mut() {
            volume.kept += volume.fresh_bytes;
            volume.fresh_bytes = 0;
            volume.fresh = Vec::new();
        }
    }

    /// Whether the files are at least what they were left as; what is longer (a kill came between
    /// writing and remembering) is cut off.
    pub(super) fn is_sound(&self, root: &PrivateFolder) -> Result<bool, Trouble> {
        let found = |error: io::Error| {
            if error.kind() == io::ErrorKind::NotFound { Ok(false) } else { Err(error.into()) }
        };
        let folder = match root.folder(&self.folder) {
            Ok(folder) => folder,
            Err(error) => return found(error),
        };
        for (month, volume) in &self.months {
            let file = match folder.file(&month.file_name(), false) {
                Ok(file) => file,
                Err(error) => return found(error),
            };
            let len = file.metadata()?.len();
            if len < volume.kept || !ends_a_line(&file, volume.kept)? {
                return Ok(false);
            }
            if len > volume.kept {
                file.set_len(volume.kept)?;
            }
        }
        Ok(true)
    }
}

/// After a power cut some file systems leave a file as long as it was, but filled with zeros.
fn ends_a_line(mut file: &std::fs::File, at: u64) -> io::Result<bool> {
    use std::io::Read as _;
    let mut last = [0];
    file.seek(SeekFrom::Start(at.saturating_sub(1)))?;
    Ok(at == 0 || (file.read(&mut last)? == 1 && last == [b'\n']))
}

fn write_all(file: &mut std::fs::File, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    while !slices.is_empty() {
        match file.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
