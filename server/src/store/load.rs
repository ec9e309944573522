//! Loading what the chat is built from; none of what was said.

use std::collections::BTreeMap;

use parlor_shared::{
    BanId, Epoch, InviteId, Nth, Policy, RoomId, Seq, SessionId, UnixMillis, UserId, UserName,
};
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{Store, StoreError, parsed, words};
use crate::chat::{
    LastIds, Stored, StoredAccount, StoredBan, StoredMember, StoredMute, StoredRoom, StoredSession,
    StoredUser, TokenHash, Whom,
};

type Loaded<T> = Result<T, StoreError>;

impl Store {
    /// Everything that the chat is built from.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn load(&self) -> Loaded<Stored> {
        let epoch: [u8; 8] =
            self.db.query_row("SELECT value FROM meta WHERE key = 'epoch'", [], |it| it.get(0))?;
        Ok(Stored {
            epoch: Epoch(epoch),
            users: self.load_users()?,
            rooms: self.load_rooms()?,
            members: self.load_members()?,
            sessions: self.load_sessions()?,
            bans: self.load_bans()?,
            mutes: self.load_mutes()?,
            old_names: self.load_old_names()?,
            policy: policy(&self.db)?,
            last: LastIds {
                user: UserId(self.number("SELECT coalesce(max(id), 0) FROM user")?),
                session: SessionId(self.last_of("session")?),
                ban: BanId(self.last_of("ban")?),
                invite: InviteId(self.last_of("invite")?),
            },
            last_at: UnixMillis(self.number(
                "SELECT coalesce((SELECT at FROM event ORDER BY position DESC LIMIT 1), 0)",
            )?),
        })
    }

    fn number(&self, query: &str) -> rusqlite::Result<u64> {
        self.db.query_row(query, [], |row| row.get::<_, i64>(0)).map(|it| it as u64)
    }

    /// The highest id that a table ever had.
    fn last_of(&self, table: &str) -> rusqlite::Result<u64> {
        let query = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?1), 0)";
        self.db.query_row(query, [table], |row| row.get::<_, i64>(0)).map(|it| it as u64)
    }

    /// Every row of `query`, read by `read`.
    fn rows<T>(&self, query: &str, mut read: impl FnMut(&Row<'_>) -> Loaded<T>) -> Loaded<Vec<T>> {
        let mut query = self.db.prepare(query)?;
        let mut rows = query.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(read(row)?);
        }
        Ok(all)
    }

    fn load_users(&self) -> Loaded<BTreeMap<UserId, StoredUser>> {
        let users = self.rows(
            "SELECT id, name, role, seen_at,
               max(coalesce((SELECT max(mine) FROM user_event WHERE user = id), 0),
                   coalesce((SELECT max(read_mine) FROM member WHERE user = id), 0)),
               credential, email, is_verified
             FROM user LEFT JOIN account ON user = id WHERE gone = 0",
            |row| {
                let account = match row.get::<_, Option<i64>>(5)? {
                    None => None,
                    Some(credential) => Some(StoredAccount {
                        credential: credential as u64,
                        email: row
                            .get::<_, Option<String>>(6)?
                            .map(|it| parsed(&it, "a mail address"))
                            .transpose()?,
                        is_verified: row.get::<_, i64>(7)? != 0,
                    }),
                };
                let user = StoredUser {
                    name: parsed(&text(row, 1)?, "a user's name")?,
                    role: words::role(row.get(2)?)?,
                    seen_at: millis(row, 3)?,
                    mine: Seq(number(row, 4)?),
                    account,
                };
                Ok((UserId(number(row, 0)?), user))
            },
        )?;
        Ok(users.into_iter().collect())
    }

    fn load_rooms(&self) -> Loaded<BTreeMap<RoomId, StoredRoom>> {
        let mut last = self
            .db
            .prepare("SELECT seq, nth FROM event WHERE room = ?1 ORDER BY seq DESC LIMIT 1")?;
        let rooms = self.rows("SELECT id, name, made_by, has_ended FROM room", |row| {
            let id: i64 = row.get(0)?;
            let (seq, nth): (i64, i64) = last
                .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?
                .unwrap_or_default();
            let room = StoredRoom {
                name: parsed(&text(row, 1)?, "a room's name")?,
                made_by: UserId(number(row, 2)?),
                last_seq: Seq(seq as u64),
                last_nth: Nth(nth as u64),
                has_ended: row.get::<_, i64>(3)? != 0,
            };
            Ok((RoomId(id as u64), room))
        })?;
        Ok(rooms.into_iter().collect())
    }

    fn load_members(&self) -> Loaded<BTreeMap<(RoomId, UserId), StoredMember>> {
        let members = self.rows(
            "SELECT room, user, role, read_seq, read_nth FROM member WHERE left_seq IS NULL",
            |row| {
                let member = StoredMember {
                    role: words::room_role(row.get(2)?)?,
                    read_seq: Seq(number(row, 3)?),
                    read_nth: Nth(number(row, 4)?),
                };
                Ok(((RoomId(number(row, 0)?), UserId(number(row, 1)?)), member))
            },
        )?;
        Ok(members.into_iter().collect())
    }

    fn load_sessions(&self) -> Loaded<BTreeMap<SessionId, StoredSession>> {
        let sessions = self.rows(
            "SELECT id, user, token, device, address, made_at, used_at FROM session",
            |row| {
                let session = SessionId(number(row, 0)?);
                let device = row.get::<_, Option<String>>(3)?;
                let stored = StoredSession {
                    session,
                    user: UserId(number(row, 1)?),
                    token: TokenHash(row.get(2)?),
                    device: device.map(|it| parsed(&it, "a device's name")).transpose()?,
                    address: row.get::<_, Option<String>>(4)?.and_then(|it| it.parse().ok()),
                    made_at: millis(row, 5)?,
                    used_at: millis(row, 6)?,
                };
                Ok((session, stored))
            },
        )?;
        Ok(sessions.into_iter().collect())
    }

    fn load_bans(&self) -> Loaded<BTreeMap<BanId, StoredBan>> {
        let bans =
            self.rows("SELECT id, user, network, room, until, reason, at, by FROM ban", |row| {
                let ban = BanId(number(row, 0)?);
                let whom = match (row.get::<_, Option<i64>>(1)?, row.get::<_, Option<String>>(2)?) {
                    (Some(user), None) => Whom::User(UserId(user as u64)),
                    (None, Some(network)) => Whom::Network(parsed(&network, "a network")?),
                    _ => return Err(StoreError::Corrupt("a ban of nobody".to_owned())),
                };
                let reason = row.get::<_, Option<String>>(5)?;
                let stored = StoredBan {
                    ban,
                    whom,
                    room: row.get::<_, Option<i64>>(3)?.map(|it| RoomId(it as u64)),
                    until: row.get::<_, Option<i64>>(4)?.map(|it| UnixMillis(it as u64)),
                    reason: reason.map(|it| parsed(&it, "a reason")).transpose()?,
                    at: millis(row, 6)?,
                    by: parsed(&text(row, 7)?, "a user's name")?,
                };
                Ok((ban, stored))
            })?;
        Ok(bans.into_iter().collect())
    }

    fn load_mutes(&self) -> Loaded<BTreeMap<(UserId, Option<RoomId>), StoredMute>> {
        let mutes = self.rows("SELECT user, room, until FROM mute", |row| {
            let user = UserId(number(row, 0)?);
            let room = Some(RoomId(number(row, 1)?)).filter(|it| it.0 > 0);
            let until = row.get::<_, Option<i64>>(2)?.map(|it| UnixMillis(it as u64));
            Ok(((user, room), StoredMute { user, room, until }))
        })?;
        Ok(mutes.into_iter().collect())
    }

    fn load_old_names(&self) -> Loaded<Vec<(UserName, UserId, UnixMillis)>> {
        self.rows("SELECT name, user, until FROM old_name", |row| {
            let name = parsed(&text(row, 0)?, "a user's old name")?;
            Ok((name, UserId(number(row, 1)?), millis(row, 2)?))
        })
    }
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|it| it as u64)
}

fn millis(row: &Row<'_>, column: usize) -> rusqlite::Result<UnixMillis> {
    number(row, column).map(UnixMillis)
}

fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    row.get(column)
}

/// How the server is run, as its admins last said.
pub(super) fn policy(db: &Connection) -> Loaded<Policy> {
    let stored: Option<Vec<u8>> = db
        .query_row("SELECT value FROM meta WHERE key = 'policy'", [], |it| it.get(0))
        .optional()?;
    let read = stored.map(|it| serde_json::from_slice(&it)).transpose();
    let policy = read.map_err(|error| StoreError::Corrupt(format!("the policy: {error}")))?;
    Ok(policy.unwrap_or_default())
}
