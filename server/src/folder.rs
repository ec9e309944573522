//! The data folder: made with care, locked by one server at a time, never on a network.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::platform;

/// The lock dies with the process that holds it, however it ends.
const LOCK_FILE: &str = "lock";

/// Why a folder cannot be used. Nothing was written into it then.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("{0} is used by another running Parlor server")]
    InUse(PathBuf),
    #[error(
        "{0} is on a network file system ({1}), where a database is not safe; \
         choose a folder on a disk of this machine with --data DIR"
    )]
    Network(PathBuf, &'static str),
    #[error("{0} cannot be used as data folder: {1}")]
    Unusable(PathBuf, io::Error),
}

/// A data folder that belongs to this process.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Held for its lock.
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is not there, and takes it.
    ///
    /// # Errors
    /// See [`FolderError`].
    pub fn take(path: &Path) -> Result<Self, FolderError> {
        let unusable = |error| FolderError::Unusable(path.to_owned(), error);
        if let Some(name) = platform::network_file_system(path).map_err(unusable)? {
            return Err(FolderError::Network(path.to_owned(), name));
        }
        if !path.exists() {
            fs::create_dir_all(path).map_err(unusable)?;
            platform::make_private(path).map_err(unusable)?;
        }
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join(LOCK_FILE))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether a server has taken that folder and is still running.
///
/// # Errors
/// When that cannot be looked at.
pub fn is_taken(path: &Path) -> io::Result<bool> {
    let lock = match File::open(path.join(LOCK_FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        lock => lock?,
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
