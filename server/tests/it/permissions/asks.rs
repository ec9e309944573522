//! A request of every verb.

use parlor_shared::request::{
    Announce, Audit, Ban, Bans, CancelInvite, ChangePassword, Claim, CreateRoom, DeleteAccount,
    EndRoom, EndSession, EndSessions, EraseMessages, Forgot, History, Invites, Join, Kick, Leave,
    MakeInvite, MakeResetCode, Members, Mine, Mute, NewRecoveryCodes, Nothing, PageAt, Read,
    Recover, Register, Rename, Rooms, Say, Sessions, SetEmail, SetPolicy, SetRole, SetRoomRole,
    Unban, Unmute, Users, VerifyEmail, WhatOfMessages,
};
use parlor_shared::{
    BanId, ClientId, Code, InviteId, Password, Request, Role, RoomId, RoomRole, Seq, SessionId,
    Text, UserId,
};

use super::table::{Place, Whom};
use crate::client::empty_hello;

/// Whom and what requests are about.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) room: RoomId,
    /// Its name.
    pub(super) title: String,
    /// Where a request can do without a room, it is about this one, or none.
    pub(super) narrow: Option<RoomId>,
    pub(super) user: UserId,
    pub(super) session: SessionId,
    pub(super) ban: BanId,
    pub(super) invite: InviteId,
    /// Different in every request.
    pub(super) number: u64,
}

impl About {
    fn client_id(&self) -> ClientId {
        format!("asks-{}", self.number).parse().expect("a client id")
    }
}

/// What a request can name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Names {
    Nothing,
    Room,
    RoomAndUser,
    /// A room or none.
    Narrow,
    /// A room or none, and somebody or (where it is a network) nobody.
    NarrowAndUser,
    User,
    Session,
    Ban,
}

pub(super) fn names(label: &str) -> Names {
    match label {
        "leave" | "members" | "say" | "say farewell" | "history" | "read" | "end_room" => {
            Names::Room
        }
        "kick" | "set_room_role" => Names::RoomAndUser,
        "bans" => Names::Narrow,
        "ban" | "mute" | "unmute" | "erase_messages" => Names::NarrowAndUser,
        "set_role member" | "set_role admin" | "set_role owner" | "make_reset_code"
        | "sessions" | "end_sessions" => Names::User,
        "end_session" => Names::Session,
        "unban" => Names::Ban,
        _ => Names::Nothing,
    }
}

impl Names {
    /// Whether such a request can name that room and that person.
    pub(super) fn can_be(self, place: Place, whom: Whom) -> bool {
        let is_inside =
            matches!(whom, Whom::Member | Whom::Moderator | Whom::RoomOwner | Whom::AdminInside);
        if is_inside && place != Place::There {
            return false;
        }
        let is_nobody = whom == Whom::Nobody;
        match self {
            Self::Nothing => place == Place::None && is_nobody,
            Self::Room => place != Place::None && is_nobody,
            Self::RoomAndUser => place != Place::None && !is_nobody,
            Self::Narrow => is_nobody,
            Self::NarrowAndUser => true,
            Self::User => place == Place::None,
            Self::Session => place == Place::None && !is_nobody,
            // A ban is somewhere, or is nothing.
            Self::Ban => {
                place != Place::Missing && is_nobody
                    || place == Place::None && whom == Whom::Nothing
            }
        }
    }
}

fn code() -> Code {
    Code::from_random([7; Code::BYTES])
}

fn password() -> Password {
    "wrong horse battery staple".parse().expect("a password")
}

fn text() -> Text {
    "some words".parse().expect("a text")
}

