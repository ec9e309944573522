//! What the chat wants done: saved first, then told.

use std::sync::Arc;

use parlor_shared::{
    Event, Nth, RoomEvent, RoomId, RoomName, ServerFrame, UnixMillis, UserId, UserName,
};

use super::command::{ConnectionId, TokenHash};

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
    Notice(parlor_shared::Notice),
}

impl Heard {
    /// The event as it stands on the wire.
    #[must_use]
    pub fn to_event(&self) -> Event {
        match self {
            Self::Room(event) => Event::Room((**event).clone()),
            Self::Notice(notice) => Event::Notice(notice.clone()),
        }
    }
}

/// A saved effect.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A new user.
    User { user: UserId, name: UserName, token: TokenHash, at: UnixMillis },
    /// When a user was last here.
    Seen { user: UserId, at: UnixMillis },
    /// A guest that was away too long: its name and its token are free again.
    Freed { user: UserId },
    /// A new room; its `Opened` event follows.
    Room { room: RoomId, name: RoomName, by: UserId },
    /// A numbered event. `Opened` and `Joined` begin a membership, `Left` ends one.
    /// `nth` is the number of the room's messages up to here.
    Event { event: Arc<RoomEvent>, nth: Nth },
}
