//! What those see who see to the server: users, sessions, bans, invitations, the audit, storage
//! and policy. Lists as they were when they were asked for; nothing here is kept.

use parlor_shared::reply::{AuditEntry, BanEntry, InviteEntry, SessionEntry, Storage, UserEntry};
use parlor_shared::request::{Audit, Bans, Invites, Nothing, Sessions, Users};
use parlor_shared::{
    BanId, Code, InviteId, Line, Policy, Refusal, Reply, Request, UnixMillis, UserId,
};

use super::asked::Asked;
use super::effect::{Effect, Turn};
use super::limits::{ADMIN_ENTRIES_MAX, AUDIT_ENTRIES_MAX};
use super::{Model, Secret, Trouble};

/// The parts of the admin's page.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Section {
    #[default]
    Users,
    Rooms,
    Sessions,
    Bans,
    Invitations,
    Audit,
    Storage,
    Policy,
}

impl Section {
    /// In the order of the page.
    pub const ALL: [Self; 8] = [
        Self::Users,
        Self::Rooms,
        Self::Sessions,
        Self::Bans,
        Self::Invitations,
        Self::Audit,
        Self::Storage,
        Self::Policy,
    ];
}

/// What the server told. `None`: not asked, or not answered yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Admin {
    pub users: Option<Pages<UserEntry>>,
    /// What their names have to contain.
    pub find: String,
    /// Whose sessions are shown.
    pub sessions_of: Option<(UserId, Option<Vec<SessionEntry>>)>,
    pub bans: Option<Pages<BanEntry>>,
    pub invites: Option<Vec<InviteEntry>>,
    /// The invitation that was just made: its code is shown this once.
    pub invite_made: Option<(InviteId, Code, UnixMillis)>,
    /// The code that was just made for somebody: shown this once.
    pub reset_code: Option<(UserId, Code, UnixMillis)>,
    /// Ascending; `more`: there are older ones.
    pub audit: Option<Pages<AuditEntry>>,
    /// All older pages are being read, to be saved as a file.
    pub is_saving_audit: bool,
    pub storage: Option<Box<Storage>>,
    /// A backup was begun from here and is not among the figures yet.
    pub is_backing_up: bool,
    pub policy: Option<Policy>,
    wanted: Vec<Section>,
    more_wanted: Option<Section>,
}

/// Pages of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Pages<T> {
    pub entries: Vec<T>,
    /// There are more on the server.
    pub more: bool,
}

/// What an admin wants to see.
#[derive(Clone, Debug, PartialEq)]
pub enum AdminWish {
    /// A section was opened, or is to be read anew.
    Look(Section),
    FindUsers(String),
    /// The next page of a list; of the audit, the older one.
    More(Section),
    SessionsOf(UserId),
    /// The code was handed on: show it no more.
    ForgetCodes,
    /// The whole audit, as a file.
    SaveAudit,
}

impl Admin {
    pub(super) fn want(&mut self, section: Section) {
        if !self.wanted.contains(&section) {
            self.wanted.push(section);
        }
    }

    fn merge<T>(old: &mut Option<Pages<T>>, is_next: bool, new: Vec<T>, more: bool) {
        let entries = match old.take().filter(|_| is_next) {
            Some(mut pages) => {
                pages.entries.extend(new);
                pages.entries
            }
            None => new,
        };
        let more = more && entries.len() < ADMIN_ENTRIES_MAX;
        *old = Some(Pages { entries, more });
    }
}

impl Model {
    pub(super) fn want_admin(&mut self, wish: AdminWish) {
        let admin = &mut self.admin;
        match wish {
            AdminWish::Look(Section::Rooms) => self.list_rooms(),
            AdminWish::Look(section) => admin.want(section),
            AdminWish::FindUsers(find) => {
                admin.find = find;
                admin.want(Section::Users);
            }
            AdminWish::More(section) => admin.more_wanted = Some(section),
            AdminWish::SessionsOf(user) => {
                admin.sessions_of = Some((user, None));
                admin.want(Section::Sessions);
            }
            AdminWish::ForgetCodes => (admin.reset_code, admin.invite_made) = (None, None),
            AdminWish::SaveAudit => {
                admin.is_saving_audit = true;
                self.file = None;
                // From the newest on, so that the file has no hole.
                admin.audit = None;
                admin.want(Section::Audit);
            }
        }
    }

    /// Asks for what is to be shown.
    pub(super) fn ask_for_admin(&mut self, turn: &mut Turn) {
        let more = self.admin.more_wanted.take();
        let wanted = std::mem::take(&mut self.admin.wanted);
        for (section, is_next) in
            wanted.into_iter().map(|it| (it, false)).chain(more.map(|it| (it, true)))
        {
            let asked = Asked::Admin { section, is_next };
            if self.asked.any(|it| matches!(it, Asked::Admin { section: of, .. } if *of == section))
            {
                // Once this answer is there, the other one is asked for.
                match is_next {
                    true => self.admin.more_wanted = Some(section),
                    false => self.admin.want(section),
                }
                continue;
            }
            match self.admin_request(section, is_next) {
                Ok(Some(request)) => _ = self.asked.ask(request, asked, turn),
                Ok(None) => {}
                Err(refusal) => self.trouble = Some(Trouble::Refused(refusal)),
            }
        }
    }

