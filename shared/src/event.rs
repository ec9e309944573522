//! What happened: numbered events of rooms and of one's own stream, and notices that have no place
//! in any order.

use serde::{Deserialize, Serialize};

use crate::reply::JoinedRoom;
use crate::{
    ClientId, EmailAddress, Label, Line, Nth, Role, RoomId, RoomName, RoomRole, Seq, SessionId,
    Text, UnixMillis, UserId, UserName,
};

/// Something that a connection hears without having asked.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Event {
    // First: it may have every field of a room's event, and `mine` besides.
    User(UserEvent),
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
    /// `by` said something that was erased since. Only in pages; whoever was here heard `said`, and
    /// `erased` later.
    Blank { nth: Nth, client_id: ClientId },
    /// `by`, who sees to the server, said something to everybody.
    Announced { nth: Nth, client_id: ClientId, text: Text },
    /// `by` has another name from here on: `name`, and it was `was`.
    Renamed { was: UserName },
    /// `by` ended the membership of `user`.
    Kicked {
        user: UserId,
        who: UserName,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Line>,
    },
    /// `by` ended the membership of `user`, who cannot come back until then, or ever.
    Banned {
        user: UserId,
        who: UserName,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<UnixMillis>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Line>,
    },
    /// `user` cannot write here until then, or ever.
    Muted {
        user: UserId,
        who: UserName,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<UnixMillis>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Line>,
    },
    /// `user` can write here again.
    Unmuted { user: UserId, who: UserName },
    /// `user` has another role in the room.
    RoleGiven { user: UserId, who: UserName, role: RoomRole },
    /// All that `user` said in the room up to and including the place `through` is erased: drop
    /// the texts, keep the places.
    Erased { user: UserId, through: Seq },
    /// Nobody can write here or come in any more.
    Ended {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Line>,
    },
    /// Something that this version does not know. It keeps its place: show "needs a newer
    /// Parlor" there.
    #[serde(other)]
    Unknown,
}

/// Something that concerns one user, heard on all of that user's connections.
///
/// `mine` grows with each event of the stream and has holes: of what replaces an earlier event
/// (how far one has read a room) only the latest is kept. Remember the highest; after coming back
/// ask `mine` after it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct UserEvent {
    pub mine: Seq,
    pub at: UnixMillis,
    #[serde(flatten)]
    pub news: UserNews,
}

/// What concerns one user.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum UserNews {
    /// Everything up to there was read, on whatever device.
    Read { room: RoomId, seq: Seq, nth: Nth },
    /// One's role on the server.
    RoleIs { role: Role },
    /// One's role in a room.
    RoomRoleIs { room: RoomId, role: RoomRole },
    /// One is called that now.
    NameIs { name: UserName },
    /// A membership was ended by somebody else; with `until` or `for_good` it is a ban.
    PutOut {
        room: RoomId,
        title: RoomName,
        /// Who did it.
        name: UserName,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<UnixMillis>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        for_good: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Line>,
    },
    /// One cannot write, in a room or, without one, anywhere.
    MutedIn {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<UnixMillis>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Line>,
    },
    /// One can write again.
    UnmutedIn {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomId>,
    },
    /// Somebody signed in as oneself.
    SessionBegan {
        session: SessionId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<Label>,
        address: String,
    },
    /// One's guest name became an account.
    Registered {},
    /// The password was changed by who knew the old one.
    PasswordChanged {},
    /// The password was set with a code; all sessions ended.
    PasswordReset { with: CodeKind },
    /// What became of a mail to that address.
    Mailed { to: EmailAddress, state: MailState },
    /// The mail address was proven to be one's own.
    EmailVerified { email: EmailAddress },
    /// Something that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Which code it was.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeKind {
    /// One of those shown at registration.
    Recovery,
    /// From an admin.
    Admin,
    /// By mail.
    Mail,
}

/// How far a mail got.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    Sent,
    /// The mail server could not be reached; it is tried again.
    Waits,
    /// It was refused, or could not be sent for too long.
    Failed,
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
    /// One is a member of that room now: another device joined it.
    EnteredRoom(JoinedRoom),
    /// One is no longer a member of that room: another device left it. (Who is put out is told
    /// `put_out`.)
    LeftRoom { room: RoomId },
    /// An open room can be joined no more.
    RoomUnlisted { room: RoomId },
    /// Say something (a `ping` for instance), or the connection will be ended.
    Ping {},
    /// The server stops. Come back after this wait, which is another one for everybody.
    GoingAway { wait_millis: u64 },
    /// Something that this version does not know; to be ignored.
    #[serde(other)]
    Unknown,
}
