//! What the chat logs remember about themselves: `chatlog.sqlite` in the data folder, the only
//! SQL of the chat logs.
//!
//! Not synced at each commit: after a power cut it may be some seconds old, which only means
//! that some seconds are written again. What it says of files that are newer than it, or older,
//! is found out at the next start.

use std::collections::BTreeSet;
use std::path::Path;

use parlor_shared::{Epoch, UserId};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::line::Month;
use crate::store::Position;

const FILE: &str = "chatlog.sqlite";
const SCHEMA: i64 = 2;

/// `place`: how far the logs are (1), the logs of those in `behind` (2), and the search for what was
/// erased (3), as positions of the store. `volume`: how long each user's months are. `behind`:
/// whose logs are made again. `gone`: who went for good, and whose log with them.
const TABLES: &str = "
    CREATE TABLE epoch (epoch BLOB NOT NULL) STRICT;
    CREATE TABLE place (who INTEGER PRIMARY KEY, position INTEGER NOT NULL) STRICT;
    CREATE TABLE volume (
      user INTEGER NOT NULL,
      month INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      PRIMARY KEY (user, month)
    ) WITHOUT ROWID, STRICT;
    CREATE TABLE behind (user INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE gone (user INTEGER PRIMARY KEY) STRICT;";
/// What schema 1 lacks.
const TO_2: &str = "CREATE TABLE gone (user INTEGER PRIMARY KEY) STRICT; PRAGMA user_version = 2;";

/// Whose place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Who {
    All = 1,
    Behind = 2,
    Erased = 3,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Progress {
    db: Connection,
}

impl Progress {
    /// Opens what is known of the history called `epoch`; of another one nothing is known. A file
    /// that cannot be read is made again, and with it the logs.
    pub(super) fn open(data: &Path, epoch: Epoch) -> rusqlite::Result<Self> {
        let path = data.join(FILE);
        let opened = match Self::open_file(&path, epoch) {
            Err(error) => {
                log::warn!("{FILE} cannot be used ({error}): all chat logs are written again");
                None
            }
            Ok(found) => found,
        };
        if let Some(known) = opened {
            return Ok(known);
        }
        for name in [FILE.to_owned(), format!("{FILE}-wal"), format!("{FILE}-shm")] {
            match std::fs::remove_file(data.join(&name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    log::warn!("{name} cannot be removed: {error}");
                }
                Ok(()) | Err(_) => {}
            }
        }
        let db = Connection::open(&path)?;
        Self::settle(&db)?;
        db.execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {SCHEMA};"))?;
        db.execute("INSERT INTO epoch VALUES (?1)", [epoch.0])?;
        db.execute_batch("COMMIT")?;
        Ok(Self { db })
    }

    /// `None`: there is none, or it is about another history, or another version made it.
    fn open_file(path: &Path, epoch: Epoch) -> rusqlite::Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        let db = Connection::open(path)?;
        Self::settle(&db)?;
        let schema: i64 = db.query_row("PRAGMA user_version", [], |it| it.get(0))?;
        match schema {
            SCHEMA => {}
            1 => db.execute_batch(&format!("BEGIN; {TO_2} COMMIT;"))?,
            _ => return Ok(None),
        }
        let known: Option<[u8; 8]> =
            db.query_row("SELECT epoch FROM epoch", [], |it| it.get(0)).optional()?;
        Ok((known == Some(epoch.0)).then_some(Self { db }))
    }

    fn settle(db: &Connection) -> rusqlite::Result<()> {
        db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        db.pragma_update(None, "cache_size", -1024)?;
        db.busy_timeout(std::time::Duration::from_secs(5))
    }

    pub(super) fn place(&self, who: Who) -> rusqlite::Result<Position> {
        let mut query = self.db.prepare_cached("SELECT position FROM place WHERE who = ?1")?;
        let found: Option<i64> = query.query_row([who as i64], |it| it.get(0)).optional()?;
        Ok(Position(found.unwrap_or(0) as u64))
    }

    pub(super) fn behind(&self) -> rusqlite::Result<BTreeSet<UserId>> {
        let mut query = self.db.prepare_cached("SELECT user FROM behind")?;
        query.query_map([], |it| Ok(UserId(it.get::<_, i64>(0)? as u64)))?.collect()
    }

    pub(super) fn gone(&self) -> rusqlite::Result<BTreeSet<UserId>> {
        let mut query = self.db.prepare_cached("SELECT user FROM gone")?;
        query.query_map([], |it| Ok(UserId(it.get::<_, i64>(0)? as u64)))?.collect()
    }

    /// A user's months and their lengths.
    pub(super) fn volumes(&self, user: UserId) -> rusqlite::Result<Vec<(Month, u64)>> {
        let mut query =
            self.db.prepare_cached("SELECT month, bytes FROM volume WHERE user = ?1")?;
        query
            .query_map([user.0 as i64], |it| Ok((Month(it.get(0)?), it.get::<_, i64>(1)? as u64)))?
            .collect()
    }

    /// The first user after `user` who has a log.
    pub(super) fn next_user(&self, user: UserId) -> rusqlite::Result<Option<UserId>> {
        let mut query = self.db.prepare_cached("SELECT min(user) FROM volume WHERE user > ?1")?;
        let next: Option<i64> = query.query_row([user.0 as i64], |it| it.get(0))?;
        Ok(next.map(|it| UserId(it as u64)))
    }

    /// Everything of one step, or nothing.
    pub(super) fn change(
        &mut self,
        change: impl FnOnce(&Change<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let transaction = self.db.transaction()?;
        change(&Change { transaction: &transaction })?;
        transaction.commit()
    }
}

/// What a step changes.
pub(super) struct Change<'a> {
    transaction: &'a Transaction<'a>,
}

