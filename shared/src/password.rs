//! A password as it was typed, on its way to being hashed and nowhere else.
//!
//! Normalised as RFC 8265 (`OpaqueString`) says: NFC, and every kind of space is the space bar's,
//! so that the same keys on another system are the same password. Not NFKC and no case folding:
//! those would make different passwords one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::limits::{PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN};
use crate::reply::Refusal;

mod weak;

/// 8 to 1,024 bytes. Never printed, and wiped from this place of memory when dropped (the frame
/// that brought it is not).
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// What is hashed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Would somebody guess it within the tries that a server allows? Asked where a password is
    /// set, never at sign-in: what was good enough once still opens the door.
    ///
    /// `name` is the user's name; a password that is little more than that is weak, too.
    #[must_use]
    pub fn weakness(&self, name: &str) -> Option<Refusal> {
        weak::is_weak(&self.0, name).then_some(Refusal::PasswordWeak)
    }
}

impl FromStr for Password {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        // Before any work is done on it.
        if text.len() > PASSWORD_BYTES_MAX {
            return Err(Refusal::PasswordTooLong);
        }
        let space = |it: char| if it.is_whitespace() && !it.is_control() { ' ' } else { it };
        // Made large enough at once: a string that grows leaves copies of itself behind.
        let mut password = Zeroizing::new(String::with_capacity(text.len() * NFC_GROWTH_MAX));
        password.extend(text.chars().map(space).nfc());
        match password.len() {
            ..PASSWORD_BYTES_MIN => Err(Refusal::PasswordTooShort),
            PASSWORD_BYTES_MIN..=PASSWORD_BYTES_MAX => Ok(Self(password)),
            _ => Err(Refusal::PasswordTooLong),
        }
    }
}

/// NFC makes no text in UTF-8 longer than this many times (UAX-15, 9).
const NFC_GROWTH_MAX: usize = 3;

impl PartialEq for Password {
    /// For tests of values that hold one. A server never compares passwords, it compares hashes.
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl fmt::Debug for Password {
    /// Never the password: this ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::text::parse_str(from)
    }
}
