//! The one writer: opening a data folder's database, and a transaction per batch.

use std::fs::File;
use std::path::{Path, PathBuf};

use parlor_shared::Limits;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::{CHECK_FIRST_BYTES, StoreError, corrupt, file_in, quick_check, schema, settle};

/// Page cache of the writer in KiB: the right edges of the tables and of every busy room's index.
const CACHE_KIB: i64 = 8 * 1024;
/// WAL pages after which a commit moves them into the database file: 64 MiB. Between two such
/// moves the last page of each busy room's index is written into the log again and again, and
/// into the file only once; reading 64 MiB at a start after a kill takes a tenth of a second.
const CHECKPOINT_PAGES: i64 = 16_384;

/// See the module.
pub struct Store {
    pub(super) db: Connection,
    is_checked: bool,
    has_log: bool,
    pub(super) bounds: Bounds,
}

/// How much is kept of what would otherwise grow for ever.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) own_events: i64,
    pub(super) audit_entries: i64,
    pub(super) mails: i64,
    pub(super) erase_rows: i64,
}

impl From<&Limits> for Bounds {
    fn from(limits: &Limits) -> Self {
        let of = |limit: u64| i64::try_from(limit).unwrap_or(i64::MAX);
        Self {
            own_events: of(limits.own_events),
            audit_entries: of(limits.audit_entries),
            mails: of(limits.mails_waiting),
            erase_rows: of(limits.erase_rows),
        }
    }
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
        let has_log = Self::complete_log(&db, path)?;
        File::open(folder)?.sync_all()?;
        Ok(Self { db, is_checked, has_log, bounds: Bounds::from(&Limits::default()) })
    }

    /// Moves the write-ahead log into the file. Where a full disk has no room for that, the log is
    /// synced as it stands, which makes its rows as true, and there is a chat to read and to
    /// delete from. True then.
    fn complete_log(db: &Connection, path: &Path) -> Result<bool, StoreError> {
        let moved: Result<i64, StoreError> = db
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(StoreError::from);
        match moved {
            Ok(0) => Ok(false),
            Ok(_) => Err(StoreError::Busy),
            Err(error) if error.is_full() => {
                log::warn!("the disk is full: the write-ahead log stays where it is");
                let mut log_path = path.as_os_str().to_owned();
                log_path.push("-wal");
                File::open(log_path)?.sync_all()?;
                Ok(true)
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
        let small: &[&str] = &[
            "meta",
            "user",
            "room",
            "member",
            "session",
            "account",
            "old_name",
            "code",
            "invite",
            "ban",
            "mute",
            "user_event",
            "audit",
            "mail",
            "erasure",
        ];
        let is_small = bytes <= CHECK_FIRST_BYTES;
        quick_check(db, if is_small { &[] } else { small })?;
        Ok((found, is_small))
    }

    /// False when the file is so large that its events are to be checked while serving.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        self.is_checked
    }

    /// True when the write-ahead log stayed where it was: the disk was full at the start.
    #[must_use]
    pub fn has_log(&self) -> bool {
        self.has_log
    }

    /// Bounds what grows by these limits.
    pub fn bound_by(&mut self, limits: &Limits) {
        self.bounds = limits.into();
    }

    /// Begins the transaction of one batch.
    ///
    /// # Errors
    /// When the database cannot be locked or written.
    pub fn begin(&mut self) -> Result<Batch<'_>, StoreError> {
        self.db.prepare_cached("BEGIN IMMEDIATE")?.raw_execute()?;
        let (is_empty, erases) = (true, false);
        Ok(Batch { db: &self.db, bounds: self.bounds, is_open: true, is_empty, erases })
    }
}

/// One transaction: what a batch of commands saves. Dropped without a commit, it never was.
pub struct Batch<'a> {
    pub(super) db: &'a Connection,
    pub(super) bounds: Bounds,
    is_open: bool,
    pub(super) is_empty: bool,
    pub(super) erases: bool,
}

impl Batch<'_> {
    /// True until something was saved.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// True when something is to be erased once this is committed.
    #[must_use]
    pub fn erases(&self) -> bool {
        self.erases
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
