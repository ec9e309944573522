//! What a server's public key is told by: 256 bits, as hexadecimal digits for programs and as
//! words for two people on a telephone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::reply::Refusal;

/// Words that are shown: 8 of 2,048 are 88 bits, which nobody finds a second key for.
const WORDS: usize = 8;
const WORD_BITS: usize = 11;

/// SHA-256 of a public key (the certificate's `SubjectPublicKeyInfo`, DER). A renewed
/// certificate with the same key has the same one.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Its first 88 bits as eight words of the BIP-39 list (English), which was made to be read
    /// out: no two words begin with the same four letters.
    #[must_use]
    pub fn words(&self) -> String {
        let list = bip39::Language::English.word_list();
        let bit = |at: usize| usize::from(self.0[at / 8] >> (7 - at % 8) & 1);
        let word = |place: usize| {
            let from = place * WORD_BITS;
            list[(from..from + WORD_BITS).fold(0, |number, at| number * 2 + bit(at))]
        };
        (0..WORDS).map(word).collect::<Vec<_>>().join(" ")
    }

    /// All of it: 64 digits in groups of four.
    #[must_use]
    pub fn hex(&self) -> String {
        let groups = self.0.chunks(2).map(|it| format!("{:02x}{:02x}", it[0], it[1]));
        groups.collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = Refusal;

    /// From 64 digits, spaces between them forgiven.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let digits: Vec<u8> = text.bytes().filter(|it| *it != b' ').collect();
        let mut bytes = [0; 32];
        if digits.len() != bytes.len() * 2 {
            return Err(Refusal::Malformed);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let digit = |it: u8| char::from(it).to_digit(16).ok_or(Refusal::Malformed);
            *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::text::parse_str(from)
    }
}
