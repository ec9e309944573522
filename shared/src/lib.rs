//! The words both ends speak: parsed values, requests, replies, events, and the frames that
//! carry them. Newline-delimited JSON; `README.md` beside this crate documents it for strangers.
//!
//! Invariant: nothing here opens a socket, reads a clock or knows a user interface.

pub mod email;
pub mod event;
pub mod fingerprint;
pub mod frame;
pub mod id;
pub mod limits;
pub mod name;
pub mod password;
pub mod reply;
pub mod request;
mod script;
mod skeleton;
pub mod text;
pub mod time;

pub use email::EmailAddress;
pub use event::{Event, Fact, Notice, RoomEvent};
pub use fingerprint::Fingerprint;
pub use frame::{Decoder, Frame};
pub use id::{ClientId, DeviceId, Epoch, Nth, RequestId, ResumeToken, RoomId, Seq, UserId};
pub use limits::Limits;
pub use name::{RoomName, UserName};
pub use password::Password;
pub use reply::{JoinedRoom, MemberEntry, Refusal, Reply, RoomEntry, ServerFrame, Welcome};
pub use request::{PageAt, Request, RequestFrame};
pub use text::Text;
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
