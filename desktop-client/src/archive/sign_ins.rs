//! The rows of sign-ins and pins, and where each token is: sealed in its row, or in the system's
//! keyring and then not in the row.
//!
//! 1. A token MUST be on disk before it goes into the keyring, and leaves its row only after the
//!    keyring has taken it: at no moment is it nowhere.
//! 2. The keyring MUST be asked only outside transactions, and after answers that somebody waits
//!    for are out.

use parlor_shared::{Fingerprint, ResumeToken, UserId};
use rusqlite::{Row, params};

use super::seal::{BadSeal, Place};
use super::secrets::Shut;
use super::store::{Done, Store, get_u64, int};
use crate::model::{Keep, Pin, Session, SessionId};

/// An order that may leave something to do with the keyring.
pub(super) fn concerns_tokens(keep: &Keep) -> bool {
    matches!(keep, Keep::Session(_) | Keep::ForgetSession(_))
}

impl Store {
    // ---- Sign-ins ----

    /// The latest first.
    pub(super) fn sessions(&self) -> Done<Vec<Session>> {
        self.read_sessions("ORDER BY used DESC")
    }

    pub(super) fn session(&self, id: SessionId) -> Done<Option<Session>> {
        Ok(self.read_sessions(&format!("WHERE id = {}", id.0))?.pop())
    }

