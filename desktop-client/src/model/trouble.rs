//! What went wrong, as values; `words` makes sentences of them.

use parlor_shared::{Refusal, UnixMillis, UserName};

use super::Address;

/// Something that the person should know. Each has a sentence that says what to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// The address is not one.
    BadAddress,
    /// The address asks for no encryption, and is not on this computer.
    PlainElsewhere,
    /// The name is not one; why.
    BadName(Refusal),
    /// The room's name is not one; why.
    BadRoomName(Refusal),
    /// There is no computer of that name.
    NoSuchHost(Address),
    /// Nobody answers at that address.
    NobodyAnswers(Address),
    /// Something else than a Parlor answers there.
    NotParlor(Address),
    /// Somebody answers there, but no private connection comes about.
    NotPrivate(Address),
    /// The server there has another key than last time, and the person has not said that it may.
    KeyChanged(Address),
    /// Somebody answers there, and hung up before the chat began.
    HungUp(Address),
    /// Somebody else has that name, or one that looks the same.
    NameTaken { name: String, suggestion: Option<UserName> },
    /// The server speaks another version of the protocol.
    OtherVersion { speaks: u32 },
    /// The server does not know the token any more: join again with a name.
    TokenUnknown,
    /// The token is in the system's keyring, which did not give it out.
    KeyringLocked,
    /// The connection was lost; the app tries again by itself.
    ConnectionLost,
    /// The server is stopping; the app tries again by itself.
    ServerStopping,
    /// The server's history is another one than last time (a restored backup). What was kept of
    /// it is gone; what was not yet said is held until the person decides.
    OtherHistory,
    /// That needs a connection, and there is none just now.
    NotConnected,
    /// A room could not be made, joined or left; why.
    RoomRefused(Refusal),
    /// One may not come in, until then or ever.
    Banned { until: Option<UnixMillis> },
    /// The server refused something else; why.
    Refused(Refusal),
    /// Too many messages wait in this room.
    OutboxFull,
    /// Nothing can be kept on this computer any more; the system's sentence.
    NotKept(String),
    /// The chat on this computer could not be started, or ended; a sentence.
    Host(String),
}
