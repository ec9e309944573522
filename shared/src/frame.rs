//! Bytes to frames: lines of JSON, cut anywhere, judged before they are parsed.

use memchr::{memchr, memchr2};

use crate::limits::{JSON_ARRAY_MAX, JSON_DEPTH_MAX, JSON_KEYS_MAX};
use crate::{Refusal, RequestFrame, RequestId};

/// One line without its newline: valid UTF-8, not empty, within the bounds of depth and number.
pub type Frame = String;

/// Cuts a client's stream of bytes into frames, however the bytes are cut.
///
/// It is for what clients send. A server's pages and lists hold more than
/// [`JSON_ARRAY_MAX`] elements, and a client bounds them its own way.
///
/// Memory: at most the limit and a carriage return; nothing once the last frame is complete, so
/// that ten thousand silent connections hold no buffers.
#[derive(Debug)]
pub struct Decoder {
    partial: Vec<u8>,
    limit: usize,
    /// After a line that was too long nothing of the stream can be trusted.
    broken: bool,
}

impl Decoder {
    /// Lines of at most `limit` bytes, newline excluded.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { partial: Vec::new(), limit, broken: false }
    }

    /// Another limit from the next line on; what is buffered stays.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// True between the first byte of a line and its newline.
    #[must_use]
    pub fn is_inside_a_line(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Bytes of memory that the unfinished line takes now.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.partial.capacity()
    }

    /// Appends to the unfinished line. Doubles as a `Vec` does, but never beyond the limit: a
    /// `Vec` left to itself may take twice of what a connection is promised to cost.
    fn keep(&mut self, bytes: &[u8]) {
        let needed = self.partial.len() + bytes.len();
        if needed > self.partial.capacity() {
            let roomy = (2 * self.partial.capacity()).max(256).min(self.limit + 1);
            self.partial.reserve_exact(roomy.max(needed) - self.partial.len());
        }
        self.partial.extend_from_slice(bytes);
    }

    /// Takes bytes from the front of `input` until a line is complete.
    ///
    /// `None`: all of `input` was taken, more is needed. A refusal other than
    /// [`Refusal::FrameTooLong`] concerns one line, and decoding goes on behind it; after
    /// `FrameTooLong` every further call says so again. Empty lines are passed over.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Result<Frame, Refusal>> {
        loop {
            if self.broken {
                return Some(Err(Refusal::FrameTooLong));
            }
            let newline = memchr(b'\n', input);
            let taken = newline.unwrap_or(input.len());
            // A carriage return before the newline is forgiven, and not counted.
            if self.partial.len() + taken > self.limit + 1
                || (self.partial.len() + taken == self.limit + 1
                    && (taken > 0 && input[taken - 1] != b'\r'))
            {
                self.broken = true;
                self.partial = Vec::new();
                continue;
            }
            self.keep(&input[..taken]);
            *input = &input[taken..];
            newline?;
            *input = &input[1..];
            let mut line = std::mem::take(&mut self.partial);
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            if line.len() > self.limit {
                self.broken = true;
                continue;
            }
            if line.is_empty() {
                continue;
            }
            return Some(check(line));
        }
    }
}

fn check(line: Vec<u8>) -> Result<Frame, Refusal> {
    let Ok(line) = String::from_utf8(line) else { return Err(Refusal::NotUtf8) };
    check_shape(line.as_bytes())?;
    Ok(line)
}

/// Refuses JSON that nests too deep or lists too much, by looking at the bytes: the parser
/// recurses, so it must never see such a line. Anything else is left to the parser.
///
/// # Errors
/// [`Refusal::TooDeep`], [`Refusal::TooManyElements`].
pub fn check_shape(line: &[u8]) -> Result<(), Refusal> {
    // Elements so far in each open container; `true` for an object.
    let mut open = [(false, 0_usize); JSON_DEPTH_MAX];
    let mut depth = 0;
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        at += 1;
        match byte {
            b'"' => at = end_of_string(line, at),
            b'{' | b'[' => {
                let slot = open.get_mut(depth).ok_or(Refusal::TooDeep)?;
                *slot = (byte == b'{', 1);
                depth += 1;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => {
                if let Some((is_object, elements)) = open[..depth].last_mut() {
                    *elements += 1;
                    let max = if *is_object { JSON_KEYS_MAX } else { JSON_ARRAY_MAX };
                    if *elements > max {
                        return Err(Refusal::TooManyElements);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Where the string that began before `at` is over. Most of a line is one string, so this is
/// where the time goes: the search looks at many bytes at once.
fn end_of_string(line: &[u8], mut at: usize) -> usize {
    while let Some(found) = line.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found + 1;
        if line[at - 1] == b'"' {
            return at;
        }
        // Whatever stands behind a backslash does not end the string.
        at += 1;
    }
    line.len()
}

/// Parses one frame of a client.
///
/// # Errors
/// The refusal, and the request's id where one could be found in the line.
pub fn parse_request(frame: &str) -> Result<RequestFrame, (Option<RequestId>, Refusal)> {
    #[derive(serde::Deserialize)]
    struct OnlyId {
        id: RequestId,
    }
    serde_json::from_str(frame).map_err(|error| {
        let id = serde_json::from_str::<OnlyId>(frame).ok().map(|it| it.id);
        (id, Refusal::of_json(&error))
    })
}

/// Appends `value` as one line. Values of this crate always serialise: their maps have text
/// keys and their numbers are finite.
pub fn encode_line(value: &impl serde::Serialize, into: &mut Vec<u8>) {
    let start = into.len();
    match serde_json::to_writer(&mut *into, value) {
        Ok(()) => into.push(b'\n'),
        Err(_) => {
            into.truncate(start);
            debug_assert!(false, "every value of the wire serialises");
        }
    }
}

/// [`encode_line`] into a fresh buffer.
#[must_use]
pub fn line(value: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    encode_line(value, &mut bytes);
    bytes
}
