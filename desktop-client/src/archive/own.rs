//! What concerns oneself on a server, and what is to be forgotten: the own stream's outcome,
//! people's present names, and erased texts.

use parlor_shared::reply::PersonName;
use parlor_shared::{Fact, RoomEvent, RoomId, Seq, UserId};
use rusqlite::{OptionalExtension as _, params};

use crate::model::{Own, SessionId, blank};

use super::seal::Place;
use super::store::{Done, Store, get_u64, int};

impl Store {
    pub(super) fn own(&self, session: SessionId) -> Done<Own> {
        let mut query = self.connection.prepare_cached("SELECT own FROM session WHERE id = ?")?;
        let sealed: Option<Option<Vec<u8>>> =
            query.query_row([session.0], |row| row.get(0)).optional()?;
        let Some(sealed) = sealed.flatten() else { return Ok(Own::default()) };
        let bytes = self.seal.open(Place::Own { session: session.0 }, &sealed)?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    pub(super) fn keep_own(&self, session: SessionId, own: &Own) -> Done<()> {
        let place = Place::Own { session: session.0 };
        let sealed = self.seal.seal(place, &serde_json::to_vec(own)?)?;
        self.run("UPDATE session SET own = ? WHERE id = ?", (sealed, session.0))
    }

    pub(super) fn names(&self, session: SessionId) -> Done<Vec<PersonName>> {
        let mut query =
            self.connection.prepare_cached("SELECT user, name FROM person WHERE session = ?")?;
        let mut rows = query.query([session.0])?;
        let mut names = Vec::new();
        while let Some(row) = rows.next()? {
            let user = get_u64(row, 0)?;
            let place = Place::Name { session: session.0, user };
            let bytes = self.seal.open(place, &row.get::<_, Vec<u8>>(1)?)?;
            let name = String::from_utf8_lossy(&bytes).parse()?;
            names.push(PersonName { user: UserId(user), name });
        }
        Ok(names)
    }

    pub(super) fn keep_names(&self, session: SessionId, names: &[PersonName]) -> Done<()> {
        for PersonName { user, name } in names {
            let place = Place::Name { session: session.0, user: user.0 };
            let sealed = self.seal.seal(place, name.as_str().as_bytes())?;
            self.run(
                "INSERT OR REPLACE INTO person (session, user, name) SELECT ?1, ?2, ?3
                 WHERE EXISTS (SELECT 1 FROM session WHERE id = ?1)",
                params![session.0, int(user.0), sealed],
            )?;
        }
        Ok(())
    }

    /// Blanks what somebody said. Whose a row is stands in its sealed body, so all rows up to
    /// there are opened.
    pub(super) fn erase(
        &self,
        session: SessionId,
        room: RoomId,
        user: UserId,
        through: Seq,
    ) -> Done<()> {
        let mut query = self.connection.prepare_cached(
            "SELECT seq, body FROM event WHERE session = ? AND room = ? AND seq <= ?",
        )?;
        let mut rows = query.query(params![session.0, int(room.0), int(through.0)])?;
        let mut blanked = Vec::new();
        while let Some(row) = rows.next()? {
            let seq = get_u64(row, 0)?;
            let place = Place::Event { session: session.0, room: room.0, seq };
            let body = self.seal.open(place, &row.get::<_, Vec<u8>>(1)?)?;
            let mut event: RoomEvent = serde_json::from_slice(&body)?;
            blank(&mut event);
            if event.by == user && matches!(event.fact, Fact::Blank { .. }) {
                blanked.push((place, seq, serde_json::to_vec(&event)?));
            }
        }
        for (place, seq, body) in blanked {
            self.run(
                "UPDATE event SET body = ? WHERE session = ? AND room = ? AND seq = ?",
                params![self.seal.seal(place, &body)?, session.0, int(room.0), int(seq)],
            )?;
        }
        Ok(())
    }

    /// The log beside the database holds what was erased until it is written back.
    pub(super) fn forget_log(&self) -> Done<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}
