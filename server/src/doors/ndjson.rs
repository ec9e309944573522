//! The plain door: newline-delimited JSON in both directions.

use std::io;
use std::time::{Duration, Instant};

use parlor_shared::{Decoder, Limits, Refusal};

use super::caps::Place;
use super::wire::Wire;
use crate::gate::{Gate, Next};

/// What is read at once. On the stack, so that a silent connection holds no buffer.
const READ_BYTES: usize = 8 * 1024;

/// Serves a connection that was accepted at `opened` and whose first bytes may have been read
/// already, until it ends.
pub(super) fn serve(
    wire: Wire,
    first: &[u8],
    gate: Gate,
    place: Place,
    limits: &Limits,
    opened: Instant,
) {
    let now = Instant::now();
    let mut door = Door {
        wire,
        gate,
        place,
        limits,
        decoder: Decoder::new(limits.frame_bytes_before_hello as usize),
        opened,
        heard: now,
        line_began: Some(now),
        timeout: None,
    };
    if door.feed(first) == Next::Go {
        door.run();
    }
    door.wire.linger(limits);
}

struct Door<'a> {
    wire: Wire,
    gate: Gate,
    place: Place,
    limits: &'a Limits,
    decoder: Decoder,
    opened: Instant,
    heard: Instant,
    /// When the line that is being received began.
    line_began: Option<Instant>,
    /// The read timeout that the socket has.
    timeout: Option<Duration>,
}

impl Door<'_> {
    fn run(&mut self) {
        let mut buffer = [0; READ_BYTES];
        loop {
            let Ok(()) = self.set_timeout() else { return };
            match self.wire.read(&mut buffer) {
                Ok(0) => return,
                Ok(bytes) => {
                    self.heard = Instant::now();
                    if self.feed(&buffer[..bytes]) == Next::End {
                        return;
                    }
                }
                Err(error) if is_timeout(&error) => {
                    if self.heard.elapsed() >= Duration::from_millis(self.limits.silence_millis) {
                        self.gate.end(Refusal::Silent);
                        return;
                    }
                    if self.gate.is_signed_in() {
                        self.gate.ping();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
            if let Some(refusal) = self.is_late() {
                self.gate.end(refusal);
                return;
            }
        }
    }

    fn feed(&mut self, mut bytes: &[u8]) -> Next {
        while let Some(frame) = self.decoder.next(&mut bytes) {
            let was_signed_in = self.gate.is_signed_in();
            if self.gate.take(frame) == Next::End {
                return Next::End;
            }
            if !was_signed_in && self.gate.is_signed_in() {
                self.decoder.set_limit(self.limits.frame_bytes as usize);
                self.place.sit_down();
            }
        }
        self.line_began = match (self.decoder.is_inside_a_line(), self.line_began) {
            (false, _) => None,
            (true, None) => Some(self.heard),
            // One byte a second keeps the same line open: its time runs from its first byte.
            (true, began @ Some(_)) => began,
        };
        Next::Go
    }

    /// What has taken too long, however many bytes came meanwhile.
    fn is_late(&self) -> Option<Refusal> {
        let is_over = |since: Instant, millis| since.elapsed() >= Duration::from_millis(millis);
        if !self.gate.is_signed_in() {
            return is_over(self.opened, self.limits.hello_millis).then_some(Refusal::HelloLate);
        }
        let began = self.line_began?;
        is_over(began, self.limits.frame_millis).then_some(Refusal::FrameLate)
    }

    /// Makes the next read return in time for the next thing that is due; one system call only
    /// when that changes.
    fn set_timeout(&mut self) -> io::Result<()> {
        let limits = self.limits;
        let timeout = if self.gate.is_signed_in() {
            // The end of silence is no multiple of the pings: 75 s, not 90.
            let silent = self.heard.elapsed().as_millis() as u64;
            let left = limits.silence_millis.saturating_sub(silent);
            let ping = limits.ping_millis.min(limits.frame_millis);
            Duration::from_millis(ping.min(left).max(1))
        } else {
            let deadline = self.opened + Duration::from_millis(limits.hello_millis);
            deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
        };
        if self.timeout != Some(timeout) {
            self.wire.set_timeout(timeout)?;
            self.timeout = Some(timeout);
        }
        Ok(())
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
