//! A backup that is not one yet: `FILE.part`, and beside it the folder `FILE.work` for the copy
//! of the database. Both go unless it is finished; those that a kill left go the next time.
//!
//! Invariant: whoever writes `FILE.part` holds its lock, and `FILE` appears by renaming it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::BackupError;
use crate::platform;

/// Somebody who makes and removes the same file all the time is not waited for.
const TRIES: usize = 8;

/// See the module.
#[derive(Debug)]
pub(super) struct Part {
    target: PathBuf,
    folder: PathBuf,
    part: PathBuf,
    work: PathBuf,
    file: File,
    may_replace: bool,
    is_done: bool,
}

impl Part {
    /// Takes the place of `target`, where nothing is yet unless it `may_replace` it.
    pub(super) fn begin(target: &Path, may_replace: bool) -> Result<Self, BackupError> {
        let target = std::path::absolute(target).map_err(BackupError::at(target))?;
        let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(BackupError::IsFolder(target));
        };
        if target.is_dir() {
            return Err(BackupError::IsFolder(target));
        }
        if !may_replace && target.symlink_metadata().is_ok() {
            return Err(BackupError::Exists(target));
        }
        let beside = |end: &str| {
            let mut name = name.to_owned();
            name.push(end);
            folder.join(name)
        };
        let (folder, part, work) = (folder.to_owned(), beside(".part"), beside(".work"));
        if !folder.is_dir() {
            return Err(BackupError::Missing(folder));
        }
        let file = take(&part)?;
        let taken = Self { target, folder, part, work, file, may_replace, is_done: false };
        taken.make_work().map_err(BackupError::at(&taken.target))?;
        Ok(taken)
    }

    fn make_work(&self) -> io::Result<()> {
        remove_folder(&self.work)?;
        platform::create_private_folder(&self.work)
    }

    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// Where `target` will be.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// An empty folder of our own.
    pub(super) fn work(&self) -> &Path {
        &self.work
    }

    /// The copy is not needed any longer.
    pub(super) fn drop_work(&self) -> Result<(), BackupError> {
        remove_folder(&self.work).map_err(BackupError::at(&self.work))
    }

    /// Gives the synced file its name.
    pub(super) fn finish(mut self) -> Result<(), BackupError> {
        if !self.may_replace && self.target.symlink_metadata().is_ok() {
            return Err(BackupError::Exists(self.target.clone()));
        }
        fs::rename(&self.part, &self.target).map_err(BackupError::at(&self.target))?;
        self.is_done = true;
        platform::sync_folder(&self.folder).map_err(BackupError::at(&self.folder))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let mut removed = vec![remove_folder(&self.work)];
        if !self.is_done {
            removed.push(fs::remove_file(&self.part));
        }
        for error in removed.into_iter().filter_map(Result::err) {
            // The disk may be gone altogether; the next backup to this name tidies up.
            log::warn!("something of an unfinished backup is left at {:?}: {error}", self.part);
        }
    }
}

/// A new file at `part` that this process has the lock of.
fn take(part: &Path) -> Result<File, BackupError> {
    let failed = BackupError::at(part);
    for _ in 0..TRIES {
        let (file, is_new) = match platform::create_private(part) {
            Ok(file) => (file, true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Left by a kill, or being written.
                let there = part.symlink_metadata().map_err(&failed)?;
                if !there.is_file() {
                    return Err(BackupError::Exists(part.to_owned()));
                }
                match File::open(part) {
                    Ok(file) => (file, false),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(failed(error)),
                }
            }
            Err(error) => return Err(failed(error)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BackupError::InWork(part.to_owned())),
            Err(TryLockError::Error(error)) => {
                log::debug!("no locks on that disk: {error}");
            }
        }
        // Between opening and locking it may have become another backup's, finished or not.
        if !platform::is_at(&file, part).map_err(&failed)? {
            continue;
        }
        if is_new {
            return Ok(file);
        }
        fs::remove_file(part).map_err(&failed)?;
    }
    Err(BackupError::InWork(part.to_owned()))
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
