//! The profile's folder and the shape of its database: locked, opened, brought up to date.
//!
//! Migrations go forward only. The old file is kept as a copy until the migration has committed;
//! a database of a newer Parlor is refused and not touched.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::OpenError;
use super::seal::Seal;

/// One step each, from the empty file on. `PRAGMA user_version` counts those that were taken.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE profile (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE session (
        id INTEGER PRIMARY KEY,
        address TEXT NOT NULL,
        name TEXT NOT NULL,
        user INTEGER NOT NULL,
        token BLOB,                -- sealed
        epoch TEXT NOT NULL,
        signed_in INTEGER NOT NULL,
        hosted INTEGER NOT NULL,
        used INTEGER NOT NULL,     -- grows with each sign-in
        selected INTEGER
    ) STRICT;
    CREATE TABLE room (
        session INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
        room INTEGER NOT NULL,
        name TEXT NOT NULL,
        read_seq INTEGER NOT NULL,
        read_nth INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        last_nth INTEGER NOT NULL,
        kept_nth INTEGER NOT NULL DEFAULT 0,
        draft BLOB,                -- sealed
        PRIMARY KEY (session, room)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE event (
        session INTEGER NOT NULL,
        room INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        is_known INTEGER NOT NULL, -- 0: this version could not show it
        body BLOB NOT NULL,        -- sealed
        PRIMARY KEY (session, room, seq),
        FOREIGN KEY (session, room) REFERENCES room ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX event_unknown ON event (session, room) WHERE is_known = 0;
    CREATE TABLE outbox (
        session INTEGER NOT NULL,
        room INTEGER NOT NULL,
        counter INTEGER NOT NULL,
        place INTEGER NOT NULL,    -- the order in which they are sent
        at INTEGER NOT NULL,
        failed TEXT,
        held INTEGER NOT NULL,
        body BLOB NOT NULL,        -- sealed
        PRIMARY KEY (session, room, counter),
        FOREIGN KEY (session, room) REFERENCES room ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE pin (
        address TEXT PRIMARY KEY,
        key BLOB NOT NULL,         -- SHA-256 of the server's public key; it is no secret
        made INTEGER NOT NULL      -- grows with each pin
    ) STRICT, WITHOUT ROWID;
    -- 1: the token is in the system's keyring and not here.
    ALTER TABLE session ADD COLUMN in_keyring INTEGER NOT NULL DEFAULT 0;
",
    "
    ALTER TABLE session ADD COLUMN own BLOB;    -- sealed
    CREATE TABLE person (
        session INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
        user INTEGER NOT NULL,
        name BLOB NOT NULL,        -- sealed
        PRIMARY KEY (session, user)
    ) STRICT, WITHOUT ROWID;
",
];

/// The newest shape that this version knows.
pub(super) const VERSION: usize = MIGRATIONS.len();

const DATABASE: &str = "archive.db";
const KEY: &str = "archive.key";
const LOCK: &str = "archive.lock";

/// A profile's folder, locked as long as this lives.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder where it is not there, and locks it.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |error| OpenError::Folder { path: path.to_owned(), error };
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt as _;
            builder.mode(0o700);
        }
        builder.recursive(true).create(path).map_err(failed)?;
        let lock = File::create(path.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// The database, brought up to date, and what its rows are sealed with.
    pub(super) fn connect(&self) -> Result<(Connection, Seal), OpenError> {
        let database = self.path.join(DATABASE);
        let is_new = !database.exists();
        let failed = |error| OpenError::Folder { path: self.path.clone(), error };
        let mut connection = Connection::open_with_flags(
            &database,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |it| it.get(0))?;
        let version = usize::try_from(version).unwrap_or(usize::MAX);
        if version > VERSION {
            return Err(OpenError::Newer);
        }
        // A database that was never finished has nothing sealed in it either.
        let seal = Seal::at(&self.path.join(KEY), is_new || version == 0).map_err(failed)?;
        settle(&connection)?;
        if version < VERSION {
            self.migrate(&mut connection, version)?;
        }
        Ok((connection, seal))
    }

    fn migrate(&self, connection: &mut Connection, from: usize) -> Result<(), OpenError> {
        let failed = |error| OpenError::Folder { path: self.path.clone(), error };
        let copy = self.path.join(format!("archive.before-{VERSION}.db"));
        if from > 0 {
            // A copy of a migration that was cut short may be half of one.
            if copy.exists() {
                fs::remove_file(&copy).map_err(failed)?;
            }
            connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
        }
        let change = connection.transaction()?;
        for step in &MIGRATIONS[from..] {
            change.execute_batch(step)?;
        }
        change.pragma_update(None, "user_version", VERSION as i64)?;
        change.commit()?;
        if from > 0 {
            fs::remove_file(&copy).map_err(failed)?;
        }
        Ok(())
    }
}

/// The settings on which the promises rest.
fn settle(connection: &Connection) -> Result<(), OpenError> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // What was deleted leaves no bytes behind.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "journal_size_limit", 4 << 20)?;
    // After a kill the log can hold a row that was never synced: from here on it is on disk.
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |it| it.get(0))?;
    if busy == 0 { Ok(()) } else { Err(OpenError::InUse) }
}
