//! Reading what is on the disk: history pages, lists, and the followers' walk through everything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use parlor_shared::reply::PersonName;
use parlor_shared::request::PageAt;
use parlor_shared::{Epoch, Event, Limits, RoomEntry, RoomEvent, RoomId, Seq, UserId};
use rusqlite::{Connection, InterruptHandle, OpenFlags, OptionalExtension as _, Params, params};

use super::erase::{self, Erasure};
use super::people::present_names;
use super::{Position, StoreError, corrupt, file_in, parsed, quick_check, row, settle};

/// Page cache of a reader in KiB: index pages and a history page; there are several readers.
const CACHE_KIB: i64 = 512;

/// Steps of SQLite's machine between two looks whether to give up: far less than a millisecond.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// A page of a room's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Ascending, without holes.
    pub events: Vec<RoomEvent>,
    /// There are events further on in the direction asked for.
    pub more: bool,
    /// The room's newest place, in the same state of the store.
    pub last_seq: Seq,
    /// What those are called today who had another name in one of the events.
    pub names: Vec<PersonName>,
}

/// How much goes into one page.
#[derive(Clone, Copy, Debug)]
pub struct PageSize {
    pub events: usize,
    /// Encoded bytes; exceeded by at most one event.
    pub bytes: usize,
}

/// One read-only connection.
pub struct Reader {
    pub(super) db: Connection,
}

