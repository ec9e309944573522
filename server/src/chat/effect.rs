//! What the chat wants done: saved first, then told.

use std::net::IpAddr;
use std::sync::Arc;

use parlor_shared::event::CodeKind;
use parlor_shared::{
    BanId, Code, EmailAddress, Event, InviteId, Label, Line, Network, Nth, Policy, Refusal, Role,
    RoomEvent, RoomId, RoomName, RoomRole, Seq, ServerFrame, SessionId, UnixMillis, UserEvent,
    UserId, UserName,
};

use super::command::{ConnectionId, PasswordHash, TokenHash};

/// Something to be done for a command, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Written in the transaction of the batch. Everything else happens after its commit.
    Save(Record),
    /// One line to one connection: the answer to its request.
    Reply { to: ConnectionId, frame: ServerFrame },
    /// One event to everybody who listens to the topic at this place in the order.
    Publish { topic: Topic, event: Heard },
    /// From here on the connection hears the topic.
    Listen { connection: ConnectionId, topic: Topic },
    /// From here on it does not.
    Unlisten { connection: ConnectionId, topic: Topic },
    /// Tells the connection's own thread how its hello ended.
    Seat { connection: ConnectionId, user: Option<UserId> },
    /// Ends the connection after what was said to it.
    Close { connection: ConnectionId },
    /// Ends it in both directions after saying why: somebody decided that it is over.
    Expel { connection: ConnectionId, why: Refusal },
    /// A backup is wanted now.
    BackUp,
}

/// What can be listened to. Every event goes to exactly one topic.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Topic {
    Room(RoomId),
    User(UserId),
    /// Every signed-in connection.
    Everyone,
}

/// A published event: a numbered one is shared with the record that saves it.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    Room(Arc<RoomEvent>),
    User(Arc<UserEvent>),
    Notice(parlor_shared::Notice),
}

impl Heard {
    /// The event as it stands on the wire.
    #[must_use]
    pub fn to_event(&self) -> Event {
        match self {
            Self::Room(event) => Event::Room((**event).clone()),
            Self::User(event) => Event::User((**event).clone()),
            Self::Notice(notice) => Event::Notice(notice.clone()),
        }
    }
}

/// A saved effect.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A new user.
    User {
        user: UserId,
        name: UserName,
        at: UnixMillis,
    },
    /// When a user was last here.
    Seen {
        user: UserId,
        at: UnixMillis,
    },
    /// A guest that was away too long: its name and its token are free again.
    Freed {
        user: UserId,
    },
    /// A user went for good: no name, no account, no sessions. With `erase` the texts go as well.
    /// The name is kept from others until then.
    Deleted {
        user: UserId,
        erase: bool,
        until: UnixMillis,
    },
    /// Another name. The old one is kept for its last holder until then; one that was kept longest
    /// may be free for that.
    Renamed {
        user: UserId,
        name: UserName,
        until: UnixMillis,
        released: Option<UserName>,
    },
    /// Old names that were kept until then, or less long, are anybody's.
    OldNamesGone {
        until: UnixMillis,
    },
    /// A role on the server.
    Role {
        user: UserId,
        role: Role,
    },
    /// An account's password; the first one makes the account.
    Password {
        user: UserId,
        hash: PasswordHash,
        credential: u64,
    },
    /// An account's mail address, or that it has none.
    Email {
        user: UserId,
        email: Option<EmailAddress>,
        is_verified: bool,
    },
    /// A new session.
    Session(StoredSession),
    /// When and from where a session was last used.
    SessionUsed {
        session: SessionId,
        at: UnixMillis,
        address: IpAddr,
    },
    /// A session that is over.
    SessionEnded {
        session: SessionId,
    },
    /// A new room; its `Opened` event follows.
    Room {
        room: RoomId,
        name: RoomName,
        by: UserId,
    },
    /// A member's role in a room.
    RoomRole {
        room: RoomId,
        user: UserId,
        role: RoomRole,
    },
    /// How far a member has read, and at which place of the own stream that is told.
    Read {
        room: RoomId,
        user: UserId,
        seq: Seq,
        nth: Nth,
        mine: Seq,
    },
    /// A numbered event of a room. `Opened` and `Joined` begin a membership of its author, `Left`
    /// ends it, `Kicked` and `Banned` end that of whom they name. `nth` is the number of the
    /// room's messages up to here.
    Event {
        event: Arc<RoomEvent>,
        nth: Nth,
    },
    /// An event of a user's own stream.
    UserEvent {
        user: UserId,
        event: Arc<UserEvent>,
    },
    /// A code, good for that until then (or for ever).
    Code {
        hash: TokenHash,
        user: UserId,
        purpose: Purpose,
        until: Option<UnixMillis>,
    },
    /// A code that was used.
    CodeUsed {
        hash: TokenHash,
    },
    /// A code has another end now. One that is gone by now stays gone.
    CodeUntil {
        hash: TokenHash,
        until: UnixMillis,
    },
    /// A user's codes of that purpose are worth nothing any more; the mails that would bring them
    /// are not sent.
    CodesGone {
        user: UserId,
        purpose: Purpose,
    },
    /// An invitation.
    Invite {
        invite: InviteId,
        hash: TokenHash,
        by: UserName,
        at: UnixMillis,
        until: UnixMillis,
        uses: u64,
    },
    /// Somebody came in with it.
    InviteUsed {
        invite: InviteId,
    },
    /// Nobody can use it any more.
    InviteGone {
        invite: InviteId,
    },
    Ban(StoredBan),
    BanGone {
        ban: BanId,
    },
    Mute(StoredMute),
    /// In that room, or without one the mute everywhere.
    MuteGone {
        user: UserId,
        room: Option<RoomId>,
    },
    Policy(Policy),
    /// A line of the audit log.
    Audit(Audited),
    /// A mail to be sent.
    Mail {
        user: UserId,
        to: EmailAddress,
        letter: MailText,
        at: UnixMillis,
    },
    /// A mail that is not to be sent any more.
    MailGone {
        mail: u64,
    },
}

/// What a code is for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Purpose {
    Reset(CodeKind),
    Verify,
}

/// What a mail says.
#[derive(Clone, Debug, PartialEq)]
pub enum MailText {
    /// The code proves the address.
    Verify { name: UserName, code: Code },
    /// The code sets a new password.
    Reset { name: UserName, code: Code },
}

/// A session: a token that is good.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredSession {
    pub session: SessionId,
    pub user: UserId,
    pub token: TokenHash,
    pub device: Option<Label>,
    /// From where it was used last; not known of those made before addresses were kept.
    pub address: Option<IpAddr>,
    pub made_at: UnixMillis,
    pub used_at: UnixMillis,
}

/// Somebody who is kept out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredBan {
    pub ban: BanId,
    pub whom: Whom,
    pub room: Option<RoomId>,
    /// `None`: for good.
    pub until: Option<UnixMillis>,
    pub reason: Option<Line>,
    pub at: UnixMillis,
    pub by: UserName,
}

/// Whom a ban keeps out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Whom {
    User(UserId),
    Network(Network),
}

/// Somebody who may not write.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredMute {
    pub user: UserId,
    /// `None`: nowhere.
    pub room: Option<RoomId>,
    /// `None`: for good.
    pub until: Option<UnixMillis>,
}

/// What somebody did who keeps order.
#[derive(Clone, Debug, PartialEq)]
pub struct Audited {
    pub at: UnixMillis,
    pub by: UserId,
    pub name: UserName,
    pub act: &'static str,
    pub user: Option<UserId>,
    pub who: Option<UserName>,
    pub room: Option<RoomId>,
    pub says: String,
}
