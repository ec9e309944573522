//! A copy of the database while it is in use, and the start of another epoch in a restored one.
//!
//! The copy is of one state: a read transaction holds that state from the first page to the last,
//! so a busy database is copied in the same time as a quiet one. Writers do not wait for it; the
//! write-ahead log only cannot begin anew meanwhile, so it grows by what is written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use parlor_shared::Epoch;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, ffi};

use super::reader::{connect_to_look, log_of};
use super::{StoreError, corrupt, file_in, schema, settle};

/// Page cache in KiB: each page is read once.
const CACHE_KIB: i64 = 512;
/// Pages copied between two pauses: 1 MiB, a few milliseconds.
const STEP_PAGES: i32 = 256;
/// Pauses in a row in which not one page could be copied, before it is given up.
const BUSY_MAX: u32 = 500;
const BUSY_PAUSE: Duration = Duration::from_millis(10);
/// Histories remembered as replaced: more than anybody restores.
const REPLACED_MAX: usize = 64;
const EPOCH_BYTES: usize = 8;

/// One state of a database, held until this value goes.
pub struct Source {
    db: Connection,
    schema: i64,
    epoch: Epoch,
    page_bytes: u64,
    pages: u64,
}

impl Source {
    /// Takes hold of the newest state of the database in `folder`, whoever else uses it.
    ///
    /// # Errors
    /// When there is no database of Parlor, or a newer one.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = file_in(folder);
        if !path.exists() {
            return Err(StoreError::NotOurs(path));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::hold(path.clone(), Connection::open_with_flags(path, flags).map_err(corrupt)?)
    }

    /// The same for a folder that nobody else can use, because the caller has its lock: nothing
    /// is put beside the database, so that this works on a full disk, too.
    ///
    /// # Errors
    /// When there is no database of Parlor, or a newer one.
    pub fn open_locked(folder: &Path) -> Result<Self, StoreError> {
        let path = file_in(folder);
        // An empty log is what an attempt to open the database left.
        let has_log = log_of(&path).metadata().is_ok_and(|it| it.len() > 0);
        let db = connect_to_look(&path, has_log)?;
        Self::hold(path, db)
    }

    fn hold(path: PathBuf, db: Connection) -> Result<Self, StoreError> {
        settle(&db, CACHE_KIB).map_err(corrupt)?;
        db.execute_batch("BEGIN").map_err(corrupt)?;
        let number = |pragma: &str| {
            let sql = format!("PRAGMA {pragma}");
            db.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_err(corrupt)
        };
        // The first read is what begins the transaction.
        if number("application_id")? != i64::from(schema::APPLICATION_ID) {
            return Err(StoreError::NotOurs(path));
        }
        let schema = number("user_version")?;
        if schema > schema::SCHEMA {
            return Err(StoreError::Newer { found: schema });
        }
        let (pages, page_bytes) = (number("page_count")? as u64, number("page_size")? as u64);
        let epoch = epoch(&db)?;
        Ok(Self { db, schema, epoch, page_bytes, pages })
    }

    /// True when what failed was putting the readers' index beside the database, which a running
    /// server has done already.
    #[must_use]
    pub fn has_no_index(error: &StoreError) -> bool {
        let StoreError::Sqlite(error) = error else { return false };
        let code = error.sqlite_error().map_or(0, |it| it.extended_code);
        let beside = [ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_IOERR_SHMOPEN];
        beside.contains(&code) || error.sqlite_error_code() == Some(ErrorCode::CannotOpen)
    }

    /// The schema that the database has.
    #[must_use]
    pub fn schema(&self) -> i64 {
        self.schema
    }

    /// Which history it is.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// How long the copy will be.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.pages * self.page_bytes
    }

    /// Copies the state into the database of the folder `into`, which is not there or empty, and
    /// calls `pause` with the bytes of each step; false, and half a copy, when that says false.
    ///
    /// # Errors
    /// When the database cannot be read, or the copy cannot be written.
    pub fn copy_into(
        &self,
        into: &Path,
        mut pause: impl FnMut(u64) -> bool,
    ) -> Result<bool, StoreError> {
        let mut copy = Connection::open(file_in(into))?;
        // Whoever wants the copy syncs it; half a copy is of no use to anybody.
        copy.pragma_update(None, "journal_mode", "OFF")?;
        copy.pragma_update(None, "synchronous", "OFF")?;
        let step_bytes = self.page_bytes * STEP_PAGES as u64;
        let mut busy = 0;
        {
            let backup = Backup::new(&self.db, &mut copy)?;
            loop {
                let step = backup.step(STEP_PAGES)?;
                if step == StepResult::Done {
                    break;
                }
                if step == StepResult::More {
                    busy = 0;
                } else if busy == BUSY_MAX {
                    return Err(StoreError::Busy);
                } else {
                    busy += 1;
                    std::thread::park_timeout(BUSY_PAUSE);
                }
                if !pause(step_bytes) {
                    return Ok(false);
                }
            }
        }
        copy.close().map_err(|(_, error)| StoreError::Sqlite(error))?;
        Ok(true)
    }
}

/// Makes the history in `folder` another one than that which it was copied from: cursors on
/// that one mean nothing here. The histories that it replaces are remembered: its own of before,
/// and `instead_of`.
///
/// # Errors
/// When the database cannot be written.
pub fn begin_epoch(folder: &Path, instead_of: Option<Epoch>) -> Result<Epoch, StoreError> {
    let mut db = Connection::open_with_flags(file_in(folder), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    settle(&db, CACHE_KIB)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    let transaction = db.transaction()?;
    let mut replaced = read_replaced(&transaction)?;
    for old in [Some(epoch(&transaction)?), instead_of].into_iter().flatten() {
        if !replaced.contains(&old) {
            replaced.push(old);
        }
    }
    let surplus = replaced.len().saturating_sub(REPLACED_MAX);
    let kept: Vec<u8> = replaced[surplus..].iter().flat_map(|it| it.0).collect();
    transaction.execute("REPLACE INTO meta (key, value) VALUES ('replaced', ?1)", [kept])?;
    transaction.execute("UPDATE meta SET value = randomblob(8) WHERE key = 'epoch'", [])?;
    let fresh = epoch(&transaction)?;
    transaction.commit()?;
    db.close().map_err(|(_, error)| StoreError::Sqlite(error))?;
    Ok(fresh)
}

/// The histories that the one in `folder` has replaced.
///
/// # Errors
/// When the database cannot be read.
pub fn replaced(folder: &Path) -> Result<Vec<Epoch>, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(file_in(folder), flags).map_err(corrupt)?;
    settle(&db, CACHE_KIB).map_err(corrupt)?;
    read_replaced(&db)
}

fn epoch(db: &Connection) -> Result<Epoch, StoreError> {
    let sql = "SELECT value FROM meta WHERE key = 'epoch'";
    Ok(Epoch(db.query_row(sql, [], |row| row.get(0)).map_err(corrupt)?))
}

fn read_replaced(db: &Connection) -> Result<Vec<Epoch>, StoreError> {
    let sql = "SELECT value FROM meta WHERE key = 'replaced'";
    let found: Option<Vec<u8>> = db.query_row(sql, [], |row| row.get(0)).optional()?;
    let found = found.unwrap_or_default();
    let (epochs, _) = found.as_chunks::<EPOCH_BYTES>();
    Ok(epochs.iter().map(|it| Epoch(*it)).collect())
}
