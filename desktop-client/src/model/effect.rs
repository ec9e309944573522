//! What the model wants done, as values.

use parlor_shared::reply::PersonName;
use parlor_shared::{
    ClientId, Fingerprint, Nth, RequestFrame, RoomEvent, RoomId, RoomName, Seq, Text, UnixMillis,
    UserId,
};

use super::own_stream::Own;
use super::{Address, LinkId, Moment, Pin, Secret, Session, SessionId, Ticket};

/// One thing to do. They are done in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Open a link; an earlier one is to be dropped. Its news carry `link`. With a `pin`, nothing
    /// may be sent to whoever has another key.
    Connect { link: LinkId, address: Address, pin: Option<Fingerprint> },
    /// Drop the link.
    Disconnect,
    /// Send over the link.
    Send(RequestFrame),
    /// For the archive.
    Keep(Keep),
    /// Serve a chat from this computer.
    StartHost,
    /// Write a new file where the person keeps what they download, for nobody else to read. The
    /// text may be a secret, so it shows in no log.
    WriteFile { name: String, text: Secret },
    /// Close the window and end the app.
    Quit,
}

/// An order to the archive. Orders are carried out in order; those of one batch in one commit.
#[derive(Clone, Debug, PartialEq)]
pub enum Keep {
    /// Remember or change a sign-in.
    Session(Session),
    /// Forget a sign-in and all that belongs to it.
    ForgetSession(SessionId),
    /// Remember by which key a server is known, in place of an earlier one.
    Pin(Pin),
    /// Forget a server's key.
    ForgetPin(Address),
    /// Read all that is kept of a session.
    OpenSession(SessionId),
    /// The room that is open.
    Selected { session: SessionId, room: RoomId },
    /// A room one is in: its name, read position and count.
    Room {
        session: SessionId,
        room: RoomId,
        name: RoomName,
        read_seq: Seq,
        read_nth: Nth,
        last_seq: Seq,
        last_nth: Nth,
    },
    /// One is no longer in this room: forget it, with events, draft and outbox.
    ForgetRoom { session: SessionId, room: RoomId },
    /// Events, ascending and contiguous; they continue what is kept at either end, or begin it.
    /// `nth` is the room's count of messages at the last of them.
    Events { session: SessionId, room: RoomId, events: Vec<RoomEvent>, nth: Nth },
    /// A page of events right before `before`, at most `limit`.
    LoadOlder { ticket: Ticket, session: SessionId, room: RoomId, before: Seq, limit: u32 },
    /// The composer's text; empty for none.
    Draft { session: SessionId, room: RoomId, text: String },
    /// A message that is about to be sent, together with the counter's high-water mark. Answered
    /// with `PendingSaved` after the commit.
    Pending {
        session: SessionId,
        room: RoomId,
        client_id: ClientId,
        text: Text,
        at: UnixMillis,
        failed: Option<String>,
        held: bool,
    },
    /// What one's own stream led to.
    Own { session: SessionId, own: Own },
    /// What these people are called now.
    Names { session: SessionId, names: Vec<PersonName> },
    /// Nothing is known of what people are called now.
    ForgetNames(SessionId),
    /// The texts of all that somebody said in the room, up to and with the place `through`, are
    /// to be gone from the disk.
    Erase { session: SessionId, room: RoomId, user: UserId, through: Seq },
    /// A message that is stored by the server or given up.
    Settled { session: SessionId, room: RoomId, client_id: ClientId },
}

/// One update under way: its moment, and what it wants done so far.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) moment: Moment,
    pub(super) effects: Vec<Effect>,
}

impl Turn {
    pub(super) fn new(moment: Moment) -> Self {
        Self { moment, effects: Vec::new() }
    }

    pub(super) fn keep(&mut self, keep: Keep) {
        self.effects.push(Effect::Keep(keep));
    }
}
