//! What is on the disk, as the chat is built from it, and how each record changes it.
//!
//! [`Stored::keep`] is the meaning of the records: the SQLite store has to load what this says.
//! Texts, codes, mails and the audit log are no part of it, because the chat does not remember
//! them.

use std::collections::BTreeMap;

use parlor_shared::{
    BanId, EmailAddress, Epoch, Fact as Happening, Nth, Policy, Role, RoomEvent, RoomId, RoomName,
    RoomRole, Seq, SessionId, UnixMillis, UserId, UserName,
};

use super::effect::{Record, StoredBan, StoredMute, StoredSession};

/// Everything that the chat is built from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    pub epoch: Epoch,
    pub users: BTreeMap<UserId, StoredUser>,
    pub rooms: BTreeMap<RoomId, StoredRoom>,
    /// Present memberships.
    pub members: BTreeMap<(RoomId, UserId), StoredMember>,
    pub sessions: BTreeMap<SessionId, StoredSession>,
    pub bans: BTreeMap<BanId, StoredBan>,
    pub mutes: BTreeMap<(UserId, Option<RoomId>), StoredMute>,
    /// Names that are kept for their last holders until then.
    pub old_names: Vec<(UserName, UserId, UnixMillis)>,
    pub policy: Policy,
    /// The highest ids ever given, those that are gone included.
    pub last: LastIds,
    /// The time of the newest event.
    pub last_at: UnixMillis,
}

/// Ids are never given twice.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LastIds {
    pub user: UserId,
    pub session: SessionId,
    pub ban: BanId,
    pub invite: parlor_shared::InviteId,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StoredUser {
    pub name: UserName,
    pub role: Role,
    pub seen_at: UnixMillis,
    /// The newest place of the own stream.
    pub mine: Seq,
    pub account: Option<StoredAccount>,
}

