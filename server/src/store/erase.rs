//! Erasing: what is to go goes in small steps, and is not seen from the moment it is decided.
//!
//! A row of the table `erasure` is one decision: the texts that a user said in a room up to a
//! place, or a user's name everywhere and with it, if wanted, all texts. It is written in the
//! commit of the event that tells of it. From then on readers pass what they read through
//! [`seen`], and the hub works the rows off with [`Store::erase_some`]. The last step removes the
//! decision; then the write-ahead log, which still has the old pages, is emptied.
//!
//! `through` and `done_position` count the places of the room, or with room 0 the positions of
//! the store. A kill loses no step: each one says in its own commit how far it got.

use std::sync::Arc;

use parlor_shared::{Fact as Happening, Nth, RoomEvent, RoomId, Seq, UserId, UserName};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::row::{self, Erased, KIND_ANNOUNCED, KIND_FACT, KIND_FACT_OF_FORMER, KIND_SAID};
use super::writer::Batch;
use super::{Position, Reader, Store, StoreError};

/// Places looked at in one step, erased or not: about a millisecond.
const SCAN: u64 = 2_000;

/// A decision that is not carried out to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Erasure {
    id: i64,
    user: UserId,
    /// `None`: in all rooms, and `through` and `done` are positions.
    room: Option<RoomId>,
    through: u64,
    done: u64,
    has_texts: bool,
    has_names: bool,
}

impl Erasure {
    const COLUMNS: &str = "id, user, room, through, done_position, has_texts, has_names";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let number = |column: usize| row.get::<_, i64>(column).map(|it| it as u64);
        Ok(Self {
            id: row.get(0)?,
            user: UserId(number(1)?),
            room: Some(RoomId(number(2)?)).filter(|it| it.0 > 0),
            through: number(3)?,
            done: number(4)?,
            has_texts: row.get(5)?,
            has_names: row.get(6)?,
        })
    }

    fn place(&self, position: Position, seq: Seq) -> u64 {
        if self.room.is_some() { seq.0 } else { position.0 }
    }

    fn covers(&self, position: Position, event: &RoomEvent) -> bool {
        self.room.is_none_or(|it| it == event.room)
            && self.place(position, event.seq) <= self.through
    }

    /// Takes out of the event what is to go; false when there was nothing.
    fn clean(&self, event: &mut RoomEvent) -> bool {
        let is_own = event.by == self.user;
        let mut is_changed = false;
        if let Happening::Said { nth, client_id, .. } | Happening::Announced { nth, client_id, .. } =
            event.fact
            && is_own
            && self.has_texts
        {
            event.fact = Happening::Blank { nth, client_id };
            is_changed = true;
        }
        if self.has_names {
            if let Some((user, name)) = row::named(&mut event.fact)
                && user.unwrap_or(event.by) == self.user
            {
                is_changed |= hide(name);
            }
            is_changed |= is_own && hide(&mut event.name);
        }
        is_changed
    }
}

fn hide(name: &mut UserName) -> bool {
    let is_changed = *name != UserName::former();
    *name = UserName::former();
    is_changed
}

