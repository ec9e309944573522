//! Writing records: what each means for the tables.

use parlor_shared::event::CodeKind;
use parlor_shared::{Fact as Happening, Nth, RoomEvent, RoomId, Seq, UserId, UserName, frame};
use rusqlite::params;

use super::writer::Batch;
use super::{StoreError, row, words};
use crate::chat::{
    Audited, MailText, PasswordHash, Purpose, Record, StoredBan, StoredMute, StoredSession, Whom,
};

const INSERT_EVENT: &str = "INSERT INTO event
    (room, seq, nth, at, by, name, kind, body, device, counter, crc)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

type Saved = Result<(), StoreError>;

impl Batch<'_> {
    /// Writes one record.
    ///
    /// # Errors
    /// When the disk says no. A constraint error is a bug of the chat, not of the world.
    pub fn save(&mut self, record: &Record) -> Saved {
        self.is_empty = false;
        match record {
            Record::Event { event, nth } => self.save_event(event, *nth),
            Record::User { user, name, at } => self.add_user(*user, name, at.0),
            Record::Seen { user, at } => self.execute(
                "UPDATE user SET seen_at = ?2 WHERE id = ?1",
                params![user.0 as i64, at.0 as i64],
            ),
            Record::Freed { user } => {
                self.forget(*user)?;
                self.execute("UPDATE user SET gone = 1 WHERE id = ?1", params![user.0 as i64])
            }
            Record::Deleted { user, erase, until } => self.delete_user(*user, *erase, until.0),
            Record::OldNamesGone { until } => {
                self.execute("DELETE FROM old_name WHERE until <= ?1", params![until.0 as i64])
            }
            Record::Renamed { user, name, until, released } => {
                self.rename(*user, name, until.0, released.as_ref())
            }
            Record::Role { user, role } => self.execute(
                "UPDATE user SET role = ?2 WHERE id = ?1",
                params![user.0 as i64, words::role_number(*role)],
            ),
            Record::Password { user, hash, credential } => {
                self.save_password(*user, hash, *credential)
            }
            Record::Email { user, email, is_verified } => self.execute(
                "UPDATE account SET email = ?2, is_verified = ?3 WHERE user = ?1",
                params![user.0 as i64, email.as_ref().map(|it| it.as_str()), is_verified],
            ),
            Record::Session(session) => self.save_session(session),
            Record::SessionUsed { session, at, address } => self.execute(
                "UPDATE session SET used_at = ?2, address = ?3 WHERE id = ?1",
                params![session.0 as i64, at.0 as i64, address.to_string()],
            ),
            Record::SessionEnded { session } => {
                self.execute("DELETE FROM session WHERE id = ?1", params![session.0 as i64])
            }
            Record::Room { room, name, by } => self.execute(
                "INSERT INTO room (id, name, made_by) VALUES (?1, ?2, ?3)",
                params![room.0 as i64, name.as_str(), by.0 as i64],
            ),
            Record::RoomRole { room, user, role } => self.execute(
                "UPDATE member SET role = ?3 WHERE room = ?1 AND user = ?2 AND left_seq IS NULL",
                params![room.0 as i64, user.0 as i64, words::room_role_number(*role)],
            ),
            Record::Read { room, user, seq, nth, mine } => self.execute(
                "UPDATE member SET read_seq = ?3, read_nth = ?4, read_mine = ?5
                 WHERE room = ?1 AND user = ?2 AND left_seq IS NULL",
                params![room.0 as i64, user.0 as i64, seq.0 as i64, nth.0 as i64, mine.0 as i64],
            ),
            Record::Code { .. }
            | Record::CodeUsed { .. }
            | Record::CodeUntil { .. }
            | Record::CodesGone { .. }
            | Record::Invite { .. }
            | Record::InviteUsed { .. }
            | Record::InviteGone { .. } => self.save_code(record),
            Record::UserEvent { .. }
            | Record::Ban(_)
            | Record::BanGone { .. }
            | Record::Mute(_)
            | Record::MuteGone { .. }
            | Record::Policy(_)
            | Record::Audit(_)
            | Record::Mail { .. }
            | Record::MailGone { .. } => self.save_of_house(record),
        }
    }

    fn add_user(&self, user: UserId, name: &UserName, at: u64) -> Saved {
        self.execute(
            "INSERT INTO user (id, name, seen_at) VALUES (?1, ?2, ?3)",
            params![user.0 as i64, name.as_str(), at as i64],
        )?;
        self.release_name(name)
    }

    fn save_event(&mut self, event: &RoomEvent, nth: Nth) -> Saved {
        row::insert(&mut self.db.prepare_cached(INSERT_EVENT)?, event, nth)?;
        let (room, seq) = (event.room.0 as i64, event.seq.0 as i64);
        match &event.fact {
            Happening::Opened { .. } | Happening::Joined {} => {
                let is_maker = matches!(event.fact, Happening::Opened { .. });
                let role = if is_maker {
                    parlor_shared::RoomRole::Owner
                } else {
                    parlor_shared::RoomRole::Member
                };
                self.execute(
                    "INSERT INTO member (room, user, joined_seq, role) VALUES (?1, ?2, ?3, ?4)",
                    params![room, event.by.0 as i64, seq, words::room_role_number(role)],
                )
            }
            Happening::Left {} => self.end_membership(event.room, event.by, event.seq),
            Happening::Kicked { user, .. } | Happening::Banned { user, .. } => {
                self.end_membership(event.room, *user, event.seq)
            }
            Happening::Ended { .. } => {
                self.execute("UPDATE room SET has_ended = 1 WHERE id = ?1", params![room])
            }
            Happening::Erased { user, through } => {
                self.put_erasure(*user, room, through.0 as i64, (true, false))
            }
            Happening::Said { .. }
            | Happening::Blank { .. }
            | Happening::Announced { .. }
            | Happening::Renamed { .. }
            | Happening::Muted { .. }
            | Happening::Unmuted { .. }
            | Happening::RoleGiven { .. }
            | Happening::Unknown => Ok(()),
        }
    }

    fn end_membership(&self, room: RoomId, user: UserId, seq: Seq) -> Saved {
        self.execute(
            "UPDATE member SET left_seq = ?3 WHERE room = ?1 AND user = ?2 AND left_seq IS NULL",
            params![room.0 as i64, user.0 as i64, seq.0 as i64],
        )
    }

    /// Forgets what belongs to somebody who is no user any more.
    fn forget(&self, user: UserId) -> Saved {
        for statement in [
            "DELETE FROM session WHERE user = ?1",
            "DELETE FROM account WHERE user = ?1",
            "DELETE FROM code WHERE user = ?1",
            "DELETE FROM mute WHERE user = ?1",
            "DELETE FROM user_event WHERE user = ?1",
            "DELETE FROM mail WHERE user = ?1",
            "DELETE FROM old_name WHERE user = ?1",
        ] {
            self.execute(statement, params![user.0 as i64])?;
        }
        Ok(())
    }

    fn delete_user(&mut self, user: UserId, erase: bool, until: u64) -> Saved {
        let name = self.name_of(user)?;
        self.forget(user)?;
        if let Some(name) = name {
            self.keep_name(&name, user, until)?;
        }
        self.execute(
            "UPDATE user SET gone = 2, role = 0, name = ?2 WHERE id = ?1",
            params![user.0 as i64, UserName::former().as_str()],
        )?;
        let last = "SELECT coalesce(max(position), 0) FROM event";
        let through: i64 = self.db.query_row(last, [], |row| row.get(0))?;
        // Room 0 is every room.
        self.put_erasure(user, 0, through, (erase, true))
    }

    fn rename(
        &self,
        user: UserId,
        name: &UserName,
        until: u64,
        released: Option<&UserName>,
    ) -> Saved {
        let old = self.name_of(user)?;
        released.map_or(Ok(()), |it| self.release_name(it))?;
        self.release_name(name)?;
        if let Some(old) = old.filter(|it| it.skeleton() != name.skeleton()) {
            self.keep_name(&old, user, until)?;
        }
        let values = params![user.0 as i64, name.as_str()];
        self.execute("UPDATE user SET name = ?2 WHERE id = ?1", values)?;
        self.execute(
            "UPDATE account SET skeleton = ?2 WHERE user = ?1",
            params![user.0 as i64, name.skeleton().as_str()],
        )
    }

    fn name_of(&self, user: UserId) -> Result<Option<UserName>, StoreError> {
        let mut query = self.db.prepare_cached("SELECT name FROM user WHERE id = ?1")?;
        let mut rows = query.query([user.0 as i64])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        super::parsed(&row.get::<_, String>(0)?, "a user's name").map(Some)
    }

    fn keep_name(&self, name: &UserName, user: UserId, until: u64) -> Saved {
        self.execute(
            "INSERT OR REPLACE INTO old_name (skeleton, name, user, until) VALUES (?1, ?2, ?3, ?4)",
            params![name.skeleton().as_str(), name.as_str(), user.0 as i64, until as i64],
        )
    }

    /// The name is nobody's old one any more.
    fn release_name(&self, name: &UserName) -> Saved {
        let skeleton = name.skeleton();
        self.execute("DELETE FROM old_name WHERE skeleton = ?1", params![skeleton.as_str()])
    }

    fn save_password(&self, user: UserId, hash: &PasswordHash, credential: u64) -> Saved {
        let skeleton = self.name_of(user)?.map(|it| it.skeleton());
        let skeleton = skeleton.as_ref().map(|it| it.as_str());
        self.execute(
            "INSERT INTO account (user, skeleton, password, credential) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (user) DO UPDATE SET password = ?3, credential = ?4",
            params![user.0 as i64, skeleton, &*hash.0, credential as i64],
        )
    }

    fn save_session(&self, it: &StoredSession) -> Saved {
        self.execute(
            "INSERT INTO session (id, user, token, device, address, made_at, used_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                it.session.0 as i64,
                it.user.0 as i64,
                it.token.0,
                it.device.as_ref().map(|it| it.as_str()),
                it.address.map(|it| it.to_string()),
                it.made_at.0 as i64,
                it.used_at.0 as i64
            ],
        )
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller passes these only")]
    fn save_code(&self, record: &Record) -> Saved {
        match record {
            Record::Code { hash, user, purpose, until } => self.execute(
                "INSERT INTO code (hash, user, purpose, until) VALUES (?1, ?2, ?3, ?4)",
                params![
                    hash.0,
                    user.0 as i64,
                    words::purpose_number(*purpose),
                    until.map(|it| it.0 as i64)
                ],
            ),
            Record::CodeUsed { hash } => {
                self.execute("DELETE FROM code WHERE hash = ?1", params![hash.0])
            }
            Record::CodeUntil { hash, until } => self.execute(
                "UPDATE code SET until = ?2 WHERE hash = ?1",
                params![hash.0, until.0 as i64],
            ),
            Record::CodesGone { user, purpose } => {
                if let Some(kind) = words::mail_kind(*purpose) {
                    self.execute(
                        "DELETE FROM mail WHERE user = ?1 AND kind = ?2",
                        params![user.0 as i64, kind],
                    )?;
                }
                self.execute(
                    "DELETE FROM code WHERE user = ?1 AND purpose = ?2",
                    params![user.0 as i64, words::purpose_number(*purpose)],
                )
            }
            Record::Invite { invite, hash, by, at, until, uses } => self.execute(
                "INSERT INTO invite (id, hash, by, at, until, uses_left)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    invite.0 as i64,
                    hash.0,
                    by.as_str(),
                    at.0 as i64,
                    until.0 as i64,
                    *uses as i64
                ],
            ),
            Record::InviteUsed { invite } => self.execute(
                "UPDATE invite SET uses_left = uses_left - 1 WHERE id = ?1",
                params![invite.0 as i64],
            ),
            Record::InviteGone { invite } => {
                self.execute("DELETE FROM invite WHERE id = ?1", params![invite.0 as i64])
            }
            _ => Ok(()),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller passes these only")]
    fn save_of_house(&self, record: &Record) -> Saved {
        match record {
            Record::UserEvent { user, event } => {
                let body = frame::line(&event.news);
                let body = std::str::from_utf8(&body).unwrap_or_default().trim_end();
                self.execute(
                    "INSERT INTO user_event (user, mine, at, body) VALUES (?1, ?2, ?3, ?4)",
                    params![user.0 as i64, event.mine.0 as i64, event.at.0 as i64, body],
                )?;
                self.execute(
                    "DELETE FROM user_event WHERE user = ?1 AND mine <= (SELECT mine FROM user_event
                       WHERE user = ?1 ORDER BY mine DESC LIMIT 1 OFFSET ?2)",
                    params![user.0 as i64, self.bounds.own_events],
                )
            }
            Record::Ban(ban) => self.save_ban(ban),
            Record::BanGone { ban } => {
                self.execute("DELETE FROM ban WHERE id = ?1", params![ban.0 as i64])
            }
            Record::Mute(StoredMute { user, room, until }) => self.execute(
                "INSERT OR REPLACE INTO mute (user, room, until) VALUES (?1, ?2, ?3)",
                params![
                    user.0 as i64,
                    room.map_or(0, |it| it.0 as i64),
                    until.map(|it| it.0 as i64)
                ],
            ),
            Record::MuteGone { user, room } => self.execute(
                "DELETE FROM mute WHERE user = ?1 AND room = ?2",
                params![user.0 as i64, room.map_or(0, |it| it.0 as i64)],
            ),
            Record::Policy(policy) => self.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('policy', ?1)",
                params![frame::line(policy)],
            ),
            Record::Audit(audited) => self.save_audit(audited),
            Record::Mail { user, to, letter, at } => {
                let (purpose, name, code) = match letter {
                    MailText::Verify { name, code } => (Purpose::Verify, name, code),
                    MailText::Reset { name, code } => (Purpose::Reset(CodeKind::Mail), name, code),
                };
                let kind = words::mail_kind(purpose);
                self.execute(
                    "INSERT INTO mail (user, email, kind, name, code, at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![
                        user.0 as i64,
                        to.as_str(),
                        kind,
                        name.as_str(),
                        code.to_string(),
                        at.0 as i64
                    ],
                )?;
                self.execute(
                    "DELETE FROM mail WHERE id <= (SELECT max(id) FROM mail) - ?1",
                    params![self.bounds.mails],
                )
            }
            Record::MailGone { mail } => {
                self.execute("DELETE FROM mail WHERE id = ?1", params![*mail as i64])
            }
            _ => Ok(()),
        }
    }

    fn save_ban(&self, it: &StoredBan) -> Saved {
        let (user, network) = match &it.whom {
            Whom::User(user) => (Some(user.0 as i64), None),
            Whom::Network(network) => (None, Some(network.to_string())),
        };
        self.execute(
            "INSERT INTO ban (id, user, network, room, until, reason, at, by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                it.ban.0 as i64,
                user,
                network,
                it.room.map(|it| it.0 as i64),
                it.until.map(|it| it.0 as i64),
                it.reason.as_ref().map(|it| it.as_str()),
                it.at.0 as i64,
                it.by.as_str()
            ],
        )
    }

    fn save_audit(&self, it: &Audited) -> Saved {
        self.execute(
            "INSERT INTO audit (at, by, name, act, user, who, room, says)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                it.at.0 as i64,
                it.by.0 as i64,
                it.name.as_str(),
                it.act,
                it.user.map(|it| it.0 as i64),
                it.who.as_ref().map(|it| it.as_str()),
                it.room.map(|it| it.0 as i64),
                it.says
            ],
        )?;
        self.execute(
            "DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?1",
            params![self.bounds.audit_entries],
        )
    }

    fn execute(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Saved {
        self.db.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }
}
