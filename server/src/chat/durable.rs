//! The half of the chat that is on disk: users, accounts, sessions, rooms, members, bans, and how
//! far each room got.
//!
//! Invariant: no message text is in here; the store remembers what was said.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use parlor_shared::name::Skeleton;
use parlor_shared::{
    BanId, DeviceId, Epoch, Nth, Policy, Role, RoomId, RoomName, RoomRole, Seq, SessionId,
    UnixMillis, UserId, UserName,
};

use super::command::TokenHash;
use super::effect::{StoredBan, StoredMute, StoredSession};
use super::stored::{LastIds, Stored, StoredAccount};

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Durable {
    pub(super) epoch: Epoch,
    pub(super) users: BTreeMap<UserId, User>,
    pub(super) rooms: BTreeMap<RoomId, Room>,
    pub(super) user_names: HashMap<Skeleton, UserId>,
    /// Names that are kept for who had them last.
    pub(super) old_names: HashMap<Skeleton, (UserName, UserId, UnixMillis)>,
    pub(super) room_names: HashMap<Skeleton, RoomId>,
    pub(super) sessions: BTreeMap<SessionId, Session>,
    pub(super) tokens: HashMap<TokenHash, SessionId>,
    /// Verified addresses, folded.
    pub(super) emails: HashMap<Box<str>, UserId>,
    pub(super) bans: BTreeMap<BanId, StoredBan>,
    pub(super) mutes: BTreeMap<(UserId, Option<RoomId>), StoredMute>,
    pub(super) policy: Policy,
    pub(super) last: LastIds,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct User {
    pub(super) name: UserName,
    pub(super) role: Role,
    pub(super) seen_at: UnixMillis,
    pub(super) mine: Seq,
    pub(super) account: Option<StoredAccount>,
    pub(super) sessions: BTreeSet<SessionId>,
    pub(super) rooms: BTreeSet<RoomId>,
    pub(super) rooms_made: u64,
    pub(super) devices: Devices,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Session {
    pub(super) user: UserId,
    pub(super) token: TokenHash,
    pub(super) device: Option<parlor_shared::Label>,
    pub(super) address: Option<IpAddr>,
    pub(super) made_at: UnixMillis,
    pub(super) used_at: UnixMillis,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Room {
    pub(super) name: RoomName,
    pub(super) last_seq: Seq,
    pub(super) last_nth: Nth,
    pub(super) has_ended: bool,
    pub(super) members: BTreeMap<UserId, Member>,
}

/// A member: its role, and how far it has read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Member {
    pub(super) role: RoomRole,
    pub(super) read_seq: Seq,
    pub(super) read_nth: Nth,
}

/// The highest client id of a user's most recent devices. A device that is not in here is
/// looked up in the store, so forgetting one is never wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Devices(Vec<(DeviceId, u64)>);

impl PartialEq for Devices {
    /// What is remembered for speed is no part of what the chat is.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Devices {
    pub(super) fn highest(&self, device: DeviceId) -> Option<u64> {
        self.0.iter().find(|(it, _)| *it == device).map(|(_, highest)| *highest)
    }

    /// Notes that `counter` was used; the device that was silent longest gives way.
    pub(super) fn note(&mut self, device: DeviceId, counter: u64, remembered: u64) {
        if let Some(place) = self.0.iter().position(|(it, _)| *it == device) {
            let (_, highest) = self.0[place];
            self.0[place].1 = highest.max(counter);
            self.0[place..].rotate_left(1);
        } else {
            if self.0.len() as u64 >= remembered && !self.0.is_empty() {
                self.0.remove(0);
            }
            self.0.push((device, counter));
        }
    }
}

impl Durable {
    pub(super) fn new(stored: Stored) -> Self {
        let mut durable = Self {
            epoch: stored.epoch,
            users: BTreeMap::new(),
            rooms: BTreeMap::new(),
            user_names: HashMap::new(),
            old_names: HashMap::new(),
            room_names: HashMap::new(),
            sessions: BTreeMap::new(),
            tokens: HashMap::new(),
            emails: HashMap::new(),
            bans: stored.bans,
            mutes: stored.mutes,
            policy: stored.policy,
            last: stored.last,
        };
        for (user, it) in stored.users {
            durable.add_user(user, it.name, it.seen_at);
            if let Some(email) = it.account.as_ref().filter(|it| it.is_verified) {
                durable.emails.extend(email.email.as_ref().map(|it| (it.folded(), user)));
            }
            if let Some(there) = durable.users.get_mut(&user) {
                (there.role, there.mine, there.account) = (it.role, it.mine, it.account);
            }
        }
        for (name, user, until) in stored.old_names {
            durable.old_names.insert(name.skeleton(), (name, user, until));
        }
        for it in stored.sessions.into_values() {
            durable.add_session(it);
        }
        for (room, it) in stored.rooms {
            durable.room_names.insert(it.name.skeleton(), room);
            if let Some(maker) = durable.users.get_mut(&it.made_by) {
                maker.rooms_made += 1;
            }
            let there = Room {
                name: it.name,
                last_seq: it.last_seq,
                last_nth: it.last_nth,
                has_ended: it.has_ended,
                members: BTreeMap::new(),
            };
            durable.rooms.insert(room, there);
        }
        for ((room, user), it) in stored.members {
            let (role, read_seq, read_nth) = (it.role, it.read_seq, it.read_nth);
            durable.add_member(room, user, Member { role, read_seq, read_nth });
        }
        durable
    }

    pub(super) fn add_user(&mut self, user: UserId, name: UserName, seen_at: UnixMillis) {
        self.last.user = self.last.user.max(user);
        let skeleton = name.skeleton();
        self.old_names.remove(&skeleton);
        // Names that were given before two of them were known to look the same stay with both;
        // whoever types it means the first.
        self.user_names.entry(skeleton).or_insert(user);
        let it = User {
            name,
            role: Role::Guest,
            seen_at,
            mine: Seq(0),
            account: None,
            sessions: BTreeSet::new(),
            rooms: BTreeSet::new(),
            rooms_made: 0,
            devices: Devices::default(),
        };
        self.users.insert(user, it);
    }

    /// Forgets a user with everything that is its own.
    pub(super) fn remove_user(&mut self, user: UserId) {
        let Some(it) = self.users.remove(&user) else { return };
        let skeleton = it.name.skeleton();
        if self.user_names.get(&skeleton) == Some(&user) {
            self.user_names.remove(&skeleton);
        }
        self.old_names.retain(|_, (_, holder, _)| *holder != user);
        for session in it.sessions {
            if let Some(session) = self.sessions.remove(&session) {
                self.tokens.remove(&session.token);
            }
        }
        if let Some(email) = it.account.and_then(|it| it.email)
            && self.emails.get(&email.folded()) == Some(&user)
        {
            self.emails.remove(&email.folded());
        }
        self.mutes.retain(|(muted, _), _| *muted != user);
        for room in it.rooms {
            self.remove_member(room, user);
        }
    }

    pub(super) fn add_session(&mut self, stored: StoredSession) {
        let StoredSession { session, user, token, device, address, made_at, used_at } = stored;
        let Some(holder) = self.users.get_mut(&user) else { return };
        holder.sessions.insert(session);
        self.last.session = self.last.session.max(session);
        self.tokens.insert(token, session);
        let it = Session { user, token, device, address, made_at, used_at };
        self.sessions.insert(session, it);
    }

    pub(super) fn remove_session(&mut self, session: SessionId) {
        if let Some(it) = self.sessions.remove(&session) {
            self.tokens.remove(&it.token);
            if let Some(holder) = self.users.get_mut(&it.user) {
                holder.sessions.remove(&session);
            }
        }
    }

    pub(super) fn add_member(&mut self, room: RoomId, user: UserId, member: Member) {
        if let (Some(room_there), Some(user_there)) =
            (self.rooms.get_mut(&room), self.users.get_mut(&user))
        {
            room_there.members.insert(user, member);
            user_there.rooms.insert(room);
        }
    }

    pub(super) fn remove_member(&mut self, room: RoomId, user: UserId) {
        if let Some(room) = self.rooms.get_mut(&room) {
            room.members.remove(&user);
        }
        if let Some(user) = self.users.get_mut(&user) {
            user.rooms.remove(&room);
        }
    }

    pub(super) fn member(&self, room: RoomId, user: UserId) -> Option<Member> {
        self.rooms.get(&room)?.members.get(&user).copied()
    }

    pub(super) fn is_member(&self, room: RoomId, user: UserId) -> bool {
        self.member(room, user).is_some()
    }

    /// What somebody is called; the shell of this machine is no user and speaks for the house.
    pub(super) fn name_of(&self, user: UserId) -> Option<UserName> {
        if user == super::SHELL {
            return Some(UserName::house());
        }
        self.users.get(&user).map(|it| it.name.clone())
    }
}