/// Every verb, and its kinds where it matters; a verb alone is its own label.
pub(super) fn all(about: &About) -> Vec<(&'static str, Request)> {
    let About { room, narrow, user, session, ban, invite, .. } = *about;
    let (messages, client_id) = (WhatOfMessages::Keep, about.client_id());
    let farewell = Say { room, client_id, text: "[EXIT]".parse().expect("a text") };
    vec![
        ("hello", Request::Hello(empty_hello())),
        (
            "create_room",
            Request::CreateRoom(CreateRoom {
                name: format!("room {}", about.number).parse().expect("a name"),
            }),
        ),
        ("join", Request::Join(Join { name: about.title.parse().expect("a name") })),
        ("leave", Request::Leave(Leave { room })),
        ("rooms", Request::Rooms(Rooms::default())),
        ("members", Request::Members(Members { room, after: None })),
        ("say", Request::Say(Say { room, client_id, text: text() })),
        ("say farewell", Request::Say(farewell)),
        ("history", Request::History(History { room, page: PageAt::Latest, limit: None })),
        ("ping", Request::Ping(Nothing {})),
        ("goodbye", Request::Goodbye(Nothing {})),
        (
            "recover",
            Request::Recover(Recover {
                name: "Nobody".parse().expect("a name"),
                code: code(),
                password: password(),
            }),
        ),
        ("forgot", Request::Forgot(Forgot { email: "a@example.org".parse().expect("one") })),
        ("register", Request::Register(Register { password: password(), email: None })),
        ("account", Request::Account(Nothing {})),
        (
            "change_password",
            Request::ChangePassword(ChangePassword { old: password(), new: password() }),
        ),
        (
            "new_recovery_codes",
            Request::NewRecoveryCodes(NewRecoveryCodes { password: password() }),
        ),
        ("set_email", Request::SetEmail(SetEmail { password: password(), email: None })),
        ("verify_email", Request::VerifyEmail(VerifyEmail { code: code() })),
        (
            "rename",
            Request::Rename(Rename {
                name: format!("Name {}", about.number).parse().expect("a name"),
            }),
        ),
        ("delete_account", Request::DeleteAccount(DeleteAccount { password: None, messages })),
        ("sign_out", Request::SignOut(Nothing {})),
        ("sessions", Request::Sessions(Sessions { user: Some(user) })),
        ("end_session", Request::EndSession(EndSession { session })),
        ("end_sessions", Request::EndSessions(EndSessions { user: Some(user) })),
        ("read", Request::Read(Read { room, seq: Seq(1) })),
        ("mine", Request::Mine(Mine { after: Seq(0) })),
        ("claim", Request::Claim(Claim { code: code() })),
        ("users", Request::Users(Users::default())),
        ("set_role member", Request::SetRole(SetRole { user, role: Role::Member })),
        ("set_role admin", Request::SetRole(SetRole { user, role: Role::Admin })),
        ("set_role owner", Request::SetRole(SetRole { user, role: Role::Owner })),
        ("set_room_role", Request::SetRoomRole(SetRoomRole { room, user, role: RoomRole::Member })),
        ("kick", Request::Kick(Kick { room, user, reason: None })),
        ("ban", Request::Ban(Ban { user: Some(user), room: narrow, ..Ban::default() })),
        ("unban", Request::Unban(Unban { ban })),
        ("bans", Request::Bans(Bans { room: narrow, after: None })),
        ("mute", Request::Mute(Mute { user, room: narrow, millis: None, reason: None })),
        ("unmute", Request::Unmute(Unmute { user, room: narrow })),
        ("erase_messages", Request::EraseMessages(EraseMessages { user, room: narrow })),
        ("end_room", Request::EndRoom(EndRoom { room, reason: None })),
        ("announce", Request::Announce(Announce { client_id, text: text() })),
        ("audit", Request::Audit(Audit::default())),
        ("policy", Request::Policy(Nothing {})),
        ("set_policy", Request::SetPolicy(SetPolicy::default())),
        ("storage", Request::Storage(Nothing {})),
        ("back_up", Request::BackUp(Nothing {})),
        ("make_invite", Request::MakeInvite(MakeInvite::default())),
        ("invites", Request::Invites(Invites {})),
        ("cancel_invite", Request::CancelInvite(CancelInvite { invite })),
        ("make_reset_code", Request::MakeResetCode(MakeResetCode { user })),
    ]
}

/// One of each, about whatever it is.
pub(super) fn one_of_each() -> Vec<(&'static str, Request)> {
    all(&About {
        room: RoomId(2),
        title: "garden".to_owned(),
        narrow: None,
        user: UserId(2),
        session: SessionId(2),
        ban: BanId(1),
        invite: InviteId(1),
        number: 1,
    })
}
