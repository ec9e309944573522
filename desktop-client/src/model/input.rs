//! Everything that reaches the model: wishes, news from the link, the archive and the host, and
//! the moment at which they come. The model has no clock and no dice of its own.

use parlor_shared::reply::PersonName;
use parlor_shared::{
    ClientId, Code, DeviceId, Epoch, Fingerprint, Nth, ResumeToken, RoomEvent, RoomId, RoomName,
    Seq, ServerFrame, Text, UnixMillis, UserId, UserName,
};

use super::own_stream::Own;
use super::{Address, Intent, LinkId, Pin, SessionId, Ticket};

/// One input with its moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    pub moment: Moment,
    pub news: News,
}

/// When something happens, and luck.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Moment {
    /// Monotonic milliseconds since some fixed point of this process.
    pub millis: u64,
    /// This computer's clock; for showing only.
    pub wall: UnixMillis,
    /// A fresh random number.
    pub random: u64,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    Intent(Intent),
    /// From the link with this id; news of an earlier link are ignored.
    Link(LinkId, LinkNews),
    Archive(ArchiveNews),
    Host(HostNews),
    File(FileNews),
    /// The moment of [`super::Model::next_wake`] has come.
    Tick,
}

/// What a link reports. `Closed` is its last word.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkNews {
    /// The connection stands, and this is the server's key; none over a plain one.
    Connected {
        key: Option<Fingerprint>,
    },
    Frame(ServerFrame),
    Closed(Closed),
}

/// Why a link ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Closed {
    /// The name could not be looked up.
    NoSuchHost,
    /// Nobody answers there: refused, unreachable or timed out.
    NobodyAnswers,
    /// Somebody answers, but does not speak Parlor.
    NotParlor,
    /// Somebody answers, but not in a way that nobody can listen to.
    NotPrivate,
    /// The server has no room for another connection, and said so before it agreed on keys.
    Full,
    /// The server's key is not the pinned one. Nothing was sent.
    KeyChanged { known: Fingerprint, found: Fingerprint },
    /// The connection broke, was ended by the other side, or was silent for too long.
    Lost,
}

/// What the archive reports.
#[derive(Clone, Debug, PartialEq)]
pub enum ArchiveNews {
    /// Answer to [`super::Keep::OpenSession`].
    SessionOpened(Box<KeptSession>),
    /// This pending message is on disk.
    PendingSaved { room: RoomId, client_id: ClientId },
    /// Answer to [`super::Keep::LoadOlder`]: ascending, contiguous, ending right before
    /// `before`; empty when the archive has none.
    Older { ticket: Ticket, room: RoomId, events: Vec<RoomEvent> },
    /// Nothing can be kept any more (a full disk for instance); the sentence of the system.
    Failed { says: String },
}

/// What the profile holds when the app starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// Names this profile; drawn by the archive when the profile was made.
    pub device: DeviceId,
    /// The highest counter of a client id that may have been used.
    pub counter: u64,
    /// The remembered sign-ins, the latest first.
    pub sessions: Vec<Session>,
    /// The keys by which servers are known again, the latest first.
    pub pins: Vec<Pin>,
    /// The session that was signed in when the app ended, with all that is kept of it.
    pub current: Option<Box<KeptSession>>,
}

/// A remembered sign-in: a token, and what it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    pub id: SessionId,
    pub address: Address,
    pub user: UserId,
    pub name: UserName,
    /// The only way back to the name; gone once the server did not know it any more.
    pub token: Option<ResumeToken>,
    /// There is a token, but the system's keyring did not give it out this time.
    pub is_locked: bool,
    pub epoch: Epoch,
    /// The person did not sign out.
    pub signed_in: bool,
    /// The chat is served from this computer, by this app.
    pub hosted: bool,
}

/// All that is kept of one session.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptSession {
    pub session: Session,
    /// The room that was open.
    pub selected: Option<RoomId>,
    pub rooms: Vec<KeptRoom>,
    pub own: Own,
    /// Who is called something else now than in the events.
    pub names: Vec<PersonName>,
}

/// All that is kept of one room, its older events apart.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptRoom {
    pub room: RoomId,
    pub name: RoomName,
    pub read_seq: Seq,
    pub read_nth: Nth,
    /// The newest event that was known to exist, and the count of messages at it.
    pub last_seq: Seq,
    pub last_nth: Nth,
    /// The count of messages at the newest kept event.
    pub kept_nth: Nth,
    /// The oldest event that the archive has; `Seq(0)` when it has none.
    pub first_kept: Seq,
    /// The newest events, ascending and contiguous.
    pub newest: Vec<RoomEvent>,
    pub draft: String,
    /// In the order in which they were said.
    pub outbox: Vec<KeptPending>,
}

/// A message that was not yet stored when it was kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptPending {
    pub client_id: ClientId,
    pub text: Text,
    pub at: UnixMillis,
    /// Why it failed, for one that had: a refusal's code, or `not_kept`.
    pub failed: Option<String>,
    /// Waits for the person's decision after the server's history changed.
    pub held: bool,
}

/// What the host of a chat on this computer reports.
#[derive(Clone, Debug, PartialEq)]
pub enum HostNews {
    /// It serves: `address` is where this app joins, `shown` what others on the LAN type.
    Serving { address: Address, shown: Vec<String> },
    /// This computer serves a Parlor already, which one could join.
    ServesAlready { address: Address },
    /// It has no owner yet: who knows this code becomes it.
    Unclaimed(Code),
    /// It could not start, or ended; a sentence.
    Ended { says: String },
}

/// What became of [`super::Effect::WriteFile`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileNews {
    Written {
        /// Where it is, as a person finds it.
        path: String,
    },
    /// The system's words.
    Failed { says: String },
}
