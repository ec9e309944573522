//! What the server answers: `{"id":7,"ok":{…}}` or `{"id":7,"refused":{"code":…},"says":…}`.

use serde::{Deserialize, Serialize};

use crate::{
    BanId, Code, EmailAddress, Epoch, Event, InviteId, Limits, Nth, Policy, RequestId, ResumeToken,
    Role, RoomEvent, RoomId, Seq, SessionId, UnixMillis, UserEvent, UserId, UserName,
};

mod entries;

pub use entries::{
    AuditEntry, BackupMade, BanEntry, InviteEntry, JoinedRoom, MemberEntry, PersonName, RoomEntry,
    SessionEntry, Storage, UserEntry,
};

/// One line from the server.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum ServerFrame {
    /// The answer to the request with this id.
    Ok {
        id: RequestId,
        ok: Reply,
    },
    /// A "no" to the request with this id; without an id, to a line in which none could be found,
    /// or to the connection as a whole, which then ends.
    Refused {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
        refused: Refusal,
        /// The refusal in a sentence, for people and logs.
        #[serde(default)]
        says: String,
    },
    Event(Event),
}

impl ServerFrame {
    /// A refusal with its sentence.
    #[must_use]
    pub fn refused(id: Option<RequestId>, refused: Refusal) -> Self {
        let says = refused.to_string();
        Self::Refused { id, refused, says }
    }
}

/// The answers, one per verb.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// To `hello`.
    Welcome(Box<Welcome>),
    /// To `create_room` and `join`.
    Joined(JoinedRoom),
    /// To `leave`: `seq` is the last place that one still hears, one's own leaving.
    Left { room: RoomId, seq: Seq },
    /// To `rooms`; `more` says that there are rooms after the last one.
    Rooms { rooms: Vec<RoomEntry>, more: bool },
    /// To `members`: as of the event at `as_of`; `more` says that there are members after the
    /// last one.
    Members { room: RoomId, as_of: Seq, members: Vec<MemberEntry>, more: bool },
    /// To `say` and `announce`: the message is on disk, at this place. A resend gets the same
    /// answer; `erased` where the text was erased since.
    Said {
        room: RoomId,
        client_id: crate::ClientId,
        seq: Seq,
        nth: Nth,
        at: UnixMillis,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        erased: bool,
    },
    /// To `history`: ascending; `more` says that there are events further on in the direction
    /// that was asked for (`around`: on either side).
    /// `names` tells what those are called today who had another name in one of the events.
    Page {
        room: RoomId,
        events: Vec<RoomEvent>,
        more: bool,
        last_seq: Seq,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        names: Vec<PersonName>,
    },
    /// To `ping`.
    Pong {},
    /// To `goodbye`, and to a `say` of `[EXIT]`. The connection ends after it.
    Goodbye {},

    /// To `recover`. Say `hello` with the new password.
    Recovered {},
    /// To `forgot`, whether there is such an address or not.
    Mailed {},
    /// To `register`. The codes are shown this once. `mail`: a code for the address is on its way.
    Registered { codes: Vec<Code>, mail: bool },
    /// To `account`.
    Account {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<EmailAddress>,
        verified: bool,
        codes_left: u64,
    },
    /// To `change_password`: so many other sessions were ended.
    PasswordChanged { sessions_ended: u64 },
    /// To `new_recovery_codes`.
    RecoveryCodes { codes: Vec<Code> },
    /// To `set_email`. `mail`: a code for the address is on its way.
    EmailSet { mail: bool },
    /// To `verify_email`.
    EmailVerified { email: EmailAddress },
    /// To `rename`.
    Renamed { name: UserName },
    /// To `delete_account`. The connection ends after it.
    AccountDeleted {},
    /// To `sign_out`. The connection ends after it.
    SignedOut {},
    /// To `sessions`.
    Sessions { sessions: Vec<SessionEntry> },
    /// To `end_session` and `end_sessions`.
    SessionsEnded { count: u64 },
    /// To `read`: how far one has read now, which may be further than asked.
    Read { room: RoomId, seq: Seq, nth: Nth },
    /// To `mine`: ascending; `last` is the newest place of the stream.
    Mine { events: Vec<UserEvent>, more: bool, last: Seq },

    /// To whatever was done and has nothing to add: `claim`, `set_role`, `set_room_role`, `kick`,
    /// `unban`, `mute`, `unmute`, `erase_messages`, `end_room`, `back_up`, `cancel_invite`.
    Done {},
    /// To `users`; `more` says that there are users after the last one.
    Users { users: Vec<UserEntry>, more: bool },
    /// To `ban`.
    Banned { ban: BanId },
    /// To `bans`.
    Bans { bans: Vec<BanEntry>, more: bool },
    /// To `audit`: ascending; `more` says that there are older ones.
    Audit { entries: Vec<AuditEntry>, more: bool },
    /// To `policy` and `set_policy`.
    Policy(Policy),
    /// To `storage`.
    Storage(Box<Storage>),
    /// To `make_invite`. The code is shown this once.
    Invite { invite: InviteId, code: Code, until: UnixMillis },
    /// To `invites`.
    Invites { invites: Vec<InviteEntry> },
    /// To `make_reset_code`. The code is shown this once.
    ResetCode { code: Code, until: UnixMillis },
}

