//! Reading what is not said in rooms: accounts, own streams, the audit log, invitations, mails.

use std::collections::BTreeMap;
use std::net::IpAddr;

use parlor_shared::name::Skeleton;
use parlor_shared::reply::{AuditEntry, InviteEntry, PersonName};
use parlor_shared::{
    Code, EmailAddress, InviteId, Nth, Policy, Role, RoomEvent, RoomId, Seq, UnixMillis, UserEvent,
    UserId, UserName, UserNews,
};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Reader, StoreError, parsed, words};

/// What checking a password takes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccountRow {
    pub user: UserId,
    /// Argon2id in the usual notation.
    pub password: String,
    /// The so-manieth password of the account.
    pub credential: u64,
}

/// A mail that waits to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct MailRow {
    pub mail: u64,
    pub to: EmailAddress,
    /// Whether the code proves the address; otherwise it sets a password.
    pub is_proof: bool,
    pub name: UserName,
    pub code: Code,
    pub at: UnixMillis,
}

impl Reader {
    /// The account of that name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn account_of_name(&mut self, name: &Skeleton) -> Result<Option<AccountRow>, StoreError> {
        account(&self.db, "skeleton = ?1", params![name.as_str()])
    }

    /// A user's account.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn account_of(&mut self, user: UserId) -> Result<Option<AccountRow>, StoreError> {
        account(&self.db, "user = ?1", params![user.0 as i64])
    }

    /// The names of accounts and the addresses from which their sessions came in.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn known_sources(&mut self) -> Result<Vec<(UserName, IpAddr)>, StoreError> {
        let mut query = self.db.prepare(
            "SELECT DISTINCT name, address FROM session JOIN account USING (user)
             JOIN user ON user.id = session.user WHERE address IS NOT NULL",
        )?;
        let mut rows = query.query([])?;
        let mut known = Vec::new();
        while let Some(row) = rows.next()? {
            let (name, address): (String, String) = (row.get(0)?, row.get(1)?);
            if let Ok(address) = address.parse() {
                known.push((parsed(&name, "a user's name")?, address));
            }
        }
        Ok(known)
    }

    /// A user's role on the server, and whether it has an account; `None` for who is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn role_of(&mut self, user: UserId) -> Result<Option<(Role, bool)>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT role, EXISTS (SELECT 1 FROM account WHERE user = id) FROM user
             WHERE id = ?1 AND gone = 0",
        )?;
        let found = query
            .query_row([user.0 as i64], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?)))
            .optional()?;
        found.map(|(role, has)| Ok((words::role(role)?, has))).transpose()
    }

    /// The own stream of `user` after that place, at most `limit` events; whether there are more,
    /// and the stream's newest place.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn mine(
        &mut self,
        user: UserId,
        after: Seq,
        limit: usize,
    ) -> Result<(Vec<UserEvent>, bool, Seq), StoreError> {
        let mut events: BTreeMap<Seq, UserEvent> = BTreeMap::new();
        let values = params![user.0 as i64, after.0 as i64, limit as i64 + 1];
        let mut query = self.db.prepare_cached(
            "SELECT mine, at, body FROM user_event WHERE user = ?1 AND mine > ?2
             ORDER BY mine LIMIT ?3",
        )?;
        let mut rows = query.query(values)?;
        while let Some(row) = rows.next()? {
            let mine = Seq(row.get::<_, i64>(0)? as u64);
            let at = UnixMillis(row.get::<_, i64>(1)? as u64);
            let body: String = row.get(2)?;
            let news = serde_json::from_str(&body)
                .map_err(|error| StoreError::Corrupt(format!("an own event: {error}")))?;
            events.insert(mine, UserEvent { mine, at, news });
        }
        let mut query = self.db.prepare_cached(
            "SELECT read_mine, room, read_seq, read_nth FROM member
             WHERE user = ?1 AND left_seq IS NULL AND read_mine > ?2
             ORDER BY read_mine LIMIT ?3",
        )?;
        let mut rows = query.query(values)?;
        while let Some(row) = rows.next()? {
            let mine = Seq(row.get::<_, i64>(0)? as u64);
            let news = UserNews::Read {
                room: RoomId(row.get::<_, i64>(1)? as u64),
                seq: Seq(row.get::<_, i64>(2)? as u64),
                nth: Nth(row.get::<_, i64>(3)? as u64),
            };
            events.insert(mine, UserEvent { mine, at: UnixMillis(0), news });
        }
        let last: i64 = self
            .db
            .prepare_cached(
                "SELECT max(coalesce((SELECT max(mine) FROM user_event WHERE user = ?1), 0),
                            coalesce((SELECT max(read_mine) FROM member WHERE user = ?1), 0))",
            )?
            .query_row([user.0 as i64], |row| row.get(0))?;
        let more = events.len() > limit;
        Ok((events.into_values().take(limit).collect(), more, Seq(last as u64)))
    }

    /// The audit log's newest lines before that one, ascending, at most `limit`; whether there are
    /// older ones.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn audit(
        &mut self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<AuditEntry>, bool), StoreError> {
        let before = before.and_then(|it| i64::try_from(it).ok()).unwrap_or(i64::MAX);
        let mut query = self.db.prepare_cached(
            "SELECT id, at, by, name, act, user, who, room, says FROM audit WHERE id < ?1
             ORDER BY id DESC LIMIT ?2",
        )?;
        let mut rows = query.query(params![before, limit as i64 + 1])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(3)?;
            let who: Option<String> = row.get(6)?;
            entries.push(AuditEntry {
                entry: row.get::<_, i64>(0)? as u64,
                at: UnixMillis(row.get::<_, i64>(1)? as u64),
                by: UserId(row.get::<_, i64>(2)? as u64),
                name: parsed(&name, "a name in the audit log")?,
                act: row.get(4)?,
                user: row.get::<_, Option<i64>>(5)?.map(|it| UserId(it as u64)),
                who: who.map(|it| parsed(&it, "a name in the audit log")).transpose()?,
                room: row.get::<_, Option<i64>>(7)?.map(|it| RoomId(it as u64)),
                says: row.get(8)?,
            });
        }
        let more = entries.len() > limit;
        entries.truncate(limit);
        entries.reverse();
        Ok((entries, more))
    }

    /// How the server is run.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn policy(&mut self) -> Result<Policy, StoreError> {
        super::load::policy(&self.db)
    }

    /// The invitations that are still good.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn invites(&mut self, at: UnixMillis) -> Result<Vec<InviteEntry>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT id, by, at, until, uses_left FROM invite
             WHERE until > ?1 AND uses_left > 0 ORDER BY id",
        )?;
        let mut rows = query.query([at.0 as i64])?;
        let mut invites = Vec::new();
        while let Some(row) = rows.next()? {
            let by: String = row.get(1)?;
            invites.push(InviteEntry {
                invite: InviteId(row.get::<_, i64>(0)? as u64),
                name: parsed(&by, "a user's name")?,
                made_at: UnixMillis(row.get::<_, i64>(2)? as u64),
                until: UnixMillis(row.get::<_, i64>(3)? as u64),
                uses_left: row.get::<_, i64>(4)? as u64,
            });
        }
        Ok(invites)
    }

    /// Mails that wait, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn mails(&mut self, limit: usize) -> Result<Vec<MailRow>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT id, email, kind, name, code, at FROM mail ORDER BY id LIMIT ?1",
        )?;
        let mut rows = query.query([limit as i64])?;
        let mut mails = Vec::new();
        while let Some(row) = rows.next()? {
            let (email, name, code): (String, String, String) =
                (row.get(1)?, row.get(3)?, row.get(4)?);
            mails.push(MailRow {
                mail: row.get::<_, i64>(0)? as u64,
                to: parsed(&email, "a mail address")?,
                is_proof: row.get::<_, i64>(2)? == 1,
                name: parsed(&name, "a user's name")?,
                code: parsed(&code, "a code")?,
                at: UnixMillis(row.get::<_, i64>(5)? as u64),
            });
        }
        Ok(mails)
    }
}

