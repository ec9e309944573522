//! A password as it is typed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::reply::Refusal;

/// 8 to 1,024 bytes.
#[derive(Clone, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Password(Box<str>);

impl Password {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Password {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        match text.len() {
            0..8 => Err(Refusal::PasswordTooShort),
            8..=1024 => Ok(Self(text.into())),
            _ => Err(Refusal::PasswordTooLong),
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::text::parse_str(from)
    }
}