    fn admin_request(&self, section: Section, is_next: bool) -> Result<Option<Request>, Refusal> {
        let admin = &self.admin;
        Ok(Some(match section {
            Section::Users => {
                let last = admin.users.as_ref().and_then(|it| it.entries.last());
                let after = last.map(|it| it.user).filter(|_| is_next);
                let find = admin.find.trim();
                let find = if find.is_empty() { None } else { Some(find.parse::<Line>()?) };
                Request::Users(Users { after, find })
            }
            Section::Sessions => match admin.sessions_of {
                Some((user, _)) => Request::Sessions(Sessions { user: Some(user) }),
                None => return Ok(None),
            },
            Section::Bans => {
                let last = admin.bans.as_ref().and_then(|it| it.entries.last());
                let after: Option<BanId> = last.map(|it| it.ban).filter(|_| is_next);
                Request::Bans(Bans { room: None, after })
            }
            Section::Invitations => Request::Invites(Invites {}),
            Section::Audit => {
                let first = admin.audit.as_ref().and_then(|it| it.entries.first());
                Request::Audit(Audit { before: first.map(|it| it.entry).filter(|_| is_next) })
            }
            Section::Storage => Request::Storage(Nothing {}),
            Section::Policy => Request::Policy(Nothing {}),
            Section::Rooms => return Ok(None),
        }))
    }

    /// What was asked for is there. False: it makes no sense.
    #[must_use]
    pub(super) fn admin_answered(
        &mut self,
        (section, is_next): (Section, bool),
        reply: Reply,
        turn: &mut Turn,
    ) -> bool {
        let admin = &mut self.admin;
        match (section, reply) {
            (Section::Users, Reply::Users { users, more }) => {
                Admin::merge(&mut admin.users, is_next, users, more);
            }
            (Section::Sessions, Reply::Sessions { sessions }) => {
                if let Some((_, shown)) = &mut admin.sessions_of {
                    *shown = Some(sessions);
                }
            }
            (Section::Bans, Reply::Bans { bans, more }) => {
                Admin::merge(&mut admin.bans, is_next, bans, more);
            }
            (Section::Invitations, Reply::Invites { invites }) => admin.invites = Some(invites),
            (Section::Audit, Reply::Audit { entries, more }) => {
                self.audit_answered(is_next, entries, more, turn);
            }
            (Section::Storage, Reply::Storage(storage)) => {
                let was = admin.storage.as_ref().and_then(|it| it.last_backup);
                if storage.last_backup != was || !storage.backup_failed.is_empty() {
                    admin.is_backing_up = false;
                }
                admin.storage = Some(storage);
            }
            (Section::Policy, Reply::Policy(policy)) => admin.policy = Some(policy),
            _ => return false,
        }
        true
    }

    fn audit_answered(
        &mut self,
        is_next: bool,
        mut entries: Vec<AuditEntry>,
        more: bool,
        turn: &mut Turn,
    ) {
        let admin = &mut self.admin;
        // A page that says that there is more, and has nothing, would be asked for for ever.
        let is_last = !more || entries.is_empty();
        if is_next && let Some(newer) = admin.audit.take() {
            entries.extend(newer.entries);
        }
        let is_last = is_last || entries.len() >= AUDIT_ENTRIES_MAX;
        admin.audit = Some(Pages { entries, more: !is_last });
        if admin.is_saving_audit {
            if is_last {
                self.save_audit(turn);
            } else {
                admin.more_wanted = Some(Section::Audit);
            }
        }
    }

    /// One line of JSON for each entry.
    fn save_audit(&mut self, turn: &mut Turn) {
        self.admin.is_saving_audit = false;
        let entries = self.admin.audit.iter().flat_map(|it| &it.entries);
        let lines = entries.filter_map(|it| serde_json::to_string(it).ok());
        let mut text = String::new();
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
        let text = Secret::new(&text);
        turn.effects.push(Effect::WriteFile { name: "parlor-audit.jsonl".to_owned(), text });
    }

    pub(super) fn admin_refused(&mut self, section: Section, refusal: Refusal, again: bool) {
        if again {
            self.admin.want(section);
            return;
        }
        self.admin.is_saving_audit = false;
        self.trouble = Some(Trouble::Refused(refusal));
    }

    /// The connection is gone: what was asked for will not come.
    pub(super) fn lose_admin(&mut self) {
        self.admin.wanted.clear();
        self.admin.more_wanted = None;
        self.admin.is_saving_audit = false;
    }
}