/// Who one is now, and where one stands.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Welcome {
    pub protocol: u32,
    /// Another epoch than last time: the history is another one, cursors mean nothing.
    pub epoch: Epoch,
    pub user: UserId,
    pub name: UserName,
    /// Given once, to a new guest and to who signs in with a password. Keep it: for a guest it is
    /// the only way back to this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<ResumeToken>,
    /// The server's clock.
    pub at: UnixMillis,
    /// What this server can do beyond the protocol's first version.
    pub features: Vec<String>,
    pub limits: ShownLimits,
    /// The rooms that one is a member of, by id. Everything after `last_seq` will be heard live.
    pub rooms: Vec<JoinedRoom>,
    #[serde(default, skip_serializing_if = "Role::is_guest")]
    pub role: Role,
    /// One has a password.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub account: bool,
    /// Which session the token is of.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub session: SessionId,
    /// The newest place of one's own stream; what is after one's cursor is asked with `mine`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub mine: Seq,
}

/// What was not there before it had a value looks on the wire as it did then.
fn is_zero<T: Default + PartialEq>(it: &T) -> bool {
    *it == T::default()
}

/// The limits that a client should know before it runs into them.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct ShownLimits {
    pub text_bytes: u64,
    pub frame_bytes: u64,
    pub page_events: u64,
    pub ping_millis: u64,
    pub silence_millis: u64,
}

impl From<&Limits> for ShownLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            text_bytes: crate::limits::TEXT_BYTES_MAX as u64,
            frame_bytes: limits.frame_bytes,
            page_events: limits.page_events_max,
            ping_millis: limits.ping_millis,
            silence_millis: limits.silence_millis,
        }
    }
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident $({ $($(#[$with:meta])* $field:ident: $kind:ty = $empty:expr),* })? $code:literal $says:literal;)*) => {
        /// Why not. Each has a stable code for programs and a sentence for people.
        #[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize, thiserror::Error)]
        #[serde(tag = "code", rename_all = "snake_case")]
        pub enum Refusal {
            $($(#[$doc])* #[error($says)] $variant $({ $($(#[$with])* $field: $kind),* })?,)*
            /// A code that this program does not know: the other side is newer.
            #[error("The server refused for a reason that this version does not know.")]
            #[serde(other)]
            Unknown,
        }

        impl Refusal {
            /// Every code, in the order of the documentation.
            pub const CODES: &'static [&'static str] = &[$($code),*];

            /// The stable code on the wire.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $code,)*
                    Self::Unknown => "unknown",
                }
            }

            /// The refusal with this code, its details empty.
            #[must_use]
            pub fn of_code(code: &str) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant $({ $($field: $empty),* })?),)*
                    _ => None,
                }
            }
        }
    };
}

