//! Bytes to frames on the app's side: lines of JSON, cut anywhere.
//!
//! Unlike the server's decoder it lets long lists pass, because history pages are such lists,
//! and does not trust a line only for being short.

use parlor_shared::ServerFrame;

use super::wire::Wire;
use crate::model::limits::LINE_BYTES_MAX;
use crate::model::{Closed, LinkNews};

/// Reads until the connection ends, and says why it did. `tell` answers false when nobody
/// listens any more.
pub(super) fn read(wire: &Wire, tell: impl Fn(Vec<LinkNews>) -> bool) -> Closed {
    let mut lines = Lines::default();
    let end = wire.read(|bytes| {
        let mut batch = Vec::new();
        let end = lines.cut(bytes, &mut batch);
        if batch.is_empty() || tell(batch) { end } else { Err(Closed::Lost) }
    });
    end.err().unwrap_or(Closed::Lost)
}

/// Cuts a stream of bytes into frames.
#[derive(Debug, Default)]
pub struct Lines {
    partial: Vec<u8>,
    /// At least one frame was understood, so this is a Parlor.
    is_parlor: bool,
}

impl Lines {
    /// Takes all of `input` and appends the frames that are complete.
    ///
    /// # Errors
    /// Why the stream is not to be believed any more: it never was a Parlor, or it is broken.
    pub fn cut(&mut self, mut input: &[u8], frames: &mut Vec<LinkNews>) -> Result<(), Closed> {
        while let Some(newline) = input.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = input.split_at(newline);
            input = &rest[1..];
            if self.partial.is_empty() {
                self.read_line(line, frames)?;
            } else {
                self.partial.extend_from_slice(line);
                let line = std::mem::take(&mut self.partial);
                self.read_line(&line, frames)?;
            }
        }
        self.partial.extend_from_slice(input);
        // Another protocol's greeting need not have a newline to be told by.
        let is_foreign = self.partial.iter().find(|it| **it != b'\r').is_some_and(|it| *it != b'{');
        if is_foreign || self.partial.len() > LINE_BYTES_MAX {
            return Err(self.broken());
        }
        Ok(())
    }

    fn read_line(&mut self, line: &[u8], frames: &mut Vec<LinkNews>) -> Result<(), Closed> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Ok(());
        }
        if line.len() > LINE_BYTES_MAX {
            return Err(self.broken());
        }
        match serde_json::from_slice::<ServerFrame>(line) {
            Ok(frame) => {
                self.is_parlor = true;
                frames.push(LinkNews::Frame(frame));
                Ok(())
            }
            Err(error) => {
                log::debug!("a line that is no frame: {error}");
                Err(self.broken())
            }
        }
    }

    fn broken(&self) -> Closed {
        if self.is_parlor { Closed::Lost } else { Closed::NotParlor }
    }
}
