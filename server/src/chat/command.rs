//! What enters the chat: who asks what, when, and the facts that were looked up for it.

use std::sync::Arc;

use parlor_shared::request::Request;
use parlor_shared::{
    ClientId, Nth, RequestId, ResumeToken, RoomId, Seq, Text, UnixMillis, UserId, UserName,
};

/// One connection of one client, from accept to its end. Never used twice by one process.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(pub u64);

/// Milliseconds of a clock that only goes forward, since some start.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Monotonic(pub u64);

/// SHA-256 of a resume token: all that is ever kept of it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TokenHash(pub [u8; 32]);

/// Something to be decided, with everything from outside that the decision needs.
#[derive(Clone, Debug)]
pub struct Command {
    /// For everything that lasts within this process.
    pub now: Monotonic,
    /// For everything that is shown or must outlive a restart.
    pub at: UnixMillis,
    pub act: Act,
}

impl Command {
    /// Adds the answer to what [`super::Chat::needs`] asked.
    pub fn learn(&mut self, found: Fact) {
        if let Act::Ask { fact, .. } = &mut self.act {
            *fact = Some(found);
        }
    }
}

/// What a command is about.
#[derive(Clone, Debug)]
pub enum Act {
    /// A connection wants to sign in.
    Hello { connection: ConnectionId, id: RequestId, arrival: Arrival },
    /// A signed-in connection asks.
    Ask { connection: ConnectionId, id: RequestId, request: Request, fact: Option<Fact> },
    /// A connection ended, for whatever reason.
    Lost { connection: ConnectionId },
    /// Time passed: [`super::Chat::next_wakeup`] was reached.
    Tick,
    /// The server stops; `random` spreads the clients' return.
    Stop { random: u64 },
}

impl Act {
    /// The connection that it is about.
    #[must_use]
    pub fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::Hello { connection, .. }
            | Self::Ask { connection, .. }
            | Self::Lost { connection } => Some(*connection),
            Self::Tick | Self::Stop { .. } => None,
        }
    }
}

/// Who comes.
#[derive(Clone, Debug)]
pub enum Arrival {
    /// A new guest, with a fresh token made for it.
    Guest { name: UserName, token: ResumeToken, hash: TokenHash },
    /// Somebody with a token from an earlier visit.
    Known { hash: TokenHash },
}

/// What [`super::Chat::needs`] wants to know before a command is applied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Question {
    /// Was this client id of this author used, and what is its device's highest?
    ClientId { author: UserId, client_id: ClientId },
}

/// The answer to a [`Question`], from inside the open transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    ClientId { known: Option<Arc<KnownMessage>>, highest: Option<u64> },
}

/// A message that a client id led to.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownMessage {
    pub room: RoomId,
    pub seq: Seq,
    pub nth: Nth,
    pub at: UnixMillis,
    pub text: Text,
}
