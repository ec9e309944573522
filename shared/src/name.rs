//! Names of users and rooms: unique by what the eye sees.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::limits::{ROOM_NAME_CHARS_MAX, USER_NAME_CHARS_MAX};
use crate::reply::Refusal;
use crate::text::{is_bidi_control, is_blank, is_control, is_invisible};

/// Names that would let somebody speak as the house. Compared as skeletons, so look-alikes in
/// other widths, cases and alphabets are caught too.
const RESERVED: &[&str] = &[
    "system",
    "server",
    "parlor",
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
    "former user",
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
        let name = Self(checked(text, USER_NAME_CHARS_MAX)?);
        // Names are parsed again wherever they are read, so the list's own skeletons are made once.
        static SKELETONS: LazyLock<Vec<Skeleton>> =
            LazyLock::new(|| RESERVED.iter().map(|it| Skeleton::of(it)).collect());
        if SKELETONS.contains(&name.skeleton()) {
            return Err(Refusal::NameReserved);
        }
        Ok(name)
    }
}

impl FromStr for RoomName {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        checked(text, ROOM_NAME_CHARS_MAX).map(Self)
    }
}

impl UserName {
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

/// NFKC, case-folded, invisible characters and white space runs folded away, then the UTS-39
/// skeleton: equal for names that look the same.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Skeleton(Box<str>);

impl Skeleton {
    #[must_use]
    pub fn of(name: &str) -> Self {
        let folded = fold(name);
        let skeleton: String = unicode_security::skeleton(&folded).collect();
        // The skeleton of a folded text may hold capitals again. And a capital eye looks like an
        // ell, so after case folding i, I, l and 1 have to be one: refusing a little more than
        // needed is the safe side.
        Self(fold(&skeleton).replace('i', "l").into())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// NFKC and case folding, white space as one space each, nothing invisible.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for it in text.nfkc().filter(|it| !is_invisible(*it)).flat_map(char::to_lowercase).nfkc() {
        if it.is_whitespace() {
            if !folded.is_empty() && !folded.ends_with(' ') {
                folded.push(' ');
            }
        } else if it == 'ß' || it == 'ẞ' {
            folded.push_str("ss");
        } else if it == 'ς' {
            folded.push('σ');
        } else {
            folded.push(it);
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

impl UserName {
    #[must_use]
    pub fn former() -> Self {
        Self("former user".into())
    }

    #[must_use]
    pub fn house() -> Self {
        Self("parlor".into())
    }

    pub fn check_new(&self) -> Result<(), Refusal> {
        Ok(())
    }
}

impl RoomName {
    pub fn check_new(&self) -> Result<(), Refusal> {
        Ok(())
    }
}
