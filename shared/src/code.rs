//! One-time codes that people read, write down and type in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::reply::Refusal;

/// No letter that is taken for a digit, no vowel that makes words by accident.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 80 random bits as sixteen letters and digits, `2F7K-9QXM-0TRB-V4CD`: too many to guess, so a
/// plain hash of one can be stored. Upper and lower case, spaces and hyphens do not matter when it
/// is read, an O is a 0, an I or an L a 1.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Code([u8; Self::SYMBOLS]);

impl Code {
    /// Letters and digits, hyphens apart.
    pub const SYMBOLS: usize = 16;
    /// Random bytes that make one.
    pub const BYTES: usize = 10;

    /// The code of these random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; Self::BYTES]) -> Self {
        let mut symbols = [0; Self::SYMBOLS];
        let (mut held, mut bits, mut bytes) = (0_u32, 0, bytes.into_iter());
        for symbol in &mut symbols {
            if bits < 5 {
                held = held << 8 | u32::from(bytes.next().unwrap_or_default());
                bits += 8;
            }
            bits -= 5;
            *symbol = SYMBOLS[(held >> bits & 31) as usize];
        }
        Self(symbols)
    }

    /// Its letters and digits: what is hashed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, symbol) in self.0.iter().enumerate() {
            if place > 0 && place % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(*symbol))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Code {
    /// Never the secret: this ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

impl FromStr for Code {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let mut symbols = [0; Self::SYMBOLS];
        let mut found = 0;
        for byte in text.bytes().filter(|it| !matches!(it, b' ' | b'-')) {
            let symbol = match byte.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            if found == symbols.len() || !SYMBOLS.contains(&symbol) {
                return Err(Refusal::CodeUnknown);
            }
            symbols[found] = symbol;
            found += 1;
        }
        if found == symbols.len() { Ok(Self(symbols)) } else { Err(Refusal::CodeUnknown) }
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::text::parse_str(from)
    }
}
