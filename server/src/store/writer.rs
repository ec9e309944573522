//! The one writer: opening a data folder's database, and a transaction per batch.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parlor_shared::{ClientId, Epoch, Fact as Happening, Nth, RoomId, Seq, UnixMillis, UserId};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    CHECK_FIRST_BYTES, StoreError, corrupt, file_in, parsed, quick_check, row, schema, settle,
};
use crate::chat::{
    Fact, KnownMessage, Question, Record, Stored, StoredRoom, StoredUser, TokenHash,
};

/// Page cache of the writer in KiB: the right edges of the tables and of every busy room's index.
const CACHE_KIB: i64 = 8 * 1024;
/// WAL pages after which a commit moves them into the database file: 64 MiB. Between two such
/// moves the last page of each busy room's index is written into the log again and again, and
/// into the file only once; reading 64 MiB at a start after a kill takes a tenth of a second.
const CHECKPOINT_PAGES: i64 = 16_384;

const INSERT_EVENT: &str = "INSERT INTO event
    (room, seq, nth, at, by, name, kind, body, device, counter, crc)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

/// See the module.
pub struct Store {
    db: Connection,
    is_checked: bool,
}

impl Store {
    /// Opens the database in `folder`, makes or migrates it, checks it, and completes what a kill
    /// left in the write-ahead log. `folder` exists and is locked by the caller.
    ///
    /// # Errors
    /// When the file is not ours, damaged, newer, or the disk says no. Nothing was written then.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = file_in(folder);
        // Looking into a database makes SQLite put two files beside it. Where the answer is no,
        // they go again; a log that was there, or has something in it, is left alone.
        let beside = ["-wal", "-shm"].map(|end| {
            let mut name = path.clone().into_os_string();
            name.push(end);
            PathBuf::from(name)
        });
        let there = beside.clone().map(|it| it.exists());
        let opened = Self::open_file(folder, &path);
        let has_log = beside[0].metadata().is_ok_and(|it| it.len() > 0);
        if opened.is_err() && path.exists() && !has_log {
            for (file, was_there) in beside.iter().zip(there) {
                if !was_there && file.exists() {
                    std::fs::remove_file(file)?;
                }
            }
        }
        opened
    }

    fn open_file(folder: &Path, path: &Path) -> Result<Self, StoreError> {
        let is_new = !path.exists() || path.metadata()?.len() == 0;
        let mut db = Connection::open(path).map_err(corrupt)?;
        // Until the file is known to be sound, closing it must not write into it.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        settle(&db, CACHE_KIB).map_err(corrupt)?;
        let (found, is_checked) = Self::examine(&db, path, is_new)?;
        let journal: String =
            db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(corrupt)?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "secure_delete", true)?;
        db.pragma_update(None, "temp_store", "MEMORY")?;
        db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        let synchronous: i64 = db.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
        assert!(journal == "wal" && synchronous == 2, "every commit reaches the disk");
        assert!(rusqlite::version_number() >= 3_051_003, "an older SQLite can damage its WAL");
        if found < schema::SCHEMA {
            schema::migrate(&mut db, found)?;
        }
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        // The reopened log may hold rows that were written but never synced: whoever acknowledges
        // a resend of one must know that it is on the disk.
        Self::complete_log(&db, path)?;
        File::open(folder)?.sync_all()?;
        Ok(Self { db, is_checked })
    }

    /// Moves the write-ahead log into the file. Where a full disk has no room for that, the log is
    /// synced as it stands, which makes its rows as true, and there is a chat to read and to
    /// delete from.
    fn complete_log(db: &Connection, path: &Path) -> Result<(), StoreError> {
        let moved: Result<i64, StoreError> = db
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(StoreError::from);
        match moved {
            Ok(0) => Ok(()),
            Ok(_) => Err(StoreError::Busy),
            Err(error) if error.is_full() => {
                log::warn!("the disk is full: the write-ahead log stays where it is");
                let mut log_path = path.as_os_str().to_owned();
                log_path.push("-wal");
                File::open(log_path)?.sync_all()?;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// The schema of the file, and whether all of it was checked, after looking whether it is ours
    /// and sound.
    fn examine(db: &Connection, path: &Path, is_new: bool) -> Result<(i64, bool), StoreError> {
        if is_new {
            return Ok((0, true));
        }
        let pragma = |name: &str| {
            db.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).map_err(corrupt)
        };
        let found = pragma("user_version")?;
        let tables: i64 = db
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(corrupt)?;
        if tables == 0 && found == 0 {
            // Killed before the first commit: as good as new.
            return Ok((0, true));
        }
        if pragma("application_id")? != i64::from(schema::APPLICATION_ID) {
            return Err(StoreError::NotOurs(path.to_owned()));
        }
        if found > schema::SCHEMA {
            return Err(StoreError::Newer { found });
        }
        let bytes = (pragma("page_count")? * pragma("page_size")?) as u64;
        let small: &[&str] = &["meta", "user", "room", "member"];
        let is_small = bytes <= CHECK_FIRST_BYTES;
        quick_check(db, if is_small { &[] } else { small })?;
        Ok((found, is_small))
    }

    /// False when the file is so large that its events are to be checked while serving.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        self.is_checked
    }

    /// Everything that the chat is built from; none of what was said.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load(&self) -> Result<Stored, StoreError> {
        let epoch: [u8; 8] =
            self.db.query_row("SELECT value FROM meta WHERE key = 'epoch'", [], |it| it.get(0))?;
        Ok(Stored {
            epoch: Epoch(epoch),
            users: self.load_users()?,
            rooms: self.load_rooms()?,
            members: self.load_members()?,
            last_user: UserId(self.number("SELECT coalesce(max(id), 0) FROM user")?),
            last_at: UnixMillis(self.number(
                "SELECT coalesce((SELECT at FROM event ORDER BY position DESC LIMIT 1), 0)",
            )?),
        })
    }

    fn number(&self, query: &str) -> rusqlite::Result<u64> {
        self.db.query_row(query, [], |row| row.get::<_, i64>(0)).map(|it| it as u64)
    }

    fn load_users(&self) -> Result<Vec<StoredUser>, StoreError> {
        let mut query =
            self.db.prepare("SELECT id, name, token, seen_at FROM user WHERE token IS NOT NULL")?;
        let mut rows = query.query([])?;
        let mut users = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(1)?;
            users.push(StoredUser {
                user: UserId(row.get::<_, i64>(0)? as u64),
                name: parsed(&name, "a user's name")?,
                token: TokenHash(row.get(2)?),
                seen_at: UnixMillis(row.get::<_, i64>(3)? as u64),
            });
        }
        Ok(users)
    }

    fn load_rooms(&self) -> Result<Vec<StoredRoom>, StoreError> {
        let mut query = self.db.prepare("SELECT id, name, made_by FROM room ORDER BY id")?;
        let mut last = self
            .db
            .prepare("SELECT seq, nth FROM event WHERE room = ?1 ORDER BY seq DESC LIMIT 1")?;
        let mut rows = query.query([])?;
        let mut rooms = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, name): (i64, String) = (row.get(0)?, row.get(1)?);
            let (seq, nth): (i64, i64) = last
                .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?
                .unwrap_or_default();
            rooms.push(StoredRoom {
                room: RoomId(id as u64),
                name: parsed(&name, "a room's name")?,
                made_by: UserId(row.get::<_, i64>(2)? as u64),
                last_seq: Seq(seq as u64),
                last_nth: Nth(nth as u64),
            });
        }
        Ok(rooms)
    }

    fn load_members(&self) -> Result<Vec<(RoomId, UserId)>, StoreError> {
        let mut query = self.db.prepare("SELECT room, user FROM member WHERE left_seq IS NULL")?;
        let pairs = query.query_map([], |row| {
            Ok((RoomId(row.get::<_, i64>(0)? as u64), UserId(row.get::<_, i64>(1)? as u64)))
        })?;
        Ok(pairs.collect::<Result<_, _>>()?)
    }

    /// Begins the transaction of one batch.
    ///
    /// # Errors
    /// When the database cannot be locked or written.
    pub fn begin(&mut self) -> Result<Batch<'_>, StoreError> {
        self.db.prepare_cached("BEGIN IMMEDIATE")?.raw_execute()?;
        Ok(Batch { db: &self.db, is_open: true, is_empty: true })
    }
}

