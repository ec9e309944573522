//! The words both ends speak: parsed values, requests, replies, events, and the frames that
//! carry them. Newline-delimited JSON; `README.md` beside this crate documents it for strangers.
//!
//! Invariant: nothing here opens a socket, reads a clock or knows a user interface.

pub mod calendar;
pub mod code;
pub mod email;
pub mod event;
pub mod fingerprint;
pub mod frame;
pub mod id;
pub mod limits;
pub mod name;
pub mod network;
pub mod password;
pub mod policy;
pub mod reply;
pub mod request;
pub mod role;
mod script;
mod skeleton;
pub mod text;
pub mod time;

pub use code::Code;
pub use email::EmailAddress;
pub use event::{Event, Fact, Notice, RoomEvent, UserEvent, UserNews};
pub use fingerprint::Fingerprint;
pub use frame::{Decoder, Frame};
pub use id::{
    BanId, ClientId, DeviceId, Epoch, InviteId, Nth, RequestId, ResumeToken, RoomId, Seq,
    SessionId, UserId,
};
pub use limits::Limits;
pub use name::{RoomName, UserName};
pub use network::Network;
pub use password::Password;
pub use policy::{Entry, Policy};
pub use reply::{JoinedRoom, MemberEntry, Refusal, Reply, RoomEntry, ServerFrame, Welcome};
pub use request::{PageAt, Request, RequestFrame};
pub use role::{Role, RoomRole};
pub use text::{Label, Line, Text};
pub use time::UnixMillis;

/// The protocol's version. A server speaks exactly one; `hello` says which the client speaks.
pub const PROTOCOL: u32 = 1;

/// The TCP port where a Parlor is found: ROOM on a telephone's keys.
pub const PORT: u16 = 7666;

/// The room that everybody is in from the first moment, and its id in every data folder.
pub const LOBBY: &str = "lobby";
/// See [`LOBBY`].
pub const LOBBY_ID: RoomId = RoomId(1);

/// A message whose whole text is this signs its author's connection out instead of being said.
pub const EXIT: &str = "[EXIT]";