impl Change<'_> {
    pub(super) fn place(&self, who: Who, at: Position) -> rusqlite::Result<()> {
        let mut set = self.transaction.prepare_cached("REPLACE INTO place VALUES (?1, ?2)")?;
        set.execute(params![who as i64, at.0 as i64]).map(drop)
    }

    /// Nothing was ever written.
    pub(super) fn forget_all(&self) -> rusqlite::Result<()> {
        self.transaction.execute_batch(
            "DELETE FROM place; DELETE FROM volume; DELETE FROM behind; DELETE FROM gone;",
        )
    }

    /// A month's length; 0 when it is gone.
    pub(super) fn volume(&self, user: UserId, month: Month, bytes: u64) -> rusqlite::Result<()> {
        let sql = if bytes == 0 {
            "DELETE FROM volume WHERE user = ?1 AND month = ?2 AND ?3 = 0"
        } else {
            "REPLACE INTO volume VALUES (?1, ?2, ?3)"
        };
        let mut set = self.transaction.prepare_cached(sql)?;
        set.execute(params![user.0 as i64, month.0, bytes as i64]).map(drop)
    }

    /// The user went for good, and its log is no more.
    pub(super) fn gone(&self, user: UserId) -> rusqlite::Result<()> {
        let user = user.0 as i64;
        self.transaction.execute("INSERT OR IGNORE INTO gone VALUES (?1)", [user])?;
        self.transaction.execute("DELETE FROM volume WHERE user = ?1", [user]).map(drop)
    }

    /// The logs that are made again are of exactly these users, and of those that begin only now
    /// nothing is there any more.
    pub(super) fn behind(&self, users: &BTreeSet<UserId>, begin: bool) -> rusqlite::Result<()> {
        self.transaction.execute("DELETE FROM behind", [])?;
        let mut add = self.transaction.prepare_cached("INSERT INTO behind VALUES (?1)")?;
        let mut forget = self.transaction.prepare_cached("DELETE FROM volume WHERE user = ?1")?;
        for user in users {
            add.execute([user.0 as i64])?;
            if begin {
                forget.execute([user.0 as i64])?;
            }
        }
        Ok(())
    }
}
