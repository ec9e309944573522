//! The store: one SQLite file, the only SQL of the server.
//!
//! One writer (the hub), a small pool of read-only connections (everybody else). WAL with
//! `synchronous=FULL`: when [`Batch::commit`] returns, the batch is on the disk, and only then
//! can a reader see it.
//!
//! Invariant: a row that is not what was written is an error, never an answer.

pub mod check;
pub mod copy;
mod erase;
mod load;
mod look_up;
mod people;
mod reader;
mod row;
mod save;
mod schema;
mod words;
mod writer;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use parlor_shared::Refusal;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

pub use people::{AccountRow, MailRow};
pub use reader::{Page, PageSize, Reader, Readers};
pub use row::Position;
pub use rusqlite::InterruptHandle;
pub use schema::SCHEMA;
pub use writer::{Batch, Store};

/// The database's name in the data folder.
const FILE: &str = "parlor.sqlite";

/// Files up to this many bytes are checked whole before anybody is served (about a fifth of a
/// second); larger ones only their small tables, and the rest while serving.
const CHECK_FIRST_BYTES: u64 = 32 * 1024 * 1024;

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database says: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error(
        "the database was made by a newer Parlor (schema {found}, this one knows {SCHEMA}): use that one"
    )]
    Newer { found: i64 },
    #[error("{0} is not a database of Parlor")]
    NotOurs(PathBuf),
    #[error(
        "the database is damaged ({0}); restore a backup of the data folder, or look at it with `parlor-server check`"
    )]
    Corrupt(String),
    #[error("the stored event at position {} is damaged", position.0)]
    Damaged { position: Position },
    #[error("the write-ahead log could not be completed: another program has the database open")]
    Busy,
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl StoreError {
    /// True when there was no room on the disk and nothing was written.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Sqlite(it) if it.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull))
    }
}

/// Where the database of a data folder is.
#[must_use]
pub fn file_in(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// What every connection of ours sets.
fn settle(db: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "trusted_schema", false)?;
    db.pragma_update(None, "cell_size_check", true)?;
    db.pragma_update(None, "cache_size", -cache_kib)?;
    wait_for_others(db)
}

/// How long a connection waits for a lock that another one has.
fn wait_for_others(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(std::time::Duration::from_secs(5))
}

/// SQLite's own checks on `tables`, or on the whole file.
fn quick_check(db: &Connection, tables: &[&str]) -> Result<(), StoreError> {
    let checks: Vec<String> = if tables.is_empty() {
        vec!["PRAGMA quick_check(1)".to_owned()]
    } else {
        tables.iter().map(|it| format!("PRAGMA quick_check('{it}')")).collect()
    };
    for check in checks {
        let found: String = match db.query_row(&check, [], |row| row.get(0)) {
            Ok(found) => found,
            Err(error) => return Err(corrupt(error)),
        };
        if found != "ok" {
            return Err(StoreError::Corrupt(found.replace('\n', " ")));
        }
    }
    Ok(())
}

/// An error while looking at an existing file: what SQLite calls corrupt is ours to explain.
fn corrupt(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            StoreError::Corrupt(error.to_string())
        }
        _ => StoreError::Sqlite(error),
    }
}

/// A value that was valid when it was written.
fn parsed<T: FromStr<Err = Refusal>>(text: &str, what: &str) -> Result<T, StoreError> {
    text.parse().map_err(|refusal| StoreError::Corrupt(format!("{what}: {refusal}")))
}