/// What is still to be erased, in the state that `db` sees.
pub(super) fn pending(db: &Connection) -> Result<Vec<Erasure>, StoreError> {
    let sql = format!("SELECT {} FROM erasure ORDER BY id", Erasure::COLUMNS);
    let mut query = db.prepare_cached(&sql)?;
    let found = query.query_map([], Erasure::read)?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The event as it may be seen: without what is still to be erased.
pub(super) fn seen(
    pending: &[Erasure],
    position: Position,
    mut event: Arc<RoomEvent>,
) -> Arc<RoomEvent> {
    for it in pending {
        if it.covers(position, &event) {
            it.clean(Arc::make_mut(&mut event));
        }
    }
    event
}

impl Batch<'_> {
    /// Decides that something is to go. One that waits already for the same user and room goes on
    /// further: what it has passed is erased and stays so.
    pub(super) fn put_erasure(
        &mut self,
        user: UserId,
        room: i64,
        through: i64,
        (has_texts, has_names): (bool, bool),
    ) -> Result<(), StoreError> {
        self.erases = true;
        let user = user.0 as i64;
        let mut further = self.db.prepare_cached(
            "UPDATE erasure SET through = max(through, ?3)
             WHERE user = ?1 AND room = ?2 AND has_texts = ?4 AND has_names = ?5",
        )?;
        if further.execute(params![user, room, through, has_texts, has_names])? == 0 {
            let mut put = self.db.prepare_cached(
                "INSERT INTO erasure (user, room, through, has_texts, has_names)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            put.execute(params![user, room, through, has_texts, has_names])?;
        }
        Ok(())
    }

    fn erase_some(&self, it: &Erasure, rows_max: i64) -> Result<(), StoreError> {
        let upto = it.through.min(it.done + SCAN);
        let rows = self.rows_of(it, upto, rows_max)?;
        // A full hand may have left some behind.
        let last = rows.last().filter(|_| rows.len() as i64 == rows_max);
        let done = last.map_or(upto, |it| it.place);
        for row in rows {
            row.erase(self.db, it)?;
        }
        if done >= it.through {
            self.db.prepare_cached("DELETE FROM erasure WHERE id = ?1")?.execute([it.id])?;
        } else {
            self.db
                .prepare_cached("UPDATE erasure SET done_position = ?2 WHERE id = ?1")?
                .execute(params![it.id, done as i64])?;
        }
        Ok(())
    }

    /// The next rows that may have something to erase, up to the place `upto`.
    fn rows_of(&self, it: &Erasure, upto: u64, limit: i64) -> Result<Vec<Found>, StoreError> {
        let place = if it.room.is_some() { "seq" } else { "position" };
        let room = if it.room.is_some() { "room = ?1" } else { "?1 = 0" };
        let sql = format!(
            "SELECT {} FROM event WHERE {room} AND {place} > ?2 AND {place} <= ?3
               AND (by = ?4 AND (?5 OR kind IN ({KIND_SAID}, {KIND_ANNOUNCED}))
                    OR ?5 AND kind = {KIND_FACT})
             ORDER BY {place} LIMIT ?6",
            row::COLUMNS
        );
        let room = it.room.map_or(0, |it| it.0 as i64);
        let (done, upto, user) = (it.done as i64, upto as i64, it.user.0 as i64);
        let mut query = self.db.prepare_cached(&sql)?;
        let mut rows = query.query(params![room, done, upto, user, it.has_names, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(Found::read(row, it)?);
        }
        Ok(found)
    }
}

/// A row that may have something to erase.
struct Found {
    position: i64,
    place: u64,
    nth: Nth,
    by: UserId,
    kind: i64,
    body: Option<String>,
    /// `None` when the row is damaged.
    event: Option<RoomEvent>,
}

impl Found {
    fn read(row: &Row<'_>, it: &Erasure) -> Result<Self, StoreError> {
        let position: i64 = row.get(0)?;
        let seq = Seq(row.get::<_, i64>(2)? as u64);
        let event = match row::read(row) {
            Ok((_, event)) => Some(Arc::unwrap_or_clone(event)),
            Err(StoreError::Damaged { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            position,
            place: it.place(Position(position as u64), seq),
            nth: Nth(row.get::<_, i64>(3)? as u64),
            by: UserId(row.get::<_, i64>(5)? as u64),
            kind: row.get(7)?,
            // What is not UTF-8 belongs to a damaged row.
            body: row.get::<_, Option<String>>(8).unwrap_or_default(),
            event,
        })
    }

    fn erase(self, db: &Connection, it: &Erasure) -> Result<(), StoreError> {
        let Some(mut event) = self.event else {
            // It stays damaged, but says nothing any more.
            if self.by == it.user {
                log::warn!("a damaged event is erased: {}", self.position);
                let sql = "UPDATE event SET body = NULL, name = '' WHERE position = ?1";
                db.prepare_cached(sql)?.execute([self.position])?;
            }
            return Ok(());
        };
        if !it.clean(&mut event) {
            return Ok(());
        }
        let Erased { name, kind, body, crc } = Erased::new(&event, self.nth, self.kind, self.body);
        db.prepare_cached(
            "UPDATE event SET name = ?2, kind = ?3, body = ?4, crc = ?5 WHERE position = ?1",
        )?
        .execute(params![self.position, name, kind, body, crc])?;
        Ok(())
    }
}

impl Store {
    /// Whether anything is still to be erased.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_erasures(&self) -> Result<bool, StoreError> {
        Ok(self.db.prepare_cached("SELECT 1 FROM erasure LIMIT 1")?.exists([])?)
    }

    /// Erases some of what is to go, at most `limits.erase_rows` events, in a commit of its own.
    /// True when one decision was carried out to its end.
    ///
    /// # Errors
    /// When the disk says no. Full ([`StoreError::is_full`]): nothing was changed.
    pub fn erase_some(&mut self) -> Result<bool, StoreError> {
        let rows_max = self.bounds.erase_rows.max(1);
        let batch = self.begin()?;
        let sql = format!("SELECT {} FROM erasure ORDER BY id LIMIT 1", Erasure::COLUMNS);
        let first = batch.db.prepare_cached(&sql)?.query_row([], Erasure::read).optional()?;
        let Some(it) = first else { return Ok(true) };
        batch.erase_some(&it, rows_max)?;
        let sql = "SELECT 1 FROM erasure WHERE id = ?1";
        let is_done = !batch.db.prepare_cached(sql)?.exists([it.id])?;
        batch.commit()?;
        Ok(is_done)
    }

    /// Moves the write-ahead log into the database and cuts it to nothing, so that what was erased
    /// is in neither. False when a reader is in the way: to be tried again.
    ///
    /// # Errors
    /// When the disk says no. Full: nothing is lost, the log stays.
    pub fn empty_log(&mut self) -> Result<bool, StoreError> {
        // Nobody is waited for.
        self.db.busy_timeout(std::time::Duration::ZERO)?;
        let moved =
            self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        super::wait_for_others(&self.db)?;
        match moved {
            Ok(busy) => Ok(busy == 0),
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Reader {
    /// In which rooms messages were erased after `after`, and up to which place of the room;
    /// looked for up to the position that comes with it. Where there were none, none were erased.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn erased_after(
        &mut self,
        after: Position,
    ) -> Result<(Vec<(RoomId, Seq)>, Position), StoreError> {
        let last = self.last_position()?;
        let mut said = self.db.prepare_cached(
            "SELECT 1 FROM event
             WHERE by = ?1 AND device IS NOT NULL AND room = ?2 AND seq <= ?3 LIMIT 1",
        )?;
        let mut query = self.db.prepare_cached(&format!(
            "SELECT {} FROM event WHERE position > ?1 AND position <= ?2 AND kind = {KIND_FACT}
               AND instr(body, '\"erased\"') > 0",
            row::COLUMNS
        ))?;
        let mut rows = query.query(params![after.0 as i64, last.0 as i64])?;
        let mut erased = Vec::new();
        while let Some(it) = rows.next()? {
            // A damaged row says nothing.
            if let Ok((_, event)) = row::read(it)
                && let Happening::Erased { user, through } = event.fact
                && said.exists(params![user.0 as i64, event.room.0 as i64, through.0 as i64])?
            {
                erased.push((event.room, through));
            }
        }
        Ok((erased, last))
    }

    /// Grows whenever a user goes for good.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn erasures_decided(&mut self) -> Result<u64, StoreError> {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'erasure'";
        let last = self.db.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0));
        Ok(last.optional()?.unwrap_or(0) as u64)
    }

    /// Those who went for good.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn deleted_users(&mut self) -> Result<Vec<UserId>, StoreError> {
        let mut query = self.db.prepare_cached("SELECT id FROM user WHERE gone = 2")?;
        let users = query.query_map([], |row| Ok(UserId(row.get::<_, i64>(0)? as u64)))?;
        Ok(users.collect::<Result<_, _>>()?)
    }

    /// The rooms in which an event names somebody. Looks at everything.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn rooms_naming(&mut self, user: UserId) -> Result<Vec<RoomId>, StoreError> {
        let mut query = self.db.prepare_cached(&format!(
            "SELECT DISTINCT room FROM event WHERE by = ?1
               OR kind IN ({KIND_FACT}, {KIND_FACT_OF_FORMER})
                  AND json_extract(body, '$.user') = ?1"
        ))?;
        let rooms =
            query.query_map([user.0 as i64], |it| Ok(RoomId(it.get::<_, i64>(0)? as u64)))?;
        Ok(rooms.collect::<Result<_, _>>()?)
    }
}
