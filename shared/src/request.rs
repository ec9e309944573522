//! What a client asks. On the wire `{"id":7,"say":{…}}`: the id and exactly one verb.

use std::fmt;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    ClientId, Code, Label, Password, Refusal, RequestId, ResumeToken, RoomId, RoomName, Seq, Text,
    UserId, UserName,
};

mod account;
mod moderation;

pub use account::{
    ChangePassword, DeleteAccount, EndSession, EndSessions, Forgot, Mine, NewRecoveryCodes, Read,
    Recover, Register, Rename, Sessions, SetEmail, VerifyEmail, WhatOfMessages,
};
pub use moderation::{
    Announce, Audit, Ban, Bans, CancelInvite, Claim, EndRoom, EraseMessages, Invites, Kick,
    MakeInvite, MakeResetCode, Mute, SetPolicy, SetRole, SetRoomRole, Unban, Unmute, Users,
};

/// One line from a client.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestFrame {
    /// Echoed in the answer.
    pub id: RequestId,
    pub request: Request,
}

/// `hello`: who comes. With `name` a new guest arrives; with `name` and `password` somebody signs in
/// to an account; with `token` a known one comes back.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// [`crate::PROTOCOL`] of the client.
    pub protocol: u32,
    /// The client program's name and version, for the log.
    pub app: Label,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<UserName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<ResumeToken>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// What the list of sessions calls this device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Label>,
    /// An invitation to this server, where a new guest needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<Code>,
}

/// `create_room`: makes an open room and joins it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CreateRoom {
    pub name: RoomName,
}

/// `join`: becomes a member of an open room, by name.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    pub name: RoomName,
}

/// `leave`: ends the membership.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Leave {
    pub room: RoomId,
}

/// `rooms`: the open rooms, by id, after the one given.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rooms {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<RoomId>,
}

/// `members`: who is in a room and who of them is here, by user id, after the one given.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    pub room: RoomId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<UserId>,
}

/// `say`: a message to a room.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Say {
    pub room: RoomId,
    pub client_id: ClientId,
    pub text: Text,
}

/// `history`: a page of a room's events, always in ascending order.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    pub room: RoomId,
    pub page: PageAt,
    /// How many events at most; the server has a default and a maximum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Which page of a room's history.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PageAt {
    /// The events right after this place: how a reader catches up.
    After(Seq),
    /// The events right before this place: how one scrolls back.
    Before(Seq),
    /// The events on both sides of this place, itself included.
    Around(Seq),
    /// The newest events.
    Latest,
}

/// A verb without anything to say: `{}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

macro_rules! requests {
    ($($(#[$doc:meta])* $verb:literal => $variant:ident($body:ty),)*) => {
        /// What a client asks, parsed.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Request {
            $($(#[$doc])* $variant($body),)*
        }

        impl Request {
            /// Every verb, in the order of the documentation.
            pub const VERBS: &'static [&'static str] = &[$($verb),*];

            /// The verb as it stands on the wire.
            #[must_use]
            pub fn verb(&self) -> &'static str {
                match self { $(Self::$variant(_) => $verb,)* }
            }

            fn read<'de, A: de::MapAccess<'de>>(verb: &str, map: &mut A) -> Result<Self, A::Error> {
                match verb {
                    $($verb => map.next_value().map(Self::$variant),)*
                    _ => Err(de::Error::custom(Refusal::UnknownRequest.code())),
                }
            }
        }

        impl Serialize for RequestFrame {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let mut map = to.serialize_map(Some(2))?;
                map.serialize_entry("id", &self.id)?;
                match &self.request {
                    $(Request::$variant(body) => map.serialize_entry($verb, body)?,)*
                }
                map.end()
            }
        }
    };
}