refusals! {
    FrameTooLong "frame_too_long" "A line was longer than this server accepts.";
    FrameLate "frame_late" "A line took too long to arrive.";
    NotUtf8 "not_utf8" "The line is not valid UTF-8.";
    Malformed "malformed" "The line is not a request as the protocol describes it.";
    TooDeep "too_deep" "The line nests objects or arrays too deep.";
    TooManyElements "too_many_elements" "An object or array in the line has too many elements.";
    UnknownRequest "unknown_request" "This server does not know that request.";
    UnknownField "unknown_field" "The request has a field that this server does not know.";
    ControlCharacter "control_character" "Control characters are not allowed, except newline and tab in a message.";
    HelloFirst "hello_first" "Say hello first.";
    HelloTwice "hello_twice" "You are signed in already.";
    HelloLate "hello_late" "Nobody said hello in time.";
    OtherVersion { speaks: u32 = 0 } "other_version" "This server speaks another version of the protocol.";
    NameNeeded "name_needed" "A new guest needs a name.";
    NameEmpty "name_empty" "A name needs at least one visible character.";
    NameTooLong "name_too_long" "That name is too long.";
    NameMisleading "name_misleading" "A name must not change the direction of writing.";
    NameReserved "name_reserved" "That name is reserved.";
    NameTaken { suggestion: Option<UserName> = None } "name_taken" "That name, or one that looks the same, is taken.";
    TokenUnknown "token_unknown" "This server does not know you any more. Join again with a name.";
    TooManyGuests { retry_millis: u64 = 0 } "too_many_guests" "Too many new guests came from your address. Try again later.";
    TooManyUsers "too_many_users" "This server has no room for more users.";
    TooManySessions "too_many_sessions" "You are connected too many times already.";
    TooManyConnections "too_many_connections" "There are too many connections. Try again later.";
    NoSuchRoom "no_such_room" "There is no such room, or you are not a member of it.";
    RoomTaken "room_taken" "A room with that name, or one that looks the same, exists already.";
    TooManyRooms "too_many_rooms" "This server has no room for more rooms.";
    TooManyRoomsJoined "too_many_rooms_joined" "You are in too many rooms. Leave one first.";
    TooManyRoomsMade "too_many_rooms_made" "You have made too many rooms.";
    TextEmpty "text_empty" "There is nothing to see in that message.";
    TextTooLong "text_too_long" "That message is too long.";
    BadClientId "bad_client_id" "The client id is not of the form device-counter.";
    Conflict "conflict" "That client id belongs to another message.";
    RateLimited { retry_millis: u64 = 0 } "rate_limited" "Too much at once. Wait a moment.";
    HistoryDamaged "history_damaged" "A part of the stored history is damaged; it is not shown. The admin should restore a backup.";
    StorageFull "storage_full" "The server's disk is full. Nothing was stored.";
    NeedsTls "needs_tls" "Passwords and codes are not taken over an unencrypted connection from another machine.";
    PasswordTooShort "password_too_short" "A password needs at least 8 letters or digits.";
    PasswordTooLong "password_too_long" "That password is too long.";
    PasswordWeak "password_weak" "That password is too easy to guess.";
    WrongPassword "wrong_password" "The name or the password is wrong.";
    Throttled { retry_millis: u64 = 0 } "throttled" "Too many tries. Wait before the next one.";
    Busy "busy" "The server is busy. Try again in a moment.";
    CodeUnknown "code_unknown" "That code is wrong, was used already, or has expired.";
    BadEmail "bad_email" "That is not an e-mail address.";
    EmailTaken "email_taken" "That mail address belongs to another account.";
    NoMail "no_mail" "This server cannot send mail.";
    NotRegistered "not_registered" "Register first.";
    RegisteredAlready "registered_already" "You have registered already.";
    RegisteredOnly "registered_only" "Only those who have an account may come in. Sign in with your password.";
    InviteNeeded "invite_needed" "New people need an invitation to come in.";
    SessionEnded "session_ended" "This session was ended. Sign in again.";
    Banned { #[serde(default, skip_serializing_if = "Option::is_none")] until: Option<UnixMillis> = None } "banned" "You are banned.";
    Muted { #[serde(default, skip_serializing_if = "Option::is_none")] until: Option<UnixMillis> = None } "muted" "You may read here, and not write.";
    RoomEnded "room_ended" "This room has ended. It can be read, and nobody can write in it.";
    NotAllowed "not_allowed" "You may not do that.";
    NotYourself "not_yourself" "That would shut you out yourself.";
    LastOwner "last_owner" "The server needs an owner. Make somebody else one first.";
    NoSuchUser "no_such_user" "There is no such user here.";
    NoSuchSession "no_such_session" "There is no such session.";
    NoSuchBan "no_such_ban" "There is no such ban.";
    NoSuchInvite "no_such_invite" "There is no such invitation.";
    TooManyBans "too_many_bans" "There are too many bans. End some first.";
    TooManyInvites "too_many_invites" "There are too many invitations. Take some back first.";
    NetworkMalformed "network_malformed" "That is no address and no range of addresses.";
    BackupFailed "backup_failed" "The backup could not be started.";
    NameMixed "name_mixed" "A name must be written in one alphabet, with letters that people use.";
    NameInvisible "name_invisible" "A name must not have characters that nobody sees.";
    Silent "silent" "Nothing was heard from you for too long.";
    GoingAway "going_away" "The server is stopping.";
}

impl Refusal {
    /// What a parse error means. The value types put their code into the error's words, which
    /// is the only thing that serde carries through; serde's own errors are told by theirs.
    #[must_use]
    pub fn of_json(error: &serde_json::Error) -> Self {
        let words = error.to_string();
        let first = words.split(' ').next().unwrap_or_default();
        match Self::of_code(first) {
            Some(refusal) => refusal,
            None if words.starts_with("unknown field") => Self::UnknownField,
            None => Self::Malformed,
        }
    }
}