impl Reader {
    /// Opens the database in `folder` for reading.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(file_in(folder), flags).map_err(corrupt)?;
        settle(&db, CACHE_KIB).map_err(corrupt)?;
        Ok(Self { db })
    }

    /// Opens the database in `folder` for looking only: nothing is put beside it, as SQLite does
    /// even for reading. A database that is in use, or was killed, has its log there already and
    /// is opened with it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open_to_look(folder: &Path) -> Result<Self, StoreError> {
        let path = file_in(folder);
        let db = connect_to_look(&path, log_of(&path).exists())?;
        settle(&db, CACHE_KIB).map_err(corrupt)?;
        Ok(Self { db })
    }

    /// A page of `room` for `user`; `None` when it is not a member, or there is no such room.
    /// Membership and events are of one state of the store.
    ///
    /// # Errors
    /// When the database cannot be read, or a row is damaged.
    pub fn history(
        &mut self,
        user: UserId,
        room: RoomId,
        page: PageAt,
        size: PageSize,
    ) -> Result<Option<Page>, StoreError> {
        let snapshot = Snapshot::begin(&self.db)?;
        let mut member = snapshot.db.prepare_cached(
            "SELECT 1 FROM member WHERE user = ?2 AND room = ?1 AND left_seq IS NULL",
        )?;
        if !member.exists(params![room.0 as i64, user.0 as i64])? {
            return Ok(None);
        }
        let last_seq = snapshot.last_seq(room)?;
        let (events, more) = match page {
            PageAt::After(seq) => snapshot.upwards(room, seq, size)?,
            PageAt::Before(seq) => snapshot.downwards(room, seq, size)?,
            PageAt::Latest => snapshot.downwards(room, last_seq.next(), size)?,
            PageAt::Around(seq) => {
                // The place itself belongs to the upper half, so the smallest page is that place.
                let below = size.events.saturating_sub(1) / 2;
                let half = PageSize { events: below, bytes: size.bytes / 2 };
                let (mut events, below) = snapshot.downwards(room, seq, half)?;
                let rest = PageSize { events: size.events - events.len(), ..half };
                let (after, above) = snapshot.upwards(room, Seq(seq.0.saturating_sub(1)), rest)?;
                events.extend(after);
                (events, below || above)
            }
        };
        let names = present_names(&self.db, &events)?;
        Ok(Some(Page { events, more, last_seq, names }))
    }

    /// The rooms after `after`, by id, at most `entries`; true when there are more.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn rooms(
        &mut self,
        after: RoomId,
        entries: usize,
    ) -> Result<(Vec<RoomEntry>, bool), StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT id, name, (SELECT count(*) FROM member WHERE room = id AND left_seq IS NULL)
             FROM room WHERE id > ?1 AND has_ended = 0 ORDER BY id LIMIT ?2",
        )?;
        let mut rows = query.query(params![after.0 as i64, entries as i64 + 1])?;
        let mut rooms = Vec::new();
        while let Some(row) = rows.next()? {
            if rooms.len() == entries {
                return Ok((rooms, true));
            }
            let name: String = row.get(1)?;
            rooms.push(RoomEntry {
                room: RoomId(row.get::<_, i64>(0)? as u64),
                name: parsed(&name, "a room's name")?,
                members: row.get::<_, i64>(2)? as u64,
            });
        }
        Ok((rooms, false))
    }

    /// What happened in all rooms after `after`, in the order of commits, at most `limit` events.
    ///
    /// # Errors
    /// When the database cannot be read, or a row is damaged.
    pub fn events_after(
        &mut self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<(Position, Arc<RoomEvent>)>, StoreError> {
        let snapshot = Snapshot::begin(&self.db)?;
        let mut query = snapshot.db.prepare_cached(&format!(
            "SELECT {} FROM event WHERE position > ?1 ORDER BY position LIMIT ?2",
            row::COLUMNS
        ))?;
        let mut rows = query.query(params![after.0 as i64, limit as i64])?;
        let mut events = Vec::with_capacity(limit.min(1_024));
        while let Some(it) = rows.next()? {
            let (position, event) = row::read(it)?;
            events.push((position, erase::seen(&snapshot.pending, position, event)));
        }
        Ok(events)
    }

    /// The newest position; 0 when nothing happened yet.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_position(&mut self) -> Result<Position, StoreError> {
        let last: i64 =
            self.db
                .query_row("SELECT coalesce(max(position), 0) FROM event", [], |it| it.get(0))?;
        Ok(Position(last as u64))
    }

    /// Everybody who ever was a member of `room`: user, first seq heard, last seq heard
    /// (`None` while the membership lasts).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn memberships(
        &mut self,
        room: RoomId,
    ) -> Result<Vec<(UserId, Seq, Option<Seq>)>, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT user, joined_seq, left_seq FROM member WHERE room = ?1")?;
        let rows = query.query_map([room.0 as i64], |row| {
            Ok((
                UserId(row.get::<_, i64>(0)? as u64),
                Seq(row.get::<_, i64>(1)? as u64),
                row.get::<_, Option<i64>>(2)?.map(|it| Seq(it as u64)),
            ))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A user's present name, freed or not.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn user_name(&mut self, user: UserId) -> Result<Option<String>, StoreError> {
        let mut query = self.db.prepare_cached("SELECT name FROM user WHERE id = ?1")?;
        Ok(query.query_row([user.0 as i64], |row| row.get(0)).optional()?)
    }

    /// A room's name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn room_name(&mut self, room: RoomId) -> Result<Option<String>, StoreError> {
        let mut query = self.db.prepare_cached("SELECT name FROM room WHERE id = ?1")?;
        Ok(query.query_row([room.0 as i64], |row| row.get(0)).optional()?)
    }

    /// Which history this is: another one after a restore.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn epoch(&mut self) -> Result<Epoch, StoreError> {
        let sql = "SELECT value FROM meta WHERE key = 'epoch'";
        Ok(Epoch(self.db.query_row(sql, [], |row| row.get(0))?))
    }

    /// How many rooms and users there are.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn counts(&mut self) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT (SELECT count(*) FROM room), (SELECT count(*) FROM user)";
        let counts: (i64, i64) =
            self.db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((counts.0 as u64, counts.1 as u64))
    }

    /// Ends a check that another thread is in the middle of.
    #[must_use]
    pub fn interrupter(&self) -> InterruptHandle {
        self.db.get_interrupt_handle()
    }

    /// Whatever this reader is doing ends with an error soon after `is_over` says so.
    ///
    /// # Errors
    /// When the database is of no use.
    pub fn give_up_when(
        &mut self,
        is_over: impl FnMut() -> bool + Send + 'static,
    ) -> Result<(), StoreError> {
        Ok(self.db.progress_handler(STEPS_BETWEEN_LOOKS, Some(is_over))?)
    }

    /// SQLite's own check of the whole file.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with what it found first.
    pub fn check_pages(&mut self) -> Result<(), StoreError> {
        quick_check(&self.db, &[])
    }
}

/// The write-ahead log of a database.
pub(super) fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// See [`Reader::open_to_look`].
pub(super) fn connect_to_look(path: &Path, has_log: bool) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if has_log {
        return Connection::open_with_flags(path, flags).map_err(corrupt);
    }
    let mut name = String::from("file:");
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                name.push(char::from(byte));
            }
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    name.push_str("?immutable=1");
    let flags = flags | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(name, flags).map_err(corrupt)
}

/// A read transaction: one state of the store for several queries.
struct Snapshot<'a> {
    db: &'a Connection,
    /// What is still to be erased in it.
    pending: Vec<Erasure>,
}

impl<'a> Snapshot<'a> {
    fn begin(db: &'a Connection) -> Result<Self, StoreError> {
        db.prepare_cached("BEGIN")?.raw_execute()?;
        // Ended also when reading fails.
        let mut snapshot = Self { db, pending: Vec::new() };
        snapshot.pending = erase::pending(db)?;
        Ok(snapshot)
    }

