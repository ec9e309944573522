//! What the chat asks for while a batch is open, answered in the state that the batch made so far.

use std::sync::Arc;

use parlor_shared::{ClientId, Fact as Happening, InviteId, Nth, RoomId, Seq, UnixMillis, UserId};
use rusqlite::{OptionalExtension as _, params};

use super::writer::Batch;
use super::{StoreError, erase, parsed, row, words};
use crate::chat::{Fact, KnownCode, KnownMail, KnownMessage, Purpose, Question, TokenHash};

impl Batch<'_> {
    /// Looks up what the chat asked for.
    ///
    /// # Errors
    /// When the database cannot be read, or the row is damaged.
    pub fn look_up(&self, question: Question, at: UnixMillis) -> Result<Fact, StoreError> {
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
            Question::Code { hash } => self.known_code(hash, at).map(Fact::Code),
            Question::NthAt { room, seq } => self.nth_at(room, seq).map(Fact::NthAt),
            Question::CodesLeft { user } => {
                let purpose = Purpose::Reset(parlor_shared::event::CodeKind::Recovery);
                let mut query = self
                    .db
                    .prepare_cached("SELECT count(*) FROM code WHERE user = ?1 AND purpose = ?2")?;
                let values = params![user.0 as i64, words::purpose_number(purpose)];
                let left: i64 = query.query_row(values, |row| row.get(0))?;
                Ok(Fact::CodesLeft(left as u64))
            }
            Question::RoomsOf { user } => {
                // Whoever says something is a member at that moment.
                let mut query = self.db.prepare_cached(
                    "SELECT DISTINCT room FROM member WHERE user = ?1 ORDER BY room",
                )?;
                let rooms = query.query_map([user.0 as i64], |row| row.get::<_, i64>(0))?;
                let rooms: Vec<i64> = rooms.collect::<Result<_, _>>()?;
                Ok(Fact::RoomsOf(rooms.into_iter().map(|it| RoomId(it as u64)).collect()))
            }
            Question::Mail { mail } => self.known_mail(mail).map(Fact::Mail),
            Question::Invites { at, one } => {
                let good = "SELECT count(*) FROM invite WHERE until > ?1 AND uses_left > 0";
                let at = at.0 as i64;
                let count: i64 = self.db.prepare_cached(good)?.query_row([at], |row| row.get(0))?;
                let one = one.unwrap_or(InviteId(0)).0 as i64;
                let has_one = self
                    .db
                    .prepare_cached(&format!("{good} AND id = ?2"))?
                    .query_row(params![at, one], |row| row.get::<_, i64>(0))?
                    > 0;
                Ok(Fact::Invites { count: count as u64, has_one })
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
        let event = erase::seen(&erase::pending(self.db)?, position, event);
        let (nth, text, is_announcement) = match &event.fact {
            Happening::Said { nth, text, .. } => (*nth, Some(text.clone()), false),
            Happening::Announced { nth, text, .. } => (*nth, Some(text.clone()), true),
            // What it was is not known any more; nobody can say the other thing with its id.
            Happening::Blank { nth, .. } => (*nth, None, false),
            Happening::Opened { .. }
            | Happening::Joined {}
            | Happening::Left {}
            | Happening::Renamed { .. }
            | Happening::Kicked { .. }
            | Happening::Banned { .. }
            | Happening::Muted { .. }
            | Happening::Unmuted { .. }
            | Happening::RoleGiven { .. }
            | Happening::Erased { .. }
            | Happening::Ended { .. }
            | Happening::Unknown => return Err(StoreError::Damaged { position }),
        };
        let (room, seq, at) = (event.room, event.seq, event.at);
        Ok(Some(Arc::new(KnownMessage { room, seq, nth, at, text, is_announcement })))
    }

    fn known_code(&self, hash: TokenHash, at: UnixMillis) -> Result<Option<KnownCode>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT code.user, purpose, email FROM code LEFT JOIN account USING (user)
             WHERE hash = ?1 AND (until IS NULL OR until > ?2)",
        )?;
        let found = query
            .query_row(params![hash.0, at.0 as i64], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Option<String>>(2)?))
            })
            .optional()?;
        if let Some((user, purpose, email)) = found {
            let user = UserId(user as u64);
            return Ok(match (words::purpose(purpose)?, email) {
                (Purpose::Reset(kind), _) => Some(KnownCode::Reset { user, kind }),
                (Purpose::Verify, Some(email)) => {
                    Some(KnownCode::Verify { user, email: parsed(&email, "a mail address")? })
                }
                (Purpose::Verify, None) => None,
            });
        }
        let mut query = self.db.prepare_cached(
            "SELECT id, uses_left FROM invite WHERE hash = ?1 AND until > ?2 AND uses_left > 0",
        )?;
        let found = query
            .query_row(params![hash.0, at.0 as i64], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
            })
            .optional()?;
        Ok(found.map(|(invite, uses_left)| KnownCode::Invite {
            invite: InviteId(invite as u64),
            uses_left: uses_left as u64,
        }))
    }

    fn nth_at(&self, room: RoomId, seq: Seq) -> Result<Option<Nth>, StoreError> {
        let mut query =
            self.db.prepare_cached("SELECT nth FROM event WHERE room = ?1 AND seq = ?2")?;
        let values = params![room.0 as i64, seq.0 as i64];
        let nth = query.query_row(values, |row| row.get::<_, i64>(0)).optional()?;
        Ok(nth.map(|it| Nth(it as u64)))
    }

    fn known_mail(&self, mail: u64) -> Result<Option<KnownMail>, StoreError> {
        let mut query =
            self.db.prepare_cached("SELECT user, email, code FROM mail WHERE id = ?1")?;
        let found = query
            .query_row([mail as i64], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
            })
            .optional()?;
        let Some((user, email, code)) = found else { return Ok(None) };
        Ok(Some(KnownMail {
            user: UserId(user as u64),
            to: parsed(&email, "a mail address")?,
            code: TokenHash::of_code(&parsed(&code, "a code")?),
        }))
    }
}
