//! E-mail addresses, as far as a chat has to understand them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::limits::EMAIL_BYTES_MAX;
use crate::reply::Refusal;

/// Longest part before the `@` in bytes (RFC 5321, 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;
/// Longest part between two dots of a domain in bytes (RFC 1035, 2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// `somebody@example.org`: 3 to 254 bytes, the domain in small letters.
///
/// Only what can stand in a mail's header as it is: no quoted local parts, no comments, no
/// address literals, no white space, no controls. A domain in other alphabets is given in its
/// ASCII form (`xn--…`); that is what a mail server is asked for.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct EmailAddress(Box<str>);

impl EmailAddress {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it is compared by: in theory the part before the `@` has cases, in practice people's
    /// telephones begin it with a capital.
    #[must_use]
    pub fn folded(&self) -> Box<str> {
        self.0.to_ascii_lowercase().into()
    }

    /// What stands behind the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl FromStr for EmailAddress {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        let (local, domain) = text.split_once('@').ok_or(Refusal::BadEmail)?;
        let is_atom = |it: &str| !it.is_empty() && it.bytes().all(is_atom_byte);
        let is_valid = text.len() <= EMAIL_BYTES_MAX
            && local.len() <= LOCAL_BYTES_MAX
            && local.split('.').all(is_atom)
            && domain.split('.').all(is_label)
            // The last part of a domain is never a number: that would be an IP address.
            && domain.rsplit('.').next().is_some_and(|it| !it.bytes().all(|it| it.is_ascii_digit()));
        if !is_valid {
            return Err(Refusal::BadEmail);
        }
        Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase()).into()))
    }
}

/// `atext` of RFC 5322, 3.2.3.
fn is_atom_byte(it: u8) -> bool {
    it.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&it)
}

fn is_label(it: &str) -> bool {
    !it.is_empty()
        && it.len() <= LABEL_BYTES_MAX
        && !it.starts_with('-')
        && !it.ends_with('-')
        && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
}

impl<'de> Deserialize<'de> for EmailAddress {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::text::parse_str(from)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EmailAddress {
    /// The domain only: whose address it is belongs into no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…@{}", self.domain())
    }
}