/// One transaction: what a batch of commands saves. Dropped without a commit, it never was.
pub struct Batch<'a> {
    db: &'a Connection,
    is_open: bool,
    is_empty: bool,
}

impl Batch<'_> {
    /// Looks up what the chat asked for, in the state that this batch made so far.
    ///
    /// # Errors
    /// When the database cannot be read, or the row is damaged.
    pub fn look_up(&self, question: Question) -> Result<Fact, StoreError> {
        match question {
            Question::ClientId { author, client_id } => {
                let known = self.known_message(author, client_id)?;
                let mut query = self.db.prepare_cached(
                    "SELECT max(counter) FROM event WHERE by = ?1 AND device = ?2",
                )?;
                let device = client_id.device.as_str();
                let highest: Option<i64> =
                    query.query_row(params![author.0 as i64, device], |row| row.get(0))?;
                Ok(Fact::ClientId { known, highest: highest.map(|it| it as u64) })
            }
        }
    }

    fn known_message(
        &self,
        author: UserId,
        client_id: ClientId,
    ) -> Result<Option<Arc<KnownMessage>>, StoreError> {
        let mut query = self.db.prepare_cached(&format!(
            "SELECT {} FROM event WHERE by = ?1 AND device = ?2 AND counter = ?3",
            row::COLUMNS
        ))?;
        let (device, counter) = (client_id.device.as_str(), client_id.counter as i64);
        let mut rows = query.query(params![author.0 as i64, device, counter])?;
        let Some(found) = rows.next()? else { return Ok(None) };
        let (position, event) = row::read(found)?;
        let Happening::Said { nth, text, .. } = &event.fact else {
            return Err(StoreError::Damaged { position });
        };
        Ok(Some(Arc::new(KnownMessage {
            room: event.room,
            seq: event.seq,
            nth: *nth,
            at: event.at,
            text: text.clone(),
        })))
    }

    /// Writes one record.
    ///
    /// # Errors
    /// When the disk says no. A constraint error is a bug of the chat, not of the world.
    pub fn save(&mut self, record: &Record) -> Result<(), StoreError> {
        self.is_empty = false;
        let saved = match record {
            Record::Event { event, nth } => {
                let mut statement = self.db.prepare_cached(INSERT_EVENT)?;
                row::insert(&mut statement, event, *nth)?;
                match &event.fact {
                    Happening::Opened { .. } | Happening::Joined {} => self.execute(
                        "INSERT INTO member (room, user, joined_seq) VALUES (?1, ?2, ?3)",
                        params![event.room.0 as i64, event.by.0 as i64, event.seq.0 as i64],
                    ),
                    Happening::Left {} => self.execute(
                        "UPDATE member SET left_seq = ?3
                         WHERE room = ?1 AND user = ?2 AND left_seq IS NULL",
                        params![event.room.0 as i64, event.by.0 as i64, event.seq.0 as i64],
                    ),
                    Happening::Said { .. } | Happening::Unknown => Ok(()),
                }
            }
            Record::User { user, name, token, at } => self.execute(
                "INSERT INTO user (id, name, token, seen_at) VALUES (?1, ?2, ?3, ?4)",
                params![user.0 as i64, name.as_str(), token.0, at.0 as i64],
            ),
            Record::Seen { user, at } => self.execute(
                "UPDATE user SET seen_at = ?2 WHERE id = ?1",
                params![user.0 as i64, at.0 as i64],
            ),
            Record::Freed { user } => {
                self.execute("UPDATE user SET token = NULL WHERE id = ?1", params![user.0 as i64])
            }
            Record::Room { room, name, by } => self.execute(
                "INSERT INTO room (id, name, made_by) VALUES (?1, ?2, ?3)",
                params![room.0 as i64, name.as_str(), by.0 as i64],
            ),
        };
        Ok(saved?)
    }

    fn execute(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> rusqlite::Result<()> {
        self.db.prepare_cached(sql)?.execute(values).map(drop)
    }

    /// True until something was saved.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Makes the batch true: on return it is on the disk.
    ///
    /// # Errors
    /// When the disk says no. Full ([`StoreError::is_full`]): nothing was written. Anything else:
    /// nobody knows what is on the disk.
    pub fn commit(mut self) -> Result<(), StoreError> {
        self.db.prepare_cached("COMMIT")?.raw_execute()?;
        self.is_open = false;
        Ok(())
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        // On some errors SQLite has rolled back by itself; then this one has nothing to do.
        if self.is_open && !self.db.is_autocommit() {
            let rolled_back = self.db.execute_batch("ROLLBACK");
            if let Err(error) = rolled_back {
                log::error!("rolling back: {error}");
            }
        }
    }
}
