//! The store's mails as an outbox: what waits is read from the store, and what became of it is
//! told to the hub, which alone writes.
//!
//! Invariant: how often a mail was tried is not kept over a restart; then all are due at once.

use std::collections::HashMap;

use parlor_shared::event::MailState;
use parlor_shared::{Limits, UnixMillis};

use crate::chat::Act;
use crate::hub::Entrance;
use crate::mail::{Code, Due, Letter, LetterId, Outbox, Words};
use crate::store::{MailRow, Readers};

/// See the module.
pub struct StoredMails {
    readers: Readers,
    entrance: Entrance,
    code_minutes: u32,
    /// Mails looked at in one go: all, so that none waits behind those that are put off.
    look_ahead: usize,
    /// What is known of mails that were tried. Those that are no longer in the store are forgotten.
    tried: HashMap<u64, Tried>,
}

#[derive(Clone, Copy)]
struct Tried {
    tries: u32,
    /// `None`: it is settled, and about to go.
    due: Option<UnixMillis>,
    /// Whoever waits for it knows. Once is enough: nobody need hear of each try.
    is_told: bool,
}

impl Tried {
    /// Due before everything that was put off.
    const NEVER: Self = Self { tries: 0, due: Some(UnixMillis(0)), is_told: false };
}

impl StoredMails {
    #[must_use]
    pub fn new(readers: Readers, entrance: Entrance, limits: &Limits) -> Self {
        let code_minutes = u32::try_from(limits.mail_code_minutes).unwrap_or(u32::MAX);
        let look_ahead = usize::try_from(limits.mails_waiting).unwrap_or(usize::MAX);
        Self { readers, entrance, code_minutes, look_ahead, tried: HashMap::new() }
    }

    fn letter(&self, row: MailRow, tries: u32) -> Letter {
        let (name, minutes) = (row.name, self.code_minutes);
        let code = Code(row.code.to_string());
        let words = if row.is_proof {
            Words::Verify { name, code, minutes }
        } else {
            Words::Reset { name, code, minutes }
        };
        Letter { id: LetterId(row.mail), to: row.to, words, made_at: row.at, tries }
    }

    fn tell_waits(&mut self, id: LetterId) {
        let it = self.tried.entry(id.0).or_insert(Tried::NEVER);
        let is_news = it.due.is_some() && !it.is_told;
        it.is_told = true;
        if is_news {
            self.tell(id, MailState::Waits);
        }
    }

    fn tell(&self, id: LetterId, state: MailState) {
        if self.entrance.tell(Act::Mailed { mail: id.0, state, fact: None }).is_err() {
            log::debug!("mail {id}: the server stops before it is noted");
        }
    }
}

impl Outbox for StoredMails {
    fn next(&mut self, now: UnixMillis) -> Due {
        let rows = match self.readers.with(|it| it.mails(self.look_ahead)) {
            Ok(rows) => rows,
            Err(error) => {
                log::error!("reading the mails: {error}");
                return Due::Never;
            }
        };
        self.tried.retain(|mail, _| rows.binary_search_by_key(mail, |it| it.mail).is_ok());
        let of = |row: &MailRow| self.tried.get(&row.mail).copied().unwrap_or(Tried::NEVER);
        // The oldest of those that are due the longest: rows come by age.
        let first = rows
            .into_iter()
            .filter_map(|row| of(&row).due.map(|due| (due, of(&row).tries, row)))
            .min_by_key(|(due, ..)| *due);
        match first {
            None => Due::Never,
            Some((due, tries, row)) if due <= now => Due::Now(self.letter(row, tries)),
            Some((due, ..)) => Due::At(due),
        }
    }

    fn sent(&mut self, id: LetterId) {
        self.tried.entry(id.0).or_insert(Tried::NEVER).due = None;
        self.tell(id, MailState::Sent);
    }

    fn failed(&mut self, id: LetterId, says: &str, retry_at: Option<UnixMillis>) {
        log::warn!("mail {id}: {}", says.escape_debug());
        let it = self.tried.entry(id.0).or_insert(Tried::NEVER);
        it.tries += 1;
        it.due = retry_at;
        match retry_at {
            None => self.tell(id, MailState::Failed),
            Some(_) => self.tell_waits(id),
        }
    }

    fn all_wait(&mut self) {
        match self.readers.with(|it| it.mails(self.look_ahead)) {
            Ok(rows) => rows.iter().for_each(|it| self.tell_waits(LetterId(it.mail))),
            Err(error) => log::error!("reading the mails: {error}"),
        }
    }
}