    fn last_seq(&self, room: RoomId) -> rusqlite::Result<Seq> {
        let mut query =
            self.db.prepare_cached("SELECT coalesce(max(seq), 0) FROM event WHERE room = ?1")?;
        query.query_row([room.0 as i64], |row| row.get::<_, i64>(0)).map(|it| Seq(it as u64))
    }

    fn upwards(
        &self,
        room: RoomId,
        after: Seq,
        size: PageSize,
    ) -> Result<(Vec<RoomEvent>, bool), StoreError> {
        let sql = format!(
            "SELECT {} FROM event WHERE room = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
            row::COLUMNS
        );
        self.walk(&sql, params![room.0 as i64, after.0 as i64, size.events as i64 + 1], size)
    }

    fn downwards(
        &self,
        room: RoomId,
        before: Seq,
        size: PageSize,
    ) -> Result<(Vec<RoomEvent>, bool), StoreError> {
        let sql = format!(
            "SELECT {} FROM event WHERE room = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3",
            row::COLUMNS
        );
        let (mut events, more) =
            self.walk(&sql, params![room.0 as i64, before.0 as i64, size.events as i64 + 1], size)?;
        events.reverse();
        Ok((events, more))
    }

    fn walk(
        &self,
        sql: &str,
        values: impl Params,
        size: PageSize,
    ) -> Result<(Vec<RoomEvent>, bool), StoreError> {
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query(values)?;
        let (mut events, mut bytes) = (Vec::new(), 0);
        while let Some(it) = rows.next()? {
            if events.len() >= size.events || (bytes >= size.bytes && !events.is_empty()) {
                return Ok((events, true));
            }
            let (position, event) = row::read(it)?;
            let event = Arc::unwrap_or_clone(erase::seen(&self.pending, position, event));
            bytes += encoded_bytes(&event);
            events.push(event);
        }
        Ok((events, false))
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        // A read transaction has nothing to lose; an error here only means it is over already.
        if let Err(error) = self.db.execute_batch("COMMIT") {
            log::debug!("ending a read: {error}");
        }
    }
}

/// What the event takes on the wire, within a few bytes.
fn encoded_bytes(event: &RoomEvent) -> usize {
    let text = if let parlor_shared::Fact::Said { text, .. }
    | parlor_shared::Fact::Announced { text, .. } = &event.fact
    {
        text.as_str().len()
    } else {
        // A reason has at most 390 characters.
        256
    };
    // Escapes make it longer; only a text that needs many is worth encoding to know.
    if text < 1_024 {
        return 160 + text + text / 8;
    }
    parlor_shared::frame::line(&Event::Room(event.clone())).len()
}

/// A small pool of readers, opened as they are needed.
#[derive(Clone)]
pub struct Readers {
    folder: Arc<PathBuf>,
    idle: Receiver<Option<Reader>>,
    give_back: Sender<Option<Reader>>,
}

impl Readers {
    /// At most `limits.readers` at a time; more wait.
    #[must_use]
    pub fn new(folder: &Path, limits: &Limits) -> Self {
        let (give_back, idle) = bounded(limits.readers.max(1) as usize);
        for _ in 0..limits.readers.max(1) {
            // Places that are not opened yet; the queue holds exactly as many.
            let placed = give_back.try_send(None);
            debug_assert!(placed.is_ok(), "there is a place for each reader");
        }
        Self { folder: Arc::new(folder.to_owned()), idle, give_back }
    }

    /// Closes the readers that nobody uses. Who reads later opens another one.
    pub fn close_idle(&self) {
        let idle: Vec<_> = self.idle.try_iter().collect();
        for _ in idle {
            let placed = self.give_back.try_send(None);
            debug_assert!(placed.is_ok(), "there is a place for each reader");
        }
    }

    /// Runs `read` with a reader that nobody else has.
    ///
    /// # Errors
    /// When the database cannot be opened, and what `read` says.
    pub fn with<T>(
        &self,
        read: impl FnOnce(&mut Reader) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let place = self.idle.recv().ok().flatten();
        let mut loan = Loan { place, give_back: &self.give_back };
        match &mut loan.place {
            Some(reader) => read(reader),
            empty @ None => read(empty.insert(Reader::open(&self.folder)?)),
        }
    }
}

/// A reader's place on loan; it goes back when dropped, also by a panic.
struct Loan<'a> {
    place: Option<Reader>,
    give_back: &'a Sender<Option<Reader>>,
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let given = self.give_back.try_send(self.place.take());
        debug_assert!(given.is_ok(), "there is a place for each reader");
    }
}
