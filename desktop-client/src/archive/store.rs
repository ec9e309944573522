//! The archive's SQL: orders into rows, and rows back into what the model begins with.

use std::collections::BTreeMap;

use parlor_shared::{
    ClientId, DeviceId, Fact, Nth, ResumeToken, RoomEvent, RoomId, Seq, UnixMillis,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::model::limits::{ARCHIVED_EVENTS_MAX, KEPT_NEWEST};
use crate::model::{
    ArchiveNews, Keep, KeptPending, KeptRoom, KeptSession, Opened, Session, SessionId,
};

use super::seal::{BadSeal, Place, Seal, random};
use super::secrets::Keyring;

/// The one connection, the seal, and where tokens are kept.
pub(super) struct Store {
    pub(super) connection: Connection,
    pub(super) seal: Seal,
    pub(super) device: DeviceId,
    pub(super) keyring: Box<dyn Keyring>,
    /// The sessions whose token is in the keyring; the token where it gave it out.
    pub(super) in_keyring: BTreeMap<SessionId, Option<ResumeToken>>,
    /// The keyring did not take a token.
    pub(super) is_keyring_shut: bool,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("{0}")]
    Sql(#[from] rusqlite::Error),
    #[error(transparent)]
    Seal(#[from] BadSeal),
    #[error("a kept row does not mean anything: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a kept value does not mean anything: {0}")]
    Value(#[from] parlor_shared::Refusal),
    #[error("a kept address does not mean anything")]
    Address(#[from] crate::model::BadAddress),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

pub(super) type Done<T> = Result<T, StoreError>;

/// SQLite's integers are signed; ids and places stay far below their end.
pub(super) fn int(number: u64) -> i64 {
    number.cast_signed()
}

pub(super) fn get_u64(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(index).map(i64::cast_unsigned)
}

impl Store {
    pub(super) fn new(connection: Connection, seal: Seal, keyring: Box<dyn Keyring>) -> Done<Self> {
        connection.set_prepared_statement_cache_capacity(32);
        let device = device_id(&connection)?;
        let in_keyring = BTreeMap::new();
        let is_keyring_shut = false;
        let store = Self { connection, seal, device, keyring, in_keyring, is_keyring_shut };
        store.look_again_at_unknown_events()?;
        Ok(store)
    }

    /// An update of the app may know events that the last version did not: those rooms are read
    /// from the server again.
    fn look_again_at_unknown_events(&self) -> Done<()> {
        let now = env!("CARGO_PKG_VERSION");
        let last: Option<String> = self.profile("app")?;
        if last.as_deref() != Some(now) {
            self.connection.execute_batch(
                "UPDATE room SET kept_nth = 0 WHERE EXISTS (SELECT 1 FROM event WHERE is_known = 0
                     AND event.session = room.session AND event.room = room.room);
                 DELETE FROM event WHERE EXISTS (SELECT 1 FROM event AS other WHERE
                     other.is_known = 0 AND other.session = event.session
                     AND other.room = event.room);",
            )?;
            self.set_profile("app", &now)?;
        }
        Ok(())
    }

    fn profile<T: rusqlite::types::FromSql>(&self, name: &str) -> Done<Option<T>> {
        let mut query =
            self.connection.prepare_cached("SELECT value FROM profile WHERE name = ?")?;
        Ok(query.query_row([name], |row| row.get(0)).optional()?)
    }

    fn set_profile(&self, name: &str, value: &dyn rusqlite::ToSql) -> Done<()> {
        let mut change =
            self.connection.prepare_cached("INSERT OR REPLACE INTO profile VALUES (?, ?)")?;
        change.execute(params![name, value])?;
        Ok(())
    }

    // ---- Reading ----

    /// What the model begins with.
    pub(super) fn opened(&mut self) -> Done<Opened> {
        let counter = self.profile::<i64>("counter")?.unwrap_or(0).cast_unsigned();
        self.fetch_tokens()?;
        let sessions = self.sessions()?;
        let current = sessions.first().filter(|it| it.signed_in).cloned();
        let current = current.map(|it| self.kept_session(it)).transpose()?.map(Box::new);
        let pins = self.pins()?;
        Ok(Opened { device: self.device, counter, sessions, pins, current })
    }

    fn kept_session(&self, session: Session) -> Done<KeptSession> {
        let mut query =
            self.connection.prepare_cached("SELECT selected FROM session WHERE id = ?")?;
        let selected: Option<i64> = query.query_row([session.id.0], |row| row.get(0))?;
        let selected = selected.map(|it| RoomId(it.cast_unsigned()));
        let rooms = self.kept_rooms(session.id)?;
        let (own, names) = (self.own(session.id)?, self.names(session.id)?);
        Ok(KeptSession { session, selected, rooms, own, names })
    }

    fn kept_rooms(&self, session: SessionId) -> Done<Vec<KeptRoom>> {
        let mut outboxes = self.outboxes(session)?;
        let mut query = self.connection.prepare_cached(
            "SELECT room, name, read_seq, read_nth, last_seq, last_nth, kept_nth, draft FROM room
             WHERE session = ? ORDER BY room",
        )?;
        let mut rows = query.query([session.0])?;
        let mut rooms = Vec::new();
        while let Some(row) = rows.next()? {
            let room = RoomId(get_u64(row, 0)?);
            let draft = match row.get::<_, Option<Vec<u8>>>(7)? {
                Some(sealed) => {
                    let place = Place::Draft { session: session.0, room: room.0 };
                    String::from_utf8_lossy(&self.seal.open(place, &sealed)?).into_owned()
                }
                None => String::new(),
            };
            let ends = self.ends(session, room)?;
            rooms.push(KeptRoom {
                room,
                name: row.get::<_, String>(1)?.parse()?,
                read_seq: Seq(get_u64(row, 2)?),
                read_nth: Nth(get_u64(row, 3)?),
                last_seq: Seq(get_u64(row, 4)?),
                last_nth: Nth(get_u64(row, 5)?),
                kept_nth: Nth(get_u64(row, 6)?),
                first_kept: ends.map_or(Seq(0), |(first, _)| first),
                newest: match ends {
                    Some((_, last)) => self.page(session, room, last.next(), KEPT_NEWEST)?,
                    None => Vec::new(),
                },
                draft,
                outbox: outboxes.remove(&room).unwrap_or_default(),
            });
        }
        Ok(rooms)
    }

    fn outboxes(&self, session: SessionId) -> Done<BTreeMap<RoomId, Vec<KeptPending>>> {
        let mut query = self.connection.prepare_cached(
            "SELECT room, counter, at, failed, held, body FROM outbox WHERE session = ?
             ORDER BY place",
        )?;
        let mut rows = query.query([session.0])?;
        let mut outboxes: BTreeMap<_, Vec<_>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (room, counter) = (get_u64(row, 0)?, get_u64(row, 1)?);
            let place = Place::Pending { session: session.0, room, counter };
            let body = self.seal.open(place, &row.get::<_, Vec<u8>>(5)?)?;
            outboxes.entry(RoomId(room)).or_default().push(KeptPending {
                client_id: ClientId { device: self.device, counter },
                text: String::from_utf8_lossy(&body).parse()?,
                at: UnixMillis(get_u64(row, 2)?),
                failed: row.get(3)?,
                held: row.get(4)?,
            });
        }
        Ok(outboxes)
    }

    /// The oldest and the newest kept event of a room.
    fn ends(&self, session: SessionId, room: RoomId) -> Done<Option<(Seq, Seq)>> {
        // Two look-ups in the index; asked for together SQLite would walk through all rows.
        let mut query = self.connection.prepare_cached(
            "SELECT (SELECT min(seq) FROM event WHERE session = ?1 AND room = ?2),
                    (SELECT max(seq) FROM event WHERE session = ?1 AND room = ?2)",
        )?;
        let ends: (Option<i64>, Option<i64>) = query
            .query_row(params![session.0, int(room.0)], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(ends.0.zip(ends.1).map(|(a, b)| (Seq(a.cast_unsigned()), Seq(b.cast_unsigned()))))
    }

    /// Ascending and contiguous, ending right before `before`.
    fn page(
        &self,
        session: SessionId,
        room: RoomId,
        before: Seq,
        limit: u32,
    ) -> Done<Vec<RoomEvent>> {
        let mut query = self.connection.prepare_cached(
            "SELECT seq, body FROM event WHERE session = ? AND room = ? AND seq < ?
             ORDER BY seq DESC LIMIT ?",
        )?;
        let mut rows = query.query(params![session.0, int(room.0), int(before.0), limit])?;
        let mut events: Vec<RoomEvent> = Vec::new();
        let mut expected = before;
        while let Some(row) = rows.next()? {
            let seq = get_u64(row, 0)?;
            if Seq(seq).next() != expected {
                break;
            }
            expected = Seq(seq);
            let place = Place::Event { session: session.0, room: room.0, seq };
            let body = self.seal.open(place, &row.get::<_, Vec<u8>>(1)?)?;
            events.push(serde_json::from_slice(&body)?);
        }
        events.reverse();
        Ok(events)
    }

    // ---- Writing ----

    /// Carries out a batch in one commit. The answers are true once this returns.
    pub(super) fn carry_out(&mut self, batch: &[Keep]) -> Done<Vec<ArchiveNews>> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let done = self.carry_out_all(batch).and_then(|answers| {
            self.connection.execute_batch("COMMIT")?;
            Ok(answers)
        });
        if done.is_ok() && batch.iter().any(|it| matches!(it, Keep::Erase { .. })) {
            self.forget_log()?;
        }
        if done.is_err() && !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        done
    }

    fn carry_out_all(&self, batch: &[Keep]) -> Done<Vec<ArchiveNews>> {
        let mut answers = Vec::new();
        for (index, keep) in batch.iter().enumerate() {
            if !is_outdone(keep, &batch[index + 1..])
                && let Some(answer) = self.carry_out_one(keep)?
            {
                answers.push(answer);
            }
        }
        Ok(answers)
    }

    fn carry_out_one(&self, keep: &Keep) -> Done<Option<ArchiveNews>> {
        match keep {
            Keep::Session(session) => self.keep_session(session)?,
            Keep::Pin(pin) => self.keep_pin(pin)?,
            Keep::ForgetPin(address) => {
                self.run("DELETE FROM pin WHERE address = ?", (address.to_string(),))?;
            }
            Keep::ForgetSession(session) => {
                self.run("DELETE FROM session WHERE id = ?", (session.0,))?;
            }
            Keep::OpenSession(session) => {
                if let Some(found) = self.session(*session)? {
                    let kept = Box::new(self.kept_session(found)?);
                    return Ok(Some(ArchiveNews::SessionOpened(kept)));
                }
            }
            Keep::Selected { session, room } => {
                self.run("UPDATE session SET selected = ? WHERE id = ?", (int(room.0), session.0))?;
            }
            Keep::Room { .. } => self.keep_room(keep)?,
            Keep::ForgetRoom { session, room } => {
                self.run(
                    "DELETE FROM room WHERE session = ? AND room = ?",
                    (session.0, int(room.0)),
                )?;
            }
            Keep::Events { session, room, events, nth } => {
                self.keep_events(*session, *room, events, *nth)?;
            }
            Keep::LoadOlder { ticket, session, room, before, limit } => {
                let events = self.page(*session, *room, *before, *limit)?;
                return Ok(Some(ArchiveNews::Older { ticket: *ticket, room: *room, events }));
            }
            Keep::Draft { session, room, text } => {
                let place = Place::Draft { session: session.0, room: room.0 };
                let draft = match text.as_str() {
                    "" => None,
                    text => Some(self.seal.seal(place, text.as_bytes())?),
                };
                self.run(
                    "UPDATE room SET draft = ? WHERE session = ? AND room = ?",
                    (draft, session.0, int(room.0)),
                )?;
            }
            Keep::Pending { room, client_id, .. } => {
                self.keep_pending(keep)?;
                let (room, client_id) = (*room, *client_id);
                return Ok(Some(ArchiveNews::PendingSaved { room, client_id }));
            }
            Keep::Own { session, own } => self.keep_own(*session, own)?,
            Keep::Names { session, names } => self.keep_names(*session, names)?,
            Keep::ForgetNames(session) => {
                self.run("DELETE FROM person WHERE session = ?", (session.0,))?;
            }
            Keep::Erase { session, room, user, through } => {
                self.erase(*session, *room, *user, *through)?;
            }
            Keep::Settled { session, room, client_id } => self.run(
                "DELETE FROM outbox WHERE session = ? AND room = ? AND counter = ?",
                (session.0, int(room.0), int(client_id.counter)),
            )?,
        }
        Ok(None)
    }

    /// A room's line: its name, and how far it goes and was read.
    fn keep_room(&self, keep: &Keep) -> Done<()> {
        let Keep::Room { session, room, name, read_seq, read_nth, last_seq, last_nth } = keep
        else {
            return Ok(());
        };
        self.run(
            "INSERT INTO room (session, room, name, read_seq, read_nth, last_seq, last_nth)
             VALUES (?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET name = excluded.name, read_seq = excluded.read_seq,
                 read_nth = excluded.read_nth, last_seq = excluded.last_seq,
                 last_nth = excluded.last_nth",
            params![
                session.0,
                int(room.0),
                name.as_str(),
                int(read_seq.0),
                int(read_nth.0),
                int(last_seq.0),
                int(last_nth.0)
            ],
        )
    }

    pub(super) fn run(&self, sql: &str, values: impl rusqlite::Params) -> Done<()> {
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// Keeps the run of events contiguous, whatever is ordered.
    fn keep_events(
        &self,
        session: SessionId,
        room: RoomId,
        events: &[RoomEvent],
        nth: Nth,
    ) -> Done<()> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
        let (first, last) = (first.seq, last.seq);
        let ends = self.ends(session, room)?;
        let is_older = ends.is_some_and(|(oldest, _)| last.next() == oldest);
        if let Some((oldest, newest)) = ends
            && first != newest.next()
        {
            let has_room = newest.0 - oldest.0 < ARCHIVED_EVENTS_MAX;
            if is_older && !has_room || last <= newest && !is_older {
                return Ok(());
            }
            if !is_older {
                // It does not continue what is kept; what is kept would have a hole.
                self.forget_events(session, room, Seq(u64::MAX >> 1))?;
            }
        }
        let mut insert = self.connection.prepare_cached(
            "INSERT OR REPLACE INTO event (session, room, seq, is_known, body)
             VALUES (?, ?, ?, ?, ?)",
        )?;
        for event in events {
            let place = Place::Event { session: session.0, room: room.0, seq: event.seq.0 };
            let body = self.seal.seal(place, &serde_json::to_vec(event)?)?;
            let is_known = event.fact != Fact::Unknown;
            insert.execute(params![session.0, int(room.0), int(event.seq.0), is_known, body])?;
        }
        if !is_older {
            self.run(
                "UPDATE room SET kept_nth = ? WHERE session = ? AND room = ?",
                (int(nth.0), session.0, int(room.0)),
            )?;
            let oldest = ends.map_or(first, |(oldest, _)| oldest);
            // Many at once, so that it is not done with each event.
            if last.0.saturating_sub(oldest.0) > ARCHIVED_EVENTS_MAX + ARCHIVED_EVENTS_MAX / 8 {
                self.forget_events(session, room, Seq(last.0 - ARCHIVED_EVENTS_MAX))?;
            }
        }
        Ok(())
    }

    /// Lets the events before `before` go.
    fn forget_events(&self, session: SessionId, room: RoomId, before: Seq) -> Done<()> {
        self.run(
            "DELETE FROM event WHERE session = ? AND room = ? AND seq < ?",
            (session.0, int(room.0), int(before.0)),
        )
    }

    /// A message, and in the same commit the mark that its counter was used.
    fn keep_pending(&self, keep: &Keep) -> Done<()> {
        let Keep::Pending { session, room, client_id, text, at, failed, held } = keep else {
            return Ok(());
        };
        let counter = client_id.counter;
        let place = Place::Pending { session: session.0, room: room.0, counter };
        let body = self.seal.seal(place, text.as_str().as_bytes())?;
        // One that is tried again goes to the end, like in the window.
        self.run(
            "INSERT INTO outbox (session, room, counter, place, at, failed, held, body)
             VALUES (?, ?, ?, (SELECT coalesce(max(place), 0) + 1 FROM outbox), ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET
                 place = iif(outbox.failed IS NOT NULL AND excluded.failed IS NULL,
                             excluded.place, outbox.place),
                 failed = excluded.failed, held = excluded.held, body = excluded.body",
            params![session.0, int(room.0), int(counter), int(at.0), failed.as_deref(), held, body],
        )?;
        if client_id.device == self.device {
            self.run(
                "INSERT INTO profile VALUES ('counter', ?1)
                 ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
                (int(counter),),
            )?;
        }
        Ok(())
    }
}

/// A later order of the same batch makes this one superfluous.
fn is_outdone(keep: &Keep, later: &[Keep]) -> bool {
    match keep {
        Keep::Draft { session, room, .. } => later.iter().any(
            |it| matches!(it, Keep::Draft { session: s, room: r, .. } if s == session && r == room),
        ),
        Keep::Own { session, .. } => {
            later.iter().any(|it| matches!(it, Keep::Own { session: s, .. } if s == session))
        }
        Keep::Selected { .. }
        | Keep::Names { .. }
        | Keep::ForgetNames(_)
        | Keep::Erase { .. }
        | Keep::Room { .. }
        | Keep::ForgetRoom { .. }
        | Keep::Events { .. }
        | Keep::Settled { .. }
        | Keep::Pending { .. }
        | Keep::LoadOlder { .. }
        | Keep::OpenSession(_)
        | Keep::Session(_)
        | Keep::ForgetSession(_)
        | Keep::Pin(_)
        | Keep::ForgetPin(_) => false,
    }
}

/// The profile's device id; drawn when it is asked for first.
fn device_id(connection: &Connection) -> Done<DeviceId> {
    let known: Option<String> = connection
        .query_row("SELECT value FROM profile WHERE name = 'device'", [], |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        return Ok(known.parse()?);
    }
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bytes: [u8; DeviceId::MAX] = random()?;
    let drawn: String =
        bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    connection.execute("INSERT INTO profile VALUES ('device', ?)", [&drawn])?;
    Ok(drawn.parse()?)
}
