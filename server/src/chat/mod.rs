//! Stand-in: only the two words that delivery needs.

use parlor_shared::{RoomId, UserId};

/// One connection, for as long as the process lives.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(pub u64);

/// What can be listened to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Topic {
    Room(RoomId),
    User(UserId),
    Everyone,
}
