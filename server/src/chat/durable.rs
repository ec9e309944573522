//! The half of the chat that is on disk: users, rooms, members and how far each room got.
//!
//! Invariant: no message text is in here; the store remembers what was said.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use parlor_shared::name::Skeleton;
use parlor_shared::{DeviceId, Epoch, Nth, RoomId, RoomName, Seq, UnixMillis, UserId, UserName};

use super::command::TokenHash;

/// What the store loads at start: everything that [`Durable`] is built from.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub epoch: Epoch,
    pub users: Vec<StoredUser>,
    pub rooms: Vec<StoredRoom>,
    /// Present memberships.
    pub members: Vec<(RoomId, UserId)>,
    /// The highest user id ever given, freed ones included.
    pub last_user: UserId,
    /// The time of the newest event.
    pub last_at: UnixMillis,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StoredUser {
    pub user: UserId,
    pub name: UserName,
    pub token: TokenHash,
    pub seen_at: UnixMillis,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StoredRoom {
    pub room: RoomId,
    pub name: RoomName,
    /// 0 for the lobby, which nobody made.
    pub made_by: UserId,
    pub last_seq: Seq,
    pub last_nth: Nth,
}

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Durable {
    pub(super) epoch: Epoch,
    pub(super) users: BTreeMap<UserId, User>,
    pub(super) rooms: BTreeMap<RoomId, Room>,
    pub(super) user_names: HashMap<Skeleton, UserId>,
    pub(super) room_names: HashMap<Skeleton, RoomId>,
    pub(super) tokens: HashMap<TokenHash, UserId>,
    pub(super) last_user: UserId,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct User {
    pub(super) name: UserName,
    pub(super) token: TokenHash,
    pub(super) seen_at: UnixMillis,
    pub(super) rooms: BTreeSet<RoomId>,
    pub(super) rooms_made: u64,
    pub(super) devices: Devices,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Room {
    pub(super) name: RoomName,
    pub(super) last_seq: Seq,
    pub(super) last_nth: Nth,
    pub(super) members: BTreeSet<UserId>,
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
            room_names: HashMap::new(),
            tokens: HashMap::new(),
            last_user: stored.last_user,
        };
        for it in stored.users {
            durable.add_user(it.user, it.name, it.token, it.seen_at);
        }
        for it in stored.rooms {
            durable.room_names.insert(it.name.skeleton(), it.room);
            if let Some(maker) = durable.users.get_mut(&it.made_by) {
                maker.rooms_made += 1;
            }
            let room = Room {
                name: it.name,
                last_seq: it.last_seq,
                last_nth: it.last_nth,
                members: BTreeSet::new(),
            };
            durable.rooms.insert(it.room, room);
        }
        for (room, user) in stored.members {
            durable.add_member(room, user);
        }
        durable
    }

    pub(super) fn add_user(
        &mut self,
        user: UserId,
        name: UserName,
        token: TokenHash,
        seen_at: UnixMillis,
    ) {
        self.last_user = self.last_user.max(user);
        self.user_names.insert(name.skeleton(), user);
        self.tokens.insert(token, user);
        let it = User {
            name,
            token,
            seen_at,
            rooms: BTreeSet::new(),
            rooms_made: 0,
            devices: Devices::default(),
        };
        self.users.insert(user, it);
    }

    pub(super) fn remove_user(&mut self, user: UserId) {
        if let Some(it) = self.users.remove(&user) {
            self.user_names.remove(&it.name.skeleton());
            self.tokens.remove(&it.token);
            for room in it.rooms {
                self.remove_member(room, user);
            }
        }
    }

    pub(super) fn add_member(&mut self, room: RoomId, user: UserId) {
        if let (Some(room_there), Some(user_there)) =
            (self.rooms.get_mut(&room), self.users.get_mut(&user))
        {
            room_there.members.insert(user);
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

    pub(super) fn is_member(&self, room: RoomId, user: UserId) -> bool {
        self.rooms.get(&room).is_some_and(|it| it.members.contains(&user))
    }
}
