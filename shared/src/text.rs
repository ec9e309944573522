//! What people say, and which characters may be in it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::limits::{LABEL_BYTES_MAX, LINE_CHARS_MAX, TEXT_BYTES_MAX};
use crate::reply::Refusal;

/// A message's text: 1 byte to 16 KiB of UTF-8 with something to see in it. Any language, any
/// emoji, newlines and tabs; no other control character (C0, DEL, C1).
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Text(Box<str>);

impl Text {
    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Text {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(Refusal::TextTooLong);
        }
        // ASCII, most of what is ever said, is judged by its bytes: twenty times as fast.
        let is_refused = |it: char| is_control(it) && it != '\n' && it != '\t';
        let (has_refused, is_empty) = if text.is_ascii() {
            let bytes = text.as_bytes();
            let refused = |it: &u8| (*it < 0x20 && *it != b'\n' && *it != b'\t') || *it == 0x7f;
            (bytes.iter().any(refused), bytes.trim_ascii().is_empty())
        } else {
            (text.chars().any(is_refused), text.chars().all(is_blank))
        };
        if has_refused {
            return Err(Refusal::ControlCharacter);
        }
        if is_empty {
            return Err(Refusal::TextEmpty);
        }
        Ok(Self(text.into()))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        parse_str(from)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The short name of a program or a device: at most 64 bytes without control characters.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Label(Box<str>);

/// One line of text, a reason for instance: 1 to 390 characters with something to see in them,
/// without control characters, line separators and what turns the direction of writing.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Line(Box<str>);

macro_rules! short_text {
    ($name:ident) => {
        impl $name {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                parse_str(from)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

short_text!(Label);
short_text!(Line);

impl FromStr for Label {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        if text.len() > LABEL_BYTES_MAX
            || text.chars().any(|it| is_control(it) || is_bidi_control(it))
        {
            return Err(Refusal::Malformed);
        }
        Ok(Self(text.into()))
    }
}

impl FromStr for Line {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        let breaks = |it| matches!(it, '\u{2028}' | '\u{2029}');
        if text.chars().any(|it| is_control(it) || is_bidi_control(it) || breaks(it)) {
            return Err(Refusal::ControlCharacter);
        }
        if text.chars().all(is_blank) {
            return Err(Refusal::TextEmpty);
        }
        if text.chars().count() > LINE_CHARS_MAX {
            return Err(Refusal::TextTooLong);
        }
        Ok(Self(text.into()))
    }
}

/// C0, DEL and C1.
#[must_use]
pub fn is_control(it: char) -> bool {
    it.is_control()
}

/// Turns the direction of what follows it; harmless in a text, where it is isolated when shown,
/// and refused in a name, where it would let one name look like another.
#[must_use]
pub fn is_bidi_control(it: char) -> bool {
    matches!(it, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Takes no ink: joiners, variation selectors, soft hyphens, fillers and their like.
#[must_use]
pub fn is_invisible(it: char) -> bool {
    is_bidi_control(it)
        || matches!(it,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}'
            | '\u{206a}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// White space or nothing to see.
#[must_use]
pub fn is_blank(it: char) -> bool {
    it.is_whitespace() || is_invisible(it)
}

/// Deserialises a string and parses it; the refusal travels as the error's words, and
/// [`Refusal::of_json`] finds it there.
pub(crate) fn parse_str<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = Refusal>,
{
    struct Visitor<T>(std::marker::PhantomData<T>);
    impl<T: FromStr<Err = Refusal>> de::Visitor<'_> for Visitor<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(|refusal: Refusal| E::custom(refusal.code()))
        }
    }
    from.deserialize_str(Visitor(std::marker::PhantomData))
}