fn account(
    db: &Connection,
    which: &str,
    value: &[&dyn rusqlite::ToSql],
) -> Result<Option<AccountRow>, StoreError> {
    let sql = format!("SELECT user, password, credential FROM account WHERE {which}");
    let found = db.prepare_cached(&sql)?.query_row(value, |row| {
        Ok(AccountRow {
            user: UserId(row.get::<_, i64>(0)? as u64),
            password: row.get(1)?,
            credential: row.get::<_, i64>(2)? as u64,
        })
    });
    Ok(found.optional()?)
}

/// The present names of the authors of `events` who had another one in them.
pub(super) fn present_names(
    db: &Connection,
    events: &[RoomEvent],
) -> Result<Vec<PersonName>, StoreError> {
    let mut query = db.prepare_cached("SELECT name FROM user WHERE id = ?1")?;
    let mut present: BTreeMap<UserId, Option<UserName>> = BTreeMap::new();
    let mut differ: BTreeMap<UserId, UserName> = BTreeMap::new();
    for event in events {
        let name = match present.entry(event.by) {
            std::collections::btree_map::Entry::Occupied(it) => it.into_mut(),
            std::collections::btree_map::Entry::Vacant(it) => {
                let name: Option<String> =
                    query.query_row([event.by.0 as i64], |row| row.get(0)).optional()?;
                it.insert(name.map(|it| parsed(&it, "a user's name")).transpose()?)
            }
        };
        if let Some(name) = name
            && *name != event.name
        {
            differ.insert(event.by, name.clone());
        }
    }
    Ok(differ.into_iter().map(|(user, name)| PersonName { user, name }).collect())
}
