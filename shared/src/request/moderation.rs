//! What those ask who keep order: owners, admins and moderators.

use serde::{Deserialize, Serialize};

use crate::policy::Entry;
use crate::{BanId, ClientId, Code, InviteId, Line, Network, Role, RoomId, RoomRole, Text, UserId};

/// `claim`: becomes the owner of a server that has none.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    pub code: Code,
}

/// `users`: everybody by id, after the one given; with `find` those whose name contains it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Users {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub find: Option<Line>,
}

/// `set_role`: a role on the server. `member` and `guest` cannot be given: who has a password is
/// the one, who has none the other; asking for either takes a higher role away.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SetRole {
    pub user: UserId,
    pub role: Role,
}

/// `set_room_role`: a member's role in a room.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SetRoomRole {
    pub room: RoomId,
    pub user: UserId,
    pub role: RoomRole,
}

/// `kick`: ends a membership; the kicked one may join again.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Kick {
    pub room: RoomId,
    pub user: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Line>,
}

/// `ban`: exactly one of `user` and `network`; with `room` a user of that room only; for so many
/// milliseconds, or for good.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Ban {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub millis: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Line>,
}

/// `unban`: ends a ban before its time.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Unban {
    pub ban: BanId,
}

/// `bans`: all of them, or with `room` those of that room; by id, after the one given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Bans {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<BanId>,
}

/// `mute`: in a room, or without one everywhere; for so many milliseconds, or for good.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mute {
    pub user: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub millis: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Line>,
}

/// `unmute`: ends the mute of that room, or without one the mute everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Unmute {
    pub user: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
}

/// `erase_messages`: the texts of all that somebody said, in a room, or without one everywhere.
/// Their places stay.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EraseMessages {
    pub user: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
}

/// `end_room`: nobody can write in it or join it any more; its members can read it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EndRoom {
    pub room: RoomId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Line>,
}

/// `announce`: a message to everybody, in the lobby. Its client id is as that of `say`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Announce {
    pub client_id: ClientId,
    pub text: Text,
}

/// `audit`: the newest entries, or those right before the one given; always ascending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
}

/// `set_policy`: what is not named stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SetPolicy {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Entry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_hours: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_keep: Option<u64>,
}

/// `make_invite`: for so many newcomers and so many milliseconds; the server has defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MakeInvite {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub millis: Option<u64>,
}

/// `invites`: those that are still good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Invites {}

/// `cancel_invite`: nobody can use it any more.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CancelInvite {
    pub invite: InviteId,
}

/// `make_reset_code`: to be handed to somebody who forgot the password.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MakeResetCode {
    pub user: UserId,
}
