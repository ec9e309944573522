//! The rows of lists that the server answers with.

use serde::{Deserialize, Serialize};

use super::is_zero;
use crate::{
    BanId, InviteId, Label, Line, Network, Nth, Role, RoomId, RoomName, RoomRole, Seq, SessionId,
    UnixMillis, UserId, UserName,
};

/// A room that one is a member of.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct JoinedRoom {
    pub room: RoomId,
    pub name: RoomName,
    /// The place of the room's newest event.
    pub last_seq: Seq,
    /// How many messages the room has.
    pub last_nth: Nth,
    #[serde(default, skip_serializing_if = "RoomRole::is_member")]
    pub role: RoomRole,
    /// Nobody can write here any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

/// A room that one could join.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct RoomEntry {
    pub room: RoomId,
    pub name: RoomName,
    /// How many members it has, here or away.
    pub members: u64,
}

/// A member of a room.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct MemberEntry {
    pub user: UserId,
    pub name: UserName,
    /// Has a live connection, or lost the last one a moment ago.
    pub here: bool,
    #[serde(default, skip_serializing_if = "RoomRole::is_member")]
    pub role: RoomRole,
    /// Cannot write in this room, or anywhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub muted: bool,
}

/// What somebody is called now.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct PersonName {
    pub user: UserId,
    pub name: UserName,
}

/// A user, as admins see one.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct UserEntry {
    pub user: UserId,
    pub name: UserName,
    pub role: Role,
    /// Has a password; an owner or admin may have none.
    pub account: bool,
    pub here: bool,
    pub seen_at: UnixMillis,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub banned: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub muted: bool,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct SessionEntry {
    pub session: SessionId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Label>,
    /// From where it was used last; empty when that is not known.
    pub address: String,
    pub made_at: UnixMillis,
    pub used_at: UnixMillis,
    /// Has a connection now.
    pub here: bool,
    /// Is the one that asks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub this: bool,
}

/// A ban.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct BanEntry {
    pub ban: BanId,
    /// Exactly one of `user` (with `who`) and `network`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<UserName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// Without it, for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixMillis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Line>,
    pub at: UnixMillis,
    /// Who made it.
    pub name: UserName,
}

/// What somebody did who keeps order.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct AuditEntry {
    /// 1, 2, 3 …
    pub entry: u64,
    pub at: UnixMillis,
    /// 0 is the shell of the server's own machine.
    pub by: UserId,
    pub name: UserName,
    /// The request's verb.
    pub act: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// What `user` was called then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<UserName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// The rest: a role, a time, a reason.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub says: String,
}

/// What the server keeps.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Storage {
    pub users: u64,
    pub rooms: u64,
    pub events: u64,
    pub database_bytes: u64,
    pub chatlog_bytes: u64,
    pub backup_bytes: u64,
    pub free_bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_backup: Option<BackupMade>,
    /// Why the latest one failed, where it did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub backup_failed: String,
    /// 0: never.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub next_backup_at: UnixMillis,
}

/// A backup.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct BackupMade {
    pub at: UnixMillis,
    pub bytes: u64,
}

/// An invitation.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct InviteEntry {
    pub invite: InviteId,
    /// Who made it.
    pub name: UserName,
    pub made_at: UnixMillis,
    pub until: UnixMillis,
    pub uses_left: u64,
}
