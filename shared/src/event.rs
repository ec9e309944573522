//! What happened: numbered events of rooms, and notices that have no place in any order.

use serde::{Deserialize, Serialize};

use crate::{ClientId, Nth, RoomId, RoomName, Seq, Text, UnixMillis, UserId, UserName};

/// Something that a connection hears without having asked.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Event {
    Room(RoomEvent),
    Notice(Notice),
}

/// A fact with its place in a room. Every member hears the same ones in the same order.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct RoomEvent {
    pub room: RoomId,
    /// 1, 2, 3 … in each room, without holes.
    pub seq: Seq,
    pub at: UnixMillis,
    pub by: UserId,
    /// The author's name at that moment.
    pub name: UserName,
    #[serde(flatten)]
    pub fact: Fact,
}

/// What happened in a room.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Fact {
    /// The room was made; its maker is its first member.
    Opened { title: RoomName },
    /// `by` became a member.
    Joined {},
    /// `by` is no longer a member.
    Left {},
    /// `by` said something.
    Said { nth: Nth, client_id: ClientId, text: Text },
    /// Something that this version does not know. It keeps its place: show "needs a newer
    /// Parlor" there.
    #[serde(other)]
    Unknown,
}

/// A state of now. It has no place in the order, is not kept, and only the latest counts.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Notice {
    /// A member's last connection ended a while ago, or it signed out. Still a member.
    WentAway { room: RoomId, user: UserId, name: UserName },
    /// A member that was away has a connection again.
    IsBack { room: RoomId, user: UserId, name: UserName },
    /// An open room exists that one could join.
    RoomListed { room: RoomId, name: RoomName },
    /// Say something (a `ping` for instance), or the connection will be ended.
    Ping {},
    /// The server stops. Come back after this wait, which is another one for everybody.
    GoingAway { wait_millis: u64 },
    /// Something that this version does not know; to be ignored.
    #[serde(other)]
    Unknown,
}