/// What the chat has to know of an account. The password is the store's.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAccount {
    /// Counts the passwords.
    pub credential: u64,
    pub email: Option<EmailAddress>,
    pub is_verified: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StoredRoom {
    pub name: RoomName,
    /// 0 for the lobby, which nobody made.
    pub made_by: UserId,
    pub last_seq: Seq,
    pub last_nth: Nth,
    pub has_ended: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StoredMember {
    pub role: RoomRole,
    pub read_seq: Seq,
    pub read_nth: Nth,
}

impl Stored {
    /// Keeps what a record says.
    ///
    /// Records name only what exists; of others nothing is kept.
    pub fn keep(&mut self, record: &Record) {
        match record {
            Record::User { user, name, at } => self.keep_user(*user, name, *at),
            Record::OldNamesGone { until } => {
                self.old_names.retain(|(.., kept)| *kept > *until);
            }
            Record::Freed { user } => self.forget_user(*user),
            Record::Deleted { user, until, .. } => {
                let name = self.users.get(user).map(|it| it.name.clone());
                self.forget_user(*user);
                self.old_names.extend(name.map(|it| (it, *user, *until)));
            }
            Record::Session(_) | Record::SessionUsed { .. } | Record::SessionEnded { .. } => {
                self.keep_session(record);
            }
            Record::Seen { .. }
            | Record::Renamed { .. }
            | Record::Role { .. }
            | Record::Password { .. }
            | Record::Email { .. }
            | Record::UserEvent { .. } => self.keep_of_user(record),
            Record::Room { room, name, by } => {
                let (last_seq, last_nth, has_ended) = (Seq(0), Nth(0), false);
                let new =
                    StoredRoom { name: name.clone(), made_by: *by, last_seq, last_nth, has_ended };
                self.rooms.insert(*room, new);
            }
            Record::RoomRole { room, user, role } => {
                if let Some(it) = self.members.get_mut(&(*room, *user)) {
                    it.role = *role;
                }
            }
            Record::Read { room, user, seq, nth, mine } => {
                if let Some(it) = self.members.get_mut(&(*room, *user)) {
                    (it.read_seq, it.read_nth) = (*seq, *nth);
                }
                if let Some(it) = self.users.get_mut(user) {
                    it.mine = *mine;
                }
            }
            Record::Event { event, nth } => self.keep_event(event, *nth),
            Record::Ban(ban) => {
                self.last.ban = self.last.ban.max(ban.ban);
                self.bans.insert(ban.ban, ban.clone());
            }
            Record::BanGone { ban } => drop(self.bans.remove(ban)),
            Record::Mute(mute) => {
                self.mutes.insert((mute.user, mute.room), mute.clone());
            }
            Record::MuteGone { user, room } => drop(self.mutes.remove(&(*user, *room))),
            Record::Policy(policy) => self.policy = *policy,
            Record::Invite { invite, .. } => self.last.invite = self.last.invite.max(*invite),
            Record::Code { .. }
            | Record::CodeUsed { .. }
            | Record::CodeUntil { .. }
            | Record::CodesGone { .. }
            | Record::InviteUsed { .. }
            | Record::InviteGone { .. }
            | Record::Audit(_)
            | Record::Mail { .. }
            | Record::MailGone { .. } => {}
        }
    }

    fn keep_user(&mut self, user: UserId, name: &UserName, seen_at: UnixMillis) {
        self.release(name);
        self.last.user = self.last.user.max(user);
        let (name, role, mine, account) = (name.clone(), Role::Guest, Seq(0), None);
        self.users.insert(user, StoredUser { name, role, seen_at, mine, account });
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller passes these only")]
    fn keep_of_user(&mut self, record: &Record) {
        let (Record::Seen { user, .. }
        | Record::Renamed { user, .. }
        | Record::Role { user, .. }
        | Record::Password { user, .. }
        | Record::Email { user, .. }
        | Record::UserEvent { user, .. }) = record
        else {
            return;
        };
        let Some(it) = self.users.get_mut(user) else { return };
        match record {
            Record::Seen { at, .. } => it.seen_at = *at,
            Record::Renamed { name, until, released, .. } => {
                let old = std::mem::replace(&mut it.name, name.clone());
                released.iter().for_each(|it| self.release(it));
                self.release(name);
                if old.skeleton() != name.skeleton() {
                    self.old_names.push((old, *user, *until));
                }
            }
            Record::Role { role, .. } => it.role = *role,
            Record::Password { credential, .. } => {
                let new = || StoredAccount { credential: 0, email: None, is_verified: false };
                it.account.get_or_insert_with(new).credential = *credential;
            }
            Record::Email { email, is_verified, .. } => {
                if let Some(account) = &mut it.account {
                    account.email.clone_from(email);
                    account.is_verified = *is_verified;
                }
            }
            Record::UserEvent { event, .. } => it.mine = event.mine,
            _ => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller passes these only")]
    fn keep_session(&mut self, record: &Record) {
        match record {
            Record::Session(session) => {
                self.last.session = self.last.session.max(session.session);
                self.sessions.insert(session.session, session.clone());
            }
            Record::SessionUsed { session, at, address } => {
                if let Some(it) = self.sessions.get_mut(session) {
                    (it.used_at, it.address) = (*at, Some(*address));
                }
            }
            Record::SessionEnded { session } => drop(self.sessions.remove(session)),
            _ => {}
        }
    }

    fn keep_event(&mut self, event: &RoomEvent, nth: Nth) {
        let room = event.room;
        if let Some(it) = self.rooms.get_mut(&room) {
            (it.last_seq, it.last_nth) = (event.seq, nth);
            it.has_ended |= matches!(event.fact, Happening::Ended { .. });
        }
        self.last_at = event.at;
        match &event.fact {
            Happening::Opened { .. } => {
                let maker = StoredMember { role: RoomRole::Owner, ..StoredMember::default() };
                self.members.insert((room, event.by), maker);
            }
            Happening::Joined {} => {
                self.members.insert((room, event.by), StoredMember::default());
            }
            Happening::Left {} => drop(self.members.remove(&(room, event.by))),
            Happening::Kicked { user, .. } | Happening::Banned { user, .. } => {
                self.members.remove(&(room, *user));
            }
            Happening::Said { .. }
            | Happening::Blank { .. }
            | Happening::Announced { .. }
            | Happening::Renamed { .. }
            | Happening::Muted { .. }
            | Happening::Unmuted { .. }
            | Happening::RoleGiven { .. }
            | Happening::Erased { .. }
            | Happening::Ended { .. }
            | Happening::Unknown => {}
        }
    }

    /// The name is nobody's old one any more.
    fn release(&mut self, name: &UserName) {
        self.old_names.retain(|(held, ..)| held.skeleton() != name.skeleton());
    }

    fn forget_user(&mut self, user: UserId) {
        self.users.remove(&user);
        self.sessions.retain(|_, it| it.user != user);
        self.members.retain(|(_, member), _| *member != user);
        self.mutes.retain(|(muted, _), _| *muted != user);
        self.old_names.retain(|(_, holder, _)| *holder != user);
    }
}
