//! Ids, positions and tokens: small values that are valid ever after they were parsed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::reply::Refusal;

/// Ids and positions stay below 2^53, so that every JSON reader keeps them exact.
pub const ID_MAX: u64 = (1 << 53) - 1;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let number = u64::deserialize(from)?;
                if number > ID_MAX {
                    return Err(de::Error::custom(Refusal::Malformed.code()));
                }
                Ok(Self(number))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// A user, for as long as the data folder lives. Never given to somebody else.
    UserId
}
number! {
    /// A room, for as long as the data folder lives.
    RoomId
}
number! {
    /// An event's place in its room: 1, 2, 3 … without holes. 0 is "before everything".
    Seq
}
number! {
    /// How many messages the room had, counting this one. Unread is last nth minus read nth.
    Nth
}
number! {
    /// Chosen by the client, echoed in the answer. Says nothing else.
    RequestId
}

number! {
    /// A session: a signed-in token, which outlives its connections.
    SessionId
}
number! {
    /// A ban.
    BanId
}
number! {
    /// An invitation to the server.
    InviteId
}

impl Seq {
    /// The place after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl Nth {
    /// The count with one message more.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Names a device (an installation of a client) of one user: 1 to 16 of `a-z` and `0-9`,
/// drawn once by the client. Orders before comparing are those of the text.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DeviceId {
    letters: [u8; Self::MAX],
    len: u8,
}

impl DeviceId {
    /// Longest device id in letters: enough for 80 random bits.
    pub const MAX: usize = 16;

    /// The letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.letters[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl FromStr for DeviceId {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let valid = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if text.is_empty() || text.len() > Self::MAX || !text.as_bytes().iter().all(valid) {
            return Err(Refusal::BadClientId);
        }
        let mut letters = [0; Self::MAX];
        letters[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { letters, len: text.len() as u8 })
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The client's own name for a message, given before the first try: `device-counter`, the
/// counter growing with each new message of that device. A resend carries the same id and gets
/// the first answer again.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClientId {
    pub device: DeviceId,
    /// From 1 to [`ID_MAX`].
    pub counter: u64,
}

impl FromStr for ClientId {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let (device, counter) = text.split_once('-').ok_or(Refusal::BadClientId)?;
        let plain = counter.bytes().all(|byte| byte.is_ascii_digit()) && !counter.starts_with('0');
        // The error of `parse` has nothing to add: the code says what is wrong.
        let counter = counter.parse().ok().filter(|it| plain && (1..=ID_MAX).contains(it));
        Ok(Self { device: device.parse()?, counter: counter.ok_or(Refusal::BadClientId)? })
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.device, self.counter)
    }
}

impl Serialize for ClientId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ClientId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::text::parse_str(from)
    }
}

macro_rules! hex_value {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $refusal:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// Lower-case hexadecimal digits.
            #[must_use]
            pub fn to_hex(self) -> String {
                self.0.iter().map(|byte| format!("{byte:02x}")).collect()
            }
        }

        impl FromStr for $name {
            type Err = Refusal;

            fn from_str(text: &str) -> Result<Self, Refusal> {
                let digits = text.as_bytes();
                if digits.len() != $bytes * 2 {
                    return Err($refusal);
                }
                let mut bytes = [0; $bytes];
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                    let digit = |it: u8| char::from(it).to_digit(16).ok_or($refusal);
                    *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
                }
                Ok(Self(bytes))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.to_hex())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                crate::text::parse_str(from)
            }
        }
    };
}

hex_value! {
    /// A secret of 256 bits with which a guest, and nobody else, comes back under its name.
    /// 64 hexadecimal digits on the wire. The server stores only its SHA-256.
    ResumeToken, 32, Refusal::TokenUnknown
}
hex_value! {
    /// Names one life of a data folder; changed when a backup is restored, so that a client
    /// knows that its cursors are of another history. 16 hexadecimal digits on the wire.
    Epoch, 8, Refusal::Malformed
}

impl fmt::Debug for ResumeToken {
    /// Never the secret: this ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResumeToken(…)")
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}
