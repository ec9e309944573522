//! The encrypted door: a handshake on the connection's own thread, and then the same question
//! again, once: whose first byte is this?
//!
//! Until both are done nobody else knows of the connection, so reading and answering take turns
//! here. Whatever the client does, it ends at one absolute deadline.

use std::io::{self, BufRead as _, Read as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parlor_shared::Limits;
use rustls::{ServerConfig, ServerConnection};

use super::wire::linger;

/// The first byte of every TLS connection: a record of the handshake.
pub(super) const FIRST_BYTE: u8 = 0x16;

const RAW_BYTES: usize = 4 * 1024;

/// Shakes hands with a client whose first bytes were read already. Gives the connection and the
/// first byte that it holds, which stays in it to be read.
///
/// # Errors
/// A client that speaks something else, breaks off or takes too long. It was told so.
pub(super) fn shake_hands(
    socket: &TcpStream,
    first: &[u8],
    config: &Arc<ServerConfig>,
    limits: &Limits,
    opened: Instant,
) -> io::Result<(ServerConnection, u8)> {
    let tls = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    let grace = opened + Duration::from_millis(limits.hello_millis);
    let deadline = grace.min(Instant::now() + Duration::from_millis(limits.tls_handshake_millis));
    let mut hands = Hands { socket, tls, deadline, bytes_left: limits.tls_handshake_bytes };
    let shaken = hands.shake(first, grace);
    if let Err(error) = &shaken
        && error.kind() == io::ErrorKind::InvalidData
    {
        // There is an alert on its way that says why.
        if socket.shutdown(Shutdown::Write).is_ok() {
            linger(socket, limits);
        }
    }
    shaken.map(|first| (hands.tls, first))
}

struct Hands<'a> {
    socket: &'a TcpStream,
    tls: ServerConnection,
    deadline: Instant,
    /// What the client may still send before it has to be done.
    bytes_left: u64,
}

impl Hands<'_> {
    fn shake(&mut self, first: &[u8], grace: Instant) -> io::Result<u8> {
        self.take(first)?;
        while self.tls.is_handshaking() {
            self.read()?;
        }
        // From here on the client has what it needs to speak, and the usual time to do it.
        (self.deadline, self.bytes_left) = (grace, u64::MAX);
        loop {
            if let Some(first) = self.peek()? {
                return Ok(first);
            }
            self.read()?;
        }
    }

    fn read(&mut self) -> io::Result<()> {
        let mut raw = [0; RAW_BYTES];
        self.socket.set_read_timeout(Some(self.time_left()?))?;
        let bytes = match (&mut &*self.socket).read(&mut raw) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        };
        self.bytes_left = self
            .bytes_left
            .checked_sub(bytes as u64)
            .ok_or_else(|| io::Error::other("too much for a handshake"))?;
        self.take(&raw[..bytes])
    }

    fn take(&mut self, mut raw: &[u8]) -> io::Result<()> {
        while !raw.is_empty() {
            if self.tls.read_tls(&mut raw)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let processed = self.tls.process_new_packets();
            // Also when that failed: then this is the alert.
            self.answer()?;
            processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
        Ok(())
    }

    fn answer(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            self.socket.set_write_timeout(Some(self.time_left()?))?;
            match self.tls.write_tls(&mut &*self.socket) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                other => drop(other?),
            }
        }
        Ok(())
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        match self.tls.reader().fill_buf() {
            Ok(bytes) => match bytes.first() {
                Some(first) => Ok(Some(*first)),
                None => Err(io::ErrorKind::UnexpectedEof.into()),
            },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn time_left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

/// Ends a connection that was shaken hands with and then spoke no language of ours.
pub(super) fn turn_away(socket: &TcpStream, mut tls: ServerConnection, limits: &Limits) {
    tls.send_close_notify();
    let left = Some(Duration::from_millis(limits.linger_millis.max(1)));
    let told = socket.set_write_timeout(left).and_then(|()| tls.write_tls(&mut &*socket));
    if told.and_then(|_| socket.shutdown(Shutdown::Write)).is_ok() {
        linger(socket, limits);
    }
}
