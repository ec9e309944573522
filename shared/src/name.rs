//! Names of users and rooms: unique by what the eye sees.
//!
//! Parsing takes whatever may stand in a data folder or come from a server; `check_new` says
//! whether somebody may take that name today. So the rules for new names can grow stricter, and
//! no name that exists stops being one.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, Serialize};

use crate::limits::{ROOM_NAME_CHARS_MAX, USER_NAME_CHARS_MAX};
use crate::reply::Refusal;
use crate::script;
pub use crate::skeleton::Skeleton;
use crate::text::{is_bidi_control, is_blank, is_control};

/// The author of what the house itself says.
const HOUSE: &str = "parlor";
/// The author of what somebody said whose account is gone.
const FORMER: &str = "former user";

/// Names that would let somebody speak as the house. Compared by the letters of their skeletons,
/// so look-alikes in other widths, cases, alphabets and decorations are caught too.
const RESERVED: &[&str] = &[
    HOUSE,
    FORMER,
    "system",
    "server",
    "admin",
    "administrator",
    "owner",
    "moderator",
    "operator",
    "root",
    "everyone",
    "room",
    "here",
    "all",
    "nobody",
];

/// A user's name: 1 to 32 characters, something to see in it, no control characters, no
/// direction marks, no white space at its ends.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct UserName(Box<str>);

/// A room's name: 1 to 64 characters, by the same rules.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct RoomName(Box<str>);

macro_rules! name {
    ($name:ident, $max:expr) => {
        impl $name {
            /// Longest name in characters.
            pub const CHARS_MAX: usize = $max;

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// What the eye sees. Two names with one skeleton cannot be told apart, so only one
            /// of them may exist.
            #[must_use]
            pub fn skeleton(&self) -> Skeleton {
                Skeleton::of(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                crate::text::parse_str(from)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(UserName, USER_NAME_CHARS_MAX);
name!(RoomName, ROOM_NAME_CHARS_MAX);

impl FromStr for UserName {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        checked(text, USER_NAME_CHARS_MAX).map(Self)
    }
}

impl FromStr for RoomName {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        checked(text, ROOM_NAME_CHARS_MAX).map(Self)
    }
}

impl UserName {
    /// Who said what an account said that was deleted. Nobody can take this name.
    #[must_use]
    pub fn former() -> Self {
        Self(FORMER.into())
    }

    /// Who says what the house itself says. Nobody can take this name.
    #[must_use]
    pub fn house() -> Self {
        Self(HOUSE.into())
    }

    /// May somebody take this name now? Asked where a name is new, never where one comes back.
    ///
    /// # Errors
    /// [`Refusal::NameReserved`] for what speaks for the house, [`Refusal::NameInvisible`] for
    /// characters that nobody sees, [`Refusal::NameMixed`] for Latin with Cyrillic, letters that
    /// nobody writes with today, and marks piled upon each other.
    pub fn check_new(&self) -> Result<(), Refusal> {
        static LETTERS: LazyLock<Vec<String>> =
            LazyLock::new(|| RESERVED.iter().map(|it| Skeleton::of(it).letters()).collect());
        if LETTERS.contains(&self.skeleton().letters()) {
            return Err(Refusal::NameReserved);
        }
        script::check(&self.0)
    }

    /// The same name with a number behind it, shortened so that it stays a valid name.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        let tail = format!(" {number}");
        let room = USER_NAME_CHARS_MAX - tail.chars().count();
        let head: String = self.0.chars().take(room).collect();
        // The trim is for a name whose visible part is beyond the cut.
        Self(format!("{}{tail}", head.trim_end_matches(is_blank)).trim().into())
    }
}

impl RoomName {
    /// May a new room be called this? Like [`UserName::check_new`], but each word by itself may
    /// be of another alphabet, and nothing is reserved: a room is a place and speaks for nobody.
    ///
    /// # Errors
    /// [`Refusal::NameInvisible`] or [`Refusal::NameMixed`].
    pub fn check_new(&self) -> Result<(), Refusal> {
        self.0.split_whitespace().try_for_each(script::check)
    }
}

fn checked(text: &str, chars_max: usize) -> Result<Box<str>, Refusal> {
    let text = text.trim();
    if text.chars().all(is_blank) {
        return Err(Refusal::NameEmpty);
    }
    if text.chars().any(is_control) {
        return Err(Refusal::ControlCharacter);
    }
    // A line or paragraph separator would break one name over two lines of a log.
    if text.chars().any(|it| is_bidi_control(it) || matches!(it, '\u{2028}' | '\u{2029}')) {
        return Err(Refusal::NameMisleading);
    }
    if text.chars().count() > chars_max {
        return Err(Refusal::NameTooLong);
    }
    Ok(text.into())
}
