//! Backups: the data folder's contents as one file, made while the server runs, and the way back.
//!
//! A backup is a tar file that any tar can read: `parlor.sqlite` (one state of the database),
//! `key.pem` (the server's key, where it has one), `files/…` (what people sent, where there is
//! any), and last `manifest.json`, which says how long each of them is, with its SHA-256.
//! What can be derived is not in it: chat logs, program logs, the search index.
//!
//! The contract:
//! 1. A FILE under its own name is complete and was read back; until then it is `FILE.part`.
//! 2. Making one MUST NOT hold anybody up: it reads one state of the database, at a bounded pace.
//! 3. Nothing of a data folder is touched before all of FILE was found right; then what was
//!    there is put aside by renaming, never deleted.
//! 4. A restored folder is another history (epoch): cursors and caches of the old one end.
//! 5. What is in a tar is not believed: plain files of known names only, and no more bytes than
//!    the tar has.

mod archive;
mod make;
mod manifest;
mod pace;
mod part;
mod restore;
mod schedule;
mod scheduled;
mod stamp;

use std::io;
use std::path::{Path, PathBuf};

use crate::folder::FolderError;
use crate::store::{SCHEMA, StoreError};

pub use make::{Made, Order, make};
pub use manifest::{Manifest, Member};
pub use pace::Abort;
pub use restore::{Restored, restore, unfinished};
pub use schedule::Plan;
pub use scheduled::{Answer, Backup, BackupFigures};

/// Why there is no backup, or nothing was restored. A sentence each, for who asked.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{0}")]
    Folder(#[from] FolderError),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0} is there already; choose another name, or replace it with --force")]
    Exists(PathBuf),
    #[error("{0} is a folder; say which file in it")]
    IsFolder(PathBuf),
    #[error("another backup is being written to {0}")]
    InWork(PathBuf),
    #[error("the disk of {0} is full; nothing was changed")]
    Full(PathBuf),
    #[error(
        "{place} needs {} while it is made, and its disk has {}; nothing was written",
        size(*.needed),
        size(*.free)
    )]
    NoRoom { place: PathBuf, needed: u64, free: u64 },
    #[error("{0} is not allowed to this user; nothing was changed")]
    Denied(PathBuf),
    #[error("there is no {0}")]
    Missing(PathBuf),
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    #[error("{0} holds a file that no backup can hold: {1}")]
    Name(PathBuf, String),
    #[error("{0} is not a backup of Parlor ({1}); nothing was changed")]
    NotABackup(PathBuf, String),
    #[error("{0} is damaged ({1}); nothing was changed. An older backup may be sound")]
    Damaged(PathBuf, String),
    #[error(
        "{path} was made by a newer Parlor ({by}), and this one is {}; use that one",
        env!("CARGO_PKG_VERSION")
    )]
    Newer { path: PathBuf, by: String },
    #[error("the copy is not sound ({0}), so there is no backup; look with `parlor-server check`")]
    Unsound(String),
    #[error("it was ended before it was done; nothing was changed")]
    Aborted,
    #[error("{0} is not a data folder of Parlor, so nothing is put in its place")]
    NotOurs(PathBuf),
    #[error(
        "{place} is a disk of its own (a mount point), which cannot be put aside by renaming; \
         restore into a folder on it: --data {}",
        place.join("parlor").display()
    )]
    MountPoint { place: PathBuf },
    #[error("another restore is at work in {0}")]
    Restoring(PathBuf),
    #[error("{from} cannot be renamed to {to}: {error}. {left}")]
    Rename { from: PathBuf, to: PathBuf, error: io::Error, left: String },
    #[error("{0}")]
    Unfinished(String),
}

impl BackupError {
    /// The process's exit code, after sysexits.h.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotABackup(..) | Self::Damaged(..) | Self::Newer { .. } | Self::Unsound(_) => 65,
            Self::Store(
                StoreError::Corrupt(_)
                | StoreError::Newer { .. }
                | StoreError::NotOurs(_)
                | StoreError::Damaged { .. },
            ) => 65,
            Self::Missing(_) => 66,
            Self::Folder(_)
            | Self::Exists(_)
            | Self::IsFolder(_)
            | Self::Name(..)
            | Self::NotOurs(_)
            | Self::MountPoint { .. }
            | Self::Unfinished(_) => 73,
            Self::Store(StoreError::Sqlite(_) | StoreError::Io(_) | StoreError::Busy)
            | Self::Full(_)
            | Self::NoRoom { .. }
            | Self::Io(..)
            | Self::Rename { .. } => 74,
            Self::InWork(_) | Self::Restoring(_) | Self::Aborted => 75,
            Self::Denied(_) => 77,
        }
    }

    /// What the operating system says about `path`, as a sentence.
    fn at(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |error| {
            use io::ErrorKind as Kind;
            let path = path.clone();
            let kind = error.kind();
            if matches!(kind, Kind::StorageFull | Kind::QuotaExceeded) {
                Self::Full(path)
            } else if matches!(kind, Kind::PermissionDenied | Kind::ReadOnlyFilesystem) {
                Self::Denied(path)
            } else if kind == Kind::NotFound {
                Self::Missing(path)
            } else {
                Self::Io(path, error)
            }
        }
    }

    /// What the store says when it writes to `path`.
    fn storing(path: &Path) -> impl Fn(StoreError) -> Self {
        let path = path.to_owned();
        move |error| if error.is_full() { Self::Full(path.clone()) } else { Self::Store(error) }
    }

    fn newer_schema(path: &Path, found: i64) -> Self {
        Self::Newer { path: path.to_owned(), by: format!("schema {found}, known is {SCHEMA}") }
    }
}

/// Bytes for people: `5.1 MiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_024 => return format!("{bytes} bytes"),
        1_024..1_048_576 => (1_024, "KiB"),
        1_048_576..1_073_741_824 => (1_048_576, "MiB"),
        1_073_741_824.. => (1_073_741_824, "GiB"),
    };
    // Tenths, rounded up: who asks for room asks for enough.
    let tenths = bytes.saturating_mul(10).div_ceil(unit);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}
