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

/// Mails looked at in one go.
const LOOK_AHEAD: usize = 100;

/// See the module.
pub struct StoredMails {
    readers: Readers,
    entrance: Entrance,
    code_minutes: u32,
    /// What is known of mails that were tried. Those that are no longer in the store are forgotten.
    tried: HashMap<u64, Tried>,
}

#[derive(Clone, Copy)]
struct Tried {
    tries: u32,
    /// `None`: it is settled, and about to go.
    due: Option<UnixMillis>,
}

impl StoredMails {
    #[must_use]
    pub fn new(readers: Readers, entrance: Entrance, limits: &Limits) -> Self {
        let code_minutes = u32::try_from(limits.mail_code_minutes).unwrap_or(u32::MAX);
        Self { readers, entrance, code_minutes, tried: HashMap::new() }
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

    fn tell(&self, id: LetterId, state: MailState) {
        if self.entrance.tell(Act::Mailed { mail: id.0, state, fact: None }).is_err() {
            log::debug!("mail {id}: the server stops before it is noted");
        }
    }
}

impl Outbox for StoredMails {
    fn next(&mut self, now: UnixMillis) -> Due {
        let rows = match self.readers.with(|it| it.mails(LOOK_AHEAD)) {
            Ok(rows) => rows,
            Err(error) => {
                log::error!("reading the mails: {error}");
                return Due::Never;
            }
        };
        self.tried.retain(|mail, _| rows.iter().any(|it| it.mail == *mail));
        let mut earliest: Option<UnixMillis> = None;
        for row in rows {
            let known = self.tried.get(&row.mail).copied();
            let Tried { tries, due: Some(due) } =
                known.unwrap_or(Tried { tries: 0, due: Some(UnixMillis(0)) })
            else {
                continue;
            };
            if due <= now {
                return Due::Now(self.letter(row, tries));
            }
            earliest = Some(earliest.map_or(due, |it| it.min(due)));
        }
        earliest.map_or(Due::Never, Due::At)
    }

    fn sent(&mut self, id: LetterId) {
        self.tried.insert(id.0, Tried { tries: 0, due: None });
        self.tell(id, MailState::Sent);
    }

    fn failed(&mut self, id: LetterId, says: &str, retry_at: Option<UnixMillis>) {
        log::warn!("mail {id}: {}", says.escape_debug());
        let it = self.tried.entry(id.0).or_insert(Tried { tries: 0, due: None });
        it.tries += 1;
        it.due = retry_at;
        match (retry_at, it.tries) {
            (None, _) => self.tell(id, MailState::Failed),
            // Once is enough: whoever waits need not hear of each try.
            (Some(_), 1) => self.tell(id, MailState::Waits),
            (Some(_), _) => {}
        }
    }
}