requests! {
    /// Signs in. The first request on every connection.
    "hello" => Hello(Hello),
    /// Makes an open room and joins it.
    "create_room" => CreateRoom(CreateRoom),
    /// Joins an open room by name.
    "join" => Join(Join),
    /// Ends one's membership.
    "leave" => Leave(Leave),
    /// Lists the open rooms.
    "rooms" => Rooms(Rooms),
    /// Lists a room's members.
    "members" => Members(Members),
    /// Says something in a room.
    "say" => Say(Say),
    /// Reads a page of a room's history.
    "history" => History(History),
    /// Shows that one is still there.
    "ping" => Ping(Nothing),
    /// Signs this connection out; membership and place stay.
    "goodbye" => Goodbye(Nothing),

    /// Sets a new password with a one-time code. A stranger's request.
    "recover" => Recover(Recover),
    /// Asks for a code by mail. A stranger's request.
    "forgot" => Forgot(Forgot),
    /// Makes the guest's name an account.
    "register" => Register(Register),
    /// Shows one's own account.
    "account" => Account(Nothing),
    /// Sets another password; all other sessions end.
    "change_password" => ChangePassword(ChangePassword),
    /// Replaces the recovery codes.
    "new_recovery_codes" => NewRecoveryCodes(NewRecoveryCodes),
    /// Sets or removes the mail address.
    "set_email" => SetEmail(SetEmail),
    /// Proves that the mail address is one's own.
    "verify_email" => VerifyEmail(VerifyEmail),
    /// Takes another name; what was said follows.
    "rename" => Rename(Rename),
    /// Ends one's account, or one's being a guest, for good.
    "delete_account" => DeleteAccount(DeleteAccount),
    /// Ends this session: its token is worth nothing any more.
    "sign_out" => SignOut(Nothing),
    /// Lists sessions.
    "sessions" => Sessions(Sessions),
    /// Ends one session, and its connections at once.
    "end_session" => EndSession(EndSession),
    /// Ends all other sessions of one's own, or all of somebody's.
    "end_sessions" => EndSessions(EndSessions),
    /// Says how far one has read.
    "read" => Read(Read),
    /// Reads one's own stream of events.
    "mine" => Mine(Mine),

    /// Becomes the owner, with the code that the server printed.
    "claim" => Claim(Claim),
    /// Lists users.
    "users" => Users(Users),
    /// Gives somebody a role on the server.
    "set_role" => SetRole(SetRole),
    /// Gives somebody a role in a room.
    "set_room_role" => SetRoomRole(SetRoomRole),
    /// Ends somebody's membership.
    "kick" => Kick(Kick),
    /// Keeps a user or a network out, of the server or of a room.
    "ban" => Ban(Ban),
    /// Ends a ban.
    "unban" => Unban(Unban),
    /// Lists bans.
    "bans" => Bans(Bans),
    /// Lets somebody read and not write.
    "mute" => Mute(Mute),
    /// Ends a mute.
    "unmute" => Unmute(Unmute),
    /// Erases everything that somebody said.
    "erase_messages" => EraseMessages(EraseMessages),
    /// Ends a room: it can be read and not written any more.
    "end_room" => EndRoom(EndRoom),
    /// Says something to everybody, in the lobby.
    "announce" => Announce(Announce),
    /// Reads who did what.
    "audit" => Audit(Audit),
    /// Shows how the server is run.
    "policy" => Policy(Nothing),
    /// Changes how the server is run.
    "set_policy" => SetPolicy(SetPolicy),
    /// Shows what the server keeps, and its backups.
    "storage" => Storage(Nothing),
    /// Makes a backup now.
    "back_up" => BackUp(Nothing),
    /// Makes an invitation to this server.
    "make_invite" => MakeInvite(MakeInvite),
    /// Lists invitations.
    "invites" => Invites(Invites),
    /// Takes an invitation back.
    "cancel_invite" => CancelInvite(CancelInvite),
    /// Makes a one-time code with which somebody sets a new password.
    "make_reset_code" => MakeResetCode(MakeResetCode),
}

impl Request {
    /// The last thing that a client says: `goodbye`, or a message that is `[EXIT]` and nothing
    /// else. Leaves the session as it is.
    #[must_use]
    pub fn is_farewell(&self) -> bool {
        if let Self::Say(say) = self {
            return say.text.as_str().trim() == crate::EXIT;
        }
        matches!(self, Self::Goodbye(_))
    }
}

impl<'de> Deserialize<'de> for RequestFrame {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = RequestFrame;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with an id and one verb")
            }

            fn visit_map<A: de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<RequestFrame, A::Error> {
                let (mut id, mut request) = (None, None);
                while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                    if key == "id" {
                        if id.replace(map.next_value()?).is_some() {
                            return Err(de::Error::custom(Refusal::Malformed.code()));
                        }
                    } else if request.replace(Request::read(&key, &mut map)?).is_some() {
                        return Err(de::Error::custom(Refusal::Malformed.code()));
                    }
                }
                match (id, request) {
                    (Some(id), Some(request)) => Ok(RequestFrame { id, request }),
                    (None, _) | (_, None) => Err(de::Error::custom(Refusal::Malformed.code())),
                }
            }
        }
        from.deserialize_map(Visitor)
    }
}