    fn read_sessions(&self, which: &str) -> Done<Vec<Session>> {
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT id, address, name, user, token, epoch, signed_in, hosted FROM session {which}"
        ))?;
        let mut rows = query.query([])?;
        let mut sessions = Vec::new();
        while let Some(row) = rows.next()? {
            sessions.push(self.session_of(row)?);
        }
        Ok(sessions)
    }

    fn session_of(&self, row: &Row<'_>) -> Done<Session> {
        let id = SessionId(row.get(0)?);
        let (token, is_locked) = match row.get::<_, Option<Vec<u8>>>(4)? {
            Some(sealed) => (Some(self.open_token(id, &sealed)?), false),
            None => {
                let kept = self.in_keyring.get(&id);
                (kept.copied().flatten(), kept == Some(&None))
            }
        };
        Ok(Session {
            id,
            address: row.get::<_, String>(1)?.parse()?,
            name: row.get::<_, String>(2)?.parse()?,
            user: UserId(get_u64(row, 3)?),
            token,
            is_locked,
            epoch: row.get::<_, String>(5)?.parse()?,
            signed_in: row.get(6)?,
            hosted: row.get(7)?,
        })
    }

    fn open_token(&self, id: SessionId, sealed: &[u8]) -> Done<ResumeToken> {
        let bytes = self.seal.open(Place::Token { session: id.0 }, sealed)?;
        Ok(ResumeToken(bytes.try_into().map_err(|_bytes: Vec<u8>| BadSeal)?))
    }

    pub(super) fn keep_session(&self, it: &Session) -> Done<()> {
        let place = Place::Token { session: it.id.0 };
        let in_keyring =
            it.is_locked || it.token.is_some() && self.in_keyring.get(&it.id) == Some(&it.token);
        let token = it.token.filter(|_| !in_keyring);
        let token = token.map(|token| self.seal.seal(place, &token.0)).transpose()?;
        self.run(
            "INSERT INTO session (id, address, name, user, token, epoch, signed_in, hosted,
                 in_keyring, used)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(used), 0) + 1 FROM session))
             ON CONFLICT DO UPDATE SET address = excluded.address, name = excluded.name,
                 user = excluded.user, token = excluded.token, epoch = excluded.epoch,
                 signed_in = excluded.signed_in, hosted = excluded.hosted,
                 in_keyring = excluded.in_keyring, used = excluded.used",
            params![
                it.id.0,
                it.address.to_string(),
                it.name.as_str(),
                int(it.user.0),
                token,
                it.epoch.to_hex(),
                it.signed_in,
                it.hosted,
                in_keyring
            ],
        )
    }

    // ---- The keyring ----

    /// Names a session's entry; no other profile has the same.
    fn entry(&self, id: SessionId) -> String {
        format!("{}-{}", self.device.as_str(), id.0)
    }

    /// Asks the keyring for all that it keeps. Once, when the archive is opened.
    pub(super) fn fetch_tokens(&mut self) -> Done<()> {
        for id in self.sessions_in_keyring()? {
            let found = match self.is_keyring_shut {
                true => Err(Shut),
                false => self.keyring.get(&self.entry(id)),
            };
            match found.map(|it| it.and_then(|it| it.try_into().ok())) {
                Ok(Some(token)) => _ = self.in_keyring.insert(id, Some(ResumeToken(token))),
                // Somebody took it out of the keyring, so it is gone.
                Ok(None) => self.run("UPDATE session SET in_keyring = 0 WHERE id = ?", (id.0,))?,
                Err(Shut) => {
                    // It would be asked, and perhaps ask the person, again and again.
                    self.is_keyring_shut = true;
                    self.in_keyring.insert(id, None);
                }
            }
        }
        Ok(())
    }

    fn sessions_in_keyring(&self) -> Done<Vec<SessionId>> {
        let mut query =
            self.connection.prepare_cached("SELECT id FROM session WHERE in_keyring")?;
        let rows = query.query_map([], |row| row.get(0).map(SessionId))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    }

    /// Moves the tokens that are on disk into the keyring, and takes out those of forgotten
    /// sign-ins. Where the keyring does not want to, everything stays as it is.
    pub(super) fn settle_tokens(&mut self) -> Done<()> {
        if self.is_keyring_shut {
            return Ok(());
        }
        for (id, token) in self.tokens_on_disk()? {
            if self.keyring.set(&self.entry(id), &token.0).is_err() {
                self.is_keyring_shut = true;
                return Ok(());
            }
            self.in_keyring.insert(id, Some(token));
            let sql = "UPDATE session SET token = NULL, in_keyring = 1 WHERE id = ?";
            self.run(sql, (id.0,))?;
        }
        let needed = self.sessions_in_keyring()?;
        let mut forgotten: Vec<_> = self.in_keyring.keys().copied().collect();
        forgotten.retain(|it| !needed.contains(it));
        for id in forgotten {
            self.in_keyring.remove(&id);
            if self.keyring.delete(&self.entry(id)).is_err() {
                log::debug!("a forgotten sign-in stays in the keyring");
            }
        }
        Ok(())
    }

    fn tokens_on_disk(&self) -> Done<Vec<(SessionId, ResumeToken)>> {
        let mut query = self
            .connection
            .prepare_cached("SELECT id, token FROM session WHERE token IS NOT NULL")?;
        let mut rows = query.query([])?;
        let mut tokens = Vec::new();
        while let Some(row) = rows.next()? {
            let id = SessionId(row.get(0)?);
            tokens.push((id, self.open_token(id, &row.get::<_, Vec<u8>>(1)?)?));
        }
        Ok(tokens)
    }

    // ---- Pins ----

    /// The latest first.
    pub(super) fn pins(&self) -> Done<Vec<Pin>> {
        let mut query =
            self.connection.prepare_cached("SELECT address, key FROM pin ORDER BY made DESC")?;
        let mut rows = query.query([])?;
        let mut pins = Vec::new();
        while let Some(row) = rows.next()? {
            let address = row.get::<_, String>(0)?.parse()?;
            pins.push(Pin { address, key: Fingerprint(row.get(1)?) });
        }
        Ok(pins)
    }

    pub(super) fn keep_pin(&self, pin: &Pin) -> Done<()> {
        self.run(
            "INSERT OR REPLACE INTO pin (address, key, made)
             VALUES (?, ?, (SELECT coalesce(max(made), 0) + 1 FROM pin))",
            (pin.address.to_string(), pin.key.0),
        )
    }
}
